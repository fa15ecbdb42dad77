//! Pitstop stops a cloud instance, changes what can only be changed while it is stopped, and brings it back.
//!
//! The modules are layers, and imports run one way; `tests/it/layers.rs` reads this table and enforces it:
//!
//! | level | module | may import | what it is |
//! | --- | --- | --- | --- |
//! | 0 | [`clock`] | nothing | time and pauses |
//! | 0 | [`cloud`] | nothing | the boundary: what is asked of a cloud |
//! | 1 | [`workflow`] | cloud | the YAML language |
//! | 1 | [`tencent`] | clock, cloud | the vendor's API |
//! | 2 | [`plan`] | cloud, workflow | what a workflow means for these instances |
//! | 2 | [`sim`] | clock, cloud, `tencent::{wire, sign}` | a simulated cloud |
//! | 3 | [`journal`] | clock, cloud, workflow, plan | what happened, durable, and what may happen next |
//! | 4 | [`run`] | all of the above but tencent and sim | the engine |
//! | 4 | [`report`] | all of the above but tencent and sim, never run | what a person or a program reads |
//! | 5 | [`cli`] | everything | the command line; only here are concrete parts named |

pub mod cli;
pub mod clock;
pub mod cloud;
pub mod journal;
pub mod plan;
pub mod report;
pub mod run;
pub mod sim;
pub mod tencent;
pub mod workflow;
