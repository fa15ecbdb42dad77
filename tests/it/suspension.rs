//! A machine that is suspended and wakes: nothing that was decided before is sent, and the run may be another's.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pitstop::clock::{Clock, between};
use pitstop::cloud::PowerState;
use pitstop::journal::{Journal, Memory, Place, Store, StoreError, Verdict};
use pitstop::plan::Approval;
use pitstop::run::{Cause, Conclusion};
use pitstop::sim::{Fault, Happening, LogEntry, Spread, Timings, What};

use crate::rig::{Ran, Rig, Scene, THREE, WEB};

/// All calls that change something.
const MUTATIONS: [&str; 5] = [
    "StopInstances",
    "AssociateInstancesKeyPairs",
    "ResetInstancesPassword",
    "ResetInstancesType",
    "StartInstances",
];

/// For how long the machine is suspended.
const NIGHT: Duration = Duration::from_hours(8);

/// Calls that change something are throttled now and then, so that they wait to be sent again; and what a look shows is two
/// seconds old.
fn slow_and_throttled() -> Vec<Fault> {
    let throttle = || Fault { chance: Some(0.7), times: Some(12), ..Fault::always(What::Throttle) };
    let mut faults = vec![Fault::always(What::Slow(Duration::from_secs(2))).on("DescribeInstances")];
    faults.extend(MUTATIONS.map(|action| throttle().on(action)));
    faults
}

/// The calls that were sent then or later, and when. What was in the air before is refused as it arrives: its signature is
/// too old.
fn calls_since(log: &[LogEntry], when: Timestamp) -> Vec<(Timestamp, &str)> {
    let since = log.iter().filter(|entry| entry.at >= when);
    since
        .filter_map(|entry| match &entry.what {
            Happening::Call { refused: Some(code), .. } if code == "AuthFailure.SignatureExpire" => None,
            Happening::Call { action, .. } => Some((entry.at, action.as_str())),
            _ => None,
        })
        .collect()
}

/// Begins the run of all three changes.
async fn begun(rig: &Rig) -> (Scene, Journal) {
    let scene = rig.scene();
    let plan = rig.plan(&scene, THREE).await.approve(Approval::Program).unwrap();
    let (store, clock) = (rig.store.clone(), scene.clock.clone());
    let journal = Journal::begin(store, clock, plan, Place::Tencent, "first".into(), [1; 10]).await.unwrap();
    (scene, journal)
}

/// Suspends the machine that long after now; returns when it woke, by the clock of others.
async fn nap(clock: &Clock, after: Duration) -> Timestamp {
    clock.sleep(after).await;
    // Not at the very moment of something else.
    clock.sleep(Duration::from_micros(1500)).await;
    clock.suspend(NIGHT);
    clock.of_others().now()
}

/// The run on a machine that is suspended that long after its beginning, and when it wakes.
async fn slept(after: Duration, seed: u64) -> (Ran, Timestamp) {
    let rig = Rig { faults: slow_and_throttled(), seed, ..Rig::default() };
    let (scene, journal) = begun(&rig).await;
    let clock = scene.clock.clone();
    let woke = Cell::new(Timestamp::MAX);
    let napping = async {
        woke.set(nap(&clock, after).await);
        std::future::pending::<()>().await;
    };
    let ran = tokio::select! {
        ran = Box::pin(rig.drive(scene, journal)) => ran,
        () = napping => unreachable!("it never ends"),
    };
    (ran, woke.get())
}

