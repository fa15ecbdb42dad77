//! The real client of Tencent Cloud.
//!
//! Level 1: it implements `cloud`'s traits over the vendor's API 3.0. A call runs through these parts:
//!
//! | part | what it does |
//! | --- | --- |
//! | `client`, `survey` | which action with which parameters; answers in the boundary's terms |
//! | [`Api`] | every action that is called |
//! | [`Policy`] | the least access policy that allows a piece of work |
//! | [`decode`] | the vendor's answers, every field optional |
//! | `channel` | one call: turn, credential, signature, transport, verdict, repetition |
//! | [`limits`] | the vendor's ceilings on calls per second |
//! | [`credentials`] | who we are, found in the vendor's own places and renewed in time |
//! | [`sign`], [`wire`] | the signature and the protocol, shared with the simulator |
//! | [`mod@classify`] | what an error code means |
//! | `retry` | when a failed call is sent again |
//! | [`knock()`] | whether the cloud answers at all |
//! | `endpoint` | the vendor's hosts, or the one that the user names |
//! | [`http`] | the transport over reqwest; all other parts run on any transport, under virtual time too |

mod api;
mod channel;
pub mod classify;
mod client;
pub mod credentials;
pub mod decode;
mod endpoint;
mod filter;
pub mod http;
mod knock;
pub mod limits;
mod policy;
mod retry;
#[cfg(test)]
mod scripted;
pub mod sign;
mod survey;
pub mod wire;

pub use api::Api;
pub use client::{Client, Settings};
pub use endpoint::{Endpoint, EndpointError};
pub use knock::{Knock, knock};
pub use limits::Limits;
pub use policy::{LONGEST_POLICY, Policy, Work};
pub use retry::Retry;
