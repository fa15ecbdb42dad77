//! Which steps there are, in which order, and which power an instance ends with.

use crate::cloud::{PowerState, Stock};
use crate::plan::fixtures::*;
use crate::plan::{BuildError, EndPower, Inventory, Plan, Refusal, Step};
use crate::workflow::{KeySource, Resize, Start, Target, Workflow};

fn resize_step(to: &str, cpu: u32, memory_gib: u32) -> Step {
    Step::Resize { from: "S5.MEDIUM4".into(), to: to.into(), cpu, memory_gib, fallbacks: Vec::new() }
}

fn all_changes() -> Workflow {
    let mut workflow = resizing("S5.LARGE8");
    workflow.changes.reset_password = setting_password().changes.reset_password;
    workflow.changes.load_ssh_key = loading(KeySource::Id("skey-ops".into()), true).changes.load_ssh_key;
    workflow
}

#[test]
fn three_changes_are_keys_then_password_then_resize() {
    let plan = built(&all_changes(), &inventory(vec![instance("ins-1")]));
    assert_eq!(
        plan.instances[0].steps,
        [
            Step::LoadSshKeys { keys: keys(&["skey-old", "skey-ops"]), imported: false },
            Step::ResetPassword { user: "root".into() },
            resize_step("S5.LARGE8", 4, 8),
        ]
    );
    assert_eq!(plan.instances[0].ends, EndPower::Running);
    assert!(plan.instances[0].is_stopped_by_run());
    assert!(plan.password.is_some());
}

#[test]
fn what_is_there_already_is_no_step() {
    let mut there = instance("ins-1");
    (there.instance_type, there.cpu, there.memory_gib) = ("S5.LARGE8".into(), 4, 8);
    there.keys = keys(&["skey-ops"]);
    let shape = Resize::Shape { cpu: 4, memory_gib: 8 };
    for resize in [Resize::Type("S5.LARGE8".into()), shape] {
        for keep_existing in [true, false] {
            let mut workflow = loading(KeySource::Name("ops".into()), keep_existing);
            workflow.changes.resize = Some(resize.clone());
            let plan = built(&workflow, &inventory(vec![there.clone()]));
            assert!(plan.is_unchanged(), "{:?}", plan.instances[0]);
            assert_eq!(plan.stopped_by_run().count(), 0);
        }
    }
}

#[test]
fn a_key_beside_others_is_enough_only_if_they_are_kept() {
    let mut there = instance("ins-1");
    there.keys = keys(&["skey-ops", "skey-old"]);
    let inventory = inventory(vec![there]);
    let plan = |keep| built(&loading(KeySource::Name("ops".into()), keep), &inventory);
    assert!(plan(true).is_unchanged());
    assert_eq!(
        plan(false).instances[0].steps,
        [Step::LoadSshKeys { keys: keys(&["skey-ops"]), imported: false }]
    );
}

#[test]
fn ends_as_the_workflow_says() {
    use EndPower::{Running, Stopped};
    let table = [
        (Start::AsFound, PowerState::Running, Running),
        (Start::AsFound, PowerState::Stopped, Stopped),
        (Start::Always, PowerState::Running, Running),
        (Start::Always, PowerState::Stopped, Running),
        (Start::Never, PowerState::Running, Stopped),
        (Start::Never, PowerState::Stopped, Stopped),
    ];
    for (start, power, ends) in table {
        let mut found = instance("ins-1");
        found.power = power.clone();
        for mut workflow in [resizing("S5.LARGE8"), workflow(&["ins-1"])] {
            workflow.start = start;
            let plan = built(&workflow, &inventory(vec![found.clone()]));
            let planned = &plan.instances[0];
            assert_eq!(planned.ends, ends, "{start:?} {power}");
            let same = power == ends.state();
            assert_eq!(planned.is_unchanged(), planned.steps.is_empty() && same, "{start:?} {power}");
            let stops = power == PowerState::Running && (!planned.steps.is_empty() || ends == Stopped);
            assert_eq!(planned.is_stopped_by_run(), stops, "{start:?} {power}");
        }
    }
}

#[test]
fn the_user_is_the_workflows_or_the_administrator() {
    let user_of = |found, user: Option<&str>| {
        let mut workflow = setting_password();
        workflow.changes.reset_password.as_mut().unwrap().user = user.map(Into::into);
        let plan = built(&workflow, &inventory(vec![found]));
        match &plan.instances[0].steps[..] {
            [Step::ResetPassword { user }] => user.clone(),
            steps => panic!("{steps:?}"),
        }
    };
    let with = |os: &str| {
        let mut found = instance("ins-1");
        found.os = os.into();
        found
    };
    assert_eq!(user_of(with("Ubuntu Server 22.04"), None), "ubuntu");
    assert_eq!(user_of(with("Windows Server 2022"), None), "Administrator");
    assert_eq!(user_of(with("Debian 12"), Some("ops")), "ops");
}

