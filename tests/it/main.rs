//! The one integration test binary.

mod bad_workflows;
mod engine;
mod good_workflows;
mod layers;
mod plans;
mod rig;
mod vendor_examples;
