//! The parts of the language, from the top: each key of the file is read here or in `changes` and `later`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::diagnostic::{Code, Diagnostic, quoted};
use super::model::{Check, OnFailure, Start, Stop, Target, Workflow};
use super::params::{Param, Values, is_name};
use super::reader::{Fields, Reader, Unfit};
use super::rollout::Rollout;
use super::tree::{Data, Entry, Node};
use super::{changes, later, rollout, value};
use crate::cloud::{Charging, Filter, InstanceId, PowerState, StopMode};

/// All keys at the top.
pub(super) const KEYS: &[&str] = &[
    "version",
    "name",
    "description",
    "params",
    "target",
    "stop",
    "changes",
    "start",
    "check",
    "on-failure",
    "rollout",
    "downtime-budget",
    "window",
    "guard",
    "notify",
];

/// The longest name, in characters: it stands in tables.
pub(super) const LONGEST_NAME: usize = 80;

/// The version, before anything else is looked at: another version's keys mean something else, so that nothing
/// more can be said about such a file.
pub(super) fn version(root: &Node, complaints: &mut Vec<Diagnostic>) -> Result<(), Box<Diagnostic>> {
    let Data::Map(entries) = &root.data else {
        return Err(Box::new(match root.data {
            Data::Null => super::tree::empty(),
            _ => Diagnostic::new(Code::WrongType, "a workflow must be a mapping of keys and values")
                .at(&root.span)
                .help("it begins with `version: 1`"),
        }));
    };
    let Some(node) = root.get("version") else {
        let first = entries.first().map_or(&root.span, |entry| &entry.key_span);
        complaints.push(
            Diagnostic::new(Code::Version, "the workflow has no `version`")
                .at(first)
                .help("add `version: 1` as the first line"),
        );
        return Ok(());
    };
    let number = match &node.data {
        Data::Number(number, _) => number.as_u64(),
        _ => None,
    };
    match number {
        Some(1) => {}
        Some(number) if number > 1 => {
            let message = format!("version {number} of the workflow language is not known");
            let complaint = Diagnostic::new(Code::Version, message).at(&node.span);
            return Err(Box::new(
                complaint.help("this Pitstop reads version 1; a newer Pitstop may read this file"),
            ));
        }
        _ => complaints.push(
            Diagnostic::new(Code::Version, "`version` must be the number 1")
                .at(&node.span)
                .help("write `version: 1`, without quotes"),
        ),
    }
    Ok(())
}

/// `params`. Complaints about single parameters don't hide the others.
pub(super) fn params(root: &Node, complaints: &mut Vec<Diagnostic>) -> Vec<Param> {
    let Some(node) = root.get("params") else { return Vec::new() };
    let mut reader = Reader::new(Values::unknown(&[]), None);
    let example = "write `params: { type: { description: Instance type to move to, default: S5.LARGE8 } }`";
    if !matches!(node.data, Data::Map(_)) {
        reader.fields("params", node, "`params`", &[], example);
    }
    let found = node.entries().iter().map(|entry| param(&mut reader, entry)).collect();
    complaints.append(&mut reader.complaints);
    found
}

fn param(reader: &mut Reader<'_>, entry: &Entry) -> Param {
    let before = reader.complaints.len();
    if !is_name(&entry.key) {
        let message = format!("{} can't be the name of a parameter", quoted(&entry.key));
        let complaint = Diagnostic::new(Code::BadValue, message).at(&entry.key_span);
        reader.complain(complaint.help("use small letters, digits and `-`, like `new-type`"));
    }
    let keys = &["description", "default"];
    let example = "write `{ description: What it is for, default: VALUE }`; both keys may be left out: `{}`";
    let fields = reader.fields(&entry.key, &entry.value, "a parameter", keys, example);
    let description = fields.and_then(|fields| fields.get("description"));
    let default = fields.and_then(|fields| fields.get("default"));
    Param {
        name: entry.key.clone(),
        description: description.and_then(|node| reader.text("description", node)),
        default: default.and_then(|node| default_text(reader, node)),
        span: entry.key_span.clone(),
        sound: reader.complaints.len() == before,
    }
}

