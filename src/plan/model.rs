//! The plan's types.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::cloud::{
    Action, ErrorKind, Instance, InstanceId, InstanceType, KeyId, OperationState, PowerState, Price,
    password::Weakness,
};
use crate::workflow::{Check, OnFailure, Rollout, SecretSource, Stop};

/// What a run would do, and would not do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The workflow's name.
    pub workflow: String,
    /// The SHA-256 of the workflow's text and parameters, in hexadecimal.
    pub digest: String,
    /// The region.
    pub region: String,
    /// The account that the credentials belong to, if it could be asked.
    pub account: Option<String>,
    /// How instances are stopped.
    pub stop: Stop,
    /// Where the new password comes from, if there is one.
    pub password: Option<SecretSource>,
    /// A key to import before anything stops.
    pub import_key: Option<ImportKey>,
    /// What proves that an instance is well after its start.
    pub checks: Vec<Check>,
    /// What becomes of an instance whose change failed.
    pub on_failure: OnFailure,
    /// How many at a time, and how many may fail.
    pub rollout: Rollout,
    /// One entry per instance that the workflow names or finds.
    pub instances: Vec<InstancePlan>,
    /// What could not be checked, and other things that concern the whole.
    pub notes: Vec<String>,
}

/// A public key that the account does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImportKey {
    /// The name to give it.
    pub name: String,
    /// The key in OpenSSH form.
    pub public_key: String,
}

/// What becomes of one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InstancePlan {
    /// The instance.
    pub id: InstanceId,
    /// How it was found; `None` if it was not.
    pub found: Option<Found>,
    /// The changes in the order in which they are made: keys, password, resize. Empty: nothing to change.
    pub steps: Vec<Step>,
    /// Whether it runs afterwards.
    pub ends: EndPower,
    /// Why it can't be stopped or changed. Not empty: the plan is refused.
    pub refusals: Vec<Refusal>,
    /// What a person should know before approving.
    pub warnings: Vec<Warning>,
    /// What the resize costs, if the cloud told.
    pub price: Option<PriceChange>,
}

impl InstancePlan {
    /// The name that people know it by; its id if it has none or was not found.
    pub fn name(&self) -> &str {
        match &self.found {
            Some(found) if !found.name.is_empty() => &found.name,
            _ => self.id.as_str(),
        }
    }

    /// There is nothing to do: nothing to change, and its power is as it shall be.
    pub fn is_unchanged(&self) -> bool {
        self.refusals.is_empty() && self.steps.is_empty() && !self.needs_power_change()
    }

    /// It runs now and has to be stopped, so that its service is interrupted.
    pub fn is_stopped_by_run(&self) -> bool {
        let runs = self.found.as_ref().is_some_and(|found| found.power == PowerState::Running);
        self.refusals.is_empty() && runs && (!self.steps.is_empty() || self.ends == EndPower::Stopped)
    }

    fn needs_power_change(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.power != self.ends.state())
    }
}

/// An instance as the plan found it: what drift is measured against, and what is compared afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its power state.
    pub power: PowerState,
    /// Its type.
    pub instance_type: InstanceType,
    /// Virtual cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// The keys bound to it, sorted.
    pub keys: Vec<KeyId>,
    /// Its private addresses.
    pub private_ips: Vec<IpAddr>,
    /// Its public addresses.
    pub public_ips: Vec<IpAddr>,
    /// Its disks' ids, the system disk first.
    pub disks: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// It runs Windows.
    pub windows: bool,
}

impl From<&Instance> for Found {
    fn from(instance: &Instance) -> Self {
        let mut keys = instance.keys.clone();
        keys.sort();
        Self {
            name: instance.name.clone(),
            zone: instance.zone.clone(),
            power: instance.power.clone(),
            instance_type: instance.instance_type.clone(),
            cpu: instance.cpu,
            memory_gib: instance.memory_gib,
            keys,
            private_ips: instance.private_ips.clone(),
            public_ips: instance.public_ips.clone(),
            disks: instance
                .system_disk
                .iter()
                .chain(&instance.data_disks)
                .filter_map(|d| d.id.clone())
                .collect(),
            security_groups: instance.security_groups.clone(),
            windows: instance.is_windows(),
        }
    }
}

/// One change to one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Step {
    /// Bind SSH keys. First, since a password set afterwards keeps password login open.
    LoadSshKeys {
        /// All known keys that shall be bound afterwards, sorted.
        keys: Vec<KeyId>,
        /// The key that is imported first comes on top of them.
        imported: bool,
    },
    /// Set the password.
    ResetPassword {
        /// Whose.
        user: String,
    },
    /// Change the type. Last, since the cloud may power the instance on afterwards.
    Resize {
        /// From this type.
        from: InstanceType,
        /// To this one.
        to: InstanceType,
        /// The new number of virtual cores.
        cpu: u32,
        /// The new memory in GiB.
        memory_gib: u32,
    },
}

impl Step {
    /// The call that makes this change.
    pub fn action(&self) -> Action {
        match self {
            Self::LoadSshKeys { .. } => Action::LoadSshKeys,
            Self::ResetPassword { .. } => Action::ResetPassword,
            Self::Resize { .. } => Action::Resize,
        }
    }

