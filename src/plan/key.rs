//! Which SSH key a workflow means.

use super::ImportKey;
use crate::cloud::{KeyId, KeyPair};
use crate::workflow::KeySource;

/// How alike two names must be to be suggested for each other, by Jaro and Winkler from 0 to 1.
const ALIKE: f64 = 0.8;

/// The key that a workflow names, among those that the account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// It is there.
    Known(KeyId),
    /// It is not there, and its text is.
    New(ImportKey),
    /// It is not there.
    Missing {
        /// What was asked for.
        wanted: String,
        /// One that comes near.
        near: Option<String>,
    },
}

impl Key {
    /// Finds it. A name that several keys have means the one with the lowest id: names are unique (CVM API,
    /// `InvalidKeyPairName.Duplicate`), so this can't come up.
    pub(super) fn find(source: &KeySource, pairs: &[KeyPair]) -> Self {
        let lowest = |fits: &dyn Fn(&KeyPair) -> bool| {
            pairs.iter().filter(|pair| fits(pair)).map(|pair| &pair.id).min().cloned()
        };
        match source {
            KeySource::Id(id) => lowest(&|pair| pair.id == *id).map_or_else(
                || Self::missing(id.as_str(), pairs.iter().map(|pair| pair.id.as_str())),
                Self::Known,
            ),
            KeySource::Name(name) => lowest(&|pair| pair.name == *name).map_or_else(
                || Self::missing(name, pairs.iter().map(|pair| pair.name.as_str())),
                Self::Known,
            ),
            KeySource::PublicKey { name, openssh } => {
                let wanted = material(openssh);
                lowest(&|pair| wanted.is_some() && material(&pair.public_key) == wanted).map_or_else(
                    || Self::New(ImportKey { name: free_name(name, pairs), public_key: openssh.clone() }),
                    Self::Known,
                )
            }
        }
    }

    fn missing<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Self {
        Self::Missing { wanted: wanted.to_owned(), near: most_alike(wanted, names).map(str::to_owned) }
    }
}

/// The name most like `wanted` but for case, if one is like it at all.
pub(super) fn most_alike<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// The algorithm and the base64 body of a key in OpenSSH form; its comment is nobody's identity.
fn material(openssh: &str) -> Option<(&str, &str)> {
    let mut words = openssh.split_whitespace();
    Some((words.next()?, words.next()?))
}

/// The longest name of a key (CVM API, ImportKeyPair).
const LONGEST_NAME: usize = 25;

/// `name`, or with the first number appended that makes it a name no key has yet.
fn free_name(name: &str, pairs: &[KeyPair]) -> String {
    let taken = |name: &str| pairs.iter().any(|pair| pair.name == name);
    if !taken(name) {
        return name.to_owned();
    }
    let numbered = |number: usize| {
        let number = format!("_{number}");
        let stem: String = name.chars().take(LONGEST_NAME - number.len()).collect();
        stem + &number
    };
    // One of more candidates than there are keys is free.
    (2..=pairs.len() + 2).map(numbered).find(|name| !taken(name)).unwrap_or_else(|| name.to_owned())
}
