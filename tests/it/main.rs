//! The one integration test binary.
#![expect(clippy::unwrap_used, reason = "what can't be had fails the test")]

mod assumed_role;
mod bad_workflows;
mod cli;
mod client_on_sim;
mod completions;
mod doctor;
mod engine;
mod examples;
mod explain;
mod fleet;
mod fuzz;
mod good_workflows;
mod holding;
mod init;
mod journals;
mod layers;
mod page;
mod plans;
mod policy;
mod process;
mod proxy;
mod resume;
mod rig;
mod rollout;
mod schema;
mod sealed;
mod secrets;
mod shipped;
mod terminal;
mod vendor_examples;
mod way_back;
mod workflow_properties;
