//! Decisions, one line each: what happened, how the instance is seen long enough after it, and what is next.

use std::collections::BTreeMap;

use super::*;
use crate::cloud::{
    ChargeType, Charging, ErrorKind, InstanceType, Isolation, PowerState, ResizeOption, Restriction, Sent,
    StopMode, StoppedCharging,
};
use crate::plan::{Inventory, ResizeClass, build};
use crate::workflow::Document;

mod patience;

const OLD: &str = "S5.MEDIUM4";
const NEW: &str = "S5.LARGE8";
const NEXT: &str = "S6.LARGE8";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn instance(power: PowerState, instance_type: &str) -> Instance {
    let small = instance_type == OLD;
    Instance {
        id: "ins-1aaaaaaa".into(),
        name: "web-1".into(),
        zone: "ap-guangzhou-3".into(),
        power,
        instance_type: instance_type.into(),
        cpu: if small { 2 } else { 4 },
        memory_gib: if small { 4 } else { 8 },
        restriction: Restriction::Normal,
        isolation: Isolation::NotIsolated,
        stopped_charging: StoppedCharging::NotApplicable,
        charge_type: ChargeType::PostpaidByHour,
        expires: None,
        system_disk: None,
        data_disks: Vec::new(),
        private_ips: vec![[10, 0, 0, 1].into()],
        public_ips: Vec::new(),
        vpc: None,
        security_groups: Vec::new(),
        keys: Vec::new(),
        os: "TencentOS Server 3.1".into(),
        login_user: None,
        host: None,
        gpu: false,
        tags: BTreeMap::new(),
        latest_operation: None,
    }
}

/// A plan for one instance, found like this, by a workflow with these further keys.
fn plan(found: &Instance, resize: &str, more: &str) -> Plan {
    let text = format!(
        "version: 1\nname: one\ntarget: {{ region: ap-guangzhou, instances: [ins-1aaaaaaa] }}\n\
         changes: [{{ resize: {{ {resize} }} }}, {{ reset-password: {{ password: {{ env: P }} }} }}]\n\
         check: [{{ tcp: {{ port: 22 }} }}]\n{more}\n"
    );
    let document = Document::parse("one.yaml", text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
    let workflow = document
        .resolve(&BTreeMap::new(), &|_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into()))
        .unwrap_or_else(|errors| panic!("{errors}"));
    let option = |name: &str| ResizeOption {
        instance_type: name.into(),
        cpu: 4,
        memory_gib: 8,
        available: true,
        reason: None,
    };
    let options = BTreeMap::from([(ResizeClass::of(found), Ok(vec![option(NEW), option(NEXT)]))]);
    let inventory = Inventory { instances: vec![found.clone()], options, ..Inventory::default() };
    build(&workflow, &inventory, "digest".into()).unwrap()
}

/// A call with its end.
fn done(intent: Intent) -> Vec<Event> {
    let mut events = sent(intent);
    events.push(Event::Achieved { took: Duration::from_secs(1) });
    events
}

/// A call that was accepted.
fn sent(intent: Intent) -> Vec<Event> {
    let request = RequestId::new(format!("{intent:?}"));
    vec![Event::Intended { intent, baseline: None }, Event::Accepted { request }]
}

fn refused(intent: Intent, kind: ErrorKind) -> Vec<Event> {
    let error = CloudError::new(kind, Sent::No, "refused");
    vec![Event::Intended { intent, baseline: None }, Event::Refused { error, among: 1 }]
}

fn stop() -> Intent {
    Intent::Stop { mode: StopMode::Soft, charging: Charging::Keep }
}

fn password() -> Intent {
    Intent::ResetPassword { user: "root".into() }
}

fn to(instance_type: &str) -> Intent {
    Intent::Resize { to: instance_type.into() }
}

fn failed_check() -> Vec<Event> {
    vec![Event::Failed { failure: Failure::Check { number: 1, message: "no answer".into() } }]
}

