//! The simulation that proves the engine: the real engine, journal and client against the simulated cloud under
//! virtual time, with everything that can go wrong going wrong, and with the process ending anywhere.
//!
//! ```text
//! cargo test --release --test simulation                        as many seeds as usual, and the matrix
//! PITSTOP_SEEDS=10000 cargo test --release --test simulation    so many seeds; PITSTOP_FROM=N begins at N
//! PITSTOP_SEED=7 cargo test --release --test simulation         one seed, with its whole story
//! ```
//!
//! The same seed gives the same story. Each seed runs on a thread of its own runtime with paused time.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a test with a main of its own")]

mod checks;
mod fuse;
mod matrix;
mod scenario;
mod second_thoughts;
mod story;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pitstop::sim::Happening;

use crate::scenario::Scenario;
use crate::story::Story;

/// How many seeds run if nobody says.
const SEEDS: u64 = if cfg!(debug_assertions) { 100 } else { 2_000 };
/// Of so many seeds one is played twice, to see that both stories are the same.
const TWICE: u64 = 50;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        println!("seeds: test\nmatrix: test");
        return ExitCode::SUCCESS;
    }
    let filter = words.iter().find(|word| !word.starts_with('-'));
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter.as_str()));
    if let Some(seed) = number("PITSTOP_SEED") {
        return replay(seed);
    }
    let mut well = true;
    if wanted("seeds") {
        well &= seeds(number("PITSTOP_FROM").unwrap_or(0), number("PITSTOP_SEEDS").unwrap_or(SEEDS));
    }
    if wanted("matrix") {
        well &= whole_matrix();
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does the work for all of `items`, spread over the machine's cores.
fn spread(count: u64, work: impl Fn(u64) + Sync) {
    let threads = number("PITSTOP_THREADS").map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        |threads| usize::try_from(threads).unwrap(),
    );
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    work(at);
                }
            });
        }
    });
}

#[derive(Default)]
struct Figures {
    runs: AtomicUsize,
    cuts: AtomicUsize,
    calls: AtomicUsize,
    faulted: AtomicUsize,
    records: AtomicUsize,
}

impl Figures {
    fn add(&self, story: &Story) {
        let calls = || {
            story.log.iter().filter_map(|entry| match &entry.what {
                Happening::Call { faults, .. } => Some(faults),
                _ => None,
            })
        };
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.cuts.fetch_add(story.cuts, Ordering::Relaxed);
        self.calls.fetch_add(calls().count(), Ordering::Relaxed);
        self.faulted.fetch_add(calls().filter(|faults| !faults.is_empty()).count(), Ordering::Relaxed);
        self.records.fetch_add(story.records.len(), Ordering::Relaxed);
    }
}

/// A scenario's violations; a panic is one.
fn judged(scenario: &Scenario) -> (Option<Story>, Vec<String>) {
    let played = std::panic::catch_unwind(|| story::play(scenario, None));
    match played {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            (None, vec![format!("panic: {}", text.unwrap_or_default())])
        }
        Ok(None) => (None, Vec::new()),
        Ok(Some(story)) => {
            let found = checks::violations(scenario, &story);
            (Some(story), found)
        }
    }
}

fn seeds(from: u64, count: u64) -> bool {
    let figures = Figures::default();
    let bad: Mutex<Vec<(u64, Vec<String>)>> = Mutex::default();
    spread(count, |at| {
        let seed = from + at;
        let scenario = Scenario::draw(seed);
        let (story, mut found) = judged(&scenario);
        if let Some(story) = &story {
            figures.add(story);
            if seed.is_multiple_of(TWICE)
                && judged(&scenario).0.is_none_or(|again| again.told() != story.told())
            {
                found.push("the same seed gives another story".to_owned());
            }
        }
        if !found.is_empty() {
            bad.lock().unwrap().push((seed, found));
        }
    });
    let mut bad = bad.into_inner().unwrap();
    bad.sort();
    for (seed, found) in &bad {
        println!("seed {seed}:");
        for what in found {
            println!("  {what}");
        }
        println!("  replay: PITSTOP_SEED={seed} cargo test --release --test simulation");
    }
    let [runs, cuts, calls, faulted, records] =
        [&figures.runs, &figures.cuts, &figures.calls, &figures.faulted, &figures.records]
            .map(|figure| figure.load(Ordering::Relaxed));
    println!(
        "simulation: {count} seeds from {from}, {runs} runs, {cuts} crashes, {calls} calls of which {faulted} faulted, \
         {records} records, {} violations",
        bad.len()
    );
    bad.is_empty()
}

fn whole_matrix() -> bool {
    let cases = matrix::cases();
    let bad = Mutex::new(0_usize);
    spread(cases.len() as u64, |at| {
        let case = &cases[usize::try_from(at).unwrap()];
        let found = case.judge();
        if !found.is_empty() {
            let mut bad = bad.lock().unwrap();
            *bad += 1;
            println!("{case:?}:");
            for what in found {
                println!("  {what}");
            }
        }
    });
    let bad = bad.into_inner().unwrap();
    println!("matrix: {} disturbances of the shipped workflows, {bad} violations", cases.len());
    bad == 0
}

fn replay(seed: u64) -> ExitCode {
    let scenario = Scenario::draw(seed);
    println!("{}", scenario.workflow);
    for spec in &scenario.fleet.instances {
        println!("{} {} {} {:?} {:?}", spec.id, spec.instance_type, spec.state, spec.os, spec.guest);
    }
    for fault in &scenario.faults {
        println!("{fault:?}");
    }
    for event in &scenario.fleet.events {
        println!("{event:?}");
    }
    println!("{:?}\n{:?} {:?}", scenario.lives, scenario.fleet.timings, scenario.fleet.resize_boots);
    let (story, found) = judged(&scenario);
    if let Some(story) = story {
        println!("{}", story.told());
        println!("{:#?}", story.outcome);
        println!("{} lives, {} crashes, {:?}", story.lives, story.cuts, story.took);
    }
    for what in &found {
        println!("violation: {what}");
    }
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
