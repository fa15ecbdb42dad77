//! The way back holds: whatever goes wrong, and for however long, a run ends and its instances are cared for.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pitstop::clock::{Clock, between};
use pitstop::cloud::PowerState;
use pitstop::journal::{Failure, Halt, Journal, Memory, Order, Place, State, Store, Verdict};
use pitstop::plan::{self, Approval};
use pitstop::run::Conclusion;
use pitstop::sim::{Fault, InProcess};
use pitstop::tencent::wire::{Request, Response, Transport, TransportError};
use pitstop::workflow::Document;

use crate::rig::{Ran, Rig, Scene, WEB};

const ONE: &str = "
version: 1
name: one
target: { region: ap-guangzhou, instances: [ins-0web0001] }
changes:
  - resize: { type: S5.LARGE8 }
  - reset-password: { password: { env: NEW_PASSWORD } }
";

const TWO: &str = "
version: 1
name: two
target: { region: ap-guangzhou, instances: [ins-0web0001, ins-0web0002] }
changes:
  - resize: { type: S5.LARGE8 }
";

fn fault(text: &str) -> Fault {
    serde_yaml::from_str(text).unwrap()
}

fn faulty(faults: &[&str]) -> Rig {
    Rig { faults: faults.iter().map(|text| fault(text)).collect(), ..Rig::default() }
}

/// The run, which must end within so many virtual hours.
async fn within(hours: u64, rig: Rig, text: &str) -> Ran {
    let limit = Duration::from_hours(hours);
    Clock::system()
        .timeout(limit, Box::pin(rig.run(text)))
        .await
        .unwrap_or_else(|| panic!("it has not ended in {hours} hours"))
}

/// Takes the newest run up again.
async fn resume(store: &Arc<dyn Store>, scene: Scene) -> Ran {
    let run = store.runs().await.unwrap().remove(0);
    let again = Journal::reopen(Arc::clone(store), scene.clock.clone(), &run, "again".into()).await.unwrap();
    Rig::default().drive(scene, again).await
}

async fn is_finished(store: &Arc<dyn Store>) -> bool {
    store.runs().await.unwrap()[0].ended.is_some()
}

