//! The journal: can it be written, what is unfinished in it, and who holds what.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::cli::command::journal_error;
use crate::cli::environment::Environment;
use crate::cli::exit::Error;
use crate::cli::parts;
use crate::cli::settings::journal_path;
use crate::clock::Clock;
use crate::journal::{Examination, Lease, Place, RunSummary, Sqlite, StoreError};
use crate::report::Finding;

const JOURNAL: &str = "journal";

pub(super) async fn look(state: Option<&str>, environment: &Environment, clock: &Clock) -> Vec<Finding> {
    let path = match journal_path(state, environment) {
        Ok(path) => path,
        Err(error) => return vec![failed(&error)],
    };
    match Sqlite::examine(&path).await {
        Ok(None) => vec![none_yet(&path)],
        Ok(Some(seen)) => {
            let mut findings = vec![journal(&path, &seen)];
            match unfinished(&path, clock).await {
                Ok(runs) => findings.extend(runs_and_leases(&runs)),
                Err(error) => findings.push(failed(&error)),
            }
            findings
        }
        Err(error) => vec![failed(&journal_error(&error))],
    }
}

fn failed(error: &Error) -> Finding {
    const MEND: &str = "name another place with --state sqlite:PATH";
    Finding::fail(JOURNAL, &error.message, error.hints.first().map_or(MEND, String::as_str))
}

fn journal(path: &Path, seen: &Examination) -> Finding {
    let place = path.display();
    let found = format!("{place}, schema {}, {}", seen.schema, size(seen.bytes));
    let mend =
        "see to it that there is room and that it can be written, or name another with --state sqlite:PATH";
    match &seen.writable {
        _ if seen.schema > seen.newest => {
            let found = format!("{found}: written by a newer pitstop, this one can only read it");
            Finding::fail(JOURNAL, found, "use that newer version")
        }
        Err(why) => Finding::fail(JOURNAL, format!("{found}: it can't be written: {why}"), mend),
        Ok(()) if seen.schema < seen.newest => {
            Finding::ok(JOURNAL, format!("{found}; the next run brings it to schema {}", seen.newest))
        }
        Ok(()) => Finding::ok(JOURNAL, found),
    }
}

/// There is no file yet: could it be made?
fn none_yet(path: &Path) -> Finding {
    let folder = path.ancestors().skip(1).find(|folder| folder.as_os_str().is_empty() || folder.exists());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let probe = folder.join(format!(".pitstop-{:016x}", rand::random::<u64>()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe);
    match made.and_then(|_| std::fs::remove_file(&probe)) {
        Ok(()) => Finding::ok(JOURNAL, format!("none yet; the first run makes {}", path.display())),
        Err(error) => Finding::fail(
            JOURNAL,
            format!("none yet, and {} can't be made: {error}", path.display()),
            format!(
                "see to it that {} can be written, or name another place with --state sqlite:PATH",
                folder.display()
            ),
        ),
    }
}

/// An unfinished run, and who holds it now.
type Unfinished = (RunSummary, Option<Lease>);

async fn unfinished(path: &Path, clock: &Clock) -> Result<Vec<Unfinished>, Error> {
    let failed = |error: StoreError| journal_error(&error);
    let store = parts::open_store_to_read(path).await?;
    let mut runs = Vec::new();
    for run in store.runs().await.map_err(failed)?.into_iter().filter(|run| run.ended.is_none()) {
        let holder = store.holder(run.id, clock.wall()).await.map_err(failed)?;
        runs.push((run, holder));
    }
    Ok(runs)
}

fn runs_and_leases(runs: &[Unfinished]) -> Vec<Finding> {
    const RUNS: &str = "runs";
    const LEASES: &str = "leases";
    let mut findings = Vec::new();
    for (run, holder) in runs {
        let began = run.began.strftime("%Y-%m-%d %H:%M UTC");
        let found = format!("{} ({}, {}) is unfinished since {began}", run.id, run.workflow, run.region);
        findings.push(match (holder, &run.place) {
            (Some(_), _) => Finding::ok(RUNS, format!("{found}, and is being carried out")),
            (None, Place::InProcess) => Finding::ok(
                RUNS,
                format!("{found}; its simulated cloud is gone, and with it all that was left to do"),
            ),
            (None, Place::Tencent | Place::TencentAt(_) | Place::Endpoint(_)) => Finding::warn(
                RUNS,
                format!("{found}, and nobody carries it out"),
                format!("pitstop resume {}", run.id),
            ),
        });
    }
    if runs.is_empty() {
        findings.push(Finding::ok(RUNS, "none is unfinished"));
    }
    let held: Vec<_> = runs.iter().filter_map(|(run, holder)| Some((run.id, holder.as_ref()?))).collect();
    for (run, lease) in &held {
        let until = lease.until.strftime("%H:%M:%S UTC");
        findings.push(Finding::ok(LEASES, format!("{run} is held by {}, at least until {until}", lease.by)));
    }
    if held.is_empty() {
        findings.push(Finding::ok(LEASES, "none is held"));
    }
    findings
}

/// A file's size as people say it.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    if bytes < MIB { format!("{} KiB", bytes.div_ceil(KIB)) } else { format!("{} MiB", bytes.div_ceil(MIB)) }
}
