//! What is next for one instance: a pure function of the plan, the instance's state, what was seen of it, and the time.
//!
//! It looks at what is, not at a script: the same function carries a run through, brings an instance back after a
//! failure or an order, and takes up a run whose process died. An intent without outcome means "look first", always.
//! Not here: reading, sending, batching, journalling. Neighbours: `pace` says how long, `engine` does what is said.

use std::time::Duration;

use jiff::Timestamp;

use super::pace::{Experience, Pace};
use crate::clock::between;
use crate::cloud::{
    Action, CloudError, ErrorKind, Instance, KeyId, Operation, OperationState, PowerState, RequestId, Sent,
};
use crate::journal::{Event, Failure, Halt, Intent, Order, Refused, Stage, State, Verdict};
use crate::plan::{EndPower, InstancePlan, Plan, Step, differences, drift};
use crate::workflow::OnFailure;

/// How often a start is tried before a person is called.
const STARTS: u32 = 3;
/// How often a stop is tried before a person is called, where the instance has to end stopped.
const STOPS: u32 = 3;
/// How often a call that leaves no trace is sent.
const VANISHES: u32 = 3;

/// Everything that a decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The whole plan.
    pub plan: &'a Plan,
    /// The instance's part of it.
    pub own: &'a InstancePlan,
    /// The key that was imported for the run, if one was.
    pub imported: Option<&'a KeyId>,
    /// Where the instance is.
    pub state: &'a State,
    /// What was seen last.
    pub seen: Option<&'a Observation>,
    /// Since when, and why, reading the instance fails; `None` if the last read succeeded.
    pub blind: Option<(Timestamp, &'a CloudError)>,
    /// What the operator has ordered.
    pub order: Order,
    /// It is the instance's turn.
    pub turn: Turn,
    /// When this process began.
    pub began: Timestamp,
    /// The time.
    pub now: Timestamp,
    /// How long to wait for what.
    pub pace: &'a Pace,
    /// How long operations took so far.
    pub experience: &'a Experience,
}

/// Whether an instance may be begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now,
    /// Others are under way; later.
    Later,
    /// Never: the run begins nothing more, for this reason.
    Halted(Halt),
}

/// What one read showed of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The instance; `None` if the cloud did not know it.
    pub instance: Option<Instance>,
    /// Since when it has been missing.
    pub missing_since: Option<Timestamp>,
    /// When the read was asked for: nothing after this can be relied on to be seen in it.
    pub at: Timestamp,
    /// When the answer came.
    pub landed: Timestamp,
}

/// What is next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Write this down, then decide again.
    Note(Event),
    /// Write the intent down, then send it, in a call that names at most `among` instances.
    Act {
        /// What to do.
        intent: Intent,
        /// The last operation's request, as seen.
        baseline: Option<RequestId>,
        /// How many instances the call may name.
        among: usize,
    },
    /// Look at the instance then.
    Look(Timestamp),
    /// Carry out this check, counted from 0.
    Check(usize),
    /// Wait for the turn.
    Hold,
    /// Nothing more, as things are.
    Rest,
}

/// Decides. Not to be asked while the answer to a call of this instance is awaited.
pub fn decide(view: &View<'_>) -> Next {
    match &view.state.stage {
        Stage::Ended { .. } => Next::Rest,
        Stage::Intended { intent, baseline, at } => view.find_out(intent, baseline.as_ref(), *at),
        Stage::Underway { intent, baseline, request, at } => {
            view.follow(intent, baseline.as_ref(), request, *at)
        }
        Stage::Ready => view.choose(),
    }
}

fn failed(failure: Failure) -> Next {
    Next::Note(Event::Failed { failure })
}

