//! The schema of the workflow language is held against the reader: the same keys, the same words, and the defaults and
//! examples mean what they say. `tests/witness/test_schema.py` does the same with an independent validator.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use pitstop::workflow::{Code, Diagnostics, Document, Workflow, schema};
use serde_json::{Map, Value, json};

use crate::sealed::Sealed;

/// Keys that the reader knows and always refuses, by the title of their mapping: an editor does not offer them.
const NOT_OFFERED: [(&str, &[&str]); 2] =
    [("A Pitstop workflow", &["window", "notify"]), ("Guard", &["snapshot", "max-cost-increase"])];

/// The same of words, by the title of their key.
const NOT_OFFERED_WORDS: [(&str, &[&str]); 3] = [
    ("Charging", &["stop"]),
    ("Load balancers", &["drain", "refuse", "ignore"]),
    ("Auto-scaling groups", &["standby", "ignore"]),
];

/// The checks that are not built.
const NOT_OFFERED_CHECKS: &[&str] = &["http", "command"];

#[test]
fn the_committed_copy_is_in_step() {
    let printed = Sealed::new().pitstop(&["schema"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    let committed = fs::read_to_string("workflows/pitstop.schema.json").unwrap_or_default();
    assert!(
        committed == printed.stdout,
        "workflows/pitstop.schema.json is out of step; renew it: cargo run -- schema > workflows/pitstop.schema.json"
    );
}

#[test]
fn every_shipped_workflow_names_the_schema() {
    for entry in fs::read_dir("workflows").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let first = text.lines().next();
            assert_eq!(
                first,
                Some("# yaml-language-server: $schema=./pitstop.schema.json"),
                "{}",
                path.display()
            );
        }
    }
}

fn read(document: &Value) -> Result<Workflow, Diagnostics> {
    let key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7";
    let any_key = fs::read("tests/fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub");
    let files = move |_: &Path| any_key.as_ref().cloned().map_err(|_| io::Error::other(key));
    // JSON is YAML.
    Document::check("x.yaml", document.to_string().as_bytes(), &BTreeMap::new(), &files)
}

/// The least that is valid: required keys, with their first example.
fn least(schema: &Value) -> Value {
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    match schema["type"].as_str() {
        Some("array") => json!([least(&schema["items"])]),
        Some("object") => with(schema, None),
        _ => schema.get("const").unwrap_or_else(|| panic!("no example: {schema}")).clone(),
    }
}

/// The least mapping, with this key in it.
fn with(schema: &Value, wanted: Option<(&str, Value)>) -> Value {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let names = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let mut keys = names(&schema["required"]);
    let wanted_key = wanted.as_ref().map(|(key, _)| (*key).to_owned());
    if let Some(key) = &wanted_key {
        keys.extend(names(&schema["dependentRequired"][key]));
        keys.extend(properties.contains_key(key).then(|| key.clone()));
    }
    let ways: Vec<Vec<String>> =
        schema["oneOf"].as_array().into_iter().flatten().map(|way| names(&way["required"])).collect();
    if !ways.is_empty() && !ways.iter().any(|way| way.iter().all(|key| keys.contains(key))) {
        keys.extend(ways[0].clone());
    }
    if schema["minProperties"] == 1 && keys.is_empty() {
        keys.extend(properties.keys().next().cloned());
    }
    let mut mapping: Map<String, Value> =
        keys.into_iter().map(|key| (key.clone(), least(&properties[&key]))).collect();
    if let Some((key, value)) = wanted {
        mapping.insert(key.to_owned(), value);
    }
    Value::Object(mapping)
}

/// Puts a value into its place in a whole workflow.
type Place<'a> = &'a dyn Fn(Value) -> Value;

/// Visits every schema of the language, with its name and the way to put a value there.
fn visit(name: &str, schema: &Value, place: Place<'_>, look: &mut dyn FnMut(&str, &Value, Place<'_>)) {
    look(name, schema, place);
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{name}.{key}"), inner, &|value| place(with(schema, Some((key, value)))), look);
    }
    if schema["items"].is_object() {
        visit(&format!("{name}[]"), &schema["items"], &|value| place(json!([value])), look);
    }
    if schema["additionalProperties"].is_object() {
        let inner = &schema["additionalProperties"];
        visit(&format!("{name}.*"), inner, &|value| place(json!({ "any": value })), look);
    }
}

