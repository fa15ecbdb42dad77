//! What a seed stands for: a fleet, a workflow, and everything that gets in its way.

use std::time::Duration;

use pitstop::cloud::{InstanceId, KeyId, PowerState};
use pitstop::journal::Order;
use pitstop::sim::{
    EventSpec, Fault, Fleet, ForeignAct, InstanceSpec, OperationSpec, ResizeBoots, Spread, Timings, What,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::fuse::{Cut, Outage};

/// The five calls that change instances.
pub(crate) const MUTATIONS: [&str; 5] = [
    "StopInstances",
    "StartInstances",
    "AssociateInstancesKeyPairs",
    "ResetInstancesPassword",
    "ResetInstancesType",
];

/// This share of the seeds, in percent, keeps the journal in a real file.
const ON_DISK: u64 = 4;

const TYPES: [&str; 3] = ["S5.MEDIUM4", "S5.LARGE8", "S5.2XLARGE16"];

/// Everything that a run meets.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) fleet: Fleet,
    pub(crate) workflow: String,
    /// A public key that the workflow names by its file.
    pub(crate) key_file: String,
    pub(crate) faults: Vec<Fault>,
    /// The lives of the process, one after the other; after them comes one that nothing ends.
    pub(crate) lives: Vec<Life>,
    /// The journal is a real file.
    pub(crate) on_disk: bool,
    /// What a person says who is asked whether the others may follow the canaries.
    pub(crate) carries_on: bool,
}

/// One life of the process: how it ends before its time, and how long it is dead then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) cut: Option<Cut>,
    pub(crate) orders: Vec<(Duration, Order)>,
    pub(crate) dead: Duration,
    /// It does not end there, it hangs for so long.
    pub(crate) hangs: Option<Duration>,
    /// Nobody can tell that it is dead before its lease runs out, as from another machine.
    pub(crate) missed: bool,
    pub(crate) outage: Option<Outage>,
}

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0.random_range(from..=to)
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.between(from, to))
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap();
        choices[at].clone()
    }

    fn spread(&mut self, from: u64, to: u64) -> Spread {
        Spread::millis(self.between(from, to), self.of(&[0.0, 0.2, 0.5]))
    }
}

impl Scenario {
    /// The scenario of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed));
        let mut fleet = Fleet::demo();
        let key_file = fleet.keys[1].public_key.clone();
        fleet.scaling_groups.clear();
        fleet.load_balancers.clear();
        fleet.repairs.clear();
        fleet.release_timers.clear();
        fleet.timings = timings(&mut dice);
        fleet.resize_boots = dice.of(&[ResizeBoots::Always, ResizeBoots::Never, ResizeBoots::Random]);
        let pattern = fleet.instances[0].clone();
        let count = dice.between(2, 6);
        fleet.instances = (0..count).map(|number| instance(&mut dice, &pattern, number)).collect();
        let ids: Vec<InstanceId> = fleet.instances.iter().map(|spec| spec.id.clone()).collect();
        // The last one is sometimes a bystander, which nothing may touch.
        let planned = if count > 2 && dice.chance(30) { &ids[..ids.len() - 1] } else { &ids[..] };
        let imports = dice.chance(15);
        if imports {
            for spec in &mut fleet.instances {
                spec.keys.clear();
            }
            fleet.keys.truncate(1);
        }
        let workflow = workflow(&mut dice, planned, imports);
        let faults = if dice.chance(75) { faults(&mut dice, &ids) } else { Vec::new() };
        if dice.chance(35) {
            fleet.events = (0..dice.between(1, 3)).map(|_| foreign(&mut dice, &ids)).collect();
        }
        let mut lives: Vec<_> = if dice.chance(80) {
            (0..dice.between(1, 6)).map(|_| life(&mut dice)).collect()
        } else {
            Vec::new()
        };
        // Dice of their own: what is added here changes no story that it does not concern.
        let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x6a6f_7572_6e61_6c73));
        let on_disk = dice.chance(ON_DISK);
        if lives.is_empty() && dice.chance(10) {
            lives.push(Life::default());
        }
        for life in &mut lives {
            trouble(&mut dice, life, on_disk);
        }
        let carries_on = dice.chance(80);
        Self { seed, fleet, workflow, key_file, faults, lives, on_disk, carries_on }
    }
}

/// What befalls a life besides its end: it hangs, nobody knows of its death, its disk is full for a while.
fn trouble(dice: &mut Dice, life: &mut Life, on_disk: bool) {
    // What is on the point of being sent when a process hangs is sent when it goes on, whoever has the run by then.
    let on_the_way = matches!(life.cut, Some(Cut::BeforeCall(_) | Cut::BeforeMutation(_)));
    if life.cut.is_some() && !on_the_way && dice.chance(12) {
        life.hangs = Some(dice.millis(1_000, 400_000));
    }
    // On one machine a death is always known.
    life.missed = !on_disk && dice.chance(20);
    if dice.chance(10) {
        let from = dice.millis(0, 60_000);
        let lasts = if dice.chance(70) { dice.millis(50, 12_000) } else { dice.millis(12_000, 90_000) };
        life.outage = Some(Outage { from, until: from + lasts, durable: dice.chance(40) });
    }
}

