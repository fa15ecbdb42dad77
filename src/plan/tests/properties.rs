//! What holds for every workflow and every inventory.

use proptest::prelude::*;

use crate::cloud::{
    Action, ChargeType, ErrorKind, Instance, Isolation, Operation, OperationState, PowerState, Price, Quota,
    RepairTask, Restriction, ScalingGroup, Stock, StopMode, StoppedCharging,
};
use crate::plan::fixtures::*;
use crate::plan::{Inventory, Plan, build};
use crate::workflow::{KeySource, LoadSshKey, ResetPassword, Resize, SecretSource, Start, Target, Workflow};

fn of<T: Clone + std::fmt::Debug + 'static>(choices: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(choices.to_vec())
}

fn any_instance(number: usize) -> impl Strategy<Value = Instance> {
    let power =
        PowerState::KNOWN.iter().cloned().chain([PowerState::Other("NEW".into())]).collect::<Vec<_>>();
    let size = (of(&["S5.MEDIUM4", "S5.LARGE8", "GN7.LARGE20", "odd", ""]), 0..300_u32, 0..2000_u32);
    let gates = (
        prop_oneof![3 => Just(Restriction::Normal), 1 => of(Restriction::KNOWN)],
        prop_oneof![3 => Just(Isolation::NotIsolated), 1 => of(Isolation::KNOWN)],
        of(StoppedCharging::KNOWN),
        of(ChargeType::KNOWN),
    );
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(of(OperationState::KNOWN)));
    let power = prop_oneof![3 => Just(PowerState::Running), 2 => Just(PowerState::Stopped), 1 => of(&power)];
    let bound = prop::sample::subsequence(vec!["skey-old", "skey-ops", "skey-x"], 0..=3);
    (power, size, gates, flags, bound, 0..12_u8).prop_map(move |(power, size, gates, flags, bound, ips)| {
        let mut found = instance(&format!("ins-{number}"));
        found.power = power;
        (found.instance_type, found.cpu, found.memory_gib) = (size.0.into(), size.1, size.2);
        (found.restriction, found.isolation, found.stopped_charging, found.charge_type) = gates;
        let (windows, gpu, local, operation) = flags;
        found.gpu = gpu;
        if windows {
            found.os = "Windows Server 2022".into();
        }
        if local {
            found.data_disks.push(disk("ldisk-1", "LOCAL_SSD"));
        }
        found.latest_operation = operation.map(|state| Operation {
            action: "StopInstances".into(),
            state,
            request: None,
            message: String::new(),
        });
        found.keys = keys(&bound);
        found.public_ips = (0..ips).map(|n| [1, 1, 1, n].into()).collect();
        found
    })
}

fn any_workflow() -> impl Strategy<Value = Workflow> {
    let resize = prop_oneof![
        of(&["S5.LARGE8", "S6.LARGE8", "NONE"]).prop_map(|to| Resize::Type(to.into())),
        prop::sample::subsequence(vec!["NONE", "S6.LARGE8", "S5.LARGE8", "S5.MEDIUM4"], 1..=4)
            .prop_map(|types| Resize::Prefer(types.into_iter().map(Into::into).collect())),
        (0..8_u32, 0..16_u32).prop_map(|(cpu, memory_gib)| Resize::Shape { cpu, memory_gib }),
    ];
    let key = prop_oneof![
        of(&["skey-ops", "skey-none", ""]).prop_map(|id| KeySource::Id(id.into())),
        of(&["ops", "none", ""]).prop_map(|name| KeySource::Name(name.into())),
        of(&["ssh-rsa OPS x", "ssh-rsa NEW", "", "x"])
            .prop_map(|text| KeySource::PublicKey { name: "ops".into(), openssh: text.into() }),
    ];
    let changes = (prop::option::of(resize), prop::option::of((key, any::<bool>())), any::<bool>());
    let named = prop::collection::vec(0..6_usize, 0..8).prop_map(|numbers| {
        Target::Instances(numbers.iter().map(|n| format!("ins-{n}").as_str().into()).collect())
    });
    let found = prop::option::of(0..6_usize)
        .prop_map(|at_most| Target::Match { filter: crate::cloud::Filter::default(), at_most });
    let start = of(&[Start::AsFound, Start::Always, Start::Never]);
    let mode = of(&[StopMode::Soft, StopMode::SoftFirst, StopMode::Hard]);
    (changes, prop_oneof![named, found], start, mode, any::<bool>()).prop_map(
        |((resize, key, password), target, start, mode, charging)| {
            let mut workflow = workflow(&[]);
            workflow.target = target;
            workflow.start = start;
            workflow.stop.mode = mode;
            if charging {
                workflow.stop.charging = crate::cloud::Charging::Stop;
            }
            workflow.changes.resize = resize;
            workflow.changes.load_ssh_key = key.map(|(key, keep_existing)| LoadSshKey { key, keep_existing });
            workflow.changes.reset_password =
                password.then_some(ResetPassword { user: None, password: SecretSource::Prompt });
            workflow
        },
    )
}

