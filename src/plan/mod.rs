//! What a workflow means for the instances that are there: per instance the steps, or why there can be none.
//!
//! Level 2. [`survey()`] asks the cloud (the only `async` here), [`build()`] is pure: the same workflow and the same
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
//! written like `1m 30s`. `downtime-budget`, and `fallbacks` in a resize, are there where the workflow has them.
//! Keys may be added in later versions; none changes its meaning.
//!
//! ```json
//! { "workflow": "resize-web", "digest": "9f86…", "region": "ap-guangzhou", "account": "100000000001",
//!   "stop": { "mode": "soft", "timeout": "10m", "charging": "keep" },
//!   "password": { "env": "NEW_PASSWORD" }, "import-key": null,
//!   "checks": [ { "tcp": { "host": null, "port": 22, "timeout": "2m" } } ],
//!   "on-failure": "start", "rollout": { "at-once": "20%", "canary": 1, "max-failures": 0 },
//!   "instances": [
//!     { "id": "ins-0web0001",
//!       "found": { "name": "web-1", "zone": "ap-guangzhou-3", "power": "RUNNING", "instance-type": "S5.MEDIUM4",
//!         "cpu": 2, "memory-gib": 4, "keys": ["skey-0old0001"], "private-ips": ["10.0.0.11"],
//!         "public-ips": ["203.0.113.11"], "disks": ["disk-0web0001"], "security-groups": ["sg-0web0001"],
//!         "windows": false, "os": "TencentOS Server 3.1", "uncharged": false },
//!       "steps": [ { "reset-password": { "user": "root" } },
//!         { "resize": { "from": "S5.MEDIUM4", "to": "S5.LARGE8", "cpu": 4, "memory-gib": 8 } } ],
//!       "ends": "running", "refusals": [], "warnings": [ "password-login-on", { "low-stock": "S5.LARGE8" } ],
//!       "price": { "price": { "per-hour": 1.2 }, "currency": "CNY" }, "canary": true },
//!     { "id": "ins-0none001", "found": null, "steps": [], "ends": "stopped", "refusals": [ "not-found" ],
//!       "warnings": [], "price": null } ],
//!   "notes": [] }
//! ```

mod build;
mod canary;
mod choice;
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
mod tags;
mod warning;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use build::{BuildError, build};
pub use drift::{differences, drift};
pub use inventory::{Inventory, OptionalRead, ResizeClass, Unread};
pub use model::{
    Approval, ApprovedPlan, EndPower, Fallback, Found, ImportKey, InstancePlan, Plan, PriceChange, Step,
};
pub use password::check_password;
pub use refusal::Refusal;
pub use survey::{SurveyError, survey};
pub use tags::Tags;
pub use warning::Warning;
