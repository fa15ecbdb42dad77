//! What runs cost, out of the simulated world's own log.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use pitstop::clock::between;
use pitstop::cloud::PowerState;
use pitstop::sim::{Effect, Happening, LogEntry};

use super::made;

/// How many resizes the vendor takes in a second (CVM API, ResetInstancesType).
const RESIZES_PER_SECOND: usize = 10;

/// What one or more runs of the same fleet cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// How many instances there are in one run.
    pub(crate) size: usize,
    /// How many runs were made.
    pub(crate) runs: usize,
    /// By instance: for how long it was down and no operation ran on it.
    pub(crate) added: Vec<Duration>,
    /// The same by the operation that it waited for.
    pub(crate) waited: BTreeMap<String, Vec<Duration>>,
    /// By instance: for how long it was down at all.
    pub(crate) down: Vec<Duration>,
    /// All calls by action, the plan's included.
    pub(crate) calls: BTreeMap<String, usize>,
    /// How many calls were made before the first stop.
    pub(crate) before: usize,
    /// How many instances were read, by all DescribeInstances calls that name theirs.
    pub(crate) looks: usize,
    /// The same by the operation that was the instance's last.
    pub(crate) looks_after: BTreeMap<String, usize>,
    /// How many records the journal has; only known of runs in virtual time.
    pub(crate) records: usize,
    /// Calls refused for their number.
    pub(crate) throttled: usize,
    /// Other calls refused.
    pub(crate) refused: usize,
    /// Instances whose last power state is not RUNNING.
    pub(crate) left_down: usize,
    /// How long it took in all runs from the first call to the first stop, in the world's time.
    pub(crate) planning: Duration,
    /// How long it took in all runs from the first stop to the last end.
    pub(crate) wall: Duration,
    /// What they cost the machine that they were made on; not known of runs in virtual time.
    pub(crate) machine: Option<Machine>,
}

/// What runs cost the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    /// Processor time of the client, its children included.
    pub(crate) processor: Duration,
    /// The most memory that the client held, its children included, in KiB.
    pub(crate) memory: u64,
    /// Processor time of the simulated cloud.
    pub(crate) simulator: Duration,
    /// How long `pitstop show` takes afterwards.
    pub(crate) show: Option<Duration>,
}

impl Machine {
    fn and(self, other: Self) -> Self {
        Self {
            processor: self.processor + other.processor,
            memory: self.memory.max(other.memory),
            simulator: self.simulator + other.simulator,
            show: self.show.max(other.show),
        }
    }
}

/// One instance as the log tells of it.
struct Course {
    running: bool,
    operating: bool,
    since: Timestamp,
    added: Duration,
    /// As much of it as was added since the last operation began.
    waited: Duration,
    down: Duration,
    /// The operation that began last.
    last: String,
}

impl Course {
    fn until(&mut self, at: Timestamp) {
        let time = between(self.since, at);
        if !self.running {
            self.down += time;
            if !self.operating {
                self.added += time;
                self.waited += time;
            }
        }
        self.since = self.since.max(at);
    }
}

impl Figures {
    /// One run.
    pub(crate) fn of(size: usize, log: &[LogEntry]) -> Self {
        let calls = log.iter().filter_map(|entry| match &entry.what {
            Happening::Call { action, .. } => Some(action.as_str()),
            _ => None,
        });
        let before = calls.take_while(|action| *action != "StopInstances").count();
        let mut figures = Self { size, runs: 1, before, ..Self::default() };
        let stops = |entry: &&LogEntry| matches!(&entry.what, Happening::Call { action, .. } if action == "StopInstances");
        let moments = (log.first(), log.iter().find(stops), log.iter().map(|entry| entry.at).max());
        if let (Some(first), Some(stop), Some(last)) = moments {
            figures.planning = between(first.at, stop.at);
            figures.wall = between(stop.at, last);
        }
        let mut courses = HashMap::new();
        for entry in log {
            figures.take(entry, &mut courses);
        }
        figures.left_down = courses.values().filter(|course| !course.running).count();
        let courses = courses.into_values();
        (figures.added, figures.down) = courses.map(|course| (course.added, course.down)).unzip();
        figures
    }

    fn take<'a>(&mut self, entry: &'a LogEntry, courses: &mut HashMap<&'a str, Course>) {
        let fresh = Course {
            running: true,
            operating: false,
            since: entry.at,
            added: Duration::ZERO,
            waited: Duration::ZERO,
            down: Duration::ZERO,
            last: String::new(),
        };
        match &entry.what {
            Happening::Call { action, ids, refused, .. } => {
                if action == "DescribeInstances" {
                    self.looks += ids.len();
                    for course in ids.iter().filter_map(|id| courses.get(id.as_str())) {
                        *self.looks_after.entry(course.last.clone()).or_default() += 1;
                    }
                }
                *self.calls.entry(action.clone()).or_default() += 1;
                match refused.as_deref() {
                    Some("RequestLimitExceeded") => self.throttled += 1,
                    Some(_) => self.refused += 1,
                    None => {}
                }
            }
            Happening::Began { id, action, .. } => {
                let course = courses.entry(id.as_str()).or_insert(fresh);
                course.until(entry.at);
                course.operating = true;
                course.last.clone_from(action);
                let waited = std::mem::take(&mut course.waited);
                if !course.running {
                    self.waited.entry(action.clone()).or_default().push(waited);
                }
            }
            Happening::Changed { id, effect, .. } => {
                let course = courses.entry(id.as_str()).or_insert(fresh);
                course.until(entry.at);
                match effect {
                    Effect::Power { to, .. } => course.running = *to == PowerState::Running,
                    Effect::Ended { .. } => course.operating = false,
                    _ => {}
                }
            }
            Happening::KeyImported { .. } => {}
        }
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.added.extend(other.added);
        for (action, waited) in other.waited {
            self.waited.entry(action).or_default().extend(waited);
        }
        self.down.extend(other.down);
        for (action, calls) in other.calls {
            *self.calls.entry(action).or_default() += calls;
        }
        for (action, looks) in other.looks_after {
            *self.looks_after.entry(action).or_default() += looks;
        }
        self.before += other.before;
        self.looks += other.looks;
        self.records += other.records;
        self.throttled += other.throttled;
        self.refused += other.refused;
        self.left_down += other.left_down;
        self.planning += other.planning;
        self.wall += other.wall;
        self.machine = self.machine.zip(other.machine).map(|(one, other)| one.and(other));
        self
    }

    /// The least time in which such a run can be made, in seconds: the last resize has its turn only after the others.
    pub(crate) fn limit(&self) -> f64 {
        let turns = u32::try_from(self.size.saturating_sub(1) / RESIZES_PER_SECOND).unwrap_or(u32::MAX);
        f64::from(turns) + made::OPERATIONS
    }
}
