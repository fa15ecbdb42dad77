//! The journal's file as the program meets it: from earlier versions, damaged, on a full disk.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pitstop::journal::{Sqlite, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::sealed::{Done, Sealed, Simulator, finish, read_until};

const RESIZE: &str = "workflows/resize.yaml";

/// The file as another program sees it.
pub(crate) async fn raw(path: &Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap()
}

/// Journals written by every version of the program, each with a run that has ended and one that was killed when its
/// first instance had stopped.
fn kept() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals");
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// Puts a kept journal in this home folder, as if its runs had been on this simulator.
async fn put(journal: &Path, sealed: &Sealed, url: &str) {
    std::fs::create_dir_all(sealed.journal().parent().unwrap()).unwrap();
    std::fs::copy(journal, sealed.journal()).unwrap();
    let pool = raw(&sealed.journal()).await;
    let place = sqlx::query("UPDATE runs SET place = $1").bind(format!("{{\"endpoint\":\"{url}\"}}"));
    place.execute(&pool).await.unwrap();
    let scope = sqlx::query("UPDATE holds SET scope = $1").bind(format!("{url}/ap-guangzhou"));
    scope.execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn journals_of_all_versions_are_listed_shown_and_carried_on() {
    assert!(!kept().is_empty());
    for journal in kept() {
        let sealed = Sealed::new();
        let stopped = sealed.home().join("fleet.yaml");
        let demo = include_str!("../../src/sim/demo.yaml");
        std::fs::write(&stopped, demo.replacen("name: web-1\n", "name: web-1\n    state: STOPPED\n", 1))
            .unwrap();
        let simulator = sealed.simulator(&["--speed", "50", "--fleet", stopped.to_str().unwrap()]);
        put(&journal, &sealed, &simulator.url).await;

        let runs = sealed.pitstop(&["runs", "--output", "json"]);
        assert_eq!(runs.code, 0, "{}", runs.stderr);
        let ids: Vec<String> = runs
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|run| run["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), 2, "{}", runs.stdout);
        for id in &ids {
            let shown = sealed.pitstop(&["show", id]);
            assert_eq!(shown.code, 0, "{}", shown.stderr);
            assert!(shown.stdout.contains("web-1: stop done"), "{}", shown.stdout);
        }
        let resumed = sealed.pitstop(&["resume", "--sim-speed", "50"]);
        assert_eq!(resumed.code, 0, "{}: {}{}", journal.display(), resumed.stdout, resumed.stderr);
        assert!(resumed.stdout.contains("2 done of 2 instances"), "{}", resumed.stdout);
        let store = Sqlite::open(&sealed.journal()).await.unwrap();
        assert!(store.runs().await.unwrap().iter().all(|run| run.ended.is_some()));
    }
}

#[test]
fn looking_at_runs_makes_no_journal() {
    let sealed = Sealed::new();
    assert_eq!(sealed.pitstop(&["runs"]).code, 0);
    assert_eq!(sealed.pitstop(&["show", "01"]).code, 2);
    assert!(!sealed.journal().exists());
}

#[tokio::test]
async fn a_damaged_journal_is_5_and_nothing_is_stopped() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "50"]);
    std::fs::create_dir_all(sealed.journal().parent().unwrap()).unwrap();
    std::fs::write(sealed.journal(), "these bytes are no journal".repeat(400)).unwrap();
    let args = ["run", RESIZE, "--yes", "--endpoint", &simulator.url, "--sim-speed", "50"];
    for args in [&args[..], &["resume"], &["runs"], &["show", "01"]] {
        let done = sealed.pitstop(args);
        assert_eq!(done.code, 5, "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains("journal is damaged"), "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains("journal.db"), "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains("hint: move that file away"), "{args:?}: {}", done.stderr);
        assert!(!done.stderr.contains("stopping"), "{args:?}: {}", done.stderr);
    }
}

#[tokio::test]
async fn a_journal_of_a_newer_version_can_be_looked_at_and_not_used() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "50"]);
    put(&kept()[0], &sealed, &simulator.url).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'newer', 1, x'00', 0)";
    let pool = raw(&sealed.journal()).await;
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;
    let runs = sealed.pitstop(&["runs", "--output", "json"]);
    assert_eq!((runs.code, runs.stdout.lines().count()), (0, 2), "{}", runs.stderr);
    for args in [&["resume"][..], &["run", RESIZE, "--yes", "--endpoint", &simulator.url]] {
        let done = sealed.pitstop(args);
        assert_eq!(done.code, 5, "{}", done.stderr);
        assert!(done.stderr.contains("was written by a newer pitstop"), "{}", done.stderr);
    }
}

