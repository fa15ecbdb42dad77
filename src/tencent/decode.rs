//! The vendor's answers, in the boundary's terms.
//!
//! Every field is optional, and `null`, `""`, `[]` and absence mean the same: nothing was said. All words are open.
//! Names and types are those of the vendor's API model.

mod instances;
mod surroundings;
mod types;

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, Visitor};
use serde_json::{Value, json};

pub(crate) use instances::{Instances, KeyPairs};
pub(crate) use surroundings::{
    ActionTimers, Balancers, CallerIdentity, PENDING_TASKS, ScalingInstances, TargetHealths, Tasks, Use,
};
pub(crate) use types::{Modifications, OperationLimits, PriceInquiry, Quotas};

use super::wire::{self, Response};

/// Reads the fields of an answer that [`wire::open`] finds unfit: at several times its cost, which buys the place of what
/// does not fit. The error names the field, never a value.
pub(crate) fn by_value<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let fields: Value =
        wire::fields(body).map_err(|error| format!("its JSON is broken at column {}", error.column()))?;
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let inner = error.inner().to_string();
        // serde quotes the value that did not fit; what it expected comes last.
        let expected = inner.rsplit_once("expected ").map_or("another type", |(_, expected)| expected);
        format!("`{}` is not {expected}", error.path())
    })
}

/// Decodes the answer to `action`, and says what does not fit. `given` is what the envelope held.
///
/// For tests that read the examples in the vendor's own documentation.
pub fn check(action: &str, given: &Value) -> Result<(), String> {
    match action {
        "DescribeInstances" => read::<Instances>(given)?.list().map(drop),
        "DescribeKeyPairs" => read::<KeyPairs>(given)?.list().map(drop),
        "DescribeInstancesModification" => read::<Modifications>(given).map(|all| drop(all.list())),
        "DescribeZoneInstanceConfigInfos" => read::<Quotas>(given).map(|all| drop(all.list())),
        "InquiryPriceResetInstancesType" => read::<PriceInquiry>(given)?.price().map(drop),
        "DescribeInstancesOperationLimit" => {
            read::<OperationLimits>(given).map(|all| drop(all.by_instance()))
        }
        "DescribeTaskInfo" => read::<Tasks>(given).map(|all| drop(all.by_instance())),
        "DescribeInstancesActionTimer" => read::<ActionTimers>(given).map(|all| drop(all.pending())),
        "DescribeAutoScalingInstances" => read::<ScalingInstances>(given).map(|all| drop(all.by_instance())),
        "DescribeLBListeners" => read::<Balancers>(given).map(|all| drop(all.uses())),
        "DescribeTargetHealth" => read::<TargetHealths>(given).map(|all| drop(all.checked())),
        "GetCallerIdentity" => read::<CallerIdentity>(given)?.caller().map(drop),
        "StopInstances"
        | "StartInstances"
        | "ResetInstancesType"
        | "ResetInstancesPassword"
        | "AssociateInstancesKeyPairs" => read::<IgnoredAny>(given).map(drop),
        "ImportKeyPair" => read::<ImportedKey>(given)?.check(),
        other => Err(format!("{other} is not an action that Pitstop uses")),
    }
}

/// The actions whose answers [`check`] knows.
pub const ACTIONS: [&str; 18] = [
    "DescribeInstances",
    "DescribeKeyPairs",
    "DescribeInstancesModification",
    "DescribeZoneInstanceConfigInfos",
    "InquiryPriceResetInstancesType",
    "DescribeInstancesOperationLimit",
    "DescribeTaskInfo",
    "DescribeInstancesActionTimer",
    "DescribeAutoScalingInstances",
    "DescribeLBListeners",
    "DescribeTargetHealth",
    "GetCallerIdentity",
    "StopInstances",
    "StartInstances",
    "ResetInstancesType",
    "ResetInstancesPassword",
    "AssociateInstancesKeyPairs",
    "ImportKeyPair",
];

/// Reads an answer that holds these fields, the way that the channel does.
fn read<T: DeserializeOwned>(given: &Value) -> Result<T, String> {
    let body = json!({ "Response": given }).to_string().into_bytes();
    let response = Response { status: 200, body };
    let answer = wire::open(&response).ok_or("it is not an answer, or `RequestId` is missing")?;
    match answer.outcome {
        Ok(Some(fields)) => Ok(fields),
        Ok(None) => by_value(&response.body),
        Err(_) => Err("it is a refusal".to_owned()),
    }
}

/// ImportKeyPair.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportedKey {
    key_id: Option<String>,
}

impl ImportedKey {
    fn check(&self) -> Result<(), String> {
        said(self.key_id.as_ref()).map(drop).ok_or_else(|| "`KeyId` is missing".to_owned())
    }
}

/// A text, unless nothing was said.
fn said(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The same, kept.
fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A text of which only the meaning is kept; `None` if it is empty.
#[derive(Debug)]
struct Word<T>(Option<T>);

/// What a word means, unless nothing was said.
fn word<T>(word: Option<Word<T>>) -> Option<T> {
    word?.0
}

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordVisitor(PhantomData))
    }
}

struct WordVisitor<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> Visitor<'_> for WordVisitor<T> {
    type Value = Word<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Word<T>, E> {
        Ok(Word((!text.is_empty()).then(|| text.into())))
    }
}

/// A list, empty if nothing was said.
fn list<T>(list: Option<Vec<T>>) -> Vec<T> {
    list.unwrap_or_default()
}

/// A count; zero if nothing was said, or nothing that can be a count.
fn count(number: Option<i64>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
