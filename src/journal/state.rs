//! The legality table: an instance's state, and the one function that changes it.

use std::time::Duration;

use jiff::Timestamp;

use super::event::{Event, Intent, Verdict};
use super::failure::Failure;
use crate::clock::between;
use crate::cloud::{Action, CloudError, InstanceType, Operation, PowerState, RequestId};

/// Where an instance is within a run: what is under way, and what has been.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// What is under way.
    pub stage: Stage,
    /// What has been.
    pub ledger: Ledger,
}

/// What is under way with an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// Nothing: what is next is decided from what is seen.
    #[default]
    Ready,
    /// A call was about to be sent, and its outcome is not known. While this process waits for the answer, wait;
    /// otherwise look at the instance before anything else.
    Intended {
        /// What the call shall do.
        intent: Intent,
        /// The last operation's request as seen before it.
        baseline: Option<RequestId>,
        /// When it was about to be sent, or, if the answer was lost, when that was noticed.
        at: Timestamp,
    },
    /// The cloud accepted the call, and works on it.
    Underway {
        /// What the call does.
        intent: Intent,
        /// The last operation's request as seen before it.
        baseline: Option<RequestId>,
        /// The call's request.
        request: RequestId,
        /// When it was accepted.
        at: Timestamp,
    },
    /// The instance is done with.
    Ended {
        /// How it went.
        verdict: Verdict,
    },
}

/// What has been with an instance. What befalls few is boxed: there is a ledger for every instance of a fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// The changes made, in order.
    pub done: Vec<Action>,
    /// A stop was executed, or its outcome was never found out, and the instance was not handed back since.
    pub stop_sent: bool,
    /// A call was executed, or its outcome was never found out: the instance is not as it was found.
    pub touched: bool,
    /// It was handed back early, and nothing was begun since.
    pub suspended: bool,
    /// The power it had when it was last handed back early.
    pub handed_back: Option<PowerState>,
    /// The power state last seen.
    pub power: Option<PowerState>,
    /// The type last seen.
    pub instance_type: Option<InstanceType>,
    /// Since when the instance has been down by our doing.
    pub down_since: Option<Timestamp>,
    /// How long it was down in all, up to the last time it came up.
    pub down: Duration,
    /// The first thing that went wrong.
    pub failure: Option<Failure>,
    /// The type that is asked for instead of the planned one, which can't be had.
    pub fallback: Option<InstanceType>,
    /// The roll-back, once it has begun.
    pub roll_back: Option<Box<RollBack>>,
    /// The newest operation known to be ours.
    pub latest: Option<RequestId>,
    /// Requests known to be older than the newest: seeing one of them is seeing the past.
    pub past: Vec<RequestId>,
    /// The last call that was refused, until one is accepted.
    pub refused: Option<Box<Refused>>,
    /// The last call that left no trace, until one is accepted.
    pub vanished: Option<Box<Vanished>>,
    /// When the cloud last answered a call, or a call was found to have left no trace.
    pub answered_at: Option<Timestamp>,
    /// How often a start was given up or ended badly.
    pub failed_starts: u32,
    /// How often a stop was given up or ended badly.
    pub failed_stops: u32,
    /// How many of the plan's checks passed.
    pub checks_passed: usize,
    /// When the last effect was seen.
    pub achieved_at: Option<Timestamp>,
    /// When the last record was written.
    pub at: Option<Timestamp>,
}

/// An instance that was resized is to become what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct RollBack {
    /// The type that it had.
    pub to: InstanceType,
    /// It can't start as it is: the roll-back is its only way back.
    pub is_down: bool,
    /// A stop was executed for it, or its outcome was never found out.
    pub stop_sent: bool,
    /// Why it was given up.
    pub given_up: Option<Failure>,
    /// Why the last start since failed.
    pub failed_start: Option<Failure>,
}

/// A call that was refused, perhaps several times running.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The call.
    pub action: Action,
    /// Why, the last time.
    pub error: CloudError,
    /// How many instances the last of these calls named.
    pub among: usize,
    /// How often in a row.
    pub times: u32,
    /// When first.
    pub since: Timestamp,
    /// When last.
    pub at: Timestamp,
}

/// A call that got no answer and left no trace, perhaps several times running.
#[derive(Clone, Debug, PartialEq)]
pub struct Vanished {
    /// The call.
    pub action: Action,
    /// What was seen instead of an answer, if the process lived to see it.
    pub error: Option<CloudError>,
    /// How often it left no trace; 0 while that is not known yet.
    pub times: u32,
}

/// The event can't happen in this state: a bug of ours, or a damaged journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event `{event}` is not legal in the stage `{stage}`")]
pub struct IllegalEvent {
    event: &'static str,
    stage: &'static str,
}

