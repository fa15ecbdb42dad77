//! Everything a person should know before approving, and when.

use crate::cloud::{ChargeType, Charging, Instance, LoadBalancerUse, PowerState, Stock, StopMode};
use crate::plan::fixtures::*;
use crate::plan::{Inventory, OptionalRead, Unread, Warning};
use crate::workflow::{KeySource, Start, Workflow};

fn warnings(workflow: &Workflow, inventory: &Inventory) -> Vec<Warning> {
    let plan = built(workflow, inventory);
    assert!(!plan.is_refused(), "{:?}", plan.instances[0].refusals);
    let warnings = plan.instances[0].warnings.clone();
    for warning in &warnings {
        assert!(!warning.hint().is_empty() && !warning.to_string().is_empty());
    }
    warnings
}

fn with(change: fn(&mut Instance)) -> Inventory {
    let mut found = instance("ins-1");
    change(&mut found);
    inventory(vec![found])
}

#[test]
fn none_for_a_plain_resize() {
    assert!(warnings(&resizing("S5.LARGE8"), &with(|_| ())).is_empty());
}

#[test]
fn of_the_resize() {
    let mut scarce = with(|i| i.charge_type = ChargeType::Prepaid);
    scarce.offers = Some(vec![offer("S6.LARGE8", 4, 8, Stock::Low), offer("S6.LARGE8", 4, 8, Stock::None)]);
    assert_eq!(
        warnings(&resizing("S6.LARGE8"), &scarce),
        [
            Warning::LowStock("S6.LARGE8".into()),
            Warning::OtherFamily { from: "S5.MEDIUM4".into(), to: "S6.LARGE8".into() },
            Warning::Prepaid,
        ]
    );
    scarce.offers.as_mut().unwrap().push(offer("S6.LARGE8", 4, 8, Stock::Normal));
    assert_eq!(warnings(&resizing("S6.LARGE8"), &scarce).len(), 2);
}

#[test]
fn of_ways_to_log_in() {
    let both = || {
        let mut workflow = loading(KeySource::Name("ops".into()), false);
        workflow.changes.reset_password = setting_password().changes.reset_password;
        workflow
    };
    let dropped = Warning::KeysDropped(keys(&["skey-old"]));
    let key = |keep| loading(KeySource::Name("ops".into()), keep);
    assert_eq!(warnings(&key(true), &with(|_| ())), [Warning::PasswordLoginOff]);
    assert_eq!(warnings(&key(false), &with(|_| ())), [dropped.clone(), Warning::PasswordLoginOff]);
    assert_eq!(warnings(&both(), &with(|_| ())), [dropped, Warning::PasswordLoginOn]);
    assert_eq!(warnings(&both(), &with(|i| i.keys.clear())), [Warning::PasswordLoginOn]);
    assert_eq!(warnings(&setting_password(), &with(|_| ())), [Warning::PasswordLoginOn]);
    assert!(warnings(&setting_password(), &with(|i| i.keys.clear())).is_empty());
    assert!(warnings(&setting_password(), &with(|i| i.os = "Windows Server 2022".into())).is_empty());
}

#[test]
fn of_power() {
    let starting = |start| Workflow { start, ..resizing("S5.LARGE8") };
    let stopped = || with(|i| i.power = PowerState::Stopped);
    assert_eq!(warnings(&starting(Start::Always), &stopped()), [Warning::WillStart]);
    assert!(warnings(&starting(Start::AsFound), &stopped()).is_empty());
    assert_eq!(warnings(&starting(Start::Never), &with(|_| ())), [Warning::StaysStopped]);

    let stopping = |mode| {
        let mut workflow = resizing("S5.LARGE8");
        workflow.stop.mode = mode;
        workflow
    };
    assert_eq!(warnings(&stopping(StopMode::Hard), &with(|_| ())), [Warning::HardStop]);
    assert_eq!(warnings(&stopping(StopMode::SoftFirst), &with(|_| ())), [Warning::MayHardStop]);
    assert!(warnings(&stopping(StopMode::Hard), &stopped()).is_empty());

    let mut nightly = workflow(&["ins-1"]);
    (nightly.start, nightly.stop.charging) = (Start::Never, Charging::Stop);
    assert_eq!(warnings(&nightly, &with(|_| ())), [Warning::StopsCharging, Warning::StaysStopped]);
    assert!(warnings(&nightly, &stopped()).is_empty());
}

#[test]
fn of_load_balancers() {
    let usage = |health_check, port| LoadBalancerUse {
        id: "lb-1".into(),
        listener: "lbl-1".into(),
        port,
        health_check,
    };
    let mut balanced = with(|_| ());
    balanced
        .load_balancers
        .insert("ins-1".into(), vec![usage(Some(true), 80), usage(Some(true), 81), usage(Some(false), 82)]);
    let words: Vec<String> =
        warnings(&resizing("S5.LARGE8"), &balanced).iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "the load balancer lb-1 (lbl-1) sends requests to it; its health check takes a while to notice the stop",
            "the load balancer lb-1 (lbl-1) sends requests to it; it has no health check: clients may get errors \
             (502) while the instance is down",
        ]
    );
    balanced.instances[0].power = PowerState::Stopped;
    assert!(warnings(&resizing("S5.LARGE8"), &balanced).is_empty());
}

#[test]
fn of_a_group_that_could_not_be_looked_for() {
    let mut blind = with(|_| ());
    blind.unread = vec![Unread { read: OptionalRead::ScalingGroups, error: not_permitted() }];
    assert_eq!(warnings(&resizing("S5.LARGE8"), &blind), [Warning::ScalingNotChecked]);
    assert!(warnings(&resizing("S5.MEDIUM4"), &blind).is_empty());
    let notes = built(&resizing("S5.LARGE8"), &blind).notes;
    assert!(notes[0].starts_with("not checked: auto-scaling groups (a group destroys"), "{notes:?}");
}