/// A default may be written as any scalar: it becomes what its place needs.
fn default_text(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    match (&node.data, node.scalar_text()) {
        (Data::Null, _) | (_, None) => reader.text("default", node),
        (_, Some(text)) if text.contains("${{") => {
            let complaint = Diagnostic::new(Code::Param, "a default can't contain `${{`");
            reader.complain(complaint.at(&node.span).help("write the value itself"));
            None
        }
        (_, Some(text)) => Some(text.to_owned()),
    }
}

/// Everything but `version` and `params`.
pub(super) fn workflow(reader: &mut Reader<'_>, root: &Node) -> Option<Workflow> {
    let fields = reader.fields("workflow", root, "the workflow", KEYS, "")?;
    let name = fields.need(reader, "name", "name: resize-web").and_then(|node| name(reader, node));
    let description = fields.get("description").map(|node| reader.text("description", node));
    let target = fields
        .need(reader, "target", "target: { region: ap-guangzhou, instances: [ins-r8hr2upy] }")
        .and_then(|node| target(reader, node));
    let stop = fields.get("stop").map_or_else(|| Some(Stop::default()), |node| stop(reader, node));
    let changes = fields
        .need(reader, "changes", "changes: [{ resize: { type: S5.LARGE8 } }]")
        .and_then(|node| changes::read(reader, node));
    let start = fields.get("start").map_or(Some(Start::default()), |node| start(reader, node));
    let checks = fields.get("check").map_or_else(|| Some(Vec::new()), |node| checks(reader, node));
    let on_failure =
        fields.get("on-failure").map_or(Some(OnFailure::default()), |node| on_failure(reader, node));
    let rollout = fields.get("rollout").map_or(Some(Rollout::default()), |node| rollout::read(reader, node));
    let budget = fields
        .get("downtime-budget")
        .map(|node| reader.duration_from("downtime-budget", node, SHORTEST_BUDGET));
    later::read(reader, fields);
    check_start(reader, fields, start);
    check_charging(reader, fields);
    let (region, target) = target?;
    Some(Workflow {
        name: name?,
        description: description.unwrap_or_default(),
        region,
        target,
        stop: stop?,
        changes: changes?,
        start: start?,
        checks: checks?,
        on_failure: on_failure?,
        rollout: rollout?,
        downtime_budget: present(budget)?,
    })
}

/// The shortest downtime budget: a stop and a start alone take longer.
const SHORTEST_BUDGET: Duration = Duration::from_secs(10);

fn name(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    reader.shaped("name", node, |text| {
        if text.contains('\n') || text.chars().count() > LONGEST_NAME {
            let why = format!("`name` must be one line of at most {LONGEST_NAME} characters");
            return Err(Unfit::new(why, "put the rest into `description`"));
        }
        Ok(text.to_owned())
    })
}

fn target(reader: &mut Reader<'_>, node: &Node) -> Option<(String, Target)> {
    let keys = &["region", "instances", "match", "at-most"];
    let example = "write `target: { region: ap-guangzhou, instances: [ins-r8hr2upy] }`";
    let fields = reader.fields("target", node, "`target`", keys, example)?;
    let region = fields
        .need(reader, "region", "region: ap-guangzhou")
        .and_then(|node| reader.shaped("region", node, value::region));
    let at_most = fields.get("at-most").map(|node| reader.number("at-most", node, 1, 1_000_000));
    let which = reader.only_one(
        fields,
        &["instances", "match"],
        "write `instances: [ins-r8hr2upy]`, or `match: { tags: { role: web } }`",
    );
    let filter = fields.get("match").map(|node| filter(reader, node, region.as_deref()));
    let instances = fields.get("instances").map(|node| instances(reader, node));
    let target = match which?.key.as_str() {
        "instances" => {
            if let Some(entry) = fields.entry("at-most") {
                let complaint = Diagnostic::new(Code::Conflict, "`at-most` limits what a `match` may find");
                reader.complain(complaint.at(&entry.key_span).help("remove it: `instances` is exact"));
            }
            Target::Instances(instances??)
        }
        _ => Target::Match { filter: filter??, at_most: present(at_most)?.map(size) },
    };
    Some((region?, target))
}

