//! The journal's file as the program meets it: from earlier versions, damaged, on a full disk.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

use pitstop::journal::{Sqlite, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::sealed::{Sealed, finish, read_until};

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

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_run_is_8_and_what_is_down_is_brought_back_later() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "50"]);
    // The journal gets ever more room beyond what it takes already, until a run has enough.
    let args = ["--yes", "--endpoint", &simulator.url, "--sim-speed", "50"];
    let run = |to: &str| -> Vec<String> {
        let to = format!("type={to}");
        ["run", RESIZE, "--set", &to].into_iter().chain(args).map(str::to_owned).collect()
    };
    let arguments = run("S5.LARGE8");
    let first = sealed.pitstop(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(first.code, 0, "{}", first.stderr);
    let (mut seen_down, mut enough) = (false, false);
    for room in (0..=400).step_by(40) {
        let kib = room + taken(&sealed.journal()) / 1024;
        // A process whose files may not grow gets an error from every write, as on a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_pitstop")).args(run("S5.LARGE16"));
        limited.env_clear().envs(sealed.environment()).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = limited.output().unwrap();
        let (code, stderr) = (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr));
        match code {
            5 => assert!(!stderr.contains("stopping"), "{kib} KiB: {stderr}"),
            7 | 8 => {
                assert!(stderr.contains("journal.db: "), "{kib} KiB: {stderr}");
                assert!(stderr.contains("pitstop resume "), "{kib} KiB: {stderr}");
                assert_eq!(code == 8, stderr.contains("left down by this run: ins-"), "{kib} KiB: {stderr}");
                seen_down |= code == 8;
            }
            0 => {
                enough = true;
                break;
            }
            other => panic!("{kib} KiB: exit {other}\n{stderr}"),
        }
        if code != 5 {
            let resumed = sealed.pitstop(&["resume", "--sim-speed", "50"]);
            assert_eq!(resumed.code, 0, "{kib} KiB: {}{}", resumed.stdout, resumed.stderr);
            let back = run("S5.LARGE8");
            let back = sealed.pitstop(&back.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(back.code, 0, "{kib} KiB: {}", back.stderr);
        }
    }
    assert!(seen_down && enough, "down on a full disk: {seen_down}; at last enough: {enough}");
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
