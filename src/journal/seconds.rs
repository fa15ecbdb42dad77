//! Durations as a number of seconds, to the millisecond.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

#[expect(clippy::cast_precision_loss, reason = "a millisecond count of any run fits 52 bits")]
pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(duration.as_millis() as f64 / 1000.0)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}
