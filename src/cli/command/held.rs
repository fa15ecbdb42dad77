//! Instances of a new run that an earlier, unfinished one still holds: who holds them, and what can be done about it.

use std::sync::Arc;

use super::journal_error;
use crate::cli::exit::{Error, Kind};
use crate::cli::operator;
use crate::cli::parts::Site;
use crate::cli::terminal::Terminal;
use crate::journal::{Event, Journal, Record, RunId, RunSummary, Store, StoreError, nothing_was_sent};
use crate::plan::Plan;
use crate::report::Language;

/// Whether a new run can begin.
#[derive(Debug)]
pub(super) enum Way {
    /// Nothing is in its way.
    Clear,
    /// The person wants this one carried on instead.
    Resume(RunSummary),
}

/// Finds out whether an unfinished run holds an instance of the plan. One that lives is an error. One that nobody
/// carries out any more is closed if it never sent anything; otherwise the person is asked whether to carry it on, if
/// `ask` and there is one.
pub(super) async fn clear_the_way(
    terminal: &Terminal,
    store: &Arc<dyn Store>,
    site: &Site,
    plan: &Plan,
    by: &str,
    ask: bool,
) -> Result<Way, Error> {
    let failed = |error| journal_error(&error);
    let Some(scope) = site.place.scope(&plan.region) else { return Ok(Way::Clear) };
    let instances: Vec<_> = plan.instances.iter().map(|own| own.id.clone()).collect();
    while let Some((instance, holder)) = store.held(&scope, &instances).await.map_err(failed)? {
        let run = summary(store.as_ref(), holder).await?;
        let held = StoreError::Held { instance, run: run.id, since: run.began };
        if let Some(lease) = store.holder(run.id, site.clock.wall()).await.map_err(failed)? {
            return Err(Error::from_chain(Kind::CouldNotBegin, &held)
                .hint(format!("{} is carrying it out; look at it with: pitstop show {}", lease.by, run.id)));
        }
        let records = store.load(run.id).await.map_err(failed)?;
        if nothing_was_sent(&records) {
            close(terminal, store, site, &run, by).await?;
            continue;
        }
        let gone = format!("{} no longer carries it out", last_holder(&records));
        if ask && terminal.screen().interactive {
            terminal.say(&match terminal.language() {
                Language::English => format!("{held}; {gone}"),
                Language::Chinese => format!(
                    "未结束的执行 {} 仍持有计划中的实例；{} 已不再执行它",
                    run.id,
                    last_holder(&records)
                ),
            });
            if operator::confirm(terminal.language().pick(
                "Carry that run on instead of beginning a new one?",
                "要继续那次执行，而不是开始新的执行吗？",
            ))
            .await?
            {
                return Ok(Way::Resume(run));
            }
        }
        return Err(Error::from_chain(Kind::CouldNotBegin, &held)
            .hint(format!("{gone}; take it up with: pitstop resume {}", run.id)));
    }
    Ok(Way::Clear)
}

async fn summary(store: &dyn Store, run: RunId) -> Result<RunSummary, Error> {
    let runs = store.runs().await.map_err(|error| journal_error(&error))?;
    let found = runs.into_iter().find(|summary| summary.id == run);
    found.ok_or_else(|| journal_error(&StoreError::NoRun(run)))
}

/// The run ended before its first call: there is nothing to carry on, and nothing to bring back.
async fn close(
    terminal: &Terminal,
    store: &Arc<dyn Store>,
    site: &Site,
    run: &RunSummary,
    by: &str,
) -> Result<(), Error> {
    let journal = Journal::reopen(Arc::clone(store), site.clock.clone(), run, by.to_owned()).await;
    let mut journal = journal.map_err(|error| journal_error(&error))?;
    journal.abandon().await.map_err(|error| journal_error(&error))?;
    terminal.say(&format!("closed the unfinished run {}: it held instances, and had sent nothing", run.id));
    Ok(())
}

fn last_holder(records: &[Record]) -> &str {
    let holder = |record: &Record| matches!(record.event, Event::RunTaken { .. });
    match records.iter().rfind(|record| holder(record)).map(|record| &record.event) {
        Some(Event::RunTaken { by }) => by,
        _ => "its process",
    }
}
