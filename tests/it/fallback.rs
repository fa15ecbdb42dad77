//! `prefer`: the next type is taken when the first can't be had at the last moment.

use std::sync::Arc;

use pitstop::cloud::{Action, PowerState};
use pitstop::journal::{Event, Failure, Journal, Order, Place, Verdict};
use pitstop::plan::Approval;
use pitstop::sim::{Fault, What};

use crate::full_disk::FullAfter;
use crate::rig::{Ran, Rig, WEB};

const TEXT: &str = "
version: 1
name: prefer
target: { region: ap-guangzhou, instances: [ins-0web0001] }
changes:
  - resize: { prefer: [S5.LARGE8, S6.LARGE8, SA2.LARGE8] }
  - reset-password: { password: { env: NEW_PASSWORD } }
";

/// The first so many resizes are refused.
fn refusing(times: u32, code: &str) -> Rig {
    let mut fault = Fault::always(What::Refuse(code.into())).on("ResetInstancesType");
    fault.times = Some(times);
    Rig { faults: vec![fault], ..Rig::default() }
}

const SOLD_OUT: &str = "ResourcesSoldOut.SpecifiedInstanceType";

fn fell_back_to(ran: &Ran) -> Vec<&str> {
    ran.records
        .iter()
        .filter_map(|record| match &record.event {
            Event::FellBack { to, .. } => Some(to.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_type_is_taken_without_another_stop() {
    for (times, code, fallbacks, got) in [
        (0, SOLD_OUT, &[][..], "S5.LARGE8"),
        (1, SOLD_OUT, &["S6.LARGE8"], "S6.LARGE8"),
        (2, "ResourceInsufficient.SpecifiedInstanceType", &["S6.LARGE8", "SA2.LARGE8"], "SA2.LARGE8"),
        (1, "ResourceUnavailable.InstanceType", &["S6.LARGE8"], "S6.LARGE8"),
        (1, "ResourceNotFound.InvalidZoneInstanceType", &["S6.LARGE8"], "S6.LARGE8"),
        (1, "LimitExceeded.EniNumLimit", &["S6.LARGE8"], "S6.LARGE8"),
    ] {
        let ran = refusing(times, code).run(TEXT).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{code} {times}\n{}", ran.told());
        assert_eq!((ran.type_of(WEB).as_str(), ran.power(WEB)), (got, PowerState::Running), "{code} {times}");
        assert_eq!(fell_back_to(&ran), fallbacks, "{code} {times}");
        assert_eq!((ran.calls_of("StopInstances"), ran.changes(WEB).len()), (1, 2), "{code} {times}");
        let differences = ran.records.iter().find_map(|record| match &record.event {
            Event::Ended { differences, .. } => Some(differences),
            _ => None,
        });
        assert_eq!(differences, Some(&vec![]), "{code} {times}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_none_is_left_it_fails_and_starts_with_the_old_size() {
    let ran = refusing(3, SOLD_OUT).run(TEXT).await;
    match ran.verdict(WEB) {
        Some(Verdict::Failed { failure: Failure::Refused { action: Action::Resize, .. } }) => {}
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!((ran.type_of(WEB).as_str(), ran.power(WEB)), ("S5.MEDIUM4", PowerState::Running));
    assert_eq!((fell_back_to(&ran).len(), ran.calls_of("ResetInstancesType")), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn what_another_type_does_not_help_against_is_no_reason_to_fall_back() {
    for code in ["InvalidAccount.InsufficientBalance", "UnsupportedOperation.InstanceStateBanning"] {
        let ran = refusing(1, code).run(TEXT).await;
        assert!(matches!(ran.verdict(WEB), Some(Verdict::Failed { .. })), "{code}\n{}", ran.told());
        assert!(fell_back_to(&ran).is_empty(), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_has_a_listed_type_keeps_it_if_the_better_one_is_gone() {
    let text = TEXT.replace("[S5.LARGE8, S6.LARGE8, SA2.LARGE8]", "[S6.LARGE8, S5.MEDIUM4]");
    let ran = refusing(1, SOLD_OUT).run(&text).await;
    assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{}", ran.told());
    assert_eq!((ran.type_of(WEB).as_str(), ran.power(WEB)), ("S5.MEDIUM4", PowerState::Running));
    assert_eq!((fell_back_to(&ran), ran.calls_of("ResetInstancesType")), (vec!["S5.MEDIUM4"], 1));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_does_not_start_is_rolled_back_too() {
    let mut rig = refusing(1, SOLD_OUT);
    let web = rig.fleet.instances.iter_mut().find(|spec| spec.id.as_str() == WEB).unwrap();
    web.guest.dead_on = vec!["S6.LARGE8".into()];
    let ran = rig.run(&format!("{TEXT}on-failure: roll-back\n")).await;
    match ran.verdict(WEB) {
        Some(Verdict::Failed { failure: Failure::RolledBack { .. } }) => {}
        other => panic!("{other:?}\n{}", ran.told()),
    }
    assert_eq!((ran.type_of(WEB).as_str(), ran.power(WEB)), ("S5.MEDIUM4", PowerState::Running));
}

#[tokio::test(start_paused = true)]
async fn cut_at_any_record_it_ends_with_the_same_type() {
    let mut ended = false;
    for appends in 0..60 {
        let store = Arc::new(FullAfter::appends(appends));
        let rig = Rig { store: store.clone(), ..refusing(1, SOLD_OUT) };
        let scene = rig.scene();
        let plan = rig.plan(&scene, TEXT).await.approve(Approval::Program).unwrap();
        let (clock, by) = (scene.clock.clone(), "the test".to_owned());
        let Ok(journal) = Journal::begin(store.clone(), clock, plan, Place::InProcess, by, [1; 10]).await
        else {
            continue;
        };
        let run = journal.run();
        let (outcome, scene) = rig.try_drive(scene, journal).await;
        store.make_room();
        if outcome.is_ok() {
            ended = true;
            break;
        }
        let runs = pitstop::journal::Store::runs(store.as_ref()).await.unwrap();
        let run = runs.iter().find(|known| known.id == run).unwrap();
        let again = Journal::reopen(store.clone(), scene.clock.clone(), run, "again".into()).await.unwrap();
        let ran = Rig { store, ..Rig::default() }.drive(scene, again).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "cut at {appends}\n{}", ran.told());
        // A refusal that was not written down is asked for again, and is granted then.
        let got = ran.type_of(WEB);
        let expected = fell_back_to(&ran).first().copied().unwrap_or("S5.LARGE8");
        assert_eq!((got.as_str(), ran.calls_of("StopInstances")), (expected, 1), "cut at {appends}");
        assert_eq!(ran.changes(WEB).len(), 2, "cut at {appends}\n{}", ran.told());
    }
    assert!(ended, "more records than were cut");
}

#[tokio::test(start_paused = true)]
async fn ordered_to_end_it_does_not_ask_for_the_next_type() {
    // The answer to the resize comes after the order.
    let mut rig = refusing(1, SOLD_OUT);
    rig.faults.push(Fault::always(What::Slow(std::time::Duration::from_secs(8))).on("ResetInstancesType"));
    rig.orders = vec![(std::time::Duration::from_secs(18), Order::BringBack)];
    let ran = rig.run(TEXT).await;
    assert_eq!(ran.calls_of("ResetInstancesType"), 1, "{}", ran.told());
    assert_eq!((ran.verdict(WEB), ran.power(WEB)), (None, PowerState::Running), "{}", ran.told());
}
