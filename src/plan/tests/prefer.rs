//! `prefer`: the first type that can be had, what is passed over for it, and what is fallen back to.

use crate::cloud::{CloudError, ErrorKind, Instance, InstanceId, InstanceType, Stock};
use crate::plan::fixtures::*;
use crate::plan::{Fallback, InstancePlan, Inventory, Refusal, Step, Warning};
use crate::workflow::{KeySource, OnFailure, Resize, Target, Workflow};

fn preferring(types: &[&str]) -> Workflow {
    let mut workflow = resizing("unused");
    workflow.changes.resize = Some(Resize::Prefer(types.iter().map(|to| (*to).into()).collect()));
    workflow
}

/// What is planned for `ins-1`, of this type, where these types are sold out.
fn planned(own: &str, types: &[&str], sold_out: &[&str]) -> InstancePlan {
    planned_with(&preferring(types), inventory(vec![of_type(own)]), sold_out)
}

fn planned_with(workflow: &Workflow, mut inventory: Inventory, sold_out: &[&str]) -> InstancePlan {
    for offer in inventory.offers.iter_mut().flatten() {
        if sold_out.contains(&offer.instance_type.as_str()) {
            (offer.stock, offer.on_sale) = (Stock::None, false);
        }
    }
    built(workflow, &inventory).instances.remove(0)
}

fn of_type(own: &str) -> Instance {
    let mut instance = instance("ins-1");
    instance.instance_type = own.into();
    instance
}

/// The types that the step goes through, first to last.
fn course(planned: &InstancePlan) -> Vec<&str> {
    let step = planned.steps.iter().find_map(|step| match step {
        Step::Resize { to, fallbacks, .. } => Some((to, fallbacks)),
        _ => None,
    });
    let Some((to, fallbacks)) = step else { return Vec::new() };
    [to].into_iter().chain(fallbacks.iter().map(|fallback| &fallback.to)).map(InstanceType::as_str).collect()
}

