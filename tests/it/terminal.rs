//! The program as a person meets it: on a pseudo-terminal whose screen is read as eyes would.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::sealed::Sealed;

const LONGEST_WAIT: Duration = Duration::from_secs(30);
const ROWS: NonZeroU16 = NonZeroU16::new(40).unwrap();
pub(crate) const CTRL_C: &str = "\u{3}";

/// A terminal with the program in it.
pub(crate) struct Screen {
    parser: vt100::Parser,
    /// Every byte that was ever written to the terminal.
    pub(crate) bytes: Vec<u8>,
    output: Receiver<Vec<u8>>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Screen {
    pub(crate) fn open(sealed: &Sealed, columns: u16, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pitstop"));
        command.args(args);
        Self::with(sealed, (columns, ROWS.get()), command)
    }

    /// What a person types at a shell; `pitstop` is this program.
    pub(crate) fn shell(sealed: &Sealed, columns: u16, line: &str) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", &line.replace("pitstop", env!("CARGO_BIN_EXE_pitstop"))]);
        Self::with(sealed, (columns, ROWS.get()), command)
    }

    pub(crate) fn of_size(sealed: &Sealed, (columns, rows): (u16, u16), args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pitstop"));
        command.args(args);
        Self::with(sealed, (columns, rows), command)
    }

    fn with(sealed: &Sealed, (columns, rows): (u16, u16), mut command: CommandBuilder) -> Self {
        let (columns, rows) = (NonZeroU16::new(columns).unwrap(), NonZeroU16::new(rows).unwrap());
        let size = PtySize { rows: rows.get(), cols: columns.get(), pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in sealed.environment() {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut from = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(rows, columns, 200);
        Self { parser, bytes: Vec::new(), output, keyboard, child, master: pair.master }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.bytes.extend(bytes);
    }

    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// The screen, row by row, without blanks at the ends.
    pub(crate) fn rows(&self) -> Vec<String> {
        let (_, columns) = self.parser.screen().size();
        self.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    /// The person makes the window larger or smaller.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
        let (rows, columns) = (NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap());
        self.parser.screen_mut().set_size(rows, columns);
    }

    /// Waits until the screen is like this.
    pub(crate) fn wait_until(&mut self, what: &str, fits: impl Fn(&[String]) -> bool) {
        while !fits(&self.rows()) {
            match self.output.recv_timeout(LONGEST_WAIT) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("{what}: not so ({error}); the screen is\n{}", self.rows().join("\n")),
            }
        }
    }

    pub(crate) fn cursor_is_hidden(&self) -> bool {
        self.parser.screen().hide_cursor()
    }

    /// Asks the program to end, as a service manager would.
    pub(crate) fn terminate(&self) {
        let id = self.child.process_id().unwrap();
        let sent = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn wait_for(&mut self, wanted: &str) {
        while !self.text().contains(wanted) {
            match self.output.recv_timeout(LONGEST_WAIT) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("`{wanted}` did not come ({error}); the screen is\n{}", self.text()),
            }
        }
    }

    /// Waits until the prompt is there for the n-th time and what is typed is hidden. What is typed before is discarded.
    pub(crate) fn wait_for_hidden(&mut self, prompt: &str, times: usize) {
        let pause = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while self.text().matches(prompt).count() < times || self.echoes() {
            match self.output.recv_timeout(pause) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) if waited < LONGEST_WAIT => waited += pause,
                Err(error) => panic!("`{prompt}` did not come ({error}); the screen is\n{}", self.text()),
            }
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the end; returns the exit code.
    pub(crate) fn end(&mut self) -> u32 {
        while let Ok(bytes) = self.output.recv_timeout(LONGEST_WAIT) {
            self.take(&bytes);
        }
        self.child.wait().unwrap().exit_code()
    }

    pub(crate) fn hides_the_cursor(&self) -> bool {
        self.parser.screen().hide_cursor()
    }

    /// What is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        /// The same on Linux and macOS.
        const ECHO: u64 = 0o10;
        let modes = self.master.get_termios().unwrap();
        u64::from(modes.local_flags.bits()) & ECHO != 0
    }

