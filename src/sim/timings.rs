//! How long things take in the simulated cloud.

use std::time::Duration;

use serde::Deserialize;

/// A duration that varies.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spread {
    /// The middle.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub base: Duration,
    /// How far from it a draw may be, as a part of it: 0.2 is ± 20 %.
    #[serde(default)]
    pub spread: f64,
}

impl Spread {
    /// `base` milliseconds ± `spread`.
    pub const fn millis(base: u64, spread: f64) -> Self {
        Self { base: Duration::from_millis(base), spread }
    }
}

/// How long things take. All but the latency shrink with the world's speed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Timings {
    /// A stop.
    pub stop: Spread,
    /// A start.
    pub start: Spread,
    /// A reboot.
    pub reboot: Spread,
    /// A new password.
    pub password: Spread,
    /// Binding or unbinding keys.
    pub keys: Spread,
    /// A resize; the boot after it, if any, comes on top.
    pub resize: Spread,
    /// From RUNNING until the guest's ports are open.
    pub boot: Spread,
    /// From a call's answer until DescribeInstances shows that it began; never longer than the operation.
    pub lag: Spread,
    /// From an operation's effect until DescribeInstances shows that it ended; a part of the operation's time.
    pub settling: Spread,
    /// A soft stop that the guest ignores is given up after this (SOFT), or the power is cut (SOFT_FIRST).
    pub patience: Spread,
    /// A call, there and back.
    pub latency: Spread,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            stop: Spread::millis(8_000, 0.2),
            start: Spread::millis(5_000, 0.2),
            reboot: Spread::millis(9_000, 0.2),
            password: Spread::millis(2_000, 0.2),
            keys: Spread::millis(3_000, 0.2),
            resize: Spread::millis(6_000, 0.2),
            boot: Spread::millis(2_000, 0.5),
            lag: Spread::millis(500, 1.0),
            settling: Spread::millis(100, 1.0),
            patience: Spread::millis(300_000, 0.0),
            latency: Spread::millis(30, 0.5),
        }
    }
}

/// Whether a resize powers a stopped instance on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeBoots {
    /// Yes, as the Chinese API page says.
    Always,
    /// No.
    Never,
    /// Half of them do.
    #[default]
    Random,
}
