//! What a simulated cloud consists of: read from YAML, made up from a seed, or the demo that comes with Pitstop.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::chance::{Chance, Purpose};
use super::fault::Fault;
use super::policy::Policy;
use super::timings::{ResizeBoots, Timings};
use crate::cloud::{
    ChargeType, InstanceId, InstanceType, Isolation, KeyId, OperationState, PowerState, Restriction,
    StoppedCharging,
};

/// The demo fleet's secret id. It is no real credential: the vendor's ids hold no such word.
pub const DEMO_SECRET_ID: &str = "AKIDSIMULATEDPITSTOPDEMO00000000000";
/// The demo fleet's secret key, which signs requests to the simulator and nothing else.
pub const DEMO_SECRET_KEY: &str = "simulatedSecretKeyOfThePitstopDemo";
/// The region of the demo fleet.
pub const DEMO_REGION: &str = "ap-guangzhou";

/// A whole simulated account.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fleet {
    /// The main account's uin.
    #[serde(default = "default_account")]
    pub account: String,
    /// What is left on the account, in yuan.
    #[serde(default = "default_balance")]
    pub balance: f64,
    /// The zones, e.g. `ap-guangzhou-3`; their regions are the regions that exist.
    pub zones: Vec<String>,
    /// Who may call.
    pub credentials: Vec<Credential>,
    /// The instances.
    #[serde(default)]
    pub instances: Vec<InstanceSpec>,
    /// The SSH key pairs.
    #[serde(default)]
    pub keys: Vec<KeySpec>,
    /// The instance types.
    pub catalogue: Vec<Offer>,
    /// Auto-scaling groups.
    #[serde(default)]
    pub scaling_groups: Vec<ScalingGroupSpec>,
    /// Load balancers.
    #[serde(default)]
    pub load_balancers: Vec<LoadBalancerSpec>,
    /// The vendor's repair tasks.
    #[serde(default)]
    pub repairs: Vec<RepairSpec>,
    /// Release timers.
    #[serde(default)]
    pub release_timers: Vec<TimerSpec>,
    /// How long things take.
    #[serde(default)]
    pub timings: Timings,
    /// Calls per second, action and region, where they differ from the vendor's.
    #[serde(default)]
    pub rates: BTreeMap<String, u32>,
    /// Whether a resize powers a stopped instance on; the vendor's pages disagree.
    #[serde(default)]
    pub resize_boots: ResizeBoots,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What other people do meanwhile.
    #[serde(default)]
    pub events: Vec<EventSpec>,
}

/// An access key.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Credential {
    /// The id that requests name.
    pub secret_id: String,
    /// The key that signs them.
    pub secret_key: SecretString,
    /// The token that must come with it; temporary credentials only.
    #[serde(default)]
    pub token: Option<SecretString>,
    /// When it ceases to be accepted, counted from the beginning of the simulation.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub valid_for: Option<Duration>,
    /// Actions that its access policy denies.
    #[serde(default)]
    pub denied: Vec<String>,
    /// Its access policy; without one it may do everything.
    #[serde(default)]
    pub policy: Option<Policy>,
}

/// An instance as it is at the beginning.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InstanceSpec {
    /// Its id: `ins-` and eight letters or digits.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its type, one of the catalogue.
    #[serde(rename = "type")]
    pub instance_type: InstanceType,
    /// Its power state.
    #[serde(default = "running")]
    pub state: PowerState,
    /// A restriction.
    #[serde(default = "unrestricted")]
    pub restriction: Restriction,
    /// An isolation.
    #[serde(default = "not_isolated")]
    pub isolation: Isolation,
    /// What it costs if it is stopped at the beginning.
    #[serde(default = "keep_charging")]
    pub stopped_charging: StoppedCharging,
    /// How it is paid for.
    #[serde(default = "by_the_hour")]
    pub charge_type: ChargeType,
    /// The end of the prepaid time.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The system disk's kind, e.g. `CLOUD_PREMIUM` or `LOCAL_SSD`.
    #[serde(default = "cloud_premium")]
    pub system_disk: String,
    /// The data disks' kinds.
    #[serde(default)]
    pub data_disks: Vec<String>,
    /// The private address.
    pub private_ip: String,
    /// The public addresses.
    #[serde(default)]
    pub public_ips: Vec<String>,
    /// The public addresses are elastic: they stay when charging stops.
    #[serde(default)]
    pub elastic: bool,
    /// The operating system's name.
    #[serde(default = "tencent_os")]
    pub os: String,
    /// The dedicated host it is on.
    #[serde(default)]
    pub host: Option<String>,
    /// The keys bound to it.
    #[serde(default)]
    pub keys: Vec<KeyId>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// An operation that runs, or ran last.
    #[serde(default)]
    pub operation: Option<OperationSpec>,
    /// How often it was made smaller (prepaid instances: five times at most).
    #[serde(default)]
    pub downgrades: u32,
    /// What runs on it.
    #[serde(default)]
    pub guest: Guest,
}

