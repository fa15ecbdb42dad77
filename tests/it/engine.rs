//! The engine carries plans out on the simulated cloud, undisturbed and disturbed, under virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pitstop::cloud::{Action, InstanceId, PowerState};
use pitstop::journal::{Failure, Halt, Journal, Order, Place, Store, Verdict};
use pitstop::plan::Approval;
use pitstop::run::Conclusion;
use pitstop::sim::{Effect, EventSpec, Fault, ForeignAct, Happening, LogEntry, ResizeBoots, What};

use crate::full_disk::FullAfter;
use crate::rig::{Ran, Rig, THREE, WEB};

/// A resize of some instances, with more keys behind it.
fn resize(ids: &[&str], more: &str) -> String {
    format!(
        "version: 1\nname: resize\ntarget: {{ region: ap-guangzhou, instances: [{}] }}\n\
         changes:\n  - resize: {{ type: S5.LARGE8 }}\n{more}\n",
        ids.join(", ")
    )
}

fn assert_well(ran: &Ran, id: &str) {
    assert_eq!(ran.verdict(id), Some(&Verdict::Done), "{}", ran.told());
}

#[tokio::test(start_paused = true)]
async fn three_changes_take_one_stop_in_the_right_order() {
    for boots in [ResizeBoots::Always, ResizeBoots::Never, ResizeBoots::Random] {
        let mut rig = Rig::default();
        rig.fleet.resize_boots = boots;
        let ran = rig.run(THREE).await;
        assert_well(&ran, WEB);
        let operations = ran.operations(WEB);
        let first =
            ["StopInstances", "AssociateInstancesKeyPairs", "ResetInstancesPassword", "ResetInstancesType"];
        assert_eq!(operations[..4], first, "{operations:?}");
        assert!(operations[4..].iter().all(|action| action == "StartInstances"), "{operations:?}");
        assert_eq!(ran.changes(WEB).len(), 3);
        assert_eq!((ran.power(WEB), ran.type_of(WEB).as_str()), (PowerState::Running, "S5.LARGE8"));
        assert_eq!(ran.outcome.conclusion(), Conclusion::Well);
        assert!(ran.calls() <= 80, "{} calls without experience", ran.calls());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_account_lacks_is_imported_once_for_all_instances() {
    const KEY: &str = include_str!("../fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub");
    let text = "version: 1\nname: key\n\
                target: { region: ap-guangzhou, instances: [ins-0web0001, ins-0web0002] }\n\
                changes:\n  - load-ssh-key: { public-key-file: new.pub }\n";
    let rig = Rig { files: BTreeMap::from([("new.pub", KEY)]), ..Rig::default() };
    let ran = rig.run(text).await;
    let imported = ran.log.iter().filter_map(|entry| match &entry.what {
        Happening::KeyImported { key, .. } => Some(key),
        _ => None,
    });
    let [key] = imported.collect::<Vec<_>>()[..] else { panic!("{}", ran.told()) };
    for id in [WEB, "ins-0web0002"] {
        assert_well(&ran, id);
        assert!(matches!(ran.changes(id)[..], [Effect::Keys { to, .. }] if to[..] == [key.clone()]));
    }
}

#[tokio::test(start_paused = true)]
async fn every_start_word_holds_whether_or_not_the_resize_boots() {
    let table = [
        ("as-found", "ins-0web0001", PowerState::Running),
        ("as-found", "ins-0web0003", PowerState::Stopped),
        ("always", "ins-0web0003", PowerState::Running),
        ("never", "ins-0web0001", PowerState::Stopped),
        ("never", "ins-0web0003", PowerState::Stopped),
    ];
    for (start, id, power) in table {
        for boots in [ResizeBoots::Always, ResizeBoots::Never] {
            let mut rig = Rig::default();
            rig.fleet.resize_boots = boots;
            let ran = rig.run(&resize(&[id], &format!("start: {start}"))).await;
            assert_well(&ran, id);
            ran.scene.clock.sleep(Duration::from_mins(5)).await;
            let now = ran.scene.clock.now();
            ran.scene.world.with_world(|world| world.advance(now));
            assert_eq!(ran.power(id), power, "start: {start}, {id}, {boots:?}\n{}", ran.told());
            assert_eq!(ran.type_of(id), "S5.LARGE8");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_to_change_stops_nothing() {
    let text = resize(&["ins-0db00001"], "");
    let ran = Rig::default().run(&text).await;
    assert_eq!(ran.verdict("ins-0db00001"), Some(&Verdict::Unchanged));
    assert!(ran.operations("ins-0db00001").is_empty());
}

#[tokio::test(start_paused = true)]
async fn equal_wishes_share_calls() {
    let rig = Rig::default();
    let ran = rig.run(&resize(&["ins-0web0001", "ins-0web0002"], "rollout: { at-once: 2 }")).await;
    for id in ["ins-0web0001", "ins-0web0002"] {
        assert_well(&ran, id);
    }
    assert_eq!(ran.calls_of("StopInstances"), 1, "{}", ran.told());
    assert_eq!(ran.calls_of("ResetInstancesType"), 2);
}

#[tokio::test(start_paused = true)]
async fn at_once_is_obeyed() {
    let ran = Rig::default().run(&resize(&["ins-0web0001", "ins-0web0002"], "rollout: { at-once: 1 }")).await;
    let intended: Vec<_> = ran
        .records
        .iter()
        .filter(|record| matches!(record.event.name(), "intended" | "ended"))
        .filter_map(|record| Some(record.instance.as_ref()?.as_str()))
        .collect();
    let mut order = intended.clone();
    order.dedup();
    assert_eq!(order, ["ins-0web0001", "ins-0web0002"], "{}", ran.told());
}

#[tokio::test(start_paused = true)]
async fn a_resize_that_is_sold_out_at_the_last_moment_brings_the_instance_back() {
    let rig = Rig { faults: vec![Fault::always(What::SoldOut).on("ResetInstancesType")], ..Rig::default() };
    let ran = rig.run(&resize(&[WEB], "")).await;
    match ran.verdict(WEB) {
        Some(Verdict::Failed { failure: Failure::Refused { error, .. } }) => {
            assert!(error.code.as_deref().unwrap().starts_with("ResourcesSoldOut"), "{error}");
        }
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!((ran.power(WEB), ran.type_of(WEB).as_str()), (PowerState::Running, "S5.MEDIUM4"));
    assert_eq!(ran.outcome.conclusion(), Conclusion::Failures);
}

#[tokio::test(start_paused = true)]
async fn a_soft_stop_that_hangs_fails_and_the_instance_is_watched_until_it_runs() {
    let rig = Rig { faults: vec![Fault::always(What::Hang)], ..Rig::default() };
    let text = resize(&[WEB], "stop: { timeout: 1m }");
    let ran = rig.run(&text).await;
    match ran.verdict(WEB) {
        Some(Verdict::Failed { failure: Failure::TimedOut { limit, .. } }) => {
            assert_eq!(*limit, Duration::from_mins(1));
        }
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!(ran.power(WEB), PowerState::Running);
    assert_eq!(ran.operations(WEB), ["StopInstances"], "it is never forced, nor sent again");
}

#[tokio::test(start_paused = true)]
async fn a_failed_operation_is_reported_with_the_vendors_words() {
    for action in
        ["StopInstances", "AssociateInstancesKeyPairs", "ResetInstancesPassword", "ResetInstancesType"]
    {
        let message = "no capacity on the host";
        let what = What::Fail(message.into());
        let rig = Rig { faults: vec![Fault::always(what).on(action)], ..Rig::default() };
        let ran = rig.run(THREE).await;
        match ran.verdict(WEB) {
            Some(Verdict::Failed { failure: Failure::Operation { message: told, .. } }) => {
                assert_eq!(told, message);
            }
            other => panic!("{action}: {other:?}\n{}", ran.told()),
        }
        assert_eq!(ran.power(WEB), PowerState::Running, "{action}\n{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_keeps_failing_needs_a_person() {
    let what = What::Fail("the host is down".into());
    let mut rig = Rig { faults: vec![Fault::always(what).on("StartInstances")], ..Rig::default() };
    rig.fleet.resize_boots = ResizeBoots::Never;
    let ran = rig.run(&resize(&[WEB], "")).await;
    match ran.verdict(WEB) {
        Some(Verdict::Stranded { power: PowerState::Stopped, .. }) => {}
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!(ran.outcome.conclusion(), Conclusion::PersonNeeded);
    assert_eq!(ran.calls_of("StartInstances"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_never_resent_blindly() {
    for action in [
        "StopInstances",
        "AssociateInstancesKeyPairs",
        "ResetInstancesPassword",
        "ResetInstancesType",
        "StartInstances",
    ] {
        for what in [What::LoseReply, What::LoseRequest] {
            let fault = Fault::always(what.clone()).on(action).nth(1);
            let mut rig = Rig { faults: vec![fault], ..Rig::default() };
            rig.fleet.resize_boots = ResizeBoots::Never;
            let ran = rig.run(THREE).await;
            assert_well(&ran, WEB);
            assert_eq!(ran.changes(WEB).len(), 3, "{action} {what:?}\n{}", ran.told());
            assert_eq!(ran.operations(WEB).len(), 5, "{action} {what:?}: {:?}", ran.operations(WEB));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_failures_stop_new_stops_only() {
    let what = What::Fail("broken".into());
    let rig = Rig { faults: vec![Fault::always(what).on("ResetInstancesType").nth(1)], ..Rig::default() };
    let ran = rig.run(&resize(&["ins-0web0001", "ins-0web0002"], "rollout: { at-once: 1 }")).await;
    assert!(matches!(ran.verdict("ins-0web0001"), Some(Verdict::Failed { .. })), "{}", ran.told());
    assert_eq!(ran.verdict("ins-0web0002"), Some(&Verdict::NotBegun { why: Halt::TooManyFailures }));
    assert!(ran.operations("ins-0web0002").is_empty());
    assert_eq!(ran.power("ins-0web0001"), PowerState::Running);
}

#[tokio::test(start_paused = true)]
async fn an_order_to_bring_back_ends_with_everything_running_and_can_be_resumed() {
    let pair = ["ins-0web0001", "ins-0web0002"];
    for seconds in [0, 1, 4, 9, 11, 13, 16, 20, 25] {
        let mut rig =
            Rig { orders: vec![(Duration::from_secs(seconds), Order::BringBack)], ..Rig::default() };
        rig.fleet.resize_boots = ResizeBoots::Random;
        let store = rig.store.clone();
        let ran = rig.run(&THREE.replace("[ins-0web0001]", "[ins-0web0001, ins-0web0002]")).await;
        for id in pair {
            assert_eq!(ran.power(id), PowerState::Running, "after {seconds} s\n{}", ran.told());
        }
        if ran.outcome.conclusion() == Conclusion::Well {
            continue;
        }
        assert_eq!(ran.outcome.conclusion(), Conclusion::Interrupted, "after {seconds} s\n{}", ran.told());
        let unfinished = store.runs().await.unwrap().remove(0);
        if unfinished.ended.is_some() {
            continue;
        }
        let clock = ran.scene.clock.clone();
        let journal =
            pitstop::journal::Journal::reopen(store, clock, &unfinished, "again".into()).await.unwrap();
        let again = Rig::default().drive(ran.scene, journal).await;
        for id in pair {
            assert_well(&again, id);
            assert_eq!(again.type_of(id), "S5.LARGE8");
            assert_eq!(again.changes(id).len(), 3, "after {seconds} s\n{}", again.told());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_to_leave_leaves_at_once() {
    let rig = Rig { orders: vec![(Duration::from_secs(3), Order::LeaveNow)], ..Rig::default() };
    let ran = rig.run(THREE).await;
    assert_eq!(ran.outcome.conclusion(), Conclusion::Interrupted);
    assert_eq!(ran.power(WEB), PowerState::Stopping);
}

#[tokio::test(start_paused = true)]
async fn after_an_append_that_failed_nothing_is_sent_and_what_is_down_is_named() {
    for appends in 0..30 {
        let store = Arc::new(FullAfter::appends(appends));
        let rig = Rig { store: store.clone(), ..Rig::default() };
        let scene = rig.scene();
        let plan = rig.plan(&scene, THREE).await.approve(Approval::Program).unwrap();
        let clock = scene.clock.clone();
        let journal =
            Journal::begin(store.clone(), clock, plan, Place::InProcess, "the test".into(), [1; 10]);
        let (ended, scene) = rig.try_drive(scene, journal.await.unwrap()).await;
        let intended = store
            .load(store.runs().await.unwrap()[0].id)
            .await
            .unwrap()
            .iter()
            .filter(|record| record.event.name() == "intended")
            .count();
        let sent = scene.world.with_world(|world| {
            let mutating = |entry: &&LogEntry| matches!(&entry.what, Happening::Began { .. });
            world.log().iter().filter(mutating).count()
        });
        assert!(
            sent <= intended,
            "{sent} calls were executed, {intended} were written down ({appends} appends)"
        );
        let running =
            scene.world.with_world(|world| world.power_of(&WEB.into()) == Some(&PowerState::Running));
        match ended {
            Ok(outcome) => assert_eq!(outcome.conclusion(), Conclusion::Well),
            Err(error) => {
                assert!(error.to_string().contains("disk is full"), "{error}");
                let named = error.down.iter().any(|id| id.as_str() == WEB);
                assert!(named || running, "it is down, and not named ({appends} appends)");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_instances_share_reads_and_calls() {
    let count = 250;
    let mut rig = Rig::default();
    rig.fleet.instances.retain(|instance| instance.id.as_str() == WEB);
    let one = rig.fleet.instances[0].clone();
    rig.fleet.instances = (0..count)
        .map(|at| {
            let mut instance = one.clone();
            instance.id = InstanceId::new(format!("ins-{at:08}"));
            instance.private_ip = format!("127.1.{}.{}", at / 200, at % 200 + 1);
            instance
        })
        .collect();
    let text = format!(
        "version: 1\nname: keys\ntarget: {{ region: ap-guangzhou, match: {{ name: web-1 }} }}\n\
         changes:\n  - load-ssh-key: {{ key: skey-0ops0001 }}\nrollout: {{ at-once: {count} }}\n"
    );
    let ran = rig.run(&text).await;
    assert_eq!(ran.outcome.instances.len(), count);
    assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
    for entry in &ran.log {
        if let Happening::Call { action, ids, .. } = &entry.what {
            assert!(ids.len() <= 100, "{action} names {} instances", ids.len());
        }
    }
    assert_eq!(ran.calls_of("StopInstances"), 3, "250 equal wishes fit three calls");
    let reads = ran.calls_of("DescribeInstances");
    assert!(reads < count, "{reads} reads for {count} instances");
}

/// Takes the newest run up again, `after` so long.
async fn again(ran: Ran, after: Duration) -> Ran {
    let Ran { scene, store, .. } = ran;
    scene.clock.sleep(after).await;
    let unfinished = store.runs().await.unwrap().remove(0);
    let journal = Journal::reopen(store.clone(), scene.clock.clone(), &unfinished, "again".into()).await;
    Rig { store, ..Rig::default() }.drive(scene, journal.unwrap()).await
}

fn ordered(orders: &[(u64, Order)]) -> Rig {
    let orders = orders.iter().map(|(seconds, order)| (Duration::from_secs(*seconds), *order)).collect();
    Rig { orders, ..Rig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_passed_while_no_process_was_there_is_no_time_out() {
    let ran = ordered(&[(3, Order::LeaveNow)]).run(THREE).await;
    assert_eq!(ran.outcome.conclusion(), Conclusion::Interrupted);
    let ran = again(ran, Duration::from_hours(1)).await;
    assert_well(&ran, WEB);
    assert_eq!(ran.changes(WEB).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_passed_while_reads_failed_is_no_time_out() {
    let mut outage = Fault::always(What::NoConnection).on("DescribeInstances");
    (outage.from, outage.until) = (Some(Duration::from_secs(5)), Some(Duration::from_secs(90)));
    let rig = Rig { faults: vec![outage], ..Rig::default() };
    let ran = rig.run(&resize(&[WEB], "stop: { timeout: 1m }")).await;
    assert_well(&ran, WEB);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_was_cut_off_is_no_interference() {
    // Stopped after some 8 s, started again by the order, left while it starts.
    let ran = ordered(&[(2, Order::BringBack), (9, Order::LeaveNow)]).run(THREE).await;
    assert_eq!(ran.operations(WEB), ["StopInstances", "StartInstances"], "{}", ran.told());
    let ran = again(ran, Duration::from_mins(1)).await;
    assert_well(&ran, WEB);
    assert_eq!(ran.changes(WEB).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_and_was_handed_back_running_can_be_gone_on_with() {
    let text = THREE.replace("ins-0web0001", "ins-0web0003") + "start: always\n";
    let id = "ins-0web0003";
    let ran = ordered(&[(1, Order::BringBack)]).run(&text).await;
    assert_eq!((ran.verdict(id), ran.power(id)), (None, PowerState::Running), "{}", ran.told());
    let ran = again(ran, Duration::from_secs(1)).await;
    assert_well(&ran, id);
    assert_eq!(ran.changes(id).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_refused_for_good_after_the_changes_needs_a_person() {
    let mut frozen = Fault::always(What::Refuse("UnsupportedOperation.InstanceStateFreezing".into()));
    frozen = frozen.on("StopInstances");
    frozen.from = Some(Duration::from_secs(12));
    let mut rig = Rig { faults: vec![frozen], ..Rig::default() };
    rig.fleet.resize_boots = ResizeBoots::Always;
    let ran = rig.run(&resize(&[WEB], "start: never")).await;
    match ran.verdict(WEB) {
        Some(Verdict::Stranded { power: PowerState::Running, .. }) => {}
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!(ran.calls_of("StopInstances"), 4, "{}", ran.told());
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_back_gets_a_verdict_when_too_many_others_fail() {
    let mut broken = Fault::always(What::Fail("broken".into())).on("StopInstances");
    broken.instance = Some("ins-0web0002".into());
    let mut rig = ordered(&[(4, Order::BringBack)]);
    rig.faults = vec![broken];
    let text = resize(&["ins-0web0001", "ins-0web0002"], "rollout: { at-once: 2, max-failures: 0 }");
    let ran = rig.run(&text).await;
    assert_eq!(ran.verdict(WEB), None, "{}", ran.told());
    let ran = again(ran, Duration::from_secs(1)).await;
    let failure = Failure::CutShort { left: vec![Action::Resize] };
    assert_eq!(ran.verdict(WEB), Some(&Verdict::Failed { failure }), "{}", ran.told());
    assert_eq!((ran.power(WEB), ran.type_of(WEB).as_str()), (PowerState::Running, "S5.MEDIUM4"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_whose_trace_somebody_else_hides_is_not_sent_again() {
    let mut outage = Fault::always(What::NoConnection).on("DescribeInstances");
    (outage.from, outage.until) = (Some(Duration::from_secs(1)), Some(Duration::from_secs(40)));
    let mut rig =
        Rig { faults: vec![outage, Fault::always(What::LoseReply).on("StopInstances")], ..Rig::default() };
    let after = Duration::from_secs(15);
    rig.fleet.events = vec![EventSpec { after, instance: WEB.into(), act: ForeignAct::Start }];
    let ran = rig.run(&resize(&[WEB], "")).await;
    assert!(
        matches!(ran.verdict(WEB), Some(Verdict::Failed { failure: Failure::Interference { .. } })),
        "{}",
        ran.told()
    );
    assert_eq!((ran.operations(WEB).len(), ran.power(WEB)), (1, PowerState::Running));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_shows_the_past_is_no_interference() {
    for read in 1..25 {
        let slow = Fault::always(What::Slow(Duration::from_secs(4))).on("DescribeInstances");
        let stale = Fault::always(What::Stale(Duration::from_secs(30))).on("DescribeInstances").nth(read);
        let ran = Rig { faults: vec![slow, stale], ..Rig::default() }.run(THREE).await;
        assert_well(&ran, WEB);
    }
}
