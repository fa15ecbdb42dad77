//! Why an instance can't be stopped or changed, and what to do about it.

use serde::{Deserialize, Serialize};

use crate::cloud::{ErrorKind, InstanceType, OperationState, PowerState, password::Weakness};

/// Why an instance can't be stopped or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Refusal {
    /// The account has no such instance in this region.
    #[error("not found in this region")]
    NotFound,
    /// Neither running nor stopped.
    #[error("its state is {0}; it must be RUNNING or STOPPED")]
    Power(PowerState),
    /// `RestrictState` is not `NORMAL`.
    #[error("it is restricted: {0}")]
    Restricted(String),
    /// `IsolatedSource` is not `NOTISOLATED`.
    #[error("it is isolated: {0}")]
    Isolated(String),
    /// It was stopped without charge.
    #[error("it was stopped without charge (STOP_CHARGING), and accepts nothing but a start")]
    StoppedWithoutCharge,
    /// The workflow stops it without charge, and would change it then.
    #[error("stopped without charge (`stop.charging: stop`) it would accept no change")]
    ChargingStops,
    /// Another operation runs on it.
    #[error("{action} is in progress on it ({state})")]
    Operating {
        /// The operation.
        action: String,
        /// How far it is.
        state: OperationState,
    },
    /// It has a local disk.
    #[error("it has a local disk ({0}), so its type can't be changed")]
    LocalDisk(String),
    /// It is on a dedicated host.
    #[error("it is on the dedicated host {0}, so its type can't be changed")]
    DedicatedHost(String),
    /// It is a spot instance.
    #[error("it is a spot instance, so its type can't be changed")]
    Spot,
    /// The instance can't become that type.
    #[error("it can't become {to}{}{}", after_colon(.reason.as_deref()), did_you_mean(.near.as_ref()))]
    TypeNotOffered {
        /// The type.
        to: InstanceType,
        /// Why, in the vendor's words.
        reason: Option<String>,
        /// One that it can become, with a name close to it.
        near: Option<InstanceType>,
    },
    /// It has a GPU or FPGA and the type is of another family.
    #[error("it has a GPU, so it can't go from {from} to {to}, which is of another family")]
    GpuFamily {
        /// From.
        from: InstanceType,
        /// To.
        to: InstanceType,
    },
    /// No type of its family has the wanted shape.
    #[error("no type of the family {family} has {cpu} cores and {memory_gib} GiB{}", there_are(.near))]
    NoSuchShape {
        /// The family.
        family: String,
        /// Virtual cores.
        cpu: u32,
        /// Memory in GiB.
        memory_gib: u32,
        /// Types of the family that come near.
        near: Vec<String>,
    },
    /// Sold out.
    #[error("{to} is sold out in {zone}{}", after_colon(.reason.as_deref()))]
    SoldOut {
        /// The type.
        to: InstanceType,
        /// The zone.
        zone: String,
        /// Why, in the vendor's words.
        reason: Option<String>,
    },
    /// It has been made smaller as often as is allowed.
    #[error("it has been made smaller {used} times of {limit} allowed")]
    DowngradeQuota {
        /// How often.
        used: u32,
        /// Of how many.
        limit: u32,
    },
    /// The new type carries fewer public addresses than it has.
    #[error("it has {has} public addresses, and {to} carries {carries}")]
    TooManyPublicIps {
        /// How many it has.
        has: usize,
        /// The type.
        to: InstanceType,
        /// How many that carries.
        carries: usize,
    },
    /// The price inquiry, which checks what a resize checks, refused it.
    #[error("the cloud refuses the resize: {message}")]
    ResizeRefused {
        /// What kind of refusal.
        kind: ErrorKind,
        /// The vendor's code and words.
        message: String,
    },
    /// Windows takes no SSH keys.
    #[error("it runs Windows, which takes no SSH keys")]
    WindowsTakesNoKeys,
    /// The account has no such key.
    #[error("the account has no SSH key {wanted}{}", did_you_mean(.near.as_ref()))]
    KeyNotFound {
        /// The id or name asked for.
        wanted: String,
        /// One with a name close to it.
        near: Option<String>,
    },
    /// The new password breaks the vendor's rule.
    #[error("the new password is not accepted there: {0}")]
    Password(#[serde(skip, default = "broken_rule")] Weakness),
    /// It belongs to an auto-scaling group.
    #[error(
        "it belongs to the auto-scaling group {name} ({group}), which would replace or reinstall it when it stops"
    )]
    ScalingGroup {
        /// The group's id.
        group: String,
        /// The group's name.
        name: String,
    },
    /// The vendor repairs it, or is about to.
    #[error("the vendor has a repair task on it: {0}")]
    RepairTask(String),
    /// It will be destroyed by a timer.
    #[error("it has a release timer set, and will be destroyed")]
    ReleaseTimer,
    /// Pitstop itself runs on it.
    #[error("pitstop itself runs on it, and could not start it again")]
    OwnMachine,
}

impl Refusal {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound => "check the id, the region and the account",
            Self::Power(state) if state.is_passing() => {
                "wait until it is RUNNING or STOPPED, then plan again"
            }
            Self::Power(PowerState::Shutdown) => {
                "it is in the recycle bin: take it out in the console, or leave it out of the workflow"
            }
            Self::Power(_) => "look at it in the console, or leave it out of the workflow",
            Self::Restricted(_) => "lift the restriction (renewal, security) in the console first",
            Self::Isolated(_) => "renew it or settle the account in the console first",
            Self::StoppedWithoutCharge => "start it first; it can then be stopped and changed",
            Self::ChargingStops => "remove `charging: stop`, or stop it without changes in a second workflow",
            Self::Operating { .. } => "wait until that has ended, then plan again",
            Self::LocalDisk(_) | Self::DedicatedHost(_) | Self::Spot => {
                "leave it out of the resize, or make a new instance of the wanted type"
            }
            Self::TypeNotOffered { .. } => "choose a type that the vendor offers for this instance",
            Self::GpuFamily { .. } => "choose a type of the same family",
            Self::NoSuchShape { .. } => "choose one of the shapes that there are, or name a type",
            Self::SoldOut { .. } => "choose another type, or try later",
            Self::DowngradeQuota { .. } => {
                "a prepaid instance is made smaller only so often; change its charge type or keep its size"
            }
            Self::TooManyPublicIps { .. } => {
                "unbind public addresses first, or choose a type with more cores"
            }
            Self::ResizeRefused { kind: ErrorKind::Money, .. } => {
                "check the account's balance, unpaid orders and payment rights"
            }
            Self::ResizeRefused { kind: ErrorKind::Operator, .. } => {
                "put the named thing in order, then plan again"
            }
            Self::ResizeRefused { .. } => "choose another type, or leave it out of the resize",
            Self::WindowsTakesNoKeys => "leave it out of the key change, or set a password instead",
            Self::KeyNotFound { .. } => "check the key's id or name and the region",
            Self::Password(_) => "choose a password that holds to the rule, or let one be generated",
            Self::ScalingGroup { .. } => {
                "put it into standby in its group first (and take it out of the group meanwhile)"
            }
            Self::RepairTask(_) => "let the vendor's repair end first, or authorise it in the console",
            Self::ReleaseTimer => "delete the release timer if it shall live on, or leave it out",
            Self::OwnMachine => "run pitstop on another machine",
        }
    }
}

fn after_colon(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn did_you_mean(near: Option<&impl std::fmt::Display>) -> String {
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

fn there_are(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; there are {}", near.join(", ")) }
}

/// A stored refusal keeps its place but not the password's length.
fn broken_rule() -> Weakness {
    Weakness::Classes { found: 0 }
}