/// An operation at the beginning.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OperationSpec {
    /// Its action.
    pub action: String,
    /// How far it is.
    pub state: OperationState,
    /// When it ends, if it runs.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub ends_after: Option<Duration>,
}

/// What runs on an instance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Guest {
    /// Ports that it accepts connections on once it has booted.
    #[serde(default)]
    pub listens: Vec<u16>,
    /// It ignores every soft stop.
    #[serde(default)]
    pub stubborn: bool,
    /// Types on which it starts, but listens on no port.
    #[serde(default)]
    pub mute_on: Vec<InstanceType>,
    /// Types on which it can't start.
    #[serde(default)]
    pub dead_on: Vec<InstanceType>,
}

/// An SSH key pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeySpec {
    /// Its id.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// The public key in OpenSSH form.
    pub public_key: String,
}

/// An instance type on offer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Offer {
    /// Its name.
    #[serde(rename = "type")]
    pub name: InstanceType,
    /// Virtual cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory: u32,
    /// How much is left, in every zone.
    #[serde(default)]
    pub stock: StockWord,
    /// Yuan per hour.
    pub price: f64,
    /// Zones in which it is not sold at all.
    #[serde(default)]
    pub not_in: Vec<String>,
}

/// How much of a type is left (CVM API, `StatusCategory`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StockWord {
    /// Plenty.
    #[default]
    Enough,
    /// Some.
    Normal,
    /// Little.
    Low,
    /// None.
    None,
}

/// An auto-scaling group.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScalingGroupSpec {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<InstanceId>,
}

/// A load balancer with one listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoadBalancerSpec {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The listener's id.
    pub listener: String,
    /// The listener's port.
    pub port: u16,
    /// The port on the instances.
    pub target_port: u16,
    /// It notices by itself that an instance is down.
    pub health_check: bool,
    /// The instances behind it.
    pub targets: Vec<InstanceId>,
}

/// A repair task of the vendor's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RepairSpec {
    /// Its id.
    pub id: String,
    /// The instance.
    pub instance: InstanceId,
    /// 1 waits for authorisation, 2 runs, 3 ended, 4 is scheduled, 5 cancelled, 6 avoided.
    pub status: u8,
    /// What it is.
    pub detail: String,
}

/// A release timer: the instance will be destroyed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TimerSpec {
    /// The instance.
    pub instance: InstanceId,
    /// When, counted from the beginning of the simulation.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub after: Duration,
}

/// Something that somebody else does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EventSpec {
    /// When, counted from the beginning of the simulation.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub after: Duration,
    /// To which instance.
    pub instance: InstanceId,
    /// What.
    #[serde(rename = "do", with = "serde_yaml::with::singleton_map")]
    pub act: ForeignAct,
}

/// What somebody else can do.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignAct {
    /// StartInstances.
    Start,
    /// StopInstances.
    Stop,
    /// RebootInstances.
    Reboot,
    /// ResetInstancesType.
    Resize(InstanceType),
    /// AssociateInstancesKeyPairs.
    LoadKeys(Vec<KeyId>),
    /// It is destroyed and gone.
    Vanish,
    /// The vendor restricts it.
    Restrict,
    /// The type is sold out from here on, in every zone.
    SellOut(InstanceType),
}

fn default_account() -> String {
    "100000000001".to_owned()
}
fn default_balance() -> f64 {
    100_000.0
}
fn running() -> PowerState {
    PowerState::Running
}
fn unrestricted() -> Restriction {
    Restriction::Normal
}
fn not_isolated() -> Isolation {
    Isolation::NotIsolated
}
fn keep_charging() -> StoppedCharging {
    StoppedCharging::KeepCharging
}
fn by_the_hour() -> ChargeType {
    ChargeType::PostpaidByHour
}
fn cloud_premium() -> String {
    "CLOUD_PREMIUM".to_owned()
}
fn tencent_os() -> String {
    "TencentOS Server 3.2 (Final)".to_owned()
}

/// Why there is no fleet, or no fault script.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The file can't be read.
    #[error("can't read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a fleet.
    #[error("{origin} does not describe {what}")]
    Parse {
        /// A fleet or a fault script.
        what: &'static str,
        /// Where the text came from.
        origin: String,
        /// Why.
        source: serde_yaml::Error,
    },
    /// The parts don't fit together.
    #[error("{origin} is not a fleet: {problem}")]
    Inconsistent {
        /// Where the text came from.
        origin: String,
        /// What doesn't fit.
        problem: String,
    },
}