impl<'a> View<'a> {
    /// An operation was accepted: wait for its end and its effect.
    fn follow(
        &self,
        intent: &Intent,
        baseline: Option<&RequestId>,
        request: &RequestId,
        at: Timestamp,
    ) -> Next {
        let action = intent.action();
        let elapsed = between(at, self.now);
        let limit = self.pace.limit(action, self.plan.stop.timeout);
        let timed_out = || failed(Failure::TimedOut { action, limit, request: Some(request.clone()) });
        // Only what is seen at the deadline or after it says that the time is up.
        let wait = || match elapsed >= limit {
            true if self.seen_at() >= at + limit => timed_out(),
            true => Next::Look(self.now),
            false => self.look_in(self.interval(action, elapsed), at + limit),
        };
        let Some(instance) = (match self.observe(at, Timestamp::MIN) {
            Ok(instance) => instance,
            Err(next) => return next,
        }) else {
            return failed(Failure::Gone);
        };
        let effect = has_effect(intent, instance);
        let may_show = self.seen_at() >= at + self.pace.visibility;
        let achieved = || Next::Note(Event::Achieved { took: elapsed });
        match instance
            .latest_operation
            .as_ref()
            .and_then(|operation| Some((operation, operation.request.as_ref()?)))
        {
            Some((operation, seen)) if seen == request => match operation.state {
                OperationState::Operating => wait(),
                OperationState::Failed => {
                    let message = operation.message.clone();
                    failed(Failure::Operation { action, message, request: request.clone() })
                }
                OperationState::Success | OperationState::Other(_) if effect => achieved(),
                OperationState::Success | OperationState::Other(_)
                    if elapsed < limit.min(self.pace.visibility * 2) =>
                {
                    wait()
                }
                OperationState::Success | OperationState::Other(_) => {
                    let expected = expected(intent);
                    failed(Failure::NoEffect { action, expected, request: request.clone() })
                }
            },
            // The operation fields lag the acceptance by seconds: until they show ours, the effect is no proof.
            Some((_, seen)) if !may_show && self.is_past(seen, baseline) => wait(),
            None if !may_show => wait(),
            Some((operation, _)) if operation.state == OperationState::Operating => wait(),
            // The vendor documents the request's equality, but nobody has proved it: the action's name will do.
            Some((operation, seen))
                if !self.is_past(seen, baseline)
                    && operation.action == action.api_name()
                    && operation.state == OperationState::Success
                    && effect =>
            {
                achieved()
            }
            Some(_) | None if effect && action != Action::ResetPassword => achieved(),
            Some((operation, seen)) if !self.is_past(seen, baseline) => {
                failed(Failure::Interference { what: in_words(operation) })
            }
            Some(_) | None => wait(),
        }
    }

    /// A call's outcome is unknown: find out from what is seen whether it was executed.
    fn find_out(&self, intent: &Intent, baseline: Option<&RequestId>, at: Timestamp) -> Next {
        let elapsed = between(at, self.now);
        let Some(instance) = (match self.observe(at, Timestamp::MIN) {
            Ok(instance) => instance,
            Err(next) => return next,
        }) else {
            return failed(Failure::Gone);
        };
        if let Some(operation) = &instance.latest_operation
            && let Some(request) = &operation.request
            && operation.action == intent.action().api_name()
            && !self.is_past(request, baseline)
            && Some(request) != self.state.ledger.latest.as_ref()
        {
            return Next::Note(Event::Accepted { request: request.clone() });
        }
        if self.seen_at() < at + self.pace.visibility {
            let interval = self.interval(intent.action(), elapsed).min(self.pace.visibility / 10);
            return self.look_in(interval, (at + self.pace.visibility).max(self.now));
        }
        if instance.is_operating() || instance.power.is_passing() {
            return match self.patience_left() {
                Some(()) => self.look_in(self.pace.longest / 3, Timestamp::MAX),
                None => failed(Failure::TimedOut {
                    action: intent.action(),
                    limit: self.pace.recovery,
                    request: None,
                }),
            };
        }
        // No trace of the operation. If the wanted state is there, whoever brought it about, there is nothing to send.
        if intent.action() != Action::ResetPassword && has_effect(intent, instance) {
            return Next::Note(Event::Achieved { took: elapsed });
        }
        match self.hiding(instance, baseline) {
            Some(operation) if intent.action() != Action::Start => {
                failed(Failure::Interference { what: in_words(operation) })
            }
            _ => Next::Note(Event::NotExecuted),
        }
    }

