//! `pitstop explain` as a person and as a program meet it.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sealed::Sealed;

#[test]
fn a_code_is_explained_in_full() {
    let sealed = Sealed::new();
    let codes = ["sold-out", "exit-8", "timed-out", "unknown-key", "AuthFailure.SignatureExpire"];
    for code in codes {
        assert_snapshot!(code, sealed.pitstop(&["explain", code]).transcript());
    }
    let by_class = sealed.pitstop(&["explain", "UnsupportedOperation.BrandNew"]);
    assert_snapshot!("code_judged_by_its_beginning", by_class.transcript());
}

#[test]
fn an_unknown_code_is_2_and_names_the_nearest() {
    let sealed = Sealed::new();
    assert_snapshot!("unknown_code", sealed.pitstop(&["explain", "sold-uot"]).transcript());
    assert_eq!(sealed.pitstop(&["explain", "qqqqq"]).code, 2);
    assert_eq!(sealed.pitstop(&["explain", ""]).code, 2);
}

#[test]
fn without_a_code_all_are_listed() {
    let sealed = Sealed::new();
    let all = sealed.pitstop(&["explain"]);
    assert_snapshot!("all_codes", all.transcript());
    let json = sealed.pitstop(&["explain", "--output", "json"]).stdout;
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 200, "{}", lines.len());
    for told in &lines {
        let code = told["code"].as_str().unwrap();
        let last = code.rsplit('.').next().unwrap();
        assert!(all.stdout.contains(last), "{code} is not in the list");
    }
    // A process for each would take long.
    for told in lines.iter().step_by(17) {
        let code = told["code"].as_str().unwrap();
        let one = explained(&sealed, code);
        assert!(one.contains(told), "{code}: {one:?}");
    }
}

fn explained(sealed: &Sealed, code: &str) -> Vec<Value> {
    let done = sealed.pitstop(&["explain", code, "--output", "json"]);
    assert_eq!(done.code, 0, "{code}: {}", done.stderr);
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a plan and a run print by name can be asked for by that name.
#[test]
fn what_a_refused_plan_prints_is_explained() {
    let sealed = Sealed::new();
    let args = [
        "plan",
        "tests/fixtures/cli/awkward.yaml",
        "--set",
        "type=S5.LARGE8",
        "--cloud",
        "sim",
        "--output",
        "json",
    ];
    let plan: Value = serde_json::from_str(&sealed.pitstop(&args).stdout).unwrap();
    let mut seen = 0;
    for instance in plan["plan"]["instances"].as_array().unwrap() {
        for told in ["refusals", "warnings"].iter().flat_map(|key| instance[key].as_array().unwrap()) {
            let code = told.as_str().or_else(|| told.as_object()?.keys().next().map(String::as_str)).unwrap();
            explained(&sealed, code);
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}
