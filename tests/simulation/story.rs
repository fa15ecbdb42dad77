//! One scenario from its plan to its end, over as many lives of the process as it has.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use pitstop::clock::{Clock, between};
use pitstop::cloud::{InstanceId, InstanceType, KeyId, PowerState};
use pitstop::journal::{Event, Journal, Order, Place, Record, RunSummary, Store, StoreError};
use pitstop::plan::{self, Approval, ApprovedPlan, Plan};
use pitstop::run::{self, Cause, Operator, Outcome, Pace, Parts, Probe, RunError, Secrets};
use pitstop::sim::{InProcess, LogEntry, World};
use pitstop::tencent::credentials::Credential;
use pitstop::tencent::wire::Transport;
use pitstop::tencent::{Client, Retry, Settings};
use pitstop::workflow::Document;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{mpsc, watch};

use crate::fuse::{Cutting, Fuse, Loss, Wire};
use crate::scenario::{Life, Scenario};
use crate::shelf::Shelf;
use crate::witness::{Read, Sent, Witness};

/// The password that is set, and must show nowhere.
pub(crate) const PASSWORD: &str = "Correct-Horse-7-Canary";
/// No life lasts longer.
const LONGEST: Duration = Duration::from_hours(8);
/// More calls or appends than this per instance and life are a busy loop.
pub(crate) const MOST_CALLS: u64 = 1000;
/// After the end, the world goes on for so long before it is looked at.
const AFTERMATH: Duration = Duration::from_mins(20);
/// How often a process looks whether the one that holds its run has let go.
const WAITING: Duration = Duration::from_secs(5);

/// How an instance ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) power: PowerState,
    pub(crate) instance_type: InstanceType,
    pub(crate) keys: Vec<KeyId>,
    pub(crate) has_password: bool,
}

/// All that happened.
pub(crate) struct Story {
    pub(crate) plan: Plan,
    pub(crate) records: Vec<Record>,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) sent: Vec<Sent>,
    /// What the cloud's answers showed, in order.
    pub(crate) reads: Vec<Read>,
    pub(crate) outcome: Option<Outcome>,
    /// The texts of errors, and everything printed for debugging.
    pub(crate) texts: Vec<String>,
    /// What went wrong with the telling itself: not ended, ran away, an error that can't be.
    pub(crate) problems: Vec<String>,
    /// `None`: it is gone.
    pub(crate) ends: BTreeMap<InstanceId, Option<End>>,
    pub(crate) lives: usize,
    pub(crate) cuts: usize,
    /// How many processes hung, and how many of them found their run taken when they went on.
    pub(crate) hung: usize,
    pub(crate) fenced: usize,
    pub(crate) failed_writes: usize,
    /// Appends and calls that change something, in the last life.
    pub(crate) last: (u64, u64),
    pub(crate) took: Duration,
    /// The longest that a call is on its way to the cloud.
    pub(crate) way: Duration,
}

/// A person who knows no secret.
struct Person {
    carries_on: bool,
}

#[async_trait]
impl Operator for Person {
    async fn secret(&self, _: &str) -> Result<SecretString, String> {
        Err("nobody told me".to_owned())
    }

    async fn carry_on(&self, _: &[InstanceId], _: usize) -> Option<bool> {
        Some(self.carries_on)
    }
}

struct WorldProbe(Arc<InProcess>);

#[async_trait]
impl Probe for WorldProbe {
    async fn tcp(&self, host: &str, port: u16, _: Duration) -> Result<(), String> {
        if self.0.accepts(host, port) { Ok(()) } else { Err("connection refused".into()) }
    }
}

fn morning() -> Timestamp {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

type Worked = Result<Outcome, RunError>;

/// How a life ended.
enum Ending<'a> {
    /// It is cut off. What is left of it goes on later, if it only hangs.
    Cut(LocalBoxFuture<'a, Worked>),
    Done(Worked),
    TooLong,
}

/// The processes that hang.
type Hung<'a> = FuturesUnordered<LocalBoxFuture<'a, Worked>>;

struct Stage<'a> {
    scenario: &'a Scenario,
    clock: Clock,
    world: Arc<InProcess>,
    shelf: Shelf,
    /// The journal, as somebody sees it who only looks.
    store: Arc<dyn Store>,
    witness: Arc<Witness>,
}

/// Plays the scenario; `loss` strikes in the first life. `None`: there is nothing to run.
pub(crate) fn play(scenario: &Scenario, loss: Option<Loss>) -> Option<Story> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(tell(scenario, loss))
}