impl Stage {
    /// The stage's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Intended { .. } => "intended",
            Self::Underway { .. } => "underway",
            Self::Ended { .. } => "ended",
        }
    }
}

impl State {
    /// The state after `event`, which happened `at`.
    #[expect(clippy::too_many_lines, reason = "the table is one piece: every pair stands in it")]
    pub fn next(&self, event: &Event, at: Timestamp) -> Result<Self, IllegalEvent> {
        use Stage as S;
        let illegal = || Err(IllegalEvent { event: event.name(), stage: self.stage.name() });
        let mut ledger = self.ledger.clone();
        ledger.at = Some(at);
        let stage = match (&self.stage, event) {
            (S::Ready | S::Intended { .. } | S::Underway { .. }, Event::Seen { power, instance_type }) => {
                ledger.saw(power, instance_type, at);
                self.stage.clone()
            }
            (S::Ready, Event::Intended { intent, baseline }) => {
                ledger.suspended = false;
                S::Intended { intent: intent.clone(), baseline: baseline.clone(), at }
            }
            (S::Ready, Event::CheckPassed { check }) => {
                ledger.checks_passed = check + 1;
                S::Ready
            }
            (S::Ready, Event::Suspended) => {
                ledger.stop_sent = false;
                ledger.suspended = true;
                ledger.handed_back = ledger.power.clone();
                ledger.refused = None;
                S::Ready
            }
            (S::Ready, Event::FellBack { to, .. }) => {
                ledger.fallback = Some(to.clone());
                ledger.refused = None;
                S::Ready
            }
            (S::Ready, Event::RollBackBegan { to }) => {
                ledger.begin_roll_back(to);
                S::Ready
            }
            (S::Ready, Event::Ended { verdict, .. }) => S::Ended { verdict: verdict.clone() },
            (S::Intended { intent, baseline, at: sent }, Event::Accepted { request }) => {
                ledger.accepted(intent, baseline.as_ref(), request, *sent);
                ledger.answered_at = Some(at);
                S::Underway {
                    intent: intent.clone(),
                    baseline: baseline.clone(),
                    request: request.clone(),
                    at,
                }
            }
            (S::Intended { intent, .. }, Event::Refused { error, among }) => {
                ledger.refuse(intent.action(), error, *among, at);
                ledger.answered_at = Some(at);
                S::Ready
            }
            (S::Intended { intent, baseline, .. }, Event::Lost { error }) => {
                ledger.vanishing(intent.action()).error = Some(error.clone());
                S::Intended { intent: intent.clone(), baseline: baseline.clone(), at }
            }
            (S::Intended { intent, .. }, Event::NotExecuted) => {
                ledger.vanishing(intent.action()).times += 1;
                ledger.answered_at = Some(at);
                S::Ready
            }
            (S::Intended { intent, .. } | S::Underway { intent, .. }, Event::Achieved { .. }) => {
                ledger.achieved(intent, at);
                S::Ready
            }
            (S::Ready | S::Intended { .. } | S::Underway { .. }, Event::Failed { failure }) => {
                ledger.fail(&self.stage, failure, at);
                S::Ready
            }
            (
                S::Ready,
                Event::Accepted { .. }
                | Event::Refused { .. }
                | Event::Lost { .. }
                | Event::NotExecuted
                | Event::Achieved { .. },
            )
            | (
                S::Intended { .. },
                Event::Intended { .. }
                | Event::CheckPassed { .. }
                | Event::FellBack { .. }
                | Event::RollBackBegan { .. }
                | Event::Suspended
                | Event::Ended { .. },
            )
            | (
                S::Underway { .. },
                Event::Intended { .. }
                | Event::Accepted { .. }
                | Event::Refused { .. }
                | Event::Lost { .. }
                | Event::NotExecuted
                | Event::CheckPassed { .. }
                | Event::FellBack { .. }
                | Event::RollBackBegan { .. }
                | Event::Suspended
                | Event::Ended { .. },
            )
            | (
                S::Ended { .. },
                Event::Seen { .. }
                | Event::Intended { .. }
                | Event::Accepted { .. }
                | Event::Refused { .. }
                | Event::Lost { .. }
                | Event::NotExecuted
                | Event::Achieved { .. }
                | Event::Failed { .. }
                | Event::CheckPassed { .. }
                | Event::FellBack { .. }
                | Event::RollBackBegan { .. }
                | Event::Suspended
                | Event::Ended { .. },
            )
            | (
                _,
                Event::RunBegan { .. }
                | Event::RunTaken { .. }
                | Event::KeyImportIntended { .. }
                | Event::KeyImported { .. }
                | Event::Ordered { .. }
                | Event::Paused { .. }
                | Event::Continued
                | Event::RunEnded,
            ) => return illegal(),
        };
        Ok(Self { stage, ledger })
    }

