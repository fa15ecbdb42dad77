//! The world's own log: every call and every change, for tests that judge a run by what really happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fault::What;
use crate::cloud::{InstanceId, InstanceType, KeyId, PowerState, StoppedCharging};

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// Somebody who called the API.
    Caller,
    /// Somebody else, by the fleet's events.
    Somebody,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Happening {
    /// A call was made.
    Call {
        /// The region that it was sent to, as the caller named it.
        region: String,
        /// The vendor's name of the action.
        action: String,
        /// The instances that it named.
        ids: Vec<String>,
        /// The request's id; a call that never arrived has none.
        request: Option<String>,
        /// The code it was refused with.
        refused: Option<String>,
        /// The faults that struck it.
        faults: Vec<What>,
    },
    /// An operation began.
    Began {
        /// The instance.
        id: InstanceId,
        /// The action.
        action: String,
        /// The request that began it.
        request: String,
        /// Who.
        by: Actor,
    },
    /// An instance changed.
    Changed {
        /// The instance.
        id: InstanceId,
        /// The request that did it; events of the fleet have made-up ones.
        request: String,
        /// Who.
        by: Actor,
        /// How.
        effect: Effect,
    },
    /// A key pair was imported.
    KeyImported {
        /// Its id.
        key: KeyId,
        /// The request that did it.
        request: String,
    },
}

/// How an instance changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Another power state.
    Power {
        /// From.
        from: PowerState,
        /// To.
        to: PowerState,
    },
    /// Another way of charging while stopped.
    Charging {
        /// To.
        to: StoppedCharging,
    },
    /// Another type.
    Resized {
        /// From.
        from: InstanceType,
        /// To.
        to: InstanceType,
    },
    /// Other keys.
    Keys {
        /// From.
        from: Vec<KeyId>,
        /// To.
        to: Vec<KeyId>,
    },
    /// Another password.
    Password {
        /// Whose.
        user: String,
    },
    /// The operation ended.
    Ended {
        /// The action.
        action: String,
        /// Why it failed, if it did.
        failed: Option<String>,
    },
    /// It was restricted.
    Restricted,
    /// It is gone.
    Vanished,
}