fn each(mut look: impl FnMut(&str, &Value, Place<'_>)) {
    visit("", &schema(), &|value| value, &mut look);
}

/// What the reader says can stand there, from its help for something that can't.
fn known(document: &Value, nonsense: &str) -> Vec<String> {
    let complaints = read(document).unwrap_err().complaints();
    let about = |text: &str| text.contains(&format!("`{nonsense}`"));
    let complaint = complaints.iter().find(|complaint| about(&complaint.message));
    let complaint = complaint.unwrap_or_else(|| panic!("{document} is not complained about: {complaints:?}"));
    let help = complaint.help.as_deref().unwrap_or_default();
    let list = help
        .strip_prefix("it can have ")
        .or(help.strip_prefix("it can be "))
        .unwrap_or_else(|| panic!("{help}"));
    let mut names: Vec<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    names.sort();
    names
}

fn plus(mut names: Vec<String>, title: &str, refused: &[(&str, &[&str])]) -> Vec<String> {
    let more = refused.iter().filter(|(of, _)| *of == title).flat_map(|(_, names)| names.iter());
    names.extend(more.map(|name| (*name).to_owned()));
    names.sort();
    names
}

const NONSENSE: &str = "qqqqqqqqqqqqqqqq";

#[test]
fn every_mapping_has_the_keys_that_the_reader_knows() {
    let mut mappings = 0;
    each(|name, schema, place| {
        let Some(properties) = schema["properties"].as_object() else { return };
        if schema["type"] != "object" {
            return;
        }
        assert_eq!(schema["additionalProperties"], false, "{name}");
        let document = place(with(schema, Some((NONSENSE, json!(1)))));
        let offered: Vec<String> = properties.keys().cloned().collect();
        let title = schema["title"].as_str().unwrap();
        let checks = [("Check", NOT_OFFERED_CHECKS)];
        let refused = if name == ".check[]" { &checks[..] } else { &NOT_OFFERED[..] };
        assert_eq!(plus(offered, title, refused), known(&document, NONSENSE), "{name}");
        mappings += 1;
    });
    assert!(mappings >= 14, "{mappings}");
}

#[test]
fn every_word_is_one_that_the_reader_knows() {
    let mut words = 0;
    each(|name, schema, place| {
        let ways = schema["oneOf"].as_array().into_iter().flatten();
        let offered: Vec<String> = ways.filter_map(|way| way["const"].as_str()).map(str::to_owned).collect();
        if offered.is_empty() {
            return;
        }
        let title = schema["title"].as_str().unwrap_or_default();
        let document = place(json!(NONSENSE));
        assert_eq!(plus(offered.clone(), title, &NOT_OFFERED_WORDS), known(&document, NONSENSE), "{name}");
        for word in offered {
            let read = read(&place(json!(word)));
            assert!(read.is_ok(), "{name}: {word}: {}", read.unwrap_err());
            words += 1;
        }
    });
    assert!(words >= 12, "{words}");
}

/// They are refused today; the day one is not, it belongs into the schema.
#[test]
fn what_is_not_offered_is_refused() {
    each(|name, schema, place| {
        let title = schema["title"].as_str().unwrap_or_default();
        let is_mapping = schema["type"] == "object";
        for (_, keys) in NOT_OFFERED.iter().filter(|(of, _)| is_mapping && *of == title) {
            for key in *keys {
                refused(&format!("{name}.{key}"), &place(with(schema, Some((key, json!(NONSENSE))))));
            }
        }
        for (_, words) in NOT_OFFERED_WORDS.iter().filter(|(of, _)| !is_mapping && *of == title) {
            for word in *words {
                refused(name, &place(json!(word)));
            }
        }
    });
}

fn refused(name: &str, document: &Value) {
    let complaints = read(document).expect_err(name).complaints();
    let always = [Code::NotSupported, Code::Conflict];
    assert!(complaints.iter().any(|complaint| always.contains(&complaint.code)), "{name}: {complaints:?}");
}

#[test]
fn every_key_has_a_title_and_a_description_and_something_to_show() {
    each(|name, schema, _| {
        if name.is_empty() || name.ends_with("[]") || name.ends_with(".*") {
            return;
        }
        let text = |key: &str| schema[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("title").is_empty(), "{name} has no title");
        assert!(
            text("description").len() > 8 && text("description").ends_with('.'),
            "{name}: {}",
            text("description")
        );
        assert!(!text("description").contains('\n'), "{name}");
        let inner = &schema["items"];
        let is_a_mapping = schema["properties"].is_object() || inner["properties"].is_object();
        assert!(is_a_mapping || schema["examples"][0] != Value::Null, "{name} has no example");
    });
}

#[test]
fn every_example_is_accepted() {
    let mut examples = 0;
    each(|name, schema, place| {
        for example in schema["examples"].as_array().into_iter().flatten() {
            let mut document = place(example.clone());
            if name.starts_with(".params") {
                // A param that nobody uses is refused.
                let param = document["params"].as_object().unwrap().keys().next().unwrap().clone();
                document["description"] = json!(format!("${{{{ params.{param} }}}}"));
                document["params"][&param]["default"] = json!("some text");
            }
            let read = read(&document);
            assert!(read.is_ok(), "{name}: {example}: {document}\n{}", read.unwrap_err());
            examples += 1;
        }
    });
    assert!(examples >= 35, "{examples}");
}

/// A default written out is the same workflow.
#[test]
fn every_default_is_what_it_is_without() {
    let mut defaults = 0;
    each(|name, schema, place| {
        if schema.get("default").is_none() {
            return;
        }
        let written = place(schema["default"].clone());
        let mut without = written.clone();
        let steps: Vec<&str> = name.split(['.', '[']).filter(|step| !step.is_empty()).collect();
        let (last, before) = steps.split_last().unwrap();
        let inner = before
            .iter()
            .fold(&mut without, |at, step| if *step == "]" { &mut at[0] } else { &mut at[*step] });
        assert!(inner.as_object_mut().unwrap().remove(*last).is_some(), "{name}: {written}");
        assert_eq!(read(&written).unwrap(), read(&without).unwrap(), "{name}");
        defaults += 1;
    });
    assert!(defaults >= 10, "{defaults}");
}
