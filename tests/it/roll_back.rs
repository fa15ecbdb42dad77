//! `on-failure: roll-back`: the former type comes back when the new one does not do, whatever else happens meanwhile.

use std::sync::Arc;
use std::time::Duration;

use pitstop::cloud::{Action, PowerState};
use pitstop::journal::{Event, Failure, Journal, Order, Place, Store, Verdict};
use pitstop::plan::Approval;
use pitstop::run::Conclusion;
use pitstop::sim::{EventSpec, Fault, ForeignAct, ResizeBoots, What};

use crate::full_disk::FullAfter;
use crate::rig::{Ran, Rig, Scene, WEB};

const TEXT: &str = "
version: 1
name: careful
target: { region: ap-guangzhou, instances: [ins-0web0001] }
changes:
  - resize: { type: S5.LARGE8 }
check:
  - tcp: { port: 22, timeout: 10s }
on-failure: roll-back
";

/// On the new type the guest starts, and listens nowhere.
fn mute(boots: ResizeBoots) -> Rig {
    let mut rig = Rig::default();
    rig.fleet.resize_boots = boots;
    web(&mut rig).guest.mute_on = vec!["S5.LARGE8".into()];
    rig
}

/// On the new type the guest does not start.
fn dead() -> Rig {
    let mut rig = Rig::default();
    web(&mut rig).guest.dead_on = vec!["S5.LARGE8".into()];
    rig
}

fn web(rig: &mut Rig) -> &mut pitstop::sim::InstanceSpec {
    rig.fleet.instances.iter_mut().find(|spec| spec.id.as_str() == WEB).unwrap()
}

fn failure(ran: &Ran) -> &Failure {
    match ran.verdict(WEB) {
        Some(Verdict::Failed { failure }) => failure,
        other => panic!("{other:?}\n{}", ran.told()),
    }
}

/// What went wrong first, if it was rolled back.
fn rolled_back(ran: &Ran) -> &Failure {
    match failure(ran) {
        Failure::RolledBack { cause, to } if to.as_str() == "S5.MEDIUM4" => cause,
        other => panic!("{other:?}\n{}", ran.told()),
    }
}

fn is_as_it_was(ran: &Ran) -> bool {
    ran.power(WEB) == PowerState::Running && ran.type_of(WEB) == "S5.MEDIUM4"
}

fn began(ran: &Ran) -> usize {
    ran.records.iter().filter(|record| matches!(record.event, Event::RollBackBegan { .. })).count()
}

