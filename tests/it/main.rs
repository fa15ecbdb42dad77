//! The one integration test binary.

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
mod terminal;
mod vendor_examples;
mod workflow_properties;
