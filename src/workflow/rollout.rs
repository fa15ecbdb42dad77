//! The YAML key `rollout`: how many at a time, who goes first, and when to stop.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::diagnostic::{Code, quoted};
use super::reader::{Reader, Unfit};
use super::sections::present;
use super::tree::Node;
use super::value;

/// All keys of `rollout`.
pub(super) const KEYS: &[&str] = &["at-once", "canary", "pause", "max-failures"];

/// The most instances that one key may name.
pub(super) const MOST: u64 = 1_000_000;

/// The YAML key `rollout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rollout {
    /// How many instances may be on their way through stop, change and start at one time.
    pub at_once: Share,
    /// How many go first; the others wait until all of these are well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Share>,
    /// What the others wait for besides.
    #[serde(default, skip_serializing_if = "Pause::is_default")]
    pub pause: Pause,
    /// When more than this many have failed, no other instance is stopped.
    pub max_failures: usize,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { at_once: Share::Number(5), canary: None, pause: Pause::default(), max_failures: 0 }
    }
}

/// Some of a run's instances: `5`, or `20%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Number(usize),
    /// So many of a hundred, rounded down, but at least one.
    Percent(u8),
}

impl Share {
    /// How many that is of `all`; at least one.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Number(number) => number.max(1),
            Self::Percent(percent) => (all.saturating_mul(usize::from(percent)) / 100).max(1),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let percent = text.strip_suffix('%')?.parse().ok()?;
        (1..=100).contains(&percent).then_some(Self::Percent(percent))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(to),
            Self::Percent(_) => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NumberOrPercent;
        impl Visitor<'_> for NumberOrPercent {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of instances, or a share like `20%`")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Share, E> {
                usize::try_from(number).map(Share::Number).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Share, E> {
                Share::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        from.deserialize_any(NumberOrPercent)
    }
}

/// What the others wait for after the canaries were well: `person`, `none`, or a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pause {
    /// A person says so. A run that was approved by `--yes` does not wait.
    #[default]
    Person,
    /// Nothing.
    None,
    /// So long, whoever approved the run.
    For(#[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")] Duration),
}

impl Pause {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads the key.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Rollout> {
    let example = "write `rollout: { at-once: 5, max-failures: 1 }`";
    let fields = reader.fields("rollout", node, "`rollout`", KEYS, example)?;
    let at_once = fields.get("at-once").map(|node| share(reader, "at-once", node));
    let canary = fields.get("canary").map(|node| share(reader, "canary", node));
    let paused = fields.entry("pause").map(|entry| {
        if fields.get("canary").is_none() {
            let complaint = reader.about(
                &entry.value,
                Code::Conflict,
                "`pause` comes after the canaries, and there are none",
            );
            reader.complain(complaint.help("add `canary: 1`, or remove `pause`"));
        }
        pause(reader, &entry.value)
    });
    let max_failures = fields.get("max-failures").map(|node| reader.number("max-failures", node, 0, MOST));
    let default = Rollout::default();
    Some(Rollout {
        at_once: present(at_once)?.unwrap_or(default.at_once),
        canary: present(canary)?,
        pause: present(paused)?.unwrap_or(default.pause),
        max_failures: present(max_failures)?.map_or(default.max_failures, size),
    })
}

/// A number of instances, or a share like `20%`.
fn share(reader: &mut Reader<'_>, name: &str, node: &Node) -> Option<Share> {
    match reader.peek(node) {
        Some(text) if text.ends_with('%') => {
            let share = Share::parse(&text);
            if share.is_none() {
                let complaint =
                    reader.about(node, Code::BadValue, format!("{} is not a share", quoted(&text)));
                reader
                    .complain(complaint.help("write a share from `1%` to `100%`, or a number of instances"));
            }
            share
        }
        _ => reader.number(name, node, 1, MOST).map(|number| Share::Number(size(number))),
    }
}

fn pause(reader: &mut Reader<'_>, node: &Node) -> Option<Pause> {
    reader.measure("pause", node, "`person`, `none`, or a duration like `10m`", |text| match text {
        "person" => Ok(Pause::Person),
        "none" => Ok(Pause::None),
        _ => value::duration(text).map(Pause::For).map_err(|unfit| {
            Unfit::new(unfit.why, "write `person` (the default), `none`, or a duration like `10m`")
        }),
    })
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_never_nothing() {
        let table = [
            (Share::Number(5), 3, 5),
            (Share::Number(0), 3, 1),
            (Share::Percent(20), 10, 2),
            (Share::Percent(20), 14, 2),
            (Share::Percent(20), 4, 1),
            (Share::Percent(100), 7, 7),
            (Share::Percent(1), 0, 1),
        ];
        for (share, all, expected) in table {
            assert_eq!(share.of(all), expected, "{share} of {all}");
        }
    }

    #[test]
    fn it_is_written_down_as_people_write_it_and_journals_without_canaries_load() {
        let written = |rollout| serde_json::to_value(rollout).unwrap();
        let old = serde_json::json!({ "at-once": 5, "max-failures": 0 });
        assert_eq!(written(Rollout::default()), old);
        let careful = Rollout {
            at_once: Share::Percent(20),
            canary: Some(Share::Number(2)),
            pause: Pause::For(Duration::from_mins(10)),
            max_failures: 1,
        };
        let json = serde_json::json!({ "at-once": "20%", "canary": 2, "pause": { "for": "10m" }, "max-failures": 1 });
        assert_eq!(written(careful), json);
        for rollout in [Rollout::default(), careful] {
            assert_eq!(serde_json::from_value::<Rollout>(written(rollout)).unwrap(), rollout);
        }
        assert!(serde_json::from_str::<Share>("\"120%\"").is_err());
    }
}
