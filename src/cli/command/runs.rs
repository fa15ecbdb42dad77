//! `pitstop runs` and `pitstop show`: what the journal knows.

use jiff::tz::TimeZone;

use super::journal_error;
use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::parts;
use crate::cli::settings::journal_path;
use crate::cli::terminal::Terminal;
use crate::journal::{Place, RunSummary, Store};
use crate::report::{json, runs_table, show as report_show};

pub(in crate::cli) async fn runs(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
) -> Result<Ending, Error> {
    let store = parts::open_store_to_read(&journal_path(state, environment)?).await?;
    let runs = store.runs().await.map_err(|error| journal_error(&error))?;
    match terminal.output() {
        Output::Json => {
            for run in &runs {
                terminal.data(&json::line(run))?;
            }
        }
        Output::Human if runs.is_empty() => terminal.say("the journal knows no run yet"),
        Output::Human => terminal.data(&runs_table(&runs, terminal.stdout_look(), &TimeZone::system()))?,
    }
    Ok(Ending::Well)
}

pub(in crate::cli) async fn show(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Show,
) -> Result<Ending, Error> {
    let store = parts::open_store_to_read(&journal_path(state, environment)?).await?;
    let run = find(store.as_ref(), &args.run).await?;
    let records = store.load(run.id).await.map_err(|error| journal_error(&error))?;
    match terminal.output() {
        Output::Json => {
            for record in &records {
                terminal.data(&json::record(record))?;
            }
        }
        Output::Human => {
            let look = terminal.stdout_look();
            let text = report_show(&records, look, &TimeZone::system(), run.place != Place::InProcess)
                .map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
            terminal.data(&text)?;
        }
    }
    Ok(Ending::Well)
}

/// The run whose id begins like this.
pub(super) async fn find(store: &dyn Store, beginning: &str) -> Result<RunSummary, Error> {
    let runs = store.runs().await.map_err(|error| journal_error(&error))?;
    let wanted = beginning.to_ascii_lowercase();
    let mut found: Vec<_> = runs.into_iter().filter(|run| run.id.to_string().starts_with(&wanted)).collect();
    match (found.pop(), found.len()) {
        (Some(run), 0) => Ok(run),
        (None, _) => Err(Error::new(Kind::Usage, format!("there is no run {beginning}"))
            .hint("`pitstop runs` lists those that there are")),
        (Some(_), more) => Err(Error::new(Kind::Usage, format!("{} runs begin with {beginning}", more + 1))
            .hint("give more of the id; `pitstop runs` lists them")),
    }
}
