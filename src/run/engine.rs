//! The engine: asks [`decide`] for every instance that something happened to, and does what it says.
//!
//! One task, one event loop. Its work per turn is in proportion to what happened, not to the number of instances:
//! instances wait in a set ordered by time, and one read serves all that are due.

mod importing;
mod looking;
mod pausing;
mod sending;
mod waking;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use self::waking::is_due;
use super::calls;
use super::checks;
use super::decide::{Blind, Next, Observation, Turn, View, decide};
use super::operator::{Operator, Probe};
use super::outcome::{Cause, Outcome, RunError};
use super::pace::{Experience, Pace};
use super::queue::Queue;
use super::rollout::{Phase, Rollout};
use super::secrets::Secrets;
use crate::clock::{Clock, Moment, between};
use crate::cloud::{Action, Ceilings, CloudError, Instance, InstanceId, KeyId, RequestId, Sent, Survey};
use crate::journal::{
    Event, Failure, Halt, Intent, Journal, Order, Record, Stage, State, StoreError, Took, Verdict,
};
use crate::plan::{Plan, Step};

/// How many durations of each action are read from earlier runs.
const HISTORY: u32 = 200;

/// What a run is carried out with.
#[derive(Clone)]
pub struct Parts {
    /// The region.
    pub cloud: Arc<dyn Survey>,
    /// What carries the checks out.
    pub probe: Arc<dyn Probe>,
    /// Who is asked, if there is something to ask in the middle of a run.
    pub operator: Arc<dyn Operator>,
    /// Time.
    pub clock: Clock,
    /// How long to wait for what.
    pub pace: Pace,
}

/// Carries the journal's run out, from wherever it stands, until every instance has its verdict or an order ends it.
/// Every record goes to `feed`, those of earlier processes first.
pub async fn drive(
    journal: Journal,
    parts: Parts,
    secrets: Secrets,
    orders: watch::Receiver<Order>,
    feed: mpsc::UnboundedSender<Record>,
) -> Result<Outcome, RunError> {
    let mut engine = Engine::open(journal, parts, secrets, orders, feed)
        .await
        .map_err(|cause| RunError { cause, down: vec![] })?;
    let worked = engine.work().await;
    engine.leave().await;
    match worked {
        Ok(()) => Ok(engine.outcome()),
        // The process that has the run now answers for its instances.
        Err(cause @ Cause::Journal(StoreError::Taken(_))) => Err(RunError { cause, down: Vec::new() }),
        Err(cause) => Err(RunError { cause, down: engine.down() }),
    }
}

/// One instance of the run.
struct Member {
    id: InstanceId,
    state: State,
    /// Boxed, as is the next: of a large fleet most wait, or have gone, and show nothing.
    seen: Option<Box<Observation>>,
    blind: Option<Box<Blind>>,
    /// When the look before the last one was asked for.
    looked_before: Option<Timestamp>,
    /// A call or a check of it is in the air.
    busy: bool,
    /// A read of it is in the air.
    looking: bool,
    /// Its entry in the set of timers.
    wake: Option<Timestamp>,
    /// Whether it may begin.
    turn: Turn,
    /// Nothing more is to be done for it, as things are.
    resting: bool,
}

/// What came back.
enum Landed {
    Call { members: Vec<usize>, resize: bool, result: Result<RequestId, CloudError> },
    Read { members: Vec<usize>, at: Timestamp, result: Result<Vec<Instance>, CloudError> },
    Check { member: usize, check: usize, result: Option<Result<(), String>> },
    Answer(Option<bool>),
}

/// Equal wishes, by what is wished and how many may share a call.
type Wishes = BTreeMap<(Intent, usize), Vec<(usize, Option<RequestId>)>>;

struct Engine {
    journal: Journal,
    parts: Parts,
    secrets: Arc<Secrets>,
    plan: Arc<Plan>,
    orders: watch::Receiver<Order>,
    feed: mpsc::UnboundedSender<Record>,
    members: Vec<Member>,
    index: HashMap<InstanceId, usize>,
    imported: Option<KeyId>,
    experience: Experience,
    began: Timestamp,
    order: Order,
    dirty: BTreeSet<usize>,
    timers: BTreeSet<(Timestamp, usize)>,
    rollout: Rollout,
    flights: FuturesUnordered<BoxFuture<'static, Landed>>,
    open: usize,
    /// No look before this.
    looks_from: Timestamp,
    /// The resizes, of which the cloud takes few.
    queue: Queue,
    /// When the present turn began.
    awake: Moment,
    /// What was asked for before this counts as not seen: the machine was suspended since.
    anew: Timestamp,
    /// Somebody was to be asked, and nobody is there.
    unanswered: bool,
    finished: bool,
}

