//! What two plans have in common if approving the one approves the other.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{EndPower, ImportKey, Plan, Refusal, Step, Warning};
use crate::cloud::{InstanceId, InstanceType, KeyId, PowerState};
use crate::workflow::{Check, OnFailure, Rollout, Stop};

/// The part of a plan that an approval is about. Not in it: prices, stock, notes, names, addresses;
/// the account, which the instances' ids imply and not every credential may read; and where the password comes from,
/// which the digest covers and which may be another path on another machine.
#[derive(Debug, Serialize)]
struct Essence<'a> {
    workflow: &'a str,
    digest: &'a str,
    region: &'a str,
    stop: &'a Stop,
    import_key: Option<&'a ImportKey>,
    checks: &'a [Check],
    on_failure: OnFailure,
    rollout: Rollout,
    downtime_budget: Option<Duration>,
    instances: Vec<EssentialInstance<'a>>,
}

#[derive(Debug, Serialize)]
struct EssentialInstance<'a> {
    id: &'a InstanceId,
    found: Option<(&'a PowerState, &'a InstanceType, &'a [KeyId], bool)>,
    steps: &'a [Step],
    ends: EndPower,
    canary: bool,
    refusals: &'a [Refusal],
    warnings: Vec<&'a Warning>,
}

impl Plan {
    /// The SHA-256, in hexadecimal, of what an approval of this plan is about: the workflow, and per instance the
    /// state that [`drift()`](super::drift()) measures, the steps, the end, refusals and lasting warnings.
    /// A plan approved elsewhere and the plan that a run finds are the same if their fingerprints are.
    pub fn fingerprint(&self) -> String {
        let instances =
            self.instances
                .iter()
                .map(|instance| EssentialInstance {
                    id: &instance.id,
                    found: instance.found.as_ref().map(|found| {
                        (&found.power, &found.instance_type, found.keys.as_slice(), found.windows)
                    }),
                    steps: &instance.steps,
                    ends: instance.ends,
                    canary: instance.canary,
                    refusals: &instance.refusals,
                    warnings: instance.warnings.iter().filter(|warning| !warning.is_passing()).collect(),
                })
                .collect();
        let essence = Essence {
            workflow: &self.workflow,
            digest: &self.digest,
            region: &self.region,
            stop: &self.stop,
            import_key: self.import_key.as_ref(),
            checks: &self.checks,
            on_failure: self.on_failure,
            rollout: self.rollout,
            downtime_budget: self.downtime_budget,
            instances,
        };
        // Fields are written in the order in which they are declared and there is no map: one plan, one text.
        // Only a path that is not Unicode can't be written so, and there is none in here; Debug tells plans apart too.
        let text = serde_json::to_string(&essence).unwrap_or_else(|_| format!("{essence:?}"));
        let mut hexadecimal = String::with_capacity(64);
        for byte in Sha256::digest(&text) {
            let _ = write!(hexadecimal, "{byte:02x}");
        }
        hexadecimal
    }
}
