//! How much work a run is, in instructions: unlike time, they are nearly the same in every run and on every machine.
//!
//! Counted for all of it, the simulated cloud included, since neither may grow with the fleet faster than the fleet does.

use std::process::Command;

/// The instructions of one run, by the size of the fleet.
pub(crate) fn counts(sizes: &[usize]) -> Result<Vec<(usize, u64)>, String> {
    let before = instructions(0)?;
    let count = |size: &usize| {
        eprintln!("{size} …");
        // Of small fleets several runs are made.
        let runs = super::in_virtual_time::runs(*size);
        Ok((*size, instructions(*size)?.saturating_sub(before) / runs))
    };
    sizes.iter().map(count).collect()
}

/// The instructions of this program, run in virtual time.
fn instructions(size: usize) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    let ended = command.arg(program).args(["virtual", &size.to_string()]).output();
    let ended = ended.map_err(|error| format!("valgrind is needed for this: {error}"))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let count =
        said.lines().find_map(|line| line.split_once("refs:")?.1.trim().replace(',', "").parse().ok());
    count.ok_or_else(|| format!("valgrind does not count:\n{said}"))
}
