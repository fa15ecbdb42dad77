//! The workflow language as a JSON Schema 2020-12, for editors.
//!
//! The reader checks more than a schema can say (what a param makes of a text, a span of time, one letter off a
//! region), and never less: what it reads without a complaint is valid here.

mod form;
mod scalar;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

/// The schema, as `pitstop schema` prints it.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        // Without references every tool finds every description.
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<form::Workflow>();
    Plain.transform(&mut schema);
    schema.to_value()
}

/// What the types' derivation leaves too much of: nothing is ever null, and a paragraph is one line.
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(ways)) = schema.get_mut("anyOf") {
            ways.retain(|way| way["type"] != "null");
            if let [Value::Object(only)] = ways.as_mut_slice() {
                let only = std::mem::take(only);
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.ensure_object().entry(key).or_insert(value);
                }
            }
        }
        if let Some(Value::String(text)) = schema.get_mut("description") {
            *text = text.replace('\n', " ");
        }
        for key in ["format", "minimum", "maximum"] {
            // `version` is a number of Rust's; that it is 1 says it all.
            if schema.get("const").is_some() {
                schema.remove(key);
            }
        }
    }
}
