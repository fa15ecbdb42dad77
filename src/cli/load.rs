//! From a file's name to a plan: read, fill in, survey, build.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio_util::task::AbortOnDropHandle;

use super::environment::Environment;
use super::exit::{Error, Kind};
use super::operator;
use super::parts::{self, Site};
use super::settings::CloudSettings;
use super::terminal::Terminal;
use crate::cloud::Survey;
use crate::plan::{self, BuildError, Plan};
use crate::workflow::file::{self, LoadError};
use crate::workflow::{Document, Workflow};

/// A workflow that is ready to be planned.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) workflow: Workflow,
    digest: String,
}

/// Reads the workflow, and asks for what it lacks.
pub(super) async fn load(
    terminal: &Terminal,
    path: &Path,
    values: BTreeMap<String, String>,
) -> Result<Loaded, Error> {
    let document = read(path)?;
    let values = operator::missing_values(terminal, &document, values).await?;
    let workflow =
        file::resolve(path, &document, &values).map_err(|error| not_loaded(document.name(), error))?;
    Ok(Loaded { workflow, digest: digest(document.text(), &values) })
}

/// Reads a workflow file as far as it can be judged without values.
pub(super) fn read(path: &Path) -> Result<Document, Error> {
    file::read(path).map_err(|error| not_loaded(&path.display().to_string(), error))
}

fn not_loaded(name: &str, error: LoadError) -> Error {
    match error {
        LoadError::NotValid(complaints) => Error::invalid(name, complaints),
        LoadError::Read { .. } => {
            let hint = error.hint();
            let error = Error::from_chain(Kind::InvalidWorkflow, &error);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
    }
}

/// Reads the cloud, and makes the plan.
///
/// It is a task, as the run that follows is: on the same thread, and with the memory that a thread keeps for itself.
/// What the survey of a large fleet leaves free there, the run uses again.
pub(super) async fn plan(
    loaded: &Loaded,
    settings: &CloudSettings,
    environment: &Environment,
) -> Result<(Plan, Site), Error> {
    let site = parts::connect(settings, &loaded.workflow.region, environment)?;
    let planning = planned(loaded.clone(), Arc::clone(&site.survey));
    let plan = AbortOnDropHandle::new(tokio::spawn(planning))
        .await
        .map_err(|stopped| Error::new(Kind::Bug, format!("planning broke off: {stopped}")))??;
    Ok((plan, site))
}

async fn planned(loaded: Loaded, cloud: Arc<dyn Survey>) -> Result<Plan, Error> {
    let inventory = plan::survey(&loaded.workflow, cloud.as_ref())
        .await
        .map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error).hint(error.hint()))?;
    plan::build(&loaded.workflow, &inventory, loaded.digest).map_err(|error| {
        let kind = match error {
            BuildError::TooMany { .. } => Kind::NotApproved,
            BuildError::KeysNotRead => Kind::Bug,
        };
        Error::from_chain(kind, &error).hint(error.hint())
    })
}

/// Tells one text and set of values from every other.
fn digest(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    // Lengths first, so that no value can pass for the end of another.
    for part in std::iter::once(text).chain(values.iter().flat_map(|(name, value)| [name.as_str(), value])) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_tells_values_apart() {
        let values = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let one = digest("text", &values(&[("a", "bc")]));
        assert_eq!(one.len(), 64);
        assert_eq!(one, digest("text", &values(&[("a", "bc")])));
        assert_ne!(one, digest("text", &values(&[("ab", "c")])));
        assert_ne!(one, digest("texta", &values(&[("b", "c")])));
        assert_ne!(digest("text", &values(&[])), digest("", &values(&[])));
    }
}
