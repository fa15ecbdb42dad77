//! What can go wrong with an instance, in data and in words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;
use crate::cloud::{Action, CloudError, InstanceType, PowerState, RequestId};

/// What went wrong with an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Failure {
    /// It is not as it was when the plan was approved.
    #[error("it has changed since the plan was made: {what}")]
    Drifted {
        /// What has.
        what: String,
    },
    /// The cloud refused a call for good.
    #[error("{action}: {error}")]
    Refused {
        /// The call.
        action: Action,
        /// Why.
        error: CloudError,
    },
    /// An operation ended badly.
    #[error("{action} failed: {message} (request {request})")]
    Operation {
        /// The call.
        action: Action,
        /// The vendor's words.
        message: String,
        /// The request's id.
        request: RequestId,
    },
    /// An operation did not end in time.
    #[error("{action} has not ended within {} s (request {})", .limit.as_secs(), .request.as_ref().map_or("unknown", RequestId::as_str))]
    TimedOut {
        /// The call.
        action: Action,
        /// How long was waited.
        #[serde(with = "seconds")]
        limit: Duration,
        /// The request's id, if the call was answered.
        request: Option<RequestId>,
    },
    /// An operation ended, but its effect can't be seen.
    #[error("{action} was reported done, but {expected} was not seen (request {request})")]
    NoEffect {
        /// The call.
        action: Action,
        /// What should be seen.
        expected: String,
        /// The request's id.
        request: RequestId,
    },
    /// Somebody else acted on the instance.
    #[error("somebody else acted on it: {what}")]
    Interference {
        /// What was seen.
        what: String,
    },
    /// It is in a state that waiting does not mend.
    #[error("it is {power}, which pitstop can't bring it out of")]
    DeadEnd {
        /// The state.
        power: PowerState,
    },
    /// Too many others failed before it could be finished.
    #[error("too many others failed before it was finished; left: {}", .left.iter().map(|action| action.words()).collect::<Vec<_>>().join(", "))]
    CutShort {
        /// The changes that are not made.
        left: Vec<Action>,
    },
    /// The rest would not fit in the downtime budget.
    #[error("{}", over_budget_words(*.budget, *.used, *.expected, .left))]
    OverBudget {
        /// The workflow's budget.
        #[serde(with = "seconds")]
        budget: Duration,
        /// How long it had been down by then.
        #[serde(with = "seconds")]
        used: Duration,
        /// How much longer it was expected to be down: until all is done if it had not been stopped, else for the next
        /// change, and for the start.
        #[serde(with = "seconds")]
        expected: Duration,
        /// The changes that are not made.
        left: Vec<Action>,
    },
    /// Something went wrong after the resize, and the instance has its former type again.
    #[error("{cause}; rolled back to {to}")]
    RolledBack {
        /// What.
        cause: Box<Failure>,
        /// The type that it had before, and has again.
        to: InstanceType,
    },
    /// Something went wrong after the resize, and the roll-back did not come to its end either.
    #[error("{cause}; {}", not_rolled_back_words(.to, .why.as_deref()))]
    NotRolledBack {
        /// What.
        cause: Box<Failure>,
        /// The type that it had before.
        to: InstanceType,
        /// What went wrong with the roll-back; `None`: the run was asked to end first.
        why: Option<Box<Failure>>,
    },
    /// The cloud does not know it any more.
    #[error("it is gone: the cloud does not know it any more")]
    Gone,
    /// A check did not pass in time.
    #[error("check {number} failed: {message}")]
    Check {
        /// Which, counted from 1.
        number: usize,
        /// What was seen.
        message: String,
    },
}

impl Failure {
    /// What went wrong first, without what became of the roll-back.
    pub fn root(&self) -> &Self {
        match self {
            Self::RolledBack { cause, .. } | Self::NotRolledBack { cause, .. } => cause.root(),
            Self::Drifted { .. }
            | Self::Refused { .. }
            | Self::Operation { .. }
            | Self::TimedOut { .. }
            | Self::NoEffect { .. }
            | Self::Interference { .. }
            | Self::DeadEnd { .. }
            | Self::CutShort { .. }
            | Self::OverBudget { .. }
            | Self::Gone
            | Self::Check { .. } => self,
        }
    }

    /// The call that went wrong, if one did.
    pub fn action(&self) -> Option<Action> {
        match self.root() {
            Self::Refused { action, .. }
            | Self::Operation { action, .. }
            | Self::TimedOut { action, .. }
            | Self::NoEffect { action, .. } => Some(*action),
            Self::Drifted { .. }
            | Self::Interference { .. }
            | Self::DeadEnd { .. }
            | Self::CutShort { .. }
            | Self::OverBudget { .. }
            | Self::RolledBack { .. }
            | Self::NotRolledBack { .. }
            | Self::Gone
            | Self::Check { .. } => None,
        }
    }
}

fn over_budget_words(budget: Duration, used: Duration, expected: Duration, left: &[Action]) -> String {
    let [budget, used, expected] = [budget, used, expected].map(|span| span.as_secs_f64().round());
    let left = left.iter().map(|action| action.words()).collect::<Vec<_>>().join(", ");
    if used == 0.0 {
        return format!(
            "it was not stopped: it would be down for about {expected} s, and the downtime budget is {budget} s; \
             left: {left}"
        );
    }
    format!(
        "the rest did not fit in the downtime budget: {used} s of {budget} s were used, and about {expected} s more \
         would have been needed; left: {left}"
    )
}

fn not_rolled_back_words(to: &InstanceType, why: Option<&Failure>) -> String {
    match why {
        Some(why) => format!("the roll-back to {to} failed: {why}"),
        None => format!("it was not rolled back to {to}, for the run was asked to end"),
    }
}
