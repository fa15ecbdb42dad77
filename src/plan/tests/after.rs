//! Drift before the first stop, and differences after the run.

use crate::cloud::{
    Instance, Isolation, Operation, OperationState, PowerState, Restriction, StoppedCharging,
};
use crate::plan::fixtures::*;
use crate::plan::{Found, Step, differences, drift};

type Case = (fn(&mut Instance), Option<&'static str>);

#[test]
fn drift_is_what_matters_before_a_stop() {
    let table: [Case; 11] = [
        (|_| (), None),
        (|i| i.name = "renamed".into(), None),
        (|i| i.public_ips.clear(), None),
        (|i| i.power = PowerState::Stopped, Some("it was RUNNING and is STOPPED")),
        (|i| i.instance_type = "S5.LARGE8".into(), Some("its type was S5.MEDIUM4 and is S5.LARGE8")),
        (|i| i.keys = keys(&["skey-ops"]), Some("its SSH keys changed: gone skey-old; new skey-ops")),
        (|i| i.stopped_charging = StoppedCharging::StopCharging, Some("it was stopped without charge")),
        (|i| i.restriction = Restriction::Expired, Some("it is restricted: EXPIRED")),
        (|i| i.isolation = Isolation::Arrear, Some("it is isolated: ARREAR")),
        (|i| i.os = "Windows Server 2022".into(), Some("its system was reinstalled as Windows Server 2022")),
        (
            |i| {
                i.latest_operation = Some(Operation {
                    action: "ResetInstance".into(),
                    state: OperationState::Operating,
                    request: None,
                    message: String::new(),
                });
            },
            Some("ResetInstance is in progress on it"),
        ),
    ];
    let found = Found::from(&instance("ins-1"));
    for (change, words) in table {
        let mut now = instance("ins-1");
        change(&mut now);
        assert_eq!(drift(&found, &now).as_deref(), words);
    }
}

#[test]
fn what_was_found_without_charge_has_not_drifted() {
    let mut idle = instance("ins-1");
    idle.power = PowerState::Stopped;
    idle.stopped_charging = StoppedCharging::StopCharging;
    assert_eq!(drift(&Found::from(&idle), &idle), None);
}

#[test]
fn differences_are_what_nobody_asked_for() {
    let resize = Step::Resize {
        from: "S5.MEDIUM4".into(),
        to: "S5.LARGE8".into(),
        cpu: 4,
        memory_gib: 8,
        fallbacks: Vec::new(),
    };
    let load = |imported| Step::LoadSshKeys { keys: keys(&["skey-ops"]), imported };
    let larger = |i: &mut Instance| (i.instance_type, i.cpu, i.memory_gib) = ("S5.LARGE8".into(), 4, 8);
    let check = |steps: &[Step], change: &dyn Fn(&mut Instance)| {
        let mut after = instance("ins-1");
        change(&mut after);
        differences(&Found::from(&instance("ins-1")), steps, &after)
    };
    let none: [String; 0] = [];
    assert_eq!(check(&[], &|_| ()), none);
    assert_eq!(check(std::slice::from_ref(&resize), &|i| larger(i)), none);
    assert_eq!(
        check(std::slice::from_ref(&resize), &|_| ()),
        none,
        "a resize that failed is the run's own verdict"
    );
    assert_eq!(
        check(&[], &|i| larger(i)),
        ["its type is S5.LARGE8 with 4 cores and 8 GiB; S5.MEDIUM4 with 2 cores and 4 GiB was expected"]
    );
    assert_eq!(check(&[resize], &|i| i.instance_type = "S6.LARGE8".into()).len(), 1);
    assert_eq!(check(&[load(false)], &|i| i.keys = keys(&["skey-ops"])), none);
    assert_eq!(check(&[load(true)], &|i| i.keys = keys(&["skey-ops", "skey-new"])), none);
    assert_eq!(
        check(&[load(false)], &|i| i.keys = keys(&["skey-ops", "skey-x"])),
        ["its SSH keys changed: new skey-x"]
    );
    assert_eq!(check(&[], &|i| i.keys.clear()), ["its SSH keys changed: gone skey-old"]);
    assert_eq!(
        check(&[], &|i| {
            i.private_ips = vec![[10, 0, 0, 2].into()];
            i.public_ips.clear();
            i.data_disks.clear();
            i.security_groups.push("sg-2".into());
        }),
        [
            "its private addresses changed: gone 10.0.0.1; new 10.0.0.2",
            "its public addresses changed: gone 1.2.3.4",
            "its disks changed: gone disk-data",
            "its security groups changed: new sg-2",
        ]
    );
}
