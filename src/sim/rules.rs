//! The vendor's rules about power states: which call is accepted in which state, and with which code it is refused.
//!
//! Source: the error lists that the vendor declares per action, and the pages of the actions.

use crate::cloud::{PowerState, Restriction};

/// The mutating actions on instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Mutation {
    Stop,
    Start,
    Reboot,
    Resize,
    Password,
    Associate,
    Disassociate,
}

impl Mutation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Stop,
        Self::Start,
        Self::Reboot,
        Self::Resize,
        Self::Password,
        Self::Associate,
        Self::Disassociate,
    ];

    /// The vendor's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "StopInstances",
            Self::Start => "StartInstances",
            Self::Reboot => "RebootInstances",
            Self::Resize => "ResetInstancesType",
            Self::Password => "ResetInstancesPassword",
            Self::Associate => "AssociateInstancesKeyPairs",
            Self::Disassociate => "DisassociateInstancesKeyPairs",
        }
    }

    /// The one state that it is made for.
    pub(crate) fn wants(self) -> PowerState {
        match self {
            Self::Stop | Self::Reboot => PowerState::Running,
            Self::Start | Self::Resize | Self::Password | Self::Associate | Self::Disassociate => {
                PowerState::Stopped
            }
        }
    }

    /// The column of [`DECLARED`].
    fn column(self) -> usize {
        self as usize
    }

    /// The code for "the same kind of task runs already"; ResetInstancesType declares none of its own.
    pub(crate) fn busy_with_the_same(self) -> &'static str {
        match self {
            Self::Resize => "OperationDenied.InstanceOperationInProgress",
            _ => "MutexOperation.TaskRunning",
        }
    }
}

/// The code that an action answers when it declares none for the instance's state.
pub(crate) const UNDECLARED: &str = "InvalidInstance.NotSupported";

/// Which `UnsupportedOperation.*` codes each action declares, in the order of [`Mutation::ALL`].
const DECLARED: [(&str, &[u8; 7]); 22] = [
    ("UnsupportedOperation.InstanceReinstallFailed", b"xxxxx.."),
    ("UnsupportedOperation.InstanceStateBanning", b"x..x..x"),
    ("UnsupportedOperation.InstanceStateCorrupted", b"xxx...."),
    ("UnsupportedOperation.InstanceStateEnterRescueMode", b"xxx.x.x"),
    ("UnsupportedOperation.InstanceStateEnterServiceLiveMigrate", b"x.x..x."),
    ("UnsupportedOperation.InstanceStateExitRescueMode", b"xxx.xx."),
    ("UnsupportedOperation.InstanceStateExitServiceLiveMigrate", b"x.xx..."),
    ("UnsupportedOperation.InstanceStateFreezing", b"xxxxxxx"),
    ("UnsupportedOperation.InstanceStateIsolating", b"xxx.xx."),
    ("UnsupportedOperation.InstanceStatePending", b"xxx.xxx"),
    ("UnsupportedOperation.InstanceStateRebooting", b"xxxxxxx"),
    ("UnsupportedOperation.InstanceStateRescueMode", b"xx.xxxx"),
    ("UnsupportedOperation.InstanceStateRunning", b".x.xxxx"),
    ("UnsupportedOperation.InstanceStateServiceLiveMigrate", b"xxx.x.."),
    ("UnsupportedOperation.InstanceStateShutdown", b"xxxxxxx"),
    ("UnsupportedOperation.InstanceStateStarting", b"xxxxxxx"),
    ("UnsupportedOperation.InstanceStateStopped", b"xxx...."),
    ("UnsupportedOperation.InstanceStateStopping", b"xxxxxxx"),
    ("UnsupportedOperation.InstanceStateTerminated", b"xx....."),
    ("UnsupportedOperation.InstanceStateTerminating", b"xxxxxxx"),
    ("UnsupportedOperation.StoppedModeStopCharging", b"x.xxxxx"),
    ("UnsupportedOperation.StoppedModeStopChargingSameFamily", b"...x..."),
];

