//! The workflow language, version 1: YAML text in, a checked [`Workflow`] or all complaints at once out.
//!
//! Level 1: it knows `cloud`'s words and nothing else. It does no I/O but [`file`], which reads the YAML file
//! and the public keys that it names. The types here say what is wanted; `plan` finds out what that means.

mod model;

pub use model::{
    Changes, Check, KeySource, LoadSshKey, OnFailure, ResetPassword, Resize, Rollout, SecretSource, Start,
    Stop, Target, Workflow,
};