#[expect(clippy::too_many_lines, reason = "a story is told from its beginning to its end")]
async fn tell(scenario: &Scenario, loss: Option<Loss>) -> Option<Story> {
    let stage = Stage::set(scenario);
    let plan = stage.plan().await?;
    stage.world.with_world(|world| *world = world.clone().faults(scenario.faults.clone()));
    let began = stage.clock.now();
    let most = MOST_CALLS * plan.plan().instances.len() as u64;
    let mut story = Story::of(plan.plan().clone());
    let quiet = Life::default();
    let mut hung = Hung::new();
    // Besides the lives drawn there are some for what ends a life by itself, a failed import for example.
    let mut spare = 10;
    loop {
        if let Some(outcome) = stage.ended(&story.plan).await {
            story.outcome = Some(outcome);
            break;
        }
        let life = scenario.lives.get(story.lives).unwrap_or(&quiet);
        let fuse = Fuse::new(life.cut, loss.filter(|_| story.lives == 0), most);
        let living = stage.live(story.lives, life, fuse.clone(), &plan);
        let ending = story.meanwhile(&mut hung, living).await;
        story.lives += 1;
        story.last = (fuse.appends(), fuse.mutations());
        if fuse.ran_away() {
            story.problems.push("it makes calls or writes records without end".to_owned());
            break;
        }
        let more = story.lives < scenario.lives.len() || {
            spare -= 1;
            spare > 0
        };
        match ending {
            Ending::Cut(rest) => {
                story.cuts += 1;
                // One that hung before it began would begin a run of its own later: that is another story.
                if let Some(pause) = life.hangs
                    && stage.run().await.is_some()
                {
                    story.hung += 1;
                    hung.push(Box::pin(stage.frozen(pause, fuse, rest)));
                }
            }
            Ending::TooLong => {
                story.problems.push(format!("it has not ended within {LONGEST:?}"));
                break;
            }
            Ending::Done(Ok(outcome)) => {
                let finished = outcome.instances.iter().all(|(_, verdict)| verdict.is_some());
                story.texts.push(format!("{outcome:?}"));
                story.outcome = Some(outcome);
                if finished {
                    break;
                }
                if life.orders.is_empty() {
                    story
                        .problems
                        .push("it ended without all verdicts, though nobody asked it to".to_owned());
                    break;
                }
            }
            Ending::Done(Err(error)) => {
                story.texts.push(format!("{error} {error:?}"));
                let expected = match &error.cause {
                    // Ended by one that hung, and woke.
                    Cause::Import { .. } | Cause::Journal(StoreError::Ended(_)) => true,
                    Cause::Journal(StoreError::Write(_)) => life.outage.is_some(),
                    _ => false,
                };
                if !expected {
                    story.problems.push(format!("the run broke off: {error}"));
                }
                if !expected || !more {
                    break;
                }
            }
        }
        story.meanwhile(&mut hung, stage.clock.sleep(life.dead)).await;
    }
    story.took = between(began, stage.clock.now());
    let latency = scenario.fleet.timings.latency;
    story.way = latency.base.mul_f64(1.0 + latency.spread) / 2;
    story.meanwhile(&mut hung, stage.clock.sleep(AFTERMATH)).await;
    if !hung.is_empty() {
        story.problems.push("a process that hung has not ended long after it went on".to_owned());
    }
    stage.epilogue(&mut story).await;
    Some(story)
}

impl<'a> Stage<'a> {
    fn set(scenario: &'a Scenario) -> Self {
        let clock = Clock::simulated(morning());
        let world = World::new(scenario.fleet.clone(), scenario.seed, morning());
        let shelf = Shelf::new(scenario.on_disk);
        Self {
            scenario,
            world: Arc::new(InProcess::new(world, clock.clone())),
            clock,
            store: shelf.open(),
            shelf,
            witness: Arc::default(),
        }
    }

    fn client(&self, transport: Arc<dyn Transport>, life: u64) -> Client {
        let credential = &self.scenario.fleet.credentials[0];
        let provider = Credential {
            secret_id: credential.secret_id.clone(),
            secret_key: credential.secret_key.clone(),
            token: None,
            expires: None,
            source: "the scenario".into(),
        };
        let mut settings = Settings::of_region("ap-guangzhou");
        settings.retry = Retry { seed: self.scenario.seed.wrapping_add(life << 32), ..Retry::default() };
        Client::new(settings, transport, Arc::new(provider), self.clock.clone()).unwrap()
    }

