//! What happened, durably, and what may happen next.
//!
//! Level 3. One event family serves the live feed, the disk format, replay and every report. [`State::next`] is the
//! only way to change an instance's state, and its table is the only place that says which event is legal when.
//! A [`Recorded`] intent is proof that it was written before it is carried out: only [`Journal::intend`] makes one.

mod event;
mod failure;
mod lifeline;
mod memory;
mod seconds;
mod sqlite;
mod state;
mod store;
mod writer;

pub use event::{Event, Halt, Intent, Order, Record, RunId, Verdict};
pub use failure::Failure;
pub use memory::Memory;
pub use sqlite::{Examination, Sqlite};
pub use state::{IllegalEvent, Ledger, Refused, RollBack, Stage, State, Vanished};
pub use store::{Claim, LEASE, Lease, Place, RunSummary, Store, StoreError, Took};
pub use writer::{FORMAT, Joint, Journal, Recorded, nothing_was_sent};

#[cfg(test)]
mod tests;
