//! `pitstop init`: asks what is to be done, and writes a workflow that does it.
//!
//! The workflow's own reader judges every answer. Nothing is written before the last one, and nothing is overwritten.

mod account;
mod ask;
mod draft;
mod given;
mod interview;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use self::ask::Person;
use self::draft::{Draft, Target};
use self::given::Given;
use self::interview::Interview;
use super::schema;
use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::settings::CloudSettings;
use crate::cli::terminal::Terminal;
use crate::report::{clean, json};

/// The name of the schema's copy, as the first line of the workflow has it.
const SCHEMA: &str = "pitstop.schema.json";

/// The longest name that a workflow may have.
const LONGEST_NAME: usize = 80;

pub(in crate::cli) async fn init(
    terminal: &Terminal,
    environment: &Environment,
    args: args::Init,
) -> Result<Ending, Error> {
    if let Some(path) = &args.file {
        refuse_what_is_there(path)?;
    }
    let given = Given::of(&args)?;
    let simulated = args.cloud.name == args::CloudName::Sim;
    let settings = CloudSettings::resolve(args.cloud)?;
    // A list to choose from needs a terminal whose cursor moves.
    let (mut draft, path) = if terminal.screen().interactive && terminal.screen().moving {
        let person = Person::at_the_terminal()?;
        let mut interview = Interview { terminal, environment, settings: &settings, person };
        let draft = interview.fill(given).await?;
        let path = match args.file {
            Some(path) => path,
            None => file(&mut interview.person, &draft).await?,
        };
        (draft, path)
    } else {
        let missing = given.missing(args.file.is_some());
        let Some(path) = args.file.filter(|_| missing.is_empty()) else {
            return Err(nobody_to_ask(&missing));
        };
        (unasked(given), path)
    };
    draft.name = name(&path, &draft);
    draft.check().map_err(|complaints| Error::invalid("what the answers make", complaints))?;
    write(terminal, &path, &draft, simulated)
}

fn nobody_to_ask(missing: &[&str]) -> Error {
    let message = format!("there is no terminal to ask at; what is missing: {}", missing.join("; "));
    Error::new(Kind::Usage, message).hint("pitstop init --help shows an example that asks nothing")
}

/// The draft of options alone, none of which is missing.
fn unasked(given: Given) -> Draft {
    let sample = Draft::sample();
    Draft {
        region: given.region.unwrap_or(sample.region),
        target: given.target.unwrap_or(sample.target),
        resize: given.resize,
        password: given.password,
        key: given.key,
        start: given.start.unwrap_or_default(),
        ports: given.ports.unwrap_or_default(),
        ..sample
    }
}

/// Asks for the file.
async fn file(person: &mut Person, draft: &Draft) -> Result<PathBuf, Error> {
    let usual = format!("{}.yaml", suggestion(draft));
    let judge = |text: &str| match text {
        "" => Err("give it a name".to_owned()),
        text => refuse_what_is_there(Path::new(text)).map_err(|error| error.message),
    };
    person.text("Write it to", Some(usual), judge).await.map(PathBuf::from)
}

/// A name after what is done.
fn suggestion(draft: &Draft) -> String {
    let parts = [
        draft.resize.as_ref().map(|_| "resize"),
        draft.password.as_ref().map(|_| "password"),
        draft.key.as_ref().map(|_| "key"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

/// The workflow's name: the file's, if that will do.
fn name(path: &Path, draft: &Draft) -> String {
    let stem = path.file_stem().map(|stem| clean(&stem.to_string_lossy())).unwrap_or_default();
    let named = Draft { name: stem.chars().take(LONGEST_NAME).collect(), ..Draft::sample() };
    if stem != "-" && named.judge().is_ok() { named.name } else { suggestion(draft) }
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

fn refuse_what_is_there(path: &Path) -> Result<(), Error> {
    if !is_stdout(path) && path.symlink_metadata().is_ok() { Err(is_there(path)) } else { Ok(()) }
}

fn is_there(path: &Path) -> Error {
    let message = format!("{} is there already, and is not overwritten", path.display());
    Error::new(Kind::Usage, message).hint("name another file, or move that one away")
}

fn write(terminal: &Terminal, path: &Path, draft: &Draft, simulated: bool) -> Result<Ending, Error> {
    let text = draft.text(path);
    if is_stdout(path) {
        terminal.data(&text)?;
        return Ok(Ending::Well);
    }
    create(path, &text).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => is_there(path),
        _ => Error::new(Kind::CouldNotBegin, format!("{} can't be written: {error}", path.display()))
            .hint("name a file in a folder that you may write to"),
    })?;
    let schema = path.with_file_name(SCHEMA);
    let mut written = vec![path.display().to_string()];
    match create(&schema, &schema::text()) {
        Ok(()) => written.push(schema.display().to_string()),
        // One that is there will do; editors only want it for their help.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => tracing::warn!(%error, "{} can't be written; editors will miss it", schema.display()),
    }
    if terminal.output() == Output::Json {
        terminal.data(&json::line(&json!({ "version": json::VERSION, "written": written })))?;
    }
    let cloud = if simulated { " --cloud sim" } else { "" };
    let count = match &draft.target {
        Target::Instances(_) => "",
        Target::Match { .. } => "which instances it finds and ",
    };
    terminal.say(&format!(
        "wrote {}\nnext, see {count}what would happen; nothing is touched:\n  pitstop plan {}{cloud}",
        written.join(" and "),
        quoted(path)
    ));
    Ok(Ending::Well)
}

/// Writes a file that was not there. What is begun and fails is taken away again.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(path);
    })
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
