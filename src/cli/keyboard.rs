//! How the keyboard's terminal treats what is typed: changed for a while, and put back in the end.

use std::io;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// The settings as they were. They are put back when this is dropped, also when a question is given up.
pub(super) struct Keyboard(Termios);

impl Keyboard {
    /// Changes nothing. A question that is given up leaves the keyboard as it was asked for: this puts it back.
    pub(super) fn as_it_is() -> Option<Self> {
        is_ours().then(|| tcgetattr(io::stdin()).ok().map(Self))?
    }

    /// Shows nothing of what is typed while this lives, and forgets what was typed before.
    pub(super) fn hidden() -> io::Result<Self> {
        Self::without(LocalModes::ECHO, OptionalActions::Flush)
    }

    /// Shows no `^C` while this lives. The board fills its last line, so that those two characters would begin another
    /// one, and clearing the board would miss its first. `None` where there is no terminal of ours to be set.
    pub(super) fn without_control_characters() -> Option<Self> {
        is_ours().then(|| Self::without(LocalModes::ECHOCTL, OptionalActions::Now).ok())?
    }

    fn without(modes: LocalModes, when: OptionalActions) -> io::Result<Self> {
        let kept = Self(tcgetattr(io::stdin())?);
        let mut changed = kept.0.clone();
        changed.local_modes.remove(modes);
        tcsetattr(io::stdin(), when, &changed)?;
        Ok(kept)
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