    /// Somebody else's operation that is newer than the call whose trace is looked for: it may hide that trace.
    fn hiding<'b>(&self, instance: &'b Instance, baseline: Option<&RequestId>) -> Option<&'b Operation> {
        instance.latest_operation.as_ref().filter(|operation| {
            operation.request.as_ref().is_some_and(|request| {
                !self.is_past(request, baseline) && Some(request) != self.state.ledger.latest.as_ref()
            })
        })
    }

    /// Nothing is under way: choose what is next.
    fn choose(&self) -> Next {
        let ledger = &self.state.ledger;
        if (!ledger.touched || ledger.suspended) && ledger.failure.is_none() {
            if self.own.is_unchanged() {
                return ended(Verdict::Unchanged, Vec::new());
            }
            match (self.order, self.turn) {
                (Order::BringBack | Order::LeaveNow, _) => return Next::Rest,
                (Order::CarryOn, Turn::Halted(_)) if ledger.touched => {
                    let left = self.remaining().map(Step::action).collect();
                    return failed(Failure::CutShort { left });
                }
                (Order::CarryOn, Turn::Halted(why)) => {
                    return ended(Verdict::NotBegun { why }, Vec::new());
                }
                (Order::CarryOn, Turn::Later) => return Next::Hold,
                (Order::CarryOn, Turn::Now) => {}
            }
        }
        if let Some(refused) = &ledger.refused
            && let Some(next) = self.after_refusal(refused)
        {
            return next;
        }
        let after =
            ledger.achieved_at.into_iter().chain(ledger.refused.as_ref().map(|refused| refused.at)).max();
        let fresh = self.now.checked_sub(self.pace.fresh).unwrap_or(Timestamp::MIN);
        // It must have been asked for after the last answer to a call of ours, and be recent.
        let instance = match self.observe(ledger.answered_at.unwrap_or(Timestamp::MIN), fresh) {
            Ok(Some(instance)) => instance,
            Ok(None) if ledger.failure.is_none() => return failed(Failure::Gone),
            Ok(None) => return self.end_as_it_is(PowerState::from("GONE"), None),
            Err(next) => return next,
        };
        if instance.is_operating() || instance.power.is_passing() || self.is_stale(instance) {
            return self.wait_out(instance);
        }
        if !ledger.touched
            && ledger.failure.is_none()
            && let Some(what) = self.own.found.as_ref().and_then(|found| drift(found, instance))
        {
            return failed(Failure::Drifted { what });
        }
        match instance.power {
            PowerState::Running | PowerState::Stopped => self.act_on(instance, after),
            _ if ledger.failure.is_none() => failed(Failure::DeadEnd { power: instance.power.clone() }),
            _ => self.end_as_it_is(instance.power.clone(), Some(instance)),
        }
    }

    /// The instance rests, running or stopped.
    fn act_on(&self, instance: &Instance, after: Option<Timestamp>) -> Next {
        let ledger = &self.state.ledger;
        let stopped = instance.power == PowerState::Stopped;
        match self.next_step() {
            Some(step) if stopped => self.act(self.intent_of(step, instance), instance),
            Some(_) if self.may_stop() => self.act(self.stop(), instance),
            // Started by an interrupted process, which left before it could say so.
            Some(_) if self.handed_back_by_us(instance) => Next::Note(Event::Suspended),
            Some(_) => failed(Failure::Interference { what: self.started_by(instance) }),
            // A failure before anything was sent, or one that the workflow wants left as it is.
            None if ledger.failure.is_some()
                && (!ledger.touched || self.plan.on_failure == OnFailure::LeaveStopped) =>
            {
                self.end_well(instance)
            }
            None => self.converge(instance, stopped, after),
        }
    }

    /// All changes are made, or given up: bring the power to what the workflow says.
    fn converge(&self, instance: &Instance, stopped: bool, after: Option<Timestamp>) -> Next {
        let ledger = &self.state.ledger;
        match (self.own.ends, stopped) {
            (EndPower::Running, false) => self.finish(instance),
            (EndPower::Running, true) if ledger.failed_starts >= STARTS => {
                self.end_as_it_is(PowerState::Stopped, Some(instance))
            }
            (EndPower::Running, true) => self.again(ledger.failed_starts, Intent::Start, instance),
            (EndPower::Stopped, true) => match after {
                Some(after) if self.was_resized() && self.seen_at() < after + self.pace.settle => {
                    self.look_at(after + self.pace.settle)
                }
                _ => self.finish(instance),
            },
            (EndPower::Stopped, false) if ledger.failed_stops >= STOPS => {
                self.end_as_it_is(PowerState::Running, Some(instance))
            }
            (EndPower::Stopped, false) if self.may_stop() || self.booted_by_resize(instance) => {
                self.again(ledger.failed_stops, self.stop(), instance)
            }
            (EndPower::Stopped, false) if ledger.failure.is_none() => {
                failed(Failure::Interference { what: self.started_by(instance) })
            }
            (EndPower::Stopped, false) => self.end_as_it_is(PowerState::Running, Some(instance)),
        }
    }

    /// Acts; after `failed` tries not at once.
    fn again(&self, failed: u32, intent: Intent, instance: &Instance) -> Next {
        let pause = self.pace.pause_after(failed + 2);
        match self.state.ledger.at {
            Some(at) if failed > 0 && between(at, self.now) < pause => self.look_at(at + pause),
            _ => self.act(intent, instance),
        }
    }

    /// The power is as the workflow says.
    fn finish(&self, instance: &Instance) -> Next {
        let ledger = &self.state.ledger;
        let complete = ledger.failure.is_none() && self.remaining().next().is_none();
        if ledger.failure.is_some() {
            return self.end_well(instance);
        }
        if complete && (ledger.checks_passed >= self.plan.checks.len() || self.own.ends == EndPower::Stopped)
        {
            return self.end_well(instance);
        }
        if self.order == Order::CarryOn {
            return Next::Check(ledger.checks_passed);
        }
        Next::Note(Event::Suspended)
    }

    /// Ends it with the power that the workflow says, or as it was found.
    fn end_well(&self, instance: &Instance) -> Next {
        let differences = self.differences(instance);
        match &self.state.ledger.failure {
            None => ended(Verdict::Done, differences),
            Some(failure) => ended(Verdict::Failed { failure: failure.clone() }, differences),
        }
    }

    /// Ends it with whatever power it has.
    fn end_as_it_is(&self, power: PowerState, instance: Option<&Instance>) -> Next {
        let ledger = &self.state.ledger;
        let failure = ledger.failure.clone().unwrap_or(Failure::DeadEnd { power: power.clone() });
        let differences = instance.map(|instance| self.differences(instance)).unwrap_or_default();
        if !ledger.touched || power == self.own.ends.state() {
            return ended(Verdict::Failed { failure }, differences);
        }
        ended(Verdict::Stranded { failure, power }, differences)
    }

    fn differences(&self, instance: &Instance) -> Vec<String> {
        let made: Vec<_> = self
            .own
            .steps
            .iter()
            .filter(|step| self.state.ledger.done.contains(&step.action()))
            .cloned()
            .collect();
        self.own.found.as_ref().map(|found| differences(found, &made, instance)).unwrap_or_default()
    }

    /// A call was refused: try again later, or give it up. `None`: go on as if nothing had been.
    fn after_refusal(&self, refused: &Refused) -> Option<Next> {
        if refused.among > 1 && refused.error.kind != ErrorKind::Throttled {
            return None;
        }
        let patience = self.pace.patience(refused.action, &refused.error);
        // Not up to now: time in which nobody tried, because no process was there, is no sign of anything.
        if between(refused.since, refused.at) >= patience {
            let (action, error) = (refused.action, refused.error.clone());
            return Some(failed(Failure::Refused { action, error }));
        }
        let again = refused.at + self.pace.pause_after(refused.times);
        (self.seen_at() < again).then(|| self.look_at(again))
    }

    /// Something passes that is not ours to wait for with a deadline of its own.
    fn wait_out(&self, instance: &Instance) -> Next {
        if self.patience_left().is_some() {
            let elapsed = between(self.since(), self.now);
            return self.look_in(self.pace.next_look(elapsed, None), Timestamp::MAX);
        }
        if self.state.ledger.failure.is_some() {
            return self.end_as_it_is(instance.power.clone(), Some(instance));
        }
        let what = instance
            .latest_operation
            .as_ref()
            .filter(|operation| operation.state == OperationState::Operating)
            .map_or_else(|| format!("it has been {} for too long", instance.power), in_words);
        failed(Failure::Interference { what })
    }

    /// The instance as seen by a read that was asked for at or after `since` and landed at or after `fresh`;
    /// what to do if there is none.
    #[expect(clippy::result_large_err, reason = "not an error: the other thing to do, returned once")]
    fn observe(&self, since: Timestamp, fresh: Timestamp) -> Result<Option<&'a Instance>, Next> {
        if let Some((from, error)) = self.blind
            && let Some(next) = self.give_up_blind(from, error)
        {
            return Err(next);
        }
        match self.seen {
            Some(seen) if seen.at >= since && seen.landed >= fresh => {
                match (&seen.instance, seen.missing_since) {
                    (Some(instance), _) => Ok(Some(instance)),
                    (None, Some(from)) if between(from, seen.landed) >= self.patience_with_absence() => {
                        Ok(None)
                    }
                    (None, _) => Err(self.look_in(self.pace.pause * 2, Timestamp::MAX)),
                }
            }
            _ if self.blind.is_some() => Err(self.look_in(self.pace.pause * 2, Timestamp::MAX)),
            _ => {
                // The first look at a fresh operation waits for its earliest end.
                let first = match &self.state.stage {
                    Stage::Underway { intent, at, .. } => {
                        let span = self.experience.span(intent.action(), self.family());
                        *at + self.pace.next_look(Duration::ZERO, span)
                    }
                    Stage::Ready | Stage::Intended { .. } | Stage::Ended { .. } => self.now,
                };
                Err(Next::Look(first.max(self.now)))
            }
        }
    }

    /// How long an instance must be missing from the cloud's answers before it counts as gone: an odd answer must not
    /// end the care for one that is down.
    fn patience_with_absence(&self) -> Duration {
        if self.state.ledger.touched { self.pace.visibility * 5 } else { self.pace.pause * 2 }
    }

    fn give_up_blind(&self, from: Timestamp, error: &CloudError) -> Option<Next> {
        let ledger = &self.state.ledger;
        let at_work = !matches!(self.state.stage, Stage::Ready);
        let patience = if ledger.touched || at_work { self.pace.recovery } else { self.pace.visibility * 2 };
        if between(from, self.now) < patience {
            return None;
        }
        if ledger.failure.is_none() || at_work {
            let error = error.clone();
            let action = match &self.state.stage {
                Stage::Intended { intent, .. } | Stage::Underway { intent, .. } => intent.action(),
                Stage::Ready | Stage::Ended { .. } => Action::Stop,
            };
            return Some(failed(Failure::Refused { action, error }));
        }
        let failure = ledger.failure.clone()?;
        // Nobody knows how an instance is that was touched: no verdict, so that the run can be taken up again.
        Some(if ledger.touched { Next::Rest } else { ended(Verdict::Failed { failure }, Vec::new()) })
    }

    /// The changes that are not made yet.
    fn remaining(&self) -> impl Iterator<Item = &'a Step> {
        let done = &self.state.ledger.done;
        self.own.steps.iter().filter(move |step| !done.contains(&step.action()))
    }

    /// The change to make next, unless the instance is only to be brought back.
    fn next_step(&self) -> Option<&'a Step> {
        (self.state.ledger.failure.is_none() && self.order == Order::CarryOn)
            .then(|| self.remaining().next())?
    }

    fn act(&self, intent: Intent, instance: &Instance) -> Next {
        if let Some(vanished) = &self.state.ledger.vanished
            && vanished.action == intent.action()
            && vanished.times >= VANISHES
        {
            let error = vanished.error.clone().unwrap_or_else(|| {
                CloudError::new(
                    ErrorKind::Server,
                    Sent::Maybe,
                    format!("sent {VANISHES} times without a trace"),
                )
            });
            return failed(Failure::Refused { action: vanished.action, error });
        }
        let baseline = instance.latest_operation.as_ref().and_then(|operation| operation.request.clone());
        let among = match &self.state.ledger.refused {
            Some(refused) if refused.action == intent.action() && refused.among > 1 => {
                refused.among.div_ceil(2)
            }
            _ if intent.action() == Action::Resize => 1,
            _ => crate::cloud::BATCH,
        };
        Next::Act { intent, baseline, among }
    }

    fn stop(&self) -> Intent {
        Intent::Stop { mode: self.plan.stop.mode, charging: self.plan.stop.charging }
    }

    fn intent_of(&self, step: &Step, _instance: &Instance) -> Intent {
        match step {
            Step::LoadSshKeys { keys, imported } => {
                let mut keys = keys.clone();
                keys.extend(self.imported.filter(|_| *imported).cloned());
                keys.sort();
                keys.dedup();
                Intent::LoadSshKeys { keys }
            }
            Step::ResetPassword { user } => Intent::ResetPassword { user: user.clone() },
            Step::Resize { to, .. } => Intent::Resize { to: to.clone() },
        }
    }

    /// The one stop that the run has for an instance that ran when the plan was made, or was handed back running.
    fn may_stop(&self) -> bool {
        let ledger = &self.state.ledger;
        let found = self.own.found.as_ref().map(|found| &found.power);
        ledger.handed_back.as_ref().or(found) == Some(&PowerState::Running) && !ledger.stop_sent
    }

    fn was_resized(&self) -> bool {
        self.state.ledger.done.contains(&Action::Resize)
    }

    /// It runs because of our own start, although changes are left: only an order to bring back does that.
    fn handed_back_by_us(&self, instance: &Instance) -> bool {
        let ledger = &self.state.ledger;
        let start = |action: &str| action == Action::Start.api_name();
        let ours = |operation: &Operation| operation.request == ledger.latest && start(&operation.action);
        ledger.failure.is_none() && instance.latest_operation.as_ref().is_some_and(ours)
    }

    /// It runs because the cloud powered it on after our resize, not because somebody started it.
    fn booted_by_resize(&self, instance: &Instance) -> bool {
        let ours = self.state.ledger.latest.as_ref();
        let latest = instance.latest_operation.as_ref();
        latest.is_none_or(|operation| {
            operation.request.as_ref() == ours && operation.action == Action::Resize.api_name()
        })
    }

    fn started_by(&self, instance: &Instance) -> String {
        match &instance.latest_operation {
            Some(operation) if operation.request != self.state.ledger.latest => {
                format!("it runs in the middle of the maintenance, after {}", in_words(operation))
            }
            _ => "it runs in the middle of the maintenance, though pitstop did not start it".to_owned(),
        }
    }

    /// A request that is known to be older than the newest of ours.
    fn is_past(&self, request: &RequestId, baseline: Option<&RequestId>) -> bool {
        Some(request) == baseline || self.state.ledger.past.contains(request)
    }

    /// What was seen is from before our newest operation.
    fn is_stale(&self, instance: &Instance) -> bool {
        self.state.ledger.is_past(instance.latest_operation.as_ref())
            && self.seen_at() < self.since() + self.pace.visibility
    }

    fn family(&self) -> &'a str {
        self.own.found.as_ref().map_or("", |found| found.instance_type.family())
    }

    fn interval(&self, action: Action, elapsed: Duration) -> Duration {
        self.pace.next_look(elapsed, self.experience.span(action, self.family()))
    }

    fn seen_at(&self) -> Timestamp {
        self.seen.map_or(Timestamp::MIN, |seen| seen.at)
    }

    /// When something last happened to the instance.
    fn since(&self) -> Timestamp {
        self.state.ledger.at.unwrap_or(self.began).max(self.began)
    }

    fn patience_left(&self) -> Option<()> {
        (between(self.since(), self.now) < self.pace.recovery).then_some(())
    }

    fn look_in(&self, pause: Duration, no_later: Timestamp) -> Next {
        Next::Look((self.now + pause.max(self.pace.shortest)).min(no_later.max(self.now)))
    }

    fn look_at(&self, when: Timestamp) -> Next {
        Next::Look(when.max(self.now))
    }
}

