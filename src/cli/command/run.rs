//! `pitstop run` and `pitstop resume`: everything up to the engine, and everything after it.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::live::Live;
use crate::cli::parts::{self, Site};
use crate::cli::settings::{CloudSettings, journal_path, values};
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::cli::{load, operator};
use crate::journal::{Journal, Order, Place, RunSummary, Store, StoreError};
use crate::plan::{Plan, check_password};
use crate::report::verdicts;
use crate::run::{Cause, Conclusion, Parts, RunError, SecretError, Secrets, drive};

pub(in crate::cli) async fn run(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Run,
) -> Result<Ending, Error> {
    let settings = CloudSettings::resolve(args.cloud)?;
    let journal_path = journal_path(state, environment)?;
    let loaded = load::load(terminal, &args.file, values(args.values.set)).await?;
    let (plan, site) = load::plan(&loaded, &settings, environment).await?;
    show_plan(terminal, &plan);
    let Some(plan) = runnable(terminal, plan, args.skip_refused) else { return Ok(Ending::Refused) };
    if plan.is_unchanged() {
        terminal.say("there is nothing to do");
        return Ok(Ending::Well);
    }
    let store = parts::open_store(journal_path).await?;
    let secrets = Secrets::gather(&plan, environment.variables(), terminal, &site.clock).await;
    let secrets = secrets.map_err(|error| no_secret(&error))?;
    let Some(plan) = accepted(terminal, plan, &secrets, args.skip_refused) else {
        return Ok(Ending::Refused);
    };
    let mut signals = Signals::install()?;
    let approval = operator::approve(terminal, &plan, args.yes, &mut signals).await?;
    let approved =
        plan.approve(approval).map_err(|_| Error::new(Kind::Bug, "a refused plan was approved"))?;
    secrets.save().map_err(|error| no_secret(&error))?;
    let by = parts::this_process(environment);
    let journal = Journal::begin(store, site.clock.clone(), approved, site.place.clone(), by, rand::random())
        .await
        .map_err(|error| {
            secrets.discard();
            journal_error(&error)
        })?;
    carry_out(terminal, journal, 0, site, secrets, signals).await
}

/// A reader that is gone keeps no approved run from being made, and no exit code from being told.
fn show_plan(terminal: &Terminal, plan: &Plan) {
    terminal.feed(&super::plan::text(terminal, plan));
}

/// The plan without what is refused, if it may be left out; `None` if nothing can be run.
fn runnable(terminal: &Terminal, plan: Plan, skip_refused: bool) -> Option<Plan> {
    if !plan.is_refused() {
        return Some(plan);
    }
    if !skip_refused {
        terminal.say("the plan is refused; nothing was stopped");
        terminal.say("hint: leave the refused instances out with --skip-refused");
        return None;
    }
    let (kept, refused) = plan.without_refused();
    let names: Vec<_> = refused.iter().map(crate::report::full_name).collect();
    terminal.say(&format!("left out: {}", names.join(", ")));
    Some(kept)
}

/// The plan after the new password was held against the vendor's rule.
fn accepted(terminal: &Terminal, mut plan: Plan, secrets: &Secrets, skip_refused: bool) -> Option<Plan> {
    let Some(password) = secrets.password() else { return Some(plan) };
    check_password(&mut plan, password);
    if plan.is_refused() {
        show_plan(terminal, &plan);
    }
    runnable(terminal, plan, skip_refused)
}

pub(in crate::cli) async fn resume(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Resume,
) -> Result<Ending, Error> {
    let store = parts::open_store(journal_path(state, environment)?).await?;
    let run = unfinished(store.as_ref(), args.run.as_deref()).await?;
    let settings = where_it_ran(&run, args.cloud)?;
    let site = parts::connect(&settings, &run.region, environment)?;
    let records = store.load(run.id).await.map_err(|error| journal_error(&error))?;
    let told = crate::report::Story::replay(&records)
        .map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
    let secrets = Secrets::recall(told.plan(), environment.variables(), terminal, &site.clock).await;
    let secrets = secrets.map_err(|error| no_secret(&error))?;
    let signals = Signals::install()?;
    let by = parts::this_process(environment);
    let journal =
        Journal::reopen(store, site.clock.clone(), &run, by).await.map_err(|error| journal_error(&error))?;
    let fresh = journal.records().last().map_or(0, |record| record.seq);
    carry_out(terminal, journal, fresh, site, secrets, signals).await
}

/// The run that is meant: the named one, or the only one that is unfinished.
async fn unfinished(store: &dyn Store, named: Option<&str>) -> Result<RunSummary, Error> {
    let Some(named) = named else { return only_unfinished(store).await };
    let run = super::runs::find(store, named).await?;
    if run.ended.is_some() {
        let message = format!("the run {} has ended; there is nothing to resume", run.id);
        return Err(Error::new(Kind::CouldNotBegin, message).hint(format!("pitstop show {}", run.id)));
    }
    Ok(run)
}

