//! The one integration test binary.

mod bad_workflows;
mod good_workflows;