fn any_inventory() -> impl Strategy<Value = Inventory> {
    let instances = (any_instance(0), any_instance(1), any_instance(2), any_instance(3))
        .prop_map(|(a, b, c, d)| vec![a, b, c, d]);
    let world = prop::collection::vec(any::<bool>(), 8);
    let stock = of(&[Stock::Enough, Stock::Low, Stock::None, Stock::Unknown]);
    (instances, world, stock).prop_map(|(instances, world, stock)| {
        let mut inventory = inventory(instances);
        let id = inventory.instances[0].id.clone();
        if world[0] {
            let group = ScalingGroup { id: "asg".into(), name: String::new(), life_cycle: String::new() };
            inventory.scaling_groups.insert(id.clone(), group);
        }
        if world[1] {
            inventory.options.clear();
        }
        if world[2] {
            inventory.offers = None;
        }
        for offer in inventory.offers.iter_mut().flatten() {
            offer.stock = stock;
        }
        if world[3] {
            let price = Err(refused(ErrorKind::Capacity, "ResourcesSoldOut.SpecifiedInstanceType"));
            inventory.prices.insert((id.clone(), "S5.LARGE8".into()), price);
        } else {
            inventory.prices.insert((id.clone(), "S5.LARGE8".into()), Ok(Price::Once(-3.5)));
        }
        if world[4] {
            inventory.quotas.insert(id.clone(), Quota { used: 5, limit: Some(5) });
        }
        if world[5] {
            let task = RepairTask { id: "rep-1".into(), detail: "disk fault".into() };
            inventory.repair_tasks.insert(id.clone(), task);
        }
        if world[6] {
            inventory.release_timers.insert(id.clone());
        }
        inventory.own = world[7].then_some(id);
        inventory
    })
}

fn holds(plan: &Plan) {
    for planned in &plan.instances {
        let order: Vec<Action> = planned.steps.iter().map(crate::plan::Step::action).collect();
        let right = [Action::LoadSshKeys, Action::ResetPassword, Action::Resize];
        let expected: Vec<Action> = right.into_iter().filter(|action| order.contains(action)).collect();
        assert_eq!(order, expected, "each at most once, in order");
        if !planned.refusals.is_empty() {
            assert!(!planned.is_stopped_by_run() && !planned.is_unchanged());
        }
        if planned.is_unchanged() {
            assert!(!planned.is_stopped_by_run());
        }
        if planned.is_stopped_by_run() {
            let found = planned.found.as_ref().unwrap();
            assert_eq!(found.power, PowerState::Running);
        }
    }
    let mut ids: Vec<_> = plan.instances.iter().map(|planned| &planned.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), plan.instances.len(), "each instance once");
    let resets = plan.instances.iter().flat_map(|i| &i.steps).any(|s| s.action() == Action::ResetPassword);
    assert_eq!(plan.password.is_some(), resets);
}

proptest! {
    #[test]
    fn every_plan_keeps_the_rules(workflow in any_workflow(), inventory in any_inventory()) {
        if let Ok(plan) = build(&workflow, &inventory, "digest".into()) {
            holds(&plan);
            prop_assert_eq!(&build(&workflow, &inventory, "digest".into()).unwrap(), &plan);
            let stored: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
            prop_assert_eq!(&stored, &plan);
            prop_assert_eq!(stored.fingerprint(), plan.fingerprint());
            let all = plan.instances.len();
            let (rest, refused) = plan.without_refused();
            holds(&rest);
            prop_assert!(!rest.is_refused());
            prop_assert_eq!(rest.instances.len() + refused.len(), all);
        }
    }
}
