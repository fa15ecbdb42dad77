//! Which reads a survey makes, how many, and what becomes of those that fail.

use crate::cloud::{ChargeType, ErrorKind, Filter, Instance, InstanceId, PowerState, Quota, Stock};
use crate::plan::fixtures::*;
use crate::plan::{Inventory, OptionalRead, Refusal, SurveyError, Warning, survey};
use crate::workflow::{KeySource, Resize, Start, Target, Workflow};

const SURROUNDINGS: [&str; 4] = ["load_balancers", "release_timers", "repair_tasks", "scaling_groups"];

fn sorted(reads: &[&'static str]) -> Vec<&'static str> {
    let mut reads = reads.to_vec();
    reads.sort_unstable();
    reads
}

async fn calls(workflow: &Workflow, instances: Vec<Instance>) -> Vec<&'static str> {
    let cloud = FakeSurvey::of(instances);
    survey(workflow, &cloud).await.unwrap();
    cloud.calls()
}

#[tokio::test]
async fn only_what_the_workflow_needs() {
    let here = || vec![instance("ins-1")];
    let always = ["look", "caller"];
    let market = ["resize_options", "type_offers", "resize_price"];
    let all = |parts: &[&[&'static str]]| sorted(&parts.concat());

    let resize = calls(&resizing("S5.LARGE8"), here()).await;
    assert_eq!(resize, all(&[&always, &SURROUNDINGS, &market]));
    assert!(resize.len() <= 11);
    assert_eq!(calls(&setting_password(), here()).await, all(&[&always, &SURROUNDINGS]));
    let key = loading(KeySource::Name("ops".into()), false);
    assert_eq!(calls(&key, here()).await, all(&[&always, &SURROUNDINGS, &["key_pairs"]]));

    assert_eq!(calls(&resizing("S5.MEDIUM4"), here()).await, all(&[&always]), "nothing to do");
    assert_eq!(calls(&resizing("S5.LARGE8"), vec![]).await, all(&[&always]), "not there");
    let bound = loading(KeySource::Name("old".into()), false);
    assert_eq!(calls(&bound, here()).await, all(&[&always, &["key_pairs"]]), "bound already");
}

#[tokio::test]
async fn a_stopped_instance_is_not_looked_for_behind_load_balancers() {
    let mut stopped = instance("ins-1");
    stopped.power = PowerState::Stopped;
    assert!(!calls(&setting_password(), vec![stopped.clone()]).await.contains(&"load_balancers"));
    let mut start = workflow(&["ins-1"]);
    start.start = Start::Always;
    assert!(calls(&start, vec![stopped]).await.contains(&"scaling_groups"));
}

#[tokio::test]
async fn many_instances_of_a_class_cost_one_read_each() {
    let ids: Vec<String> = (0..250).map(|n| format!("ins-{n:03}")).collect();
    let instances = ids.iter().map(|id| instance(id)).collect();
    let mut workflow = resizing("S5.LARGE8");
    workflow.target = Target::Instances(ids.iter().map(|id| InstanceId::from(id.as_str())).collect());
    let calls = calls(&workflow, instances).await;
    let count = |read| calls.iter().filter(|call| **call == read).count();
    assert_eq!((count("look"), count("scaling_groups"), count("release_timers")), (3, 3, 3));
    assert_eq!((count("resize_options"), count("type_offers"), count("resize_price")), (1, 1, 1));
}

#[tokio::test]
async fn a_refusal_of_one_is_not_held_against_its_class() {
    let mut workflow = resizing("S5.LARGE8");
    workflow.target = Target::Instances(vec!["ins-1".into(), "ins-2".into(), "ins-3".into()]);
    let mut cloud = FakeSurvey::of(vec![instance("ins-1"), instance("ins-2"), instance("ins-3")]);
    let unpaid = refused(ErrorKind::Money, "InvalidAccount.UnpaidOrder");
    cloud.failing_prices.insert("ins-1".into(), unpaid);
    let plan = cloud.plan(&workflow).await;
    let refused: Vec<bool> = plan.instances.iter().map(|i| !i.refusals.is_empty()).collect();
    assert_eq!(refused, [true, false, false]);

    // Sold out is sold out for all of them: one inquiry.
    let mut cloud = FakeSurvey::of(cloud.instances);
    let sold_out =
        crate::plan::fixtures::refused(ErrorKind::Capacity, "ResourcesSoldOut.SpecifiedInstanceType");
    cloud.failing_prices.insert("ins-1".into(), sold_out);
    let plan = cloud.plan(&workflow).await;
    assert!(plan.instances.iter().all(|i| matches!(i.refusals[..], [Refusal::SoldOut { .. }])));
    assert_eq!(cloud.calls().iter().filter(|call| **call == "resize_price").count(), 1);
}

#[tokio::test]
async fn what_can_not_be_resized_is_not_asked_about() {
    let mut spot = instance("ins-1");
    spot.charge_type = ChargeType::Spotpaid;
    assert_eq!(
        calls(&resizing("S5.LARGE8"), vec![spot]).await,
        sorted(&[&SURROUNDINGS[..], &["look", "caller"]].concat())
    );
    let sold_out = {
        let mut cloud = FakeSurvey::of(vec![instance("ins-1")]);
        cloud.offers = vec![offer("S5.LARGE8", 4, 8, Stock::None)];
        survey(&resizing("S5.LARGE8"), &cloud).await.unwrap();
        cloud.calls()
    };
    assert!(!sold_out.contains(&"resize_price"));
}

#[tokio::test]
async fn the_quota_is_read_for_prepaid_downgrades_only() {
    let mut prepaid = instance("ins-1");
    prepaid.charge_type = ChargeType::Prepaid;
    assert!(!calls(&resizing("S5.LARGE8"), vec![prepaid.clone()]).await.contains(&"downgrade_quota"));
    let mut cloud = FakeSurvey::of(vec![prepaid]);
    cloud.quotas.insert("ins-1".into(), Quota { used: 5, limit: Some(5) });
    let plan = cloud.plan(&resizing("S5.MEDIUM2")).await;
    assert_eq!(plan.instances[0].refusals, [Refusal::DowngradeQuota { used: 5, limit: 5 }]);
}

#[tokio::test]
async fn too_many_are_not_looked_into() {
    let mut workflow = resizing("S5.LARGE8");
    workflow.target = Target::Match { filter: Filter::default(), at_most: Some(1) };
    let instances = vec![instance("ins-1"), instance("ins-2")];
    assert_eq!(calls(&workflow, instances).await, ["caller", "find"]);
}

#[tokio::test]
async fn an_optional_read_that_is_withheld_is_a_note() {
    let reads = [
        ("caller", OptionalRead::Caller),
        ("scaling_groups", OptionalRead::ScalingGroups),
        ("load_balancers", OptionalRead::LoadBalancers),
        ("repair_tasks", OptionalRead::RepairTasks),
        ("release_timers", OptionalRead::ReleaseTimers),
        ("resize_options", OptionalRead::ResizeOptions),
        ("type_offers", OptionalRead::TypeOffers),
        ("resize_price", OptionalRead::ResizePrice),
        ("downgrade_quota", OptionalRead::DowngradeQuota),
    ];
    let mut prepaid = instance("ins-1");
    prepaid.charge_type = ChargeType::Prepaid;
    for (name, read) in reads {
        for error in [not_permitted(), refused(ErrorKind::Argument, "InvalidAction")] {
            let cloud = FakeSurvey::of(vec![prepaid.clone()]).failing(name, error);
            let plan = cloud.plan(&resizing("S5.MEDIUM2")).await;
            assert!(!plan.is_refused(), "{name}: {:?}", plan.instances[0].refusals);
            let notes: Vec<_> = plan.notes.iter().filter(|note| note.contains(&read.to_string())).collect();
            assert_eq!(notes.len(), 1, "{name}: {:?}", plan.notes);
            let warned = plan.instances[0].warnings.contains(&Warning::ScalingNotChecked);
            assert_eq!(warned, read == OptionalRead::ScalingGroups, "{name}");
        }
        let lost = refused(ErrorKind::Network, "connection reset");
        let cloud = FakeSurvey::of(vec![prepaid.clone()]).failing(name, lost.clone());
        assert_eq!(
            survey(&resizing("S5.MEDIUM2"), &cloud).await.unwrap_err(),
            SurveyError::Optional { read, error: lost }
        );
    }
}

#[tokio::test]
async fn a_core_read_that_fails_is_an_error_that_says_what_to_do() {
    let key = loading(KeySource::Name("ops".into()), false);
    for (read, workflow, action) in
        [("look", resizing("S5.LARGE8"), "cvm:DescribeInstances"), ("key_pairs", key, "cvm:DescribeKeyPairs")]
    {
        let cloud = FakeSurvey::of(vec![instance("ins-1")]).failing(read, not_permitted());
        let error = survey(&workflow, &cloud).await.unwrap_err();
        assert!(error.hint().contains(action), "{}", error.hint());
        assert_eq!(error.cause(), &not_permitted());
    }
    let cloud = FakeSurvey::of(vec![instance("ins-1")])
        .failing("resize_options", not_permitted())
        .failing("type_offers", not_permitted());
    for wanted in [Resize::Type("S5.LARGE8".into()), Resize::Shape { cpu: 4, memory_gib: 8 }] {
        let mut workflow = resizing("unused");
        workflow.changes.resize = Some(wanted);
        assert_eq!(survey(&workflow, &cloud).await.unwrap_err(), SurveyError::Types(not_permitted()));
    }
}

#[tokio::test]
async fn a_shape_is_found_with_and_without_the_options() {
    let mut workflow = resizing("unused");
    workflow.changes.resize = Some(Resize::Shape { cpu: 4, memory_gib: 8 });
    let absent = refused(ErrorKind::Argument, "InvalidAction");
    let international = FakeSurvey::of(vec![instance("ins-1")]).failing("resize_options", absent);
    for (cloud, currency) in [(FakeSurvey::of(vec![instance("ins-1")]), "CNY"), (international, "USD")] {
        let plan = cloud.plan(&workflow).await;
        let planned = &plan.instances[0];
        assert!(format!("{:?}", planned.steps).contains("S5.LARGE8"), "{:?}", planned.steps);
        assert_eq!(planned.price.as_ref().unwrap().currency, currency);
    }
    // A shape that nobody has costs no further read.
    workflow.changes.resize = Some(Resize::Shape { cpu: 3, memory_gib: 7 });
    let cloud = FakeSurvey::of(vec![instance("ins-1")]);
    let plan = cloud.plan(&workflow).await;
    assert!(matches!(plan.instances[0].refusals[..], [Refusal::NoSuchShape { .. }]));
    assert!(!cloud.calls().contains(&"type_offers"));
}

#[tokio::test]
async fn a_survey_may_cross_threads() {
    fn crosses(_: &(impl Future<Output = Result<Inventory, SurveyError>> + Send)) {}
    let (workflow, cloud) = (resizing("S5.LARGE8"), FakeSurvey::of(vec![instance("ins-1")]));
    let survey = survey(&workflow, &cloud);
    crosses(&survey);
    survey.await.unwrap();
}
