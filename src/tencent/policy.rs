//! The least access policy for a piece of work, in the vendor's language (CAM, "element reference"; which actions can
//! be restricted to resources: the CVM page "authorisable resources").
//!
//! It is derived from the list of all calls that there are, [`Api`]: one match says for each what needs it and what it
//! can be restricted to, so a call that is added to the client has to be judged here before it compiles.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::api::Api;
use crate::cloud::{Action, InstanceId, KeyId};

/// The longest policy that CAM takes, in characters (the page "manage custom policies").
pub const LONGEST_POLICY: usize = 6144;

/// The work to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The region.
    pub region: String,
    /// The main account's uin; `None` means the account in which the policy is made.
    pub account: Option<String>,
    /// The instances; `None`: all of the region.
    pub instances: Option<Vec<InstanceId>>,
    /// What is done to them.
    pub actions: BTreeSet<Action>,
    /// The only key that is bound; `None`: any.
    pub key: Option<KeyId>,
    /// The key may have to be imported first.
    pub import_key: bool,
    /// The instances are prepaid, so that a resize is an order that has to be paid.
    pub prepaid: bool,
}

/// An access policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Statement {
    effect: &'static str,
    action: Vec<String>,
    resource: Vec<String>,
}

/// What an action can be restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Instances.
    Instances,
    /// Instances, and the keys that are bound to them: both have to be allowed.
    InstancesAndKeys,
    /// Keys.
    Keys,
    /// Nothing: a narrower resource than `*` denies the call.
    Everything,
}

impl Work {
    /// What this call is restricted to, if the work needs it.
    fn scope(&self, api: Api) -> Option<Scope> {
        let does = |action| self.actions.contains(&action);
        let (needed, scope) = match api {
            Api::StopInstances => (does(Action::Stop), Scope::Instances),
            Api::StartInstances => (does(Action::Start), Scope::Instances),
            Api::ResetInstancesType => (does(Action::Resize), Scope::Instances),
            Api::ResetInstancesPassword => (does(Action::ResetPassword), Scope::Instances),
            Api::AssociateInstancesKeyPairs => (does(Action::LoadSshKeys), Scope::InstancesAndKeys),
            Api::ImportKeyPair => (self.import_key, Scope::Keys),
            Api::DescribeKeyPairs => (does(Action::LoadSshKeys), Scope::Everything),
            Api::DescribeInstancesModification
            | Api::DescribeZoneInstanceConfigInfos
            | Api::InquiryPriceResetInstancesType
            | Api::DescribeInstancesOperationLimit => (does(Action::Resize), Scope::Everything),
            Api::DescribeInstances
            | Api::DescribeTaskInfo
            | Api::DescribeInstancesActionTimer
            | Api::DescribeAutoScalingInstances
            | Api::DescribeLBListeners
            | Api::DescribeTargetHealth
            | Api::GetCallerIdentity => (true, Scope::Everything),
            // A role is assumed by another identity, which needs this and nothing of the above; the policy is for the role.
            Api::AssumeRole | Api::AssumeRoleWithWebIdentity => (false, Scope::Everything),
        };
        needed.then_some(scope)
    }

    fn resource(&self, thing: &str) -> String {
        let account = self.account.as_ref().map(|uin| format!("uin/{uin}")).unwrap_or_default();
        format!("qcs::cvm:{}:{account}:{thing}", self.region)
    }

    fn instances(&self) -> Vec<String> {
        match &self.instances {
            Some(ids) => ids.iter().map(|id| self.resource(&format!("instance/{id}"))).collect(),
            None => vec![self.resource("instance/*")],
        }
    }

    fn keys(&self) -> Vec<String> {
        let key = self.key.as_ref().map_or("*", KeyId::as_str);
        vec![self.resource(&format!("keypair/{key}"))]
    }
}

