//! What a whole fleet costs: downtime that Pitstop adds, calls, time against the limit that the vendor's rates set.
//!
//! N instances of one region, three changes (key, password, resize), all of them at once if the cloud lets it. Simulated
//! durations stop 8 s, key 3 s, password 2 s, resize 6 s, start 5 s, each ± 20 %, the way over the network 30 ms
//! ± 50 %, and the experience of an earlier run of 100 instances.
//!
//! `cargo bench --bench fleet -- virtual [N…] [boots]` runs in one process and virtual time: a fleet of 1,000 takes
//! seconds, and a seed gives the same figures everywhere. `boots`: the resize powers instances on.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::print_stderr, reason = "it says what it is at")]

use figures::Figures;

mod figures;
mod in_virtual_time;
mod made;
mod table;

#[path = "../../tests/it/rig.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "it is test code, and the tests use the rest")]
mod rig;

/// How many instances, unless told otherwise.
const SIZES: [usize; 4] = [1, 20, 200, 1_000];

fn main() {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut sizes: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    let boots = words.iter().any(|word| word == "boots");
    let known = |word: &String| word == "virtual" || word == "boots" || word.parse::<usize>().is_ok();
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        eprintln!("`{unknown}` is not known; write: cargo bench --bench fleet -- virtual [N…] [boots]");
        return;
    }
    let columns: Vec<(String, Figures)> = sizes
        .into_iter()
        .map(|size| {
            eprintln!("{size} …");
            (format!("N = {size}"), in_virtual_time::figures(size, boots))
        })
        .collect();
    let after = if boots { "powers them on" } else { "leaves them stopped" };
    println!("virtual time; the resize {after}\n");
    print!("{}", table::table(&columns));
}
