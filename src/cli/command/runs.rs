//! `pitstop runs` and `pitstop show`: what the journal knows.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::journal_error;
use crate::cli::args::{self, Output};
use crate::cli::deliver::deliver;
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::parts;
use crate::cli::settings::journal_path;
use crate::cli::terminal::Terminal;
use crate::clock::Clock;
use crate::journal::{Place, Record, RunSummary, Store};
use crate::report::{
    Rows, StoryError, Viewpoint, html, json, junit, markdown, runs_table, show as report_show,
};

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
        Output::Human if runs.is_empty() => {
            terminal.say(terminal.language().pick("the journal knows no run yet", "还没有执行记录"));
        }
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
    let documents = documents(args);
    if !documents.is_empty() {
        let view = viewpoint(store.as_ref(), run).await?;
        return write_documents(terminal, &records, &view, documents);
    }
    match terminal.output() {
        Output::Json => {
            for record in &records {
                terminal.data(&json::record(record))?;
            }
        }
        Output::Human => {
            let look = terminal.stdout_look();
            let rows = if terminal.is_verbose() { Rows::All } else { Rows::Brief };
            let text = report_show(&records, rows, look, &TimeZone::system(), run.place != Place::InProcess)
                .map_err(|error| unreadable(&error))?;
            terminal.data(&text)?;
        }
    }
    Ok(Ending::Well)
}

/// Makes a document of a run.
type Write = fn(&[Record], Viewpoint) -> Result<String, StoryError>;

/// The documents that are asked for, by their options' names, and where each goes.
fn documents(args: args::Show) -> Vec<(&'static str, Write, PathBuf)> {
    let all: [(_, Write, _); 3] = [
        ("--html", html, args.html),
        ("--markdown", markdown, args.markdown),
        ("--junit", junit, args.junit),
    ];
    all.into_iter().filter_map(|(name, write, to)| Some((name, write, to?))).collect()
}

/// From where the run is looked at. The clock of a simulated cloud may not be ours, so its runs are told up to their
/// last record.
async fn viewpoint(store: &dyn Store, run: RunSummary) -> Result<Viewpoint, Error> {
    let now = Clock::system().now();
    let held = store.holder(run.id, now).await.map_err(|error| journal_error(&error))?.is_some();
    let live = held && run.ended.is_none() && !run.place.is_simulated();
    Ok(Viewpoint { zone: TimeZone::system(), place: run.place, now: live.then_some(now) })
}

fn write_documents(
    terminal: &Terminal,
    records: &[Record],
    view: &Viewpoint,
    documents: Vec<(&'static str, Write, PathBuf)>,
) -> Result<Ending, Error> {
    let to_stdout: Vec<_> =
        documents.iter().filter(|(.., to)| is_stdout(to)).map(|(name, ..)| *name).collect();
    if let [_, _, ..] = to_stdout[..] {
        let message = format!("{} can't all be written to stdout", to_stdout.join(" and "));
        return Err(Error::new(Kind::Usage, message).hint("give all but one of them a FILE"));
    }
    if to_stdout == ["--html"] && terminal.screen().stdout {
        return Err(Error::new(Kind::Usage, "a page is not written to a terminal")
            .hint("name a file: --html run.html, or pipe it on"));
    }
    for (_, write, to) in documents {
        let text = write(records, view.clone()).map_err(|error| unreadable(&error))?;
        if is_stdout(&to) {
            terminal.data(&text)?;
        } else {
            deliver(&to, &text)?;
            terminal.say(&format!("written to {}, {} KB", to.display(), text.len().div_ceil(1000)));
        }
    }
    Ok(Ending::Well)
}

fn is_stdout(to: &Path) -> bool {
    to.as_os_str() == "-"
}

fn unreadable(error: &StoryError) -> Error {
    Error::from_chain(Kind::CouldNotBegin, error)
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