    pub(crate) fn wrote(&self, what: &str) -> bool {
        self.bytes.windows(what.len()).any(|window| window == what.as_bytes())
    }
}

pub(crate) const QUESTION: &str = "Stop 2 instances and make these changes?";

pub(crate) fn resize(speed: &'static str) -> [&'static str; 6] {
    ["run", "workflows/resize.yaml", "--cloud", "sim", "--sim-speed", speed]
}

#[test]
fn approval_names_what_will_be_stopped_and_the_board_shows_it() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    assert!(screen.text().contains("web-1 (ins-0web0001), web-2 (ins-0web0002)"), "{}", screen.text());
    screen.press("y\r");
    screen.wait_for("▸ web-1");
    screen.wait_for("0 of 2 finished");
    screen.wait_for("✓ web-1");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    let text = screen.text();
    assert!(text.contains("2 done of 2 instances"), "{text}");
    assert!(!text.contains(" of 2 finished"), "the board is gone when the run has ended: {text}");
    assert!(!screen.parser.screen().hide_cursor());
}

#[test]
fn no_is_4_and_nothing_is_stopped() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("n\r");
    assert_eq!(screen.end(), 4);
    assert!(screen.text().contains("nothing was stopped"), "{}", screen.text());
    assert_eq!(sealed.pitstop(&["runs"]).stdout, "");
}

#[test]
fn return_alone_is_no() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("\r");
    assert_eq!(screen.end(), 4);
}

#[test]
fn ctrl_c_at_the_question_is_4_and_gives_the_cursor_back() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press(CTRL_C);
    assert_eq!(screen.end(), 4, "{}", screen.text());
    assert!(screen.text().contains("nothing was stopped"), "{}", screen.text());
    assert!(!screen.parser.screen().hide_cursor());
}

#[test]
fn ctrl_c_during_the_run_brings_everything_back() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("5"));
    screen.wait_for(QUESTION);
    screen.press("y\r");
    screen.wait_for("▸ web-1");
    screen.press(CTRL_C);
    screen.wait_for("Ctrl-C: nothing new is begun");
    assert_eq!(screen.end(), 7, "{}", screen.text());
    let text = screen.text();
    assert!(
        !text.contains(" of 2 finished") && !text.contains("▸"),
        "a line of the board is left over:\n{text}"
    );
    assert!(!text.contains("^C"), "{text}");
    assert!(screen.text().contains("web-2 (ins-0web0002): not begun"), "{}", screen.text());
    assert!(!screen.parser.screen().hide_cursor());
}

#[test]
fn a_password_is_asked_twice_and_never_shown() {
    const PASSWORD: &str = "Zx9-canary-42";
    let sealed = Sealed::new();
    let args = ["run", "tests/fixtures/cli/ask-password.yaml", "--cloud", "sim", "--sim-speed", "50"];
    let mut screen = Screen::open(&sealed, 100, &args);
    let typed = [PASSWORD, "Other-password-1", PASSWORD, PASSWORD];
    for (before, password) in typed.into_iter().enumerate() {
        screen.wait_for_hidden("New password for root", before + 1);
        screen.press(&format!("{password}\r"));
    }
    screen.wait_for("Stop 1 instance and make these changes?");
    assert!(screen.wrote("they differ"));
    screen.press("y\r");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(!screen.wrote(PASSWORD));
}

#[test]
fn ctrl_c_at_a_password_gives_the_echo_back() {
    let sealed = Sealed::new();
    let args = ["run", "tests/fixtures/cli/ask-password.yaml", "--cloud", "sim", "--sim-speed", "50"];
    let mut screen = Screen::open(&sealed, 100, &args);
    assert!(screen.echoes(), "or the test can't tell");
    screen.wait_for_hidden("New password for root", 1);
    screen.press(CTRL_C);
    assert_eq!(screen.end(), 4, "{}", screen.text());
    assert!(screen.echoes());
    assert!(screen.text().contains("nothing was stopped"), "{}", screen.text());
}

