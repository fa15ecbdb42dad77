//! One simulated instance: what is true of it, what the API shows of it, and the operation that runs on it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::fleet::InstanceSpec;
use super::log::{Actor, Effect};
use super::rules::Mutation;
use crate::cloud::{InstanceType, KeyId, OperationState, PowerState, Restriction, StoppedCharging};

/// How long the past stays readable, for stale reads.
const MEMORY: Duration = Duration::from_mins(1);

/// The public address that an instance gets after it has lost its own (a documentation address).
const OTHER_ADDRESS: &str = "203.0.113.250";

/// A type with what it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) name: InstanceType,
    pub(crate) cpu: u32,
    pub(crate) memory: u32,
}

/// The `LatestOperation…` fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LatestOperation {
    pub(crate) action: String,
    pub(crate) request: String,
    pub(crate) state: OperationState,
    pub(crate) message: String,
}

/// All of an instance that can change.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    pub(crate) power: PowerState,
    pub(crate) restriction: Restriction,
    pub(crate) size: Size,
    pub(crate) keys: Vec<KeyId>,
    pub(crate) stopped_charging: StoppedCharging,
    pub(crate) public_ips: Vec<String>,
    pub(crate) operation: Option<LatestOperation>,
    pub(crate) gone: bool,
}

/// A step of an operation.
#[derive(Clone)]
pub(crate) enum Step {
    Power(PowerState),
    Charging(StoppedCharging),
    Resize(Size),
    Keys(Vec<KeyId>),
    Password { user: String, password: SecretString },
    End(Result<(), String>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Power(power) => write!(f, "Power({power})"),
            Self::Charging(charging) => write!(f, "Charging({charging})"),
            Self::Resize(size) => write!(f, "Resize({})", size.name),
            Self::Keys(keys) => write!(f, "Keys({keys:?})"),
            Self::Password { user, .. } => write!(f, "Password({user})"),
            Self::End(outcome) => write!(f, "End({outcome:?})"),
        }
    }
}

/// An operation in progress.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) action: Cow<'static, str>,
    pub(crate) request: String,
    pub(crate) by: Actor,
    /// What is still to come, in order.
    pub(crate) steps: VecDeque<(Timestamp, Step)>,
    /// Nothing of it shows before.
    pub(crate) visible: Timestamp,
}

/// A simulated instance.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) spec: Arc<InstanceSpec>,
    /// The fields that never change, as JSON without the braces.
    pub(crate) lasting: Arc<str>,
    /// What is true.
    pub(crate) face: Arc<Face>,
    /// What the API shows, and from when on; times may lie ahead.
    shown: VecDeque<(Timestamp, Arc<Face>)>,
    pub(crate) job: Option<Job>,
    /// How many operations have begun on it, by [`Mutation`].
    begun: [u64; Mutation::ALL.len()],
    /// When the guest's ports open, while it runs.
    pub(crate) ready: Option<Timestamp>,
    pub(crate) downgrades: u32,
    pub(crate) password: Option<(String, SecretString)>,
}

impl Machine {
    pub(crate) fn new(spec: InstanceSpec, size: Size, at: Timestamp, request: String) -> Self {
        let face = Arc::new(Face {
            power: spec.state.clone(),
            restriction: spec.restriction.clone(),
            size,
            keys: spec.keys.clone(),
            stopped_charging: if spec.state == PowerState::Stopped {
                spec.stopped_charging.clone()
            } else {
                StoppedCharging::NotApplicable
            },
            public_ips: spec.public_ips.clone(),
            operation: spec.operation.as_ref().map(|operation| LatestOperation {
                action: operation.action.clone(),
                request,
                state: operation.state.clone(),
                message: String::new(),
            }),
            gone: false,
        });
        Self {
            ready: (spec.state == PowerState::Running).then_some(at),
            downgrades: spec.downgrades,
            shown: VecDeque::from([(at, Arc::clone(&face))]),
            lasting: super::instances::lasting(&spec, at).into(),
            spec: Arc::new(spec),
            face,
            job: None,
            begun: [0; Mutation::ALL.len()],
            password: None,
        }
    }

    /// What the API shows of it at a time; `None`: nothing, since it is gone.
    pub(crate) fn shown(&self, at: Timestamp) -> Option<&Face> {
        let known = self.shown.iter().rev().find(|(from, _)| *from <= at).or_else(|| self.shown.front());
        known.map(|(_, face)| &**face).filter(|face| !face.gone)
    }

