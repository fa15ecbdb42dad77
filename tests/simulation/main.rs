//! The simulation that proves the engine: the real engine, journal and client against the simulated cloud under
//! virtual time, with everything that can go wrong going wrong, and with the process ending anywhere.
//!
//! ```text
//! cargo test --release --test simulation                        as many seeds as usual, and the matrix
//! PITSTOP_SEEDS=10000 cargo test --release --test simulation    so many seeds; PITSTOP_FROM=N begins at N
//! PITSTOP_FRESH=500 cargo test --release --test simulation      so many more that nobody has seen before
//! PITSTOP_SEED=7 cargo test --release --test simulation         one seed, with its whole story
//! ```
//!
//! Built with optimization it is ten times as fast; without `--release` the same seeds tell the same stories.
//!
//! The same seed gives the same story. Each seed runs on a thread of its own runtime with paused time.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a test with a main of its own")]

mod checks;
mod excuses;
mod fuse;
mod matrix;
mod scenario;
mod second_thoughts;
mod shelf;
mod story;
mod witness;

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
        let fresh = number("PITSTOP_FRESH").unwrap_or(0);
        if fresh > 0 {
            // Those of one second end long before those of the next begin.
            let now = pitstop::clock::Clock::system().now().as_second().unsigned_abs();
            well &= seeds(now << 12, fresh);
        }
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
    on_disk: AtomicUsize,
    cuts: AtomicUsize,
    hung: AtomicUsize,
    fenced: AtomicUsize,
    calls: AtomicUsize,
    faulted: AtomicUsize,
    records: AtomicUsize,
    failed_writes: AtomicUsize,
}

impl Figures {
    fn add(&self, scenario: &Scenario, story: &Story) {
        let calls = || {
            story.log.iter().filter_map(|entry| match &entry.what {
                Happening::Call { faults, .. } => Some(faults),
                _ => None,
            })
        };
        for (figure, more) in [
            (&self.runs, 1),
            (&self.on_disk, usize::from(scenario.on_disk)),
            (&self.cuts, story.cuts - story.hung),
            (&self.hung, story.hung),
            (&self.fenced, story.fenced),
            (&self.calls, calls().count()),
            (&self.faulted, calls().filter(|faults| !faults.is_empty()).count()),
            (&self.records, story.records.len()),
            (&self.failed_writes, story.failed_writes),
        ] {
            figure.fetch_add(more, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |figure: &AtomicUsize| figure.load(Ordering::Relaxed);
        write!(
            f,
            "{} runs ({} on SQLite), {} crashes, {} processes that hung ({} found their run taken), {} calls of which \
             {} faulted, {} records, {} failed writes",
            of(&self.runs),
            of(&self.on_disk),
            of(&self.cuts),
            of(&self.hung),
            of(&self.fenced),
            of(&self.calls),
            of(&self.faulted),
            of(&self.records),
            of(&self.failed_writes),
        )
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

/// A story without the order of what happened at one moment: tokio wakes those who wait for the same order by chance.
fn unordered(story: &Story) -> Vec<String> {
    let told = story.told();
    let without_number = |line: &str| match line.split_once(" journal ") {
        Some((at, rest)) => {
            format!("{at} {}", rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => line.to_owned(),
    };
    let mut lines: Vec<_> = told.lines().map(without_number).collect();
    lines.sort();
    lines
}

fn seeds(from: u64, count: u64) -> bool {
    let figures = Figures::default();
    let bad: Mutex<Vec<(u64, Vec<String>)>> = Mutex::default();
    spread(count, |at| {
        let seed = from + at;
        let scenario = Scenario::draw(seed);
        let (story, mut found) = judged(&scenario);
        if let Some(story) = &story {
            figures.add(&scenario, story);
            if seed.is_multiple_of(TWICE)
                && judged(&scenario).0.is_none_or(|again| unordered(&again) != unordered(story))
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
        println!("  replay: PITSTOP_SEED={seed} cargo test{} --test simulation", release());
    }
    println!("simulation: {count} seeds from {from}: {figures}, {} violations", bad.len());
    bad.is_empty()
}

/// What makes cargo build this again as it was built.
fn release() -> &'static str {
    if cfg!(debug_assertions) { "" } else { " --release" }
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
    let on_disk = cases.iter().filter(|case| case.on_disk).count();
    println!(
        "matrix: {} disturbances of the shipped workflows ({on_disk} on SQLite), {bad} violations",
        cases.len()
    );
    if bad > 0 {
        println!("  replay: cargo test{} --test simulation matrix", release());
    }
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