fn timings(dice: &mut Dice) -> Timings {
    Timings {
        stop: dice.spread(2_000, 40_000),
        start: dice.spread(2_000, 60_000),
        reboot: dice.spread(5_000, 20_000),
        password: dice.spread(500, 30_000),
        keys: dice.spread(500, 30_000),
        resize: dice.spread(2_000, 90_000),
        boot: dice.spread(500, 20_000),
        lag: dice.spread(0, 8_000),
        settling: dice.spread(0, 3_000),
        patience: Spread::millis(dice.of(&[60_000, 300_000]), 0.0),
        latency: if dice.chance(5) { dice.spread(2_000, 8_000) } else { dice.spread(5, 200) },
    }
}

fn instance(dice: &mut Dice, pattern: &InstanceSpec, number: u64) -> InstanceSpec {
    let mut spec = pattern.clone();
    spec.id = InstanceId::new(format!("ins-0000000{number}"));
    spec.name = format!("node-{number}");
    spec.private_ip = format!("127.0.9.{}", number + 1);
    spec.public_ips = Vec::new();
    spec.instance_type = dice.of(&TYPES).into();
    spec.state = if dice.chance(80) { PowerState::Running } else { PowerState::Stopped };
    spec.os = match dice.below(7) {
        0..4 => "TencentOS Server 3.2 (Final)".to_owned(),
        4..6 => "Ubuntu Server 22.04 LTS 64bit".to_owned(),
        _ => "Windows Server 2022 64bit".to_owned(),
    };
    let windows = spec.os.contains("Windows");
    spec.keys = if !windows && dice.chance(30) { vec![KeyId::from("skey-0old0001")] } else { Vec::new() };
    spec.operation = dice.chance(50).then(|| OperationSpec {
        action: dice.of(&MUTATIONS).to_owned(),
        state: pitstop::cloud::OperationState::Success,
        ends_after: None,
    });
    spec.guest.listens = vec![22];
    spec.guest.stubborn = dice.chance(2);
    if dice.chance(4) {
        spec.guest.mute_on.push("S5.LARGE8".into());
    }
    if dice.chance(4) {
        spec.guest.dead_on.push("S5.LARGE8".into());
    }
    spec
}

fn workflow(dice: &mut Dice, ids: &[InstanceId], imports: bool) -> String {
    use std::fmt::Write as _;
    let names = ids.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "version: 1\nname: simulated\ntarget: {{ region: ap-guangzhou, instances: [{names}] }}\n\
         stop: {{ mode: {}, timeout: {} }}\nchanges:\n",
        dice.of(&["soft", "soft", "soft-first", "hard"]),
        dice.of(&["1m", "2m", "10m"]),
    );
    let which = dice.between(1, 7);
    if which & 1 != 0 {
        let to = dice.of(&[
            "type: S5.LARGE8",
            "type: S5.2XLARGE16",
            "cpu: 4, memory: 8GiB",
            "prefer: [S5.LARGE8, S5.2XLARGE16]",
            "prefer: [S5.2XLARGE16, S5.LARGE8, S5.MEDIUM4]",
        ]);
        writeln!(text, "  - resize: {{ {to} }}").unwrap();
    }
    if which & 2 != 0 {
        text.push_str("  - reset-password: { password: { env: NEW_PASSWORD } }\n");
    }
    if which & 4 != 0 {
        let key = match (imports, dice.below(2)) {
            (true, _) => "public-key-file: old.pub",
            (false, 0) => "name: ops, keep-existing: true",
            (false, _) => "key: skey-0ops0001",
        };
        writeln!(text, "  - load-ssh-key: {{ {key} }}").unwrap();
    }
    let start = dice.of(&["as-found", "as-found", "always", "never"]);
    writeln!(text, "start: {start}").unwrap();
    writeln!(text, "on-failure: {}", dice.of(&["start", "roll-back", "leave-stopped"])).unwrap();
    if dice.chance(20) {
        writeln!(text, "downtime-budget: {}", dice.of(&["150s", "5m", "20m"])).unwrap();
    }
    writeln!(text, "rollout: {{ {} }}", rollout(dice)).unwrap();
    if start != "never" && dice.chance(30) {
        text.push_str("check:\n  - tcp: { port: 22, timeout: 1m }\n");
    }
    text
}

