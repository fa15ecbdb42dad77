//! saphyr and serde_yaml read the same data: each is asked alone, and their answers are compared.

use proptest::prelude::*;
use serde_yaml::{Mapping, Value};

use super::*;

/// The data as saphyr alone has it.
fn by_saphyr(outline: Outline) -> Value {
    match outline.shape {
        Shape::Scalar { text, plain } => {
            let style = if plain { ScalarStyle::Plain } else { ScalarStyle::DoubleQuoted };
            match Meaning::parse_from_cow_and_metadata(text.into(), style, None) {
                Some(Meaning::Null) | None => Value::Null,
                Some(Meaning::Boolean(value)) => Value::Bool(value),
                Some(Meaning::Integer(value)) => Value::from(value),
                Some(Meaning::FloatingPoint(value)) => Value::from(*value),
                Some(Meaning::String(value)) => Value::String(value.into_owned()),
            }
        }
        Shape::List(items) => Value::Sequence(items.into_iter().map(by_saphyr).collect()),
        Shape::Map(entries) => Value::Mapping(
            entries.into_iter().map(|(key, _, value)| (Value::String(key), by_saphyr(value))).collect(),
        ),
    }
}

/// The data as the tree has it.
fn by_tree(node: &Node) -> Value {
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(value) => Value::Bool(*value),
        Data::Number(number, _) => Value::Number(number.clone()),
        Data::Text(text) | Data::Ambiguous(text) => Value::String(text.clone()),
        Data::List(items) => Value::Sequence(items.iter().map(by_tree).collect()),
        Data::Map(entries) => {
            let entries =
                entries.iter().map(|entry| (Value::String(entry.key.clone()), by_tree(&entry.value)));
            Value::Mapping(entries.collect::<Mapping>())
        }
    }
}

/// Text that YAML may keep: also such that looks like something else, and such that needs quotes.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[ -~]{0,20}",
        "[ -~\n]{0,30}",
        "[a-zé漢🙂 :#'\"-]{0,12}",
        prop::sample::select(vec![
            "no",
            "on",
            "yes",
            "off",
            "y",
            "null",
            "~",
            "true",
            "0123",
            "1_000",
            "0x1F",
            "0o7",
            "1e3",
            "10m",
            "22:00",
            "1.10",
            ".inf",
            "-",
            "- a",
            "a: b",
            "# a",
            " a ",
            "<<",
            "=",
            "&a",
            "*a",
            "!a",
            "%a",
            "@a",
            "2026-11-23",
            "",
            "${{ params.type }}",
            "a\n\nb\n",
            "\ta",
            "---",
            "...",
            "? a",
            "| ",
            "> ",
        ])
        .prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (-1.0e6..1.0e6_f64).prop_map(Value::from),
        texts().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let keys = prop_oneof!["[a-z][a-z-]{0,8}", texts().prop_filter("a merge key", |key| key != "<<")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Sequence),
            prop::collection::btree_map(keys, inner, 0..6).prop_map(|map| {
                Value::Mapping(map.into_iter().map(|(key, value)| (Value::String(key), value)).collect())
            }),
        ]
    })
}

/// YAML in flow style with double quotes, which is JSON.
fn in_flow_style(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

/// YAML in block style; strings as serde_yaml chooses to write them.
fn in_block_style(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap()
}

proptest! {
    #[test]
    fn both_parsers_read_what_was_written(value in values()) {
        for text in [in_block_style(&value), in_flow_style(&value)] {
            let outline = outline(&text).unwrap();
            prop_assert_eq!(&by_saphyr(outline), &serde_yaml::from_str::<Value>(&text).unwrap(), "{}", text);
            prop_assert_eq!(&by_tree(&read(&text).unwrap()), &value, "{}", text);
        }
    }

    #[test]
    fn what_is_taken_is_what_serde_yaml_reads(text in "([a-c]|[0-9]|: |- |\n|  |[\\[\\]{},#'\"|>~.?!&*-]){0,40}") {
        if let Ok(node) = read(&text) {
            let value = serde_yaml::from_str::<Value>(&text).unwrap();
            prop_assert!(agree(&node, &value), "{:?} and {:?}", node, value);
        }
    }
}

/// The tree holds what serde_yaml reads. A key like `1`, a number to serde_yaml, is text in the tree.
fn agree(node: &Node, value: &Value) -> bool {
    match (&node.data, value) {
        (Data::Ambiguous(_), Value::Sequence(_) | Value::Mapping(_)) => false,
        (Data::Ambiguous(_), _) => true,
        (Data::List(items), Value::Sequence(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(item, value)| agree(item, value))
        }
        (Data::Map(entries), Value::Mapping(values)) => {
            entries.len() == values.len()
                && entries.iter().zip(values).all(|(entry, (key, value))| {
                    key.as_str().is_none_or(|key| key == entry.key) && agree(&entry.value, value)
                })
        }
        _ => by_tree(node) == *value,
    }
}

#[test]
fn places_are_bytes_also_behind_wide_characters() {
    let text = "a: 漢字\nb: [é, \"x y\"]\nc: |\n  one\n  two\n\nd:\n";
    let node = read(text).unwrap();
    let shown: Vec<&str> = node.entries().iter().map(|entry| &text[entry.value.span.clone()]).collect();
    assert_eq!(shown, ["漢字", "[é, \"x y\"]", "one\n  two", "d"]);
    let Data::List(items) = &node.get("b").unwrap().data else { panic!("not a list") };
    assert_eq!(items.iter().map(|item| &text[item.span.clone()]).collect::<Vec<_>>(), ["é", "\"x y\""]);
}

#[test]
fn scalars_that_readers_take_for_different_things_are_marked() {
    let node = read("[0123, 0b1, 1_000, no, 18446744073709551615, 0x1F]").unwrap();
    let Data::List(items) = &node.data else { panic!("not a list") };
    let marked: Vec<bool> = items.iter().map(|item| matches!(item.data, Data::Ambiguous(_))).collect();
    assert_eq!(marked, [true, true, false, false, true, false]);
}