impl Engine {
    async fn open(
        mut journal: Journal,
        parts: Parts,
        secrets: Secrets,
        orders: watch::Receiver<Order>,
        feed: mpsc::UnboundedSender<Record>,
    ) -> Result<Self, Cause> {
        let plan = journal.plan()?.shared();
        let experience = Experience::new(&journal.history(HISTORY).await?);
        let members: Vec<_> = plan.instances.iter().map(|own| Member::new(own.id.clone())).collect();
        let index = members.iter().enumerate().map(|(at, member)| (member.id.clone(), at)).collect();
        let began = parts.clock.now();
        let ceiling = parts.cloud.ceilings().resizes;
        let (rollout, queue) = (Rollout::new(&plan, ceiling), Queue::new(ceiling, parts.pace.fresh));
        let awake = parts.clock.moment();
        let records = journal.take_records();
        let mut engine = Self {
            journal,
            parts,
            secrets: Arc::new(secrets),
            plan,
            orders,
            feed,
            members,
            index,
            imported: None,
            experience,
            began,
            order: Order::CarryOn,
            dirty: BTreeSet::new(),
            timers: BTreeSet::new(),
            rollout,
            flights: FuturesUnordered::new(),
            open: 0,
            looks_from: Timestamp::MIN,
            queue,
            awake,
            anew: Timestamp::MIN,
            unanswered: false,
            finished: false,
        };
        for record in records {
            if record.at > began {
                // The clock was set back since: nothing would be looked at before it has caught up.
                engine.fold(&record, began - Duration::from_millis(1))?;
            } else {
                engine.fold(&record, record.at)?;
            }
            engine.tell(record);
        }
        engine.line_up();
        Ok(engine)
    }

    /// Gives every instance its place at the beginning: those under way go on, the others queue.
    fn line_up(&mut self) {
        for (at, member) in self.members.iter_mut().enumerate() {
            if member.state.verdict().is_some() {
                continue;
            }
            self.open += 1;
            self.dirty.insert(at);
            let ledger = &member.state.ledger;
            let begun = (ledger.touched && !ledger.suspended) || !matches!(member.state.stage, Stage::Ready);
            member.turn = self.rollout.line_up(at, begun);
            if member.state.is_past_resize() {
                self.rollout.resized(at);
            }
        }
    }

    async fn work(&mut self) -> Result<(), Cause> {
        self.heed_order().await?;
        if let Err(cause) = self.import_key().await {
            if matches!(cause, Cause::Import { .. }) {
                self.give_up(Halt::KeyNotImported).await?;
            }
            return Err(cause);
        }
        self.ask_again();
        loop {
            self.wake_up();
            self.give_turns();
            self.turn().await?;
            if self.open == 0 || self.order == Order::LeaveNow || self.unanswered {
                break;
            }
            if self.rollout.is_past_canaries() {
                self.pause().await?;
            } else {
                self.wait().await?;
            }
        }
        if self.order == Order::BringBack {
            self.give_up(Halt::Ordered).await?;
        }
        self.finish().await
    }

    /// If nothing was touched, there is nothing to take up again: every instance is done with, and held no longer.
    async fn give_up(&mut self, why: Halt) -> Result<(), Cause> {
        let untouched = |member: &Member| {
            let State { stage, ledger } = &member.state;
            matches!(stage, Stage::Ready | Stage::Ended { .. }) && !ledger.touched
        };
        if !self.members.iter().all(untouched) {
            return Ok(());
        }
        let ended = Event::Ended { verdict: Verdict::NotBegun { why }, differences: Vec::new() };
        let open = (0..self.members.len()).filter(|at| self.members[*at].state.verdict().is_none());
        let notes = open.map(|at| (at, ended.clone())).collect();
        self.note(notes).await?;
        self.finish().await
    }

    /// Ends the run once every instance has its verdict.
    async fn finish(&mut self) -> Result<(), Cause> {
        if !self.finished && self.members.iter().all(|member| member.state.verdict().is_some()) {
            self.finished = true;
            let records = self.journal.finish().await?;
            self.tell_all(records);
        }
        Ok(())
    }