async fn only_unfinished(store: &dyn Store) -> Result<RunSummary, Error> {
    let runs = store.runs().await.map_err(|error| journal_error(&error))?;
    let mut open: Vec<_> = runs.into_iter().filter(is_resumable).collect();
    match (open.pop(), open.len()) {
        (Some(run), 0) => Ok(run),
        (None, _) => Err(Error::new(Kind::CouldNotBegin, "no run is unfinished; there is nothing to resume")),
        (Some(last), _) => {
            open.push(last);
            let ids: Vec<_> = open.iter().map(|run| format!("{} ({})", run.id, run.workflow)).collect();
            let message = format!("{} runs are unfinished: {}", open.len(), ids.join(", "));
            Err(Error::new(Kind::Usage, message).hint("name one: pitstop resume RUN"))
        }
    }
}

fn is_resumable(run: &RunSummary) -> bool {
    run.ended.is_none() && run.place != Place::InProcess
}

/// A run is resumed where it ran, whatever the options say of other clouds.
fn where_it_ran(run: &RunSummary, mut args: args::Cloud) -> Result<CloudSettings, Error> {
    match &run.place {
        Place::InProcess => Err(Error::new(
            Kind::CouldNotBegin,
            format!(
                "the run {} was on a simulated cloud that ended with its process; it can't be resumed",
                run.id
            ),
        )),
        Place::Endpoint(url) => {
            args.name = args::CloudName::Tencent;
            args.endpoint = Some(url.clone());
            CloudSettings::resolve(args)
        }
        Place::Tencent => {
            let settings = CloudSettings::resolve(args)?;
            match settings {
                CloudSettings::Tencent { simulator: None, .. } => Ok(settings),
                CloudSettings::Tencent { .. } | CloudSettings::Sim(_) => Err(Error::new(
                    Kind::Usage,
                    format!(
                        "the run {} is on the real cloud, and can't be resumed on a simulated one",
                        run.id
                    ),
                )
                .hint("leave --cloud and --endpoint out")),
            }
        }
    }
}

/// Drives the run, shows it, and says how it went.
async fn carry_out(
    terminal: &Terminal,
    journal: Journal,
    fresh: u64,
    site: Site,
    secrets: Secrets,
    mut signals: Signals,
) -> Result<Ending, Error> {
    let run = journal.run();
    let mut live = Live::new(terminal.clone(), journal.records(), fresh, site.clock.clone())
        .map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
    let resumable = site.place != Place::InProcess;
    let parts =
        Parts { cloud: Arc::clone(&site.survey), probe: site.probe, clock: site.clock, pace: site.pace };
    let (orders, ordered) = watch::channel(Order::CarryOn);
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

fn no_secret(error: &SecretError) -> Error {
    Error::from_chain(Kind::CouldNotBegin, error).hint("nothing was stopped")
}

pub(super) fn journal_error(error: &StoreError) -> Error {
    let shown = Error::from_chain(Kind::CouldNotBegin, error);
    match error {
        StoreError::Held { run, .. } => shown.hint(format!("finish it first: pitstop resume {run}")),
        StoreError::NoRun(_) => shown.hint("pitstop runs lists those that there are"),
        StoreError::Taken(run) => shown.hint(format!("watch it with: pitstop show {run}")),
        StoreError::Open { .. } | StoreError::Write(_) | StoreError::Read(_) | StoreError::Damaged(_) => {
            shown
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::{Memory, RunId};

    /// A store with an unfinished run at each of these places.
    async fn store(places: &[Place]) -> Memory {
        let store = Memory::default();
        for (second, place) in (0..).zip(places) {
            let began = Timestamp::from_second(1_763_900_000 + second).unwrap();
            let run = RunSummary {
                id: RunId::new(began, [0; 10]),
                workflow: "resize".to_owned(),
                region: "ap-guangzhou".to_owned(),
                began,
                ended: None,
                place: place.clone(),
            };
            store.begin(&run, &[], &[]).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn resume_takes_the_only_unfinished_run_and_guesses_nothing() {
        let none = only_unfinished(&store(&[Place::InProcess]).await).await.unwrap_err();
        assert_eq!(none.kind, Kind::CouldNotBegin, "a cloud that is gone can't be gone back to");
        let one = only_unfinished(&store(&[Place::Tencent, Place::InProcess]).await).await.unwrap();
        assert_eq!(one.place, Place::Tencent);
        let several = only_unfinished(&store(&[Place::Tencent, Place::Tencent]).await).await.unwrap_err();
        assert_eq!(several.kind, Kind::Usage);
        assert!(several.message.starts_with("2 runs are unfinished: "), "{several}");
    }

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