/// A key that may be absent, but not wrong.
#[expect(clippy::option_option, reason = "none: it is wrong, and that was said; some none: it is absent")]
pub(super) fn present<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
        None => Some(None),
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn instances(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<InstanceId>> {
    let items = reader.items("instances", node, "write `instances: [ins-r8hr2upy]`")?;
    let mut first = BTreeMap::new();
    let mut ids = Vec::with_capacity(items.len());
    for item in items {
        let Some(id) = reader.shaped("instances", item, value::instance_id) else { continue };
        if let Some(other) = first.get(&id) {
            let message = format!("the instance `{id}` stands here a second time");
            let complaint = Diagnostic::new(Code::Conflict, message).at(&item.span);
            reader.complain(complaint.related(other, "first here").help("remove one of the two"));
        } else {
            first.insert(id.clone(), item.span.clone());
            ids.push(id);
        }
    }
    (ids.len() == items.len()).then_some(ids)
}

/// The states that `match` can ask for: in the others an instance can't be worked on.
const STATES: [(&str, &PowerState); 2] =
    [("RUNNING", &PowerState::Running), ("STOPPED", &PowerState::Stopped)];

fn filter(reader: &mut Reader<'_>, node: &Node, region: Option<&str>) -> Option<Filter> {
    let keys = &["name", "tags", "zones", "states"];
    let fields = reader.fields("match", node, "`match`", keys, "write `match: { tags: { role: web } }`")?;
    if node.entries().is_empty() {
        let complaint =
            reader.about(node, Code::BadValue, "an empty `match` finds every instance of the region");
        reader.complain(complaint.help("say what they have in common, like `match: { tags: { role: web } }`; `name: \"*\"` is every instance"));
        return None;
    }
    let name = fields.get("name").map(|node| reader.text("name", node));
    let tags = fields.get("tags").map(|node| tags(reader, node));
    let zones = fields.get("zones").map(|node| {
        let items = reader.items("zones", node, "write `zones: [ap-guangzhou-3]`")?;
        each(items, |item| reader.shaped("zones", item, |text| value::zone(text, region)))
    });
    let states = fields.get("states").map(|node| {
        let items = reader.items("states", node, "write `states: [RUNNING]`")?;
        each(items, |item| reader.word("states", item, &STATES))
            .map(|states| states.into_iter().cloned().collect())
    });
    Some(Filter {
        name: present(name)?,
        tags: present(tags)?.unwrap_or_default(),
        zones: present(zones)?.unwrap_or_default(),
        states: present(states)?.unwrap_or_default(),
    })
}

/// All of them, after each has had its chance to complain.
pub(super) fn each<T>(items: &[Node], read: impl FnMut(&Node) -> Option<T>) -> Option<Vec<T>> {
    items.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn tags(reader: &mut Reader<'_>, node: &Node) -> Option<BTreeMap<String, String>> {
    let example = "write `tags: { role: web }`";
    let Data::Map(entries) = &node.data else {
        reader.fields("tags", node, "`tags`", &[], example);
        return None;
    };
    if entries.is_empty() {
        let complaint = reader.about(node, Code::BadValue, "`tags` is empty");
        reader.complain(complaint.help(example));
    }
    let read: Vec<_> = entries
        .iter()
        .map(|entry| Some((entry.key.clone(), reader.text_or_empty(&entry.key, &entry.value)?)))
        .collect();
    read.into_iter().collect()
}

/// The shortest time that a stop may be given: a guest needs some seconds to shut down, and giving up sooner would
/// fail every instance.
const SHORTEST_STOP: Duration = Duration::from_secs(10);

fn stop(reader: &mut Reader<'_>, node: &Node) -> Option<Stop> {
    let keys = &["mode", "timeout", "charging"];
    let fields = reader.fields("stop", node, "`stop`", keys, "write `stop: { mode: soft, timeout: 10m }`")?;
    let modes = [("soft", StopMode::Soft), ("soft-first", StopMode::SoftFirst), ("hard", StopMode::Hard)];
    let mode = fields.get("mode").map(|node| reader.word("mode", node, &modes));
    let timeout = fields.get("timeout").map(|node| reader.duration_from("timeout", node, SHORTEST_STOP));
    let charging = [("keep", Charging::Keep), ("stop", Charging::Stop)];
    let charging = fields.get("charging").map(|node| reader.word("charging", node, &charging));
    let default = Stop::default();
    Some(Stop {
        mode: present(mode)?.unwrap_or(default.mode),
        timeout: present(timeout)?.unwrap_or(default.timeout),
        charging: present(charging)?.unwrap_or(default.charging),
    })
}

fn start(reader: &mut Reader<'_>, node: &Node) -> Option<Start> {
    let words = [("as-found", Start::AsFound), ("always", Start::Always), ("never", Start::Never)];
    reader.word("start", node, &words)
}

/// An instance that is not started can't be checked.
fn check_start(reader: &mut Reader<'_>, fields: Fields<'_>, start: Option<Start>) {
    if let (Some(Start::Never), Some(start), Some(check)) =
        (start, fields.entry("start"), fields.entry("check"))
    {
        let message = "`check` looks at a running instance, but `start: never` leaves it stopped";
        let complaint = Diagnostic::new(Code::Conflict, message).at(&check.key_span);
        reader
            .complain(complaint.related(&start.value.span, "it stays stopped").help("remove one of the two"));
    }
}

/// An instance that was stopped without being charged accepts nothing but a start (reference, section 0, item 4).
fn check_charging(reader: &mut Reader<'_>, fields: Fields<'_>) {
    let charging = fields.get("stop").and_then(|stop| stop.get("charging"));
    if let (Some(charging), Some(changes)) = (charging, fields.entry("changes"))
        && reader.peek(charging).as_deref() == Some("stop")
    {
        let message = "an instance that is stopped with `charging: stop` can't be changed";
        let complaint = Diagnostic::new(Code::Conflict, message)
            .at(&charging.span)
            .related(&changes.key_span, "these changes")
            .note("the cloud takes CPU and memory back then, accepts nothing but a start, and may lack capacity for it")
            .help("write `charging: keep`, or remove the key");
        reader.complain(complaint);
    }
}

fn checks(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Check>> {
    let items = reader.items("check", node, "write `check: [{ tcp: { port: 22, timeout: 2m } }]`")?;
    each(items, |item| check(reader, item))
}

fn check(reader: &mut Reader<'_>, node: &Node) -> Option<Check> {
    let keys = &["tcp", "http", "command"];
    let fields = reader.fields("check", node, "a check", keys, "write `- tcp: { port: 22, timeout: 2m }`")?;
    let entry = reader.only_one(fields, keys, "write `- tcp: { port: 22, timeout: 2m }`");
    if let Some(entry) = fields.entry("http") {
        later::http(reader, entry);
    }
    if let Some(entry) = fields.entry("command") {
        later::command(reader, entry);
    }
    let tcp = fields.get("tcp").map(|node| tcp(reader, node));
    entry.and(tcp?)
}

/// How long a check may take if the workflow does not say.
pub(super) const CHECK_TIMEOUT: Duration = Duration::from_mins(2);

/// The shortest time that a check may be given.
pub(super) const SHORTEST_CHECK: Duration = Duration::from_secs(1);

fn tcp(reader: &mut Reader<'_>, node: &Node) -> Option<Check> {
    let keys = &["port", "timeout", "host"];
    let fields = reader.fields("tcp", node, "`tcp`", keys, "write `tcp: { port: 22, timeout: 2m }`")?;
    let port = fields.need(reader, "port", "port: 22").and_then(|node| reader.number("port", node, 1, 65535));
    let timeout = fields.get("timeout").map(|node| reader.duration_from("timeout", node, SHORTEST_CHECK));
    let host = fields.get("host").map(|node| {
        let text = reader.text_of_instance("host", node)?;
        reader.fit(node, value::host(&text))
    });
    Some(Check::Tcp {
        host: present(host)?,
        port: u16::try_from(port?).ok()?,
        timeout: present(timeout)?.unwrap_or(CHECK_TIMEOUT),
    })
}

fn on_failure(reader: &mut Reader<'_>, node: &Node) -> Option<OnFailure> {
    let words = [
        ("start", OnFailure::Start),
        ("roll-back", OnFailure::RollBack),
        ("leave-stopped", OnFailure::LeaveStopped),
    ];
    reader.word("on-failure", node, &words)
}
