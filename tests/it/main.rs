//! The one integration test binary.
#![expect(clippy::unwrap_used, reason = "what can't be had fails the test")]

mod assumed_role;
mod bad_workflows;
mod cli;
mod client_on_sim;
mod engine;
mod examples;
mod good_workflows;
mod layers;
mod plans;
mod rig;
mod sealed;
mod shipped;
mod terminal;
mod vendor_examples;
mod workflow_properties;
