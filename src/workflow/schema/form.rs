//! The file as it is written, key by key. These types exist for their schema only: nothing is ever read into them.
//! Their first line is a key's title, what follows is what an editor shows of it, and defaults are the model's.
//!
//! `tests/it/schema.rs` holds them against the reader: the keys, the words, the defaults and the examples.

#![expect(dead_code, clippy::zero_sized_map_values, reason = "only the schema is made of these types")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::scalar::{
    AnyScalar, AnyText, Cores, Count, Duration, Flag, Host, Instance, Key, Length, Memory, Name, OneOrMore,
    Path, Port, Region, Share, Text, Type, User, Variable, Word, Yes, Zone,
};
use crate::cloud;
use crate::workflow::{changes, model, rollout, secret, sections};

/// The default of a key, as the model has it.
fn default(of: impl Serialize, key: &str) -> Value {
    json!(of)[key].take()
}

/// # A Pitstop workflow
/// Stops cloud instances, changes what can only be changed while they are stopped, and brings them back.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("if" = json!({ "required": ["start"], "properties": { "start": { "const": "never" } } })))]
#[schemars(extend("then" = json!({
    "properties": { "check": false },
    "errorMessage": "`check` looks at a running instance, but `start: never` leaves it stopped",
})))]
pub(super) struct Workflow {
    /// # Version
    /// The version of the workflow language.
    #[schemars(extend("const" = 1, "examples" = [1]))]
    version: u8,

    /// # Name
    /// The workflow's name, as in the journal and on the screen.
    #[schemars(extend("examples" = ["resize-web"]))]
    name: Name,

    /// # Description
    /// What the workflow is for.
    #[schemars(extend("examples" = ["Move the web servers to 4 cores and 8 GiB"]))]
    description: Option<Text>,

    /// # Params
    /// Values that the workflow asks for. `${{ params.NAME }}` in a text stands for the value; it is given with
    /// `--set NAME=VALUE`, asked for at a terminal, or the default.
    #[schemars(extend("propertyNames" = json!({ "pattern": "^[a-z][a-z0-9_-]*$" })))]
    #[schemars(extend("examples" = [{ "type": { "description": "Instance type to move to", "default": "S5.LARGE8" } }]))]
    params: Option<BTreeMap<String, Param>>,

    /// # Target
    /// Which instances to work on.
    target: Target,

    /// # Stop
    /// How to stop the instances.
    stop: Option<Stop>,

    /// # Changes
    /// What is done to a stopped instance. A set, not a script: at most one of each, ordered by Pitstop (keys, then
    /// password, then resize).
    #[schemars(extend("minItems" = 1, "allOf" = once_each()))]
    changes: Vec<Change>,

    /// # Start
    /// Whether the instances run afterwards.
    #[schemars(extend("default" = model::Start::default(), "examples" = ["as-found"]))]
    start: Option<Word<model::Start>>,

    /// # Check
    /// Proof after the start; a failed check is a failure of that instance.
    #[schemars(extend("minItems" = 1))]
    check: Option<Vec<Check>>,

    /// # On failure
    /// What becomes of an instance whose change failed.
    #[schemars(extend("default" = model::OnFailure::default(), "examples" = ["start"]))]
    on_failure: Option<Word<model::OnFailure>>,

    /// # Rollout
    /// How many instances at a time, and how many may fail.
    rollout: Option<Rollout>,

    /// # Downtime budget
    /// How long an instance that runs may be down. When the rest no longer fits, what is left is skipped and the
    /// instance is started. At least 10 s, at most 24 h.
    #[schemars(extend("examples" = ["5m"]))]
    downtime_budget: Option<Duration>,

    /// # Guard
    /// What is done about the instances' surroundings. Pitstop warns of load balancers and refuses instances of
    /// auto-scaling groups.
    guard: Option<Guard>,
}

/// # Param
/// A value that the workflow asks for. Without a default somebody must give it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Param {
    /// # Description
    /// What the value is for; it is shown when the value is asked for.
    #[schemars(extend("examples" = ["Instance type to move to"]))]
    description: Option<Text>,

    /// # Default
    /// What it is when nobody says.
    #[schemars(extend("examples" = ["S5.LARGE8", 5]))]
    default: Option<AnyScalar>,
}

/// # Target
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = either(&["instances", "match"])))]
#[schemars(extend("dependentRequired" = json!({ "at-most": ["match"] })))]
struct Target {
    /// # Region
    /// The region that all the instances are in.
    #[schemars(extend("examples" = ["ap-guangzhou"]))]
    region: Region,

    /// # Instances
    /// Exactly these instances, by their ids. Or use `match`.
    #[schemars(extend("minItems" = 1, "uniqueItems" = true, "examples" = [["ins-r8hr2upy"]]))]
    instances: Option<Vec<Instance>>,

    /// # Match
    /// All instances that fit in every way. Or use `instances`.
    r#match: Option<Match>,