fn ended(verdict: Verdict, differences: Vec<String>) -> Next {
    Next::Note(Event::Ended { verdict, differences })
}

/// The instance is as the call should make it. A password can't be seen: its operation's success is all there is.
fn has_effect(intent: &Intent, instance: &Instance) -> bool {
    match intent {
        Intent::Stop { .. } => instance.power == PowerState::Stopped,
        Intent::Start => instance.power == PowerState::Running,
        Intent::Resize { to } => instance.instance_type == *to,
        Intent::LoadSshKeys { keys } => {
            let mut bound = instance.keys.clone();
            bound.sort();
            bound == *keys
        }
        Intent::ResetPassword { .. } => true,
    }
}

/// What should be seen.
fn expected(intent: &Intent) -> String {
    match intent {
        Intent::Stop { .. } => PowerState::Stopped.to_string(),
        Intent::Start => PowerState::Running.to_string(),
        Intent::Resize { to } => format!("the type {to}"),
        Intent::LoadSshKeys { keys } => {
            format!("the keys {}", keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", "))
        }
        Intent::ResetPassword { .. } => "the end of the operation".to_owned(),
    }
}

fn in_words(operation: &Operation) -> String {
    let request = operation.request.as_ref().map_or("unknown", RequestId::as_str);
    format!("{} ({}, request {request})", operation.action, operation.state)
}
