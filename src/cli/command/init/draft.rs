//! The answers, and the commented workflow that they make. No I/O.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::report::clean;
use crate::workflow::{Diagnostics, Document, Start};

/// A workflow to be written. Texts are as they were given; [`Draft::check`] says whether they will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) target: Target,
    pub(super) resize: Option<String>,
    pub(super) password: Option<Password>,
    pub(super) key: Option<Key>,
    pub(super) start: Start,
    /// The ports that must answer after the start.
    pub(super) ports: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Instances(Vec<Chosen>),
    Match { name: Option<String>, tags: BTreeMap<String, String>, at_most: Option<String> },
}

/// An instance, with what a reader of the file may want to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) id: String,
    pub(super) note: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Password {
    pub(super) user: Option<String>,
    pub(super) source: Source,
}

/// Where the password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Env(String),
    File(String),
    Command(Vec<String>),
    Prompt,
    Generate(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) which: Which,
    pub(super) keep_existing: bool,
}

/// Which key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Id(String),
    Name(String),
    File(String),
}

impl Draft {
    /// A draft that is valid, to judge one answer in.
    pub(super) fn sample() -> Self {
        Self {
            name: "sample".to_owned(),
            region: "ap-guangzhou".to_owned(),
            target: Target::Instances(vec![Chosen { id: "ins-0web0001".to_owned(), note: String::new() }]),
            resize: Some("S5.LARGE8".to_owned()),
            password: None,
            key: None,
            start: Start::AsFound,
            ports: Vec::new(),
        }
    }

    /// Whether `pitstop check` passes it, as far as that can be told before its files are there.
    pub(super) fn check(&self) -> Result<(), Diagnostics> {
        let text = self.text(Path::new("FILE"));
        let public_key = |_: &Path| Err(io::ErrorKind::NotFound.into());
        match Document::parse("the workflow", text.as_bytes()) {
            Ok(document) if self.names_a_public_key() => Ok(drop(document)),
            Ok(document) => document.resolve(&BTreeMap::new(), &public_key).map(drop),
            Err(complaints) => Err(complaints),
        }
    }

    /// What is wrong with it, in one line.
    pub(super) fn judge(&self) -> Result<(), String> {
        self.check().map_err(|complaints| {
            let complaints = complaints.complaints();
            let first = complaints.first();
            let message = first.map(|complaint| complaint.message.clone()).unwrap_or_default();
            match first.and_then(|complaint| complaint.help.clone()) {
                Some(help) => format!("{message}; {help}"),
                None => message,
            }
        })
    }

    fn names_a_public_key(&self) -> bool {
        matches!(self.key, Some(Key { which: Which::File(_), .. }))
    }

    /// The file's text. `path` is where it will be.
    pub(super) fn text(&self, path: &Path) -> String {
        let file = named(path);
        let mut text = format!(
            "# yaml-language-server: $schema=./pitstop.schema.json\n\
             #\n\
             #   pitstop check {file}    is the file right? asks no cloud\n\
             #   pitstop plan {file}     what would happen, to which instance; touches nothing\n\
             #   pitstop run {file}      shows the plan, asks, then stops, changes and starts\n\
             #\n\
             # To give a value anew at each run, declare it and use it in place of the value:\n\
             #   params: {{ type: {{ description: Instance type to move to }} }}\n\
             #   … resize: {{ type: \"${{{{ params.type }}}}\" }} …       pitstop run {file} --set type=S5.LARGE8\n\
             version: 1\n\
             name: {}\n\n",
            scalar(&self.name)
        );
        self.target(&mut text);
        text.push_str(STOP);
        self.changes(&mut text);
        self.after(&mut text);
        text
    }

    fn target(&self, text: &mut String) {
        line(text, &format!("target:\n  region: {}", scalar(&self.region)));
        match &self.target {
            Target::Instances(instances) => {
                line(
                    text,
                    "  # Exactly these. Or all that fit: `match: { tags: { role: web } }` in place of `instances`.",
                );
                line(text, "  instances:");
                for Chosen { id, note } in instances {
                    let note = if note.is_empty() { String::new() } else { format!("   # {}", clean(note)) };
                    line(text, &format!("    - {}{note}", scalar(id)));
                }
            }
            Target::Match { name, tags, at_most } => {
                line(text, "  # All that fit when the plan is made, also those that are created later.");
                line(text, "  match:");
                if let Some(name) = name {
                    line(
                        text,
                        &format!(
                            "    name: {}   # * and ? stand for any characters and any one",
                            scalar(name)
                        ),
                    );
                }
                if !tags.is_empty() {
                    line(text, "    tags:");
                }
                for (tag, value) in tags {
                    line(text, &format!("      {}: {}", scalar(tag), scalar(value)));
                }
                if let Some(most) = at_most {
                    line(
                        text,
                        &format!(
                            "  at-most: {most}   # refuse if more are found: a pattern that fits too much is a mistake"
                        ),
                    );
                }
            }
        }
    }