#[tokio::test(start_paused = true)]
async fn after_a_suspension_everything_is_looked_at_before_anything_is_sent() {
    let mut woke_in = BTreeSet::new();
    for tenths in (0..600).step_by(3) {
        let (ran, woke) = slept(Duration::from_millis(tenths * 100), tenths).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{tenths}: {}", ran.told());
        assert_eq!(ran.power(WEB), PowerState::Running);
        assert_eq!(ran.changes(WEB).len(), 3, "{tenths}: {}", ran.told());
        let calls = calls_since(&ran.log, woke);
        let Some((at, first)) = calls.first() else { continue };
        assert_eq!(*first, "DescribeInstances", "{tenths}: {}", ran.told());
        let asleep = between(woke, *at);
        // A machine that wakes goes on with the pause that it was in.
        assert!(asleep < Duration::from_secs(18), "{tenths}: {asleep:?} until it looked\n{}", ran.told());
        let next = calls.iter().find(|(_, call)| MUTATIONS.contains(call));
        woke_in.extend(next.map(|(_, call)| (*call).to_owned()));
        let took = between(woke, ran.scene.clock.of_others().now());
        assert!(took < Duration::from_mins(15), "{tenths}: {took:?} after it woke");
    }
    assert_eq!(woke_in.len(), 5, "before every one of the calls: {woke_in:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_sleeps_longer_than_its_lease_sends_nothing_before_it_knows_that_the_run_is_its_own() {
    let mut lost = 0;
    for tenths in (0..300).step_by(5) {
        let memory = Arc::new(Memory::default());
        let rig = Rig { faults: slow_and_throttled(), store: memory.clone(), seed: tenths, ..Rig::default() };
        let (scene, journal) = begun(&rig).await;
        let (clock, world) = (scene.clock.clone(), scene.world.clone());
        let theft = async {
            let woke = nap(&clock, Duration::from_millis(tenths * 100)).await;
            let summary = memory.runs().await.unwrap().remove(0);
            let heir = Journal::reopen(memory.clone(), clock.of_others(), &summary, "heir".into()).await;
            (heir, woke)
        };
        let ((first, _), (heir, woke)) = tokio::join!(Box::pin(rig.try_drive(scene, journal)), theft);
        let Ok(_heir) = heir else {
            assert_eq!(first.unwrap().conclusion(), Conclusion::Well, "it was done by then");
            continue;
        };
        lost += 1;
        let error = first.unwrap_err();
        assert!(matches!(error.cause, Cause::Journal(StoreError::Taken(_))), "{error}");
        let log = world.with_world(|world| world.log().to_vec());
        let sent = calls_since(&log, woke).iter().filter(|(_, call)| MUTATIONS.contains(call)).count();
        assert_eq!(sent, 0, "suspended after {tenths} tenths of a second");
    }
    assert!(lost > 30, "{lost}");
}

#[tokio::test(start_paused = true)]
async fn after_a_suspension_the_lease_is_renewed_by_the_clock_that_others_look_at() {
    let rig = Rig::default();
    let (scene, mut journal) = begun(&rig).await;
    let (run, others) = (journal.run(), scene.clock.of_others());
    scene.clock.suspend(NIGHT);
    assert!(journal.is_renewal_due());
    assert!(journal.renewal_due() <= scene.clock.now());
    assert_eq!(rig.store.holder(run, others.now()).await.unwrap(), None);
    journal.renew().await.unwrap();
    assert!(!journal.is_renewal_due());
    let lease = rig.store.holder(run, others.now() + Duration::from_secs(59)).await.unwrap();
    assert_eq!(lease.unwrap().by, "first");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_taken_up_after_a_suspension_gives_nothing_up_as_too_late() {
    let mut cut = 0;
    // Longer than it takes until the lease of the dead has run out.
    let long = Spread::millis(100_000, 0.1);
    let mut fleet = Rig::default().fleet;
    let Timings { stop, start, password, keys, resize, .. } = &mut fleet.timings;
    for each in [stop, start, password, keys, resize] {
        *each = long;
    }
    let store = || -> Arc<dyn Store> { Arc::new(Memory::default()) };
    for seconds in (0..600).step_by(13) {
        let store = store();
        let rig = || Rig { seed: seconds, store: store.clone(), fleet: fleet.clone(), ..Rig::default() };
        let first = rig();
        let (scene, journal) = begun(&first).await;
        let (clock, world) = (scene.clock.clone(), scene.world.clone());
        // It wakes, goes on for a while, and is killed.
        let end = async {
            nap(&clock, Duration::from_secs(seconds)).await;
            clock.sleep(Duration::from_secs(20)).await;
        };
        tokio::select! {
            _ = Box::pin(first.try_drive(scene, journal)) => continue,
            () = end => {}
        }
        cut += 1;
        // The next process knows nothing of any suspension.
        let clock = clock.of_others();
        let second = rig();
        let client = second.client(world.clone(), &clock);
        let summary = store.runs().await.unwrap().remove(0);
        clock.sleep(Duration::from_secs(61)).await;
        let journal = Journal::reopen(store, clock.clone(), &summary, "second".into()).await.unwrap();
        let ran = Box::pin(second.drive(Scene { world, client, clock }, journal)).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{seconds}: {}", ran.told());
        assert_eq!(ran.changes(WEB).len(), 3, "{seconds}: {}", ran.told());
    }
    assert!(cut > 20, "{cut}");
}
