//! The one owner of stdout, stderr and the screen.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use dialoguer::console::Term;
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::args::Output;
use super::environment::Environment;
use super::exit::{Error, Exit};
use crate::report::{Look, json};

/// What is known of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five questions, each with yes or no")]
pub(super) struct Screen {
    /// A person can be asked: both stdin and stderr are terminals.
    pub(super) interactive: bool,
    /// stderr can show a board that moves.
    pub(super) moving: bool,
    /// stdout is a terminal.
    pub(super) stdout: bool,
    /// Colours on stdout.
    pub(super) stdout_colour: bool,
    /// Colours on stderr.
    pub(super) stderr_colour: bool,
}

impl Screen {
    /// `NO_COLOR` and `TERM=dumb` are obeyed; a terminal that can't move its cursor gets plain lines.
    pub(super) fn of(environment: &Environment, [stdin, stdout, stderr]: [bool; 3]) -> Self {
        let dumb = matches!(environment.get("TERM"), None | Some("dumb"));
        let colour = !dumb && environment.get("NO_COLOR").is_none();
        Self {
            interactive: stdin && stderr,
            moving: stderr && !dumb,
            stdout,
            stdout_colour: stdout && colour,
            stderr_colour: stderr && colour,
        }
    }
}

/// The terminal. Clones share the screen.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    screen: Screen,
    output: Output,
    bars: MultiProgress,
    /// Whether stdout still has a reader.
    open: Arc<Mutex<bool>>,
}

const BAD: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Terminal {
    pub(super) fn new(environment: &Environment, output: Output) -> Self {
        let terminals = [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
        let screen = Screen::of(environment, terminals);
        let target = if screen.moving { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        Self { screen, output, bars, open: Arc::new(Mutex::new(true)) }
    }

    pub(super) fn screen(&self) -> Screen {
        self.screen
    }

    pub(super) fn output(&self) -> Output {
        self.output
    }

    /// The board's place.
    pub(super) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// How data on stdout is laid out: as wide as the terminal, or 100 columns where there is none.
    pub(super) fn stdout_look(&self) -> Look {
        Look { width: columns(&Term::stdout()), colour: self.screen.stdout_colour }
    }

    /// How words on stderr are laid out.
    pub(super) fn stderr_look(&self) -> Look {
        Look { width: columns(&Term::stderr()), colour: self.screen.stderr_colour }
    }

    /// The terminal's height.
    pub(super) fn rows() -> usize {
        Term::stderr().size_checked().map_or(24, |(rows, _)| usize::from(rows))
    }

    /// Writes data to stdout.
    pub(super) fn data(&self, text: &str) -> Result<(), Error> {
        self.bars.suspend(|| write(io::stdout().lock(), text)).map_err(Error::from)
    }

    /// Writes data to stdout while a run is under way: a reader that is gone must not end the run.
    pub(super) fn feed(&self, text: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if *open && let Err(error) = self.data(text) {
            *open = false;
            tracing::warn!("nothing more is written to stdout: {error}");
        }
    }

    /// Writes words for a person to stderr. There is nowhere to complain if that fails.
    pub(super) fn say(&self, text: &str) {
        self.bars.suspend(|| write(io::stderr().lock(), text).unwrap_or_default());
    }

    /// Reports an error, with its hints, in the form that was asked for.
    pub(super) fn error(&self, error: &Error, exit: Exit) {
        if self.output == Output::Json {
            let complaints = error.complaints.as_ref().map(|complaints| complaints.complaints());
            self.feed(&json::error(&error.message, &error.hints, exit.code(), complaints.as_ref()));
        }
        let colour = self.screen.stderr_colour;
        let paint = |style: Style, word: &str| {
            if colour { format!("{style}{word}{style:#}") } else { word.to_owned() }
        };
        if let Some(complaints) = &error.complaints {
            self.say(&format!("{}\n", complaints.render(colour)));
        }
        self.say(&format!("{} {}", paint(BAD, "error:"), error.message));
        for hint in &error.hints {
            self.say(&format!("{} {hint}", paint(HINT, "hint:")));
        }
    }
}

fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()
}

fn columns(term: &Term) -> usize {
    term.size_checked().map_or(100, |(_, columns)| usize::from(columns))
}

/// Log lines go to stderr, above the board.
impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Terminal {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine { bars: self.bars.clone() }
    }
}

/// Where one log line is written.
pub(super) struct LogLine {
    bars: MultiProgress,
}

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().lock().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_a_dumb_terminal_and_no_color_are_obeyed() {
        let everything = Screen {
            interactive: true,
            moving: true,
            stdout: true,
            stdout_colour: true,
            stderr_colour: true,
        };
        let all = [true; 3];
        let xterm = Environment::from([("TERM", "xterm-256color")]);
        assert_eq!(Screen::of(&xterm, all), everything);
        let piped = Screen { stdout: false, stdout_colour: false, ..everything };
        assert_eq!(Screen::of(&xterm, [true, false, true]), piped);
        let nobody = Screen {
            interactive: false,
            moving: false,
            stdout: false,
            stdout_colour: false,
            stderr_colour: false,
        };
        assert_eq!(Screen::of(&xterm, [false; 3]), nobody);
        let no_stdin = Screen { interactive: false, ..everything };
        assert_eq!(Screen::of(&xterm, [false, true, true]), no_stdin);
        let plain = Screen { stdout_colour: false, stderr_colour: false, ..everything };
        assert_eq!(Screen::of(&Environment::from([("TERM", "xterm"), ("NO_COLOR", "1")]), all), plain);
        assert_eq!(
            Screen::of(&Environment::from([("TERM", "dumb")]), all),
            Screen { moving: false, ..plain }
        );
    }
}