    /// The verdict, once there is one.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.stage {
            Stage::Ended { verdict } => Some(verdict),
            Stage::Ready | Stage::Intended { .. } | Stage::Underway { .. } => None,
        }
    }

    /// The resize was accepted, or will not come any more.
    pub fn is_past_resize(&self) -> bool {
        let underway = match &self.stage {
            Stage::Ended { .. } => true,
            Stage::Underway { intent, .. } => intent.action() == Action::Resize,
            Stage::Ready | Stage::Intended { .. } => false,
        };
        underway || self.ledger.failure.is_some() || self.ledger.done.contains(&Action::Resize)
    }
}

impl Ledger {
    /// An instance that shows this as its last operation is seen as it was before our newest one.
    pub fn is_past(&self, shown: Option<&Operation>) -> bool {
        match shown.and_then(|operation| operation.request.as_ref()) {
            Some(request) => self.past.contains(request),
            None => self.latest.is_some(),
        }
    }

    fn saw(&mut self, power: &PowerState, instance_type: &InstanceType, at: Timestamp) {
        if *power == PowerState::Running
            && let Some(since) = self.down_since.take()
        {
            self.down += between(since, at);
        }
        self.power = Some(power.clone());
        self.instance_type = Some(instance_type.clone());
    }

    fn touch(&mut self, intent: &Intent, at: Timestamp) {
        self.touched = true;
        if intent.action() == Action::Stop {
            self.stop_sent = true;
            if let Some(roll_back) = &mut self.roll_back {
                roll_back.stop_sent = true;
            }
            self.down_since.get_or_insert(at);
        }
    }

    fn accepted(
        &mut self,
        intent: &Intent,
        baseline: Option<&RequestId>,
        request: &RequestId,
        at: Timestamp,
    ) {
        self.touch(intent, at);
        self.refused = None;
        self.vanished = None;
        self.past.extend(baseline.filter(|baseline| !self.past.contains(baseline)).cloned());
        self.past.extend(self.latest.replace(request.clone()));
    }

    fn refuse(&mut self, action: Action, error: &CloudError, among: usize, at: Timestamp) {
        let (times, since) = match &self.refused {
            Some(before) if before.action == action => (before.times + 1, before.since),
            _ => (1, at),
        };
        self.refused = Some(Box::new(Refused { action, error: error.clone(), among, times, since, at }));
    }

    /// The calls of this action that got no answer, running.
    fn vanishing(&mut self, action: Action) -> &mut Vanished {
        let kept = self.vanished.take().filter(|vanished| vanished.action == action);
        self.vanished.insert(kept.unwrap_or_else(|| Box::new(Vanished { action, error: None, times: 0 })))
    }

    fn achieved(&mut self, intent: &Intent, at: Timestamp) {
        self.touch(intent, at);
        self.achieved_at = Some(at);
        self.refused = None;
        self.vanished = None;
        match (intent, &self.roll_back) {
            (Intent::Resize { to }, Some(roll_back)) if *to == roll_back.to => {
                self.done.retain(|action| *action != Action::Resize);
                // With this type it has not been tried yet.
                self.failed_starts = 0;
            }
            (Intent::Stop { .. } | Intent::Start, _) => {}
            (
                Intent::Resize { .. } | Intent::ResetPassword { .. } | Intent::LoadSshKeys { .. },
                Some(_) | None,
            ) => self.done.push(intent.action()),
        }
    }

    fn begin_roll_back(&mut self, to: &InstanceType) {
        self.roll_back = Some(Box::new(RollBack {
            to: to.clone(),
            is_down: self.failed_starts > 0,
            stop_sent: false,
            given_up: None,
            failed_start: None,
        }));
        self.failed_starts = 0;
        self.refused = None;
    }

    fn fail(&mut self, stage: &Stage, failure: &Failure, at: Timestamp) {
        let action = match stage {
            Stage::Intended { intent, .. } | Stage::Underway { intent, .. } => {
                self.touch(intent, at);
                if self.power == Some(PowerState::Running) {
                    self.down_since = None;
                }
                Some(intent.action())
            }
            Stage::Ready | Stage::Ended { .. } => {
                let refused = self.refused.as_ref().map(|refused| refused.action);
                refused.or(self.vanished.as_ref().map(|vanished| vanished.action))
            }
        };
        self.failed_starts += u32::from(action == Some(Action::Start));
        self.failed_stops += u32::from(action == Some(Action::Stop));
        self.refused = None;
        self.vanished = None;
        if let Some(roll_back) = &mut self.roll_back {
            match action {
                Some(Action::Start) => roll_back.failed_start = Some(failure.clone()),
                Some(Action::Stop | Action::Resize | Action::ResetPassword | Action::LoadSshKeys) | None => {
                    roll_back.given_up.get_or_insert_with(|| failure.clone());
                }
            }
        }
        self.failure.get_or_insert_with(|| failure.clone());
    }
}