/// As the first Ctrl-C during a run: what was stopped is brought back.
#[test]
fn ctrl_c_at_the_password_of_a_resumed_run_brings_back() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "5"]);
    let sim = ["--endpoint", &simulator.url, "--sim-speed", "5"];
    let mut args = vec!["run", "tests/fixtures/cli/ask-password.yaml", "--yes"];
    args.extend(sim);
    let mut killed = Screen::open(&sealed, 100, &args);
    for times in [1, 2] {
        killed.wait_for_hidden("New password for root", times);
        killed.press("Zx9-canary-42\r");
    }
    killed.wait_for("stopping");
    killed.child.kill().unwrap();
    killed.end();

    let mut screen = Screen::open(&sealed, 100, &["resume", "--sim-speed", "5"]);
    screen.wait_for_hidden("New password for root", 1);
    screen.press(CTRL_C);
    assert_eq!(screen.end(), 7, "{}", screen.text());
    assert!(screen.echoes());
    let text = screen.text();
    assert!(text.contains("brought back, not finished"), "{text}");
    assert!(!text.contains("nothing was stopped"), "{text}");
}

#[test]
fn a_missing_param_is_asked_for_with_its_description() {
    let sealed = Sealed::new();
    let args = ["plan", "tests/fixtures/cli/awkward.yaml", "--cloud", "sim"];
    let mut screen = Screen::open(&sealed, 100, &args);
    screen.wait_for("Instance type to move to (type)");
    screen.press("S5.LARGE8\r");
    screen.wait_for("4 refused");
    assert_eq!(screen.end(), 4);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let sealed = Sealed::new().with("TERM", "dumb");
    let args: Vec<_> = resize("50").into_iter().chain(["--yes"]).collect();
    let mut screen = Screen::open(&sealed, 60, &args);
    assert_eq!(screen.end(), 0);
    assert!(screen.text().contains("web-1: stopping"), "{}", screen.text());
    assert!(!screen.wrote("\u{1b}"), "no escape sequence");
}

#[test]
fn no_color_is_obeyed_on_a_terminal() {
    let sealed = Sealed::new().with("NO_COLOR", "1");
    let args: Vec<_> = resize("50").into_iter().chain(["--yes"]).collect();
    let mut screen = Screen::open(&sealed, 60, &args);
    assert_eq!(screen.end(), 0);
    for colour in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[1m", "\u{1b}[2m"] {
        assert!(!screen.wrote(colour), "{colour:?}");
    }
    assert!(screen.text().contains("✓ web-1"));
}

/// A run that was killed when its first instance had stopped; returns the arguments that would run it anew.
fn killed(sealed: &Sealed, url: &str) -> [String; 6] {
    let args = ["run", "workflows/resize.yaml", "--endpoint", url, "--sim-speed", "20"];
    let mut child = sealed.command(&[&args[..], &["--yes"]].concat()).spawn().unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    crate::sealed::read_until(&mut stderr, "web-1: stop done");
    child.kill().unwrap();
    child.wait().unwrap();
    args.map(str::to_owned)
}

const CARRY_ON: &str = "Carry that run on instead of beginning a new one?";

#[test]
fn an_unfinished_run_is_offered_and_carried_on() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "20"]);
    let args = killed(&sealed, &simulator.url);
    let mut screen = Screen::open(&sealed, 120, &args.each_ref().map(String::as_str));
    screen.wait_for(CARRY_ON);
    assert!(screen.text().contains("no longer carries it out"), "{}", screen.text());
    screen.press("y\r");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(screen.text().contains("2 done of 2 instances"), "{}", screen.text());
    let runs = sealed.pitstop(&["runs", "--output", "json"]).stdout;
    assert_eq!(runs.lines().count(), 1, "no second run was begun: {runs}");
}

#[test]
fn an_unfinished_run_that_is_not_wanted_is_left_as_it_is() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "20"]);
    let args = killed(&sealed, &simulator.url);
    for keys in ["n\r", "\r", CTRL_C] {
        let mut screen = Screen::open(&sealed, 120, &args.each_ref().map(String::as_str));
        screen.wait_for(CARRY_ON);
        screen.press(keys);
        let code = screen.end();
        assert_eq!(code, if keys == CTRL_C { 4 } else { 5 }, "{}", screen.text());
        assert!(!screen.parser.screen().hide_cursor());
    }
    assert!(sealed.pitstop(&["runs"]).stdout.contains("unfinished"));
}