fn failed_starts(times: usize) -> Vec<Event> {
    let request = RequestId::from("start");
    let failure = Failure::Operation { action: Action::Start, message: "no".into(), request };
    let one = || [sent(Intent::Start), vec![Event::Failed { failure: failure.clone() }]].concat();
    std::iter::repeat_with(one).take(times).flatten().collect()
}

fn back() -> Vec<Event> {
    vec![Event::RollBackBegan { to: OLD.into() }]
}

/// Stopped, with its new password.
fn down() -> Vec<Event> {
    [done(stop()), done(password())].concat()
}

/// Resized and started, when the check fails.
fn unwell() -> Vec<Event> {
    [down(), done(to(NEW)), done(Intent::Start), failed_check()].concat()
}

/// Resized, and it can't start.
fn dead() -> Vec<Event> {
    [down(), done(to(NEW)), failed_starts(3)].concat()
}

fn words(next: &Next) -> String {
    match next {
        Next::Note(Event::FellBack { from, to, .. }) => format!("fall back from {from} to {to}"),
        Next::Note(Event::RollBackBegan { to }) => format!("begin to roll back to {to}"),
        Next::Note(Event::Failed { failure }) => format!("failed: {failure}"),
        Next::Note(Event::Ended { verdict: Verdict::Failed { failure }, .. }) => {
            format!("ended failed: {failure}")
        }
        Next::Note(Event::Ended { verdict: Verdict::Stranded { failure, power }, .. }) => {
            format!("stranded {power}: {failure}")
        }
        Next::Note(Event::Ended { verdict, differences }) => format!("ended {verdict:?} {differences:?}"),
        Next::Note(event) => event.name().to_owned(),
        Next::Act { intent: Intent::Resize { to }, .. } => format!("resize to {to}"),
        Next::Act { intent, .. } => intent.action().words().to_owned(),
        Next::Look(_) => "look".to_owned(),
        Next::Check(check) => format!("check {check}"),
        Next::Hold => "hold".to_owned(),
        Next::Rest => "rest".to_owned(),
    }
}

/// What is next, `later` seconds after these events of one second each.
struct Case<'a> {
    resize: &'a str,
    more: &'a str,
    events: Vec<Event>,
    power: PowerState,
    instance_type: &'a str,
    order: Order,
    later: i64,
}

impl Case<'_> {
    fn next(&self) -> String {
        let found = instance(PowerState::Running, OLD);
        let plan = plan(&found, self.resize, self.more);
        let mut state = State::default();
        let mut second = 0;
        for event in &self.events {
            second += 1;
            state = state.next(event, at(second)).unwrap();
        }
        let seen = instance(self.power.clone(), self.instance_type);
        next_of(&plan, &state, seen, self.order, (0, second + self.later))
    }
}

/// What is next for an instance of this state that shows itself like this, at a second for a process that began at another.
fn next_of(plan: &Plan, state: &State, seen: Instance, order: Order, (began, now): (i64, i64)) -> String {
    let now = at(now);
    let seen = Observation { instance: Some(seen), missing_since: None, at: now, landed: now };
    let view = View {
        plan,
        own: &plan.instances[0],
        imported: None,
        state,
        seen: Some(&seen),
        blind: None,
        order,
        turn: Turn::Now,
        began: at(began),
        now,
        pace: &Pace::default(),
        experience: &Experience::default(),
    };
    words(&decide(&view))
}

fn next(
    on_failure: &str,
    events: Vec<Event>,
    power: PowerState,
    instance_type: &str,
    order: Order,
) -> String {
    let more = format!("on-failure: {on_failure}");
    let resize = &format!("prefer: [{NEW}, {NEXT}]");
    Case { resize, more: &more, events, power, instance_type, order, later: 100 }.next()
}

const UP: PowerState = PowerState::Running;
const DOWN: PowerState = PowerState::Stopped;

