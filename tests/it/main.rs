//! The one integration test binary.

mod bad_workflows;
mod engine;
mod good_workflows;
mod rig;
mod vendor_examples;
