//! The boundary: what Pitstop asks of a cloud, in the cloud's own terms and nobody's wire format.
//!
//! Level 0: it imports nothing of the crate. The engine needs only [`Cloud`] (look, apply);
//! a plan needs the reads of [`Survey`] as well, all of them made while the instance still runs.
//! Neighbours: `tencent` implements both over the vendor's API, `sim` answers that API from a simulated world.

mod change;
mod error;
mod instance;
pub mod password;
mod survey;

pub use change::{Action, Change, Charging, StopMode};
pub use error::{CloudError, ErrorKind, Sent};
pub use instance::{
    ChargeType, Disk, Instance, InstanceId, InstanceType, Isolation, KeyId, Operation, OperationState,
    PowerState, RequestId, Restriction, StoppedCharging,
};
pub use survey::{
    Caller, Filter, KeyPair, LoadBalancerUse, Price, Quota, RepairTask, ResizeOption, ScalingGroup, Stock,
    Survey, TypeOffer,
};

use async_trait::async_trait;

/// How many instances one read or one batched call may name (CVM API, DescribeInstances and StopInstances).
pub const BATCH: usize = 100;

/// How many calls a second a cloud takes from us; `None` where no limit is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// Calls of [`Cloud::look`].
    pub looks: Option<u32>,
    /// Resizes, each of which names one instance.
    pub resizes: Option<u32>,
    /// How many of those it takes in a minute at present: fewer than sixty times as many while others send some, too.
    pub resizes_a_minute: Option<u32>,
}

/// Says at any moment whether a call may still be sent, and if not, why: the error is what becomes of the call.
pub type Permit<'a> = &'a (dyn Fn() -> Result<(), CloudError> + Send + Sync);

/// One region of one account: what the engine needs of it.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// The instances with these ids as they are now, at most [`BATCH`] of them.
    /// An id that the cloud does not know is absent from the answer, which is not an error.
    async fn look(&self, ids: &[InstanceId]) -> Result<Vec<Instance>, CloudError>;

    /// What limits the pace of a run.
    fn ceilings(&self) -> Ceilings {
        Ceilings::default()
    }

    /// Sends one mutating call, once, if `permit` still allows it at the last moment: it is asked after all waiting for a
    /// turn or a credential, and again before a call is repeated that was surely not executed. Success means "accepted": the operation runs on, and
    /// [`Instance::latest_operation`] shows its state under the request id returned here.
    /// An error says with [`CloudError::sent`] whether the call may have been executed all the same.
    async fn apply(&self, change: &Change, permit: Permit<'_>) -> Result<RequestId, CloudError>;
}
