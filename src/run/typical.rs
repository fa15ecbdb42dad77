//! How long operations commonly take, until experience tells.

use std::time::Duration;

use crate::cloud::Action;

/// How long operations commonly take, by what the vendor and others who use its API say: "one to two minutes" for a
/// resize, "tens of seconds" for going down and for coming up, 10 s and more for a password or a key. Only a downtime
/// budget asks for them, and only until there is experience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typical {
    /// A stop.
    pub stop: Duration,
    /// A start.
    pub start: Duration,
    /// A resize.
    pub resize: Duration,
    /// A change of the password or of the keys.
    pub change: Duration,
}

impl Default for Typical {
    fn default() -> Self {
        Self {
            stop: Duration::from_secs(30),
            start: Duration::from_mins(1),
            resize: Duration::from_mins(2),
            change: Duration::from_secs(20),
        }
    }
}

impl Typical {
    /// How long this operation commonly takes.
    pub fn of(&self, action: Action) -> Duration {
        match action {
            Action::Stop => self.stop,
            Action::Start => self.start,
            Action::Resize => self.resize,
            Action::ResetPassword | Action::LoadSshKeys => self.change,
        }
    }

    /// The same after a change of each.
    #[must_use]
    pub(super) fn each(&self, change: impl Fn(Duration) -> Duration) -> Self {
        Self {
            stop: change(self.stop),
            start: change(self.start),
            resize: change(self.resize),
            change: change(self.change),
        }
    }
}
