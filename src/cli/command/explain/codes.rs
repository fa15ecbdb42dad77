//! The names that a type's variants are written by, as its own deserializer knows them: no list to keep.

use std::fmt;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error};

/// What a deserializer complains of when it is given a name that no variant has: the names that there are.
#[derive(Debug)]
struct Names(&'static [&'static str]);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Names {}

impl Error for Names {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

/// The variants of an enum that is written as a name, or as an object of one key.
pub(super) fn of<T: DeserializeOwned>() -> Vec<String> {
    names(T::deserialize(StrDeserializer::new("")))
}

/// The variants of an enum that is written as an object with the name under `tag`.
pub(super) fn tagged<T: DeserializeOwned>(tag: &'static str) -> Vec<String> {
    names(T::deserialize(MapDeserializer::new(std::iter::once((tag, "")))))
}

fn names<T>(read: Result<T, Names>) -> Vec<String> {
    let names = read.err().map(|Names(names)| names).unwrap_or_default();
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// How alike two codes must be to be suggested for each other, by Jaro and Winkler from 0 to 1.
const ALIKE: f64 = 0.82;

/// Codes that are less like it by this than the likest are not what was meant.
const CLOSE: f64 = 0.03;

/// The codes most like `wanted`, at most three.
pub(super) fn near(wanted: &str, codes: impl Iterator<Item = String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let likeness = |code: &str| {
        let code = code.to_lowercase();
        let last = code.split_once('.').map_or(code.as_str(), |(_, last)| last);
        strsim::jaro_winkler(&wanted, &code).max(strsim::jaro_winkler(&wanted, last))
    };
    let mut alike: Vec<(f64, String)> = codes.map(|code| (likeness(&code), code)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
    alike.sort_by(|one, other| other.0.total_cmp(&one.0));
    let likest = alike.first().map_or(0.0, |(likeness, _)| *likeness);
    alike.retain(|(likeness, _)| likest - likeness <= CLOSE);
    alike.into_iter().take(3).map(|(_, code)| code).collect()
}