fn rollout(dice: &mut Dice) -> String {
    let at_once = match dice.below(4) {
        0 => dice.of(&["20%", "50%", "100%"]).to_owned(),
        _ => dice.between(1, 6).to_string(),
    };
    let canary = match dice.below(4) {
        0 => format!(
            "canary: {}, pause: {}, ",
            dice.of(&["1", "2", "34%"]),
            dice.of(&["none", "45s", "5m", "person"])
        ),
        _ => String::new(),
    };
    format!("at-once: {at_once}, {canary}max-failures: {}", dice.of(&[0, 1, 6, 6]))
}

fn faults(dice: &mut Dice, ids: &[InstanceId]) -> Vec<Fault> {
    (0..dice.between(1, 8)).map(|_| fault(dice, ids)).collect()
}

fn fault(dice: &mut Dice, ids: &[InstanceId]) -> Fault {
    let reads = dice.chance(30);
    let action = if reads { "DescribeInstances" } else { dice.of(&MUTATIONS) };
    let common = [
        What::NoConnection,
        What::LoseRequest,
        What::LoseReply,
        What::Throttle,
        What::InternalError,
        What::BadGateway,
        What::BadGatewayAfter,
        What::Truncate,
        What::NotJson,
        What::Slow(Duration::from_secs(dice.between(1, 90))),
    ];
    let what = if reads {
        match dice.below(4) {
            0 => What::Stale(dice.millis(500, 45_000)),
            1 if dice.chance(20) => What::Vanish,
            2 if dice.chance(30) => What::ExpireToken,
            _ => dice.of(&common),
        }
    } else {
        match dice.below(10) {
            0 => What::Fail("the simulated host is full".to_owned()),
            1 if action == "StopInstances" => What::Hang,
            2 if action == "ResetInstancesType" => What::SoldOut,
            3 if dice.chance(20) => What::Vanish,
            4 => What::ExpireToken,
            5 => What::Refuse(
                dice.of(&[
                    "UnsupportedOperation.InstanceStateFreezing",
                    "OperationDenied.InstanceOperationInProgress",
                    "InvalidInstance.NotSupported",
                    "ResourcesSoldOut.SpecifiedInstanceType",
                ])
                .to_owned(),
            ),
            _ => dice.of(&common),
        }
    };
    let mut fault = Fault::always(what).on(action);
    if dice.chance(40) {
        fault.instance = Some(dice.of(ids));
    }
    match dice.below(3) {
        0 => fault.call = Some(dice.between(1, if reads { 60 } else { 4 })),
        1 => {
            fault.chance = Some(dice.of(&[0.1, 0.3, 0.6]));
            fault.times = Some(u32::try_from(dice.between(1, 6)).unwrap());
        }
        _ => {
            let from = dice.between(0, 90);
            fault.from = Some(Duration::from_secs(from));
            fault.until = Some(Duration::from_secs(from + dice.between(2, 50)));
        }
    }
    fault
}

fn foreign(dice: &mut Dice, ids: &[InstanceId]) -> EventSpec {
    let act = match dice.below(16) {
        0..4 => ForeignAct::Start,
        4..7 => ForeignAct::Stop,
        7..9 => ForeignAct::Reboot,
        9..11 => ForeignAct::Resize(dice.of(&TYPES).into()),
        11..13 => ForeignAct::LoadKeys(vec![KeyId::from("skey-0ops0001")]),
        13 => ForeignAct::Vanish,
        14 => ForeignAct::Restrict,
        _ => ForeignAct::SellOut("S5.LARGE8".into()),
    };
    EventSpec { after: dice.millis(500, 150_000), instance: dice.of(ids), act }
}

fn life(dice: &mut Dice) -> Life {
    let cut = match dice.below(12) {
        0..3 => Some(Cut::BeforeAppend(dice.between(1, 30))),
        3..6 => Some(Cut::AfterAppend(dice.between(1, 30))),
        6 => Some(Cut::BeforeCall(dice.between(1, 40))),
        7 => Some(Cut::AfterCall(dice.between(1, 40))),
        8 => Some(Cut::BeforeMutation(dice.between(1, 8))),
        9 => Some(Cut::AfterMutation(dice.between(1, 8))),
        10 => Some(Cut::At(dice.millis(0, 120_000))),
        _ => None,
    };
    let mut orders = Vec::new();
    if cut.is_none() || dice.chance(25) {
        orders
            .push((dice.millis(0, 90_000), dice.of(&[Order::BringBack, Order::BringBack, Order::LeaveNow])));
        if dice.chance(30) {
            orders.push((dice.millis(0, 30_000), Order::LeaveNow));
        }
    }
    let dead = match dice.below(3) {
        0 => Duration::ZERO,
        1 => dice.millis(0, 20_000),
        _ => dice.millis(0, 300_000),
    };
    Life { cut, orders, dead, ..Life::default() }
}
