//! `changes`: what is done to a stopped instance. A set: at most one of each, ordered by the plan.

use std::path::{Path, PathBuf};

use ssh_key::PublicKey;

use super::diagnostic::{Code, Diagnostic, Span, quoted};
use super::model::{Changes, KeySource, LoadSshKey, ResetPassword, Resize, SecretSource};
use super::reader::{Reader, Unfit};
use super::sections::{each, present};
use super::tree::{Data, Node};
use super::{secret, value};
use crate::cloud::{InstanceType, password};

/// The kinds of change.
pub(super) const KINDS: &[&str] = &["resize", "reset-password", "load-ssh-key"];

/// The longest name of a user (CVM API, ResetInstancesPassword).
pub(super) const LONGEST_USER: usize = 64;

/// The longest name of a key pair (CVM API, ImportKeyPair).
const LONGEST_KEY_NAME: usize = 25;

/// The shortest password that is made up: fits the rules of both Linux and Windows.
pub(super) const SHORTEST_GENERATED: u64 = 12;

/// How long a made-up password is if the workflow does not say.
pub(super) const GENERATED: usize = 20;

/// `changes`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Changes> {
    let example = "write at least one, like `changes: [{ resize: { type: S5.LARGE8 } }]`";
    let items = reader.items("changes", node, example)?;
    let mut changes = Changes::default();
    let mut seen: Vec<(&str, Span)> = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(fields) =
            reader.fields("changes", item, "a change", KINDS, "write `- resize: { type: S5.LARGE8 }`")
        else {
            complete = false;
            continue;
        };
        let example = "write `- resize: { type: S5.LARGE8 }`";
        if item.entries().iter().filter(|entry| KINDS.contains(&entry.key.as_str())).count() > 1 {
            let second = &item.entries()[1];
            let message = "one `-` holds one change";
            let complaint = Diagnostic::new(Code::Conflict, message).at(&second.key_span);
            reader.complain(complaint.help(format!("put a `-` in front of `{}` as well", second.key)));
            complete = false;
        } else if reader.only_one(fields, KINDS, example).is_none() {
            complete = false;
        }
        for entry in item.entries() {
            if let Some((_, first)) = seen.iter().find(|(kind, _)| *kind == entry.key) {
                let message = format!("`{}` stands here a second time", entry.key);
                let complaint = Diagnostic::new(Code::Conflict, message).at(&entry.key_span);
                reader.complain(
                    complaint.related(first, "first here").help("changes are a set: keep one of the two"),
                );
                complete = false;
            }
            seen.push((&entry.key, entry.key_span.clone()));
            complete &= match entry.key.as_str() {
                "resize" => resize(reader, &entry.value).map(|to| changes.resize = Some(to)).is_some(),
                "reset-password" => {
                    reset_password(reader, &entry.value).map(|to| changes.reset_password = Some(to)).is_some()
                }
                "load-ssh-key" => {
                    load_ssh_key(reader, &entry.value).map(|to| changes.load_ssh_key = Some(to)).is_some()
                }
                _ => false,
            };
        }
    }
    complete.then_some(changes)
}

fn resize(reader: &mut Reader<'_>, node: &Node) -> Option<Resize> {
    let keys = &["type", "cpu", "memory", "prefer"];
    let example = "write `resize: { type: S5.LARGE8 }`, `resize: { cpu: 4, memory: 8GiB }` or \
                   `resize: { prefer: [S5.LARGE8, S6.LARGE8] }`";
    let fields = reader.fields("resize", node, "`resize`", keys, example)?;
    let to = fields.get("type").map(|node| reader.shaped("type", node, value::instance_type));
    let cpu = fields.get("cpu").map(|node| reader.number("cpu", node, 1, 1024));
    let memory = fields
        .get("memory")
        .map(|node| reader.measure("memory", node, "a size like `8GiB`", value::gibibytes));
    let prefer = fields.get("prefer").map(|node| prefer(reader, node));
    let missing = match (cpu.is_some(), memory.is_some()) {
        (true, false) => Some(("cpu", "memory", "memory: 8GiB")),
        (false, true) => Some(("memory", "cpu", "cpu: 4")),
        _ => None,
    };
    if let Some((given, missing, example)) = missing
        && let Some(entry) = fields.entry(given)
    {
        let message = format!("`{given}` needs `{missing}` beside it");
        let complaint = Diagnostic::new(Code::MissingKey, message).at(&entry.key_span);
        reader.complain(complaint.help(format!("add `{example}`")));
    }
    let shape = if fields.get("cpu").is_none() && fields.get("memory").is_some() { "memory" } else { "cpu" };
    let which = reader.only_one(fields, &["type", shape, "prefer"], example);
    match which?.key.as_str() {
        "type" => to?.map(Resize::Type),
        "cpu" => Some(Resize::Shape { cpu: u32::try_from(cpu??).ok()?, memory_gib: memory?? }),
        "prefer" => prefer?.map(Resize::Prefer),
        _ => None,
    }
}