impl Fleet {
    /// The fleet that comes with Pitstop.
    pub fn demo() -> Self {
        static DEMO: LazyLock<Fleet> = LazyLock::new(|| {
            Fleet::parse(include_str!("demo.yaml"), "the demo fleet").expect("a test reads the demo fleet")
        });
        DEMO.clone()
    }

    /// Reads a fleet from a YAML file.
    pub fn read(path: &Path) -> Result<Self, FleetError> {
        Self::parse(&read(path)?, &path.display().to_string())
    }

    /// Reads a fleet from YAML text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, FleetError> {
        let fleet: Self = parsed(text, origin, "a fleet")?;
        fleet.check().map_err(|problem| FleetError::Inconsistent { origin: origin.to_owned(), problem })?;
        Ok(fleet)
    }

    /// A fleet of `count` plain instances, all alike for the same seed. Everything but the instances is the demo's.
    pub fn generated(seed: u64, count: usize) -> Self {
        let mut fleet = Self::demo();
        fleet.scaling_groups.clear();
        fleet.load_balancers.clear();
        fleet.repairs.clear();
        fleet.release_timers.clear();
        let chance = Chance::new(seed);
        let sizes: Vec<_> =
            fleet.catalogue.iter().filter(|offer| offer.stock != StockWord::None).cloned().collect();
        fleet.instances = (0..count)
            .map(|number| {
                let mut stream = chance.stream(Purpose::Fleet, &[number as u64]);
                let size = &sizes[stream.random_range(0..sizes.len())];
                let zone = &fleet.zones[stream.random_range(0..fleet.zones.len())];
                made_up(number, zone, &size.name, stream.random_bool(0.9))
            })
            .collect();
        fleet
    }

    /// The regions that the zones lie in.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.zones.iter().filter_map(|zone| region_of(zone))
    }

    fn check(&self) -> Result<(), String> {
        if self.zones.is_empty() {
            return Err("it has no zones".to_owned());
        }
        let mut seen = std::collections::BTreeSet::new();
        for instance in &self.instances {
            let id = &instance.id;
            if !is_id(id.as_str(), "ins-") {
                return Err(format!("{id} is not an instance id: `ins-` and eight letters or digits"));
            }
            if !seen.insert(id) {
                return Err(format!("{id} is there twice"));
            }
            if !self.zones.contains(&instance.zone) {
                return Err(format!("{id} is in {}, which is not among the zones", instance.zone));
            }
            if !self.catalogue.iter().any(|offer| offer.name == instance.instance_type) {
                return Err(format!("{id} has the type {}, which is not listed", instance.instance_type));
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, FleetError> {
    std::fs::read_to_string(path).map_err(|source| FleetError::Read { path: path.to_owned(), source })
}

fn parsed<T: DeserializeOwned>(text: &str, origin: &str, what: &'static str) -> Result<T, FleetError> {
    serde_yaml::from_str(text).map_err(|source| FleetError::Parse { what, origin: origin.to_owned(), source })
}

impl Fault {
    /// Reads a fault script, a list of faults, from a YAML file.
    pub fn read_script(path: &Path) -> Result<Vec<Self>, FleetError> {
        Self::parse_script(&read(path)?, &path.display().to_string())
    }

    /// Reads a fault script from YAML text; `origin` names it in errors.
    pub fn parse_script(text: &str, origin: &str) -> Result<Vec<Self>, FleetError> {
        parsed(text, origin, "a fault script")
    }
}

fn made_up(number: usize, zone: &str, size: &InstanceType, runs: bool) -> InstanceSpec {
    let [_, high, middle, low] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    InstanceSpec {
        id: InstanceId::new(format!("ins-{number:08}")),
        name: format!("made-up-{number}"),
        zone: zone.to_owned(),
        instance_type: size.clone(),
        state: if runs { PowerState::Running } else { PowerState::Stopped },
        restriction: unrestricted(),
        isolation: not_isolated(),
        stopped_charging: keep_charging(),
        charge_type: by_the_hour(),
        expires: None,
        system_disk: cloud_premium(),
        data_disks: Vec::new(),
        private_ip: format!("127.{}.{middle}.{low}", 64 + (high & 63)),
        public_ips: Vec::new(),
        elastic: false,
        os: tencent_os(),
        host: None,
        keys: Vec::new(),
        tags: BTreeMap::from([("fleet".to_owned(), "made-up".to_owned())]),
        operation: None,
        downgrades: 0,
        guest: Guest { listens: vec![10_022], ..Guest::default() },
    }
}

/// The region that a zone lies in: `ap-guangzhou` of `ap-guangzhou-3`.
pub(crate) fn region_of(zone: &str) -> Option<&str> {
    zone.rsplit_once('-').map(|(region, _)| region)
}

/// Whether `text` is `prefix` and eight lower-case letters or digits.
pub(crate) fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    })
}
