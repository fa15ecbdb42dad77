//! What a fleet costs: the downtime that is added to what the cloud's own operations take, calls, time against the
//! limit that the vendor's rates set, processor and memory; for Pitstop, and for what people do without it.
//!
//! N instances of one region, three changes (key, password, resize), as many at once as the client can. Simulated durations
//! stop 8 s, key 3 s, password 2 s, resize 6 s, start 5 s, each ± 20 %, the way over the network 30 ms ± 50 %; Pitstop has
//! the experience of an earlier run of 100 instances.
//!
//! ```text
//! cargo bench --bench fleet                            all of it, in real time: some 35 minutes
//! cargo bench --bench fleet -- alone [N…]              Pitstop alone
//! cargo bench --bench fleet -- alone 10000             the largest: another 20 minutes
//! cargo bench --bench fleet -- virtual [N…] [boots]    Pitstop in one process and in virtual time: seconds
//! cargo bench --bench fleet -- work [N…]               instructions of the same, counted by valgrind: minutes
//! ```
//!
//! In real time every client is a process that talks over HTTP on loopback to a `pitstop sim` of its own, with the same
//! fleet and the same seeds. The others are benches/peers/sdk.py and benches/peers/tccli.sh; their packages come from the
//! Python package index, once, which needs Python 3.9 or newer with venv. `boots`: the resize powers instances on.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::print_stderr, reason = "it says what it is at")]

use std::process::ExitCode;

use figures::Figures;
use in_real_time::{Bench, Who};

mod figures;
mod in_real_time;
mod in_virtual_time;
mod made;
mod process;
mod table;
mod work;

#[path = "../../tests/it/rig.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "it is test code, and the tests use the rest")]
mod rig;

/// How many instances, unless told otherwise.
const SIZES: [usize; 4] = [1, 20, 200, 1_000];
/// The same for counting instructions.
const WORK_SIZES: [usize; 3] = [100, 1_000, 10_000];

type Columns = Vec<(String, Figures)>;

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut sizes: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let has = |word: &str| words.iter().any(|given| given == word);
    if sizes.is_empty() {
        sizes = if has("work") { WORK_SIZES.to_vec() } else { SIZES.to_vec() };
    }
    let known = |word: &String| {
        ["alone", "virtual", "boots", "work"].contains(&word.as_str()) || word.parse::<usize>().is_ok()
    };
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        eprintln!(
            "`{unknown}` is not known; the words are: alone, virtual, boots, work, and numbers of instances"
        );
        return ExitCode::FAILURE;
    }
    let table = if has("work") {
        work::counts(&sizes).map(|counts| table::work(&counts))
    } else if has("virtual") {
        Ok(table::table(&in_virtual_time(&sizes, has("boots"))))
    } else {
        in_real_time(&sizes, has("alone")).map(|columns| table::table(&columns))
    };
    match table {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn in_virtual_time(sizes: &[usize], boots: bool) -> Columns {
    let column = |size: &usize| {
        eprintln!("{size} …");
        (format!("N = {size}"), in_virtual_time::figures(*size, boots))
    };
    sizes.iter().map(column).collect()
}

fn in_real_time(sizes: &[usize], alone: bool) -> Result<Columns, String> {
    eprintln!("experience …");
    let bench = Bench::new(!alone)?;
    let mut columns = Columns::new();
    for size in sizes {
        for who in Who::ALL {
            if *size <= who.most() && (who == Who::Pitstop || !alone) {
                eprintln!("{} for {size} …", who.name());
                columns.push((format!("{} {size}", who.name()), bench.figures(who, *size)?));
            }
        }
    }
    Ok(columns)
}
