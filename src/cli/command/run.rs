//! `pitstop run`: everything up to the engine, and everything after it.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::held::{self, Way};
use super::journal_error;
use super::prepare::{Desk, Prepared};
use super::resume;
use crate::cli::approval::{self, Question};
use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::live::Live;
use crate::cli::parts::{self, Site};
use crate::cli::past::Past;
use crate::cli::settings::{CloudSettings, journal_path, values};
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::cli::{load, operator};
use crate::journal::{Journal, Order, Place, StoreError};
use crate::report::verdicts;
use crate::run::{Cause, Conclusion, Parts, RunError, SecretError, Secrets, drive};
use crate::workflow::Target;

pub(in crate::cli) async fn run(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Run,
) -> Result<Ending, Error> {
    let settings = CloudSettings::resolve(args.cloud)?;
    let journal_path = journal_path(state, environment)?;
    let mut signals = Signals::install()?;
    let work = async {
        let loaded = load::load(terminal, &args.file, values(args.values.set)).await?;
        let (plan, site) = load::plan(&loaded, &settings, environment).await?;
        Ok((loaded.workflow.target, plan, site))
    };
    let (target, plan, site) = operator::unless_interrupted(&mut signals, work).await?;
    let store = parts::open_store(journal_path).await.map_err(|error| error.hint("nothing was stopped"))?;
    let by = parts::this_process(environment);
    // Instances that an earlier run left half done would make a plan that misleads.
    match held::clear_the_way(terminal, &store, &site, &plan, &by, !args.yes).await? {
        Way::Clear => {}
        Way::Resume(run) => return resume::take_up(terminal, environment, store, &run, site).await,
    }
    let past = Past::read(store.as_ref(), site.place.is_simulated()).await;
    let past = past.map_err(|error| journal_error(&error))?;
    let skip_refused = args.skip_refused;
    let desk = Desk { terminal, environment, site: &site, expected: past.expected(), skip_refused };
    let (plan, secrets) = match desk.prepare(plan, &mut signals).await? {
        Prepared::Ready(ready) => *ready,
        Prepared::Nothing(ending) => return Ok(ending),
    };
    let at_most = if let Target::Match { at_most, .. } = target { at_most } else { None };
    let question = Question { yes: args.yes, at_most, expected: past.expected() };
    let (plan, approval) = approval::approve(terminal, plan, &question, &mut signals).await?;
    // Whoever needed the password may have been left out.
    let secrets = if plan.password.is_some() { secrets } else { Secrets::default() };
    let approved =
        plan.approve(approval).map_err(|_| Error::new(Kind::Bug, "a refused plan was approved"))?;
    secrets.save().map_err(|error| no_secret(&error))?;
    let journal = Journal::begin(store, site.clock.clone(), approved, site.place.clone(), by, rand::random())
        .await
        .map_err(|error| {
            secrets.discard();
            journal_error(&error)
        })?;
    carry_out(terminal, journal, 0, (site, past), (secrets, Order::CarryOn), signals).await
}

/// Drives the run, beginning with this order, shows it, and says how it went.
pub(super) async fn carry_out(
    terminal: &Terminal,
    journal: Journal,
    fresh: u64,
    (site, past): (Site, Past),
    (secrets, order): (Secrets, Order),
    mut signals: Signals,
) -> Result<Ending, Error> {
    let run = journal.run();
    let resumable = site.place != Place::InProcess;
    let mut live =
        Live::new(terminal.clone(), journal.records(), fresh, resumable, (site.clock.clone(), past))
            .map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
    let parts = Parts {
        cloud: Arc::clone(&site.survey),
        probe: site.probe,
        operator: Arc::new(terminal.clone()),
        clock: site.clock,
        pace: site.pace,
    };
    let (orders, ordered) = watch::channel(order);
    let (feed, records) = mpsc::unbounded_channel();
    let drive = tokio::spawn(drive(journal, parts, secrets, ordered, feed));
    let left = live.follow(records, &mut signals, &orders).await;
    if left {
        drive.abort();
    }
    let outcome = drive.await;
    if terminal.output() == Output::Human {
        terminal.feed(&verdicts(live.story(), terminal.stdout_look(), resumable));
    }
    match outcome {
        Ok(Ok(outcome)) => Ok(Ending::Ran(outcome.conclusion())),
        Ok(Err(error)) => Err(broken_off(&error, run)),
        Err(stopped) if stopped.is_cancelled() => Ok(Ending::Ran(Conclusion::Interrupted)),
        Err(panic) => Err(Error::new(Kind::Bug, format!("the engine broke off: {panic}"))
            .hint(format!("the journal is safe; pitstop resume {run}"))),
    }
}

fn broken_off(error: &RunError, run: crate::journal::RunId) -> Error {
    let kind = match (&error.cause, error.down.as_slice()) {
        (Cause::Journal(StoreError::Taken(_)), _) => {
            return Error::from_chain(Kind::Interrupted, error).hint(format!(
                "nothing more was sent by this process; look at the run with: pitstop show {run}"
            ));
        }
        (_, [_, ..]) => Kind::LeftDown,
        (Cause::Import { .. }, []) => Kind::CouldNotBegin,
        (Cause::Journal(_) | Cause::Illegal(_), []) => Kind::Interrupted,
    };
    let hint = match &error.cause {
        Cause::Import { error, .. } => error.hint().to_owned(),
        Cause::Journal(_) | Cause::Illegal(_) => format!("mend that, then: pitstop resume {run}"),
    };
    let shown = Error::from_chain(kind, error).hint(hint);
    match error.down.as_slice() {
        [] => shown,
        down => {
            let ids: Vec<_> = down.iter().map(ToString::to_string).collect();
            shown.hint(format!("left down by this run: {}", ids.join(", ")))
        }
    }
}

pub(super) fn no_secret(error: &SecretError) -> Error {
    Error::from_chain(Kind::CouldNotBegin, error).hint("nothing was stopped")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::{RunId, StoreError};

    #[test]
    fn a_run_that_breaks_off_with_instances_down_needs_a_person() {
        let run = RunId::new(Timestamp::UNIX_EPOCH, [0; 10]);
        let full = |down: &[&str]| {
            let cause = Cause::Journal(StoreError::Write("disk full".to_owned()));
            broken_off(&RunError { cause, down: down.iter().map(|id| (*id).into()).collect() }, run)
        };
        assert_eq!(full(&[]).kind, Kind::Interrupted);
        let down = full(&["ins-1", "ins-2"]);
        assert_eq!(down.kind, Kind::LeftDown);
        assert_eq!(down.message, "the journal can't be written: disk full");
        assert!(down.hints.iter().any(|hint| hint.contains("ins-1, ins-2")), "{:?}", down.hints);
        assert!(down.hints.iter().any(|hint| hint.contains("pitstop resume ")), "{:?}", down.hints);
    }
}
