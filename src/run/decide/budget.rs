//! Whether what is left fits in the downtime budget.

use std::time::Duration;

use super::View;
use crate::clock::between;
use crate::cloud::{Action, PowerState};
use crate::journal::Failure;
use crate::plan::{EndPower, Step};

impl View<'_> {
    /// Why the instance must not be stopped: all that is left would take too long.
    pub(super) fn too_long_to_stop(&self) -> Option<Failure> {
        let changes = self.remaining().map(Step::action);
        self.over_budget([Action::Stop].into_iter().chain(changes))
    }

    /// Why the next change must not be made: it and the start would take too long.
    pub(super) fn too_long_to_go_on(&self, step: &Step) -> Option<Failure> {
        self.over_budget([step.action()])
    }

    /// These calls and a start would take the instance over its budget.
    fn over_budget(&self, calls: impl IntoIterator<Item = Action>) -> Option<Failure> {
        let budget = self.plan.downtime_budget.filter(|_| self.is_needed())?;
        let ledger = &self.state.ledger;
        let used = ledger.down + ledger.down_since.map(|since| between(since, self.now)).unwrap_or_default();
        let expected = calls.into_iter().chain([Action::Start]).map(|action| self.expected(action)).sum();
        (used + expected > budget).then(|| {
            let left = self.remaining().map(Step::action).collect();
            Failure::OverBudget { budget, used, expected, left }
        })
    }

    /// It ran, and shall run again: what it is down is missed.
    fn is_needed(&self) -> bool {
        let ran = self.own.found.as_ref().is_some_and(|found| found.power == PowerState::Running);
        ran && self.own.ends == EndPower::Running
    }

    /// How long the operation may be expected to take, rather more than less.
    fn expected(&self, action: Action) -> Duration {
        self.experience
            .span(action, self.family())
            .map_or_else(|| self.pace.typical.of(action), |span| span.late)
    }
}
