//! The real client of Tencent Cloud.
//!
//! Level 1: it implements `cloud`'s traits over the vendor's API 3.0.

pub mod sign;
pub mod wire;
