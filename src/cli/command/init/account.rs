//! What the account has to choose from. Reads only; what can't be read is typed instead.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::environment::Environment;
use crate::cli::exit::{Error, Kind};
use crate::cli::parts;
use crate::cli::settings::CloudSettings;
use crate::cloud::{CloudError, Filter, Instance, InstanceId, KeyPair, ResizeOption, Survey};
use crate::plan::ResizeClass;
use crate::report::clean;

/// One region of the account.
pub(super) struct Account {
    survey: Arc<dyn Survey>,
    pub(super) instances: Vec<Instance>,
}

impl Account {
    /// Lists the region's instances.
    pub(super) async fn open(
        settings: &CloudSettings,
        region: &str,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let survey = parts::connect(settings, region, environment)?.survey;
        let mut instances = survey.find(&Filter::default()).await.map_err(|error| could_not(&error))?;
        instances.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(Self { survey, instances })
    }

    pub(super) async fn find(&self, filter: &Filter) -> Result<Vec<Instance>, Error> {
        self.survey.find(filter).await.map_err(|error| could_not(&error))
    }

    /// The types that all of these can become now, small ones first. One instance of each class is asked for.
    pub(super) async fn types(&self, of: &[InstanceId]) -> Result<Vec<ResizeOption>, Error> {
        let of = self.instances.iter().filter(|instance| of.contains(&instance.id));
        let classes: BTreeMap<ResizeClass, &Instance> = of.map(|one| (ResizeClass::of(one), one)).collect();
        let mut common: Option<Vec<ResizeOption>> = None;
        for instance in classes.values() {
            let mut options =
                self.survey.resize_options(&instance.id).await.map_err(|error| could_not(&error))?;
            options.retain(|option| option.available);
            common = Some(match common {
                None => options,
                Some(mut common) => {
                    common.retain(|one| options.iter().any(|other| other.instance_type == one.instance_type));
                    common
                }
            });
        }
        let mut common = common.unwrap_or_default();
        if let [only] = classes.into_keys().collect::<Vec<_>>().as_slice() {
            common.retain(|option| option.instance_type != only.from);
        }
        common.sort_by(|a, b| {
            (a.cpu, a.memory_gib, &a.instance_type).cmp(&(b.cpu, b.memory_gib, &b.instance_type))
        });
        common.dedup_by(|a, b| a.instance_type == b.instance_type);
        Ok(common)
    }

    pub(super) async fn keys(&self) -> Result<Vec<KeyPair>, Error> {
        self.survey.key_pairs().await.map_err(|error| could_not(&error))
    }
}

fn could_not(error: &CloudError) -> Error {
    Error::from_chain(Kind::CouldNotBegin, error).hint(error.hint())
}

/// Lines of a list, in columns.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| clean(cell))).collect();
    let width = |column: usize| {
        rows.iter().map(|row| unicode_width::UnicodeWidthStr::width(row[column].as_str())).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            let missing = width - unicode_width::UnicodeWidthStr::width(cell.as_str());
            format!("{cell}{}", " ".repeat(missing))
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The instances as lines to choose from.
pub(super) fn lines(instances: &[Instance]) -> Vec<String> {
    let row = |instance: &Instance| {
        [
            instance.name.clone(),
            instance.id.to_string(),
            instance.power.to_string(),
            instance.instance_type.to_string(),
        ]
    };
    columns(&instances.iter().map(row).collect::<Vec<_>>())
}
