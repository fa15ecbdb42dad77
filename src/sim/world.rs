//! The simulated account: instances, keys, stock and money, brought forward to whatever time a call comes at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::call::Refused;
use super::chance::{Chance, Purpose};
use super::fault::{Fault, Script, Strike};
use super::fleet::{Credential, EventSpec, Fleet, ForeignAct, InstanceSpec, KeySpec, Offer, StockWord};
use super::instances::Listing;
use super::log::{Actor, Effect, Happening, LogEntry};
use super::machine::{Face, Job, Machine, Size, Step};
use super::operate::Order;
use super::policy::Policy;
use super::rules::{Condition, Mutation};
use super::timings::Spread;
use crate::cloud::{
    InstanceId, InstanceType, KeyId, OperationState, PowerState, Restriction, StoppedCharging,
};

/// A simulated account. It reads no clock: every call says what time it is, and the world catches up.
///
/// Cloning it is cheap enough to try what would happen.
#[derive(Clone)]
pub struct World {
    pub(super) fleet: Arc<Fleet>,
    pub(super) chance: Chance,
    pub(super) began: Timestamp,
    pub(super) now: Timestamp,
    pub(super) machines: Vec<Machine>,
    by_id: Arc<HashMap<String, usize>>,
    by_address: Arc<HashMap<String, usize>>,
    pub(super) keys: Vec<KeySpec>,
    pub(super) stock: BTreeMap<InstanceType, StockWord>,
    pub(super) balance: f64,
    pub(super) access: Vec<Access>,
    speed: f64,
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Machines whose ports may have opened or closed since they were asked for.
    stirred: BTreeSet<usize>,
    /// Some machine has vanished.
    pub(super) vanished: bool,
    /// The list that was asked for last: its next page will be wanted next.
    pub(super) listing: Option<Listing>,
    /// How many addresses DescribeLBListeners takes.
    pub(super) backends: usize,
    events: VecDeque<(Timestamp, EventSpec)>,
    pub(super) script: Script,
    pub(super) calls: BTreeMap<String, u64>,
    pub(super) total: u64,
    requests: u64,
    /// The calls of the present second, by region and action.
    windows: BTreeMap<(String, String), (i64, u32)>,
    log: Vec<LogEntry>,
    logging: bool,
}

/// A credential in use.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) secret_id: String,
    pub(super) secret_key: SecretString,
    pub(super) token: Option<SecretString>,
    pub(super) until: Option<Timestamp>,
    pub(super) denied: Vec<String>,
    pub(super) policy: Option<Policy>,
}

impl World {
    /// A world that begins at `began`. The same fleet, seed, calls and times give the same answers.
    pub fn new(mut fleet: Fleet, seed: u64, began: Timestamp) -> Self {
        let chance = Chance::new(seed);
        let mut instances = std::mem::take(&mut fleet.instances);
        instances.sort_by(|one, other| one.id.cmp(&other.id));
        let by_id = instances.iter().enumerate().map(|(n, spec)| (spec.id.to_string(), n)).collect();
        let by_address = instances.iter().enumerate().map(|(n, spec)| (spec.private_ip.clone(), n)).collect();
        let mut events: Vec<_> =
            fleet.events.iter().map(|event| (began + event.after, event.clone())).collect();
        events.sort_by_key(|(when, _)| *when);
        let mut world = Self {
            chance,
            began,
            now: began,
            machines: Vec::with_capacity(instances.len()),
            by_id: Arc::new(by_id),
            by_address: Arc::new(by_address),
            keys: fleet.keys.clone(),
            stock: fleet.catalogue.iter().map(|offer| (offer.name.clone(), offer.stock)).collect(),
            balance: fleet.balance,
            access: fleet.credentials.iter().map(|credential| access(credential, began)).collect(),
            speed: 1.0,
            queue: BinaryHeap::new(),
            stirred: BTreeSet::new(),
            vanished: false,
            listing: None,
            backends: usize::MAX,
            events: events.into(),
            script: Script::new(fleet.faults.clone()),
            calls: BTreeMap::new(),
            total: 0,
            requests: 0,
            windows: BTreeMap::new(),
            log: Vec::new(),
            logging: true,
            fleet: Arc::new(fleet),
        };
        for spec in instances {
            world.add(spec);
        }
        world
    }

