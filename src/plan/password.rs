//! Whether the new password is accepted everywhere, before anything stops.

use secrecy::{ExposeSecret, SecretString};

use super::{Plan, Refusal, Step};
use crate::cloud::password::{Rule, check};

/// Adds a refusal to every instance whose operating system's rule `password` breaks (CVM API,
/// ResetInstancesPassword). The secret is read elsewhere; nothing of it gets into the plan.
///
/// Idempotent: the verdict on an earlier password is replaced.
pub fn check_password(plan: &mut Plan, password: &SecretString) {
    for instance in &mut plan.instances {
        instance.refusals.retain(|refusal| !matches!(refusal, Refusal::Password(_)));
        let windows = instance.found.as_ref().is_some_and(|found| found.windows);
        let rule = if windows { Rule::Windows } else { Rule::Linux };
        let user = instance.steps.iter().find_map(|step| match step {
            Step::ResetPassword { user } => Some(user),
            Step::LoadSshKeys { .. } | Step::Resize { .. } => None,
        });
        if let Some(Err(weakness)) = user.map(|user| check(password.expose_secret(), user, rule)) {
            instance.refusals.push(Refusal::Password(weakness));
        }
    }
}
