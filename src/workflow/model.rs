//! A checked workflow: every value here has passed the language's rules.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rollout::Rollout;
use crate::cloud::{Charging, Filter, InstanceId, InstanceType, KeyId, StopMode};

/// What to do, to which instances, and how carefully.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Its name, as in the journal and on the screen.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The region that all its instances are in.
    pub region: String,
    /// The instances.
    pub target: Target,
    /// How to stop them.
    pub stop: Stop,
    /// What to change; a set, ordered by the plan.
    pub changes: Changes,
    /// Whether they run afterwards.
    pub start: Start,
    /// What proves that an instance is well after the start.
    pub checks: Vec<Check>,
    /// What becomes of an instance whose change failed.
    pub on_failure: OnFailure,
    /// How many at a time, and how many may fail.
    pub rollout: Rollout,
    /// How long an instance that runs may be down.
    pub downtime_budget: Option<Duration>,
}

impl Workflow {
    /// With the files that it names made absolute: relative ones are relative to `folder`, that of the workflow's
    /// own file. So they are found from any directory, by a later process too.
    #[must_use]
    pub fn beside(mut self, folder: &Path) -> Self {
        if let Some(reset) = &mut self.changes.reset_password {
            match &mut reset.password {
                SecretSource::File(path) | SecretSource::Generate { save_to: path, .. } => {
                    *path = folder.join(&*path);
                }
                SecretSource::Env(_) | SecretSource::Command(_) | SecretSource::Prompt => {}
            }
        }
        self
    }
}

/// The YAML key `target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `instances`: exactly these.
    Instances(Vec<InstanceId>),
    /// `match`: all that fit.
    Match {
        /// What they have in common.
        filter: Filter,
        /// `at-most`: refuse if more are found.
        at_most: Option<usize>,
    },
}

/// The YAML key `stop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// How.
    pub mode: StopMode,
    /// How long it may take before the instance counts as failed.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub timeout: Duration,
    /// What it costs while stopped.
    pub charging: Charging,
}

impl Default for Stop {
    fn default() -> Self {
        Self { mode: StopMode::default(), timeout: Duration::from_mins(10), charging: Charging::default() }
    }
}

/// The YAML key `changes`: at most one of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// `load-ssh-key`.
    pub load_ssh_key: Option<LoadSshKey>,
    /// `reset-password`.
    pub reset_password: Option<ResetPassword>,
    /// `resize`.
    pub resize: Option<Resize>,
}

/// `resize`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resize {
    /// To this type.
    Type(InstanceType),
    /// To the type of the same family that has this.
    Shape {
        /// Virtual cores.
        cpu: u32,
        /// Memory in GiB.
        memory_gib: u32,
    },
    /// To the first of these types that the instance can have: at least one, none twice.
    Prefer(Vec<InstanceType>),
}

/// `reset-password`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetPassword {
    /// Whose; the instance's administrator if absent.
    pub user: Option<String>,
    /// Where the new password comes from.
    pub password: SecretSource,
}

/// Where a secret comes from. It holds no secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// The first line of a file that only its owner can read.
    File(PathBuf),
    /// The first line that a program prints; its arguments, without a shell.
    Command(Vec<String>),
    /// A person types it.
    Prompt,
    /// Made up, and saved before it is sent.
    Generate {
        /// How many characters.
        length: usize,
        /// A file that must not exist yet.
        save_to: PathBuf,
    },
}

/// `load-ssh-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadSshKey {
    /// Which key.
    pub key: KeySource,
    /// Keys that are bound already stay bound.
    pub keep_existing: bool,
}

/// Which key to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `key`: by its id.
    Id(KeyId),
    /// `name`: by its name.
    Name(String),
    /// `public-key-file`: by its text; imported if the account has no such key.
    PublicKey {
        /// The name to import it under: from the file's name, letters, digits and underscores.
        name: String,
        /// The key in OpenSSH form, as the file has it.
        openssh: String,
    },
}

/// The YAML key `start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// An instance that ran, runs again; one that was stopped, stays stopped.
    #[default]
    AsFound,
    /// All run afterwards.
    Always,
    /// All are stopped afterwards.
    Never,
}

/// An entry of the YAML key `check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Check {
    /// `tcp`: the port accepts a connection.
    Tcp {
        /// The address; the instance's first private address if absent.
        host: Option<String>,
        /// The port.
        port: u16,
        /// How long after the start it may take.
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        timeout: Duration,
    },
}

/// The YAML key `on-failure`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// End it as `start` says, with whatever type it has now.
    #[default]
    Start,
    /// Give it its former type again if it was resized, stopping it once more for that, and end it as `start` says.
    RollBack,
    /// Leave it as it is, for a person to look at.
    LeaveStopped,
}