    /// # At most
    /// Refuse if a match finds more instances than this.
    #[schemars(extend("examples" = [20]))]
    at_most: Option<OneOrMore>,
}

/// # Match
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case", extend("minProperties" = 1))]
struct Match {
    /// # Name
    /// The instance's name; `*` stands for any characters, `?` for any one.
    #[schemars(extend("examples" = ["web-*"]))]
    name: Option<Text>,

    /// # Tags
    /// Tags that the instance must have, with these values.
    #[schemars(extend("minProperties" = 1, "examples" = [{ "role": "web" }]))]
    tags: Option<BTreeMap<String, AnyText>>,

    /// # Zones
    /// It is in one of these zones.
    #[schemars(extend("minItems" = 1, "examples" = [["ap-guangzhou-3"]]))]
    zones: Option<Vec<Zone>>,

    /// # States
    /// It is in one of these states.
    #[schemars(extend("minItems" = 1, "examples" = [["RUNNING"]]))]
    states: Option<Vec<Word<State>>>,
}

/// # State
/// The state of an instance.
#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE")]
enum State {
    /// It runs.
    Running,
    /// It is stopped.
    Stopped,
}

/// # Stop
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Stop {
    /// # Mode
    /// How to ask an instance to stop.
    #[schemars(extend("default" = default(model::Stop::default(), "mode"), "examples" = ["soft"]))]
    mode: Option<Word<cloud::StopMode>>,

    /// # Timeout
    /// How long a stop may take before the instance counts as failed. It is not forced then, but watched until it
    /// runs again or is down. At least 10 s, at most 24 h.
    #[schemars(extend("default" = default(model::Stop::default(), "timeout"), "examples" = ["10m"]))]
    timeout: Option<Duration>,

    /// # Charging
    /// What the instance costs while it is stopped. Only an instance that keeps its cores and memory can be changed.
    #[schemars(extend("default" = default(model::Stop::default(), "charging"), "examples" = ["keep"]))]
    charging: Option<Word<Charging>>,
}

/// # Charging
/// An instance that gives cores and memory back can't be changed, so that word is not offered.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Charging {
    /// Keep the cores and memory, and pay for them.
    Keep,
}

/// Each kind of change at most once.
fn once_each() -> Value {
    let once = |kind: &str| {
        json!({
            "contains": { "required": [kind] },
            "minContains": 0,
            "maxContains": 1,
            "errorMessage": format!("`{kind}` stands here a second time; changes are a set"),
        })
    };
    changes::KINDS.iter().map(|kind| once(kind)).collect()
}

/// # Change
/// One change: one of `resize`, `reset-password` and `load-ssh-key`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
struct Change {
    /// # Resize
    /// Give the instance other cores and memory: another type, a type of its family with so many cores and so
    /// much memory, or the first of some types that it can have.
    resize: Option<Resize>,

    /// # Reset password
    /// Set a new login password. The password itself never stands in the file.
    reset_password: Option<ResetPassword>,

    /// # Load SSH key
    /// Bind an SSH key. The cloud switches login by password off when it does that.
    load_ssh_key: Option<LoadSshKey>,
}

/// # Resize
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = either(&["type", "cpu", "prefer"])))]
#[schemars(extend("dependentRequired" = json!({ "cpu": ["memory"], "memory": ["cpu"] })))]
struct Resize {
    /// # Type
    /// The type to move to.
    #[schemars(extend("examples" = ["S5.LARGE8"]))]
    r#type: Option<Type>,

    /// # Cores
    /// With `memory`: move to the type of the same family that has so many cores.
    #[schemars(extend("examples" = [4]))]
    cpu: Option<Cores>,

    /// # Memory
    /// With `cpu`: move to the type of the same family that has so much memory.
    #[schemars(extend("examples" = ["8GiB"]))]
    memory: Option<Memory>,

    /// # Prefer
    /// Move to the first of these types that the instance can have.
    #[schemars(extend("minItems" = 1, "uniqueItems" = true, "examples" = [["S5.LARGE8", "S6.LARGE8"]]))]
    prefer: Option<Vec<Type>>,
}

/// # Reset password
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct ResetPassword {
    /// # User
    /// Whose password; the administrator of the instance's system (root, ubuntu, Administrator) if left out.
    #[schemars(extend("examples" = ["root"]))]
    user: Option<User>,

    /// # Password
    /// Where the new password comes from. 8 to 30 characters (12 to 30 for Windows) of at least three of the
    /// classes a-z, A-Z, 0-9 and special characters, not beginning with `/`.
    password: Password,
}

/// # Password
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = either(&secret::SOURCES)))]
struct Password {
    /// # Environment variable
    /// The name of the environment variable that holds the password where Pitstop runs.
    #[schemars(extend("examples" = ["NEW_PASSWORD"]))]
    env: Option<Variable>,

    /// # File
    /// A file whose first line is the password. Nobody but its owner may be able to read it.
    #[schemars(extend("examples" = ["/run/secrets/root-password"]))]
    file: Option<Path>,

