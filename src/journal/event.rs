//! The events, version 3. A journal written by any released version loads for ever: variants and fields are only
//! added, and added fields have defaults. What was added:
//!
//! - 3: `paused` and `continued`; `not-begun` for the reasons `canary-failed` and `declined`; `fell-back` and
//!   `roll-back-began`; the failures `over-budget`, `rolled-back` and `not-rolled-back`; in the plan `fallbacks` of a
//!   resize, `downtime-budget`, and `roll-back` as what is done `on-failure`.
//! - 2: the failure `cut-short`; `not-begun` for the reasons `key-not-imported`, `ordered` and `abandoned`.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::Failure;
use super::seconds;
use crate::cloud::{
    Action, Charging, CloudError, InstanceId, InstanceType, KeyId, PowerState, RequestId, StopMode,
};
use crate::plan::ApprovedPlan;

/// A run's id: a UUID of version 7, so that runs sort by the time they began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// The id of a run that begins `at`, told apart from others by `chance`.
    pub fn new(at: Timestamp, chance: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
    }

    /// Reads an id as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// Its place in the run: 0, 1, 2, …
    pub seq: u64,
    /// The instance it concerns; `None` for the run as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    /// A record from its text. It means the same as deserialising it, which keeps all fields aside twice to find out what
    /// happened, and takes half as long again: a large journal has hundreds of thousands.
    pub(super) fn from_json(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            at: Timestamp,
            run: RunId,
            seq: u64,
            #[serde(default)]
            instance: Option<InstanceId>,
        }
        let Head { at, run, seq, instance } = serde_json::from_str(text)?;
        Ok(Self { at, run, seq, instance, event: serde_json::from_str(text)? })
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    /// The run was approved and written down. Always its first record.
    RunBegan {
        /// The format's version.
        version: u32,
        /// What will be done.
        plan: Box<ApprovedPlan>,
        /// The cloud was a simulated one.
        simulated: bool,
    },
    /// A process took the run in hand, for the first time or again.
    RunTaken {
        /// Which process, on which host.
        by: String,
    },
    /// A key is about to be imported.
    KeyImportIntended {
        /// The name it gets.
        name: String,
    },
    /// The key that the plan wanted imported is there.
    KeyImported {
        /// Its id.
        key: KeyId,
    },
    /// Somebody asked the run to end early.
    Ordered {
        /// What was asked.
        order: Order,
    },
    /// The canaries are well, and the others wait.
    Paused {
        /// Until when; without it, for a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The others may begin.
    Continued,
    /// Every instance has its verdict.
    RunEnded,

    /// The instance was seen in another power state, or of another type, than before.
    Seen {
        /// Its power state.
        power: PowerState,
        /// Its type.
        instance_type: InstanceType,
    },
    /// A call is about to be sent.
    Intended {
        /// What it shall do.
        intent: Intent,
        /// The last operation's request as seen before it; the call's own will differ.
        baseline: Option<RequestId>,
    },
    /// The cloud accepted the call.
    Accepted {
        /// The request's id.
        request: RequestId,
    },
    /// The cloud refused the call, or it was never sent: surely nothing was done.
    Refused {
        /// Why.
        error: CloudError,
        /// How many instances the call named. If it was more than this one, another may be to blame.
        #[serde(default = "one")]
        among: usize,
    },
    /// No answer came that says whether the call was executed.
    Lost {
        /// What was seen instead.
        error: CloudError,
    },
    /// The cloud shows no trace of the call, long enough after it.
    NotExecuted,
    /// The call's effect was seen, and its operation has ended.
    Achieved {
        /// From the acceptance to the moment it was seen.
        #[serde(with = "seconds")]
        took: Duration,
    },
    /// Something went wrong with the instance; from here on it is only brought back.
    Failed {
        /// What.
        failure: Failure,
    },
    /// The type that was asked for can't be had, and the plan's next one is asked for instead. If that is the type that
    /// the instance has, it stays as it is.
    FellBack {
        /// The type that can't be had.
        from: InstanceType,
        /// The next one.
        to: InstanceType,
        /// Why.
        error: CloudError,
    },
    /// The instance was resized, does not do well, and is to become what it was. It may be stopped once more for that.
    RollBackBegan {
        /// The type that it had.
        to: InstanceType,
    },
    /// One of the plan's checks passed.
    CheckPassed {
        /// Which, counted from 0.
        check: usize,
    },
    /// The run was asked to end early, and the instance has the power that the workflow says.
    /// A run that is taken up again may stop it once more for what is left.
    Suspended,
    /// The instance is done with.
    Ended {
        /// How it went.
        verdict: Verdict,
        /// What is different from before, although the workflow did not ask for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<String>,
    },
}