/// The types in the order in which they are preferred, none twice.
fn prefer(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<InstanceType>> {
    let items = reader.items("prefer", node, "write `prefer: [S5.LARGE8, S6.LARGE8]`")?;
    let types = each(items, |item| reader.shaped("prefer", item, value::instance_type))?;
    let mut unique = true;
    for (place, to) in types.iter().enumerate() {
        if let Some(first) = types[..place].iter().position(|earlier| earlier == to) {
            let message = format!("the type `{to}` stands here a second time");
            let complaint = Diagnostic::new(Code::Conflict, message).at(&items[place].span);
            reader
                .complain(complaint.related(&items[first].span, "first here").help("remove one of the two"));
            unique = false;
        }
    }
    unique.then_some(types)
}

fn reset_password(reader: &mut Reader<'_>, node: &Node) -> Option<ResetPassword> {
    if matches!(node.data, Data::Text(_) | Data::Number(..) | Data::Ambiguous(_)) {
        literal(reader, node);
        return None;
    }
    let example = "write `reset-password: { user: root, password: { env: NEW_PASSWORD } }`";
    let fields = reader.fields("reset-password", node, "`reset-password`", &["user", "password"], example)?;
    let user = fields.get("user").map(|node| reader.shaped("user", node, user));
    let password = fields
        .need(reader, "password", "password: { env: NEW_PASSWORD }")
        .and_then(|node| source(reader, node));
    Some(ResetPassword { user: present(user)?, password: password? })
}

fn user(text: &str) -> Result<String, Unfit> {
    let fits =
        text.chars().count() <= LONGEST_USER && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    fits.then(|| text.to_owned()).ok_or_else(|| {
        Unfit::new(
            format!("{} can't be the name of a user", quoted(text)),
            format!("write at most {LONGEST_USER} characters without spaces, like `root`"),
        )
    })
}

/// A password itself stands in the file. Nothing of it is repeated.
fn literal(reader: &mut Reader<'_>, node: &Node) {
    let complaint = Diagnostic::new(Code::Secret, "a password must not stand in the workflow")
        .at(&node.span)
        .note("the file is read by others, kept in version control and copied; if this was a real password, change it")
        .help("say where it comes from: `password: { env: NEW_PASSWORD }`, or `file`, `command`, `prompt: true`, `generate`");
    reader.complain(complaint);
}

fn source(reader: &mut Reader<'_>, node: &Node) -> Option<SecretSource> {
    let Data::Map(entries) = &node.data else {
        match node.data {
            Data::Text(_) | Data::Number(..) | Data::Ambiguous(_) => literal(reader, node),
            _ => {
                reader.fields(
                    "password",
                    node,
                    "`password`",
                    &secret::SOURCES,
                    "write `password: { env: NEW_PASSWORD }`",
                );
            }
        }
        return None;
    };
    let mut all_known = true;
    for entry in entries.iter().filter(|entry| !secret::SOURCES.contains(&entry.key.as_str())) {
        all_known = false;
        if ["value", "literal", "text", "plain", "password"].contains(&entry.key.as_str()) {
            literal(reader, &entry.value);
        } else {
            reader.unknown_key(entry, "`password`", &secret::SOURCES);
        }
    }
    let fields = Reader::known("`password`", node, &secret::SOURCES);
    let entry = if all_known {
        reader.only_one(fields, &secret::SOURCES, "write `password: { env: NEW_PASSWORD }`")
    } else {
        None
    };
    let read: Vec<Option<SecretSource>> = secret::SOURCES
        .iter()
        .filter_map(|key| fields.get(key).map(|node| source_of(reader, key, node)))
        .collect();
    entry.and(read.into_iter().next()?)
}

fn source_of(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<SecretSource> {
    match key {
        "env" => reader.shaped("env", node, value::variable).map(SecretSource::Env),
        "file" => path(reader, "file", node).map(SecretSource::File),
        "command" => command(reader, node).map(SecretSource::Command),
        "prompt" => prompt(reader, node),
        _ => generate(reader, node),
    }
}

fn prompt(reader: &mut Reader<'_>, node: &Node) -> Option<SecretSource> {
    if reader.flag("prompt", node)? {
        return Some(SecretSource::Prompt);
    }
    let message = "`prompt: false` says nothing about where the password comes from";
    let complaint = reader.about(node, Code::BadValue, message);
    reader.complain(
        complaint.help("write `prompt: true`, or another of `env`, `file`, `command` or `generate`"),
    );
    None
}

/// A path as written; `~` is left to shells.
fn path(reader: &mut Reader<'_>, name: &str, node: &Node) -> Option<PathBuf> {
    reader.shaped(name, node, |text| {
        if text.starts_with("~/") {
            return Err(Unfit::new(
                "`~` is not replaced by the home folder here",
                "write the whole path, or one relative to this file",
            ));
        }
        Ok(PathBuf::from(text))
    })
}

/// A program with its arguments, for a secret or a check; it goes through no shell.
fn command(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<String>> {
    let example = "write the program and its arguments: `command: [pass, show, cvm/root]`; there is no shell";
    let items = reader.items("command", node, example)?;
    each(items, |item| reader.text("command", item))
}

fn generate(reader: &mut Reader<'_>, node: &Node) -> Option<SecretSource> {
    let example = "write `generate: { length: 20, save-to: new-password.txt }`";
    let fields = reader.fields("generate", node, "`generate`", &["length", "save-to"], example)?;
    let length = fields
        .get("length")
        .map(|node| reader.number("length", node, SHORTEST_GENERATED, password::LONGEST as u64));
    let save_to = fields
        .need(reader, "save-to", "save-to: new-password.txt")
        .and_then(|node| path(reader, "save-to", node));
    let length = present(length)?.map_or(Some(GENERATED), |length| usize::try_from(length).ok());
    Some(SecretSource::Generate { length: length?, save_to: save_to? })
}

fn load_ssh_key(reader: &mut Reader<'_>, node: &Node) -> Option<LoadSshKey> {
    let keys = &["key", "name", "public-key-file", "keep-existing"];
    let example =
        "write `load-ssh-key: { key: skey-abc12345 }`, `{ name: ops }` or `{ public-key-file: ops.pub }`";
    let fields = reader.fields("load-ssh-key", node, "`load-ssh-key`", keys, example)?;
    let keep = fields.get("keep-existing").map(|node| reader.flag("keep-existing", node));
    let which = reader.only_one(fields, &["key", "name", "public-key-file"], example);
    let id = fields.get("key").map(|node| reader.shaped("key", node, value::key_id));
    let name = fields.get("name").map(|node| reader.text("name", node));
    let file = fields.get("public-key-file").map(|node| public_key(reader, node));
    let key = match which?.key.as_str() {
        "key" => KeySource::Id(id??),
        "name" => KeySource::Name(name??),
        _ => file??,
    };
    Some(LoadSshKey { key, keep_existing: present(keep)?.unwrap_or(false) })
}

fn public_key(reader: &mut Reader<'_>, node: &Node) -> Option<KeySource> {
    let path = path(reader, "public-key-file", node)?;
    let files = reader.files()?;
    let result = files(&path)
        .map_err(|error| {
            Unfit::new(
                format!("can't read {}: {error}", quoted(&path.display().to_string())),
                "paths are relative to the workflow's folder",
            )
        })
        .and_then(|bytes| parse_public_key(&path, &bytes));
    result
        .map_err(|unfit| {
            let complaint = reader.about(node, Code::File, unfit.why).help(unfit.help);
            reader.complain(complaint);
        })
        .ok()
}

/// Nothing of the file's text is repeated: it may be the wrong half of the key.
fn parse_public_key(path: &Path, bytes: &[u8]) -> Result<KeySource, Unfit> {
    let shown = quoted(&path.display().to_string());
    let text = String::from_utf8_lossy(bytes);
    if text.contains("PRIVATE KEY") {
        return Err(Unfit::new(
            format!("{shown} holds a PRIVATE key, which must never leave its owner"),
            "name the public half, which usually ends in `.pub`; `ssh-keygen -y -f KEY` prints it",
        ));
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(Unfit::new(
            format!("{shown} must hold one public key on one line"),
            "write one file for each key",
        ));
    };
    let key = PublicKey::from_openssh(line).map_err(|_| {
        Unfit::new(
            format!("{shown} holds no public key in OpenSSH form"),
            "it is one line that begins with `ssh-rsa`",
        )
    })?;
    if !key.algorithm().is_rsa() {
        return Err(Unfit::new(
            format!(
                "{shown} holds a key of the kind `{}`; Tencent Cloud imports RSA keys only",
                key.algorithm()
            ),
            "make one with `ssh-keygen -t rsa -b 4096`",
        ));
    }
    Ok(KeySource::PublicKey { name: key_name(path), openssh: line.to_owned() })
}

/// The file's name without its ending, as the vendor allows it (CVM API, ImportKeyPair).
fn key_name(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(LONGEST_KEY_NAME).collect()
}
