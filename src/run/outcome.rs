//! How a run went. Failed instances are part of it, not an error; an error is a run that could not be carried on.

use crate::cloud::{CloudError, InstanceId};
use crate::journal::{Halt, IllegalEvent, Order, RunId, StoreError, Verdict};

/// How a run went, as far as this process carried it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The run.
    pub run: RunId,
    /// The last order.
    pub order: Order,
    /// One entry per instance, in the plan's order; `None` where there is no verdict yet.
    pub instances: Vec<(InstanceId, Option<Verdict>)>,
    /// The instances that are down, or may be, by this run's doing.
    pub down: Vec<InstanceId>,
}

/// A run in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conclusion {
    /// All is as planned.
    Well,
    /// It is finished, and some instances failed; all have the power that the workflow says.
    Failures,
    /// It was interrupted, and can be resumed.
    Interrupted,
    /// An instance does not have the power that the workflow says: a person is needed.
    PersonNeeded,
}

impl Outcome {
    /// The worst that happened.
    pub fn conclusion(&self) -> Conclusion {
        self.instances
            .iter()
            .map(|(id, verdict)| match verdict {
                Some(Verdict::Done | Verdict::Unchanged) => Conclusion::Well,
                Some(Verdict::NotBegun { why: Halt::Ordered }) => Conclusion::Interrupted,
                Some(Verdict::NotBegun { .. } | Verdict::Failed { .. }) => Conclusion::Failures,
                Some(Verdict::Stranded { .. }) => Conclusion::PersonNeeded,
                // Left by the second order, it is known to be down; without that, nothing more could be done for it.
                None if self.order < Order::LeaveNow && self.down.contains(id) => Conclusion::PersonNeeded,
                None => Conclusion::Interrupted,
            })
            .max()
            .unwrap_or(Conclusion::Well)
    }
}

/// A run can't be carried on.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct RunError {
    /// Why.
    #[source]
    pub cause: Cause,
    /// The instances that are down by this run's doing, and have to be started by hand or by resuming it.
    pub down: Vec<InstanceId>,
}

/// Why a run can't be carried on.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The journal can't be written, so nothing more is sent.
    #[error(transparent)]
    Journal(#[from] StoreError),
    /// The journal says something that can't be.
    #[error("{0}: this is a bug of pitstop's, or the journal is damaged")]
    Illegal(#[from] IllegalEvent),
    /// The key can't be imported. No instance was touched.
    #[error("the key {name} can't be imported: {error}")]
    Import {
        /// The key's name.
        name: String,
        /// Why not.
        error: CloudError,
    },
}
