//! The scalars of the file: what a schema can say about their form, and that a param may stand in their place.
//!
//! Patterns keep to what every validator's regular expressions know: no looking around.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::cloud::password;
use crate::workflow::sections::LONGEST_NAME;
use crate::workflow::{changes, rollout, value};

/// A param's place, anywhere in a text.
const PARAM: &str = r"\$\{\{\s*params\.[a-z][a-z0-9_-]*\s*\}\}";

/// The place of something that is known only when an instance is looked at.
const INSTANCE: &str = r"\$\{\{\s*instance\.(private|public)-ip\s*\}\}";

/// What a region looks like.
const REGION: &str = "[a-z]{2,4}(-[a-z]{2,}){1,3}";

/// An address of IPv6, with the end written as IPv4 or not.
const IPV6: &str = r"[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,8}((\.[0-9]{1,3}){3})?";

/// Declares types that stand for a scalar and exist for their schema only.
macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)+) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

scalars! {
    /// Text with something in it.
    Text = json_schema!({
        "type": "string",
        "pattern": r"\S",
        "patternErrorMessage": "write something",
        "not": { "pattern": INSTANCE },
    });

    /// Text that may be empty.
    AnyText = json_schema!({ "type": "string" });

    /// The workflow's name.
    Name = not_blank(formed(
        &format!(r"[^\n]{{0,{LONGEST_NAME}}}"),
        &format!("one line of at most {LONGEST_NAME} characters"),
    ));

    /// What a param is when nobody says: any scalar.
    AnyScalar = json_schema!({
        "type": ["string", "number", "boolean"], "not": { "type": "string", "pattern": r"\$\{\{" },
    });

    /// A region.
    Region = json_schema!({
        "anyOf": [{ "enum": value::REGIONS }, formed(REGION, "a region like ap-guangzhou")],
    });

    /// A zone.
    Zone = formed(&format!("{REGION}-[0-9]+"), "a zone like ap-guangzhou-3");

    /// An instance's id.
    Instance = formed("ins-[a-z0-9]{4,}", "an instance's id like ins-r8hr2upy");

    /// A key pair's id.
    Key = formed("skey-[a-z0-9]{4,}", "a key's id like skey-abc12345");

    /// An instance type.
    Type = formed(r"[A-Z0-9]+\.[A-Z0-9]+", "an instance type like S5.LARGE8");

    /// A time to wait.
    Duration = formed(&duration(), "a duration like 90s, 10m or 1h 30m");

    /// An amount of memory.
    Memory = formed(r"0*[1-9][0-9]{0,9}\s*GiB\s*", "a whole number of GiB like 8GiB");

    /// A number of cores.
    Cores = number(1, 1024);

    /// A number of instances, of which there must be one.
    OneOrMore = number(1, rollout::MOST);

    /// A number of instances, or none.
    Count = number(0, rollout::MOST);

    /// A number of instances, or a share of all.
    Share = {
        let mut share = number(1, rollout::MOST);
        share.insert("pattern".to_owned(), format!(r"^0*([1-9][0-9]?|100)%$|{PARAM}").into());
        share.insert(
            "patternErrorMessage".to_owned(),
            "write a number of instances without quotes, or a share like 20%".into(),
        );
        share
    };

    /// A port.
    Port = number(1, 65535);

    /// How long a made-up password is.
    Length = number(changes::SHORTEST_GENERATED, password::LONGEST as u64);

    /// Yes or no.
    Flag = json_schema!({
        "type": ["boolean", "string"], "pattern": PARAM, "patternErrorMessage": "write true or false",
    });

    /// Yes.
    Yes = json_schema!({ "oneOf": [{ "const": true }, param()] });

    /// The name of a user.
    User = formed(&format!(r"\S{{1,{}}}", changes::LONGEST_USER), "a name without spaces, like root");

    /// The name of an environment variable.
    Variable = formed("[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable like NEW_PASSWORD, without $");

    /// A path.
    Path = not_blank(formed(
        r"([^~]|~[^/])[\s\S]*|~",
        "a whole path, or one relative to this file; ~ is not replaced by the home folder",
    ));

    /// A host's name or address.
    Host = json_schema!({
        "type": "string",
        "pattern": format!(r"^([A-Za-z0-9_][A-Za-z0-9_.-]{{0,252}}|{IPV6})$|{PARAM}|{INSTANCE}"),
        "patternErrorMessage": "a name or an address only; the port has a key of its own",
    });
}

/// One of a few words, or a param that gives one.
pub(super) struct Word<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let words = T::json_schema(generator).remove("oneOf").unwrap_or_default();
        let mut ways = words.as_array().cloned().unwrap_or_default();
        ways.push(param());
        json_schema!({ "oneOf": ways })
    }
}

/// Text of a form, or with a param in it.
fn formed(form: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": format!("^({form})$|{PARAM}"),
        "patternErrorMessage": format!("write {message}"),
    })
}

/// A text with a param in it.
fn param() -> Value {
    json!({ "type": "string", "pattern": PARAM, "description": "The value of a param" })
}

fn number(least: u64, most: u64) -> Schema {
    json_schema!({
        "type": ["integer", "string"],
        "minimum": least,
        "maximum": most,
        "pattern": PARAM,
        "patternErrorMessage": format!("write a whole number from {least} to {most}, without quotes"),
    })
}

/// The friendly durations of jiff up to hours, and `1:30:00`.
fn duration() -> String {
    let units = [
        "h|hrs?|hours?",
        "m|mins?|minutes?",
        "s|secs?|seconds?",
        "ms|msecs?|millis?|milliseconds?",
        "us|µs|μs|usecs?|µsecs?|μsecs?|micros?|microseconds?",
        "ns|nsecs?|nanos?|nanoseconds?",
    ];
    let part = format!(r"[0-9]+([.,][0-9]+)?\s*({})", units.join("|"));
    format!(r"\s*\+?({part}(\s*,?\s*{part})*|[0-9]+:[0-9]{{2}}:[0-9]{{2}}([.,][0-9]+)?)\s*")
}

/// Besides, there must be something in it, and nothing that depends on the instance.
fn not_blank(mut schema: Schema) -> Schema {
    schema.insert("allOf".to_owned(), json!([{ "pattern": r"\S" }]));
    schema.insert("not".to_owned(), json!({ "pattern": INSTANCE }));
    schema
}
