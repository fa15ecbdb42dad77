//! Chance without a state: every draw is a function of the seed and of what it is for.
//!
//! So one more read does not move the durations of all later operations, two clients that do the same thing to the same
//! instance meet the same durations, and a clone of the world goes on as the original would have.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::timings::Spread;

/// What a draw is for; draws of different purposes are independent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A request's id.
    RequestId = 1,
    /// How long an operation takes.
    Duration,
    /// How late an operation becomes visible.
    Lag,
    /// How long before its end an operation's effect shows.
    Settling,
    /// How long a guest boots.
    Boot,
    /// Whether a resize powers the instance on.
    ResizeBoots,
    /// How long a call is under way.
    Latency,
    /// Whether a fault strikes.
    Fault,
    /// A made-up fleet.
    Fleet,
    /// Keys and temporary credentials.
    Credential,
}

/// A seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    seed: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A generator for this purpose, told apart by `which`.
    pub(crate) fn stream(self, purpose: Purpose, which: &[u64]) -> Xoshiro256PlusPlus {
        let mixed = which.iter().chain([&(purpose as u64)]).fold(self.seed, |state, word| {
            (state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_add(*word)
        });
        Xoshiro256PlusPlus::seed_from_u64(mixed)
    }

    /// A duration out of `spread`.
    pub(crate) fn duration(self, purpose: Purpose, which: &[u64], spread: Spread) -> Duration {
        let unit: f64 = self.stream(purpose, which).random();
        spread.base.mul_f64((1.0 + spread.spread * (2.0 * unit - 1.0)).max(0.0))
    }

    /// Whether something of probability `chance` happens.
    pub(crate) fn happens(self, purpose: Purpose, which: &[u64], chance: f64) -> bool {
        self.stream(purpose, which).random::<f64>() < chance
    }

    /// The `number`-th request's id, shaped as the vendor's.
    pub(crate) fn request_id(self, number: u64) -> String {
        uuid::Builder::from_random_bytes(self.stream(Purpose::RequestId, &[number]).random())
            .into_uuid()
            .to_string()
    }

    /// `length` letters and digits.
    pub(crate) fn word(self, purpose: Purpose, which: &[u64], length: usize) -> String {
        const ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut stream = self.stream(purpose, which);
        (0..length).map(|_| char::from(ALPHABET[stream.random_range(0..ALPHABET.len())])).collect()
    }
}
