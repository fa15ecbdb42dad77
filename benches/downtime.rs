//! How much downtime Pitstop adds to what the cloud's own operations take, and with how many calls.
//!
//! One instance, three changes; simulated durations stop 8 s, password 2 s, key 3 s, resize 6 s, start 5 s, each
//! ± 20 %, the way over the network 30 ms ± 50 %. Virtual time, so a seed takes milliseconds and gives the same
//! figures everywhere. Added downtime is taken from the world's own log: the time without power, less the time that
//! its operations ran. Besides: how long `pitstop check` takes as a process, and how large the program is.
//!
//! `cargo bench --bench downtime`
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures a process in real time")]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pitstop::cloud::PowerState;
use pitstop::journal::{Memory, Store, Verdict};
use pitstop::sim::{Actor, Effect, Happening, LogEntry, ResizeBoots};

#[path = "../tests/it/rig.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "it is test code, and the tests use the rest")]
mod rig;

/// How many runs are made before counting, so that there is experience to go by.
const BEFORE: u64 = 5;
const SEEDS: u64 = 200;

/// What one run cost.
struct Cost {
    down: Duration,
    operations: Duration,
    calls: usize,
}

impl Cost {
    fn added(&self) -> Duration {
        self.down.saturating_sub(self.operations)
    }
}

fn main() {
    println!("one instance, three changes, {SEEDS} seeds, after {BEFORE} runs for experience\n");
    println!("{:30} {:>8} {:>8} {:>8}", "", "median", "p99", "max");
    for (boots, words) in
        [(ResizeBoots::Never, "resize leaves it stopped"), (ResizeBoots::Always, "resize powers it on")]
    {
        let costs = costs(boots);
        row(&format!("{words}: added, s"), costs.iter().map(|cost| cost.added().as_secs_f64()).collect());
        row(&format!("{words}: down, s"), costs.iter().map(|cost| cost.down.as_secs_f64()).collect());
        #[expect(clippy::cast_precision_loss, reason = "tens of calls")]
        row(&format!("{words}: calls"), costs.iter().map(|cost| cost.calls as f64).collect());
    }
    let program = env!("CARGO_BIN_EXE_pitstop");
    row("pitstop check, ms", check_times(program));
    let bytes = std::fs::metadata(program).map_or(0, |metadata| metadata.len());
    println!("{:30} {:>8}", "program, MB", bytes / 1_000_000);
}

fn costs(boots: ResizeBoots) -> Vec<Cost> {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    (0..BEFORE + SEEDS)
        .map(|seed| cost(seed, boots, &store))
        .skip(usize::try_from(BEFORE).unwrap_or(0))
        .collect()
}

fn cost(seed: u64, boots: ResizeBoots, store: &Arc<dyn Store>) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let ran = runtime.expect("a runtime").block_on(async {
        let mut rig = rig::Rig { seed, store: Arc::clone(store), ..rig::Rig::default() };
        rig.fleet.resize_boots = boots;
        rig.run(rig::THREE).await
    });
    assert_eq!(ran.verdict(rig::WEB), Some(&Verdict::Done), "{}", ran.told());
    Cost { down: down(&ran.log), operations: operations(&ran.log), calls: ran.calls() }
}

/// From the moment the instance left RUNNING to the moment it was back.
fn down(log: &[LogEntry]) -> Duration {
    let moment = |wanted: fn(&PowerState, &PowerState) -> bool| {
        log.iter().rev().find_map(|entry| match &entry.what {
            Happening::Changed { effect: Effect::Power { from, to }, .. } if wanted(from, to) => {
                Some(entry.at)
            }
            _ => None,
        })
    };
    let left = moment(|from, _| *from == PowerState::Running).expect("it was stopped");
    let back = moment(|_, to| *to == PowerState::Running).expect("it was started");
    pitstop::clock::between(left, back)
}

/// The time that operations ran, summed up.
fn operations(log: &[LogEntry]) -> Duration {
    let mut total = Duration::ZERO;
    let mut began = None;
    for entry in log {
        match &entry.what {
            Happening::Began { by: Actor::Caller, .. } => began = Some(entry.at),
            Happening::Changed { effect: Effect::Ended { .. }, .. } => {
                total +=
                    began.take().map_or(Duration::ZERO, |began| pitstop::clock::between(began, entry.at));
            }
            _ => {}
        }
    }
    total
}

fn check_times(program: &str) -> Vec<f64> {
    let check = || {
        let began = Instant::now();
        let status = Command::new(program)
            .args(["check", "workflows/resize.yaml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "pitstop check failed");
        began.elapsed().as_secs_f64() * 1000.0
    };
    (0..50).map(|_| check()).collect()
}

fn row(words: &str, mut figures: Vec<f64>) {
    figures.sort_by(f64::total_cmp);
    let at = |part: usize| figures[(figures.len() - 1) * part / 100];
    println!("{words:30} {:>8.2} {:>8.2} {:>8.2}", at(50), at(99), at(100));
}