fn passed_over(planned: &InstancePlan) -> Vec<&str> {
    planned
        .warnings
        .iter()
        .filter_map(|warning| match warning {
            Warning::PassedOver { to, .. } => Some(to.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_first_that_can_be_had_is_taken_and_the_later_ones_are_kept() {
    let all = ["S5.LARGE8", "S6.LARGE8", "S5.LARGE16"];
    let none: [&str; 0] = [];
    for (own, types, sold_out, expected, over) in [
        ("S5.MEDIUM4", &all[..], &none[..], &all[..], &none[..]),
        ("S5.MEDIUM4", &all, &["S5.LARGE8"], &["S6.LARGE8", "S5.LARGE16"], &["S5.LARGE8"]),
        ("S5.MEDIUM4", &all, &["S6.LARGE8"], &["S5.LARGE8", "S5.LARGE16"], &["S6.LARGE8"]),
        ("S5.MEDIUM4", &["S9.NONE", "S6.LARGE8"], &none, &["S6.LARGE8"], &["S9.NONE"]),
        // It has one of them: an earlier one is better, a later one is not, and to stay is the last resort.
        ("S5.LARGE16", &all, &none, &all, &none),
        ("S6.LARGE8", &all, &none, &["S5.LARGE8", "S6.LARGE8"], &none),
        ("S5.LARGE16", &all, &["S6.LARGE8"], &["S5.LARGE8", "S5.LARGE16"], &["S6.LARGE8"]),
        ("S6.LARGE8", &all, &["S5.LARGE8"], &none, &["S5.LARGE8"]),
        ("S5.LARGE8", &all, &["S5.LARGE8"], &none, &none),
    ] {
        let planned = planned(own, types, sold_out);
        let case = format!("{own} to {types:?} without {sold_out:?}");
        assert_eq!(planned.refusals, [], "{case}");
        assert_eq!(course(&planned), expected, "{case}");
        assert_eq!(passed_over(&planned), over, "{case}");
        assert_eq!(planned.is_unchanged(), expected.is_empty(), "{case}");
    }
}

#[test]
fn if_none_can_be_had_each_says_why() {
    let planned = planned("S5.MEDIUM4", &["S5.LARGE8", "S9.NONE"], &["S5.LARGE8"]);
    assert!(
        matches!(planned.refusals[..], [Refusal::SoldOut { .. }, Refusal::TypeNotOffered { .. }]),
        "{:?}",
        planned.refusals
    );
    assert_eq!(passed_over(&planned), [""; 0], "what is refused is no warning too");
}

#[test]
fn one_that_has_a_listed_type_is_left_alone_whatever_is_wrong_with_it() {
    let mut world = inventory(vec![of_type("S6.LARGE8")]);
    world.instances[0].system_disk.as_mut().unwrap().kind = "LOCAL_SSD".into();
    world.release_timers.insert("ins-1".into());
    let kept = planned_with(&preferring(&["S5.LARGE8", "S6.LARGE8"]), world.clone(), &[]);
    assert!(kept.is_unchanged(), "{kept:?}");
    assert!(
        matches!(&kept.warnings[..], [Warning::PassedOver { why: Refusal::LocalDisk(_), .. }]),
        "{kept:?}"
    );
    let moved = planned_with(&preferring(&["S5.LARGE8"]), world, &[]);
    assert!(moved.refusals.contains(&Refusal::ReleaseTimer), "{moved:?}");
}

#[test]
fn other_changes_are_made_whether_it_keeps_its_type_or_not() {
    let mut workflow = preferring(&["S5.LARGE8", "S6.LARGE8"]);
    workflow.changes.load_ssh_key = loading(KeySource::Id("skey-ops".into()), false).changes.load_ssh_key;
    let kept = planned_with(&workflow, inventory(vec![of_type("S6.LARGE8")]), &["S5.LARGE8"]);
    assert!(matches!(kept.steps[..], [Step::LoadSshKeys { .. }]), "{kept:?}");
}

#[test]
fn a_step_fallen_back_to_is_a_step_of_its_own() {
    let planned = planned("S5.MEDIUM4", &["S5.LARGE8", "S6.LARGE8", "S5.LARGE16"], &[]);
    let [step] = &planned.steps[..] else { panic!("{planned:?}") };
    let rest = vec![Fallback { to: "S5.LARGE16".into(), cpu: 4, memory_gib: 16 }];
    assert_eq!(
        step.fallen_back_to(&"S6.LARGE8".into()),
        Step::Resize {
            from: "S5.MEDIUM4".into(),
            to: "S6.LARGE8".into(),
            cpu: 4,
            memory_gib: 8,
            fallbacks: rest
        }
    );
    assert_eq!(step.fallen_back_to(&"S9.NONE".into()), *step);
}

#[test]
fn a_plan_written_before_there_were_fallbacks_is_read() {
    let text = r#"{"resize":{"from":"S5.MEDIUM4","to":"S5.LARGE8","cpu":4,"memory-gib":8}}"#;
    let step: Step = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&step).unwrap(), text);
}

/// The plan of three alike, with how often the price was asked for.
async fn surveyed(failing: &[(&str, CloudError)]) -> (Vec<InstancePlan>, usize) {
    let ids = ["ins-1", "ins-2", "ins-3"];
    let mut cloud = FakeSurvey::of(ids.iter().map(|id| instance(id)).collect());
    for (to, error) in failing {
        cloud.failing_types.insert((*to).into(), error.clone());
    }
    let mut workflow = preferring(&["S5.LARGE8", "S6.LARGE8", "S5.LARGE16"]);
    workflow.target = Target::Instances(ids.iter().map(|id| InstanceId::from(*id)).collect());
    let plan = cloud.plan(&workflow).await;
    let asked = cloud.calls().into_iter().filter(|call| *call == "resize_price").count();
    (plan.instances, asked)
}

#[tokio::test]
async fn what_the_price_inquiry_refuses_gives_way_to_the_next_at_one_read_a_class() {
    let (plans, asked) = surveyed(&[]).await;
    assert_eq!((course(&plans[0])[0], asked), ("S5.LARGE8", 1));

    let sold_out = refused(ErrorKind::Capacity, "ResourcesSoldOut.SpecifiedInstanceType");
    let (plans, asked) = surveyed(&[("S5.LARGE8", sold_out.clone())]).await;
    assert!(plans.iter().all(|own| course(own) == ["S6.LARGE8", "S5.LARGE16"]), "{plans:?}");
    assert!(plans.iter().all(|own| own.price.is_some() && passed_over(own) == ["S5.LARGE8"]));
    assert_eq!(asked, 2);

    let (plans, asked) =
        surveyed(&["S5.LARGE8", "S6.LARGE8", "S5.LARGE16"].map(|to| (to, sold_out.clone()))).await;
    assert!(plans.iter().all(|own| own.refusals.len() == 3), "{plans:?}");
    assert_eq!(asked, 3);

    // Another type would not help against an unpaid order.
    let unpaid = refused(ErrorKind::Money, "InvalidAccount.UnpaidOrder");
    let (plans, _) = surveyed(&[("S5.LARGE8", unpaid)]).await;
    assert!(plans.iter().all(|own| matches!(own.refusals[..], [Refusal::ResizeRefused { .. }])));
}

#[test]
fn a_roll_back_says_what_it_does_not_undo() {
    let mut workflow = resizing("S5.LARGE8");
    workflow.on_failure = OnFailure::RollBack;
    let not_undone = |workflow: &Workflow| {
        let plan = built(workflow, &inventory(vec![instance("ins-1")]));
        let mut warnings = plan.instances[0].warnings.iter();
        warnings.find(|warning| matches!(warning, Warning::NotRolledBack(_))).map(ToString::to_string)
    };
    assert_eq!(not_undone(&workflow), None);
    workflow.changes.reset_password = setting_password().changes.reset_password;
    let words = "a roll-back gives the former type back, not the former password";
    assert_eq!(not_undone(&workflow).as_deref(), Some(words));
    workflow.on_failure = OnFailure::Start;
    assert_eq!(not_undone(&workflow), None);
}
