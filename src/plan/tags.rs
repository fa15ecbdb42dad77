//! The tags of an instance, in as little room as they need.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Tags by name, in the names' order. There are some for every instance of a fleet and most have few: a map of its own
/// for each would be mostly empty room. In JSON they are a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Box<[(String, String)]>);

impl Tags {
    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl From<BTreeMap<String, String>> for Tags {
    fn from(tags: BTreeMap<String, String>) -> Self {
        Self(tags.into_iter().collect())
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_a_map_in_json() {
        let text = r#"{"env":"prod","role":"web"}"#;
        let tags: Tags = serde_json::from_str(r#"{ "role": "web", "env": "prod" }"#).unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("env", "prod"), ("role", "web")]);
        assert_eq!(serde_json::to_string(&tags).unwrap(), text);
        assert!(serde_json::from_str::<Tags>("{}").unwrap().is_empty());
    }
}