    /// # Command
    /// A program and its arguments; the first line that it prints is the password. There is no shell.
    #[schemars(extend("minItems" = 1, "examples" = [["pass", "show", "cvm/root"]]))]
    command: Option<Vec<Text>>,

    /// # Prompt
    /// A person types it when the run begins.
    #[schemars(extend("examples" = [true]))]
    prompt: Option<Yes>,

    /// # Generate
    /// Pitstop makes the password up, and saves it before it is sent.
    generate: Option<Generate>,
}

/// # Generate
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Generate {
    /// # Length
    /// How many characters it has.
    #[schemars(extend("default" = changes::GENERATED, "examples" = [20]))]
    length: Option<Length>,

    /// # Save to
    /// The file that it is saved to, which must not exist yet. Only its owner can read it.
    #[schemars(extend("examples" = ["new-password.txt"]))]
    save_to: Path,
}

/// # Load SSH key
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = either(&["key", "name", "public-key-file"])))]
struct LoadSshKey {
    /// # Key
    /// The key pair's id. Or use `name` or `public-key-file`.
    #[schemars(extend("examples" = ["skey-abc12345"]))]
    key: Option<Key>,

    /// # Name
    /// The key pair's name. Or use `key` or `public-key-file`.
    #[schemars(extend("examples" = ["ops"]))]
    name: Option<Text>,

    /// # Public key file
    /// A file with an RSA public key in OpenSSH form; it is imported if the account does not have it. Or use `key`
    /// or `name`.
    #[schemars(extend("examples" = ["keys/ops.pub"]))]
    public_key_file: Option<Path>,

    /// # Keep existing
    /// Keys that are bound already stay bound. Otherwise they stop working.
    #[schemars(extend("default" = false, "examples" = [true]))]
    keep_existing: Option<Flag>,
}

/// # Check
/// One check.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
struct Check {
    /// # TCP
    /// A port of the instance accepts a connection.
    tcp: Option<Tcp>,
}

/// # TCP
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Tcp {
    /// # Port
    /// The port.
    #[schemars(extend("examples" = [22]))]
    port: Port,

    /// # Timeout
    /// How long after the start it may take. At least 1 s, at most 24 h.
    #[schemars(extend("default" = default(tcp(), "timeout"), "examples" = ["2m"]))]
    timeout: Option<Duration>,

    /// # Host
    /// The address to connect to; the instance's first private address if left out.
    #[schemars(extend("examples" = ["${{ instance.public-ip }}"]))]
    host: Option<Host>,
}

/// A check of which nothing is said but the port.
fn tcp() -> Value {
    default(model::Check::Tcp { host: None, port: 22, timeout: sections::CHECK_TIMEOUT }, "tcp")
}

/// # Rollout
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("dependentRequired" = json!({ "pause": ["canary"] })))]
struct Rollout {
    /// # At once
    /// How many instances may be on their way through stop, change and start at one time: a number, or a share of
    /// all like `20%`.
    #[schemars(extend("default" = default(rollout::Rollout::default(), "at-once"), "examples" = [5, "20%"]))]
    at_once: Option<Share>,

    /// # Canary
    /// How many instances go first: a number, or a share of all like `20%`. The others wait until all of these are
    /// well.
    #[schemars(extend("examples" = [1, "10%"]))]
    canary: Option<Share>,

    /// # Pause
    /// What the others wait for after the canaries were well: a person, nothing, or a time like `10m`.
    #[schemars(extend("default" = rollout::Pause::default(), "examples" = ["person", "none", "10m"]))]
    pause: Option<Pause>,

    /// # Most failures
    /// When more instances than this have failed, no other instance is stopped.
    #[schemars(extend("default" = default(rollout::Rollout::default(), "max-failures"), "examples" = [1]))]
    max_failures: Option<Count>,
}

/// # Pause
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Pause {
    /// One of two words.
    Word(Word<PauseFor>),
    /// So long, whoever approved the run.
    Time(Duration),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum PauseFor {
    /// A person says so. A run that was approved by `--yes` does not wait.
    Person,
    /// Nothing.
    None,
}

/// # Guard
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Guard {
    /// # Load balancers
    /// What is done if a load balancer sends requests to an instance.
    #[schemars(extend("default" = "warn", "examples" = ["warn"]))]
    load_balancer: Option<Word<LoadBalancer>>,

    /// # Auto-scaling groups
    /// What is done if an instance belongs to an auto-scaling group.
    #[schemars(extend("default" = "refuse", "examples" = ["refuse"]))]
    auto_scaling: Option<Word<AutoScaling>>,
}

/// # Load balancers
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum LoadBalancer {
    /// The plan warns of it.
    Warn,
}

/// # Auto-scaling groups
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum AutoScaling {
    /// The instance is refused: its group would destroy or reinstall it when it stops.
    Refuse,
}

/// Exactly one of these keys.
fn either(keys: &[&str]) -> Value {
    keys.iter().map(|key| json!({ "required": [key] })).collect()
}
