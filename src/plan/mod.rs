//! What a workflow means for the instances that are there: per instance the steps, or why there can be none.
//!
//! Level 2. [`survey`] asks the cloud (the only `async` here), [`build`] is pure: the same workflow and the same
//! [`Inventory`] give the same [`Plan`]. A plan holds no secret, only where a secret comes from, so it goes into
//! the journal whole and a run can be taken up again from there.
//! Only [`Plan::approve`] makes an [`ApprovedPlan`], and only that can be run.
//!
//! # What decides
//!
//! - A change that is there already is no step; without steps and with the power as it shall be, an instance is
//!   left alone, and nothing that would hinder a stop is held against it.
//! - Every reason against an instance is collected, not only the first.
//! - A read that the vendor's site does not offer, or that the credentials may not make, becomes a note
//!   ("not checked: …"), unless the plan could not be made without it.
//!
//! # A plan as JSON
//!
//! `plan --output json` prints a [`Plan`] as serde writes it: kebab-case keys; a [`Step`], [`Refusal`] or [`Warning`]
//! with data is an object with one key, its name, and one without data is its name as a string; durations are
//! `{"secs", "nanos"}`. Keys may be added in later versions; none changes its meaning.
//!
//! ```json
//! { "workflow": "resize-web", "digest": "9f86…", "region": "ap-guangzhou", "account": "100000000001",
//!   "stop": { "mode": "soft", "timeout": { "secs": 600, "nanos": 0 }, "charging": "keep" },
//!   "password": null, "import-key": null, "checks": [], "on-failure": "start",
//!   "rollout": { "at-once": 5, "max-failures": 0 },
//!   "instances": [ { "id": "ins-0web0001",
//!     "found": { "name": "web-1", "zone": "ap-guangzhou-3", "power": "RUNNING", "instance-type": "S5.MEDIUM4" },
//!     "steps": [ { "resize": { "from": "S5.MEDIUM4", "to": "S5.LARGE8", "cpu": 4, "memory-gib": 8 } } ],
//!     "ends": "running", "refusals": [], "warnings": [ { "low-stock": "S5.LARGE8" } ],
//!     "price": { "price": { "per-hour": 1.2 }, "currency": "CNY" } } ],
//!   "notes": [] }
//! ```

mod build;
mod drift;
mod fingerprint;
mod intent;
mod inventory;
mod key;
mod model;
mod password;
mod refusal;
mod resize;
mod survey;
mod warning;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use build::{BuildError, build};
pub use drift::{differences, drift};
pub use inventory::{Inventory, OptionalRead, ResizeClass, Unread};
pub use model::{Approval, ApprovedPlan, EndPower, Found, ImportKey, InstancePlan, Plan, PriceChange, Step};
pub use password::check_password;
pub use refusal::Refusal;
pub use survey::{SurveyError, survey};
pub use warning::Warning;