#[test]
fn a_roll_back_from_its_beginning_to_its_end() {
    let table = [
        // A check failed: stopped once more, resized, started.
        (unwell(), UP, NEW, "begin to roll back to S5.MEDIUM4"),
        ([unwell(), back()].concat(), UP, NEW, "stop"),
        ([unwell(), back(), done(stop())].concat(), DOWN, NEW, "resize to S5.MEDIUM4"),
        ([unwell(), back(), done(stop()), done(to(OLD))].concat(), DOWN, OLD, "start"),
        (
            [unwell(), back(), done(stop()), done(to(OLD)), done(Intent::Start)].concat(),
            UP,
            OLD,
            "ended failed: check 1 failed: no answer; rolled back to S5.MEDIUM4",
        ),
        // The resize powered it on.
        (
            [unwell(), back(), done(stop()), done(to(OLD))].concat(),
            UP,
            OLD,
            "ended failed: check 1 failed: no answer; rolled back to S5.MEDIUM4",
        ),
        // It can't start: no other stop.
        ([down(), done(to(NEW)), failed_starts(1)].concat(), DOWN, NEW, "start"),
        (dead(), DOWN, NEW, "begin to roll back to S5.MEDIUM4"),
        ([dead(), back()].concat(), DOWN, NEW, "resize to S5.MEDIUM4"),
        ([dead(), back(), done(to(OLD))].concat(), DOWN, OLD, "start"),
        // The type that it fell back to is rolled back as well.
        (unwell(), UP, NEXT, "begin to roll back to S5.MEDIUM4"),
        // Whoever gave it another type knows why.
        (unwell(), UP, "S9.OTHER", "ended failed: check 1 failed: no answer"),
        // It never got the new type.
        ([down(), refused(to(NEXT), ErrorKind::Money), failed_check()].concat(), DOWN, OLD, "start"),
    ];
    for (events, power, instance_type, expected) in table {
        let case = format!("{events:#?} {power} {instance_type}");
        assert_eq!(next("roll-back", events, power, instance_type, Order::CarryOn), expected, "{case}");
    }
}

#[test]
fn a_resize_that_counts_as_failed_and_was_made_is_rolled_back() {
    let timed_out =
        Failure::TimedOut { action: Action::Resize, limit: Duration::from_secs(9), request: None };
    let events = || [down(), sent(to(NEW)), vec![Event::Failed { failure: timed_out.clone() }]].concat();
    let begin = "begin to roll back to S5.MEDIUM4";
    for (power, instance_type, expected) in [(DOWN, NEW, begin), (UP, NEW, begin), (DOWN, OLD, "start")] {
        assert_eq!(next("roll-back", events(), power, instance_type, Order::CarryOn), expected);
    }
}

#[test]
fn a_roll_back_that_is_given_up() {
    let sold_out = || refused(to(OLD), ErrorKind::Capacity);
    let stopped = || [unwell(), back(), done(stop())].concat();
    let why = Failure::Refused {
        action: Action::Resize,
        error: CloudError::new(ErrorKind::Capacity, Sent::No, "refused"),
    };
    let given_up = || [stopped(), sold_out(), vec![Event::Failed { failure: why.clone() }]].concat();
    let table = [
        ([stopped(), sold_out()].concat(), DOWN, NEW, "failed: resize: refused"),
        (given_up(), DOWN, NEW, "start"),
        (
            given_up(),
            UP,
            NEW,
            "ended failed: check 1 failed: no answer; the roll-back to S5.MEDIUM4 failed: resize: refused",
        ),
        // Started again by somebody.
        (
            stopped(),
            UP,
            NEW,
            "failed: somebody else acted on it: it runs in the middle of the maintenance, though pitstop did not \
             start it",
        ),
        // With neither type does it start.
        (
            [dead(), back(), done(to(OLD)), failed_starts(3)].concat(),
            DOWN,
            OLD,
            "stranded STOPPED: start failed: no (request start); the roll-back to S5.MEDIUM4 failed: start failed: \
             no (request start)",
        ),
        // It came up after all, though late.
        (
            [dead(), back(), done(to(OLD)), failed_starts(2), done(Intent::Start)].concat(),
            UP,
            OLD,
            "ended failed: start failed: no (request start); rolled back to S5.MEDIUM4",
        ),
    ];
    for (events, power, instance_type, expected) in table {
        assert_eq!(next("roll-back", events, power, instance_type, Order::CarryOn), expected);
    }
}

