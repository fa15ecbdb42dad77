//! What a workflow means for the instances that are there: per instance the steps, or why there can be none.
//!
//! Level 2. [`survey`] asks the cloud (the only `async` here), [`build`] is pure: the same workflow and the same
//! survey give the same [`Plan`]. A plan holds no secret, only where a secret comes from, so it goes into the
//! journal whole and a run can be taken up again from there.
//! Only [`Plan::approve`] makes an [`ApprovedPlan`], and only that can be run.

mod model;

pub use model::{
    Approval, ApprovedPlan, EndPower, Found, ImportKey, InstancePlan, Plan, PriceChange, Refusal, Step,
    Warning,
};