#[test]
fn a_shape_is_the_type_of_the_same_family_that_has_it() {
    let mut workflow = resizing("unused");
    workflow.changes.resize = Some(Resize::Shape { cpu: 4, memory_gib: 8 });
    let mut inventory = inventory(vec![instance("ins-1")]);
    let step = |inventory: &Inventory| built(&workflow, inventory).instances[0].steps.clone();
    assert_eq!(step(&inventory), [resize_step("S5.LARGE8", 4, 8)]);

    // Of several, the one that can be had; of several of these, the plain one.
    let options = inventory.options.values_mut().next().unwrap().as_mut().unwrap();
    options.retain(|option| option.instance_type.as_str() != "S5.LARGE8");
    let mut unavailable = option("S5.AA8", 4, 8);
    unavailable.available = false;
    options.extend([option("S5.LARGE8X", 4, 8), option("S5.LARGE8", 4, 8), unavailable]);
    assert_eq!(step(&inventory), [resize_step("S5.LARGE8", 4, 8)]);

    // Without the options, out of the offers, the ones with stock first.
    inventory.options.clear();
    inventory.offers = Some(vec![
        offer("S5.LARGE8", 4, 8, Stock::None),
        offer("S5.LARGE8NEW", 4, 8, Stock::Normal),
        offer("S6.LARGE8", 4, 8, Stock::Enough),
    ]);
    assert_eq!(step(&inventory), [resize_step("S5.LARGE8NEW", 4, 8)]);
}

#[test]
fn a_public_key_is_known_by_its_material() {
    let key = |openssh: &str| KeySource::PublicKey { name: "ops".into(), openssh: openssh.into() };
    let plan = |openssh: &str| built(&loading(key(openssh), false), &inventory(vec![instance("ins-1")]));
    let known = plan("ssh-rsa OPS another comment\n");
    assert_eq!(known.instances[0].steps, [Step::LoadSshKeys { keys: keys(&["skey-ops"]), imported: false }]);
    assert_eq!(known.import_key, None);

    let new = plan("ssh-ed25519 OPS me");
    assert_eq!(new.instances[0].steps, [Step::LoadSshKeys { keys: vec![], imported: true }]);
    let import = new.import_key.unwrap();
    assert_eq!((import.name.as_str(), import.public_key.as_str()), ("ops_2", "ssh-ed25519 OPS me"));
    assert!(new.notes.iter().any(|note| note.contains("RSA")), "{:?}", new.notes);
}

#[test]
fn an_import_keeps_what_is_bound_if_it_shall() {
    let key = KeySource::PublicKey { name: "new".into(), openssh: "ssh-rsa NEW".into() };
    let plan = built(&loading(key, true), &inventory(vec![instance("ins-1")]));
    assert_eq!(plan.instances[0].steps, [Step::LoadSshKeys { keys: keys(&["skey-old"]), imported: true }]);
    assert!(plan.instances[0].warnings.iter().all(|w| !w.to_string().contains("stop working")));
}

#[test]
fn instances_come_once_in_the_workflows_order_or_by_name() {
    let ids = |plan: &Plan| plan.instances.iter().map(|i| i.id.to_string()).collect::<Vec<_>>();
    let mut inventory = inventory(vec![instance("ins-1"), instance("ins-2"), instance("ins-3")]);
    let named = built(&workflow(&["ins-3", "ins-1", "ins-3", "ins-9"]), &inventory);
    assert_eq!(ids(&named), ["ins-3", "ins-1", "ins-9"]);
    assert_eq!(named.instances[2].refusals, [Refusal::NotFound]);

    for (instance, name) in inventory.instances.iter_mut().zip(["web-2", "web-1", "web-1"]) {
        instance.name = name.into();
    }
    inventory.instances.reverse();
    let mut workflow = workflow(&[]);
    workflow.target = Target::Match { filter: crate::cloud::Filter::default(), at_most: Some(3) };
    assert_eq!(ids(&built(&workflow, &inventory)), ["ins-2", "ins-3", "ins-1"]);

    workflow.target = Target::Match { filter: crate::cloud::Filter::default(), at_most: Some(2) };
    let error = crate::plan::build(&workflow, &inventory, String::new()).unwrap_err();
    assert!(matches!(&error, BuildError::TooMany { found: 3, at_most: 2, .. }));
    assert_eq!(error.to_string(), "the match finds 3 instances, and `at-most` is 2: web-1, web-1, web-2");
}

