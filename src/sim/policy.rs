//! Access policies as CAM decides by them: what a call needs, and whether a policy gives it.
//!
//! Sources: the CAM pages on the elements of a policy and on how it is decided (a denial wins, nothing is allowed that no
//! statement allows), the CVM page "authorisable resources" for what a call can be restricted to. Conditions are not
//! simulated, so a policy that has one is refused when it is read.

use serde::Deserialize;

use super::call::{Call, Refused};
use super::world::World;
use crate::tencent::wire::Service;

/// An access policy, in the vendor's form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(rename = "version")]
    _version: Version,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
enum Version {
    #[serde(rename = "2.0")]
    Two,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    effect: Effect,
    #[serde(deserialize_with = "one_or_more")]
    action: Vec<String>,
    #[serde(deserialize_with = "one_or_more")]
    resource: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effect {
    Allow,
    Deny,
}

/// The vendor takes a single word for a list of one.
fn one_or_more<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    struct Words;
    impl<'de> serde::de::Visitor<'de> for Words {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a word or a list of words")
        }

        fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
            Ok(vec![word.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut words = Vec::new();
            while let Some(word) = list.next_element()? {
                words.push(word);
            }
            Ok(words)
        }
    }
    from.deserialize_any(Words)
}

/// Something that a call touches.
struct Resource<'a> {
    service: &'a str,
    region: &'a str,
    account: &'a str,
    /// `instance/ins-…`, `keypair/skey-…`; `None`: the call can't be restricted.
    thing: Option<String>,
}

impl Resource<'_> {
    /// A pattern of six parts fits; an empty region or account means any, and the account's own.
    fn fits(&self, pattern: &str) -> bool {
        if pattern == "*" {
            return true;
        }
        let Some(thing) = &self.thing else { return false };
        let parts: Vec<&str> = pattern.splitn(6, ':').collect();
        let ["qcs", _, service, region, account, wanted] = parts[..] else { return false };
        let uin = format!("uin/{}", self.account);
        glob(service, self.service)
            && (region.is_empty() || glob(region, self.region))
            && (account.is_empty() || glob(account, &uin))
            && glob(wanted, thing)
    }

    fn shown(&self) -> String {
        match &self.thing {
            Some(thing) => format!("qcs::{}:{}:uin/{}:{thing}", self.service, self.region, self.account),
            None => "*".to_owned(),
        }
    }
}

/// `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| glob(after, &rest[at..]))
        }),
    }
}

impl Statement {
    fn concerns(&self, action: &str, resource: &Resource<'_>) -> bool {
        let named = |pattern: &String| glob(pattern.strip_prefix("name/").unwrap_or(pattern), action);
        self.action.iter().any(named) && self.resource.iter().any(|pattern| resource.fits(pattern))
    }
}

impl Policy {
    fn allows(&self, action: &str, resource: &Resource<'_>) -> bool {
        let says = |effect| {
            let mut with = self.statement.iter().filter(|statement| statement.effect == effect);
            with.any(|statement| statement.concerns(action, resource))
        };
        says(Effect::Allow) && !says(Effect::Deny)
    }
}

/// What a call touches, as far as it can be restricted.
fn things(call: &Call<'_>) -> Option<Vec<String>> {
    let of = |kind: &str, names: &str| -> Vec<String> {
        call.texts(names).into_iter().map(|name| format!("{kind}/{name}")).collect()
    };
    if call.service != Service::Cvm {
        return None;
    }
    match call.action {
        "StopInstances"
        | "StartInstances"
        | "RebootInstances"
        | "ResetInstancesType"
        | "ResetInstancesPassword" => Some(of("instance", "InstanceIds")),
        "AssociateInstancesKeyPairs" | "DisassociateInstancesKeyPairs" => {
            Some([of("instance", "InstanceIds"), of("keypair", "KeyIds")].concat())
        }
        "ImportKeyPair" | "DescribeKeyPairs" => Some(vec!["keypair/*".to_owned()]),
        _ => None,
    }
}

