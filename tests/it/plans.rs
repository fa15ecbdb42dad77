//! Plans over the real client and the simulated cloud: every awkward instance of the demo fleet gives its reason.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pitstop::clock::Clock;
use pitstop::plan::{InstancePlan, Plan, SurveyError, Warning, build, survey};
use pitstop::sim::{
    DEMO_REGION, DEMO_SECRET_ID, DEMO_SECRET_KEY, Fleet, Happening, InProcess, LogEntry, World,
};
use pitstop::tencent::credentials::Credential;
use pitstop::tencent::{Client, Settings};
use pitstop::workflow::{Document, Workflow};

/// A client of a demo fleet, and the way to look at its world.
fn demo(change: impl FnOnce(&mut Fleet)) -> (Client, InProcess) {
    let began = "2026-05-04T22:00:00Z".parse().expect("a time");
    let clock = Clock::simulated(began);
    let mut fleet = Fleet::demo();
    change(&mut fleet);
    let world = InProcess::new(World::new(fleet, 1, began), clock.clone());
    let credential = Credential {
        secret_id: DEMO_SECRET_ID.to_owned(),
        secret_key: DEMO_SECRET_KEY.into(),
        token: None,
        expires: None,
        source: "the demo fleet".to_owned(),
    };
    let settings = Settings::of_region(DEMO_REGION);
    let client =
        Client::new(settings, Arc::new(world.clone()), Arc::new(credential), clock).expect("a region");
    (client, world)
}

/// A workflow over this target, with this rest.
fn workflow(target: &str, rest: &str) -> Workflow {
    let text = format!("version: 1\nname: test\ntarget:\n  region: {DEMO_REGION}\n  {target}\n{rest}\n");
    let no_files = |path: &Path| panic!("{} is not needed", path.display());
    Document::check("test.yaml", text.as_bytes(), &BTreeMap::new(), &no_files)
        .unwrap_or_else(|complaints| panic!("{}", complaints.render(false)))
}

const RESIZE: &str = "changes:\n  - resize: { type: S5.LARGE16 }";
const KEY: &str = "changes:\n  - load-ssh-key: { name: ops }";
const PASSWORD: &str = "changes:\n  - reset-password: { password: { env: NEW_PASSWORD } }";

async fn plan(target: &str, rest: &str) -> Plan {
    let (client, world) = demo(|_| {});
    let workflow = workflow(target, rest);
    let inventory =
        survey(&workflow, &client).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.cause()));
    let reads = |action: &String| {
        ["Describe", "InquiryPrice", "GetCallerIdentity"].iter().any(|prefix| action.starts_with(prefix))
    };
    assert!(calls(&world).iter().all(reads), "a plan changes nothing: {:?}", calls(&world));
    build(&workflow, &inventory, "digest".to_owned()).expect("a plan")
}

/// The actions that were called so far.
fn calls(world: &InProcess) -> Vec<String> {
    let action = |entry: &LogEntry| match &entry.what {
        Happening::Call { action, .. } => Some(action.clone()),
        Happening::Began { .. } | Happening::Changed { .. } | Happening::KeyImported { .. } => None,
    };
    world.with_world(|world| world.log().iter().filter_map(action).collect())
}

async fn plan_one(id: &str, rest: &str) -> InstancePlan {
    let mut plan = plan(&format!("instances: [{id}]"), rest).await;
    assert_eq!(plan.notes, [""; 0]);
    assert_eq!(plan.account.as_deref(), Some("100000000001"));
    plan.instances.remove(0)
}

