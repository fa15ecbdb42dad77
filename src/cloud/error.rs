//! What went wrong with a call, and whether it may have been executed all the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RequestId;

/// Whether the cloud may have executed a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sent {
    /// Surely not: nothing was sent, or the cloud refused it.
    No,
    /// It may have been: look at the instance before anything else.
    Maybe,
}

/// What kind of failure it is, that is, what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Too many calls: wait, then send again.
    Throttled,
    /// The cloud's own fault: wait, then look.
    Server,
    /// No answer, or none that can be read: the outcome is unknown.
    Network,
    /// Another operation holds the instance: wait.
    Busy,
    /// The power state does not fit the call, or fits its goal already: look, then decide again.
    Power,
    /// The instance is in a state that waiting does not mend.
    State,
    /// No such instance, key, zone or region.
    Identity,
    /// The call itself is wrong.
    Argument,
    /// This instance can never be changed that way.
    Never,
    /// A person has to put something in order first.
    Operator,
    /// Sold out, or out of stock.
    Capacity,
    /// Credentials or permissions.
    Auth,
    /// Balance, unpaid orders, payment rights.
    Money,
}

impl ErrorKind {
    /// What a person can do about a failure of this kind.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Throttled => "too many API calls for this account; it is slowed down and retried",
            Self::Server => "the cloud's own failure; it is looked at again before anything is resent",
            Self::Network => "check the network, the proxy and the endpoint",
            Self::Busy => "another operation holds the instance; wait until it has ended",
            Self::Power => "the instance is not in the power state that this needs",
            Self::State => "look at the instance in the console; waiting does not mend this state",
            Self::Identity => "check the id and the region",
            Self::Argument => "check the workflow's values",
            Self::Never => "this instance can't be changed that way; choose another type or leave it out",
            Self::Operator => "put the named thing in order, then run again",
            Self::Capacity => "choose another type or zone, or try later",
            Self::Auth => "check the credentials and the access policy",
            Self::Money => "check the account's balance, unpaid orders and payment rights",
        }
    }
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[error("{}{message}", .code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default())]
pub struct CloudError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// Whether the call may have been executed.
    pub sent: Sent,
    /// The vendor's code, if the vendor answered.
    pub code: Option<String>,
    /// What happened, without secrets.
    pub message: String,
    /// The request's id, if the vendor answered.
    pub request: Option<RequestId>,
    /// How long the cloud asks to wait, if it does.
    pub retry_after: Option<Duration>,
}

impl CloudError {
    /// A failure of our own making or of the transport, with no answer from the cloud.
    pub fn new(kind: ErrorKind, sent: Sent, message: impl Into<String>) -> Self {
        Self { kind, sent, code: None, message: message.into(), request: None, retry_after: None }
    }

    /// The refusal is about the instance type that was asked for: with another one the call may succeed.
    pub fn is_about_the_type(&self) -> bool {
        match self.kind {
            ErrorKind::Capacity | ErrorKind::Never => true,
            // The type carries too few addresses or interfaces, or too little bandwidth (CVM API, ResetInstancesType).
            ErrorKind::Operator => {
                self.code.as_deref().is_some_and(|code| code.starts_with("LimitExceeded."))
            }
            ErrorKind::Throttled
            | ErrorKind::Server
            | ErrorKind::Network
            | ErrorKind::Busy
            | ErrorKind::Power
            | ErrorKind::State
            | ErrorKind::Identity
            | ErrorKind::Argument
            | ErrorKind::Auth
            | ErrorKind::Money => false,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        self.kind.hint()
    }
}