#[test]
fn an_order_to_bring_it_back_is_met_with_whatever_type_it_has() {
    let stopped = || [unwell(), back(), done(stop())].concat();
    let kept = "ended failed: check 1 failed: no answer; it was not rolled back to S5.MEDIUM4, for the run was asked \
                to end";
    let table = [
        (unwell(), UP, NEW, kept),
        ([unwell(), back()].concat(), UP, NEW, kept),
        (stopped(), DOWN, NEW, "start"),
        ([stopped(), done(Intent::Start)].concat(), UP, NEW, kept),
        ([stopped(), done(to(OLD))].concat(), DOWN, OLD, "start"),
        // If it can't start, its former type is the way back.
        ([stopped(), failed_starts(3)].concat(), DOWN, NEW, "resize to S5.MEDIUM4"),
        (dead(), DOWN, NEW, "begin to roll back to S5.MEDIUM4"),
        ([dead(), back()].concat(), DOWN, NEW, "resize to S5.MEDIUM4"),
    ];
    for (events, power, instance_type, expected) in table {
        assert_eq!(next("roll-back", events, power, instance_type, Order::BringBack), expected);
    }
}

#[test]
fn the_other_words_for_a_failure_roll_nothing_back() {
    for (on_failure, events, power, expected) in [
        ("start", unwell(), UP, "ended failed: check 1 failed: no answer"),
        ("start", dead(), DOWN, "stranded STOPPED: start failed: no (request start)"),
        ("leave-stopped", unwell(), UP, "ended failed: check 1 failed: no answer"),
        ("leave-stopped", dead(), DOWN, "ended failed: start failed: no (request start)"),
    ] {
        assert_eq!(next(on_failure, events, power, NEW, Order::CarryOn), expected, "{on_failure}");
    }
}

#[test]
fn a_type_that_is_refused_gives_way_to_the_next() {
    let fell_back = || {
        let error = CloudError::new(ErrorKind::Capacity, Sent::No, "refused");
        vec![Event::FellBack { from: NEW.into(), to: NEXT.into(), error }]
    };
    let next_type = "fall back from S5.LARGE8 to S6.LARGE8";
    let first = |kind| [down(), refused(to(NEW), kind)].concat();
    let table = [
        (first(ErrorKind::Capacity), Order::CarryOn, next_type),
        (first(ErrorKind::Never), Order::CarryOn, next_type),
        (first(ErrorKind::Money), Order::CarryOn, "failed: resize: refused"),
        (first(ErrorKind::Capacity), Order::BringBack, "start"),
        ([first(ErrorKind::Capacity), fell_back()].concat(), Order::CarryOn, "resize to S6.LARGE8"),
        ([first(ErrorKind::Capacity), fell_back()].concat(), Order::BringBack, "start"),
        (
            [first(ErrorKind::Capacity), fell_back(), refused(to(NEXT), ErrorKind::Capacity)].concat(),
            Order::CarryOn,
            "failed: resize: refused",
        ),
    ];
    for (events, order, expected) in table {
        assert_eq!(next("start", events, DOWN, OLD, order), expected);
    }
    let made = [down(), first(ErrorKind::Capacity), fell_back(), done(to(NEXT)), done(Intent::Start)];
    let checked = [made.concat(), vec![Event::CheckPassed { check: 0 }]].concat();
    assert_eq!(next("start", checked, UP, NEXT, Order::CarryOn), "ended Done []");
}

