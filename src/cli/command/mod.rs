//! One file per group of commands.

pub(super) mod check;
pub(super) mod plan;
mod resume;
pub(super) mod run;
pub(super) mod runs;
pub(super) mod sim;