    /// The same world, with all durations but the calls' own divided by `speed`.
    /// Rate limits stay as they are: they count calls per second of the clock.
    #[must_use]
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// The same world with this fault script instead of the fleet's.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.script = Script::new(faults);
        self
    }

    /// The same world, in which DescribeLBListeners takes so many addresses a call; the vendor names no ceiling.
    #[must_use]
    pub fn backends(mut self, most: usize) -> Self {
        self.backends = most;
        self
    }

    /// The same world without a log, for servers that run for long.
    #[must_use]
    pub fn without_log(mut self) -> Self {
        self.logging = false;
        self
    }

    /// All that happened so far.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Brings the world forward to `to`. Time never goes back; an earlier time changes nothing.
    pub fn advance(&mut self, to: Timestamp) {
        loop {
            let step = self.queue.peek().map(|Reverse((when, _))| *when);
            let event = self.events.front().map(|(when, _)| *when);
            let next = step.into_iter().chain(event).min();
            let Some(next) = next.filter(|next| *next <= to) else { break };
            self.now = self.now.max(next);
            if event == Some(next) {
                if let Some((when, event)) = self.events.pop_front() {
                    self.act(when, &event);
                }
            } else if let Some(Reverse((when, index))) = self.queue.pop() {
                self.step(index, when);
            }
        }
        self.now = self.now.max(to);
    }

    /// When something changes next without a call; `None`: never.
    pub fn next_change(&self) -> Option<Timestamp> {
        let step = self.queue.peek().map(|Reverse((when, _))| *when);
        step.into_iter().chain(self.events.front().map(|(when, _)| *when)).min()
    }

    /// The power state as it truly is; `None`: there is no such instance (any more).
    pub fn power_of(&self, id: &InstanceId) -> Option<&PowerState> {
        self.truth(id).map(|face| &face.power)
    }

    /// The type as it truly is.
    pub fn type_of(&self, id: &InstanceId) -> Option<&InstanceType> {
        self.truth(id).map(|face| &face.size.name)
    }

    /// The keys as they truly are.
    pub fn keys_of(&self, id: &InstanceId) -> Option<&[KeyId]> {
        self.truth(id).map(|face| face.keys.as_slice())
    }

    /// The user and password that were set last, by a call.
    pub fn password_of(&self, id: &InstanceId) -> Option<(&str, &SecretString)> {
        let machine = self.machines.get(*self.by_id.get(id.as_str())?)?;
        machine.password.as_ref().map(|(user, password)| (user.as_str(), password))
    }

    /// Whether an operation runs on the instance.
    pub fn is_operating(&self, id: &InstanceId) -> bool {
        self.find(id.as_str()).is_some_and(|index| self.machines[index].busy_with().is_some())
    }

    /// All instances that are there.
    pub fn instance_ids(&self) -> impl Iterator<Item = &InstanceId> {
        self.machines.iter().filter(|machine| !machine.face.gone).map(|machine| &machine.spec.id)
    }

    /// Whether the guest at this private address accepts a connection on the port at this time.
    pub fn accepts(&mut self, at: Timestamp, host: &str, port: u16) -> bool {
        self.advance(at);
        self.by_address.get(host).is_some_and(|index| self.machines[*index].listens(at, port))
    }

    /// The guests whose ports may have opened or closed since this was last asked: each one's private address, and its
    /// ports that accept connections at this time.
    pub fn stirred(&mut self, at: Timestamp) -> Vec<(String, Vec<u16>)> {
        self.advance(at);
        let stirred = std::mem::take(&mut self.stirred);
        let mut found = Vec::with_capacity(stirred.len());
        for index in stirred {
            let machine = &self.machines[index];
            let ports = machine.spec.guest.listens.iter().copied();
            let open = ports.filter(|port| machine.listens(at, *port)).collect();
            found.push((machine.spec.private_ip.clone(), open));
            if machine.ready.is_some_and(|ready| ready > at) {
                self.stirred.insert(index);
            }
        }
        found
    }

    fn truth(&self, id: &InstanceId) -> Option<&Face> {
        self.find(id.as_str()).map(|index| &*self.machines[index].face)
    }

    /// The machine's place; `None` if it is not there (any more).
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied().filter(|index| !self.machines[*index].face.gone)
    }

    /// The machine's place by its id, also when it is gone.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The machine's place by its private address.
    pub(super) fn at_address(&self, address: &str) -> Option<usize> {
        self.by_address.get(address).copied().filter(|index| !self.machines[*index].face.gone)
    }

    pub(super) fn offer(&self, name: &InstanceType) -> Option<&Offer> {
        self.fleet.catalogue.iter().find(|offer| offer.name == *name)
    }

    /// Whether a zone lies in this region.
    pub(super) fn has_region(&self, region: &str) -> bool {
        self.fleet.regions().any(|known| known == region)
    }

    /// The credential with this id.
    pub(super) fn access(&self, secret_id: &str) -> Option<&Access> {
        self.access.iter().find(|access| access.secret_id == secret_id)
    }

    /// How long something takes here, of which `which` tells the occasions apart.
    pub(super) fn draw(&self, purpose: Purpose, which: &[u64], spread: Spread) -> Duration {
        self.chance.duration(purpose, which, spread).div_f64(self.speed)
    }

    /// How long the next call is under way. It does not shrink with the speed.
    pub(super) fn latency(&self) -> Duration {
        self.chance.duration(Purpose::Latency, &[self.total], self.fleet.timings.latency)
    }

    /// A fresh request id.
    pub(super) fn new_request(&mut self) -> String {
        self.requests += 1;
        self.chance.request_id(self.requests)
    }

    /// Counts a call against its rate limit, of which each region has its own.
    pub(super) fn admit(&mut self, region: &str, action: &str, at: Timestamp) -> Result<(), Refused> {
        let limit = self.fleet.rates.get(action).copied().unwrap_or_else(|| rate(action));
        let second = at.as_second();
        let window = self.windows.entry((region.to_owned(), action.to_owned())).or_insert((second, 0));
        if window.0 != second {
            *window = (second, 0);
        }
        window.1 += 1;
        if window.1 > limit {
            return Err(over_limit(window.1, limit));
        }
        Ok(())
    }

    pub(super) fn note(&mut self, at: Timestamp, what: Happening) {
        if self.logging {
            self.log.push(LogEntry { at, what });
        }
    }

    /// Begins an operation on a machine that may take it.
    pub(super) fn launch(&mut self, index: usize, at: Timestamp, job: Job) {
        let began = Happening::Began {
            id: self.machines[index].spec.id.clone(),
            action: job.action.to_string(),
            request: job.request.clone(),
            by: job.by,
        };
        self.note(at, began);
        self.machines[index].begin(at, job);
        self.step(index, at);
    }

    /// Removes an instance from the face of the world.
    pub(super) fn vanish(&mut self, index: usize, at: Timestamp) {
        let request = self.new_request();
        let machine = &mut self.machines[index];
        machine.job = None;
        machine.ready = None;
        machine.change(at, |face| face.gone = true);
        let id = machine.spec.id.clone();
        self.stir(index);
        self.vanished = true;
        self.note(at, Happening::Changed { id, request, by: Actor::Somebody, effect: Effect::Vanished });
    }

    fn stir(&mut self, index: usize) {
        if !self.machines[index].spec.guest.listens.is_empty() {
            self.stirred.insert(index);
        }
    }

    /// Takes all steps of a machine that are due by `now`, and queues the next.
    fn step(&mut self, index: usize, now: Timestamp) {
        while let Some(done) = self.machines[index].step(now) {
            if let Effect::Power { to: PowerState::Running, .. } = &done.effect {
                let begun = self.machines[index].begun();
                let boot = self.draw(Purpose::Boot, &[index as u64, begun], self.fleet.timings.boot);
                self.machines[index].ready = Some(done.at + boot);
            }
            self.stir(index);
            let id = self.machines[index].spec.id.clone();
            self.note(
                done.at,
                Happening::Changed { id, request: done.request, by: done.by, effect: done.effect },
            );
        }
        if let Some(due) = self.machines[index].due() {
            self.queue.push(Reverse((due, index)));
        }
    }

    fn add(&mut self, spec: InstanceSpec) {
        let size = self.offer(&spec.instance_type).map_or_else(
            || Size { name: spec.instance_type.clone(), cpu: 1, memory: 1 },
            |offer| Size { name: offer.name.clone(), cpu: offer.cpu, memory: offer.memory },
        );
        let request = self.new_request();
        let index = self.machines.len();
        let running = spec.operation.clone().filter(|operation| operation.state == OperationState::Operating);
        let mut machine = Machine::new(spec, size, self.began, request.clone());
        if let Some((action, ends_after)) = running.and_then(|it| it.ends_after.map(|end| (it.action, end))) {
            let end = self.began + ends_after;
            machine.job = Some(Job {
                action: action.into(),
                request,
                by: Actor::Somebody,
                steps: VecDeque::from([(end, Step::End(Ok(())))]),
                visible: self.began,
            });
            self.queue.push(Reverse((end, index)));
        }
        self.machines.push(machine);
        self.stir(index);
    }

    /// Somebody else does something; what the vendor would refuse them does not happen.
    fn act(&mut self, at: Timestamp, event: &EventSpec) {
        if let ForeignAct::SellOut(name) = &event.act {
            self.stock.insert(name.clone(), StockWord::None);
            return;
        }
        let Some(index) = self.find(event.instance.as_str()) else { return };
        let order = match &event.act {
            ForeignAct::Start => Order::Start,
            ForeignAct::Stop => Order::soft_stop(),
            ForeignAct::Reboot => Order::Reboot,
            ForeignAct::Resize(name) => {
                let Some(offer) = self.offer(name) else { return };
                Order::Resize(Size { name: name.clone(), cpu: offer.cpu, memory: offer.memory })
            }
            ForeignAct::LoadKeys(keys) => Order::Associate(keys.clone()),
            ForeignAct::Vanish => return self.vanish(index, at),
            ForeignAct::Restrict => return self.restrict(index, at),
            ForeignAct::SellOut(_) => return,
        };
        if self.refusal(index, order.mutation(), false).is_none() {
            let request = self.new_request();
            self.operate(index, at, &request, Actor::Somebody, order, &[]);
        }
    }

    fn restrict(&mut self, index: usize, at: Timestamp) {
        let request = self.new_request();
        let machine = &mut self.machines[index];
        machine.change(at, |face| face.restriction = Restriction::ProtectivelyIsolated);
        let id = machine.spec.id.clone();
        self.note(at, Happening::Changed { id, request, by: Actor::Somebody, effect: Effect::Restricted });
    }

    /// The code that refuses this call on this machine now.
    pub(super) fn refusal(&self, index: usize, mutation: Mutation, forced: bool) -> Option<&'static str> {
        let machine = &self.machines[index];
        let condition = Condition {
            power: &machine.face.power,
            restriction: &machine.face.restriction,
            given_back: machine.face.stopped_charging == StoppedCharging::StopCharging,
            busy_with: machine.busy_with(),
            forced,
        };
        super::rules::refusal(mutation, &condition)
    }

    /// What of the fault script strikes this call.
    pub(super) fn strikes(&mut self, action: &str, ids: &[String], at: Timestamp) -> Vec<Strike> {
        self.total += 1;
        let nth = self.calls.entry(action.to_owned()).and_modify(|count| *count += 1).or_insert(1);
        let target =
            super::fault::Target { action, nth: *nth, total: self.total, ids, at, began: self.began };
        self.script.strike(self.chance, &target)
    }

    /// Adds a temporary credential.
    pub(super) fn grant(&mut self, valid: Duration) -> (String, String, String) {
        let number = self.access.len() as u64;
        let word = |part, length| self.chance.word(Purpose::Credential, &[number, part], length);
        let (id, key, token) = (format!("AKIDSIMULATED{}", word(0, 23)), word(1, 32), word(2, 64));
        self.access.push(Access {
            secret_id: id.clone(),
            secret_key: key.clone().into(),
            token: Some(token.clone().into()),
            until: Some(self.now + valid),
            denied: Vec::new(),
            policy: None,
        });
        (id, key, token)
    }
}