    async fn plan(&self) -> Option<ApprovedPlan> {
        let text = self.scenario.workflow.as_bytes();
        let document = Document::parse("simulated.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
        let read = |_: &std::path::Path| Ok(self.scenario.key_file.clone().into_bytes());
        let workflow = document.resolve(&BTreeMap::new(), &read).unwrap_or_else(|errors| panic!("{errors}"));
        let client = self.client(self.world.clone(), 0);
        let inventory = plan::survey(&workflow, &client).await.unwrap();
        let (plan, _) = plan::build(&workflow, &inventory, "digest".into()).unwrap().without_refused();
        if plan.instances.is_empty() {
            return None;
        }
        Some(plan.approve(Approval::Program).unwrap_or_else(|_| unreachable!("nothing is refused in it")))
    }

    async fn run(&self) -> Option<RunSummary> {
        self.store.runs().await.unwrap().into_iter().next()
    }

    /// How the run went, if the process ended only after the run did.
    async fn ended(&self, plan: &Plan) -> Option<Outcome> {
        let run = self.run().await.filter(|run| run.ended.is_some())?;
        let records = self.store.load(run.id).await.unwrap();
        let verdict = |id: &InstanceId| {
            records.iter().find_map(|record| match &record.event {
                Event::Ended { verdict, .. } if record.instance.as_ref() == Some(id) => Some(verdict.clone()),
                _ => None,
            })
        };
        let instances = plan.instances.iter().map(|own| (own.id.clone(), verdict(&own.id))).collect();
        Some(Outcome { run: run.id, order: Order::CarryOn, instances, down: Vec::new() })
    }

    async fn live<'b>(
        &'b self,
        number: usize,
        life: &'b Life,
        fuse: Arc<Fuse>,
        plan: &'b ApprovedPlan,
    ) -> Ending<'b> {
        let (order, orders) = watch::channel(Order::CarryOn);
        let ordering = async {
            for (after, wanted) in &life.orders {
                self.clock.sleep(*after).await;
                order.send_replace(*wanted);
            }
            std::future::pending::<()>().await;
        };
        let timed = async {
            match fuse.at() {
                Some(after) => self.clock.sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let mut work: LocalBoxFuture<'b, Worked> =
            Box::pin(self.work(number, life, fuse.clone(), plan, orders));
        tokio::select! {
            biased;
            () = fuse.blown() => Ending::Cut(work),
            () = timed => Ending::Cut(work),
            () = ordering => unreachable!("it never ends"),
            done = &mut work => Ending::Done(done),
            () = self.clock.sleep(LONGEST) => Ending::TooLong,
        }
    }

    /// A process that hangs, and then goes on as if nothing had been.
    async fn frozen(&self, pause: Duration, fuse: Arc<Fuse>, rest: LocalBoxFuture<'_, Worked>) -> Worked {
        self.clock.sleep(pause).await;
        fuse.thaw();
        rest.await
    }

    async fn work(
        &self,
        number: usize,
        life: &Life,
        fuse: Arc<Fuse>,
        plan: &ApprovedPlan,
        orders: watch::Receiver<Order>,
    ) -> Worked {
        let before = number.checked_sub(1).and_then(|before| self.scenario.lives.get(before));
        let store = Arc::new(Cutting {
            inner: self.shelf.open(),
            fuse: fuse.clone(),
            witness: self.witness.clone(),
            life: number,
            // In a file the locks tell.
            known_dead: !self.shelf.is_disk()
                && before.is_none_or(|before| !before.missed)
                && self.scenario.lives.iter().take(number).all(|life| life.hangs.is_none()),
            outage: life.outage,
            clock: self.clock.clone(),
            born: self.clock.now(),
        });
        let journal = self.journal(store, plan).await;
        let journal = journal.map_err(|error| RunError { cause: error.into(), down: vec![] })?;
        let environment = BTreeMap::from([("NEW_PASSWORD".to_owned(), PASSWORD.to_owned())]);
        let person = Arc::new(Person { carries_on: self.scenario.carries_on });
        let secrets = Secrets::recall(plan.plan(), &environment, &*person, &self.clock).await.unwrap();
        let wire = Wire {
            world: self.world.clone(),
            fuse,
            witness: self.witness.clone(),
            life: number,
            clock: self.clock.clone(),
        };
        let parts = Parts {
            cloud: Arc::new(self.client(Arc::new(wire), journal.records().len() as u64)),
            probe: Arc::new(WorldProbe(self.world.clone())),
            operator: person,
            clock: self.clock.clone(),
            pace: Pace::default(),
        };
        let (feed, _told) = mpsc::unbounded_channel();
        run::drive(journal, parts, secrets, orders, feed).await
    }

    /// Begins the run, or takes it up as soon as nobody holds it any more.
    async fn journal(&self, store: Arc<dyn Store>, plan: &ApprovedPlan) -> Result<Journal, StoreError> {
        let by = || "the simulation".to_owned();
        let Some(run) = self.run().await else {
            let plan = plan.clone();
            return Journal::begin(store, self.clock.clone(), plan, Place::Tencent, by(), [7; 10]).await;
        };
        loop {
            match Journal::reopen(store.clone(), self.clock.clone(), &run, by()).await {
                Err(StoreError::Busy { .. }) => self.clock.sleep(WAITING).await,
                journal => return journal,
            }
        }
    }

    async fn epilogue(&self, story: &mut Story) {
        if let Some(run) = self.run().await {
            story.records = self.store.load(run.id).await.unwrap();
            let finished = story
                .outcome
                .as_ref()
                .is_some_and(|outcome| outcome.instances.iter().all(|(_, verdict)| verdict.is_some()));
            if finished && run.ended.is_none() {
                story
                    .problems
                    .push("every instance has its verdict, but the run is not marked as ended".into());
            }
        }
        let seen = self.witness.take();
        (story.sent, story.reads, story.failed_writes) = (seen.sent, seen.reads, seen.failed_writes);
        story.problems.extend(seen.problems);
        self.world.with_world(|world| {
            story.log = world.log().to_vec();
            for spec in &self.scenario.fleet.instances {
                let end = world.power_of(&spec.id).cloned().map(|power| {
                    let password = world.password_of(&spec.id);
                    End {
                        power,
                        instance_type: world.type_of(&spec.id).unwrap().clone(),
                        keys: sorted(world.keys_of(&spec.id).unwrap()),
                        has_password: password.is_some_and(|(_, it)| it.expose_secret() == PASSWORD),
                    }
                });
                story.ends.insert(spec.id.clone(), end);
            }
        });
    }
}

/// The keys in the order in which plans name them.
pub(crate) fn sorted(keys: &[KeyId]) -> Vec<KeyId> {
    let mut keys = keys.to_vec();
    keys.sort();
    keys
}

impl Story {
    fn of(plan: Plan) -> Self {
        Self {
            plan,
            records: Vec::new(),
            log: Vec::new(),
            sent: Vec::new(),
            reads: Vec::new(),
            outcome: None,
            texts: Vec::new(),
            problems: Vec::new(),
            ends: BTreeMap::new(),
            lives: 0,
            cuts: 0,
            hung: 0,
            fenced: 0,
            failed_writes: 0,
            last: (0, 0),
            took: Duration::ZERO,
            way: Duration::ZERO,
        }
    }

