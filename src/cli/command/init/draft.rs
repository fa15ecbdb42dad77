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
            Ok(_) if self.names_a_public_key() => Ok(()),
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
             # To give a value anew at each run, declare it, and let it stand in place of the value:\n\
             #   params: {{ type: {{ description: Instance type to move to }} }}\n\
             #   … resize: {{ type: \"${{{{ params.type }}}}\" }} …\n\
             #   pitstop run {file} --set type=S5.LARGE8\n\
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
            line(
                text,
                "  # Or { cpu: 4, memory: 8GiB } within the family, or { prefer: [S5.LARGE8, S6.LARGE8] }: the first to be had.",
            );
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
    "on-failure: start   # an instance whose change failed starts with what it has; or roll-back, leave-stopped

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cloud::InstanceId;
    use crate::workflow::{self, KeySource, Resize, SecretSource, Workflow};

    fn resolve(draft: &Draft) -> Workflow {
        let text = draft.text(Path::new("made.yaml"));
        let key =
            |_: &Path| std::fs::read("tests/fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub");
        let read = Document::check("made.yaml", text.as_bytes(), &BTreeMap::new(), &key);
        read.unwrap_or_else(|complaints| panic!("{text}\n{complaints}"))
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn targets() -> Vec<Target> {
        let chosen = |id: &str, note: &str| Chosen { id: text(id), note: text(note) };
        let tags = || BTreeMap::from([(text("role"), text("web")), (text("on"), text("yes"))]);
        vec![
            Target::Instances(vec![chosen("ins-0web0001", "")]),
            Target::Instances(vec![
                chosen("ins-0web0001", "web-1, S5"),
                chosen("ins-0web0002", "# 網\n站: {"),
            ]),
            Target::Match { name: Some(text("web-*")), tags: BTreeMap::new(), at_most: None },
            Target::Match { name: None, tags: tags(), at_most: Some(text("20")) },
            Target::Match { name: Some(text("*")), tags: tags(), at_most: Some(text("1")) },
        ]
    }

    fn passwords() -> Vec<Option<Password>> {
        let sources = [
            Source::Env(text("NEW_PASSWORD")),
            Source::File(text("/run/secrets/pass word")),
            Source::Command(vec![text("pass"), text("show"), text("cvm/root")]),
            Source::Prompt,
            Source::Generate(text("new-password.txt")),
        ];
        let users = [None, Some(text("ubuntu"))];
        let some = sources
            .into_iter()
            .flat_map(|source| users.clone().map(|user| Some(Password { user, source: source.clone() })));
        std::iter::once(None).chain(some).collect()
    }

    fn keys() -> Vec<Option<Key>> {
        let which =
            [Which::Id(text("skey-0ops0001")), Which::Name(text("ops")), Which::File(text("keys/ops.pub"))];
        let some = which.into_iter().flat_map(|which| {
            [true, false].map(|keep_existing| Some(Key { which: which.clone(), keep_existing }))
        });
        std::iter::once(None).chain(some).collect()
    }

    /// Whatever is answered, the file is valid and says what was answered.
    #[test]
    fn every_combination_of_answers_makes_a_valid_workflow() {
        let mut drafts = 0;
        for target in targets() {
            for resize in [None, Some(text("S5.LARGE8"))] {
                for password in passwords() {
                    for key in keys() {
                        for (start, ports) in [
                            (Start::AsFound, vec![]),
                            (Start::AsFound, vec![text("22"), text("443")]),
                            (Start::Always, vec![text("22")]),
                            (Start::Never, vec![]),
                        ] {
                            let draft = Draft {
                                target: target.clone(),
                                resize: resize.clone(),
                                password: password.clone(),
                                key: key.clone(),
                                start,
                                ports,
                                ..Draft::sample()
                            };
                            if resize.is_none() && password.is_none() && key.is_none() {
                                continue;
                            }
                            same(&draft, &resolve(&draft));
                            drafts += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(drafts, 5 * 4 * (2 * 11 * 7 - 1));
    }

    fn same(draft: &Draft, read: &Workflow) {
        assert_eq!((&draft.name, &draft.region, draft.start), (&read.name, &read.region, read.start));
        let ports: Vec<_> =
            read.checks.iter().map(|workflow::Check::Tcp { port, .. }| port.to_string()).collect();
        assert_eq!(draft.ports, ports);
        match (&draft.target, &read.target) {
            (Target::Instances(chosen), workflow::Target::Instances(ids)) => {
                assert!(chosen.iter().map(|one| one.id.as_str()).eq(ids.iter().map(InstanceId::as_str)));
            }
            (Target::Match { name, tags, at_most }, workflow::Target::Match { filter, at_most: most }) => {
                assert_eq!((name, tags), (&filter.name, &filter.tags));
                assert_eq!(at_most, &most.map(|most| most.to_string()));
            }
            _ => panic!("{draft:?} {read:?}"),
        }
        let to = draft.resize.as_deref().map(|to| Resize::Type(to.into()));
        assert_eq!(to, read.changes.resize);
        let reset = read.changes.reset_password.as_ref();
        assert_eq!(draft.password.as_ref().map(|new| &new.user), reset.map(|reset| &reset.user));
        let source = draft.password.as_ref().map(|new| match new.source.clone() {
            Source::Env(name) => SecretSource::Env(name),
            Source::File(path) => SecretSource::File(path.into()),
            Source::Command(words) => SecretSource::Command(words),
            Source::Prompt => SecretSource::Prompt,
            Source::Generate(path) => SecretSource::Generate { length: 20, save_to: path.into() },
        });
        assert_eq!(source.as_ref(), reset.map(|reset| &reset.password));
        let load = read.changes.load_ssh_key.as_ref();
        assert_eq!(draft.key.as_ref().map(|key| key.keep_existing), load.map(|load| load.keep_existing));
        match (draft.key.as_ref().map(|key| &key.which), load.map(|load| &load.key)) {
            (Some(Which::Id(id)), Some(KeySource::Id(read))) => assert_eq!(id, read.as_str()),
            (Some(Which::Name(name)), Some(KeySource::Name(read))) => assert_eq!(name, read),
            (Some(Which::File(_)), Some(KeySource::PublicKey { .. })) | (None, None) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_that_will_not_do_is_told_why() {
        let judge =
            |region: &str| Draft { region: region.to_owned(), ..Draft::sample() }.judge().unwrap_err();
        assert_eq!(judge("ap-gaungzhou"), "`ap-gaungzhou` is not a region; did you mean `ap-guangzhou`?");
        assert!(judge("").contains("empty"), "{}", judge(""));
        let ports = Draft { ports: vec![text("70000")], ..Draft::sample() };
        assert!(ports.judge().unwrap_err().contains("from 1 to 65535"));
    }

    #[test]
    fn a_file_with_an_odd_name_is_called_file_in_the_comments() {
        for (path, shown) in
            [("a/b-1.yaml", "b-1.yaml"), ("-", "FILE"), ("a b.yaml", "FILE"), ("x\nversion: 2", "FILE")]
        {
            assert_eq!(named(Path::new(path)), shown);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Texts go through the file as they are, or are refused; they never become something else.
        #[test]
        fn texts_stay_what_they_are(name in "\\PC{0,20}|true|0x1|1e5|~|- a|: |null|012|1:30|.inf", note in any::<String>()) {
            let target = Target::Match { name: Some(name.clone()), tags: BTreeMap::from([(name.clone(), name.clone())]), at_most: None };
            let draft = Draft { name: name.clone(), target, ..Draft::sample() };
            if draft.check().is_ok() {
                let read = resolve(&draft);
                prop_assert_eq!(&read.name, &name);
                same(&draft, &read);
            }
            let noted = Target::Instances(vec![Chosen { id: text("ins-0web0001"), note }]);
            prop_assert_eq!(Draft { target: noted, ..Draft::sample() }.judge(), Ok(()));
        }
    }
}