impl Policy {
    /// Allows this work and nothing else.
    pub fn least(work: &Work) -> Self {
        let (mut on_instances, mut on_keys, mut reads) = (Vec::new(), Vec::new(), BTreeMap::new());
        for &api in Api::ALL {
            let name = format!("{}:{}", api.service().name(), api.name());
            match work.scope(api) {
                None => {}
                Some(Scope::Instances) => on_instances.push(name),
                Some(Scope::InstancesAndKeys) => {
                    on_instances.push(name.clone());
                    on_keys.push(name);
                }
                Some(Scope::Keys) => on_keys.push(name),
                Some(Scope::Everything) => reads.entry(api.service()).or_insert_with(Vec::new).push(name),
            }
        }
        // By the page "sub-accounts and payment" of CVM: an order is a call to another service.
        let payment = if work.prepaid && work.actions.contains(&Action::Resize) {
            vec!["finance:*".to_owned()]
        } else {
            Vec::new()
        };
        let everything = || vec!["*".to_owned()];
        let changes = [
            (on_instances, work.instances()),
            (on_keys, work.keys()),
            (payment, vec!["qcs::cvm:::*".to_owned()]),
        ];
        let statement = changes
            .into_iter()
            .chain(reads.into_values().map(|actions| (actions, everything())))
            .filter(|(actions, _)| !actions.is_empty())
            .map(|(action, resource)| Statement { effect: "allow", action, resource })
            .collect();
        Self { version: "2.0", statement }
    }

    /// The actions that it allows, each once.
    pub fn actions(&self) -> BTreeSet<&str> {
        self.statement.iter().flat_map(|statement| &statement.action).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(actions: &[Action]) -> Work {
        Work {
            region: "ap-guangzhou".into(),
            account: None,
            instances: Some(vec!["ins-0web0001".into()]),
            actions: actions.iter().copied().collect(),
            key: None,
            import_key: false,
            prepaid: false,
        }
    }

    #[test]
    fn a_resource_has_six_parts_and_names_the_account_if_it_is_known() {
        let mut work = work(&[Action::Stop]);
        assert_eq!(work.instances(), ["qcs::cvm:ap-guangzhou::instance/ins-0web0001"]);
        work.account = Some("100000000001".into());
        assert_eq!(work.instances(), ["qcs::cvm:ap-guangzhou:uin/100000000001:instance/ins-0web0001"]);
        work.instances = None;
        assert_eq!(work.instances(), ["qcs::cvm:ap-guangzhou:uin/100000000001:instance/*"]);
        assert_eq!(work.keys(), ["qcs::cvm:ap-guangzhou:uin/100000000001:keypair/*"]);
        assert!(work.keys()[0].split(':').count() == 6);
    }

    #[test]
    fn nothing_that_changes_is_allowed_on_everything() {
        let work = Work { import_key: true, prepaid: true, ..work(&Action::ALL) };
        for api in Api::ALL.iter().filter(|api| api.effect() == crate::tencent::classify::Effect::Write) {
            assert!(!matches!(work.scope(*api), None | Some(Scope::Everything)), "{api:?}");
        }
        let policy = Policy::least(&work);
        for statement in &policy.statement {
            let everywhere = statement.resource == ["*"];
            let reads = ["cvm:InquiryPriceResetInstancesType", "sts:GetCallerIdentity"];
            let only_reads =
                statement.action.iter().all(|a| a.contains(":Describe") || reads.contains(&a.as_str()));
            assert!(!everywhere || only_reads, "{statement:?}");
        }
    }

    #[test]
    fn what_is_never_called_is_never_allowed() {
        let all = Policy::least(&Work { import_key: true, ..work(&Action::ALL) });
        for never in ["cvm:TerminateInstances", "cvm:ResetInstance", "cvm:RebootInstances", "sts:AssumeRole"]
        {
            assert!(!all.actions().contains(never), "{never}");
        }
        let least = Policy::least(&work(&[Action::Stop]));
        for other in ["cvm:ResetInstancesType", "cvm:InquiryPriceResetInstancesType", "cvm:DescribeKeyPairs"]
        {
            assert!(all.actions().contains(other) && !least.actions().contains(other), "{other}");
        }
    }
}