    /// Does `work` while processes that hung go on.
    async fn meanwhile<T>(&mut self, hung: &mut Hung<'_>, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                Some(ended) = hung.next(), if !hung.is_empty() => self.woke(&ended),
                done = &mut work => return done,
            }
        }
    }

    /// How a process ended that hung: it ended well, or was the first to know that it was late.
    fn woke(&mut self, ended: &Worked) {
        self.texts.push(format!("{ended:?}"));
        match ended {
            Err(RunError { cause: Cause::Journal(StoreError::Taken(_)), down }) => {
                self.fenced += 1;
                if !down.is_empty() {
                    self.problems
                        .push(format!("fencing: it names {down:?}, which are its heir's to look after"));
                }
            }
            Ok(_)
            | Err(RunError {
                // One that hung before it began finds that its heir has begun.
                cause:
                    Cause::Import { .. }
                    | Cause::Journal(StoreError::Ended(_) | StoreError::Write(_) | StoreError::Held { .. }),
                ..
            }) => {}
            Err(error) => self.problems.push(format!("the run of a process that hung broke off: {error}")),
        }
    }

    /// All of it in the order in which it happened, for people.
    pub(crate) fn told(&self) -> String {
        let mut lines: Vec<(Timestamp, u8, String)> = Vec::new();
        for record in &self.records {
            let id = record.instance.as_ref().map_or("-", InstanceId::as_str);
            let event = match &record.event {
                Event::RunBegan { .. } => "run-began".to_owned(),
                event => serde_json::to_string(event).unwrap(),
            };
            lines.push((record.at, 1, format!("journal {:>3} {id:>12} {event}", record.seq)));
        }
        for entry in &self.log {
            lines.push((entry.at, 0, format!("world   {}", serde_json::to_string(&entry.what).unwrap())));
        }
        lines.sort_by_key(|(at, order, _)| (*at, *order));
        let mut text = String::new();
        for (at, _, line) in lines {
            let seconds = between(morning(), at).as_secs_f64();
            writeln!(text, "{seconds:>10.3} {line}").unwrap();
        }
        text
    }
}
