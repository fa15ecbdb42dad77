//! What a person should know before approving a plan.

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::cloud::{InstanceType, KeyId};

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
    /// Whether it belongs to an auto-scaling group could not be read.
    #[error(
        "whether it belongs to an auto-scaling group could not be checked: its group would destroy or reinstall it"
    )]
    ScalingNotChecked,
    /// It gives its cores and memory back while it is stopped.
    #[error(
        "stopped without charge it gives up its cores, memory and plain public address; its next start may fail"
    )]
    StopsCharging,
    /// The power is cut.
    #[error("the power is cut, data in memory may be lost")]
    HardStop,
    /// The power is cut if the guest does not go down.
    #[error("the power is cut if the guest has not gone down after 5 minutes")]
    MayHardStop,
    /// A type that is preferred to the one taken can't be had.
    #[error("passed over: {}", passed_over_words(.to, .why))]
    PassedOver {
        /// The type.
        to: InstanceType,
        /// Why it can't be had.
        why: Refusal,
    },
    /// What a roll-back does not undo.
    #[error("a roll-back gives the former type back, not {}", .0.join(" or "))]
    NotRolledBack(Vec<String>),
    /// It is stopped now, and will run afterwards.
    #[error("it is stopped now, and will run afterwards")]
    WillStart,
    /// It runs now, and will be stopped afterwards.
    #[error("it runs now, and will stay stopped")]
    StaysStopped,
}

impl Warning {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::LoadBalancer { health_check: Some(true), .. } => {
                "set its weight to 0 and let connections end before the run"
            }
            Self::LoadBalancer { .. } => {
                "set its weight to 0 before the run, or give the listener a health check"
            }
            Self::KeysDropped(_) => "add `keep-existing: true` to keep them",
            Self::PasswordLoginOff => "make sure that somebody holds the private key",
            Self::PasswordLoginOn => "leave the password change out if only keys shall open the machine",
            Self::LowStock(_) => "run soon, or choose another type",
            Self::OtherFamily { .. } => "make sure that the guest and its licences run on the new processor",
            Self::Prepaid => "make sure that the balance covers it",
            Self::ScalingNotChecked => {
                "allow as:DescribeAutoScalingInstances, or make sure that it is in no group"
            }
            Self::StopsCharging => "remove `charging: stop`, or bind an elastic address first",
            Self::HardStop => "use `mode: soft` unless the guest can't be reached",
            Self::MayHardStop => "use `mode: soft` to never cut the power",
            Self::PassedOver { .. } => "nothing to do, unless it must be this type: then try later",
            Self::NotRolledBack(_) => {
                "keep the former ones at hand, or make these changes in a run of their own"
            }
            Self::WillStart => "use `start: as-found` to leave it stopped",
            Self::StaysStopped => "use `start: as-found` to bring it back",
        }
    }

    /// It comes and goes with the market rather than with the instance, so it is no part of what was approved.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::LowStock(_) | Self::PassedOver { .. })
    }
}

/// Most refusals name the type.
fn passed_over_words(to: &InstanceType, why: &Refusal) -> String {
    let why = why.to_string();
    if why.contains(to.as_str()) { why } else { format!("{to}: {why}") }
}

fn load_balancer_words(id: &str, listener: &str, health_check: Option<bool>) -> String {
    let effect = match health_check {
        Some(true) => "its health check takes a while to notice the stop",
        Some(false) => "it has no health check: clients may get errors (502) while the instance is down",
        None => "whether it has a health check is not known: clients may get errors (502)",
    };
    format!("the load balancer {id} ({listener}) sends requests to it; {effect}")
}