/// `code` if the action declares it, else what it answers instead.
fn declared(mutation: Mutation, code: &'static str) -> &'static str {
    let known = DECLARED.iter().any(|(name, cells)| *name == code && cells[mutation.column()] == b'x');
    if known { code } else { UNDECLARED }
}

/// The code of a state, whoever declares it.
fn code_of(power: &PowerState) -> &'static str {
    use PowerState as P;
    match power {
        P::Pending => "UnsupportedOperation.InstanceStatePending",
        P::Running => "UnsupportedOperation.InstanceStateRunning",
        P::Stopping => "UnsupportedOperation.InstanceStateStopping",
        P::Stopped => "UnsupportedOperation.InstanceStateStopped",
        P::Starting => "UnsupportedOperation.InstanceStateStarting",
        P::Rebooting => "UnsupportedOperation.InstanceStateRebooting",
        P::Shutdown => "UnsupportedOperation.InstanceStateShutdown",
        P::Terminating => "UnsupportedOperation.InstanceStateTerminating",
        P::EnterRescueMode => "UnsupportedOperation.InstanceStateEnterRescueMode",
        P::RescueMode => "UnsupportedOperation.InstanceStateRescueMode",
        P::ExitRescueMode => "UnsupportedOperation.InstanceStateExitRescueMode",
        P::EnterServiceLiveMigrate => "UnsupportedOperation.InstanceStateEnterServiceLiveMigrate",
        P::ServiceLiveMigrate => "UnsupportedOperation.InstanceStateServiceLiveMigrate",
        P::ExitServiceLiveMigrate => "UnsupportedOperation.InstanceStateExitServiceLiveMigrate",
        P::LaunchFailed => UNDECLARED,
        P::Other(word) => match word.as_str() {
            "FREEZING" => "UnsupportedOperation.InstanceStateFreezing",
            "ISOLATING" => "UnsupportedOperation.InstanceStateIsolating",
            "BANNING" => "UnsupportedOperation.InstanceStateBanning",
            "CORRUPTED" => "UnsupportedOperation.InstanceStateCorrupted",
            "TERMINATED" => "UnsupportedOperation.InstanceStateTerminated",
            "REINSTALL_FAILED" => "UnsupportedOperation.InstanceReinstallFailed",
            _ => UNDECLARED,
        },
    }
}

/// What decides whether a call is accepted.
pub(crate) struct Condition<'a> {
    pub(crate) power: &'a PowerState,
    pub(crate) restriction: &'a Restriction,
    /// Stopped without being charged.
    pub(crate) given_back: bool,
    /// The action of the operation that holds the instance.
    pub(crate) busy_with: Option<&'a str>,
    /// The call may stop a running instance itself (`ForceStop`).
    pub(crate) forced: bool,
}