/// The size in bytes of the larger of the journal's files.
fn taken(journal: &Path) -> u64 {
    let log = journal.with_extension("db-wal");
    [journal, &log].iter().map(|path| std::fs::metadata(path).map_or(0, |file| file.len())).max().unwrap()
}

/// A home whose journal has one run already, and a simulator.
struct Crowded {
    sealed: Sealed,
    simulator: Simulator,
}

impl Crowded {
    fn new() -> Self {
        let sealed = Sealed::new();
        let simulator = sealed.simulator(&["--speed", "50"]);
        let crowded = Self { sealed, simulator };
        let first = crowded.sealed.pitstop(&crowded.run("type=S5.LARGE8"));
        assert_eq!(first.code, 0, "{}", first.stderr);
        crowded
    }

    fn run<'a>(&'a self, to: &'a str) -> [&'a str; 9] {
        let url = &self.simulator.url;
        ["run", RESIZE, "--set", to, "--yes", "--endpoint", url, "--sim-speed", "50"]
    }

    /// A run for which the disk has only so much room beyond what the journal takes. Files that may not grow answer
    /// every write with an error, as a full disk does.
    fn limited(&self, room: u64) -> Child {
        let kib = room + taken(&self.sealed.journal()) / 1024;
        let script = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"", kib * 2);
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_pitstop")).args(self.run("type=S5.LARGE16"));
        limited.env_clear().envs(self.sealed.environment()).current_dir(env!("CARGO_MANIFEST_DIR"));
        limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Runs with so much room; resumes if it was not enough. Returns the run's exit code.
fn run_with_room(room: u64) -> i32 {
    let crowded = Crowded::new();
    let done = Done::from(crowded.limited(room).wait_with_output().unwrap());
    let stderr = done.stderr;
    match done.code {
        0 => return 0,
        5 => assert!(!stderr.contains("stopping"), "{room} KiB: {stderr}"),
        7 | 8 => {
            assert!(stderr.contains("journal.db: "), "{room} KiB: {stderr}");
            assert!(stderr.contains("pitstop resume "), "{room} KiB: {stderr}");
            let down = stderr.contains("left down by this run: ins-");
            assert_eq!(done.code == 8, down, "{room} KiB: {stderr}");
            let resumed = crowded.sealed.pitstop(&["resume", "--sim-speed", "50"]);
            assert_eq!(resumed.code, 0, "{room} KiB: {}{}", resumed.stdout, resumed.stderr);
        }
        other => panic!("{room} KiB: exit {other}\n{stderr}"),
    }
    done.code
}

#[test]
fn a_disk_that_stays_full_in_the_middle_of_a_run_is_8_and_what_is_down_is_brought_back_later() {
    // Side by side, as each waits for a while whether the disk gets room.
    let rooms: Vec<_> =
        (0..=400).step_by(40).map(|room| std::thread::spawn(move || run_with_room(room))).collect();
    let codes: Vec<_> = rooms.into_iter().map(|room| room.join().unwrap()).collect();
    assert!(codes.contains(&8), "none left an instance down: {codes:?}");
    assert_eq!(codes.last(), Some(&0), "the last had room enough: {codes:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_gets_room_in_time_stops_no_run() {
    let mut waited = false;
    for room in (80..=240).step_by(40) {
        let crowded = Crowded::new();
        let mut child = crowded.limited(room);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while stderr.read_line(&mut said).unwrap() > 0 {
            if said.contains("the journal is tried again") {
                waited = true;
                let pid = rustix::process::Pid::from_child(&child);
                let free = rustix::process::Rlimit { current: None, maximum: None };
                rustix::process::prlimit(Some(pid), rustix::process::Resource::Fsize, free).unwrap();
                break;
            }
        }
        let (code, rest) = finish(child, stderr);
        assert!(matches!(code, 0 | 5), "{room} KiB: {said}{rest}");
    }
    assert!(waited, "the disk was never full in the middle of a run");
}

#[tokio::test]
async fn the_list_of_runs_is_there_while_a_run_is_under_way() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "20"]);
    let args = ["run", RESIZE, "--yes", "--endpoint", &simulator.url, "--sim-speed", "50"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stopping");
    let runs = sealed.pitstop(&["runs"]);
    assert!(runs.stdout.contains("unfinished"), "{}", runs.stdout);
    let (code, rest) = finish(child, stderr);
    assert_eq!(code, 0, "{rest}");
}
