//! Nothing is under way: what is next.

use jiff::Timestamp;

use super::{Next, Turn, View, ended, failed, in_words};
use crate::clock::between;
use crate::cloud::{
    Action, CloudError, ErrorKind, Instance, InstanceType, Operation, OperationState, PowerState, Sent,
};
use crate::journal::{Event, Failure, Intent, Order, Refused, Verdict};
use crate::plan::{EndPower, Step, differences, drift};
use crate::workflow::OnFailure;

/// How often a start is tried before a person is called.
pub(super) const STARTS: u32 = 3;
/// How often a stop is tried before a person is called, where the instance has to end stopped.
const STOPS: u32 = 3;
/// How often a call that leaves no trace is sent.
const VANISHES: u32 = 3;

impl<'a> View<'a> {
    /// Nothing is under way: choose what is next.
    pub(super) fn choose(&self) -> Next {
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
        if let Some(next) = self.roll_back(instance) {
            return next;
        }
        match self.next_step() {
            Some(step) if stopped => match self.too_long_to_go_on(step) {
                Some(failure) => failed(failure),
                None => self.act(self.intent_of(step), instance),
            },
            Some(_) if self.may_stop() => match self.too_long_to_stop() {
                Some(failure) => failed(failure),
                None => self.act(self.stop(), instance),
            },
            // Started by an interrupted process, which left before it could say so.
            Some(_) if self.handed_back_by_us(instance) => Next::Note(Event::Suspended),
            Some(_) => failed(Failure::Interference { what: self.started_by(instance) }),
            // A failure before anything was sent, or one that the workflow wants left as it is.
            None if ledger.failure.is_some() && (!ledger.touched || self.is_to_be_left()) => {
                self.end_well(instance)
            }
            None => self.converge(instance, stopped, after),
        }
    }

    /// It failed, and the workflow wants it left as it is. A downtime budget is there to bring it back.
    fn is_to_be_left(&self) -> bool {
        let over_budget = matches!(self.state.ledger.failure, Some(Failure::OverBudget { .. }));
        self.plan.on_failure == OnFailure::LeaveStopped && !over_budget
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
        match self.failure(Some(instance), &instance.power) {
            None => ended(Verdict::Done, differences),
            Some(failure) => ended(Verdict::Failed { failure }, differences),
        }
    }

    /// Ends it with whatever power it has.
    fn end_as_it_is(&self, power: PowerState, instance: Option<&Instance>) -> Next {
        let ledger = &self.state.ledger;
        let failure = self.failure(instance, &power).unwrap_or(Failure::DeadEnd { power: power.clone() });
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
            .map(|step| self.as_it_stands(step))
            .collect();
        self.own.found.as_ref().map(|found| differences(found, &made, instance)).unwrap_or_default()
    }

    /// A call was refused: try again later, or give it up. `None`: go on as if nothing had been.
    fn after_refusal(&self, refused: &Refused) -> Option<Next> {
        if refused.among > 1 && refused.error.kind != ErrorKind::Throttled {
            return None;
        }
        let patience = self.pace.patience(refused.action, &refused.error);
        // Not up to now, and not from before this process: time in which nobody tried is no sign of anything.
        if between(refused.since.max(self.began), refused.at) >= patience {
            if let Some((from, to)) = self.fallback(refused) {
                let error = refused.error.clone();
                // Ordered to bring it back, it is not resized at all.
                let carries_on = self.order == Order::CarryOn;
                return carries_on.then_some(Next::Note(Event::FellBack { from, to, error }));
            }
            let (action, error) = (refused.action, refused.error.clone());
            return Some(failed(Failure::Refused { action, error }));
        }
        let again = refused.at + self.pace.pause_after(refused.times);
        (self.seen_at() < again).then(|| self.look_at(again))
    }

    /// The type that was refused, and the one to ask for instead.
    fn fallback(&self, refused: &Refused) -> Option<(InstanceType, InstanceType)> {
        let ledger = &self.state.ledger;
        if refused.action != Action::Resize || ledger.failure.is_some() || !refused.error.is_about_the_type()
        {
            return None;
        }
        self.own.steps.iter().find_map(|step| match self.as_it_stands(step) {
            Step::Resize { to, fallbacks, .. } => Some((to, fallbacks.into_iter().next()?.to)),
            Step::LoadSshKeys { .. } | Step::ResetPassword { .. } => None,
        })
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

    /// The change to make next, unless the instance is only to be brought back.
    fn next_step(&self) -> Option<&'a Step> {
        (self.state.ledger.failure.is_none() && self.order == Order::CarryOn)
            .then(|| self.remaining().next())?
    }

    pub(super) fn act(&self, intent: Intent, instance: &Instance) -> Next {
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
            // What has nothing to do with the instances is not found by dividing them.
            Some(refused)
                if refused.action == intent.action()
                    && refused.among > 1
                    && refused.error.kind != ErrorKind::Throttled =>
            {
                refused.among.div_ceil(2)
            }
            _ if intent.action() == Action::Resize => 1,
            _ => crate::cloud::BATCH,
        };
        Next::Act { intent, baseline, among }
    }

    pub(super) fn stop(&self) -> Intent {
        Intent::Stop { mode: self.plan.stop.mode, charging: self.plan.stop.charging }
    }

    fn intent_of(&self, step: &Step) -> Intent {
        match &self.as_it_stands(step) {
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
        self.state.ledger.done.contains(&Action::Resize) || self.state.ledger.roll_back.is_some()
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

    pub(super) fn started_by(&self, instance: &Instance) -> String {
        match &instance.latest_operation {
            Some(operation) if operation.request != self.state.ledger.latest => {
                format!("it runs in the middle of the maintenance, after {}", in_words(operation))
            }
            _ => "it runs in the middle of the maintenance, though pitstop did not start it".to_owned(),
        }
    }
}
