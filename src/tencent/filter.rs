//! Which instances to find: what the vendor can filter by is sent along to save pages; what counts is decided here.
//!
//! The vendor's filters are looser than ours (a name is matched vaguely) and bounded: 10 filters of 5 values
//! (CVM API, DescribeInstances). So they only narrow, and every instance is looked at again.

use serde_json::{Value, json};

use crate::cloud::{Filter, Instance, PowerState};

const FILTERS: usize = 10;
const VALUES: usize = 5;

/// A filter on its way to the cloud and back.
pub(super) struct Search<'a>(&'a Filter);

impl<'a> Search<'a> {
    pub(super) fn new(filter: &'a Filter) -> Self {
        Self(filter)
    }

    /// The parameters for DescribeInstances.
    pub(super) fn body(&self) -> Value {
        let Filter { name, tags, zones, states } = self.0;
        let mut filters = Vec::new();
        if (1..=VALUES).contains(&zones.len()) {
            filters.push(json!({ "Name": "zone", "Values": zones }));
        }
        let known = states.iter().all(|state| !matches!(state, PowerState::Other(_)));
        if known && (1..=VALUES).contains(&states.len()) {
            let words: Vec<&str> = states.iter().map(PowerState::as_str).collect();
            filters.push(json!({ "Name": "instance-state", "Values": words }));
        }
        if let Some(name) = name.as_deref().filter(|name| is_plain(name)) {
            filters.push(json!({ "Name": "instance-name", "Values": [name] }));
        }
        // An empty value can't be asked for.
        for (key, value) in tags.iter().filter(|(_, value)| !value.is_empty()) {
            filters.push(json!({ "Name": format!("tag:{key}"), "Values": [value] }));
        }
        filters.truncate(FILTERS);
        if filters.is_empty() { json!({}) } else { json!({ "Filters": filters }) }
    }

    /// The instance is meant.
    pub(super) fn fits(&self, instance: &Instance) -> bool {
        let Filter { name, tags, zones, states } = self.0;
        name.as_deref().is_none_or(|pattern| matches(pattern, &instance.name))
            && tags.iter().all(|(key, value)| instance.tags.get(key) == Some(value))
            && (zones.is_empty() || zones.contains(&instance.zone))
            && (states.is_empty() || states.contains(&instance.power))
    }
}

/// A name that can be sent: without wildcards and without characters that the vendor may refuse.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether the whole of `text` fits `pattern`, in which `*` stands for any characters and `?` for any one.
/// Takes time in proportion to the product of their lengths, whatever the pattern.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when the last `*` has to take one more character.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("web-*", "web-1", true),
            ("web-*", "web-", true),
            ("web-*", "a-web-1", false),
            ("*web*", "a-web-1", true),
            ("web-?", "web-12", false),
            ("w?b", "wéb", true),
            ("*a*b", "aXbXb", true),
            ("*a*b", "aXbXc", false),
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
            ("Web", "web", false),
            ("[ab]", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        let nasty = "*a".repeat(200) + "b";
        assert!(!matches(&nasty, &"a".repeat(2000)));
    }

    #[test]
    fn what_the_vendor_can_not_take_is_decided_here_alone() {
        let body = |filter: &Filter| Search::new(filter).body();
        assert_eq!(body(&Filter::default()), json!({}));
        let wild = Filter { name: Some("web-*".into()), ..Filter::default() };
        assert_eq!(body(&wild), json!({}));
        let zones = (0..6).map(|n| format!("ap-guangzhou-{n}")).collect();
        assert_eq!(body(&Filter { zones, ..Filter::default() }), json!({}));
        let states = vec![PowerState::Running, PowerState::Other("NEW".into())];
        assert_eq!(body(&Filter { states, ..Filter::default() }), json!({}));
        let tags = (0..20).map(|n| (format!("k{n}"), "v".to_owned())).collect();
        let many = body(&Filter { tags, ..Filter::default() });
        assert_eq!(many["Filters"].as_array().unwrap().len(), FILTERS);
    }

    #[test]
    fn what_the_vendor_can_take_is_sent() {
        let filter = Filter {
            name: Some("web-1".into()),
            tags: [("role".to_owned(), "web".to_owned())].into(),
            zones: vec!["ap-guangzhou-3".into()],
            states: vec![PowerState::Running, PowerState::Stopped],
        };
        assert_eq!(
            Search::new(&filter).body(),
            json!({ "Filters": [
                { "Name": "zone", "Values": ["ap-guangzhou-3"] },
                { "Name": "instance-state", "Values": ["RUNNING", "STOPPED"] },
                { "Name": "instance-name", "Values": ["web-1"] },
                { "Name": "tag:role", "Values": ["web"] },
            ] })
        );
    }
}
