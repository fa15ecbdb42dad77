//! One process per run, one run per instance: what happens when there is another.

use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use pitstop::clock::Clock;
use pitstop::cloud::PowerState;
use pitstop::journal::{Journal, Memory, Place, RunId, Sqlite, Store, StoreError};
use pitstop::plan::Approval;
use pitstop::run::{Cause, Conclusion};
use pitstop::sim::{Actor, Fault, Happening, What};

use crate::journals::raw;
use crate::rig::Rig;
use crate::sealed::{Sealed, finish, read_until, signal};

const RESIZE: &str = "workflows/resize.yaml";

fn arguments(url: &str) -> [&str; 7] {
    ["run", RESIZE, "--yes", "--endpoint", url, "--sim-speed", "20"]
}

#[tokio::test(start_paused = true)]
async fn a_process_that_lost_its_run_sends_nothing_more_and_its_heir_finishes() {
    for seconds in [0, 1, 3, 6, 9, 12, 15, 18, 21] {
        let memory = Arc::new(Memory::default());
        let rig = Rig { store: memory.clone(), ..Rig::default() };
        let scene = rig.scene();
        let text = std::fs::read_to_string(RESIZE).unwrap();
        let text = text.replace("    - ins-0web0002\n", "");
        let plan = rig.plan(&scene, &text).await.approve(Approval::Program).unwrap();
        let clock = scene.clock.clone();
        let (store, world): (Arc<dyn Store>, _) = (memory.clone(), scene.world.clone());
        let began = {
            let world = world.clone();
            move || {
                let ours = |entry: &&pitstop::sim::LogEntry| {
                    matches!(&entry.what, Happening::Began { by: Actor::Caller, .. })
                };
                world.with_world(|world| world.log().iter().filter(ours).count())
            }
        };
        let journal =
            Journal::begin(store.clone(), clock.clone(), plan, Place::Tencent, "first".into(), [1; 10]);
        let journal = journal.await.unwrap();
        let theft = async {
            clock.sleep(Duration::from_secs(seconds)).await;
            memory.bury_holders();
            let summary = store.runs().await.unwrap().remove(0);
            let heir = Journal::reopen(store.clone(), clock.clone(), &summary, "heir".into()).await;
            (heir, began(), clock.now())
        };
        let ((first, scene), (heir, sent, when)) = tokio::join!(rig.try_drive(scene, journal), theft);
        let Ok(heir) = heir else {
            assert_eq!(first.unwrap().conclusion(), Conclusion::Well, "it was done by then");
            continue;
        };
        let error = first.unwrap_err();
        assert!(matches!(error.cause, Cause::Journal(StoreError::Taken(_))), "{error}");
        assert!(error.down.is_empty(), "its instances are the heir's");
        assert!(
            clock.now() <= when + Duration::from_secs(20),
            "it notices with its next renewal at the latest"
        );
        assert!(began() <= sent + 1, "only what was in the air at {seconds} s arrives");
        let heir = Rig { store, ..Rig::default() }.drive(scene, heir).await;
        assert_eq!(heir.outcome.conclusion(), Conclusion::Well, "{}", heir.told());
        assert_eq!(heir.power("ins-0web0001"), PowerState::Running);
        assert_eq!(heir.changes("ins-0web0001").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_only_waits_notices_that_it_lost_its_run() {
    let memory = Arc::new(Memory::default());
    let faults = vec![Fault::always(What::Hang).on("StopInstances")];
    let rig = Rig { store: memory.clone(), faults, ..Rig::default() };
    let scene = rig.scene();
    let text = std::fs::read_to_string(RESIZE).unwrap();
    let plan = rig.plan(&scene, &text).await.approve(Approval::Program).unwrap();
    let clock = scene.clock.clone();
    let journal =
        Journal::begin(memory.clone(), clock.clone(), plan, Place::Tencent, "first".into(), [1; 10]);
    let journal = journal.await.unwrap();
    let theft = async {
        clock.sleep(Duration::from_secs(65)).await;
        memory.bury_holders();
        let summary = memory.runs().await.unwrap().remove(0);
        let heir = Journal::reopen(memory.clone(), clock.clone(), &summary, "heir".into()).await;
        (heir.unwrap(), clock.now())
    };
    let ((first, _scene), (heir, when)) = tokio::join!(rig.try_drive(scene, journal), theft);
    assert!(matches!(first.unwrap_err().cause, Cause::Journal(StoreError::Taken(_))));
    let late = pitstop::clock::between(when, clock.now());
    assert!(late <= Duration::from_secs(20), "it went on for {late:?}");
    let last = memory.load(heir.run()).await.unwrap().pop().unwrap();
    assert_eq!(last.event.name(), "run-taken", "nothing was written after the heir came");
}

/// Runs a workflow; returns the least time that was left of the lease at any moment.
async fn least_lease(mut rig: Rig, text: &str) -> Duration {
    let memory = Arc::new(Memory::default());
    rig.store = memory.clone();
    let scene = rig.scene();
    let plan = rig.plan(&scene, text).await.approve(Approval::Program).unwrap();
    let clock = scene.clock.clone();
    let journal =
        Journal::begin(memory.clone(), clock.clone(), plan, Place::Tencent, "first".into(), [1; 10]);
    let journal = journal.await.unwrap();
    let run = journal.run();
    let watch = async {
        let mut least = Duration::MAX;
        while let Some(lease) = memory.holder(run, clock.now()).await.unwrap() {
            least = least.min(pitstop::clock::between(clock.now(), lease.until));
            clock.sleep(Duration::from_millis(500)).await;
        }
        least
    };
    let ((ended, _scene), least) = tokio::join!(rig.try_drive(scene, journal), watch);
    assert_eq!(ended.unwrap().conclusion(), Conclusion::Well);
    assert!(clock.now() > crate::rig::morning() + Duration::from_secs(30), "no renewal was due");
    assert!(memory.runs().await.unwrap()[0].ended.is_some(), "it was held to its end");
    least
}

#[tokio::test(start_paused = true)]
async fn a_long_run_keeps_its_lease() {
    let text = std::fs::read_to_string(RESIZE).unwrap();
    let least = least_lease(Rig::default(), &text).await;
    assert!(least >= Duration::from_secs(39), "a lease came down to {least:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_import_of_a_key_keeps_the_lease() {
    let slow = || Fault::always(What::Slow(Duration::from_secs(25)));
    let mut rig =
        Rig { faults: vec![slow().on("DescribeKeyPairs"), slow().on("ImportKeyPair")], ..Rig::default() };
    rig.files
        .insert("ops.pub", include_str!("../fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub"));
    let text = "version: 1\nname: keys\ntarget: { region: ap-guangzhou, instances: [ins-0web0001] }\n\
                changes:\n  - load-ssh-key: { public-key-file: ops.pub }\n";
    let least = least_lease(rig, text).await;
    assert!(least >= Duration::from_secs(39), "a lease came down to {least:?}");
}

#[test]
fn a_second_run_is_told_who_carries_the_first_out() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "5"]);
    let mut child = sealed.command(&arguments(&simulator.url)).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stopping");
    let second = sealed.pitstop(&arguments(&simulator.url));
    assert_eq!(second.code, 5, "{}", second.stderr);
    let holder = format!("process {} on ", child.id());
    assert!(second.stderr.contains("ins-0web0001 is held by the run "), "{}", second.stderr);
    assert!(second.stderr.contains(&holder), "{}", second.stderr);
    assert!(
        second.stderr.contains("is carrying it out; look at it with: pitstop show "),
        "{}",
        second.stderr
    );
    assert!(!second.stderr.contains("pitstop resume"), "{}", second.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
    let third = sealed.pitstop(&arguments(&simulator.url));
    assert_eq!(third.code, 5, "{}", third.stderr);
    assert!(
        third.stderr.contains(&holder) && third.stderr.contains("no longer carries it out"),
        "{}",
        third.stderr
    );
    assert!(third.stderr.contains("take it up with: pitstop resume "), "{}", third.stderr);
}

#[tokio::test]
async fn resume_waits_for_a_holder_only_until_it_shows_that_it_lives() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "1"]);
    let mut child = sealed.command(&arguments(&simulator.url)).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stopping");
    let mut waiting = sealed.command(&["resume", "--sim-speed", "20"]).spawn().unwrap();
    let mut words = BufReader::new(waiting.stderr.take().unwrap());
    let said = read_until(&mut words, "waiting at most");
    assert!(said.contains(&format!("is held by process {} on ", child.id())), "{said}");
    let pool = raw(&sealed.journal()).await;
    sqlx::query("UPDATE runs SET lease_until_ms = lease_until_ms + 1").execute(&pool).await.unwrap();
    let (code, rest) = finish(waiting, words);
    assert_eq!(code, 5, "{rest}");
    assert!(rest.contains("is held by"), "{rest}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Makes the process hang, outside of a transaction, until its lease is over.
async fn hang(child: &std::process::Child, sealed: &Sealed) {
    let pool = raw(&sealed.journal()).await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("PRAGMA busy_timeout = 50").execute(&mut *connection).await.unwrap();
    let late = "UPDATE runs SET lease_until_ms = 1";
    for _ in 0..50 {
        signal(child, "STOP");
        if sqlx::query(late).execute(&mut *connection).await.is_ok() {
            return;
        }
        signal(child, "CONT");
        Clock::system().sleep(Duration::from_millis(5)).await;
    }
    panic!("the journal was locked whenever the process was stopped");
}

#[tokio::test]
async fn a_process_that_hung_until_its_lease_ran_out_finds_its_run_taken() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "5"]);
    let mut child = sealed.command(&arguments(&simulator.url)).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stop done");
    hang(&child, &sealed).await;
    let heir = sealed.pitstop(&["resume", "--sim-speed", "20"]);
    assert_eq!(heir.code, 0, "{}{}", heir.stdout, heir.stderr);
    signal(&child, "CONT");
    let (code, rest) = finish(child, stderr);
    assert_eq!(code, 7, "{rest}");
    assert!(rest.contains("another process has taken the run"), "{rest}");
    assert!(rest.contains("nothing more was sent by this process"), "{rest}");
}

