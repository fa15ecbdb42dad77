//! `downtime-budget`: what would not fit is not begun, and what no longer fits is left out.

use std::time::Duration;

use pitstop::cloud::{Action, PowerState};
use pitstop::journal::{Failure, Journal, Order, Verdict};
use pitstop::sim::{Fault, What};

use crate::rig::{Ran, Rig, THREE, WEB};

fn with_budget(budget: &str) -> String {
    format!("{THREE}downtime-budget: {budget}\n")
}

fn over_budget(ran: &Ran, id: &str) -> (Duration, Vec<Action>) {
    match ran.verdict(id) {
        Some(Verdict::Failed { failure: Failure::OverBudget { used, left, .. } }) => (*used, left.clone()),
        other => panic!("{other:?}\n{}", ran.told()),
    }
}

#[tokio::test(start_paused = true)]
async fn what_fits_is_done_and_what_does_not_is_not_stopped() {
    let ran = Rig::default().run(&with_budget("5m")).await;
    assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{}", ran.told());

    // By what is typical, three changes take 250 s.
    let ran = Rig::default().run(&with_budget("4m")).await;
    let all = vec![Action::LoadSshKeys, Action::ResetPassword, Action::Resize];
    assert_eq!(over_budget(&ran, WEB), (Duration::ZERO, all));
    assert!(ran.operations(WEB).is_empty(), "{}", ran.told());
    assert_eq!(ran.power(WEB), PowerState::Running);
    let Some(Verdict::Failed { failure }) = ran.verdict(WEB) else { unreachable!() };
    let words = failure.to_string();
    let expected =
        "it was not stopped: it would be down for about 250 s, and the downtime budget is 240 s; left: ";
    assert!(words.starts_with(expected), "{words}");
}

#[tokio::test(start_paused = true)]
async fn experience_counts_for_more_than_what_is_typical() {
    let text = "
version: 1
name: four
target: { region: ap-guangzhou, instances: [ins-0web0001, ins-0web0002, ins-0lbchk01, ins-0lbnone1] }
changes: [{ resize: { type: S5.LARGE8 } }]
rollout: { at-once: 1, max-failures: 9 }
downtime-budget: 220s
";
    let mut rig = Rig::default();
    rig.fleet.resize_boots = pitstop::sim::ResizeBoots::Never;
    let ran = rig.run(text).await;
    assert!(
        ran.outcome.instances.iter().all(|(_, verdict)| *verdict == Some(Verdict::Done)),
        "{}",
        ran.told()
    );
    let store = ran.store;
    let scene = ran.scene;
    // What the first run has learnt lets the next one keep to less than what is typical.
    let back = text.replace("S5.LARGE8", "S5.MEDIUM4").replace("220s", "1m");
    let rig = Rig { store: store.clone(), ..Rig::default() };
    let plan = rig.plan(&scene, &back).await.approve(pitstop::plan::Approval::Program).unwrap();
    let place = pitstop::journal::Place::InProcess;
    let journal =
        Journal::begin(store, scene.clock.clone(), plan, place, "next".into(), [9; 10]).await.unwrap();
    let ran = rig.drive(scene, journal).await;
    assert!(
        ran.outcome.instances.iter().all(|(_, verdict)| *verdict == Some(Verdict::Done)),
        "{}",
        ran.told()
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_longer_fits_is_left_out_and_the_instance_started() {
    for word in ["start", "roll-back", "leave-stopped"] {
        let mut slow =
            Fault::always(What::Refuse("MutexOperation.TaskRunning".into())).on("ResetInstancesPassword");
        slow.until = Some(Duration::from_secs(150));
        let mut rig = Rig { faults: vec![slow], ..Rig::default() };
        rig.fleet.resize_boots = pitstop::sim::ResizeBoots::Never;
        let text = format!("{}on-failure: {word}\n", with_budget("5m"));
        let ran = rig.run(&text).await;
        let (used, left) = over_budget(&ran, WEB);
        assert!((120..180).contains(&used.as_secs()), "{word}: {used:?}");
        assert_eq!(left, [Action::Resize], "{word}");
        assert_eq!(
            (ran.power(WEB), ran.type_of(WEB).as_str()),
            (PowerState::Running, "S5.MEDIUM4"),
            "{word}"
        );
        assert_eq!(ran.changes(WEB).len(), 2, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_or_shall_be_is_not_missed() {
    for (id, start) in [("ins-0web0003", "always"), ("ins-0web0003", "as-found"), (WEB, "never")] {
        let text = with_budget("10s").replace(WEB, id) + &format!("start: {start}\n");
        let ran = Rig::default().run(&text).await;
        assert_eq!(ran.verdict(id), Some(&Verdict::Done), "{id} {start}\n{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_taken_up_after_its_budget_only_brings_back() {
    for seconds in [3, 9, 11, 13] {
        let mut rig = Rig { orders: vec![(Duration::from_secs(seconds), Order::LeaveNow)], ..Rig::default() };
        rig.fleet.resize_boots = pitstop::sim::ResizeBoots::Never;
        let ran = rig.run(&with_budget("5m")).await;
        ran.scene.clock.sleep(Duration::from_mins(10)).await;
        let run = ran.store.runs().await.unwrap().remove(0);
        let again = Journal::reopen(ran.store.clone(), ran.scene.clock.clone(), &run, "again".into());
        let again = again.await.unwrap();
        let ran = Rig { store: ran.store, ..Rig::default() }.drive(ran.scene, again).await;
        let (used, left) = over_budget(&ran, WEB);
        assert!(used >= Duration::from_mins(10) && !left.is_empty(), "{used:?} {left:?}");
        assert_eq!(ran.power(WEB), PowerState::Running, "left after {seconds} s\n{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn time_down_before_an_early_end_counts() {
    let mut rig = Rig { orders: vec![(Duration::from_secs(5), Order::BringBack)], ..Rig::default() };
    rig.fleet.resize_boots = pitstop::sim::ResizeBoots::Never;
    let ran = rig.run(&with_budget("255s")).await;
    assert_eq!(ran.verdict(WEB), None, "{}", ran.told());
    let run = ran.store.runs().await.unwrap().remove(0);
    let again = Journal::reopen(ran.store.clone(), ran.scene.clock.clone(), &run, "again".into());
    let again = again.await.unwrap();
    let stops = ran.calls_of("StopInstances");
    let ran = Rig { store: ran.store, ..Rig::default() }.drive(ran.scene, again).await;
    match ran.verdict(WEB) {
        Some(Verdict::Failed { failure: Failure::OverBudget { used, .. } }) if *used > Duration::ZERO => {}
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!((ran.calls_of("StopInstances"), ran.power(WEB)), (stops, PowerState::Running));
}
