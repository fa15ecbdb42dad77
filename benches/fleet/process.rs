//! What a process costs this machine, its children included, out of /proc.

use std::fs;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// How often memory is looked at. The kernel keeps each process's peak, so only its last moments can be missed.
const EVERY: Duration = Duration::from_millis(100);

/// What a process cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Processor time of it and of the children that it waited for.
    pub(crate) processor: Duration,
    /// The most memory that it and its children held at a time, in KiB.
    pub(crate) memory: u64,
}

/// Watches a process until it ends; the error says how it ended badly.
#[expect(clippy::disallowed_methods, reason = "it measures a process in real time")]
pub(crate) fn watch(mut child: Child) -> Result<Spent, String> {
    let id = child.id();
    let mut memory = 0;
    // Seen, but not waited for: its account in /proc stays open until it is.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(Pid::from_child(&child)), options).map_err(|error| error.to_string())?.is_none()
    {
        memory = memory.max(peak(id));
        std::thread::sleep(EVERY);
    }
    let processor = processor(id);
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(Spent { processor, memory }) } else { Err(status.to_string()) }
}

/// The processor time of a process and of the children that it waited for.
pub(crate) fn processor(id: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in front is in brackets, and may hold anything; behind it follow the third field and all others.
    let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
}

/// The peak memory of a process and of all below it that live now, in KiB.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let own =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let below: u64 = children.split_whitespace().filter_map(|child| child.parse().ok()).map(peak).sum();
    own.unwrap_or(0) + below
}
