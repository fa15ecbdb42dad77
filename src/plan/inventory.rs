//! What a survey found: all that [`build()`](super::build()) goes by, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::cloud::{
    ChargeType, CloudError, Instance, InstanceId, InstanceType, KeyPair, LoadBalancerUse, Price, Quota,
    RepairTask, ResizeOption, ScalingGroup, TypeOffer,
};

/// What the cloud said about the instances of a workflow.
///
/// `None` in an optional read means that it was not made, because nothing in the workflow needs it or because it
/// could not be (then [`Inventory::unread`] has the reason).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// The instances, in any order; one that the workflow names and that is absent here does not exist.
    pub instances: Vec<Instance>,
    /// The region's SSH key pairs.
    pub keys: Option<Vec<KeyPair>>,
    /// What instances of a class could become, or why the cloud would not say.
    pub options: BTreeMap<ResizeClass, Result<Vec<ResizeOption>, CloudError>>,
    /// What is on sale in the instances' zones.
    pub offers: Option<Vec<TypeOffer>>,
    /// What the resize of an instance to a type costs, or why the cloud refuses it.
    pub prices: BTreeMap<(InstanceId, InstanceType), Result<Price, CloudError>>,
    /// How often prepaid instances may still be made smaller.
    pub quotas: BTreeMap<InstanceId, Quota>,
    /// Auto-scaling groups.
    pub scaling_groups: BTreeMap<InstanceId, ScalingGroup>,
    /// Load balancers.
    pub load_balancers: BTreeMap<InstanceId, Vec<LoadBalancerUse>>,
    /// The vendor's repair tasks.
    pub repair_tasks: BTreeMap<InstanceId, RepairTask>,
    /// Instances that a timer will destroy.
    pub release_timers: BTreeSet<InstanceId>,
    /// The account that the credentials belong to.
    pub account: Option<String>,
    /// The instance that this process runs on.
    pub own: Option<InstanceId>,
    /// Reads that were needed and could not be made, in the order of [`OptionalRead`].
    pub unread: Vec<Unread>,
}

impl Inventory {
    /// This read was needed and could not be made.
    pub fn lacks(&self, read: OptionalRead) -> bool {
        self.unread.iter().any(|unread| unread.read == read)
    }

    /// What the cloud said about the price of a resize, if it was asked.
    pub(super) fn price(&self, id: &InstanceId, to: &InstanceType) -> Option<&Result<Price, CloudError>> {
        self.prices.get(&(id.clone(), to.clone()))
    }

    /// The site answers that it has no `DescribeInstancesModification`, which only the international one lacks.
    pub(super) fn is_international(&self) -> bool {
        self.unread
            .iter()
            .any(|unread| unread.read == OptionalRead::ResizeOptions && is_not_offered(&unread.error))
    }
}

/// The cloud's site has no such call.
pub(super) fn is_not_offered(error: &CloudError) -> bool {
    matches!(error.code.as_deref(), Some("InvalidAction" | "ActionOffline"))
}

/// Instances of one class can become the same types (CVM API, DescribeInstancesModification).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResizeClass {
    /// The type that they have.
    pub from: InstanceType,
    /// The zone that they are in.
    pub zone: String,
    /// How they are paid for.
    pub charge_type: ChargeType,
}

impl ResizeClass {
    /// The class of an instance.
    pub fn of(instance: &Instance) -> Self {
        Self {
            from: instance.instance_type.clone(),
            zone: instance.zone.clone(),
            charge_type: instance.charge_type.clone(),
        }
    }
}

/// A read that a plan can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptionalRead {
    /// Auto-scaling groups. Without it a stop may destroy an instance, so every instance gets a warning.
    ScalingGroups,
    /// Load balancers.
    LoadBalancers,
    /// Repair tasks.
    RepairTasks,
    /// Release timers.
    ReleaseTimers,
    /// What an instance could become.
    ResizeOptions,
    /// What is on sale.
    TypeOffers,
    /// What a resize costs, and whether the cloud would refuse it.
    ResizePrice,
    /// How often an instance may be made smaller.
    DowngradeQuota,
    /// Whose the credentials are.
    Caller,
}

impl fmt::Display for OptionalRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ScalingGroups => {
                "auto-scaling groups (a group destroys or reinstalls an instance that stops)"
            }
            Self::LoadBalancers => "load balancers",
            Self::RepairTasks => "the vendor's repair tasks",
            Self::ReleaseTimers => "release timers",
            Self::ResizeOptions => "what the instances can become",
            Self::TypeOffers => "what is on sale in the zones",
            Self::ResizePrice => "the price of the resize, and whether the cloud would refuse it",
            Self::DowngradeQuota => "how often instances may be made smaller",
            Self::Caller => "whose the credentials are",
        })
    }
}

/// A read that was needed and could not be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// Which.
    pub read: OptionalRead,
    /// Why not.
    pub error: CloudError,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_not_offered(&self.error) {
            write!(f, "not checked: {}: this site of the cloud does not offer it", self.read)
        } else {
            write!(f, "not checked: {}: {}", self.read, self.error)
        }
    }
}
