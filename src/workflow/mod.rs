//! The workflow language, version 1: YAML text in, a checked [`Workflow`] or all complaints at once out.
//!
//! Level 1: it knows `cloud`'s words and nothing else. It does no I/O but [`mod@file`], which reads the YAML file
//! and the public keys that it names. The types here say what is wanted; `plan` finds out what that means.
//!
//! The way of a file: bytes → `source` (size, UTF-8) → `tree` (saphyr for places, serde_yaml for data, refused
//! where they differ) → `params` (substitution in the tree) → `reader` and the parts of the language (`sections`,
//! `changes`, `rollout`, `later`), which check as they read, so that every complaint has its exact place → [`Workflow`].
//!
//! Alternative not taken: serde mirror structs over serde_yaml. serde stops at the first error and its errors have a
//! path at best; giving all complaints would need a second, structural reading beside it, and two descriptions of one
//! language drift apart.

mod changes;
mod diagnostic;
mod document;
pub mod file;
mod later;
mod model;
mod params;
mod reader;
mod rollout;
mod schema;
mod secret;
mod sections;
mod source;
mod tree;
mod value;

pub use diagnostic::{Code, Complaint, Diagnostic, Diagnostics, Suggestion};
pub use document::Document;
pub use model::{
    Changes, Check, KeySource, LoadSshKey, OnFailure, ResetPassword, Resize, SecretSource, Start, Stop,
    Target, Workflow,
};
pub use params::Param;
pub use rollout::{Pause, Rollout, Share};
pub use schema::schema;
