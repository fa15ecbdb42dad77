//! The answers that options gave.

use super::draft::{Chosen, Draft, Key, Password, Source, Target, Which};
use crate::cli::args;
use crate::cli::exit::{Error, Kind};
use crate::workflow::Start;

/// What is known so far; `None` is asked for.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) region: Option<String>,
    pub(super) target: Option<Target>,
    pub(super) resize: Option<String>,
    pub(super) password: Option<Password>,
    pub(super) key: Option<Key>,
    pub(super) start: Option<Start>,
    pub(super) ports: Option<Vec<String>>,
}

impl Given {
    /// Takes the options, and complains of all that can't be right.
    pub(super) fn of(args: &args::Init) -> Result<Self, Error> {
        let source = args.password_from.as_deref().map(source).transpose()?;
        let which = args.key.clone().map(Which::Id);
        let which = which.or(args.key_name.clone().map(Which::Name));
        let which = which.or(args.public_key_file.clone().map(Which::File));
        let given = Self {
            region: args.region.clone(),
            target: target(args),
            resize: args.resize.clone(),
            password: source.map(|source| Password { user: args.user.clone(), source }),
            key: which.map(|which| Key { which, keep_existing: args.keep_existing }),
            start: args.start.map(|start| match start {
                args::Start::AsFound => Start::AsFound,
                args::Start::Always => Start::Always,
                args::Start::Never => Start::Never,
            }),
            ports: Some(args.check_ports.clone()).filter(|ports| !ports.is_empty()),
        };
        if args.keep_existing && given.key.is_none() {
            return Err(Error::new(
                Kind::Usage,
                "--keep-existing says nothing without --key, --key-name or --public-key-file",
            ));
        }
        if args.at_most.is_some() && given.target.is_none() {
            return Err(Error::new(
                Kind::Usage,
                "--at-most says nothing without --match-name or --match-tags",
            ));
        }
        if given.start == Some(Start::Never) && given.ports.is_some() {
            return Err(Error::new(
                Kind::Usage,
                "--check-ports looks at running instances, but --start never leaves them stopped",
            ));
        }
        given.judge()?;
        Ok(given)
    }

    /// Each option by itself, so that a complaint can name it.
    fn judge(&self) -> Result<(), Error> {
        let sample = Draft::sample;
        let mut drafts = Vec::new();
        drafts.extend(self.region.clone().map(|region| ("--region", Draft { region, ..sample() })));
        let flag = match self.target {
            Some(Target::Match { .. }) => "--match-name, --match-tags, --at-most",
            _ => "--instances",
        };
        drafts.extend(self.target.clone().map(|target| (flag, Draft { target, ..sample() })));
        drafts.extend(self.resize.clone().map(|to| ("--resize", Draft { resize: Some(to), ..sample() })));
        let password = self.password.clone();
        drafts.extend(
            password.map(|new| ("--password-from, --user", Draft { password: Some(new), ..sample() })),
        );
        let key = self.key.clone();
        drafts.extend(
            key.map(|key| ("--key, --key-name, --public-key-file", Draft { key: Some(key), ..sample() })),
        );
        drafts.extend(self.ports.clone().map(|ports| ("--check-ports", Draft { ports, ..sample() })));
        let wrong: Vec<_> = drafts
            .iter()
            .filter_map(|(flag, draft)| Some(format!("{flag}: {}", draft.judge().err()?)))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(Error::new(Kind::Usage, wrong.join("\n       "))) }
    }

    /// There is something to do.
    pub(super) fn changes(&self) -> bool {
        self.resize.is_some() || self.password.is_some() || self.key.is_some()
    }

    /// The options that are missing where nobody can be asked.
    pub(super) fn missing(&self, file: bool) -> Vec<&'static str> {
        [
            (!file, "FILE (or `-` for standard output)"),
            (self.region.is_none(), "--region"),
            (self.target.is_none(), "--instances (or --match-name, --match-tags)"),
            (!self.changes(), "--resize, --password-from, --key, --key-name or --public-key-file"),
        ]
        .into_iter()
        .filter_map(|(is_missing, name)| is_missing.then_some(name))
        .collect()
    }
}

fn target(args: &args::Init) -> Option<Target> {
    if !args.instances.is_empty() {
        let chosen = |id: &String| Chosen { id: id.trim().to_owned(), note: String::new() };
        return Some(Target::Instances(args.instances.iter().map(chosen).collect()));
    }
    (args.match_name.is_some() || !args.match_tags.is_empty()).then(|| Target::Match {
        name: args.match_name.clone(),
        tags: args.match_tags.iter().cloned().collect(),
        at_most: args.at_most.map(|most| most.to_string()),
    })
}

/// `env=NAME`, `file=PATH`, `prompt`, `generate=PATH` or `command=PROGRAM ARGUMENT…`.
fn source(text: &str) -> Result<Source, Error> {
    match text.split_once('=') {
        None if text == "prompt" => Ok(Source::Prompt),
        Some(("env", name)) => Ok(Source::Env(name.to_owned())),
        Some(("file", path)) => Ok(Source::File(path.to_owned())),
        Some(("generate", path)) => Ok(Source::Generate(path.to_owned())),
        Some(("command", words)) => Ok(Source::Command(words.split_whitespace().map(str::to_owned).collect())),
        // What stands here by mistake may be the password itself: it is not repeated.
        _ => Err(Error::new(Kind::Usage, "--password-from does not say where the password comes from")
            .hint("write env=NAME, file=PATH, prompt, generate=PATH or \"command=PROGRAM ARGUMENT…\"; never the password itself")),
    }
}