#[test]
fn a_resize_that_falls_back_to_what_is_there_is_made() {
    let error = CloudError::new(ErrorKind::Capacity, Sent::No, "refused");
    let fell_back = vec![Event::FellBack { from: NEW.into(), to: OLD.into(), error }];
    let resize = &format!("prefer: [{NEW}, {OLD}]");
    let case = |events, power| Case {
        resize,
        more: "",
        events,
        power,
        instance_type: OLD,
        order: Order::CarryOn,
        later: 100,
    };
    let refused = || [down(), refused(to(NEW), ErrorKind::Capacity)].concat();
    assert_eq!(case(refused(), DOWN).next(), "fall back from S5.LARGE8 to S5.MEDIUM4");
    assert_eq!(case([refused(), fell_back.clone()].concat(), DOWN).next(), "start");
    let started = [refused(), fell_back, done(Intent::Start)].concat();
    assert_eq!(case(started.clone(), UP).next(), "check 0");
    let checked = [started, vec![Event::CheckPassed { check: 0 }]].concat();
    assert_eq!(case(checked, UP).next(), "ended Done []");
}

#[test]
fn the_downtime_budget_is_looked_at_before_the_stop_and_before_every_change() {
    // By what is typical: a stop 30 s, a password 20 s, a resize 120 s, a start 60 s.
    let stopped = || done(stop());
    let left = "left: reset password, resize";
    let used = "s of";
    let table = [
        ("230s", vec![], UP, 0, "stop"),
        (
            "229s",
            vec![],
            UP,
            0,
            "failed: it was not stopped: it would be down for about 230 s, and the downtime",
        ),
        // 2 s went by from the stop to the moment that it was seen.
        ("230s", stopped(), DOWN, 100, "reset password"),
        ("230s", stopped(), DOWN, 148, "reset password"),
        ("230s", stopped(), DOWN, 149, "failed: the rest did not fit in the downtime budget: 151 s of 230 s"),
        ("230s", down(), DOWN, 100, "failed: the rest did not fit in the downtime budget: 105 s of 230 s"),
        ("300s", down(), DOWN, 100, "resize to S5.LARGE8"),
        // The start is made however late it is, and so is what is behind it.
        ("230s", [down(), done(to(NEW))].concat(), DOWN, 900, "start"),
    ];
    for (budget, events, power, later, expected) in table {
        let case = Case {
            resize: &format!("type: {NEW}"),
            more: &format!("downtime-budget: {budget}"),
            instance_type: if events.len() > 6 { NEW } else { OLD },
            events,
            power,
            order: Order::CarryOn,
            later,
        };
        let next = case.next();
        assert!(next.starts_with(expected), "{budget} {later}: {next}");
        assert_eq!(next.contains(left), next.contains("not stopped") || next.contains("151 s"), "{next}");
        assert_eq!(next.contains(used), next.contains("did not fit"), "{next}");
    }
}

#[test]
fn an_instance_over_its_budget_is_started_whatever_else_the_workflow_says() {
    let second = Duration::from_secs;
    let failure = Failure::OverBudget {
        budget: second(60),
        used: second(50),
        expected: second(120),
        left: vec![Action::Resize],
    };
    for on_failure in ["start", "roll-back", "leave-stopped"] {
        let events = [down(), vec![Event::Failed { failure: failure.clone() }]].concat();
        assert_eq!(next(on_failure, events, DOWN, OLD, Order::CarryOn), "start", "{on_failure}");
    }
}

#[test]
fn a_roll_back_may_be_of_an_instance_that_was_found_stopped() {
    let plan = plan(&instance(DOWN, OLD), &format!("type: {NEW}"), "start: always\non-failure: roll-back");
    assert_eq!(
        plan.instances[0].found.as_ref().map(|found| &found.instance_type),
        Some(&InstanceType::from(OLD))
    );
    let events = [done(to(NEW)), done(Intent::Start), failed_check(), back()].concat();
    let state = events
        .iter()
        .zip(1..)
        .fold(State::default(), |state, (event, second)| state.next(event, at(second)).unwrap());
    assert_eq!(next_of(&plan, &state, instance(UP, NEW), Order::CarryOn, (0, 200)), "stop");
}
