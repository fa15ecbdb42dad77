//! The rollout: canaries and what comes after them, so many at a time, and no faster than the scarcest call allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pitstop::clock::{Clock, between};
use pitstop::cloud::PowerState;
use pitstop::journal::{Event, Halt, Intent, Journal, Memory, Order, Store, Verdict};
use pitstop::plan::Approval;
use pitstop::run::{Conclusion, Pace};
use pitstop::sim::{Effect, Fault, Fleet, Happening, LogEntry, What};

use crate::rig::{Ran, Rig, Scene};

/// Instances like these: so many of a type in a zone, with an operating system.
type Kind = (usize, &'static str, &'static str, &'static str);

const LINUX: &str = "TencentOS Server 3.1";

/// Kinds of which the largest is first; the second differs in zone, the third in family, the fourth in its system.
const MIXED: &[Kind] = &[
    (5, "S5.MEDIUM4", "ap-guangzhou-3", LINUX),
    (3, "S5.MEDIUM4", "ap-guangzhou-4", LINUX),
    (2, "S6.LARGE8", "ap-guangzhou-3", LINUX),
    (1, "S5.MEDIUM4", "ap-guangzhou-3", "Ubuntu Server 22.04 LTS 64bit"),
];

fn fleet(kinds: &[Kind]) -> Fleet {
    let mut text = "\
balance: 1000000
zones: [ap-guangzhou-3, ap-guangzhou-4]
credentials:
  - { secret-id: AKIDSIMULATEDPITSTOPDEMO00000000000, secret-key: simulatedSecretKeyOfThePitstopDemo }
keys:
  - { id: skey-0ops0001, name: ops, public-key: ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQC7 ops@example }
catalogue:
  - { type: S5.MEDIUM4, cpu: 2, memory: 4, price: 0.25 }
  - { type: S5.LARGE8, cpu: 4, memory: 8, price: 0.5 }
  - { type: S6.LARGE8, cpu: 4, memory: 8, price: 0.55 }
instances:
"
    .to_owned();
    let all = kinds.iter().flat_map(|kind| std::iter::repeat_n(kind, kind.0));
    for (number, (_, size, zone, os)) in all.enumerate() {
        writeln!(
            text,
            "  - {{ id: ins-{number:08}, name: n-{number:04}, zone: {zone}, type: {size}, os: {os}, \
             private-ip: 127.0.1.{number}, tags: {{ role: web }} }}"
        )
        .unwrap();
    }
    Fleet::parse(&text, "the fleet").unwrap()
}

fn workflow(change: &str, rollout: &str) -> String {
    format!(
        "version: 1
name: rollout
target: {{ region: ap-guangzhou, match: {{ tags: {{ role: web }} }} }}
changes: [{{ {change} }}]
rollout: {{ {rollout} }}
"
    )
}

const KEY: &str = "load-ssh-key: { key: skey-0ops0001 }";
const RESIZE: &str = "resize: { type: S5.LARGE8 }";

async fn run(rig: Rig, change: &str, rollout: &str) -> Ran {
    let rig = Rig { fleet: fleet(MIXED), ..rig };
    Box::pin(rig.run(&workflow(change, rollout))).await
}

fn id(number: usize) -> String {
    format!("ins-{number:08}")
}

fn moment(ran: &Ran, wanted: impl Fn(&Event) -> bool) -> Vec<(String, Timestamp)> {
    let fitting = ran.records.iter().filter(|record| wanted(&record.event));
    fitting
        .map(|record| (record.instance.as_ref().map_or_else(String::new, ToString::to_string), record.at))
        .collect()
}

fn first_intents(ran: &Ran) -> BTreeMap<String, Timestamp> {
    let mut first = BTreeMap::new();
    for (id, at) in moment(ran, |event| matches!(event, Event::Intended { .. })) {
        first.entry(id).or_insert(at);
    }
    first
}

/// The canaries of a plan of the mixed fleet.
async fn canaries(rollout: &str) -> Vec<usize> {
    let rig = Rig { fleet: fleet(MIXED), ..Rig::default() };
    let plan = rig.plan(&rig.scene(), &workflow(KEY, rollout)).await;
    let canaries = plan.instances.iter().enumerate().filter(|(_, own)| own.canary);
    canaries.map(|(number, _)| number).collect()
}

#[tokio::test(start_paused = true)]
async fn canaries_are_of_every_class_and_the_largest_classes_come_first() {
    assert_eq!(canaries("at-once: 5").await, [0; 0]);
    assert_eq!(canaries("canary: 1").await, [0]);
    assert_eq!(canaries("canary: 2").await, [0, 5]);
    assert_eq!(canaries("canary: 4").await, [0, 5, 8, 10]);
    assert_eq!(canaries("canary: 6").await, [0, 1, 5, 6, 8, 10]);
    assert_eq!(canaries("canary: 20%").await, [0, 5], "2 of 11");
    assert_eq!(canaries("canary: 100").await, (0..11).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_others_begin_when_the_canaries_are_well() {
    let ran = run(Rig::default(), KEY, "at-once: 100, canary: 2").await;
    assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
    let begun = first_intents(&ran);
    let ended: BTreeMap<_, _> =
        moment(&ran, |event| matches!(event, Event::Ended { .. })).into_iter().collect();
    let canaries = BTreeSet::from([id(0), id(5)]);
    let well = canaries.iter().map(|id| ended[id]).max().unwrap();
    for (id, at) in &begun {
        assert!(
            canaries.contains(id) || *at >= well,
            "{id} began at {at}, and the canaries were well at {well}"
        );
    }
    assert_eq!(begun.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_failed_canary_ends_the_rollout_whatever_may_fail_otherwise() {
    let rig = Rig {
        faults: vec![
            Fault { times: Some(1), ..Fault::always(What::Fail("broken".into())) }
                .on("AssociateInstancesKeyPairs"),
        ],
        ..Rig::default()
    };
    let ran = run(rig, KEY, "at-once: 100, canary: 1, max-failures: 10").await;
    assert!(matches!(ran.verdict(&id(0)), Some(Verdict::Failed { .. })), "{}", ran.told());
    for other in 1..11 {
        assert_eq!(ran.verdict(&id(other)), Some(&Verdict::NotBegun { why: Halt::CanaryFailed }));
        assert_eq!(ran.operations(&id(other)), [""; 0]);
    }
    assert_eq!(ran.outcome.conclusion(), Conclusion::Failures);
    assert_eq!(ran.power(&id(0)), PowerState::Running);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_ten_minutes_is_ten_minutes_whoever_approved() {
    for approval in [Approval::Flag, Approval::Person] {
        let rig = Rig { approval, ..Rig::default() };
        let ran = run(rig, KEY, "at-once: 100, canary: 1, pause: 10m").await;
        assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
        let paused = moment(&ran, |event| matches!(event, Event::Paused { until: Some(_) }));
        let continued = moment(&ran, |event| *event == Event::Continued);
        let pause = between(paused[0].1, continued[0].1).as_secs();
        assert!((600..605).contains(&pause), "{pause}");
        let begun = first_intents(&ran);
        assert!(begun.iter().all(|(own, at)| *own == id(0) || *at >= continued[0].1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_was_written_by_a_clock_that_ran_ahead_is_no_longer_than_the_workflow_says() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let orders = vec![(Duration::from_mins(5), Order::LeaveNow)];
    let rig = Rig { store: store.clone(), orders, ..Rig::default() };
    let left = run(rig, KEY, "at-once: 100, canary: 1, pause: 10m").await;
    assert_eq!((left.verdict(&id(0)), left.verdict(&id(1))), (Some(&Verdict::Done), None));
    let (true_clock, unfinished) = (left.scene.clock.clone(), store.runs().await.unwrap().remove(0));
    let before = true_clock.now();
    let clock = Clock::simulated(before - Duration::from_hours(1));
    let again = Journal::reopen(store.clone(), clock.clone(), &unfinished, "again".into()).await.unwrap();
    let rig = Rig { fleet: fleet(MIXED), store, ..Rig::default() };
    let ran = Box::pin(rig.drive(Scene { clock, ..left.scene }, again)).await;
    assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
    let took = between(before, true_clock.now());
    assert!(took < Duration::from_mins(12), "the rest took {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_approved_is_asked_and_a_flag_is_an_answer() {
    let paused = |ran: &Ran| moment(ran, |event| matches!(event, Event::Paused { .. })).len();
    let flag =
        run(Rig { approval: Approval::Flag, answer: Some(false), ..Rig::default() }, KEY, "canary: 1").await;
    assert_eq!((flag.outcome.conclusion(), paused(&flag)), (Conclusion::Well, 0));

    let person = |answer| Rig { approval: Approval::Person, answer, ..Rig::default() };
    let yes = run(person(Some(true)), KEY, "canary: 1").await;
    assert_eq!((yes.outcome.conclusion(), paused(&yes)), (Conclusion::Well, 1), "{}", yes.told());
    let not_asked = run(person(Some(false)), KEY, "canary: 1, pause: none").await;
    assert_eq!((not_asked.outcome.conclusion(), paused(&not_asked)), (Conclusion::Well, 0));

    let no = run(person(Some(false)), KEY, "canary: 1").await;
    assert_eq!(no.verdict(&id(0)), Some(&Verdict::Done));
    assert_eq!(no.verdict(&id(1)), Some(&Verdict::NotBegun { why: Halt::Declined }));
    assert_eq!(no.outcome.conclusion(), Conclusion::Failures);
    assert!(no.store.runs().await.unwrap()[0].ended.is_some(), "nothing is left to resume");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_the_run_waits_for_somebody_who_can() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let rig = Rig { approval: Approval::Person, answer: None, store: store.clone(), ..Rig::default() };
    let ran = run(rig, KEY, "at-once: 2, canary: 1").await;
    assert_eq!(ran.verdict(&id(0)), Some(&Verdict::Done));
    assert_eq!(ran.verdict(&id(1)), None);
    assert_eq!(ran.outcome.conclusion(), Conclusion::Interrupted);
    let unfinished = store.runs().await.unwrap().remove(0);
    assert!(unfinished.ended.is_none());

    let scene = ran.scene;
    let again =
        Journal::reopen(store.clone(), scene.clock.clone(), &unfinished, "again".into()).await.unwrap();
    let rig = Rig { fleet: fleet(MIXED), answer: Some(true), store, ..Rig::default() };
    let ran = Box::pin(rig.drive(scene, again)).await;
    assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
    assert_eq!(ran.operations(&id(0)).iter().filter(|action| *action == "StopInstances").count(), 1);
    assert_eq!(
        moment(&ran, |event| matches!(event, Event::Paused { .. })).len(),
        1,
        "it is not paused twice"
    );
}

/// How many were on their way at one time, at most.
fn most_at_once(log: &[LogEntry]) -> usize {
    let mut down = BTreeSet::new();
    let mut most = 0;
    for entry in log {
        if let Happening::Changed { id, effect: Effect::Power { to, .. }, .. } = &entry.what {
            if *to == PowerState::Running {
                down.remove(id)
            } else {
                down.insert(id)
            };
            most = most.max(down.len());
        }
    }
    most
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_instances_is_down_at_a_time() {
    for (at_once, most) in [("20%", 2), ("100%", 11), ("3", 3)] {
        let ran = run(Rig::default(), KEY, &format!("at-once: {at_once}")).await;
        assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
        assert_eq!(most_at_once(&ran.log), most, "{at_once}");
    }
}

/// A fleet of this size that is resized all at once.
async fn resized(size: usize, faults: Vec<Fault>) -> Ran {
    let fleet = fleet(&[(size, "S5.MEDIUM4", "ap-guangzhou-3", LINUX)]);
    let rig = Rig { fleet, faults, ..Rig::default() };
    let ran = Box::pin(rig.run(&workflow(RESIZE, "at-once: 100%"))).await;
    assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
    ran
}

fn throttled(log: &[LogEntry]) -> usize {
    let refused = |entry: &&LogEntry| matches!(&entry.what, Happening::Call { refused: Some(code), .. } if code == "RequestLimitExceeded");
    log.iter().filter(refused).count()
}

#[tokio::test(start_paused = true)]
async fn stops_are_sent_just_in_time_for_resizes_that_take_one_instance_a_call() {
    let ran = resized(60, Vec::new()).await;
    assert_eq!(throttled(&ran.log), 0);
    let stops: Vec<(Timestamp, usize)> = ran
        .log
        .iter()
        .filter_map(|entry| match &entry.what {
            Happening::Call { action, ids, .. } if action == "StopInstances" => Some((entry.at, ids.len())),
            _ => None,
        })
        .collect();
    assert_eq!(stops.iter().map(|(_, ids)| ids).sum::<usize>(), 60);
    assert_eq!(stops.len(), 6, "ten share a call: {stops:?}");
    assert!(
        stops.windows(2).all(|pair| between(pair[0].0, pair[1].0) >= Duration::from_secs(1)),
        "{stops:?}"
    );
    // A crowd that was stopped at once would wait up to six seconds.
    let mut stopped = BTreeMap::new();
    for entry in &ran.log {
        match &entry.what {
            Happening::Changed { id, effect: Effect::Power { to: PowerState::Stopped, .. }, .. } => {
                stopped.insert(id, entry.at);
            }
            Happening::Began { id, action, .. } if action == "ResetInstancesType" => {
                let waited = between(stopped[id], entry.at);
                assert!(waited <= Duration::from_secs(3), "{id} waited {waited:?}");
            }
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_others_use_up_the_limit_all_hold_back_at_once_and_no_more_are_stopped_than_can_go_on() {
    let throttle =
        Fault { chance: Some(0.7), until: Some(Duration::from_mins(1)), ..Fault::always(What::Throttle) };
    let ran = resized(200, vec![throttle.on("ResetInstancesType")]).await;
    let refused = throttled(&ran.log);
    assert!((1..250).contains(&refused), "{refused} resizes were throttled");
    let resizes = ran.log.iter().filter(
        |entry| matches!(&entry.what, Happening::Call { action, .. } if action == "ResetInstancesType"),
    );
    let mut by_second: BTreeMap<i64, usize> = BTreeMap::new();
    for entry in resizes {
        *by_second.entry(entry.at.as_second()).or_default() += 1;
    }
    assert!(by_second.values().all(|calls| *calls <= 10), "no herd: {by_second:?}");
    let most = most_at_once(&ran.log);
    assert!(most < 170, "{most} were stopped, although they could not be resized");
}

/// How long after it was decided each resize arrived.
fn lateness(ran: &Ran) -> Vec<Duration> {
    let resizes = ran.log.iter().filter_map(|entry| match &entry.what {
        Happening::Call { action, ids, .. } if action == "ResetInstancesType" => Some((entry.at, &ids[0])),
        _ => None,
    });
    let late = resizes.map(|(at, id)| {
        let decided = ran.records.iter().rev().find(|record| {
            record.instance.as_ref().is_some_and(|own| own.as_str() == id.as_str())
                && record.at <= at
                && matches!(&record.event, Event::Intended { intent: Intent::Resize { .. }, .. })
        });
        between(decided.unwrap().at, at)
    });
    late.collect()
}

#[tokio::test(start_paused = true)]
async fn no_resize_is_sent_long_after_it_was_decided_and_all_get_their_turn() {
    // Others take nearly all that the account may, for five minutes.
    let throttle =
        Fault { chance: Some(0.85), until: Some(Duration::from_mins(5)), ..Fault::always(What::Throttle) };
    let ran = resized(300, vec![throttle.on("ResetInstancesType")]).await;
    let late = lateness(&ran);
    let most = *late.iter().max().unwrap();
    assert!(most <= Pace::default().late + Duration::from_secs(1), "{most:?}");
    let took = between(ran.records[0].at, ran.records.last().unwrap().at);
    assert!(took < Duration::from_secs(390), "once the others let go, all are done soon: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn those_who_never_begin_are_told_at_once() {
    // The first ends where it fails, so nothing is left that would wake anybody.
    let rig = Rig { fleet: fleet(MIXED), ..Rig::default() };
    let text = workflow(KEY, "at-once: 1, max-failures: 0") + "downtime-budget: 10s\n";
    let ran = Box::pin(rig.run(&text)).await;
    assert_eq!(ran.verdict(&id(1)), Some(&Verdict::NotBegun { why: Halt::TooManyFailures }));
    let ended = moment(&ran, |event| matches!(event, Event::Ended { .. }));
    assert_eq!(ended.len(), 11, "{}", ran.told());
    assert!(between(ended[0].1, ended[10].1) < Duration::from_secs(1), "{}", ran.told());
}