    /// Decides for every instance that something happened to, until there is nothing left to write down; then sends.
    async fn turn(&mut self) -> Result<(), Cause> {
        let mut wishes = Wishes::new();
        self.dirty.extend(self.queue.call_up());
        while !self.dirty.is_empty() && self.order != Order::LeaveNow {
            let mut notes = Vec::new();
            for at in std::mem::take(&mut self.dirty) {
                if self.members[at].busy {
                    continue;
                }
                let next = decide(&self.view(at));
                self.keep_place(at, &next);
                match next {
                    Next::Note(event) => notes.push((at, event)),
                    Next::Act { intent, baseline, among } => {
                        if self.may_send(at, &intent) {
                            self.members[at].busy = true;
                            wishes.entry((intent, among)).or_default().push((at, baseline));
                        }
                    }
                    Next::Look(when) => self.wake_at(at, when),
                    Next::Check(check) => self.begin_check(at, check, &mut notes),
                    Next::Hold => {}
                    Next::Rest => self.rest(at),
                }
            }
            self.note(notes).await?;
            self.dirty.extend(self.queue.call_up());
        }
        if self.order != Order::LeaveNow {
            self.send(wishes).await?;
        }
        Ok(())
    }

    /// Lets the run go, whether it is finished or not: nothing more is sent by this process.
    async fn leave(&mut self) {
        self.flights.clear();
        match self.journal.release().await {
            Ok(()) | Err(StoreError::Taken(_)) => {}
            Err(error) => tracing::warn!(%error, "the run is not let go before its lease runs out"),
        }
    }

    /// Keeps hold of the run while `work` lasts.
    async fn holding<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Cause> {
        let mut work = pin!(work);
        let clock = self.parts.clock.clone();
        loop {
            tokio::select! {
                biased;
                () = is_due(&self.journal, &clock) => self.journal.renew().await?,
                done = &mut work => return Ok(done),
            }
        }
    }

    /// Waits for the next thing to happen, and takes it in. Keeping hold of the run comes first: a process that slept
    /// must not go on sending before it knows that the run is still its own.
    async fn wait(&mut self) -> Result<(), Cause> {
        let looks = self.timers.first().map(|(when, _)| self.looks_from.max(*when));
        let next = looks.into_iter().chain(self.rollout.due()).min().unwrap_or(Timestamp::MAX);
        let clock = self.parts.clock.clone();
        tokio::select! {
            biased;
            () = is_due(&self.journal, &clock) => Ok(self.journal.renew().await?),
            Ok(()) = self.orders.changed() => self.heed_order().await,
            Some(landed) = self.flights.next(), if !self.flights.is_empty() => self.land(landed).await,
            () = clock.sleep_until(next), if next < Timestamp::MAX => {
                self.read_due();
                match self.rollout.phase() {
                    Phase::Paused(Some(until)) if clock.now() >= until => self.carry_on().await,
                    _ => Ok(()),
                }
            }
        }
    }

    async fn heed_order(&mut self) -> Result<(), Cause> {
        let order = *self.orders.borrow_and_update();
        if order > self.order {
            self.order = order;
            self.note_of_run(Event::Ordered { order }).await?;
            self.dirty.extend((0..self.members.len()).filter(|at| self.members[*at].is_open()));
        }
        Ok(())
    }

    async fn land(&mut self, landed: Landed) -> Result<(), Cause> {
        match landed {
            Landed::Call { members, resize, result } => {
                if resize {
                    self.queue.landed();
                }
                let among = members.len();
                let event = match result {
                    Ok(request) => Event::Accepted { request },
                    Err(error) if error.sent == Sent::No => Event::Refused { error, among },
                    Err(error) => Event::Lost { error },
                };
                for at in &members {
                    self.members[*at].busy = false;
                }
                self.note(members.into_iter().map(|at| (at, event.clone())).collect()).await
            }
            Landed::Read { members, at, result } => self.take_in(members, at, result).await,
            Landed::Check { member, check, result } => {
                self.members[member].busy = false;
                let event = match result {
                    None => None,
                    Some(Ok(())) => Some(Event::CheckPassed { check }),
                    Some(Err(message)) => {
                        Some(Event::Failed { failure: Failure::Check { number: check + 1, message } })
                    }
                };
                self.dirty.insert(member);
                self.note(event.into_iter().map(|event| (member, event)).collect()).await
            }
            Landed::Answer(Some(true)) => self.carry_on().await,
            Landed::Answer(Some(false)) => {
                self.rollout.declined();
                Ok(())
            }
            Landed::Answer(None) => {
                self.unanswered = true;
                Ok(())
            }
        }
    }

    /// Writes events down, all or none, then lets them change the states.
    async fn note(&mut self, notes: Vec<(usize, Event)>) -> Result<(), Cause> {
        if notes.is_empty() {
            return Ok(());
        }
        let took: Vec<_> = notes.iter().filter_map(|(at, event)| self.took(*at, event)).collect();
        let events =
            notes.into_iter().map(|(at, event)| (Some(self.members[at].id.clone()), event)).collect();
        let records = self.journal.append_with(events, &took).await?;
        for took in &took {
            self.experience.add(took);
        }
        self.take_over(records)
    }

