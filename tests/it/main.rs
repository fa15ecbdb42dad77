//! The one integration test binary.

mod bad_workflows;
mod client_on_sim;
mod engine;
mod good_workflows;
mod layers;
mod plans;
mod rig;
mod vendor_examples;
mod workflow_properties;
