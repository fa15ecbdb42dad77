//! The mutating calls that exist. There is no forced stop among them, so none can be sent.

use std::fmt;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{InstanceId, InstanceType, KeyId};

/// How to ask an instance to stop (CVM API, `StopType`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StopMode {
    /// Ask the guest; never cut the power.
    #[default]
    Soft,
    /// Ask the guest; cut the power if it has not gone down after the vendor's five minutes.
    SoftFirst,
    /// Cut the power at once. Data may be lost.
    Hard,
}

/// What a stopped instance costs (CVM API, `StoppedMode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charging {
    /// Keep the cores and memory, and pay for them.
    #[default]
    Keep,
    /// Give them back. Nothing but a start is accepted then, and it may fail for lack of capacity.
    Stop,
}

/// A mutating call, with everything that it takes.
#[derive(Debug)]
pub enum Change {
    /// StopInstances, for up to 100 instances.
    Stop {
        /// Which.
        ids: Vec<InstanceId>,
        /// How.
        mode: StopMode,
        /// At what cost.
        charging: Charging,
    },
    /// StartInstances, for up to 100 instances.
    Start {
        /// Which.
        ids: Vec<InstanceId>,
    },
    /// ResetInstancesType, for one instance.
    Resize {
        /// Which.
        id: InstanceId,
        /// To what.
        to: InstanceType,
    },
    /// ResetInstancesPassword, for up to 100 instances that get the same password.
    ResetPassword {
        /// Which.
        ids: Vec<InstanceId>,
        /// Whose password.
        user: String,
        /// The new password.
        password: SecretString,
    },
    /// AssociateInstancesKeyPairs, for up to 100 instances. Keys that are bound but not named here stop working.
    LoadSshKeys {
        /// Which.
        ids: Vec<InstanceId>,
        /// All keys that shall be bound afterwards.
        keys: Vec<KeyId>,
    },
    /// ImportKeyPair. Touches no instance.
    ImportKey {
        /// The key's name: at most 25 letters, digits and underscores.
        name: String,
        /// The public key in OpenSSH form.
        public_key: String,
    },
}

/// A mutating call's name, as the vendor writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// StopInstances.
    Stop,
    /// StartInstances.
    Start,
    /// ResetInstancesType.
    Resize,
    /// ResetInstancesPassword.
    ResetPassword,
    /// AssociateInstancesKeyPairs.
    LoadSshKeys,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Stop, Self::Start, Self::Resize, Self::ResetPassword, Self::LoadSshKeys];

    /// The vendor's name, as in `LatestOperation`.
    pub fn api_name(self) -> &'static str {
        match self {
            Self::Stop => "StopInstances",
            Self::Start => "StartInstances",
            Self::Resize => "ResetInstancesType",
            Self::ResetPassword => "ResetInstancesPassword",
            Self::LoadSshKeys => "AssociateInstancesKeyPairs",
        }
    }

    /// The words for a person: "resize", "load SSH key".
    pub fn words(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Resize => "resize",
            Self::ResetPassword => "reset password",
            Self::LoadSshKeys => "load SSH key",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

impl Change {
    /// The vendor's name of the call.
    pub fn api_name(&self) -> &'static str {
        match self {
            Self::Stop { .. } => Action::Stop.api_name(),
            Self::Start { .. } => Action::Start.api_name(),
            Self::Resize { .. } => Action::Resize.api_name(),
            Self::ResetPassword { .. } => Action::ResetPassword.api_name(),
            Self::LoadSshKeys { .. } => Action::LoadSshKeys.api_name(),
            Self::ImportKey { .. } => "ImportKeyPair",
        }
    }

    /// The instances that it touches.
    pub fn ids(&self) -> &[InstanceId] {
        match self {
            Self::Stop { ids, .. }
            | Self::Start { ids }
            | Self::ResetPassword { ids, .. }
            | Self::LoadSshKeys { ids, .. } => ids,
            Self::Resize { id, .. } => std::slice::from_ref(id),
            Self::ImportKey { .. } => &[],
        }
    }
}