impl Access {
    /// Whether the token that came with the call is the right one, and still good.
    pub(super) fn takes(&self, token: Option<&str>, at: Timestamp) -> bool {
        let own = self.token.as_ref().map(ExposeSecret::expose_secret);
        token.filter(|token| !token.is_empty()) == own && self.until.is_none_or(|until| at < until)
    }
}

fn access(credential: &Credential, began: Timestamp) -> Access {
    Access {
        secret_id: credential.secret_id.clone(),
        secret_key: credential.secret_key.clone(),
        token: credential.token.clone(),
        until: credential.valid_for.map(|valid| began + valid),
        denied: credential.denied.clone(),
        policy: credential.policy.clone(),
    }
}

/// The vendor's limit, in calls per second and region; where it is not published, the lowest published one.
fn rate(action: &str) -> u32 {
    match action {
        "DescribeInstances"
        | "DescribeInstancesStatus"
        | "DescribeInstanceTypeConfigs"
        | "DescribeZoneInstanceConfigInfos" => 40,
        "DescribeInstancesModification"
        | "DescribeLBListeners"
        | "DescribeTargetHealth"
        | "DescribeAutoScalingInstances"
        | "GetCallerIdentity"
        | "AssumeRole" => 20,
        _ => 10,
    }
}

pub(super) fn over_limit(calls: u32, limit: u32) -> Refused {
    let message = format!(
        "Your current request times equals to `{calls}` in a second, which exceeds the frequency limit `{limit}` \
         for a second. Please reduce the frequency of calls."
    );
    Refused::new("RequestLimitExceeded", message)
}