#[test]
fn a_match_that_finds_nothing_is_a_plan_with_nothing_to_do() {
    let mut workflow = resizing("S5.LARGE8");
    workflow.target = Target::Match { filter: crate::cloud::Filter::default(), at_most: None };
    let plan = built(&workflow, &inventory(vec![]));
    assert!(plan.is_unchanged() && !plan.is_refused());
    assert_eq!(plan.notes, ["no instance fits, so there is nothing to do"]);
}

#[test]
fn without_the_refused_nothing_is_asked_for_that_only_they_needed() {
    let mut workflow = setting_password();
    workflow.target = Target::Instances(vec!["ins-1".into(), "ins-2".into()]);
    let mut bad = instance("ins-1");
    bad.power = PowerState::Shutdown;
    let (rest, refused) =
        built(&workflow, &inventory(vec![bad.clone(), instance("ins-2")])).without_refused();
    assert_eq!(rest.instances.len(), 1);
    assert_eq!(refused[0].id.as_str(), "ins-1");
    assert!(rest.password.is_some() && !rest.is_refused());

    let (rest, refused) = built(&workflow, &inventory(vec![bad])).without_refused();
    assert_eq!((rest.instances.len(), refused.len()), (0, 2));
    assert_eq!(rest.password, None);
}

#[test]
fn a_plan_survives_being_stored() {
    let mut found = instance("ins-1");
    found.power = PowerState::Other("HIBERNATED".into());
    let mut inventory = inventory(vec![found]);
    inventory.prices.insert(("ins-1".into(), "S5.LARGE8".into()), Ok(crate::cloud::Price::Once(12.5)));
    let plan = built(&all_changes(), &inventory);
    let text = serde_json::to_string(&plan).unwrap();
    let back: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(back, plan);
}

#[test]
fn the_json_form_is_the_documented_one() {
    let mut found = instance("ins-1");
    found.keys.clear();
    let plan = built(&all_changes(), &inventory(vec![found]));
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap());
}

/// The example in the module's docs is a whole plan, and is written again as it stands there.
#[test]
fn the_documented_example_is_a_plan() {
    let lines = include_str!("../mod.rs").lines().skip_while(|line| !line.contains("```json")).skip(1);
    let example: String =
        lines.take_while(|line| !line.contains("```")).map(|line| line.trim_start_matches("//!")).collect();
    let plan: Plan = serde_json::from_str(&example).unwrap();
    let value: serde_json::Value = serde_json::from_str(&example).unwrap();
    assert_eq!(serde_json::to_value(&plan).unwrap(), value);
    assert_eq!(plan.instances[1].refusals, [Refusal::NotFound]);
}

#[test]
fn one_fingerprint_for_what_one_approval_covers() {
    let base = built(&all_changes(), &inventory(vec![instance("ins-1")]));
    let same = |change: fn(&mut Plan)| {
        let mut other = base.clone();
        change(&mut other);
        other.fingerprint() == base.fingerprint()
    };
    assert_eq!(base.fingerprint().len(), 64);
    assert!(same(|plan| plan.instances[0].price = None));
    assert!(same(|plan| plan.notes.push("not checked: the weather".into())));
    assert!(same(|plan| plan.instances[0].warnings.push(crate::plan::Warning::LowStock("S5.LARGE8".into()))));
    assert!(same(|plan| plan.account = None));
    assert!(!same(|plan| plan.digest.push('x')));
    assert!(!same(|plan| plan.instances[0].warnings.push(crate::plan::Warning::HardStop)));
    assert!(!same(|plan| plan.instances[0].ends = EndPower::Stopped));
    assert!(!same(|plan| plan.instances[0].found.as_mut().unwrap().power = PowerState::Stopped));
    assert!(!same(|plan| {
        plan.instances[0].steps.pop();
    }));
}

#[test]
fn what_a_person_leaves_out_takes_its_needs_with_it() {
    let plan = built(&all_changes(), &inventory(vec![instance("ins-1")]));
    let left = plan.clone().without(&["ins-1".into()].into());
    assert_eq!((left.instances.len(), left.password), (0, None));
    assert_eq!(plan.clone().without(&["ins-9".into()].into()), plan);
}

#[test]
fn production_is_known_by_its_tag_in_any_case_and_in_chinese() {
    let tagged = |name: &str, value: &str| {
        let mut one = instance("ins-1");
        one.tags = [(name.to_owned(), value.to_owned())].into();
        crate::plan::Found::from(&one).is_production()
    };
    for (name, value) in [("env", "prod"), ("Environment", "PRODUCTION"), ("STAGE", " 生产 ")] {
        assert!(tagged(name, value), "{name}={value}");
    }
    for (name, value) in [("env", "preprod"), ("env", "staging"), ("role", "prod"), ("environ", "prod")] {
        assert!(!tagged(name, value), "{name}={value}");
    }
}
