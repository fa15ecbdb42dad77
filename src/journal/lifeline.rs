//! Tells at once whether a process on this machine still lives: it keeps a lock on a file beside the journal, which the
//! kernel lets go when the process ends, however it ends.
//!
//! A SQLite file in write-ahead mode is only ever used from one machine, so that this answers for every holder. The
//! lease is for what a lock does not show: a process that hangs. Alternative not taken: looking the process's number
//! up, which is wrong between containers, and for numbers that are used again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::event::RunId;

/// Held as long as the process lives and has the run.
#[derive(Debug)]
pub(super) struct Lifeline {
    path: PathBuf,
    _locked: File,
}

/// The file for the process that took this run as the `epoch`th.
fn path(journal: &Path, run: RunId, epoch: i64) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(format!("-{run}-{epoch}.lock"));
    PathBuf::from(name)
}

impl Lifeline {
    pub(super) fn hold(journal: &Path, run: RunId, epoch: i64) -> io::Result<Self> {
        let path = path(journal, run, epoch);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.try_lock()?;
        Ok(Self { path, _locked: file })
    }

    /// That process has let go without saying so: it is dead. `false` also where that can't be known.
    pub(super) fn is_cut(journal: &Path, run: RunId, epoch: i64) -> bool {
        let Ok(file) = OpenOptions::new().append(true).open(path(journal, run, epoch)) else { return false };
        // Shared, so that several who ask at a time don't take each other for the holder.
        match file.try_lock_shared() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        }
    }

    /// Takes away what a dead process left.
    pub(super) fn clear(journal: &Path, run: RunId, epoch: i64) {
        remove(&path(journal, run, epoch));
    }

    /// Lets go for good.
    pub(super) fn let_go(self) {
        remove(&self.path);
    }
}

/// A file that stays is never looked at again: its epoch is over.
fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "can't remove a file that is of no more use");
    }
}
