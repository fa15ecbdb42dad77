//! The vendor's actions that Pitstop calls. No call can be made but of one of these, so what is derived from the list
//! (the least access policy, see [`Policy`](super::Policy)) can't leave one out.

use super::classify::Effect;
use super::wire::Service;
use crate::cloud::Change;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $effect:ident of $service:ident,)+) => {
        /// An action of the vendor's API that Pitstop calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Api {
            $($(#[$doc])* $name,)+
        }

        impl Api {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The vendor's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// The product that it belongs to.
            pub fn service(self) -> Service {
                match self {
                    $(Self::$name => Service::$service,)+
                }
            }

            /// Whether it changes anything.
            pub fn effect(self) -> Effect {
                match self {
                    $(Self::$name => Effect::$effect,)+
                }
            }
        }
    };
}

actions! {
    /// Stops instances.
    StopInstances = Write of Cvm,
    /// Starts instances.
    StartInstances = Write of Cvm,
    /// Changes an instance's type.
    ResetInstancesType = Write of Cvm,
    /// Sets passwords.
    ResetInstancesPassword = Write of Cvm,
    /// Binds SSH keys.
    AssociateInstancesKeyPairs = Write of Cvm,
    /// Adds an SSH key to the account.
    ImportKeyPair = Write of Cvm,
    /// The instances.
    DescribeInstances = Read of Cvm,
    /// What an instance could become.
    DescribeInstancesModification = Read of Cvm,
    /// What is on sale.
    DescribeZoneInstanceConfigInfos = Read of Cvm,
    /// What a resize costs.
    InquiryPriceResetInstancesType = Read of Cvm,
    /// How often an instance may be made smaller.
    DescribeInstancesOperationLimit = Read of Cvm,
    /// The SSH keys.
    DescribeKeyPairs = Read of Cvm,
    /// The vendor's repairs.
    DescribeTaskInfo = Read of Cvm,
    /// Release timers.
    DescribeInstancesActionTimer = Read of Cvm,
    /// Membership in auto-scaling groups.
    DescribeAutoScalingInstances = Read of As,
    /// The load balancers in front of instances.
    DescribeLBListeners = Read of Clb,
    /// Their health checks.
    DescribeTargetHealth = Read of Clb,
    /// Whom the credentials belong to.
    GetCallerIdentity = Read of Sts,
    /// Temporary credentials of a role. It changes nothing, so it is safe to repeat.
    AssumeRole = Read of Sts,
    /// The same, for the bearer of another identity provider's token.
    AssumeRoleWithWebIdentity = Read of Sts,
}

impl Api {
    /// The action that makes this change.
    pub fn of(change: &Change) -> Self {
        match change {
            Change::Stop { .. } => Self::StopInstances,
            Change::Start { .. } => Self::StartInstances,
            Change::Resize { .. } => Self::ResetInstancesType,
            Change::ResetPassword { .. } => Self::ResetInstancesPassword,
            Change::LoadSshKeys { .. } => Self::AssociateInstancesKeyPairs,
            Change::ImportKey { .. } => Self::ImportKeyPair,
        }
    }
}