fn found_stopped(rig: &mut Rig) {
    let mut instances = rig.fleet.instances.iter_mut();
    instances.find(|instance| instance.id.as_str() == WEB).unwrap().state = PowerState::Stopped;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_never_leaves_a_trace_is_given_up_and_the_instance_brought_back() {
    for what in ["internal-error", "bad-gateway", "lose-request"] {
        let text = format!("{{ action: ResetInstancesPassword, do: {what} }}");
        let ran = within(1, faulty(&[&text]), ONE).await;
        assert!(matches!(ran.verdict(WEB), Some(Verdict::Failed { .. })), "{what}\n{}", ran.told());
        assert_eq!(ran.power(WEB), PowerState::Running, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_leaves_a_trace_ends_with_a_call_for_a_person() {
    let ran = within(2, faulty(&["{ action: StartInstances, do: bad-gateway }"]), ONE).await;
    let powered_on_by_the_resize = ran.power(WEB) == PowerState::Running;
    assert!(
        powered_on_by_the_resize || ran.outcome.conclusion() == Conclusion::PersonNeeded,
        "{:?}\n{}",
        ran.outcome,
        ran.told()
    );
}

#[tokio::test(start_paused = true)]
async fn slow_reads_slow_a_run_down_and_no_more() {
    for from in ["0s", "5s"] {
        let text = format!("{{ action: DescribeInstances, from: {from}, do: {{ slow: 8s }} }}");
        let ran = within(1, faulty(&[&text]), ONE).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_taken_up_hours_later_looks_before_it_judges() {
    for seconds in [3, 9, 12, 14, 17] {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let orders = vec![(Duration::from_secs(seconds), Order::LeaveNow)];
        let ran = Rig { orders, store: Arc::clone(&store), ..Rig::default() }.run(ONE).await;
        ran.scene.clock.sleep(Duration::from_hours(2)).await;
        let again = resume(&store, ran.scene).await;
        assert_eq!(again.verdict(WEB), Some(&Verdict::Done), "left after {seconds} s\n{}", again.told());
        assert_eq!(again.changes(WEB).len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_pitstop_started_itself_is_no_interference() {
    for seconds in [2, 4, 6, 8] {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let orders = vec![(Duration::from_secs(seconds), Order::BringBack)];
        let mut rig = Rig { orders, store: Arc::clone(&store), ..Rig::default() };
        found_stopped(&mut rig);
        let ran = rig.run(&format!("{ONE}start: always\n")).await;
        assert_eq!(ran.power(WEB), PowerState::Running, "after {seconds} s\n{}", ran.told());
        if !is_finished(&store).await {
            let again = resume(&store, ran.scene).await;
            assert_eq!(again.verdict(WEB), Some(&Verdict::Done), "after {seconds} s\n{}", again.told());
            assert_eq!(again.power(WEB), PowerState::Running);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_refused_for_a_while_is_worth_the_wait() {
    for code in ["ResourceInsufficient.SpecifiedInstanceType", "UnauthorizedOperation.PermissionDenied"] {
        let text = format!("{{ action: StartInstances, until: 90s, do: {{ refuse: {code} }} }}");
        let mut rig = faulty(&[&text]);
        rig.fleet.resize_boots = pitstop::sim::ResizeBoots::Never;
        let ran = within(1, rig, ONE).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{code}\n{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_only_has_to_be_started_is_tried_again() {
    let refusal =
        "{ action: StartInstances, times: 1, do: { refuse: ResourceInsufficient.SpecifiedInstanceType } }";
    let mut rig = faulty(&[refusal]);
    found_stopped(&mut rig);
    let text = "
version: 1
name: start
target: { region: ap-guangzhou, instances: [ins-0web0001] }
changes: [{ resize: { type: S5.MEDIUM4 } }]
start: always
";
    let ran = within(1, rig, text).await;
    assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{}", ran.told());
    assert_eq!((ran.power(WEB), ran.calls_of("StartInstances")), (PowerState::Running, 2));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_instance_ends_when_too_many_others_failed() {
    for seconds in [4, 8, 10, 12, 14] {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let rig = Rig {
            faults: vec![fault("{ action: StopInstances, instance: ins-0web0002, do: { fail: no } }")],
            orders: vec![(Duration::from_secs(seconds), Order::BringBack)],
            store: Arc::clone(&store),
            ..Rig::default()
        };
        let mut scene = rig.run(TWO).await.scene;
        for _ in 0..2 {
            if !is_finished(&store).await {
                scene = resume(&store, scene).await.scene;
            }
        }
        assert!(is_finished(&store).await, "after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_failure_budget_holds_for_those_whose_turn_it_is() {
    let ran = within(
        1,
        faulty(&[
            "{ action: StopInstances, instance: ins-0web0001, do: { fail: no } }",
            "{ action: StopInstances, instance: ins-0web0002, until: 60s, do: { refuse: MutexOperation.TaskRunning } }",
        ]),
        TWO,
    )
    .await;
    assert_eq!(
        ran.verdict("ins-0web0002"),
        Some(&Verdict::NotBegun { why: Halt::TooManyFailures }),
        "{}",
        ran.told()
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_never_went_down_is_not_counted_as_down() {
    let ran = within(1, faulty(&["{ action: StopInstances, do: { fail: no } }"]), ONE).await;
    let own = ran.records.iter().filter(|record| record.instance.is_some());
    let state = own.fold(State::default(), |state, record| state.next(&record.event, record.at).unwrap());
    assert_eq!(state.ledger.down_since, None, "{}", ran.told());
}

/// Begins a run of the workflow at a place where instances are held.
async fn begin(
    store: &Arc<dyn Store>,
    scene: &Scene,
    plan: &plan::Plan,
    chance: u8,
) -> Result<Journal, String> {
    let approved = plan.clone().approve(Approval::Program).unwrap();
    let place = Place::Endpoint("http://127.0.0.1:1".into());
    let journal = Journal::begin(
        Arc::clone(store),
        scene.clock.clone(),
        approved,
        place,
        "a test".into(),
        [chance; 10],
    );
    journal.await.map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn an_order_before_anything_was_touched_gives_the_instances_free() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let orders = vec![(Duration::from_millis(1), Order::BringBack)];
    let rig = Rig { orders, store: Arc::clone(&store), ..Rig::default() };
    let scene = rig.scene();
    let plan = rig.plan(&scene, ONE).await;
    let journal = begin(&store, &scene, &plan, 1).await.unwrap();
    let (outcome, scene) = rig.try_drive(scene, journal).await;
    assert_eq!(outcome.unwrap().conclusion(), Conclusion::Interrupted);
    begin(&store, &scene, &plan, 2).await.expect("the next run is not kept waiting");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_can_not_be_imported_gives_the_instances_free() {
    let rig = faulty(&["{ action: ImportKeyPair, do: { refuse: InvalidKeyPair.LimitExceeded } }"]);
    let scene = rig.scene();
    let text = ONE.replace("resize: { type: S5.LARGE8 }", "load-ssh-key: { public-key-file: ops.pub }");
    let key = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub"
    ))
    .unwrap();
    let document = Document::parse("test.yaml", text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
    let workflow = document
        .resolve(&rig.values, &|_: &Path| Ok(key.clone()))
        .unwrap_or_else(|errors| panic!("{errors}"));
    let inventory = plan::survey(&workflow, scene.client.as_ref()).await.unwrap();
    let plan = plan::build(&workflow, &inventory, "digest".into()).unwrap();
    let store = rig.store.clone();
    let journal = begin(&store, &scene, &plan, 1).await.unwrap();
    let (outcome, scene) = rig.try_drive(scene, journal).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("can't be imported") && error.down.is_empty(), "{error}");
    begin(&store, &scene, &plan, 2).await.expect("the next run is not kept waiting");
}

/// A transport that answers reads oddly for a while.
struct Odd {
    inner: Arc<InProcess>,
    clock: Clock,
    began: jiff::Timestamp,
    body: &'static str,
}

#[async_trait]
impl Transport for Odd {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let at = between(self.began, self.clock.now()).as_secs();
        if request.header("x-tc-action") == Some("DescribeInstances") && (10..20).contains(&at) {
            return Ok(Response { status: 200, body: self.body.as_bytes().to_vec() });
        }
        self.inner.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn odd_and_empty_answers_do_not_end_the_care_for_an_instance() {
    for body in [
        r#"{"Response":{"RequestId":"r","TotalCount":1,"InstanceSet":null}}"#,
        r#"{"Response":{"RequestId":"r"}}"#,
        r#"{"Response":{"RequestId":"r","TotalCount":0,"InstanceSet":[]}}"#,
    ] {
        let rig = Rig::default();
        let scene = rig.scene();
        let plan = rig.plan(&scene, ONE).await;
        let transport =
            Odd { inner: scene.world.clone(), clock: scene.clock.clone(), began: scene.clock.now(), body };
        let scene = Scene { client: rig.client(Arc::new(transport), &scene.clock), ..scene };
        let journal = begin(&rig.store.clone(), &scene, &plan, 1).await.unwrap();
        let ran = rig.drive(scene, journal).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{body}\n{}", ran.told());
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_really_gone_is_reported() {
    let ran = within(2, faulty(&["{ action: ResetInstancesType, do: vanish }"]), ONE).await;
    match ran.verdict(WEB) {
        Some(Verdict::Stranded { failure: Failure::Gone | Failure::Refused { .. }, .. }) => {}
        other => panic!("{other:?}\n{}", ran.told()),
    }
}

/// A run that begins when the fault sets in, after its plan, and when that is.
async fn looking_fails(how: &str) -> (jiff::Timestamp, Ran) {
    let rig = Rig::default();
    let scene = rig.scene();
    let plan = rig.plan(&scene, ONE).await;
    scene.world.with_world(|world| *world = world.clone().faults(vec![fault(how)]));
    let journal = begin(&rig.store.clone(), &scene, &plan, 1).await.unwrap();
    let began = scene.clock.now();
    (began, rig.drive(scene, journal).await)
}

#[tokio::test(start_paused = true)]
async fn one_read_that_takes_minutes_to_fail_does_not_end_the_run_before_it_began() {
    let (_, ran) = looking_fails("{ action: DescribeInstances, do: { slow: 70s }, until: 5m }").await;
    assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{}", ran.told());
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_can_never_be_read_is_given_up() {
    let (began, ran) = looking_fails("{ action: DescribeInstances, do: internal-error }").await;
    assert!(matches!(ran.verdict(WEB), Some(Verdict::Failed { .. })), "{}", ran.told());
    let took = between(began, ran.scene.clock.now());
    assert!(took < Duration::from_mins(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_between_two_processes_keeps_nobody_down() {
    for seconds in [3, 9, 12, 14, 17] {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let orders = vec![(Duration::from_secs(seconds), Order::LeaveNow)];
        let left = Rig { store: store.clone(), orders, ..Rig::default() }.run(ONE).await;
        assert_eq!(left.verdict(WEB), None, "left after {seconds} s");
        let true_clock = left.scene.clock.clone();
        let before = true_clock.now();
        let clock = Clock::simulated(before - Duration::from_hours(1));
        let ran = resume(&store, Scene { clock, ..left.scene }).await;
        assert_eq!(ran.verdict(WEB), Some(&Verdict::Done), "{}", ran.told());
        let took = between(before, true_clock.now());
        assert!(took < Duration::from_mins(5), "left after {seconds} s: {took:?}");
    }
}
