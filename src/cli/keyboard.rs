//! How the keyboard's terminal treats what is typed: changed for a while, and put back in the end.

use std::io;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// The settings as they were. They are put back when this is dropped, also when a question is given up.
pub(super) struct Keyboard(Termios);

impl Keyboard {
    /// Remembers the settings.
    pub(super) fn keep() -> io::Result<Self> {
        Ok(Self(tcgetattr(io::stdin())?))
    }

    /// Shows no `^C` while this lives. The board fills its last line, so that those two characters would begin another
    /// one, and clearing the board would miss its first. `None` where there is no terminal of ours to be set.
    pub(super) fn without_control_characters() -> Option<Self> {
        if !is_ours() {
            return None;
        }
        let kept = Self::keep().ok()?;
        let mut quiet = kept.0.clone();
        quiet.local_modes.remove(LocalModes::ECHOCTL);
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(kept)
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if !is_ours() {
            return;
        }
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Now, &self.0) {
            tracing::debug!(%error, "the terminal's settings are not put back");
        }
    }
}

/// This process is in the foreground of the terminal: in the background, setting it would suspend the process.
fn is_ours() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
}
