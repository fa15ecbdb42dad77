//! An instance as the cloud shows it. All enums are open: a word we don't know is kept, and is never safe to act on.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Declares a newtype over the identifiers that the cloud hands out. All copies of one share its text: a large fleet's
/// journal, states and reports name the same requests and types many times over.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it came.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

identifier!(
    /// An instance's id, e.g. `ins-r8hr2upy`.
    InstanceId
);
identifier!(
    /// The id that the cloud gave to one request; mutating calls are told apart by it.
    RequestId
);
identifier!(
    /// An SSH key pair's id, e.g. `skey-abc12345`.
    KeyId
);
identifier!(
    /// The name of an instance type, e.g. `S5.LARGE8`.
    InstanceType
);

impl InstanceType {
    /// The family, e.g. `S5` of `S5.LARGE8`: types of one family can mostly be exchanged for each other.
    pub fn family(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

/// Declares an open enum: the vendor's words, plus `Other` for all we don't know.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// Every word that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The vendor's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

open_enum!(
    /// Whether an instance has power (CVM API, `InstanceState`).
    PowerState {
        /// Being created.
        Pending = "PENDING",
        /// Creation failed.
        LaunchFailed = "LAUNCH_FAILED",
        /// Running.
        Running = "RUNNING",
        /// On its way down.
        Stopping = "STOPPING",
        /// Down. The only state in which changes are sent.
        Stopped = "STOPPED",
        /// On its way up.
        Starting = "STARTING",
        /// Going down and up again.
        Rebooting = "REBOOTING",
        /// Isolated, waiting for destruction (the recycle bin). Not "stopped".
        Shutdown = "SHUTDOWN",
        /// Being destroyed.
        Terminating = "TERMINATING",
        /// Entering rescue mode.
        EnterRescueMode = "ENTER_RESCUE_MODE",
        /// In rescue mode.
        RescueMode = "RESCUE_MODE",
        /// Leaving rescue mode.
        ExitRescueMode = "EXIT_RESCUE_MODE",
        /// The vendor begins a live migration.
        EnterServiceLiveMigrate = "ENTER_SERVICE_LIVE_MIGRATE",
        /// The vendor migrates the instance.
        ServiceLiveMigrate = "SERVICE_LIVE_MIGRATE",
        /// The vendor ends a live migration.
        ExitServiceLiveMigrate = "EXIT_SERVICE_LIVE_MIGRATE",
    }
);

impl PowerState {
    /// The instance is between two lasting states; waiting helps.
    pub fn is_passing(&self) -> bool {
        use PowerState as P;
        match self {
            P::Pending
            | P::Stopping
            | P::Starting
            | P::Rebooting
            | P::EnterRescueMode
            | P::ExitRescueMode
            | P::EnterServiceLiveMigrate
            | P::ServiceLiveMigrate
            | P::ExitServiceLiveMigrate => true,
            P::LaunchFailed
            | P::Running
            | P::Stopped
            | P::Shutdown
            | P::Terminating
            | P::RescueMode
            | P::Other(_) => false,
        }
    }
}

open_enum!(
    /// How far an operation is (CVM API, `LatestOperationState`).
    OperationState {
        /// It ended well.
        Success = "SUCCESS",
        /// It runs.
        Operating = "OPERATING",
        /// It ended badly.
        Failed = "FAILED",
    }
);

open_enum!(
    /// A restriction put on the instance (CVM API, `RestrictState`). Only `NORMAL` may be acted on.
    Restriction {
        /// None.
        Normal = "NORMAL",
        /// Expired.
        Expired = "EXPIRED",
        /// Isolated for security.
        ProtectivelyIsolated = "PROTECTIVELY_ISOLATED",
    }
);

open_enum!(
    /// Why an instance is isolated (CVM API, `IsolatedSource`). Only `NOTISOLATED` may be acted on.
    Isolation {
        /// It is not.
        NotIsolated = "NOTISOLATED",
        /// The account is in arrears.
        Arrear = "ARREAR",
        /// The prepaid time has run out.
        Expire = "EXPIRE",
        /// Somebody returned it.
        Manmade = "MANMADE",
    }
);

open_enum!(
    /// How a stopped instance is charged (CVM API, `StopChargingMode`).
    StoppedCharging {
        /// As if it ran.
        KeepCharging = "KEEP_CHARGING",
        /// Not at all: CPU and memory were given back, and nothing but a start is accepted.
        StopCharging = "STOP_CHARGING",
        /// It is not stopped, or the choice does not exist for it.
        NotApplicable = "NOT_APPLICABLE",
    }
);

open_enum!(
    /// How the instance is paid for (CVM API, `InstanceChargeType`).
    ChargeType {
        /// By the month, in advance. Upgrades are charged at once; downgrades are limited.
        Prepaid = "PREPAID",
        /// By the hour.
        PostpaidByHour = "POSTPAID_BY_HOUR",
        /// A spot instance.
        Spotpaid = "SPOTPAID",
        /// On a dedicated host.
        Cdhpaid = "CDHPAID",
        /// On a dedicated cluster.
        Cdcpaid = "CDCPAID",
    }
);

/// The last operation that the cloud carried out, or carries out, on an instance.
/// Only the last one is visible; it lags the accepting call by seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The action's name, e.g. `StopInstances`.
    pub action: String,
    /// How far it is.
    pub state: OperationState,
    /// The request that began it.
    pub request: Option<RequestId>,
    /// What went wrong, in the vendor's words; empty when nothing did.
    pub message: String,
}

/// A system or data disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The disk's id; local disks may have none.
    pub id: Option<String>,
    /// The vendor's word for its kind, e.g. `CLOUD_PREMIUM` or `LOCAL_SSD`.
    pub kind: String,
    /// Its size in GiB.
    pub size_gib: u64,
}

