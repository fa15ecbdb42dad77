//! Both ways of reading an answer read the same.

use std::fmt::Debug;

use super::*;

const EXAMPLES: &str = include_str!("../../../tests/fixtures/vendor/examples.json");

/// What stands in the place of what the vendor told.
const OTHERS: [&str; 9] = ["null", "7", "-1", "0.5", "1e30", "\"canary\"", "[]", "{}", "[[\"canary\"]]"];

/// Reads it in both ways; what they have in common.
fn both<T: DeserializeOwned + Debug>(body: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(body);
    let fast = wire::open::<T>(&Response { status: 200, body: body.to_vec() });
    let fast = fast.unwrap_or_else(|| panic!("not an answer: {text}")).outcome.unwrap();
    let slow: Result<T, _> = by_value(body);
    let (fast, slow) = (fast.map(|all| format!("{all:?}")), slow.map(|all| format!("{all:?}")));
    assert_eq!(fast, slow.as_ref().ok().cloned(), "{text}");
    slow
}

/// The answer to a change has nothing else.
#[derive(Debug, Deserialize)]
struct Changed {}

fn both_of(action: &str, body: &[u8]) -> Result<String, String> {
    match action {
        "DescribeInstances" => both::<Instances>(body),
        "DescribeKeyPairs" => both::<KeyPairs>(body),
        "DescribeInstancesModification" => both::<Modifications>(body),
        "DescribeZoneInstanceConfigInfos" => both::<Quotas>(body),
        "InquiryPriceResetInstancesType" => both::<PriceInquiry>(body),
        "DescribeInstancesOperationLimit" => both::<OperationLimits>(body),
        "DescribeTaskInfo" => both::<Tasks>(body),
        "DescribeInstancesActionTimer" => both::<ActionTimers>(body),
        "DescribeAutoScalingInstances" => both::<ScalingInstances>(body),
        "DescribeLBListeners" => both::<Balancers>(body),
        "DescribeTargetHealth" => both::<TargetHealths>(body),
        "GetCallerIdentity" => both::<CallerIdentity>(body),
        "ImportKeyPair" => both::<ImportedKey>(body),
        _ => both::<Changed>(body),
    }
}

/// Where something stands, as JSON pointers; of lists the first two.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => {
            values.iter().take(2).enumerate().map(|(n, value)| (n.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in below {
        let at = format!("{at}/{name}");
        places(value, &at, all);
        all.push(at);
    }
}

#[test]
fn both_ways_read_the_same_whatever_stands_where() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let (mut read, mut refused) = (0, 0);
    for example in &examples {
        let action = example["action"].as_str().unwrap();
        let mut answer = example["output"].clone();
        if let Value::String(text) = &answer {
            answer = serde_json::from_str(text).unwrap();
        }
        both_of(action, answer.to_string().as_bytes()).unwrap();
        let mut all = Vec::new();
        places(&answer["Response"], "/Response", &mut all);
        all.retain(|place| place != "/Response/RequestId");
        for place in all {
            let whole = answer.clone();
            for other in OTHERS {
                *answer.pointer_mut(&place).unwrap() = serde_json::from_str(other).unwrap();
                match both_of(action, answer.to_string().as_bytes()) {
                    Ok(_) => read += 1,
                    Err(problem) => {
                        refused += 1;
                        let field = place.trim_start_matches("/Response/").split('/').next().unwrap();
                        assert!(problem.starts_with(&format!("`{field}")), "{place}: {problem}");
                        assert!(!problem.contains("canary"), "{place}: {problem}");
                    }
                }
            }
            answer = whole;
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    let body = br#"{"Response":{"RequestId":"r","TotalCount":1,"TotalCount":0}}"#;
    let answer: Instances = by_value(body).unwrap();
    assert_eq!(answer.list(), Ok(Vec::new()));
}

#[test]
fn broken_text_is_told_by_its_place() {
    let body = br#"{"Response":{"RequestId":"r","InstanceSet":[{"InstanceId":"\ud800canary"}]}}"#;
    let problem = by_value::<Instances>(body).unwrap_err();
    assert_eq!(problem, "its JSON is broken at column 66");
}
