//! A rig for whole runs under virtual time: a simulated world behind the real client, a journal in memory, the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pitstop::clock::Clock;
use pitstop::cloud::{InstanceId, PowerState};
use pitstop::journal::{Event, Journal, Memory, Order, Place, Record, Store, Verdict};
use pitstop::plan::{self, Approval, Plan};
use pitstop::run::{self, Operator, Outcome, Pace, Parts, Probe, RunError, Secrets};
use pitstop::sim::{Actor, Effect, Fault, Fleet, Happening, InProcess, LogEntry, World};
use pitstop::tencent::credentials::Credential;
use pitstop::tencent::wire::Transport;
use pitstop::tencent::{Client, Settings};
use pitstop::workflow::Document;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};

/// The first web server of the demo fleet.
pub(crate) const WEB: &str = "ins-0web0001";

/// All three changes to it.
pub(crate) const THREE: &str = "
version: 1
name: three
target: { region: ap-guangzhou, instances: [ins-0web0001] }
changes:
  - resize: { type: S5.LARGE8 }
  - reset-password: { password: { env: NEW_PASSWORD } }
  - load-ssh-key: { key: skey-0ops0001 }
";

/// The password that rigs set.
pub(crate) const PASSWORD: &str = "Correct-Horse-7";

/// Where and when the simulated world begins.
pub(crate) fn morning() -> Timestamp {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

/// A run to be made.
pub(crate) struct Rig {
    pub(crate) fleet: Fleet,
    pub(crate) seed: u64,
    pub(crate) faults: Vec<Fault>,
    pub(crate) values: BTreeMap<String, String>,
    /// The files that the workflow may name.
    pub(crate) files: BTreeMap<&'static str, &'static str>,
    pub(crate) orders: Vec<(Duration, Order)>,
    pub(crate) store: Arc<dyn Store>,
    /// Who approves the plan.
    pub(crate) approval: Approval,
    /// What tells the run's id from those of others that begin at the same time.
    pub(crate) chance: [u8; 10],
    /// What a person says who is asked whether to carry on after the canaries.
    pub(crate) answer: Option<bool>,
}

impl Default for Rig {
    fn default() -> Self {
        Self {
            fleet: Fleet::demo(),
            seed: 1,
            faults: Vec::new(),
            values: BTreeMap::new(),
            files: BTreeMap::new(),
            orders: Vec::new(),
            store: Arc::new(Memory::default()),
            approval: Approval::Program,
            chance: [7; 10],
            answer: None,
        }
    }
}

/// A world with the real client on top of it.
pub(crate) struct Scene {
    pub(crate) world: Arc<InProcess>,
    pub(crate) client: Arc<Client>,
    pub(crate) clock: Clock,
}

/// A run that was made.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) records: Vec<Record>,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) scene: Scene,
    pub(crate) store: Arc<dyn Store>,
}

/// Answers every question whether to carry on like this.
struct Asked(Option<bool>);

#[async_trait]
impl Operator for Asked {
    async fn secret(&self, _: &str) -> Result<SecretString, String> {
        Ok(PASSWORD.into())
    }

    async fn carry_on(&self, _: &[InstanceId], _: usize) -> Option<bool> {
        self.0
    }
}

struct WorldProbe(Arc<InProcess>);

#[async_trait]
impl Probe for WorldProbe {
    async fn tcp(&self, host: &str, port: u16, _: Duration) -> Result<(), String> {
        if self.0.accepts(host, port) { Ok(()) } else { Err("connection refused".into()) }
    }
}

impl Rig {
    /// Builds the world.
    pub(crate) fn scene(&self) -> Scene {
        let clock = Clock::simulated(morning());
        let mut faults = self.fleet.faults.clone();
        faults.extend(self.faults.iter().cloned());
        let world = World::new(self.fleet.clone(), self.seed, morning()).faults(faults);
        let world = Arc::new(InProcess::new(world, clock.of_others()));
        Scene { client: self.client(world.clone(), &clock), world, clock }
    }

    /// The real client over any transport.
    pub(crate) fn client(&self, transport: Arc<dyn Transport>, clock: &Clock) -> Arc<Client> {
        self.client_with(Settings::of_region("ap-guangzhou"), transport, clock)
    }

    /// The same with settings of its own.
    pub(crate) fn client_with(
        &self,
        settings: Settings,
        transport: Arc<dyn Transport>,
        clock: &Clock,
    ) -> Arc<Client> {
        let credential = &self.fleet.credentials[0];
        let provider = Credential {
            secret_id: credential.secret_id.clone(),
            secret_key: credential.secret_key.clone(),
            token: None,
            expires: None,
            source: "the rig".into(),
        };
        Arc::new(Client::new(settings, transport, Arc::new(provider), clock.clone()).unwrap())
    }

