//! The vendor's answers, in the boundary's terms.
//!
//! Every field is optional, and `null`, `""`, `[]` and absence mean the same: nothing was said. All words are open.
//! Names and types are those of the vendor's API model.

mod instances;
mod surroundings;
mod types;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use instances::{Instances, KeyPairs};
pub(crate) use surroundings::{
    ActionTimers, Balancers, CallerIdentity, PENDING_TASKS, ScalingInstances, TargetHealths, Tasks, Use,
};
pub(crate) use types::{Modifications, OperationLimits, PriceInquiry, Quotas};

use super::wire;

/// Reads the fields of an answer that has been opened. The error names the field, never a value.
pub(crate) fn fields<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    wire::fields(body).or_else(|_| by_value(body))
}

/// The same at several times the cost, which buys the place of what does not fit.
fn by_value<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
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
    let body = json!({ "Response": given }).to_string();
    let body = body.as_bytes();
    match action {
        "DescribeInstances" => fields::<Instances>(body)?.list().map(drop),
        "DescribeKeyPairs" => fields::<KeyPairs>(body)?.list().map(drop),
        "DescribeInstancesModification" => fields::<Modifications>(body).map(|all| drop(all.list())),
        "DescribeZoneInstanceConfigInfos" => fields::<Quotas>(body).map(|all| drop(all.list())),
        "InquiryPriceResetInstancesType" => fields::<PriceInquiry>(body)?.price().map(drop),
        "DescribeInstancesOperationLimit" => {
            fields::<OperationLimits>(body).map(|all| drop(all.by_instance()))
        }
        "DescribeTaskInfo" => fields::<Tasks>(body).map(|all| drop(all.by_instance())),
        "DescribeInstancesActionTimer" => fields::<ActionTimers>(body).map(|all| drop(all.pending())),
        "DescribeAutoScalingInstances" => fields::<ScalingInstances>(body).map(|all| drop(all.by_instance())),
        "DescribeLBListeners" => fields::<Balancers>(body).map(|all| drop(all.uses())),
        "DescribeTargetHealth" => fields::<TargetHealths>(body).map(|all| drop(all.checked())),
        "GetCallerIdentity" => fields::<CallerIdentity>(body)?.caller().map(drop),
        "StopInstances"
        | "StartInstances"
        | "ResetInstancesType"
        | "ResetInstancesPassword"
        | "AssociateInstancesKeyPairs" => fields::<Accepted>(body)?.check(false),
        "ImportKeyPair" => fields::<Accepted>(body)?.check(true),
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

/// The answer to a change: its request id is what counts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accepted {
    request_id: Option<String>,
    key_id: Option<String>,
}

impl Accepted {
    fn check(&self, key: bool) -> Result<(), String> {
        if said(self.request_id.as_ref()).is_none() {
            return Err("`RequestId` is missing".to_owned());
        }
        if key && said(self.key_id.as_ref()).is_none() {
            return Err("`KeyId` is missing".to_owned());
        }
        Ok(())
    }
}

/// A text, unless nothing was said.
fn said(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
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
