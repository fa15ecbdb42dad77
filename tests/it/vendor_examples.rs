//! The examples in the vendor's own documentation are decoded.
//!
//! `PITSTOP_VENDOR_EXAMPLES` may name a file with all of them, taken from the vendor's tools: a JSON list of
//! `{"action", "title", "output"}`, where `output` is the answer with its envelope, as JSON or as text.
//! Without it the examples kept in the repository are read, so that this test never tests nothing.

use pitstop::tencent::decode;
use serde_json::Value;

const KEPT: &str = include_str!("../fixtures/vendor/examples.json");

/// The fields inside the envelope.
fn fields(output: &Value) -> Result<Value, String> {
    let parsed = match output {
        Value::String(text) => serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?,
        other => other.clone(),
    };
    parsed.get("Response").cloned().ok_or_else(|| "no envelope".to_owned())
}

/// Decodes all examples; gives how many there were.
fn decode_all(text: &str, only_known: bool) -> usize {
    let examples: Vec<Value> = serde_json::from_str(text).expect("a JSON list");
    let mut bad = Vec::new();
    let mut count = 0;
    for example in &examples {
        let action = example["action"].as_str().expect("an action");
        if only_known && !decode::ACTIONS.contains(&action) {
            continue;
        }
        count += 1;
        if let Err(problem) = fields(&example["output"]).and_then(|fields| decode::check(action, &fields)) {
            bad.push(format!("{action}, {}: {problem}", example["title"]));
        }
    }
    assert!(bad.is_empty(), "{} of {count} examples are not decoded:\n{}", bad.len(), bad.join("\n"));
    count
}

#[test]
fn the_kept_examples_are_decoded_and_cover_every_action() {
    let examples: Vec<Value> = serde_json::from_str(KEPT).expect("a JSON list");
    for action in decode::ACTIONS {
        assert!(examples.iter().any(|example| example["action"] == *action), "no example of {action}");
    }
    assert_eq!(decode_all(KEPT, false), examples.len());
}

#[test]
fn all_of_the_vendors_examples_are_decoded() {
    let text = match std::env::var_os("PITSTOP_VENDOR_EXAMPLES") {
        Some(path) => std::fs::read_to_string(&path).expect("PITSTOP_VENDOR_EXAMPLES names a file"),
        None => KEPT.to_owned(),
    };
    let count = decode_all(&text, true);
    assert!(count >= decode::ACTIONS.len(), "only {count} examples of the actions that are used");
}

#[test]
fn answers_that_lack_what_counts_are_noticed() {
    let lacking = [
        ("DescribeInstances", r#"{"RequestId":"r","InstanceSet":[{"InstanceName":"web-1"}]}"#),
        ("InquiryPriceResetInstancesType", r#"{"RequestId":"r","Price":{}}"#),
        ("GetCallerIdentity", r#"{"RequestId":"r"}"#),
        ("StopInstances", "{}"),
        ("ImportKeyPair", r#"{"RequestId":"r"}"#),
        ("DescribeKeyPairs", r#"{"RequestId":"r","KeyPairSet":[{}]}"#),
        ("DescribeTaskInfo", r#"{"RequestId":"r","RepairTaskInfoSet":7}"#),
        ("TerminateInstances", r#"{"RequestId":"r"}"#),
    ];
    for (action, fields) in lacking {
        let fields = serde_json::from_str(fields).expect("JSON");
        assert!(decode::check(action, &fields).is_err(), "{action}");
    }
}
