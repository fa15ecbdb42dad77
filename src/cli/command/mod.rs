//! One file per group of commands.

pub(super) mod check;
pub(super) mod completions;
pub(super) mod doctor;
pub(super) mod explain;
mod held;
pub(super) mod init;
pub(super) mod man;
pub(super) mod plan;
pub(super) mod policy;
mod prepare;
mod rest;
pub(super) mod resume;
pub(super) mod run;
pub(super) mod runs;
pub(super) mod schema;
pub(super) mod sim;

use crate::cli::exit::{Error, Kind};
use crate::journal::StoreError;

/// What the journal's error means for a person who wants to begin something, or to look at it.
pub(super) fn journal_error(error: &StoreError) -> Error {
    let shown = Error::from_chain(Kind::CouldNotBegin, error);
    match journal_hint(error) {
        Some(hint) => shown.hint(hint),
        None => shown,
    }
}

/// What to do about it.
fn journal_hint(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Held { run, .. } => Some(format!("finish it first: pitstop resume {run}")),
        StoreError::NoRun(_) => Some("pitstop runs lists those that there are".to_owned()),
        StoreError::Taken(run) | StoreError::Busy { run, .. } | StoreError::Ended(run) => {
            Some(format!("look at it with: pitstop show {run}"))
        }
        StoreError::Newer(_) => Some("use that newer version of pitstop".to_owned()),
        StoreError::Damaged(_) => Some(
            "move that file away and put a copy from before in its place, or begin a new journal with --state \
             sqlite:PATH; instances that an unfinished run had stopped must then be looked after by hand"
                .to_owned(),
        ),
        StoreError::Open { .. } | StoreError::Write(_) => {
            Some("see to it that there is room and that it can be written; or name another place with --state sqlite:PATH".to_owned())
        }
        StoreError::Read(_) => None,
    }
}