    fn changes(&self, text: &mut String) {
        line(
            text,
            "# A set, not a script: one stop serves all of them, and Pitstop orders them (key, password, resize).",
        );
        line(text, "changes:");
        if let Some(to) = &self.resize {
            line(text, "  # Or so many cores and so much memory within the family: { cpu: 4, memory: 8GiB }");
            line(text, &format!("  - resize: {{ type: {} }}", scalar(to)));
        }
        if let Some(password) = &self.password {
            password.write(text);
        }
        if let Some(key) = &self.key {
            key.write(text);
        }
        text.push('\n');
    }

    fn after(&self, text: &mut String) {
        let start = match self.start {
            Start::AsFound => {
                "as-found   # what ran runs again, what was stopped stays stopped; or always, never"
            }
            Start::Always => "always   # also those that were found stopped; or as-found, never",
            Start::Never => "never   # all are left stopped; or as-found, always",
        };
        line(text, &format!("start: {start}\n"));
        if !self.ports.is_empty() {
            line(
                text,
                "# Proof after the start: a port that does not answer in time is a failure of that instance.",
            );
            line(text, "check:");
            for port in &self.ports {
                line(text, &format!("  - tcp: {{ port: {port}, timeout: 2m }}"));
            }
            text.push('\n');
        }
        text.push_str(FAILURES);
    }
}

const STOP: &str = "
stop:
  mode: soft      # asks the guest, never cuts the power; soft-first: cuts it after five minutes; hard: at once
  timeout: 10m    # an instance that has not stopped by then counts as failed, and is not forced

";

const FAILURES: &str =
    "on-failure: start   # an instance whose change failed starts with what it has; or leave-stopped

rollout:
  at-once: 1        # so many instances at a time, or a share like 20%
  max-failures: 0   # after more failures than this no other instance is stopped
";

impl Password {
    fn write(&self, text: &mut String) {
        line(text, "  - reset-password:");
        match &self.user {
            Some(user) => line(text, &format!("      user: {}", scalar(user))),
            None => line(
                text,
                "      # user: the administrator of each system (root, ubuntu, Administrator) if left out",
            ),
        }
        line(text, "      # Where it comes from; the password itself never stands here.");
        let source = match &self.source {
            Source::Env(name) => {
                format!("{{ env: {} }}   # set this variable where Pitstop runs", scalar(name))
            }
            Source::File(path) => {
                format!("{{ file: {} }}   # its first line; only you may be able to read it", scalar(path))
            }
            Source::Command(words) => {
                let words: Vec<_> = words.iter().map(|word| scalar(word)).collect();
                format!("{{ command: [{}] }}   # the first line that it prints; no shell", words.join(", "))
            }
            Source::Prompt => {
                "{ prompt: true }   # typed when the run begins; a scheduled job needs another source"
                    .to_owned()
            }
            Source::Generate(path) => {
                format!(
                    "{{ generate: {{ length: 20, save-to: {} }} }}   # the file must not exist yet",
                    scalar(path)
                )
            }
        };
        line(text, &format!("      password: {source}"));
    }
}

impl Key {
    fn write(&self, text: &mut String) {
        line(text, "  # The cloud switches login by password off when it binds a key.");
        line(text, "  - load-ssh-key:");
        line(
            text,
            &match &self.which {
                Which::Id(id) => format!("      key: {}", scalar(id)),
                Which::Name(name) => format!("      name: {}", scalar(name)),
                Which::File(path) => {
                    format!(
                        "      public-key-file: {}   # RSA; imported if the account does not have it",
                        scalar(path)
                    )
                }
            },
        );
        let kept = if self.keep_existing {
            "those that are bound stay"
        } else {
            "those that are bound stop working"
        };
        line(text, &format!("      keep-existing: {}   # {kept}", self.keep_existing));
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "{line}");
}

/// A text as YAML: bare where every reader takes it for text, else in quotes.
fn scalar(text: &str) -> String {
    const NOT_TEXT: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !NOT_TEXT.contains(&text.to_ascii_lowercase().as_str());
    // A JSON text is a YAML text.
    if bare { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// The file's name as it can be typed, for the comments.
fn named(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.is_empty() && name != "-" && name.chars().all(plain) { name } else { "FILE".to_owned() }
}