async fn resume(ran_in: Scene, store: Arc<dyn Store>, rig: Rig) -> Ran {
    let run = store.runs().await.unwrap().remove(0);
    let again =
        Journal::reopen(Arc::clone(&store), ran_in.clock.clone(), &run, "again".into()).await.unwrap();
    Rig { store, ..rig }.drive(ran_in, again).await
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_stops_it_once_more_and_gives_it_its_type_back() {
    for boots in [ResizeBoots::Always, ResizeBoots::Never] {
        let ran = mute(boots).run(TEXT).await;
        assert!(matches!(rolled_back(&ran), Failure::Check { number: 1, .. }), "{}", ran.told());
        assert!(is_as_it_was(&ran), "{}", ran.told());
        assert_eq!((ran.calls_of("StopInstances"), ran.calls_of("ResetInstancesType")), (2, 2));
        assert_eq!((began(&ran), ran.outcome.conclusion()), (1, Conclusion::Failures));
        let words = failure(&ran).to_string();
        assert!(words.ends_with("rolled back to S5.MEDIUM4"), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_can_not_start_is_not_stopped_again_for_its_roll_back() {
    let ran = dead().run(TEXT).await;
    assert!(matches!(rolled_back(&ran), Failure::Operation { action: Action::Start, .. }), "{}", ran.told());
    assert!(is_as_it_was(&ran), "{}", ran.told());
    assert_eq!((ran.calls_of("StopInstances"), ran.calls_of("StartInstances")), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_host_without_room_for_the_new_type_is_given_up_after_its_first_patience() {
    let mut full =
        Fault::always(What::Refuse("ResourceInsufficient.SpecifiedInstanceType".into())).on("StartInstances");
    full.until = Some(Duration::from_mins(7));
    let mut rig = Rig { faults: vec![full], ..Rig::default() };
    rig.fleet.resize_boots = ResizeBoots::Never;
    let ran = rig.run(TEXT).await;
    assert!(matches!(rolled_back(&ran), Failure::Refused { action: Action::Start, .. }), "{}", ran.told());
    assert!(is_as_it_was(&ran), "{}", ran.told());
}

#[tokio::test(start_paused = true)]
async fn a_resize_that_was_never_made_needs_no_roll_back() {
    for what in [What::SoldOut, What::Fail("the host is full".into())] {
        let fault = Fault::always(what.clone()).on("ResetInstancesType");
        let ran = Rig { faults: vec![fault], ..Rig::default() }.run(TEXT).await;
        assert_eq!(failure(&ran).action(), Some(Action::Resize), "{what:?}");
        assert!(is_as_it_was(&ran) && began(&ran) == 0, "{what:?}\n{}", ran.told());
        assert_eq!((ran.calls_of("StopInstances"), ran.calls_of("StartInstances")), (1, 1), "{what:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_words_for_a_failure_do_what_they_did() {
    for (word, power) in [("start", PowerState::Running), ("leave-stopped", PowerState::Running)] {
        let ran = mute(ResizeBoots::Never).run(&TEXT.replace("roll-back", word)).await;
        assert!(matches!(failure(&ran), Failure::Check { .. }), "{word}\n{}", ran.told());
        assert_eq!((ran.power(WEB), ran.type_of(WEB)), (power, "S5.LARGE8".to_owned()), "{word}");
        assert_eq!((ran.calls_of("StopInstances"), began(&ran)), (1, 0), "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_that_fails_says_why_and_the_instance_runs_with_what_it_has() {
    let back = |what: What| Fault::always(what).on("ResetInstancesType").nth(2);
    let hangs =
        Fault { from: Some(Duration::from_secs(20)), ..Fault::always(What::Hang).on("StopInstances") };
    for (fault, action) in [
        (back(What::SoldOut), Action::Resize),
        (back(What::Fail("no room".into())), Action::Resize),
        (hangs, Action::Stop),
    ] {
        let case = format!("{:?}", fault.what);
        let mut rig = mute(ResizeBoots::Never);
        rig.faults = vec![fault];
        let ran = rig.run(&TEXT.replace("check:", "stop: { timeout: 1m }\ncheck:")).await;
        let Failure::NotRolledBack { cause, why: Some(why), .. } = failure(&ran) else {
            panic!("{case}: {:?}", failure(&ran))
        };
        assert!(matches!(**cause, Failure::Check { .. }), "{case}: {cause}");
        assert_eq!(why.action(), Some(action), "{case}: {why}");
        assert_eq!((ran.power(WEB), ran.type_of(WEB).as_str()), (PowerState::Running, "S5.LARGE8"), "{case}");
        let words = failure(&ran).to_string();
        assert!(words.contains("the roll-back to S5.MEDIUM4 failed: "), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_starts_with_neither_type_needs_a_person() {
    let mut rig = dead();
    web(&mut rig).guest.dead_on.push("S5.MEDIUM4".into());
    let ran = rig.run(TEXT).await;
    match ran.verdict(WEB) {
        Some(Verdict::Stranded { failure: Failure::NotRolledBack { why: Some(why), .. }, power }) => {
            assert_eq!((why.action(), power), (Some(Action::Start), &PowerState::Stopped));
        }
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!(ran.type_of(WEB), "S5.MEDIUM4");
    assert_eq!(ran.calls_of("StartInstances"), 6, "three tries with each type");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_of_the_way_back_is_looked_into_and_not_sent_again() {
    for (action, nth) in [("StopInstances", 2), ("ResetInstancesType", 2)] {
        for what in [What::LoseReply, What::LoseRequest, What::BadGatewayAfter] {
            let case = format!("{what:?} of {action}");
            let mut rig = mute(ResizeBoots::Never);
            rig.faults = vec![Fault::always(what).on(action).nth(nth)];
            let ran = rig.run(TEXT).await;
            rolled_back(&ran);
            assert!(is_as_it_was(&ran), "{case}\n{}", ran.told());
            assert_eq!(ran.changes(WEB).len(), 2, "{case}\n{}", ran.told());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_starts_it_in_the_middle_ends_the_roll_back() {
    let mut rig = mute(ResizeBoots::Never);
    // Between the second stop and the second resize: the resize back is throttled for a while.
    rig.faults = vec![Fault {
        from: Some(Duration::from_secs(25)),
        until: Some(Duration::from_secs(90)),
        ..Fault::always(What::Throttle).on("ResetInstancesType")
    }];
    let after = Duration::from_mins(1);
    rig.fleet.events = vec![EventSpec { after, instance: WEB.into(), act: ForeignAct::Start }];
    let ran = rig.run(TEXT).await;
    let Failure::NotRolledBack { why: Some(why), .. } = failure(&ran) else { panic!("{}", ran.told()) };
    assert!(matches!(**why, Failure::Interference { .. }), "{why}");
    assert_eq!((ran.power(WEB), ran.calls_of("StopInstances")), (PowerState::Running, 2), "{}", ran.told());
}

#[tokio::test(start_paused = true)]
async fn ordered_to_end_it_is_brought_back_with_whatever_type_it_has() {
    let calm = mute(ResizeBoots::Never).run(TEXT).await;
    let at = |fits: &dyn Fn(&Event) -> bool| {
        let mut records = calm.records.iter();
        records.find(|record| fits(&record.event)).unwrap().at
    };
    let from = at(&|event| matches!(event, Event::RollBackBegan { .. }));
    let to = at(&|event| matches!(event, Event::Ended { .. }));
    let began = calm.records[0].at;
    let (mut kept, mut back) = (0, 0);
    let mut after = from;
    while after < to {
        let mut rig = mute(ResizeBoots::Never);
        rig.orders = vec![(pitstop::clock::between(began, after), Order::BringBack)];
        let ran = rig.run(TEXT).await;
        assert_eq!(ran.power(WEB), PowerState::Running, "{}", ran.told());
        match failure(&ran) {
            Failure::NotRolledBack { why: None, .. } if ran.type_of(WEB) == "S5.LARGE8" => kept += 1,
            Failure::RolledBack { .. } if ran.type_of(WEB) == "S5.MEDIUM4" => back += 1,
            other => panic!("{other:?}\n{}", ran.told()),
        }
        after += Duration::from_millis(700);
    }
    assert!(kept > 2 && back > 2, "{kept} {back}");
}

#[tokio::test(start_paused = true)]
async fn one_that_can_only_start_with_its_former_type_gets_it_whatever_was_ordered() {
    for seconds in [10, 20, 30, 40, 50] {
        let mut rig = dead();
        rig.orders = vec![(Duration::from_secs(seconds), Order::BringBack)];
        let ran = rig.run(TEXT).await;
        assert!(is_as_it_was(&ran), "after {seconds} s\n{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn cut_at_any_record_it_is_rolled_back_all_the_same() {
    for scene_of in [|| mute(ResizeBoots::Never), || mute(ResizeBoots::Always), dead] {
        let mut ended = false;
        for appends in 0..80 {
            let store = Arc::new(FullAfter::appends(appends));
            let rig = Rig { store: store.clone(), ..scene_of() };
            let scene = rig.scene();
            let plan = rig.plan(&scene, TEXT).await.approve(Approval::Program).unwrap();
            let (clock, by) = (scene.clock.clone(), "the test".to_owned());
            let Ok(journal) = Journal::begin(store.clone(), clock, plan, Place::InProcess, by, [1; 10]).await
            else {
                continue;
            };
            let (outcome, scene) = rig.try_drive(scene, journal).await;
            store.make_room();
            if outcome.is_ok() {
                ended = true;
                break;
            }
            let ran = resume(scene, store, scene_of()).await;
            rolled_back(&ran);
            assert!(is_as_it_was(&ran), "cut at {appends}\n{}", ran.told());
            assert_eq!(ran.changes(WEB).len(), 2, "cut at {appends}\n{}", ran.told());
            assert!(ran.calls_of("StopInstances") <= 2, "cut at {appends}\n{}", ran.told());
        }
        assert!(ended, "more records than were cut");
    }
}

#[tokio::test(start_paused = true)]
async fn left_at_any_moment_it_is_rolled_back_by_the_next_process() {
    for seconds in (2..90).step_by(3) {
        let mut rig = mute(ResizeBoots::Never);
        rig.orders = vec![(Duration::from_secs(seconds), Order::LeaveNow)];
        let ran = rig.run(TEXT).await;
        if ran.verdict(WEB).is_some() {
            break;
        }
        let (scene, store) = (ran.scene, ran.store);
        scene.clock.sleep(Duration::from_mins(20)).await;
        let again = resume(scene, store, mute(ResizeBoots::Never)).await;
        rolled_back(&again);
        assert!(is_as_it_was(&again), "left after {seconds} s\n{}", again.told());
        assert_eq!(again.changes(WEB).len(), 2, "left after {seconds} s\n{}", again.told());
    }
}