impl Disk {
    /// A disk inside the host: such an instance can't be resized.
    pub fn is_local(&self) -> bool {
        self.kind.starts_with("LOCAL_")
    }
}

/// An instance as it was seen at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The name that people gave it.
    pub name: String,
    /// The zone it lives in, e.g. `ap-guangzhou-3`.
    pub zone: String,
    /// Its power state.
    pub power: PowerState,
    /// Its type.
    pub instance_type: InstanceType,
    /// Virtual cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// A restriction, if there is one.
    pub restriction: Restriction,
    /// An isolation, if there is one.
    pub isolation: Isolation,
    /// How it is charged while stopped.
    pub stopped_charging: StoppedCharging,
    /// How it is paid for.
    pub charge_type: ChargeType,
    /// The end of the prepaid time.
    pub expires: Option<Timestamp>,
    /// The system disk.
    pub system_disk: Option<Disk>,
    /// The data disks.
    pub data_disks: Vec<Disk>,
    /// Private addresses.
    pub private_ips: Vec<IpAddr>,
    /// Public addresses, elastic ones included.
    pub public_ips: Vec<IpAddr>,
    /// The network it is in, if it is in a VPC.
    pub vpc: Option<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// The SSH keys bound to it.
    pub keys: Vec<KeyId>,
    /// The name of its operating system; contains "Windows" for Windows.
    pub os: String,
    /// The administrator's name, when the cloud tells it.
    pub login_user: Option<String>,
    /// The dedicated host it is on.
    pub host: Option<String>,
    /// It carries a GPU.
    pub gpu: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The last operation on it.
    pub latest_operation: Option<Operation>,
}

impl Instance {
    /// It runs Windows: other password rules, no SSH keys.
    pub fn is_windows(&self) -> bool {
        self.os.to_ascii_lowercase().contains("windows")
    }

    /// The administrator's name: the cloud's word, else by the operating system (CVM API, ResetInstancesPassword).
    pub fn administrator(&self) -> &str {
        match &self.login_user {
            Some(user) => user,
            None if self.is_windows() => "Administrator",
            None if self.os.to_ascii_lowercase().contains("ubuntu") => "ubuntu",
            None => "root",
        }
    }

    /// An operation runs on it now.
    pub fn is_operating(&self) -> bool {
        self.latest_operation.as_ref().is_some_and(|operation| operation.state == OperationState::Operating)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_an_identifier_share_its_text() {
        let request = RequestId::new("3c140219-cfe9-470e-b241-907877d6fb03".to_owned());
        assert!(std::ptr::eq(request.as_str(), request.clone().as_str()));
        let read: RequestId = serde_json::from_value(serde_json::to_value(&request).unwrap()).unwrap();
        assert_eq!(read, request);
    }
}
