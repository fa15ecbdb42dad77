//! Back to the former type, after a resize that the instance does not do well with.

use super::{Next, View, failed};
use crate::cloud::{Action, ErrorKind, Instance, InstanceType, PowerState};
use crate::journal::{Event, Failure, Intent, Order};
use crate::plan::Step;
use crate::workflow::OnFailure;

use super::choose::STARTS;

impl<'a> View<'a> {
    /// The next thing to do for a roll-back; `None` if there is none to make, if it is made, or given up.
    pub(super) fn roll_back(&self, instance: &Instance) -> Option<Next> {
        let ledger = &self.state.ledger;
        let Some(roll_back) = &ledger.roll_back else {
            let to = self.former_type(instance)?.clone();
            return self.calls_for_roll_back(instance).then_some(Next::Note(Event::RollBackBegan { to }));
        };
        if roll_back.given_up.is_some() || instance.instance_type == roll_back.to {
            return None;
        }
        // An order to bring it back is met the fastest way: with the type that it has, if it can start with that.
        let is_down = roll_back.is_down || ledger.failed_starts >= STARTS;
        if self.order != Order::CarryOn && !is_down {
            return None;
        }
        if instance.power == PowerState::Stopped {
            return Some(self.act(Intent::Resize { to: roll_back.to.clone() }, instance));
        }
        Some(if roll_back.stop_sent {
            failed(Failure::Interference { what: self.started_by(instance) })
        } else {
            self.act(self.stop(), instance)
        })
    }

    /// The roll-back is to begin.
    fn calls_for_roll_back(&self, instance: &Instance) -> bool {
        let ledger = &self.state.ledger;
        if self.plan.on_failure != OnFailure::RollBack {
            return false;
        }
        // More tries may help against much, but hardly against a host that is too small for the new type.
        let is_short = matches!(&ledger.failure, Some(Failure::Refused { error, .. }) if error.kind == ErrorKind::Capacity);
        let starts = if is_short { 1 } else { STARTS };
        let is_down = instance.power == PowerState::Stopped && ledger.failed_starts >= starts;
        is_down || (self.does_badly() && self.order == Order::CarryOn)
    }

    /// The resize went wrong, or a check after it.
    fn does_badly(&self) -> bool {
        let failure = self.state.ledger.failure.as_ref();
        failure.is_some_and(|failure| {
            matches!(failure, Failure::Check { .. }) || failure.action() == Some(Action::Resize)
        })
    }

    /// The type that the instance had, if it has one now that the plan gave it.
    fn former_type(&self, instance: &Instance) -> Option<&'a InstanceType> {
        let now = &instance.instance_type;
        self.own.steps.iter().find_map(|step| match step {
            Step::Resize { from, to, fallbacks, .. } => {
                let planned = to == now || fallbacks.iter().any(|fallback| fallback.to == *now);
                (planned && from != now).then_some(from)
            }
            Step::LoadSshKeys { .. } | Step::ResetPassword { .. } => None,
        })
    }

    /// What went wrong, with what became of the roll-back if there was one.
    pub(super) fn failure(&self, instance: Option<&Instance>, power: &PowerState) -> Option<Failure> {
        let ledger = &self.state.ledger;
        let cause = ledger.failure.clone()?;
        let Some(roll_back) = &ledger.roll_back else { return Some(self.without_roll_back(cause, instance)) };
        let (cause, to) = (Box::new(cause), roll_back.to.clone());
        let is_back = instance.is_some_and(|instance| instance.instance_type == to);
        if is_back && *power == self.own.ends.state() {
            return Some(Failure::RolledBack { cause, to });
        }
        let why = roll_back.given_up.clone().or_else(|| roll_back.failed_start.clone());
        let why = why.or_else(|| match (instance, power) {
            (None, _) => Some(Failure::Gone),
            (Some(_), PowerState::Running | PowerState::Stopped) => None,
            (Some(_), power) => Some(Failure::DeadEnd { power: power.clone() }),
        });
        Some(Failure::NotRolledBack { cause, to, why: why.map(Box::new) })
    }

    /// What went wrong, where no roll-back has begun: if one was due, only an order was in its way.
    fn without_roll_back(&self, cause: Failure, instance: Option<&Instance>) -> Failure {
        let was_due = self.plan.on_failure == OnFailure::RollBack && self.does_badly();
        match instance.filter(|_| was_due).and_then(|instance| self.former_type(instance)) {
            Some(to) => Failure::NotRolledBack { cause: Box::new(cause), to: to.clone(), why: None },
            None => cause,
        }
    }
}