    /// When something is to happen to it next.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.job.as_ref().and_then(|job| job.steps.front()).map(|(when, _)| *when)
    }

    /// The action of the operation that holds it.
    pub(crate) fn busy_with(&self) -> Option<&str> {
        self.face
            .operation
            .as_ref()
            .filter(|operation| operation.state == OperationState::Operating)
            .map(|operation| operation.action.as_str())
    }

    /// How many operations of this kind have begun on it.
    pub(crate) fn count(&self, mutation: Mutation) -> u64 {
        self.begun[mutation as usize]
    }

    /// How many operations have begun on it.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.iter().sum()
    }

    /// One more of this kind begins.
    pub(crate) fn count_up(&mut self, mutation: Mutation) {
        self.begun[mutation as usize] += 1;
    }

    /// Whether the guest accepts connections on a port.
    pub(crate) fn listens(&self, at: Timestamp, port: u16) -> bool {
        let guest = &self.spec.guest;
        !self.face.gone
            && self.face.power == PowerState::Running
            && self.ready.is_some_and(|ready| ready <= at)
            && guest.listens.contains(&port)
            && !guest.mute_on.contains(&self.face.size.name)
    }

    /// Changes what is true, and shows it as soon as the running operation may be seen.
    pub(crate) fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Face)) {
        change(Arc::make_mut(&mut self.face));
        self.show(at);
    }

    fn show(&mut self, at: Timestamp) {
        let visible = self.job.as_ref().map_or(at, |job| job.visible.max(at));
        let last = self.shown.back().map_or(visible, |(last, _)| *last);
        self.shown.push_back((visible.max(last), Arc::clone(&self.face)));
        while self.shown.get(1).is_some_and(|(next, _)| *next + MEMORY <= at) {
            self.shown.pop_front();
        }
    }

    /// Begins an operation. Steps that are due at once are taken by [`Machine::step`].
    pub(crate) fn begin(&mut self, at: Timestamp, job: Job) {
        let operation = LatestOperation {
            action: job.action.to_string(),
            request: job.request.clone(),
            state: OperationState::Operating,
            message: String::new(),
        };
        self.job = Some(job);
        self.change(at, |face| face.operation = Some(operation));
    }

    /// Takes the next step, if it is due by `now`; returns what it did.
    pub(crate) fn step(&mut self, now: Timestamp) -> Option<Done> {
        let job = self.job.as_mut()?;
        let (at, step) = job.steps.pop_front_if(|(when, _)| *when <= now)?;
        let (request, by, action) = (job.request.clone(), job.by, job.action.clone());
        let effect = match step {
            Step::Power(to) => self.power(at, to),
            Step::Charging(to) => {
                let keeps_address = self.spec.elastic || to != StoppedCharging::StopCharging;
                self.change(at, |face| {
                    face.stopped_charging = to.clone();
                    if !keeps_address {
                        face.public_ips.clear();
                    }
                });
                Effect::Charging { to }
            }
            Step::Resize(size) => {
                let from = self.face.size.name.clone();
                let to = size.name.clone();
                self.change(at, |face| face.size = size);
                Effect::Resized { from, to }
            }
            Step::Keys(keys) => {
                let from = self.face.keys.clone();
                self.change(at, |face| face.keys.clone_from(&keys));
                Effect::Keys { from, to: keys }
            }
            Step::Password { user, password } => {
                self.password = Some((user.clone(), password));
                Effect::Password { user }
            }
            Step::End(outcome) => {
                let (state, message) = match &outcome {
                    Ok(()) => (OperationState::Success, String::new()),
                    Err(message) => (OperationState::Failed, message.clone()),
                };
                self.change(at, |face| {
                    if let Some(operation) = &mut face.operation {
                        operation.state = state;
                        operation.message = message;
                    }
                });
                self.job = None;
                Effect::Ended { action: action.into_owned(), failed: outcome.err() }
            }
        };
        Some(Done { at, request, by, effect })
    }

    fn power(&mut self, at: Timestamp, to: PowerState) -> Effect {
        let from = self.face.power.clone();
        let lost_address = self.face.public_ips.is_empty() && !self.spec.public_ips.is_empty();
        self.ready = None;
        self.change(at, |face| {
            face.power = to.clone();
            face.stopped_charging = if to == PowerState::Stopped {
                StoppedCharging::KeepCharging
            } else {
                StoppedCharging::NotApplicable
            };
            if lost_address && face.power == PowerState::Running {
                face.public_ips.push(OTHER_ADDRESS.to_owned());
            }
        });
        Effect::Power { from, to }
    }
}

/// A step that was taken.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) at: Timestamp,
    pub(crate) request: String,
    pub(crate) by: Actor,
    pub(crate) effect: Effect,
}
