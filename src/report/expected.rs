//! What operations can be expected to take, and what follows for a plan: how long each instance will be down, and how
//! long the whole will take. Pure; where the figures come from is the caller's business.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::cloud::Action;
use crate::plan::{EndPower, InstancePlan, Plan};

/// ResetInstancesType may be called so often in an account and region (CVM API: 10 a second), for one instance each.
const RESIZES_PER_SECOND: usize = 10;

/// What earlier operations took, by action and family.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    by_family: BTreeMap<(Action, String), Expectation>,
}

/// What one kind of operation is expected to take, from its acceptance to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Hardly ever less.
    pub early: Duration,
    /// Hardly ever more.
    pub late: Duration,
    /// How many earlier operations say so.
    pub of: usize,
}

impl Expectation {
    /// The middle of it, for sentences with "about" in them.
    pub fn middle(&self) -> Duration {
        (self.early + self.late) / 2
    }
}

/// How long a plan will keep instances down, by past experience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The instances that are stopped, and for which every operation is known.
    pub known: usize,
    /// The instances that are stopped, and of which too little is known.
    pub unknown: usize,
    /// The shortest that one of the known is down.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
    /// How long the known ones take together, as many at a time as the rollout allows.
    pub whole: Duration,
    /// How many may be under way at a time.
    pub at_once: usize,
    /// On how many earlier operations of each kind this rests, at the least.
    pub of: usize,
}

impl Expected {
    /// Sets what is expected of these operations.
    pub fn set(&mut self, action: Action, family: &str, expectation: Expectation) {
        self.by_family.insert((action, family.to_owned()), expectation);
    }

    /// What is expected of such an operation.
    pub fn of(&self, action: Action, family: &str) -> Option<Expectation> {
        self.by_family.get(&(action, family.to_owned())).copied()
    }

    /// What is expected of this operation on this instance.
    pub fn on(&self, instance: &InstancePlan, action: Action) -> Option<Expectation> {
        self.of(action, instance.found.as_ref()?.instance_type.family())
    }

    /// How long the run keeps this instance down, and on how many operations of each kind that rests; `None` if it is
    /// not stopped, stays stopped, or too little is known.
    pub fn down(&self, instance: &InstancePlan) -> Option<(Duration, usize)> {
        if !instance.is_stopped_by_run() || instance.ends == EndPower::Stopped {
            return None;
        }
        let changes = instance.steps.iter().map(crate::plan::Step::action);
        let all = std::iter::once(Action::Stop).chain(changes).chain([Action::Start]);
        all.map(|action| self.on(instance, action))
            .try_fold((Duration::ZERO, usize::MAX), |(sum, of), one| {
                one.map(|one| (sum + one.middle(), of.min(one.of)))
            })
    }

    /// How long the plan keeps its instances down.
    pub fn estimate(&self, plan: &Plan) -> Estimate {
        let stopped: Vec<_> =
            plan.stopped_by_run().filter(|instance| instance.ends == EndPower::Running).collect();
        let known: Vec<_> = stopped.iter().filter_map(|instance| self.down(instance)).collect();
        let each = known.iter().map(|(down, _)| *down);
        let longest = each.clone().max().unwrap_or_default();
        let resizes = stopped.iter().filter(|instance| instance.is_resized()).count();
        // No resize waits stopped for its turn, but the last of many begins no earlier.
        let limit = Duration::from_secs((resizes / RESIZES_PER_SECOND) as u64);
        let limited = if limit.is_zero() { limit } else { limit + longest };
        let touched = plan.instances.iter().filter(|own| own.refusals.is_empty() && !own.is_unchanged());
        let at_once = plan.rollout.at_once.of(touched.count());
        Estimate {
            known: known.len(),
            unknown: stopped.len() - known.len(),
            shortest: each.clone().min().unwrap_or_default(),
            longest,
            whole: lanes(each.clone(), at_once).max(limited),
            at_once,
            of: known.iter().map(|(_, of)| *of).min().unwrap_or_default(),
        }
    }
}

/// When the last of these ends, if so many are under way at a time and each begins as soon as there is a place.
fn lanes(each: impl Iterator<Item = Duration>, at_once: usize) -> Duration {
    let mut free: BinaryHeap<Reverse<Duration>> = BinaryHeap::new();
    let mut last = Duration::ZERO;
    for duration in each {
        let begins = if free.len() < at_once.max(1) {
            Duration::ZERO
        } else {
            free.pop().map(|Reverse(at)| at).unwrap_or_default()
        };
        last = last.max(begins + duration);
        free.push(Reverse(begins + duration));
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_free_is_taken_at_once() {
        let seconds =
            |list: &[u64], at_once| lanes(list.iter().copied().map(Duration::from_secs), at_once).as_secs();
        assert_eq!(seconds(&[], 5), 0);
        assert_eq!(seconds(&[25], 5), 25);
        assert_eq!(seconds(&[10, 10, 10, 10], 1), 40);
        assert_eq!(seconds(&[10, 10, 10, 10], 4), 10);
        assert_eq!(seconds(&[30, 10, 10, 10], 2), 30, "three short ones beside a long one");
        assert_eq!(seconds(&[10, 20], 0), 30, "one at a time is the least");
    }
}