fn words<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn every_awkward_instance_gives_its_reason() {
    let table: [(&str, &str, &[&str]); 14] = [
        ("ins-0spot001", RESIZE, &["it is a spot instance, so its type can't be changed"]),
        ("ins-0local01", RESIZE, &["it has a local disk (LOCAL_SSD), so its type can't be changed"]),
        (
            "ins-0host001",
            RESIZE,
            &["it is on the dedicated host host-0sim0001, so its type can't be changed"],
        ),
        (
            "ins-0group01",
            PASSWORD,
            &[
                "it belongs to the auto-scaling group web-group (asg-0sim0001), which would replace or reinstall it \
               when it stops",
            ],
        ),
        (
            "ins-0isolat1",
            PASSWORD,
            &["its state is SHUTDOWN; it must be RUNNING or STOPPED", "it is isolated: MANMADE"],
        ),
        ("ins-0expire1", PASSWORD, &["it is restricted: EXPIRED", "it is isolated: EXPIRE"]),
        (
            "ins-0nopay01",
            KEY,
            &["it was stopped without charge (STOP_CHARGING), and accepts nothing but a start"],
        ),
        ("ins-0busy001", KEY, &["ResizeInstanceDisks is in progress on it (OPERATING)"]),
        (
            "ins-0small01",
            "changes:\n  - resize: { type: S5.MEDIUM4 }",
            &[
                "it can't become S5.MEDIUM4: The instance `ins-0small01` has been made smaller as often as is \
                 allowed.",
                "it has been made smaller 5 times of 5 allowed",
            ],
        ),
        (
            "ins-0repair1",
            PASSWORD,
            &["the vendor has a repair task on it: The host is to be replaced (rep-0sim0001)"],
        ),
        ("ins-0timer01", PASSWORD, &["it has a release timer set, and will be destroyed"]),
        ("ins-0win0001", KEY, &["it runs Windows, which takes no SSH keys"]),
        ("ins-0none001", PASSWORD, &["not found in this region"]),
        ("ins-0stubb01", RESIZE, &[]),
    ];
    for (id, rest, expected) in table {
        let planned = plan_one(id, rest).await;
        assert_eq!(words(&planned.refusals), expected, "{id}");
        assert_eq!(planned.is_stopped_by_run(), expected.is_empty(), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_hinders_a_resize_does_not_hinder_a_password() {
    for id in ["ins-0spot001", "ins-0local01", "ins-0host001"] {
        let planned = plan_one(id, PASSWORD).await;
        assert_eq!(words(&planned.refusals), [""; 0], "{id}");
        assert_eq!(planned.steps.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn load_balancers_are_told_of() {
    let checked = plan_one("ins-0lbchk01", RESIZE).await;
    assert_eq!(
        words(&checked.warnings),
        [
            "the load balancer lb-0sim0001 (lbl-0sim0001) sends requests to it; its health check takes a while to \
          notice the stop"
        ]
    );
    let unchecked = plan_one("ins-0lbnone1", RESIZE).await;
    assert_eq!(
        words(&unchecked.warnings),
        [
            "the load balancer lb-0sim0002 (lbl-0sim0002) sends requests to it; it has no health check: clients may \
          get errors (502) while the instance is down"
        ]
    );
    assert!(checked.is_stopped_by_run() && unchecked.is_stopped_by_run());
}

#[tokio::test(start_paused = true)]
async fn the_market_is_looked_at_before_the_stop() {
    let to = |to: &str| format!("changes:\n  - resize: {{ type: {to} }}");
    let sold_out = plan_one("ins-0web0001", &to("S6.LARGE16")).await;
    assert_eq!(sold_out.refusals.len(), 1);
    let refusal = sold_out.refusals[0].to_string();
    assert!(refusal.starts_with("S6.LARGE16 is sold out in ap-guangzhou-3"), "{refusal}");

    let scarce = plan_one("ins-0web0001", &to("SA2.LARGE8")).await;
    assert_eq!(scarce.refusals, []);
    assert!(words(&scarce.warnings)[0].starts_with("little is left of SA2.LARGE8"), "{:?}", scarce.warnings);
    assert!(scarce.price.is_some());

    let mistyped = plan_one("ins-0web0001", &to("S5.LARGE88")).await;
    assert_eq!(words(&mistyped.refusals), ["it can't become S5.LARGE88; did you mean S5.LARGE8?"]);

    let shape = plan_one("ins-0web0001", "changes:\n  - resize: { cpu: 4, memory: 16GiB }").await;
    assert_eq!(words(&shape.refusals), [""; 0]);
    assert!(format!("{:?}", shape.steps).contains("S5.LARGE16"), "{:?}", shape.steps);
}

#[tokio::test(start_paused = true)]
async fn a_plan_for_one_instance_takes_few_calls() {
    let (client, world) = demo(|_| {});
    let workflow = workflow("instances: [ins-0lbchk01]", RESIZE);
    survey(&workflow, &client).await.unwrap();
    let calls = calls(&world);
    assert!(calls.contains(&"DescribeTargetHealth".to_owned()), "one behind a load balancer takes the most");
    assert!(calls.len() <= 11, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_match_is_planned_by_name() {
    let plan = plan("match: { tags: { role: web } }", RESIZE).await;
    let names: Vec<&str> = plan.instances.iter().map(InstancePlan::name).collect();
    assert_eq!(names, ["web-1", "web-2", "web-3"]);
    assert_eq!(plan.stopped_by_run().count(), 2, "web-3 is stopped already");
    assert!(!plan.is_refused());
}

/// The plan of one instance whose credentials may not call these actions.
async fn plan_denied(denied: &[&str], rest: &str) -> Plan {
    let (client, _) = demo(|fleet| {
        fleet.credentials[0].denied = denied.iter().map(ToString::to_string).collect();
    });
    let workflow = workflow("instances: [ins-0web0001]", rest);
    let inventory = survey(&workflow, &client).await.expect("a plan can do without these");
    build(&workflow, &inventory, "digest".to_owned()).expect("a plan")
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_said_and_not_guessed() {
    let denied = [
        "GetCallerIdentity",
        "DescribeAutoScalingInstances",
        "DescribeLBListeners",
        "DescribeTaskInfo",
        "DescribeInstancesActionTimer",
        "DescribeInstancesModification",
        "InquiryPriceResetInstancesType",
    ];
    let plan = plan_denied(&denied, RESIZE).await;
    assert!(!plan.is_refused(), "{:?}", plan.instances[0].refusals);
    assert_eq!(plan.notes.len(), denied.len(), "{:#?}", plan.notes);
    assert!(plan.notes.iter().all(|note| note.starts_with("not checked: ")), "{:#?}", plan.notes);
    assert!(plan.instances[0].warnings.contains(&Warning::ScalingNotChecked));
    assert_eq!((plan.account, plan.instances[0].price.as_ref()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn without_either_source_of_types_no_resize_is_planned() {
    let denied = ["DescribeInstancesModification", "DescribeZoneInstanceConfigInfos"];
    let (client, _) = demo(|fleet| {
        fleet.credentials[0].denied = denied.iter().map(ToString::to_string).collect();
    });
    let error = survey(&workflow("instances: [ins-0web0001]", RESIZE), &client).await.unwrap_err();
    assert!(matches!(error, SurveyError::Types(_)), "{error}");
    assert!(denied.iter().all(|action| error.hint().contains(action)), "{}", error.hint());
    // Nothing of this hinders a password.
    assert_eq!(plan_denied(&denied, PASSWORD).await.notes, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_an_error_before_anything_else() {
    let (client, _) = demo(|fleet| fleet.credentials[0].secret_key = "another".into());
    let error = survey(&workflow("instances: [ins-0web0001]", PASSWORD), &client).await.unwrap_err();
    assert!(matches!(error, SurveyError::Instances(_)), "{error}");
    assert!(error.hint().contains("credentials"), "{}", error.hint());
}