    /// Plans the workflow.
    pub(crate) async fn plan(&self, scene: &Scene, text: &str) -> Plan {
        let document =
            Document::parse("test.yaml", text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        let files = |path: &std::path::Path| {
            let text = path.to_str().and_then(|path| self.files.get(path));
            text.map(|text| text.as_bytes().to_vec()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
        };
        let workflow = document.resolve(&self.values, &files).unwrap_or_else(|errors| panic!("{errors}"));
        let inventory = plan::survey(&workflow, scene.client.as_ref()).await.unwrap();
        plan::build(&workflow, &inventory, "digest".into()).unwrap()
    }

    /// Plans the workflow and carries it out.
    pub(crate) async fn run(self, text: &str) -> Ran {
        let scene = self.scene();
        self.run_in(scene, text).await
    }

    /// Plans the workflow and carries it out in a world that others may use as well.
    pub(crate) async fn run_in(self, scene: Scene, text: &str) -> Ran {
        let plan = self.plan(&scene, text).await;
        let plan = plan.approve(self.approval).unwrap_or_else(|plan| panic!("refused: {:?}", plan.instances));
        let by = "the rig".to_owned();
        let journal =
            Journal::begin(self.store.clone(), scene.clock.clone(), plan, Place::InProcess, by, self.chance);
        let journal = journal.await.unwrap();
        // The engine's future is large.
        Box::pin(self.drive(scene, journal)).await
    }

    /// Carries a journal's run out in a world.
    pub(crate) async fn drive(self, scene: Scene, journal: Journal) -> Ran {
        let (feed, mut told) = mpsc::unbounded_channel();
        let store = self.store.clone();
        let outcome = self.carry_out(&scene, journal, feed).await.unwrap();
        let mut records = Vec::new();
        while let Ok(record) = told.try_recv() {
            records.push(record);
        }
        let log = scene.world.with_world(|world| world.log().to_vec());
        Ran { outcome, records, log, scene, store }
    }

    /// The same for a run that may fail to be carried on.
    pub(crate) async fn try_drive(
        self,
        scene: Scene,
        journal: Journal,
    ) -> (Result<Outcome, RunError>, Scene) {
        (self.carry_out(&scene, journal, mpsc::unbounded_channel().0).await, scene)
    }

    async fn carry_out(
        self,
        scene: &Scene,
        journal: Journal,
        feed: mpsc::UnboundedSender<Record>,
    ) -> Result<Outcome, RunError> {
        let plan = journal.plan().unwrap().plan().clone();
        let environment = BTreeMap::from([("NEW_PASSWORD".to_owned(), PASSWORD.to_owned())]);
        let secrets = Secrets::recall(&plan, &environment, &Asked(None), &scene.clock).await.unwrap();
        let parts = Parts {
            cloud: scene.client.clone(),
            probe: Arc::new(WorldProbe(scene.world.clone())),
            operator: Arc::new(Asked(self.answer)),
            clock: scene.clock.clone(),
            pace: Pace::default(),
        };
        let (order, orders) = watch::channel(Order::CarryOn);
        let clock = scene.clock.clone();
        let ordering = async {
            for (after, wanted) in self.orders {
                clock.sleep(after).await;
                order.send_replace(wanted);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            outcome = run::drive(journal, parts, secrets, orders, feed) => outcome,
            () = ordering => unreachable!(),
        }
    }
}

impl Scene {
    /// The same world, seen by another client.
    pub(crate) fn beside(&self, rig: &Rig, settings: Settings) -> Self {
        let client = rig.client_with(settings, self.world.clone(), &self.clock);
        Self { world: self.world.clone(), client, clock: self.clock.clone() }
    }
}

impl Ran {
    /// The verdict on an instance.
    pub(crate) fn verdict(&self, id: &str) -> Option<&Verdict> {
        let found = self.outcome.instances.iter().find(|(own, _)| own.as_str() == id);
        found.unwrap_or_else(|| panic!("{id} is not in the run")).1.as_ref()
    }

    /// The power state it really has.
    pub(crate) fn power(&self, id: &str) -> PowerState {
        self.scene.world.with_world(|world| world.power_of(&InstanceId::from(id)).cloned()).unwrap()
    }

    /// The type it really has.
    pub(crate) fn type_of(&self, id: &str) -> String {
        self.scene.world.with_world(|world| world.type_of(&InstanceId::from(id)).unwrap().to_string())
    }

    /// The operations that our calls began on an instance, in order.
    pub(crate) fn operations(&self, id: &str) -> Vec<String> {
        self.log
            .iter()
            .filter_map(|entry| match &entry.what {
                Happening::Began { id: own, action, by: Actor::Caller, .. } if own.as_str() == id => {
                    Some(action.clone())
                }
                _ => None,
            })
            .collect()
    }

    /// The passwords, keys and types that our calls changed on an instance.
    pub(crate) fn changes(&self, id: &str) -> Vec<&Effect> {
        self.log
            .iter()
            .filter_map(|entry| match &entry.what {
                Happening::Changed { id: own, by: Actor::Caller, effect, .. } if own.as_str() == id => {
                    match effect {
                        Effect::Resized { .. } | Effect::Keys { .. } | Effect::Password { .. } => {
                            Some(effect)
                        }
                        _ => None,
                    }
                }
                _ => None,
            })
            .collect()
    }

    /// How many calls were made in all, the plan's included.
    pub(crate) fn calls(&self) -> usize {
        self.log.iter().filter(|entry| matches!(entry.what, Happening::Call { .. })).count()
    }

    /// How many calls of an action were made.
    pub(crate) fn calls_of(&self, wanted: &str) -> usize {
        let counts =
            |entry: &&LogEntry| matches!(&entry.what, Happening::Call { action, .. } if action == wanted);
        self.log.iter().filter(counts).count()
    }

    /// All of it, for a failed assertion.
    pub(crate) fn told(&self) -> String {
        let lines = self.records.iter().filter(|record| !matches!(record.event, Event::RunBegan { .. }));
        lines.map(|record| serde_json::to_string(record).unwrap()).collect::<Vec<_>>().join("\n")
    }
}
