//! `pitstop resume`: which run is meant, whether it is free, and on with it.

use std::sync::Arc;
use std::time::Duration;

use super::journal_error;
use super::rest;
use super::run::carry_out;
use crate::cli::args;
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::parts::{self, Site};
use crate::cli::past::Past;
use crate::cli::settings::{CloudSettings, Which, journal_path};
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::clock::{Clock, between};
use crate::journal::{Journal, Place, RunId, RunSummary, Store, StoreError};
use crate::report::{Language, Story};

/// How often a run that is held is looked at.
const LOOK: Duration = Duration::from_secs(1);

pub(in crate::cli) async fn resume(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Resume,
) -> Result<Ending, Error> {
    let store = parts::open_store(journal_path(state, environment)?).await?;
    let run = unfinished(store.as_ref(), args.run.as_deref()).await?;
    let settings = where_it_ran(&run, args.cloud)?;
    let told = told(store.as_ref(), &run).await?;
    let site = parts::connect(&settings, &run.region, environment)
        .map_err(|error| rest::still_down(&told, error))?;
    take_up(terminal, environment, store, &run, site).await
}

/// Carries an unfinished run on.
pub(super) async fn take_up(
    terminal: &Terminal,
    environment: &Environment,
    store: Arc<dyn Store>,
    run: &RunSummary,
    site: Site,
) -> Result<Ending, Error> {
    outwait_holder(terminal, store.as_ref(), run.id, &site.clock).await?;
    let told = told(store.as_ref(), run).await?;
    rest::check_account(&told, &site).await?;
    let mut signals = Signals::install()?;
    let secrets = rest::recall(terminal, environment, &told, &site, &mut signals).await;
    let by = parts::this_process(environment);
    // Bringing instances back does not wait for what is only good to know.
    let past = Past::read(store.as_ref(), run.place.is_simulated()).await.unwrap_or_default();
    let journal = Journal::reopen(store, site.clock.clone(), run, by)
        .await
        .map_err(|error| rest::still_down(&told, journal_error(&error)))?;
    let fresh = journal.records().last().map_or(0, |record| record.seq);
    carry_out(terminal, journal, fresh, (site, past), secrets, signals).await
}

/// What the journal says of the run.
async fn told(store: &dyn Store, run: &RunSummary) -> Result<Story, Error> {
    let records = store.load(run.id).await.map_err(|error| journal_error(&error))?;
    Story::replay(&records).map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))
}

/// Waits until whoever holds the run is known to be dead or alive: a process that lives renews its lease.
async fn outwait_holder(
    terminal: &Terminal,
    store: &dyn Store,
    run: RunId,
    clock: &Clock,
) -> Result<(), Error> {
    let look = async || store.holder(run, clock.wall()).await.map_err(|error| journal_error(&error));
    let Some(first) = look().await? else { return Ok(()) };
    let left = between(clock.wall(), first.until).as_secs() + 1;
    terminal.say(&match terminal.language() {
        Language::English => format!(
            "the run {run} is held by {}; waiting at most {left} s to see whether that still lives",
            first.by
        ),
        Language::Chinese => {
            format!("执行 {run} 由 {} 持有；最多等待 {left} 秒，确认它是否仍在运行", first.by)
        }
    });
    loop {
        clock.sleep(LOOK).await;
        match look().await? {
            None => return Ok(()),
            Some(lease) if lease == first => {}
            Some(lease) => return Err(journal_error(&StoreError::Busy { run, lease })),
        }
    }
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
        Place::Endpoint(url) | Place::TencentAt(url) => {
            args.name = args::CloudName::Tencent;
            args.endpoint = Some(url.clone());
            CloudSettings::resolve(args)
        }
        Place::Tencent => {
            let settings = CloudSettings::resolve(args)?;
            match settings.which {
                Which::Tencent { simulator: None, .. } => Ok(settings),
                Which::Tencent { .. } | Which::Sim(_) => Err(Error::new(
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::{Lease, Memory};

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
            store.begin(&run, &[], &[], &Lease::new("a process", began)).await.unwrap();
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
    fn a_run_is_resumed_where_it_ran() {
        use clap::Parser as _;
        let resumed = |place: Place, given: &[&str]| {
            let line = ["pitstop", "resume"].iter().chain(given);
            let args::Command::Resume(args) = args::Arguments::parse_from(line).command else { panic!() };
            let run = RunSummary {
                id: RunId::new(Timestamp::UNIX_EPOCH, [0; 10]),
                workflow: "resize".to_owned(),
                region: "ap-guangzhou".to_owned(),
                began: Timestamp::UNIX_EPOCH,
                ended: None,
                place,
            };
            match where_it_ran(&run, args.cloud).map(|settings| settings.which) {
                Ok(Which::Tencent { endpoint, simulator, .. }) => {
                    Ok((endpoint.named().map(str::to_owned), simulator.is_some()))
                }
                Ok(Which::Sim(_)) => panic!("never in this process"),
                Err(error) => Err(error.kind),
            }
        };
        let own = "internal.tencentcloudapi.com".to_owned();
        let at = Some(own.clone());
        assert_eq!(resumed(Place::Tencent, &[]), Ok((None, false)));
        assert_eq!(resumed(Place::TencentAt(own.clone()), &[]), Ok((at.clone(), false)));
        let elsewhere = ["--endpoint", "HTTP://127.0.0.1:1"];
        assert_eq!(resumed(Place::TencentAt(own), &elsewhere), Ok((at, false)));
        assert_eq!(resumed(Place::Tencent, &elsewhere), Err(Kind::Usage));
        let simulator = "http://127.0.0.1:1".to_owned();
        assert_eq!(resumed(Place::Endpoint(simulator.clone()), &[]), Ok((Some(simulator), true)));
    }
}