    /// Lets records that were just written change the states, and tells of them.
    fn take_over(&mut self, records: Vec<Record>) -> Result<(), Cause> {
        let lag = self.parts.clock.lag();
        for record in records {
            // They are stamped by the machine's clock, and deadlines go by the other. Nothing in them is older than the turn.
            let at = record.at.checked_sub(lag).unwrap_or(Timestamp::MIN).max(self.awake.now());
            self.fold(&record, at)?;
            self.tell(record);
        }
        Ok(())
    }

    /// What the event teaches about durations: it ended between the last two looks.
    fn took(&self, at: usize, event: &Event) -> Option<Took> {
        let Event::Achieved { took } = event else { return None };
        let own = &self.members[at];
        let Stage::Underway { intent, at: accepted, .. } = &own.state.stage else { return None };
        // Time in which nobody looked teaches nothing.
        if *accepted < self.began.max(self.anew) {
            return None;
        }
        let family = self.plan.instances[at].found.as_ref()?.instance_type.family().to_owned();
        let action = intent.action();
        let took = match own.looked_before.filter(|before| before > accepted) {
            Some(before) => {
                let apart = own.seen.as_ref().map_or(Duration::ZERO, |seen| between(before, seen.landed));
                took.saturating_sub(apart / 2)
            }
            None => self.experience.ended_before_the_first_look(action, &family, *took)?,
        };
        Some(Took { action, family, took })
    }

    /// Lets one record, of `when` by this process's time, change the state of its instance, and the counts that follow from it.
    fn fold(&mut self, record: &Record, when: Timestamp) -> Result<(), Cause> {
        let Some(id) = &record.instance else {
            match &record.event {
                Event::KeyImported { key } => self.imported = Some(key.clone()),
                Event::Paused { until } => self.paused(*until),
                Event::Continued => self.rollout.continued(),
                _ => {}
            }
            return Ok(());
        };
        let Some(&at) = self.index.get(id) else { return Ok(()) };
        let member = &mut self.members[at];
        let had_failed = member.state.ledger.failure.is_some();
        member.state = member.state.next(&record.event, when)?;
        if !had_failed && member.state.ledger.failure.is_some() {
            self.rollout.failed(at);
        }
        let found = self.plan.instances[at].found.as_ref();
        let keeps_its_type =
            found.is_some_and(|found| member.state.ledger.fallback.as_ref() == Some(&found.instance_type));
        if keeps_its_type || member.state.is_past_resize() {
            self.rollout.resized(at);
        }
        if member.state.verdict().is_some() {
            self.rest(at);
        } else {
            self.dirty.insert(at);
        }
        Ok(())
    }

    /// The instance needs nothing more: its place goes to the next one.
    fn rest(&mut self, at: usize) {
        let member = &mut self.members[at];
        if std::mem::replace(&mut member.resting, true) {
            return;
        }
        self.open = self.open.saturating_sub(1);
        member.seen = None;
        self.queue.leaves(at);
        if let Some(when) = member.wake.take() {
            self.timers.remove(&(when, at));
        }
        self.rollout.rests(at, member.turn);
    }

    /// How many may be on their way to their resize: while others use part of what the cloud takes, as many as it takes of ours
    /// in the time that it takes to get there. With more, some would wait, stopped.
    fn most_ahead(&mut self) -> usize {
        let Ceilings { resizes: Some(full), resizes_a_minute: Some(present), .. } =
            self.parts.cloud.ceilings()
        else {
            return usize::MAX;
        };
        let part = u64::from(present) * 1000 / (u64::from(full) * 60).max(1);
        self.queue.keeps_to(usize::try_from(part).unwrap_or(1000).min(1000));
        if present >= full.saturating_mul(60) {
            return usize::MAX;
        }
        // They are much alike: one workflow changes all, and the lengths of single operations vary more.
        let Some(one) = self.plan.instances.iter().find(|own| own.is_resized()) else { return usize::MAX };
        let family = one.found.as_ref().map_or("", |found| found.instance_type.family());
        let changes = one.steps.iter().map(Step::action).take_while(|action| *action != Action::Resize);
        let typical = self.parts.pace.typical;
        let expected = |action| self.experience.middle(action, family, typical);
        let lead: Duration = std::iter::once(Action::Stop).chain(changes).map(expected).sum();
        let as_it_is = u128::from(present) * lead.as_millis() / 60_000;
        // The pace swings around what the others leave, and who is too many stands still while one too few costs little.
        usize::try_from(as_it_is * 4 / 5).unwrap_or(usize::MAX).max(1)
    }

