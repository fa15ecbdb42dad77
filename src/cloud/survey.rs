//! The reads that a plan needs on top of [`Cloud`](super::Cloud): all of them are made before anything stops.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Cloud, CloudError, Instance, InstanceId, InstanceType, KeyId, PowerState};

/// Which instances to find; an empty filter finds all. Every field given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// A name with `*` and `?` as wildcards.
    pub name: Option<String>,
    /// Tags that must be there with these values.
    pub tags: BTreeMap<String, String>,
    /// One of these zones, or any.
    pub zones: Vec<String>,
    /// One of these power states, or any.
    pub states: Vec<PowerState>,
}

/// What one instance could become (CVM API, DescribeInstancesModification).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizeOption {
    /// The type.
    pub instance_type: InstanceType,
    /// Virtual cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// It can be had now.
    pub available: bool,
    /// Why not, in the vendor's words.
    pub reason: Option<String>,
}

/// How much of a type is left in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stock {
    /// Enough.
    Enough,
    /// Some.
    Normal,
    /// Little: may be gone by the time of the resize.
    Low,
    /// None.
    None,
    /// The cloud did not say.
    Unknown,
}

/// A type as it is sold in a zone (CVM API, DescribeZoneInstanceConfigInfos).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeOffer {
    /// The zone.
    pub zone: String,
    /// The type.
    pub instance_type: InstanceType,
    /// Virtual cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// It is on sale.
    pub on_sale: bool,
    /// How much is left.
    pub stock: Stock,
    /// Why it is sold out, in the vendor's words.
    pub reason: Option<String>,
}

/// What a resize costs (CVM API, InquiryPriceResetInstancesType), in the account's currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Price {
    /// Prepaid: the amount due now; negative or zero for a downgrade.
    Once(f64),
    /// By the hour: the new price of one hour.
    PerHour(f64),
}

/// How often an instance may still be made smaller; `None` means without limit (CVM API, DescribeInstancesOperationLimit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// How often it was.
    pub used: u32,
    /// How often it may be; 0 means never.
    pub limit: Option<u32>,
}

/// An SSH key pair that the cloud knows; it never holds the private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    /// Its id.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// The public key, in OpenSSH form.
    pub public_key: String,
}

/// An instance's membership in an auto-scaling group (AS API, DescribeAutoScalingInstances).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalingGroup {
    /// The group's id.
    pub id: String,
    /// The group's name.
    pub name: String,
    /// Where the instance is in the group's life cycle.
    pub life_cycle: String,
}

/// A load balancer that sends requests to an instance (CLB API, DescribeLBListeners and DescribeTargetHealth).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerUse {
    /// The load balancer's id.
    pub id: String,
    /// The listener's id.
    pub listener: String,
    /// The port on the instance.
    pub port: u16,
    /// It notices by itself that the instance is down; `None` if the cloud did not say.
    pub health_check: Option<bool>,
}

/// A repair that the vendor has planned or runs (CVM API, DescribeTaskInfo).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairTask {
    /// The task's id.
    pub id: String,
    /// What it is, in the vendor's words.
    pub detail: String,
}

/// Whom the credentials belong to (STS API, GetCallerIdentity).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The main account's uin.
    pub account: String,
    /// The identity's full name.
    pub arn: String,
    /// What kind of identity it is, in the vendor's word, e.g. `CAMUser`; empty if it is not told.
    pub kind: String,
}

/// The reads that a plan needs. All are safe to repeat, and the implementation does so.
/// A read that the cloud's site does not offer answers with an error whose code is `InvalidAction`
/// (the international site lacks some), which a plan reports as "not checked" and does not fail on.
#[async_trait]
pub trait Survey: Cloud {
    /// All instances that fit, however many pages that takes.
    async fn find(&self, filter: &Filter) -> Result<Vec<Instance>, CloudError>;

    /// What this instance could become.
    async fn resize_options(&self, id: &InstanceId) -> Result<Vec<ResizeOption>, CloudError>;

    /// The types of these names as they are sold in these zones; all types where `types` is empty.
    async fn type_offers(
        &self,
        zones: &[String],
        types: &[InstanceType],
    ) -> Result<Vec<TypeOffer>, CloudError>;

    /// What it costs to make this instance one of that type. Refuses what the resize itself would refuse.
    async fn resize_price(&self, id: &InstanceId, to: &InstanceType) -> Result<Price, CloudError>;

    /// How often these instances may still be made smaller.
    async fn downgrade_quota(&self, ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, Quota>, CloudError>;

    /// All SSH key pairs of the region.
    async fn key_pairs(&self) -> Result<Vec<KeyPair>, CloudError>;

    /// The auto-scaling groups that these instances belong to; an instance in none is absent.
    async fn scaling_groups(
        &self,
        ids: &[InstanceId],
    ) -> Result<BTreeMap<InstanceId, ScalingGroup>, CloudError>;

    /// The load balancers that send requests to these instances; an instance behind none is absent.
    async fn load_balancers(
        &self,
        instances: &[&Instance],
    ) -> Result<BTreeMap<InstanceId, Vec<LoadBalancerUse>>, CloudError>;

    /// Repairs by the vendor that are waiting, planned or running on these instances.
    async fn repair_tasks(&self, ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, RepairTask>, CloudError>;

    /// Those of these instances that have a release timer set: they will be destroyed.
    async fn release_timers(&self, ids: &[InstanceId]) -> Result<Vec<InstanceId>, CloudError>;

    /// Whom the credentials belong to.
    async fn caller(&self) -> Result<Caller, CloudError>;

    /// The instance that this very process runs on, if it runs on one of this cloud.
    async fn own_instance(&self) -> Option<InstanceId>;
}
