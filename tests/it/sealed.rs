//! Runs the real binary, sealed off: an empty environment, a home folder of its own, no terminal.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A home folder, and with it a journal, that exists as long as this does.
pub(crate) struct Sealed {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What the program did.
#[must_use]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sealed {
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.home().join(".local/state/pitstop/journal.db")
    }

    /// The variables that every process here sees, and no others.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let home = self.home().display().to_string();
        let fixed = [("HOME", home.as_str()), ("TZ", "UTC"), ("PATH", "/usr/bin:/bin")];
        let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        // The whole suite's exchanges may be recorded, also those of these processes.
        let recordings = std::env::var("PITSTOP_RECORDINGS").ok();
        let recordings = recordings.map(|folder| ("PITSTOP_RECORDINGS".to_owned(), folder));
        fixed.chain(recordings).chain(self.variables.iter().cloned()).collect()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitstop"));
        command
            .args(args)
            .env_clear()
            .envs(self.environment())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn pitstop(&self, args: &[&str]) -> Done {
        Done::from(self.command(args).output().unwrap())
    }

    /// A `pitstop sim` in a process of its own.
    pub(crate) fn simulator(&self, args: &[&str]) -> Simulator {
        self.simulator_at("127.0.0.1:0", args)
    }

    /// A `pitstop sim` at this address.
    pub(crate) fn simulator_at(&self, address: &str, args: &[&str]) -> Simulator {
        let mut all = vec!["sim", "--listen", address];
        all.extend(args);
        // It stands in the home folder, where the search for secrets finds it.
        let stderr =
            OpenOptions::new().create(true).append(true).open(self.home().join("sim.stderr")).unwrap();
        let mut child = self.command(&all).stderr(stderr).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Simulator { child, url }
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// Everything in one text, with what differs from run to run replaced.
    pub(crate) fn transcript(&self) -> String {
        let all = format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr);
        steady(&all)
    }
}

/// Times, durations and ids are not the same twice, and a passing state is not always seen.
fn steady(text: &str) -> String {
    let passing = |line: &&str| !line.contains(" is STARTING now") && !line.contains(" is RUNNING now");
    text.lines().filter(passing).map(|line| replace_words(line) + "\n").collect()
}

fn replace_words(line: &str) -> String {
    if line.trim_start().starts_with("run by ") {
        return "  run by    PROCESS".to_owned();
    }
    line.split(' ').map(replace_word).collect::<Vec<_>>().join(" ")
}

fn replace_word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let shape: String = bare.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let is_uuid = bare.len() == 36 && bare.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let new = match shape.as_str() {
        _ if is_uuid => "UUID",
        "00:00:00" => "TIME",
        "0000-00-00" => "DAY",
        "0.0s" | "00.0s" => "SECONDS",
        _ => return word.to_owned(),
    };
    word.replace(bare, new)
}

/// A simulated cloud in another process; it ends with this.
pub(crate) struct Simulator {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status().unwrap();
    assert!(sent.success());
}

/// Reads lines until one has this in it; returns all that was read.
pub(crate) fn read_until(from: &mut impl BufRead, wanted: &str) -> String {
    let mut all = String::new();
    while !all.contains(wanted) {
        let before = all.len();
        from.read_line(&mut all).unwrap();
        assert_ne!(before, all.len(), "the output ended before `{wanted}`:\n{all}");
    }
    all
}

/// The rest of the output, and the exit code.
pub(crate) fn finish(mut child: Child, mut rest: impl Read) -> (i32, String) {
    let mut text = String::new();
    rest.read_to_string(&mut text).unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), text)
}