/// A run that was approved and written down by a process that died before it sent anything.
async fn stillborn(sealed: &Sealed, url: &str) -> RunId {
    let rig = Rig::default();
    let scene = rig.scene();
    let text = std::fs::read_to_string(RESIZE).unwrap();
    let plan = rig.plan(&scene, &text).await.approve(Approval::Program).unwrap();
    std::fs::create_dir_all(sealed.journal().parent().unwrap()).unwrap();
    let store = Arc::new(Sqlite::open(&sealed.journal()).await.unwrap());
    let place = Place::Endpoint(url.to_owned());
    let by = "process 1 on elsewhere".to_owned();
    Journal::begin(store, Clock::system(), plan, place, by, [3; 10]).await.unwrap().run()
}

#[tokio::test]
async fn a_run_that_died_before_it_sent_anything_is_closed_by_the_next() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "50"]);
    let dead = stillborn(&sealed, &simulator.url).await;
    let done = sealed.pitstop(&arguments(&simulator.url));
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    assert!(done.stderr.contains(&format!("closed the unfinished run {dead}")), "{}", done.stderr);
    let shown = sealed.pitstop(&["show", &dead.to_string()]);
    assert!(shown.stdout.contains("the run was given up before anything was sent"), "{}", shown.stdout);
    assert!(!sealed.pitstop(&["runs"]).stdout.contains("unfinished"));
}

#[tokio::test]
async fn a_run_that_died_before_it_sent_anything_can_be_resumed_too() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "50"]);
    stillborn(&sealed, &simulator.url).await;
    let resumed = sealed.pitstop(&["resume", "--sim-speed", "50"]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert!(resumed.stdout.contains("2 done of 2 instances"), "{}", resumed.stdout);
}