/// Calls name one instance unless the record says otherwise.
fn one() -> usize {
    1
}

impl Event {
    /// The event's name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunBegan { .. } => "run-began",
            Self::RunTaken { .. } => "run-taken",
            Self::KeyImportIntended { .. } => "key-import-intended",
            Self::KeyImported { .. } => "key-imported",
            Self::Ordered { .. } => "ordered",
            Self::Paused { .. } => "paused",
            Self::Continued => "continued",
            Self::RunEnded => "run-ended",
            Self::Seen { .. } => "seen",
            Self::Intended { .. } => "intended",
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::Lost { .. } => "lost",
            Self::NotExecuted => "not-executed",
            Self::Achieved { .. } => "achieved",
            Self::Failed { .. } => "failed",
            Self::FellBack { .. } => "fell-back",
            Self::RollBackBegan { .. } => "roll-back-began",
            Self::CheckPassed { .. } => "check-passed",
            Self::Suspended => "suspended",
            Self::Ended { .. } => "ended",
        }
    }
}

/// What a call shall do to an instance. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Intent {
    /// Stop it.
    Stop {
        /// How.
        mode: StopMode,
        /// At what cost.
        charging: Charging,
    },
    /// Start it.
    Start,
    /// Bind these keys and no others.
    LoadSshKeys {
        /// The keys, sorted.
        keys: Vec<KeyId>,
    },
    /// Set the password.
    ResetPassword {
        /// Whose.
        user: String,
    },
    /// Change the type.
    Resize {
        /// To this one.
        to: InstanceType,
    },
}

impl Intent {
    /// The call.
    pub fn action(&self) -> Action {
        match self {
            Self::Stop { .. } => Action::Stop,
            Self::Start => Action::Start,
            Self::LoadSshKeys { .. } => Action::LoadSshKeys,
            Self::ResetPassword { .. } => Action::ResetPassword,
            Self::Resize { .. } => Action::Resize,
        }
    }
}

/// How urgently a run shall end. Orders only escalate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// It shall not: carry on.
    #[default]
    CarryOn,
    /// Begin nothing new, and bring every stopped instance back as the workflow says.
    BringBack,
    /// Leave at once, whatever state things are in.
    LeaveNow,
}

/// Why an instance was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Halt {
    /// More instances failed than `max-failures` allows.
    TooManyFailures,
    /// A canary failed.
    CanaryFailed,
    /// A person looked at the canaries, and did not want the others begun.
    Declined,
    /// The key that the plan wants loaded can't be imported.
    KeyNotImported,
    /// The run was ordered to end before it touched anything.
    Ordered,
    /// The run was given up before anything was sent.
    Abandoned,
}

/// How it went with an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Verdict {
    /// Everything is as planned.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It was never touched.
    NotBegun {
        /// Why.
        why: Halt,
    },
    /// Something went wrong, and the instance has the power that the workflow says, or was never touched.
    Failed {
        /// What.
        failure: Failure,
    },
    /// It does not have the power that the workflow says: a person is needed.
    Stranded {
        /// What went wrong.
        failure: Failure,
        /// The power it has, as far as is known.
        power: PowerState,
    },
}
