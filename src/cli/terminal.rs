//! The one owner of stdout, stderr and the screen.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use dialoguer::console::Term;

use super::args::Output;
use super::block::{Aside, Block};
use super::environment::Environment;
use super::exit::{Error, Exit};
use crate::report::{Language, Look, json};

/// What is known of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "seven questions, each with yes or no")]
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
    /// Signs beyond ASCII can be shown.
    pub(super) unicode: bool,
    /// The terminal breaks its lines anew when its width changes.
    pub(super) reflows: bool,
}

impl Screen {
    /// `NO_COLOR` and `TERM=dumb` are obeyed; a terminal that can't move its cursor gets plain lines.
    pub(super) fn of(environment: &Environment, [stdin, stdout, stderr]: [bool; 3]) -> Self {
        let term = environment.get("TERM");
        let dumb = matches!(term, None | Some("dumb"));
        // The consoles of Linux and of old have neither the signs nor the habit.
        let console = matches!(term, Some("linux" | "vt100" | "vt102" | "vt220"));
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
        let utf8 = |locale: &str| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        let screen = environment.get("STY").is_some();
        let xterm = environment.get("XTERM_VERSION").is_some() && environment.get("TMUX").is_none();
        let colour = !dumb && environment.get("NO_COLOR").is_none();
        Self {
            interactive: stdin && stderr,
            moving: stderr && !dumb,
            stdout,
            stdout_colour: stdout && colour,
            stderr_colour: stderr && colour,
            // Where nothing is said of the locale, everything is UTF-8 by now.
            unicode: !console && locale.is_none_or(utf8),
            reflows: !console && !screen && !xterm,
        }
    }
}

/// The terminal. Clones share the screen.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    screen: Screen,
    output: Output,
    /// More than usual is told.
    verbose: bool,
    language: Language,
    block: Arc<Block>,
    /// Whether stdout still has a reader.
    open: Arc<Mutex<bool>>,
}

const BAD: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Terminal {
    /// Speaks `language`, or that of the locale.
    pub(super) fn new(
        environment: &Environment,
        output: Output,
        verbose: bool,
        language: Option<Language>,
    ) -> Self {
        let terminals = [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
        let screen = Screen::of(environment, terminals);
        let block = Arc::new(Block::new(screen.moving, screen.reflows));
        let language = language.unwrap_or_else(|| language_of(environment, screen));
        Self { screen, output, verbose, language, block, open: Arc::new(Mutex::new(true)) }
    }

    pub(super) fn screen(&self) -> Screen {
        self.screen
    }

    pub(super) fn output(&self) -> Output {
        self.output
    }

    /// More than usual is told.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// The language that the person is spoken to in.
    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// The board's place.
    pub(super) fn block(&self) -> &Block {
        &self.block
    }

    /// Leaves the screen to a question, until what is returned is dropped.
    pub(super) fn step_aside(&self) -> Aside<'_> {
        self.block.step_aside()
    }

    /// How data on stdout is laid out: as wide as the terminal, or 100 columns where there is none.
    pub(super) fn stdout_look(&self) -> Look {
        self.look(columns(&Term::stdout()), self.screen.stdout_colour)
    }

    /// How words on stderr are laid out.
    pub(super) fn stderr_look(&self) -> Look {
        self.look(columns(&Term::stderr()), self.screen.stderr_colour)
    }

    fn look(&self, width: usize, colour: bool) -> Look {
        Look { width, colour, unicode: self.screen.unicode, language: self.language }
    }

    /// The terminal's height.
    pub(super) fn rows() -> usize {
        Term::stderr().size_checked().map_or(24, |(rows, _)| usize::from(rows))
    }

    /// Writes data to stdout.
    pub(super) fn data(&self, text: &str) -> Result<(), Error> {
        self.block.above(|| write(io::stdout().lock(), text)).map_err(Error::from)
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
        self.block.above(|| write(io::stderr().lock(), text).unwrap_or_default());
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
        let (label, hint_label, gap) = self.language.pick(("error:", "hint:", " "), ("错误：", "建议：", ""));
        let message = error.chinese.filter(|_| self.language == Language::Chinese);
        self.say(&format!("{}{gap}{}", paint(BAD, label), message.unwrap_or(&error.message)));
        for hint in &error.hints {
            self.say(&format!("{}{gap}{hint}", paint(HINT, hint_label)));
        }
    }
}

/// The locale's language, if this terminal can show it. Where no variable tells the locale, the system does.
fn language_of(environment: &Environment, screen: Screen) -> Language {
    let locale = environment.locale().map(str::to_owned).or_else(sys_locale::get_locale);
    if screen.unicode { Language::of_locale(locale.as_deref()) } else { Language::English }
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
        LogLine { block: Arc::clone(&self.block) }
    }
}

/// Where one log line is written.
pub(super) struct LogLine {
    block: Arc<Block>,
}

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.block.above(|| io::stderr().lock().write_all(line))?;
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
            unicode: true,
            reflows: true,
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
            ..everything
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

    #[test]
    fn a_locale_or_console_without_the_signs_gets_ascii() {
        fn unicode<const N: usize>(variables: [(&str, &str); N]) -> bool {
            Screen::of(&Environment::from(variables), [true; 3]).unicode
        }
        assert!(unicode([("TERM", "xterm")]));
        assert!(unicode([("TERM", "xterm"), ("LANG", "zh_CN.UTF-8")]));
        assert!(unicode([("TERM", "xterm"), ("LANG", "C"), ("LC_ALL", "C.utf8")]));
        assert!(!unicode([("TERM", "xterm"), ("LANG", "C")]));
        assert!(!unicode([("TERM", "xterm"), ("LANG", "en_US.UTF-8"), ("LC_CTYPE", "zh_CN.GBK")]));
        assert!(!unicode([("TERM", "linux"), ("LANG", "en_US.UTF-8")]));
    }

    #[test]
    fn terminals_that_keep_their_lines_are_known() {
        fn reflows<const N: usize>(variables: [(&str, &str); N]) -> bool {
            Screen::of(&Environment::from(variables), [true; 3]).reflows
        }
        assert!(reflows([("TERM", "xterm-256color")]));
        assert!(!reflows([("TERM", "xterm"), ("XTERM_VERSION", "XTerm(390)")]));
        assert!(reflows([("TERM", "screen"), ("XTERM_VERSION", "XTerm(390)"), ("TMUX", "/tmp/tmux")]));
        assert!(!reflows([("TERM", "screen"), ("STY", "1.pts")]));
    }
}
