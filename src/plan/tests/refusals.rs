//! Every reason against an instance, what brings it up, and what does not.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::cloud::{
    ChargeType, ErrorKind, Instance, Isolation, Operation, OperationState, PowerState, Quota, RepairTask,
    Restriction, ScalingGroup, Stock, StoppedCharging,
};
use crate::plan::fixtures::*;
use crate::plan::{Inventory, Refusal, ResizeClass, check_password};
use crate::workflow::{KeySource, Resize, Start, Workflow};

/// The refusals of `ins-1`, as a person reads them.
fn refusals(workflow: &Workflow, inventory: &Inventory) -> Vec<String> {
    let plan = built(workflow, inventory);
    let planned = &plan.instances[0];
    assert_eq!(plan.is_refused(), !planned.refusals.is_empty());
    assert!(planned.refusals.is_empty() || !planned.is_stopped_by_run());
    for refusal in &planned.refusals {
        assert!(!refusal.hint().is_empty());
    }
    planned.refusals.iter().map(ToString::to_string).collect()
}

type Spoil<T> = (fn(&mut T), &'static str);
type Counted = (fn(&mut Instance), usize);

fn operating(found: &mut Instance) {
    found.latest_operation = Some(Operation {
        action: "RebootInstances".into(),
        state: OperationState::Operating,
        request: None,
        message: String::new(),
    });
}

#[test]
fn the_state_of_an_instance() {
    let table: [Spoil<Instance>; 8] = [
        (|i| i.power = PowerState::Pending, "its state is PENDING; it must be RUNNING or STOPPED"),
        (|i| i.power = PowerState::Shutdown, "its state is SHUTDOWN; it must be RUNNING or STOPPED"),
        (
            |i| i.power = PowerState::Other("HIBERNATED".into()),
            "its state is HIBERNATED; it must be RUNNING or STOPPED",
        ),
        (operating, "RebootInstances is in progress on it (OPERATING)"),
        (|i| i.restriction = Restriction::Expired, "it is restricted: EXPIRED"),
        (|i| i.restriction = Restriction::Other("NEW".into()), "it is restricted: NEW"),
        (|i| i.isolation = Isolation::Arrear, "it is isolated: ARREAR"),
        (
            |i| {
                i.power = PowerState::Stopped;
                i.stopped_charging = StoppedCharging::StopCharging;
            },
            "it was stopped without charge (STOP_CHARGING), and accepts nothing but a start",
        ),
    ];
    for (spoil, words) in table {
        let mut found = instance("ins-1");
        spoil(&mut found);
        for workflow in [resizing("S5.LARGE8"), setting_password()] {
            assert_eq!(refusals(&workflow, &inventory(vec![found.clone()])), [words]);
        }
    }
    assert!(refusals(&resizing("S5.LARGE8"), &inventory(vec![instance("ins-1")])).is_empty());
}

#[test]
fn an_instance_that_needs_nothing_is_refused_only_if_its_state_is_unclear() {
    let table: [Counted; 5] = [
        (|i| i.restriction = Restriction::Expired, 0),
        (|i| i.isolation = Isolation::Expire, 0),
        (|i| i.charge_type = ChargeType::Spotpaid, 0),
        (|i| i.power = PowerState::Rebooting, 2),
        (operating, 1),
    ];
    for (spoil, expected) in table {
        let mut found = instance("ins-1");
        spoil(&mut found);
        let mut inventory = inventory(vec![found]);
        inventory.own = Some("ins-1".into());
        inventory.release_timers.insert("ins-1".into());
        assert_eq!(refusals(&resizing("S5.MEDIUM4"), &inventory).len(), expected, "{inventory:?}");
    }
}

#[test]
fn what_was_stopped_without_charge_may_be_started() {
    let mut found = instance("ins-1");
    found.power = PowerState::Stopped;
    found.stopped_charging = StoppedCharging::StopCharging;
    let mut workflow = workflow(&["ins-1"]);
    workflow.start = Start::Always;
    assert!(refusals(&workflow, &inventory(vec![found])).is_empty());
}

#[test]
fn no_change_while_stopped_without_charge() {
    let mut workflow = resizing("S5.LARGE8");
    workflow.stop.charging = crate::cloud::Charging::Stop;
    let words = ["stopped without charge (`stop.charging: stop`) it would accept no change"];
    assert_eq!(refusals(&workflow, &inventory(vec![instance("ins-1")])), words);
    let mut stopped = instance("ins-1");
    stopped.power = PowerState::Stopped;
    assert!(refusals(&workflow, &inventory(vec![stopped])).is_empty());
}

#[test]
fn what_can_never_be_resized_may_still_get_a_password() {
    let table: [Spoil<Instance>; 4] = [
        (
            |i| i.data_disks.push(disk("ldisk-1", "LOCAL_SSD")),
            "it has a local disk (LOCAL_SSD), so its type can't be changed",
        ),
        (
            |i| i.system_disk = Some(disk("ldisk-1", "LOCAL_BASIC")),
            "it has a local disk (LOCAL_BASIC), so its type can't be changed",
        ),
        (
            |i| i.host = Some("host-1".into()),
            "it is on the dedicated host host-1, so its type can't be changed",
        ),
        (|i| i.charge_type = ChargeType::Spotpaid, "it is a spot instance, so its type can't be changed"),
    ];
    for (spoil, words) in table {
        let mut found = instance("ins-1");
        spoil(&mut found);
        assert_eq!(refusals(&resizing("S5.LARGE8"), &inventory(vec![found.clone()])), [words]);
        // Nobody asks what such an instance could become.
        let mut unasked = inventory(vec![found]);
        (unasked.options, unasked.offers) = (BTreeMap::default(), None);
        assert_eq!(refusals(&resizing("S5.LARGE8"), &unasked), [words]);
        assert!(refusals(&setting_password(), &unasked).is_empty());
    }
}

#[test]
fn a_type_that_can_not_be_had() {
    let unavailable = |i: &mut Inventory, reason: Option<&str>| {
        let options = i.options.values_mut().next().unwrap().as_mut().unwrap();
        let option = options.iter_mut().find(|o| o.instance_type.as_str() == "S5.LARGE8").unwrap();
        option.available = false;
        option.reason = reason.map(Into::into);
    };
    let stock = |i: &mut Inventory, stock| i.offers = Some(vec![offer("S5.LARGE8", 4, 8, stock)]);
    let to = "S5.LARGE8";

    let mut inventory = inventory(vec![instance("ins-1")]);
    unavailable(&mut inventory, Some("not with this image"));
    assert_eq!(refusals(&resizing(to), &inventory), ["it can't become S5.LARGE8: not with this image"]);
    stock(&mut inventory, Stock::None);
    assert_eq!(
        refusals(&resizing(to), &inventory),
        ["S5.LARGE8 is sold out in ap-guangzhou-3: not with this image"]
    );
    unavailable(&mut inventory, None);
    assert_eq!(refusals(&resizing(to), &inventory), ["S5.LARGE8 is sold out in ap-guangzhou-3"]);

    assert_eq!(
        refusals(&resizing("s5.large8"), &inventory),
        ["it can't become s5.large8; did you mean S5.LARGE8?"]
    );
    assert_eq!(refusals(&resizing("S5.MEDIUM"), &with_only(&["S5.MEDIUM4"])), ["it can't become S5.MEDIUM"]);
    assert_eq!(refusals(&resizing("M6p.QQQ"), &inventory), ["it can't become M6p.QQQ"]);
    inventory.options.clear();
    inventory.offers = Some(vec![]);
    assert_eq!(refusals(&resizing(to), &inventory), ["it can't become S5.LARGE8"]);
}

/// An inventory in which `ins-1` could become these types only.
fn with_only(types: &[&str]) -> Inventory {
    let mut inventory = inventory(vec![instance("ins-1")]);
    let options = inventory.options.values_mut().next().unwrap().as_mut().unwrap();
    options.retain(|option| types.contains(&option.instance_type.as_str()));
    inventory
}

#[test]
fn one_way_to_pay_that_is_not_sold_out_is_enough() {
    let mut inventory = inventory(vec![instance("ins-1")]);
    inventory.offers =
        Some(vec![offer("S5.LARGE8", 4, 8, Stock::None), offer("S5.LARGE8", 4, 8, Stock::Normal)]);
    assert!(refusals(&resizing("S5.LARGE8"), &inventory).is_empty());
}

#[test]
fn a_shape_that_the_family_does_not_have() {
    let mut workflow = resizing("unused");
    workflow.changes.resize = Some(Resize::Shape { cpu: 4, memory_gib: 12 });
    assert_eq!(
        refusals(&workflow, &inventory(vec![instance("ins-1")])),
        ["no type of the family S5 has 4 cores and 12 GiB; there are S5.LARGE16 (4 cores, 16 GiB), \
          S5.LARGE8 (4 cores, 8 GiB), S5.MEDIUM4 (2 cores, 4 GiB)"]
    );
}

#[test]
fn the_clouds_own_refusal() {
    let table = [
        (
            ErrorKind::Never,
            "UnsupportedOperation.SystemDiskType",
            "the cloud refuses the resize: UnsupportedOperation.SystemDiskType: in the vendor's words",
        ),
        (
            ErrorKind::Money,
            "InvalidAccount.UnpaidOrder",
            "the cloud refuses the resize: InvalidAccount.UnpaidOrder: in the vendor's words",
        ),
        (
            ErrorKind::Capacity,
            "ResourcesSoldOut.SpecifiedInstanceType",
            "S5.LARGE8 is sold out in ap-guangzhou-3: ResourcesSoldOut.SpecifiedInstanceType: in the vendor's words",
        ),
    ];
    for (kind, code, words) in table {
        let mut inventory = inventory(vec![instance("ins-1")]);
        inventory.prices.insert(("ins-1".into(), "S5.LARGE8".into()), Err(refused(kind, code)));
        assert_eq!(refusals(&resizing("S5.LARGE8"), &inventory), [words]);
        // Known to be sold out already: not said twice.
        inventory.offers = Some(vec![offer("S5.LARGE8", 4, 8, Stock::None)]);
        assert_eq!(refusals(&resizing("S5.LARGE8"), &inventory).len(), 1);
    }
    let mut inventory = inventory(vec![instance("ins-1")]);
    let class = ResizeClass::of(&inventory.instances[0]);
    inventory.options.insert(class, Err(refused(ErrorKind::Never, "InvalidParameter.CdzNotSupported")));
    assert_eq!(
        refusals(&resizing("S5.LARGE8"), &inventory),
        ["the cloud refuses the resize: InvalidParameter.CdzNotSupported: in the vendor's words"]
    );
}

#[test]
fn a_gpu_stays_in_its_family() {
    let mut found = instance("ins-1");
    found.gpu = true;
    let inventory = inventory(vec![found]);
    assert_eq!(
        refusals(&resizing("S6.LARGE8"), &inventory),
        ["it has a GPU, so it can't go from S5.MEDIUM4 to S6.LARGE8, which is of another family"]
    );
    assert!(refusals(&resizing("S5.LARGE8"), &inventory).is_empty());
}

#[test]
fn prepaid_instances_are_made_smaller_only_so_often() {
    let with = |charge_type, quota| {
        let mut found = instance("ins-1");
        found.charge_type = charge_type;
        let mut inventory = inventory(vec![found]);
        inventory.quotas.insert("ins-1".into(), quota);
        inventory
    };
    let used_up = Quota { used: 5, limit: Some(5) };
    assert_eq!(
        refusals(&resizing("S5.MEDIUM2"), &with(ChargeType::Prepaid, used_up)),
        ["it has been made smaller 5 times of 5 allowed"]
    );
    let table = [
        ("S5.LARGE8", ChargeType::Prepaid, used_up),
        ("S5.MEDIUM2", ChargeType::PostpaidByHour, used_up),
        ("S5.MEDIUM2", ChargeType::Prepaid, Quota { used: 4, limit: Some(5) }),
        ("S5.MEDIUM2", ChargeType::Prepaid, Quota { used: 9, limit: None }),
    ];
    for (to, charge_type, quota) in table {
        assert!(refusals(&resizing(to), &with(charge_type, quota)).is_empty(), "{to} {quota:?}");
    }
    let never = Quota { used: 0, limit: Some(0) };
    assert_eq!(refusals(&resizing("S5.MEDIUM2"), &with(ChargeType::Prepaid, never)).len(), 1);
}

#[test]
fn fewer_cores_carry_fewer_public_addresses() {
    use crate::plan::resize::public_ips_carried;
    let table =
        [(1, 2), (5, 2), (6, 3), (11, 3), (12, 4), (23, 5), (24, 6), (41, 8), (47, 9), (48, 10), (256, 10)];
    for (cores, carried) in table {
        assert_eq!(public_ips_carried(cores), carried, "{cores} cores");
    }
    let mut found = instance("ins-1");
    (found.cpu, found.memory_gib, found.instance_type) = (8, 16, "S5.2XLARGE16".into());
    found.public_ips = (1..=3).map(|n| [1, 2, 3, n].into()).collect();
    let found = inventory(vec![found]);
    assert_eq!(
        refusals(&resizing("S5.LARGE8"), &found),
        ["it has 3 public addresses, and S5.LARGE8 carries 2"]
    );
    // What it has already at its size, it may keep at a size that carries as many.
    let mut more = instance("ins-1");
    more.public_ips = (1..=3).map(|n| [1, 2, 3, n].into()).collect();
    assert!(refusals(&resizing("S5.LARGE8"), &inventory(vec![more])).is_empty());
}

#[test]
fn keys() {
    let plan = |key, found| refusals(&loading(key, false), &inventory(vec![found]));
    let mut windows = instance("ins-1");
    windows.os = "Windows Server 2022 DataCenter".into();
    windows.keys.clear();
    for key in ["skey-ops", "skey-none"] {
        assert_eq!(
            plan(KeySource::Id(key.into()), windows.clone()),
            ["it runs Windows, which takes no SSH keys"]
        );
    }
    let linux = || instance("ins-1");
    assert_eq!(
        plan(KeySource::Id("skey-opz".into()), linux()),
        ["the account has no SSH key skey-opz; did you mean skey-ops?"]
    );
    assert_eq!(
        plan(KeySource::Name("opps".into()), linux()),
        ["the account has no SSH key opps; did you mean ops?"]
    );
    assert_eq!(plan(KeySource::Name("qqqq".into()), linux()), ["the account has no SSH key qqqq"]);
    assert!(plan(KeySource::Name("ops".into()), linux()).is_empty());
}

#[test]
fn the_surroundings() {
    let table: [Spoil<Inventory>; 4] = [
        (
            |i| {
                let group =
                    ScalingGroup { id: "asg-1".into(), name: "web".into(), life_cycle: "IN_SERVICE".into() };
                i.scaling_groups.insert("ins-1".into(), group);
            },
            "it belongs to the auto-scaling group web (asg-1), which would replace or reinstall it when it stops",
        ),
        (
            |i| {
                let task = RepairTask { id: "rep-1".into(), detail: "disk fault".into() };
                i.repair_tasks.insert("ins-1".into(), task);
            },
            "the vendor has a repair task on it: disk fault (rep-1)",
        ),
        (
            |i| {
                i.release_timers.insert("ins-1".into());
            },
            "it has a release timer set, and will be destroyed",
        ),
        (|i| i.own = Some("ins-1".into()), "pitstop itself runs on it, and could not start it again"),
    ];
    for (spoil, words) in table {
        let mut inventory = inventory(vec![instance("ins-1")]);
        spoil(&mut inventory);
        assert_eq!(refusals(&setting_password(), &inventory), [words]);
        assert!(refusals(&resizing("S5.MEDIUM4"), &inventory).is_empty(), "nothing to do: {words}");
    }
}

#[test]
fn all_reasons_are_told_at_once() {
    let mut found = instance("ins-1");
    found.restriction = Restriction::Expired;
    found.isolation = Isolation::Expire;
    found.charge_type = ChargeType::Spotpaid;
    found.data_disks.push(disk("ldisk-1", "LOCAL_SSD"));
    operating(&mut found);
    let mut workflow = resizing("S5.LARGE8");
    workflow.changes.load_ssh_key = loading(KeySource::Name("nobody".into()), false).changes.load_ssh_key;
    let mut inventory = inventory(vec![found]);
    inventory.own = Some("ins-1".into());
    inventory.release_timers.insert("ins-1".into());
    assert_eq!(refusals(&workflow, &inventory).len(), 8);
}

#[test]
fn the_password_by_each_systems_rule() {
    let mut workflow = setting_password();
    workflow.target = workflow_over(&["ins-1", "ins-2", "ins-3"]);
    let mut windows = instance("ins-2");
    windows.os = "Windows Server 2022".into();
    let mut plan = built(&workflow, &inventory(vec![instance("ins-1"), windows]));
    let secret = SecretString::from("Sesame-12".to_owned());
    for _ in 0..2 {
        check_password(&mut plan, &secret);
        let refused: Vec<_> = plan.instances.iter().map(|i| i.refusals.len()).collect();
        assert_eq!(refused, [0, 1, 1]);
    }
    assert!(matches!(plan.instances[1].refusals[..], [Refusal::Password(_)]));
    assert_eq!(plan.instances[2].refusals, [Refusal::NotFound]);
    assert!(!format!("{plan:?}{}", serde_json::to_string(&plan).unwrap()).contains("Sesame"));

    check_password(&mut plan, &SecretString::from("Sesame-12-open".to_owned()));
    assert!(plan.instances[1].refusals.is_empty());
}

fn workflow_over(ids: &[&str]) -> crate::workflow::Target {
    crate::plan::fixtures::workflow(ids).target
}