    fn give_turns(&mut self) {
        let at_most = self.most_ahead();
        for (at, turn) in self.rollout.begin(self.parts.clock.now(), self.queue.crowd(), at_most) {
            self.members[at].turn = turn;
            self.dirty.insert(at);
            // Taken up again for its checks, say.
            if self.members[at].state.is_past_resize() {
                self.rollout.resized(at);
            }
        }
    }

    /// Writes down what concerns the run as a whole.
    async fn note_of_run(&mut self, event: Event) -> Result<(), Cause> {
        let records = self.journal.append(vec![(None, event)]).await?;
        self.take_over(records)
    }

    fn begin_check(&mut self, at: usize, check: usize, notes: &mut Vec<(usize, Event)>) {
        let instance = self.members[at].seen.as_ref().and_then(|seen| seen.instance.as_ref());
        let (Some(wanted), Some(instance)) = (self.plan.checks.get(check), instance) else { return };
        match checks::ready(wanted, instance) {
            Err(message) => {
                notes.push((at, Event::Failed { failure: Failure::Check { number: check + 1, message } }));
            }
            Ok(ready) => {
                self.members[at].busy = true;
                let Parts { probe, clock, pace, .. } = self.parts.clone();
                let orders = self.orders.clone();
                let flight = async move {
                    let result = checks::carry_out(ready, probe, clock, pace, orders).await;
                    Landed::Check { member: at, check, result }
                };
                self.flights.push(flight.boxed());
            }
        }
    }

    fn view(&self, at: usize) -> View<'_> {
        let member = &self.members[at];
        View {
            plan: &self.plan,
            own: &self.plan.instances[at],
            imported: self.imported.as_ref(),
            state: &member.state,
            seen: member.seen.as_deref().filter(|seen| seen.at >= self.anew),
            blind: member.blind.as_deref(),
            order: self.order,
            turn: self.rollout.turn(member.turn),
            began: self.began,
            now: self.parts.clock.now(),
            pace: &self.parts.pace,
            experience: &self.experience,
        }
    }

    /// Whoever listens may have gone; the journal has it all.
    fn tell(&self, record: Record) {
        let _ = self.feed.send(record);
    }

    fn tell_all(&self, records: Vec<Record>) {
        for record in records {
            self.tell(record);
        }
    }

    fn outcome(&self) -> Outcome {
        let instances =
            self.members.iter().map(|member| (member.id.clone(), member.state.verdict().cloned())).collect();
        Outcome { run: self.journal.run(), order: self.order, instances, down: self.down() }
    }

    /// The instances that are down, or may be, by this run's doing.
    fn down(&self) -> Vec<InstanceId> {
        let down = |member: &&Member| {
            let stranded = matches!(member.state.verdict(), Some(Verdict::Stranded { .. }));
            let stopping = match &member.state.stage {
                Stage::Intended { intent, .. } | Stage::Underway { intent, .. } => {
                    intent.action() == Action::Stop
                }
                Stage::Ready | Stage::Ended { .. } => false,
            };
            let open = member.state.verdict().is_none();
            stranded || (open && (stopping || member.state.ledger.down_since.is_some()))
        };
        self.members.iter().filter(down).map(|member| member.id.clone()).collect()
    }
}

impl Member {
    fn new(id: InstanceId) -> Self {
        Self {
            id,
            state: State::default(),
            seen: None,
            blind: None,
            looked_before: None,
            busy: false,
            looking: false,
            wake: None,
            turn: Turn::Later,
            resting: false,
        }
    }

    fn is_open(&self) -> bool {
        !self.resting && self.state.verdict().is_none()
    }

    /// What is worth writing down of what was seen: another power state or type than before.
    fn news(&self, instance: Option<&Instance>) -> Option<Event> {
        let (instance, ledger) = (instance?, &self.state.ledger);
        let is_old = ledger.is_past(instance.latest_operation.as_ref());
        let (power, instance_type) = (&instance.power, &instance.instance_type);
        let is_new =
            ledger.power.as_ref() != Some(power) || ledger.instance_type.as_ref() != Some(instance_type);
        (is_new && !is_old)
            .then(|| Event::Seen { power: power.clone(), instance_type: instance_type.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There is one for each instance, from the beginning of the run to its end: what befalls few belongs in a box.
    #[test]
    fn a_member_is_small() {
        assert!(size_of::<Member>() <= 608, "{} bytes", size_of::<Member>());
    }
}
