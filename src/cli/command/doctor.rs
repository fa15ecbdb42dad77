//! `pitstop doctor`: is everything there that a run needs? Nothing is changed, and what needs no network comes first.

mod cloud;
mod machine;
mod state;

use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error};
use crate::cli::settings::{CloudSettings, values};
use crate::cli::terminal::Terminal;
use crate::cli::{load, parts};
use crate::clock::Clock;
use crate::report::{Finding, Level, finding, json};

/// Where to look when nobody says; the vendor's own tools take it as well.
const REGION: &str = "ap-guangzhou";

/// What was found so far, shown as it is found.
struct Findings<'a> {
    terminal: &'a Terminal,
    failures: usize,
    warnings: usize,
    last: Level,
}

impl Findings<'_> {
    fn add(&mut self, found: &Finding) -> Result<(), Error> {
        self.last = found.level;
        match found.level {
            Level::Ok => {}
            Level::Warn => self.warnings += 1,
            Level::Fail => self.failures += 1,
        }
        match self.terminal.output() {
            Output::Human => self.terminal.data(&finding(found, self.terminal.stdout_look())),
            Output::Json => {
                let mut line = serde_json::json!({ "version": json::VERSION });
                if let (Some(line), Ok(serde_json::Value::Object(found))) =
                    (line.as_object_mut(), serde_json::to_value(found))
                {
                    line.extend(found);
                }
                self.terminal.data(&json::line(&line))
            }
        }
    }

    /// The last thing that was looked at keeps a run from beginning.
    fn end_in_failure(&self) -> bool {
        self.last == Level::Fail
    }

    fn add_all(&mut self, found: impl IntoIterator<Item = Finding>) -> Result<(), Error> {
        found.into_iter().try_for_each(|found| self.add(&found))
    }
}

pub(in crate::cli) async fn doctor(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Doctor,
) -> Result<Ending, Error> {
    let settings = CloudSettings::resolve(args.cloud)?;
    let loaded = match &args.file {
        Some(path) => Some(load::load(terminal, path, values(args.values.set)).await?),
        None => None,
    };
    let workflow = loaded.as_ref().map(|loaded| &loaded.workflow);
    let region = args
        .region
        .or_else(|| workflow.map(|workflow| workflow.region.clone()))
        .or_else(|| environment.get("TENCENTCLOUD_REGION").map(str::to_owned))
        .unwrap_or_else(|| REGION.to_owned());
    let site = parts::connect_briefly(&settings, &region, environment);
    let mut findings = Findings { terminal, failures: 0, warnings: 0, last: Level::Ok };
    findings.add_all(machine::look(terminal, environment))?;
    findings.add_all(state::look(state, environment, &Clock::system()).await)?;
    match site {
        Ok(site) => cloud::look(&site, &region, workflow, &mut findings).await?,
        Err(error) => {
            let mend =
                error.hints.first().cloned().unwrap_or_else(|| "check --region and --endpoint".to_owned());
            findings.add(&Finding::fail("network", error.message, mend))?;
        }
    }
    if terminal.output() == Output::Human {
        terminal.say(&summary(&findings));
    }
    Ok(if findings.failures > 0 { Ending::Unfit } else { Ending::Well })
}

fn summary(findings: &Findings<'_>) -> String {
    let count = |number: usize, thing: &str| match number {
        0 => None,
        1 => Some(format!("1 {thing}")),
        more => Some(format!("{more} {thing}s")),
    };
    let parts: Vec<_> = [count(findings.failures, "failure"), count(findings.warnings, "warning")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() { "all is well".to_owned() } else { parts.join(", ") }
}