impl World {
    /// Whether the caller may make this call at all.
    pub(super) fn authorise(&self, call: &Call<'_>, secret_id: &str) -> Result<(), Refused> {
        let Some(access) = self.access(secret_id) else { return Ok(()) };
        let resource =
            |service, thing| Resource { service, region: call.region, account: &self.fleet.account, thing };
        let action = format!("{}:{}", call.service.name(), call.action);
        if access.denied.iter().any(|denied| denied == call.action) {
            return Err(unauthorised(&action, &resource(call.service.name(), None)));
        }
        let Some(policy) = &access.policy else { return Ok(()) };
        let touched: Vec<Option<String>> = match things(call) {
            Some(things) => things.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let touched = touched.into_iter().map(|thing| resource(call.service.name(), thing));
        let mut needed: Vec<(String, Resource<'_>)> = touched.map(|thing| (action.clone(), thing)).collect();
        if call.action == "ResetInstancesType" && self.is_order(call) {
            needed.push(("finance:trade".to_owned(), resource("cvm", Some("instance/*".to_owned()))));
        }
        match needed.iter().find(|(action, resource)| !policy.allows(action, resource)) {
            Some((action, resource)) => Err(unauthorised(action, resource)),
            None => Ok(()),
        }
    }

    /// The resize of a prepaid instance has to be paid.
    fn is_order(&self, call: &Call<'_>) -> bool {
        let named = call.texts("InstanceIds");
        let mut found = named.into_iter().filter_map(|id| self.find(id));
        found.any(|index| self.machines[index].spec.charge_type == crate::cloud::ChargeType::Prepaid)
    }
}

/// As the vendor words it, the code and the sentence.
fn unauthorised(action: &str, resource: &Resource<'_>) -> Refused {
    let message = format!(
        "you are not authorized to perform operation ({action}) resource ({}) has no permission",
        resource.shown()
    );
    Refused::new("AuthFailure.UnauthorizedOperation", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(json: &str) -> Policy {
        serde_json::from_str(json).unwrap()
    }

    fn instance(id: &str) -> Resource<'static> {
        Resource {
            service: "cvm",
            region: "ap-guangzhou",
            account: "100000000001",
            thing: Some(format!("instance/{id}")),
        }
    }

    #[test]
    fn resources_fit_by_their_six_parts() {
        let table = [
            ("*", true),
            ("qcs::cvm:ap-guangzhou:uin/100000000001:instance/ins-1", true),
            ("qcs::cvm:::instance/ins-1", true),
            ("qcs::cvm:ap-guangzhou::instance/*", true),
            ("qcs::cvm:ap-*::instance/ins-1", true),
            ("qcs::cvm:::*", true),
            ("qcs::cvm:ap-shanghai::instance/ins-1", false),
            ("qcs::cvm:ap-guangzhou:uin/2:instance/ins-1", false),
            ("qcs::cvm:ap-guangzhou::instance/ins-2", false),
            ("qcs::cvm:ap-guangzhou::keypair/*", false),
            ("qcs::clb:::*", false),
            ("qcs::cvm::instance/ins-1", false),
            ("instance/ins-1", false),
        ];
        for (pattern, fits) in table {
            assert_eq!(instance("ins-1").fits(pattern), fits, "{pattern}");
        }
        let read = Resource { thing: None, ..instance("") };
        assert!(read.fits("*") && !read.fits("qcs::cvm:::*"), "a read takes nothing but `*`");
    }

    #[test]
    fn nothing_is_allowed_by_itself_and_a_denial_wins() {
        let allow = r#"{"effect":"allow","action":["cvm:Stop*","name/cvm:StartInstances"],"resource":"*"}"#;
        let deny =
            r#"{"effect":"deny","action":"cvm:StopInstances","resource":["qcs::cvm:::instance/ins-2"]}"#;
        let policy = policy(&format!(r#"{{"version":"2.0","statement":[{allow},{deny}]}}"#));
        assert!(policy.allows("cvm:StopInstances", &instance("ins-1")));
        assert!(policy.allows("cvm:StartInstances", &instance("ins-1")));
        assert!(!policy.allows("cvm:StopInstances", &instance("ins-2")));
        assert!(!policy.allows("cvm:RebootInstances", &instance("ins-1")));
    }

    #[test]
    fn what_is_not_simulated_is_not_ignored() {
        let condition = r#"{"version":"2.0","statement":[{"effect":"allow","action":"*","resource":"*",
            "condition":{"ip_equal":{"qcs:ip":"10.0.0.0/8"}}}]}"#;
        assert!(serde_json::from_str::<Policy>(condition).is_err());
        assert!(serde_json::from_str::<Policy>(r#"{"version":"1.0","statement":[]}"#).is_err());
    }
}