/// The code with which the vendor refuses the call in this condition; `None`: it is accepted.
///
/// A passing state is named before the operation that causes it, and the operation before a lasting state: so a start
/// right after a resize is answered `InstanceOperationInProgress`, as has been observed.
pub(crate) fn refusal(mutation: Mutation, condition: &Condition<'_>) -> Option<&'static str> {
    let Condition { power, restriction, given_back, busy_with, forced } = condition;
    match restriction {
        Restriction::Normal => {}
        Restriction::ProtectivelyIsolated => {
            let banning = declared(mutation, "UnsupportedOperation.InstanceStateBanning");
            return Some(if banning == UNDECLARED {
                "UnsupportedOperation.InstanceStateFreezing"
            } else {
                banning
            });
        }
        Restriction::Expired | Restriction::Other(_) => {
            return Some("UnsupportedOperation.InstanceStateFreezing");
        }
    }
    if power.is_passing() {
        return Some(declared(mutation, code_of(power)));
    }
    if let Some(action) = busy_with {
        return Some(if *action == mutation.name() {
            mutation.busy_with_the_same()
        } else {
            "OperationDenied.InstanceOperationInProgress"
        });
    }
    if *given_back && mutation != Mutation::Start {
        return Some(declared(mutation, "UnsupportedOperation.StoppedModeStopCharging"));
    }
    let fits = **power == mutation.wants() || (*forced && **power == PowerState::Running);
    (!fits).then(|| declared(mutation, code_of(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(mutation: Mutation, power: &PowerState) -> Option<&'static str> {
        refusal(
            mutation,
            &Condition {
                power,
                restriction: &Restriction::Normal,
                given_back: false,
                busy_with: None,
                forced: false,
            },
        )
    }

    /// Every action in every state: what the vendor answers. `+` is accepted, `-` is [`UNDECLARED`], a word is the
    /// code's end.
    #[test]
    fn every_action_in_every_state() {
        let table = "
            PENDING                    Pending    Pending    Pending    -         Pending    Pending    Pending
            LAUNCH_FAILED              -          -          -          -         -          -          -
            RUNNING                    +          Running    +          Running   Running    Running    Running
            STOPPING                   Stopping   Stopping   Stopping   Stopping  Stopping   Stopping   Stopping
            STOPPED                    Stopped    +          Stopped    +         +          +          +
            STARTING                   Starting   Starting   Starting   Starting  Starting   Starting   Starting
            REBOOTING                  Rebooting  Rebooting  Rebooting  Rebooting Rebooting  Rebooting  Rebooting
            SHUTDOWN                   Shutdown   Shutdown   Shutdown   Shutdown  Shutdown   Shutdown   Shutdown
            TERMINATING                Terminating Terminating Terminating Terminating Terminating Terminating Terminating
            ENTER_RESCUE_MODE          EnterRescueMode EnterRescueMode EnterRescueMode - EnterRescueMode - EnterRescueMode
            RESCUE_MODE                RescueMode RescueMode -          RescueMode RescueMode RescueMode RescueMode
            EXIT_RESCUE_MODE           ExitRescueMode ExitRescueMode ExitRescueMode - ExitRescueMode ExitRescueMode -
            ENTER_SERVICE_LIVE_MIGRATE EnterServiceLiveMigrate - EnterServiceLiveMigrate - - EnterServiceLiveMigrate -
            SERVICE_LIVE_MIGRATE       ServiceLiveMigrate ServiceLiveMigrate ServiceLiveMigrate - ServiceLiveMigrate - -
            EXIT_SERVICE_LIVE_MIGRATE  ExitServiceLiveMigrate - ExitServiceLiveMigrate ExitServiceLiveMigrate - - -
            FREEZING                   Freezing   Freezing   Freezing   Freezing  Freezing   Freezing   Freezing
            BANNING                    Banning    -          -          Banning   -          -          Banning
            SOMETHING_NEW              -          -          -          -         -          -          -
        ";
        let mut rows = 0;
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace();
            let power = PowerState::from(words.next().unwrap());
            for (mutation, word) in Mutation::ALL.into_iter().zip(words.by_ref()) {
                let expected = match word {
                    "+" => None,
                    "-" => Some(UNDECLARED.to_owned()),
                    word => Some(format!("UnsupportedOperation.InstanceState{word}")),
                };
                assert_eq!(code(mutation, &power), expected.as_deref(), "{mutation:?} in {power}");
            }
            assert_eq!(words.next(), None, "{line}");
            rows += 1;
        }
        let known = PowerState::KNOWN.iter().filter(|power| table.contains(power.as_str())).count();
        assert_eq!((known, rows), (PowerState::KNOWN.len(), PowerState::KNOWN.len() + 3));
    }

    #[test]
    fn an_operation_in_progress_refuses_everything() {
        for mutation in Mutation::ALL {
            for busy_with in ["ResetInstancesPassword", "RenewInstances"] {
                let condition = Condition {
                    power: &PowerState::Stopped,
                    restriction: &Restriction::Normal,
                    given_back: false,
                    busy_with: Some(busy_with),
                    forced: false,
                };
                let same = mutation.name() == busy_with;
                let expected = if same {
                    "MutexOperation.TaskRunning"
                } else {
                    "OperationDenied.InstanceOperationInProgress"
                };
                assert_eq!(refusal(mutation, &condition), Some(expected), "{mutation:?} during {busy_with}");
            }
        }
    }

    #[test]
    fn an_instance_that_was_given_back_only_starts() {
        for mutation in Mutation::ALL {
            let condition = Condition {
                power: &PowerState::Stopped,
                restriction: &Restriction::Normal,
                given_back: true,
                busy_with: None,
                forced: false,
            };
            let expected =
                (mutation != Mutation::Start).then_some("UnsupportedOperation.StoppedModeStopCharging");
            assert_eq!(refusal(mutation, &condition), expected, "{mutation:?}");
        }
    }
}