    /// Why it stands where it stands in the order.
    pub fn why_here(&self) -> &'static str {
        match self {
            Self::LoadSshKeys { .. } => "first: binding a key switches password login off",
            Self::ResetPassword { .. } => "after the keys: setting a password opens password login again",
            Self::Resize { .. } => "last: a resize may power the instance on",
        }
    }
}

/// The power that an instance ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndPower {
    /// It runs.
    Running,
    /// It is stopped.
    Stopped,
}

impl EndPower {
    /// The power state that this is.
    pub fn state(self) -> PowerState {
        match self {
            Self::Running => PowerState::Running,
            Self::Stopped => PowerState::Stopped,
        }
    }
}

/// What a resize costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PriceChange {
    /// The price by the cloud's inquiry.
    pub price: Price,
    /// The currency, by the cloud's site.
    pub currency: String,
}

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
    #[error("it can't become {to}{}", .reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    TypeNotOffered {
        /// The type.
        to: InstanceType,
        /// Why, in the vendor's words.
        reason: Option<String>,
    },
    /// No type of its family has the wanted shape.
    #[error("no type of the family {family} has {cpu} cores and {memory_gib} GiB{}", if .near.is_empty() { String::new() } else { format!("; there are {}", .near.join(", ")) })]
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
    #[error("{to} is sold out in {zone}{}", .reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())]
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
    #[error("the account has no SSH key {wanted}{}", .near.as_deref().map(|near| format!("; is it {near}?")).unwrap_or_default())]
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

/// A stored refusal keeps its place but not the password's length.
fn broken_rule() -> Weakness {
    Weakness::Classes { found: 0 }
}

/// What a person should know before approving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Warning {
    /// A load balancer sends requests to it.
    #[error("{}", load_balancer_words(.id, .listener, *.health_check))]
    LoadBalancer {
        /// The load balancer's id.
        id: String,
        /// The listener's id.
        listener: String,
        /// It notices the stop by itself; `None` if unknown.
        health_check: Option<bool>,
    },
    /// Keys that are bound now stop working.
    #[error("keys bound now stop working: {}", .0.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", "))]
    KeysDropped(Vec<KeyId>),
    /// Password login is switched off by binding a key.
    #[error("password login is switched off by binding a key")]
    PasswordLoginOff,
    /// Password login is opened again on a machine with keys.
    #[error("password login is opened again, although keys are bound")]
    PasswordLoginOn,
    /// Little is left of the type.
    #[error("little is left of {0}; it may be gone by the time of the resize")]
    LowStock(InstanceType),
    /// The new type is of another family.
    #[error("{from} and {to} are of different families: processor and network may differ")]
    OtherFamily {
        /// From.
        from: InstanceType,
        /// To.
        to: InstanceType,
    },
    /// The upgrade of a prepaid instance is charged at once.
    #[error("it is prepaid: an upgrade is charged at once, a downgrade is refunded in part")]
    Prepaid,
    /// The power is cut.
    #[error("the power is cut, data in memory may be lost")]
    HardStop,
    /// The power is cut if the guest does not go down.
    #[error("the power is cut if the guest has not gone down after 5 minutes")]
    MayHardStop,
    /// It is stopped now, and will run afterwards.
    #[error("it is stopped now, and will run afterwards")]
    WillStart,
    /// It runs now, and will be stopped afterwards.
    #[error("it runs now, and will stay stopped")]
    StaysStopped,
}

fn load_balancer_words(id: &str, listener: &str, health_check: Option<bool>) -> String {
    let effect = match health_check {
        Some(true) => "its health check takes a while to notice the stop",
        Some(false) => "it has no health check: clients may get errors (502) while the instance is down",
        None => "whether it has a health check is not known: clients may get errors (502)",
    };
    format!("the load balancer {id} ({listener}) sends requests to it; {effect}")
}

/// How a plan came to be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// By `--yes`.
    Flag,
    /// By a person who was asked.
    Person,
    /// By the program that embeds the library.
    Program,
}

/// A plan that may be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApprovedPlan {
    plan: Plan,
    approval: Approval,
}

impl Plan {
    /// Some instance is refused.
    pub fn is_refused(&self) -> bool {
        self.instances.iter().any(|instance| !instance.refusals.is_empty())
    }

    /// There is nothing to do.
    pub fn is_unchanged(&self) -> bool {
        self.instances.iter().all(InstancePlan::is_unchanged)
    }

    /// The instances whose service is interrupted.
    pub fn stopped_by_run(&self) -> impl Iterator<Item = &InstancePlan> {
        self.instances.iter().filter(|instance| instance.is_stopped_by_run())
    }

    /// Makes the plan runnable; gives it back if some instance is refused.
    pub fn approve(self, approval: Approval) -> Result<ApprovedPlan, Box<Plan>> {
        if self.is_refused() { Err(Box::new(self)) } else { Ok(ApprovedPlan { plan: self, approval }) }
    }
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it was approved.
    pub fn approval(&self) -> Approval {
        self.approval
    }
}
