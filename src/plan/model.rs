//! The plan's types.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Refusal, Tags, Warning};
use crate::cloud::{Action, Instance, InstanceId, InstanceType, KeyId, PowerState, Price, StoppedCharging};
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
    /// How long an instance that runs may be down.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional"
    )]
    pub downtime_budget: Option<Duration>,
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
    /// It goes first, and the others wait until it is well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
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

    /// It gets another type.
    pub fn is_resized(&self) -> bool {
        self.steps.iter().any(|step| step.action() == Action::Resize)
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
    /// Its operating system, as the cloud names it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub os: String,
    /// It is stopped without charge, and accepts nothing but a start.
    #[serde(default)]
    pub uncharged: bool,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl Found {
    /// A tag says that it serves production: `env`, `environment` or `stage` is `prod`, `production` or `生产`, in
    /// whatever case.
    pub fn is_production(&self) -> bool {
        const NAMES: [&str; 3] = ["env", "environment", "stage"];
        const VALUES: [&str; 3] = ["prod", "production", "生产"];
        self.tags.iter().any(|(name, value)| {
            let is = |words: &[&str], text: &str| words.contains(&text.trim().to_lowercase().as_str());
            is(&NAMES, name) && is(&VALUES, value)
        })
    }
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
            os: instance.os.clone(),
            uncharged: instance.stopped_charging == StoppedCharging::StopCharging,
            tags: instance.tags.clone().into(),
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
        /// What it becomes instead if that type can't be had at the last moment, in this order. The type that it has
        /// stands at the end if the workflow names it: then it stays as it is.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fallbacks: Vec<Fallback>,
    },
}

/// A type that an instance becomes if none before it can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fallback {
    /// The type.
    pub to: InstanceType,
    /// Its virtual cores.
    pub cpu: u32,
    /// Its memory in GiB.
    pub memory_gib: u32,
}

impl Step {
    /// The same step, made with the fallback of this type, if it has one.
    #[must_use]
    pub fn fallen_back_to(&self, wanted: &InstanceType) -> Self {
        match self {
            Self::Resize { from, fallbacks, .. } => {
                let Some(place) = fallbacks.iter().position(|fallback| fallback.to == *wanted) else {
                    return self.clone();
                };
                let Fallback { to, cpu, memory_gib } = fallbacks[place].clone();
                let fallbacks = fallbacks[place + 1..].to_vec();
                Self::Resize { from: from.clone(), to, cpu, memory_gib, fallbacks }
            }
            Self::LoadSshKeys { .. } | Self::ResetPassword { .. } => self.clone(),
        }
    }

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

/// A plan that may be run. It does not change any more, so all who need it share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApprovedPlan {
    plan: Arc<Plan>,
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

    /// Leaves the refused instances out, and returns them beside what is left.
    /// What only they needed (the password, the key to import) goes with them.
    pub fn without_refused(mut self) -> (Self, Vec<InstancePlan>) {
        let (kept, refused) = self.instances.into_iter().partition(|instance| instance.refusals.is_empty());
        self.instances = kept;
        self.drop_unneeded();
        self.choose_canaries();
        (self, refused)
    }

    /// Leaves these instances out, whatever the plan has for them. What only they needed goes with them.
    #[must_use]
    pub fn without(mut self, left_out: &BTreeSet<InstanceId>) -> Self {
        if left_out.is_empty() {
            return self;
        }
        self.instances.retain(|instance| !left_out.contains(&instance.id));
        self.drop_unneeded();
        self.choose_canaries();
        self
    }

    /// Nobody is asked for a password, and no key is imported, that no step needs.
    pub(super) fn drop_unneeded(&mut self) {
        let needed = |wanted: fn(&Step) -> bool| {
            self.instances.iter().flat_map(|instance| &instance.steps).any(wanted)
        };
        let password = needed(|step| matches!(step, Step::ResetPassword { .. }));
        let import = needed(|step| matches!(step, Step::LoadSshKeys { imported: true, .. }));
        self.password = self.password.take().filter(|_| password);
        self.import_key = self.import_key.take().filter(|_| import);
    }

    /// Makes the plan runnable; gives it back if some instance is refused.
    pub fn approve(self, approval: Approval) -> Result<ApprovedPlan, Box<Plan>> {
        if self.is_refused() {
            Err(Box::new(self))
        } else {
            Ok(ApprovedPlan { plan: Arc::new(self), approval })
        }
    }
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The same plan for another owner, without a copy.
    pub fn shared(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// How it was approved.
    pub fn approval(&self) -> Approval {
        self.approval
    }
}
