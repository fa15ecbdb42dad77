//! What is next for one instance: a pure function of the plan, the instance's state, what was seen of it, and the time.
//!
//! It looks at what is, not at a script: the same function carries a run through, brings an instance back after a
//! failure or an order, and takes up a run whose process died. An intent without outcome means "look first", always.
//! `follow` is for what is under way or may be, `choose` for what is next, `roll_back` for the way back to the former
//! type, `budget` for the downtime that the workflow allows. Not here: reading, sending, batching,
//! journalling. Neighbours: `pace` says how long, `engine` does what is said.

mod budget;
mod choose;
mod follow;
mod roll_back;

use std::time::Duration;

use jiff::Timestamp;

use super::pace::{Experience, Pace};
use crate::clock::between;
use crate::cloud::{Action, CloudError, Instance, KeyId, Operation, RequestId};
use crate::journal::{Event, Failure, Halt, Intent, Order, Stage, State, Verdict};
use crate::plan::{InstancePlan, Plan, Step};

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
    /// How reading the instance fails; `None` if the last read succeeded.
    pub blind: Option<&'a Blind>,
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

/// Reading an instance fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blind {
    /// Since when.
    pub since: Timestamp,
    /// How many reads running.
    pub reads: u32,
    /// Why, the last time.
    pub error: CloudError,
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

/// After fewer reads that failed, running, an instance is not given up, however long they took.
const BLIND_READS: u32 = 5;

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
    /// The instance as seen by a read that was asked for at or after `since` and landed at or after `fresh`;
    /// what to do if there is none.
    #[expect(clippy::result_large_err, reason = "not an error: the other thing to do, returned once")]
    fn observe(&self, since: Timestamp, fresh: Timestamp) -> Result<Option<&'a Instance>, Next> {
        if let Some(blind) = self.blind
            && let Some(next) = self.give_up_blind(blind)
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

    fn give_up_blind(&self, blind: &Blind) -> Option<Next> {
        let ledger = &self.state.ledger;
        let at_work = !matches!(self.state.stage, Stage::Ready);
        let patience = if ledger.touched || at_work { self.pace.recovery } else { self.pace.visibility * 2 };
        // A read may take minutes to fail, and where few are allowed there are minutes between two: neither is a sign.
        if between(blind.since, self.now) < patience || blind.reads < BLIND_READS {
            return None;
        }
        if ledger.failure.is_none() || at_work {
            let error = blind.error.clone();
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

    /// The changes that are not made yet. There is nothing to make of a resize that fell back to the type that the
    /// instance has.
    fn remaining(&self) -> impl Iterator<Item = &'a Step> {
        let ledger = &self.state.ledger;
        self.own.steps.iter().filter(move |step| {
            let keeps = matches!(step, Step::Resize { from, .. } if Some(from) == ledger.fallback.as_ref());
            !keeps && !ledger.done.contains(&step.action())
        })
    }

    /// The step as it is made now: what it has fallen back to.
    fn as_it_stands(&self, step: &Step) -> Step {
        self.state.ledger.fallback.as_ref().map_or_else(|| step.clone(), |to| step.fallen_back_to(to))
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
        let pause = self.pace.next_look(elapsed, self.experience.span(action, self.family()));
        match action {
            // The instance runs again whether that is seen or not: nothing stands still meanwhile.
            Action::Start => pause.max(self.pace.shortest * 9),
            Action::Stop | Action::LoadSshKeys | Action::ResetPassword | Action::Resize => pause,
        }
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

fn in_words(operation: &Operation) -> String {
    let request = operation.request.as_ref().map_or("unknown", RequestId::as_str);
    format!("{} ({}, request {request})", operation.action, operation.state)
}

#[cfg(test)]
mod tests;
