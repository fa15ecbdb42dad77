//! One instance on the page: its line in the timeline, and what unfolds below.

use std::time::Duration;

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::ONE_TABLE;
use super::scale::Scale;
use crate::cloud::{Action, InstanceType, PowerState};
use crate::plan::Step;
use crate::report::dossier::{Dossier, Entry, Standing, Tries};
use crate::report::plan_table::{price, step_words};
use crate::report::timeline::{Activity, Stretch};
use crate::report::words::{clean, exact};

/// One instance: its line in the timeline, and all about it.
#[derive(Serialize)]
pub(super) struct Line {
    anchor: String,
    tone: &'static str,
    mark: &'static str,
    standing: &'static str,
    name: String,
    /// The name's beginning, which is cut where there is little room, and its end, which tells names apart.
    split: (String, String),
    id: String,
    words: String,
    down: Option<String>,
    over: bool,
    change: String,
    told: String,
    bars: Vec<Bar>,
    pub(super) marks: Vec<Mark>,
    pub(super) tail: Option<String>,
    open: bool,
    facts: Vec<(&'static str, String)>,
    steps: Vec<(String, &'static str)>,
    warnings: Vec<String>,
    differences: Vec<String>,
    phases: Vec<[String; 3]>,
    calls: Vec<Tries>,
}

#[derive(Serialize)]
pub(super) struct Bar {
    kind: &'static str,
    x: String,
    width: String,
    letter: Option<&'static str>,
    middle: String,
    told: String,
}

/// A call that came to nothing.
#[derive(Serialize)]
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) told: String,
}

/// All about one instance, on the axis of its group.
pub(super) fn line(dossier: &Dossier, scale: &Scale, entry: &Entry) -> Line {
    let own = &entry.row.plan;
    let plan = dossier.story.plan();
    let down = dossier.down(entry.row);
    let steps: Vec<_> = own.steps.iter().map(|step| chosen(entry, step)).collect();
    let changes: Vec<_> = steps.iter().map(|step| step_words(plan, step)).collect();
    Line {
        anchor: anchor(dossier, entry),
        tone: tone(entry.standing),
        mark: entry.standing.mark(),
        standing: entry.standing.words(),
        name: clean(own.name()),
        split: split(&clean(own.name())),
        id: clean(own.id.as_str()),
        words: dossier.words(entry),
        down: (!down.is_zero()).then(|| exact(down)),
        over: dossier.is_over_budget(entry.row),
        change: if changes.is_empty() { "nothing to change".to_owned() } else { changes.join(", ") },
        told: told(entry),
        bars: entry.track.stretches.iter().map(|stretch| bar(dossier, scale, entry, stretch)).collect(),
        marks: marks(dossier, scale, entry),
        tail: tail(scale, entry),
        open: entry.standing.is_urgent() && dossier.story.rows().len() <= ONE_TABLE,
        facts: facts(entry),
        steps: steps.iter().map(|step| (step_words(plan, step), made(entry, step.action()))).collect(),
        warnings: own.warnings.iter().map(|warning| clean(&warning.to_string())).collect(),
        differences: entry.row.differences.iter().map(|difference| clean(difference)).collect(),
        phases: telling(entry)
            .map(|own| [own.activity.words(), dossier.time(own.from), lasted(own)])
            .collect(),
        calls: dossier.tries(entry.track).collect(),
    }
}

/// A name in two: names that begin alike are told apart by their ends.
fn split(name: &str) -> (String, String) {
    /// So many columns are always shown.
    const ROOM: usize = 10;
    /// So many characters are the end of a longer one.
    const END: usize = 5;
    if name.width() <= ROOM {
        return (name.to_owned(), String::new());
    }
    let begins = name.chars().count().saturating_sub(END);
    (name.chars().take(begins).collect(), name.chars().skip(begins).collect())
}

/// The timeline of an instance for who can't see it.
fn told(entry: &Entry) -> String {
    if entry.track.stretches.is_empty() {
        return "never stopped".to_owned();
    }
    let parts = telling(entry).map(|own| format!("{} {}", own.activity.words(), lasted(own)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Without the moments between calls.
fn telling<'a>(entry: &Entry<'a>) -> impl Iterator<Item = &'a Stretch> {
    let moment =
        |own: &Stretch| own.activity == Activity::Stopped && own.lasted() < Duration::from_millis(50);
    entry.track.stretches.iter().filter(move |own| !moment(own))
}

fn lasted(stretch: &Stretch) -> String {
    let more = if stretch.open { ", not ended" } else { "" };
    format!("{}{more}", exact(stretch.lasted()))
}

fn bar(dossier: &Dossier, scale: &Scale, entry: &Entry, stretch: &Stretch) -> Bar {
    /// From this many percent on there is room for a letter.
    const ROOM: f64 = 3.0;
    let (left, right) = (scale.place(stretch.from), scale.place(stretch.until));
    let call = entry.track.calls.iter().rfind(|call| call.at == stretch.from);
    let words = match call {
        Some(call) if stretch.activity != Activity::Stopped => call.words.clone(),
        _ => stretch.activity.words(),
    };
    let (from, until) = (dossier.time(stretch.from), dossier.time(stretch.until));
    Bar {
        kind: kind(stretch.activity),
        x: percent(left),
        width: percent(right - left),
        letter: letter(stretch.activity).filter(|_| right - left >= ROOM),
        middle: percent(f64::midpoint(left, right)),
        told: clean(&format!("{words} {}, {from} – {until}", lasted(stretch))),
    }
}

/// Where calls came to nothing. Of marks that would stand on each other, the first tells of all.
fn marks(dossier: &Dossier, scale: &Scale, entry: &Entry) -> Vec<Mark> {
    /// Marks keep this distance, in percent.
    const APART: f64 = 2.5;
    let mut marks: Vec<Mark> = Vec::new();
    let mut last = f64::MIN;
    for call in entry.track.calls.iter().filter(|call| call.came_to.is_nothing()) {
        let left = scale.place(call.at);
        if left - last >= APART {
            last = left;
            let told = format!("{} at {}: {}", call.words, dossier.time(call.at), call.came_to.words());
            marks.push(Mark { x: percent(left), told: clean(&told) });
        }
    }
    marks
}

/// Where the line of an instance begins that is down when its story ends.
fn tail(scale: &Scale, entry: &Entry) -> Option<String> {
    let ended = entry.track.ended.filter(|_| !entry.track.stretches.is_empty())?;
    let runs = matches!(entry.row.state.ledger.power, Some(PowerState::Running));
    let left = scale.place(ended);
    (!runs && left < 99.5).then(|| percent(left))
}

fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let own = &entry.row.plan;
    let ledger = &entry.row.state.ledger;
    let mut facts = vec![("id", clean(own.id.as_str()))];
    if let Some(found) = &own.found {
        facts.push(("zone", clean(&found.zone)));
        let now = ledger.instance_type.as_ref().map(InstanceType::as_str);
        facts.push(("type", was_and_is(found.instance_type.as_str(), now)));
        let now = ledger.power.as_ref().map(PowerState::as_str);
        let wanted = own.ends.state();
        let unlike = now.is_some_and(|now| now != wanted.as_str());
        let unlike = if unlike { format!(", but should be {}", wanted.as_str()) } else { String::new() };
        facts.push(("power", was_and_is(found.power.as_str(), now) + &unlike));
        let addresses: Vec<_> =
            found.private_ips.iter().chain(&found.public_ips).map(ToString::to_string).collect();
        if !addresses.is_empty() {
            facts.push(("addresses before", addresses.join(", ")));
        }
    }
    facts.extend(price(own).map(|price| ("price", price)));
    facts
}

/// What it was before the run, and what it was seen as last.
fn was_and_is(was: &str, is: Option<&str>) -> String {
    clean(&match is {
        Some(is) if is != was => format!("{was} → {is}"),
        _ => was.to_owned(),
    })
}

/// A change as it came to be, where the plan left a choice.
fn chosen(entry: &Entry, step: &Step) -> Step {
    match &entry.row.state.ledger.fallback {
        Some(to) => step.fallen_back_to(to),
        None => step.clone(),
    }
}

fn made(entry: &Entry, action: Action) -> &'static str {
    let ledger = &entry.row.state.ledger;
    let back = ledger.roll_back.as_ref().is_some_and(|back| ledger.instance_type.as_ref() == Some(&back.to));
    match (ledger.done.contains(&action), back && action == Action::Resize) {
        (true, _) => "made",
        (false, true) => "rolled back",
        (false, false) => "not made",
    }
}

/// The class of an activity's colour and pattern.
pub(super) fn kind(activity: Activity) -> &'static str {
    match activity {
        Activity::Stopping => "stopping",
        Activity::Stopped => "stopped",
        Activity::LoadingSshKey => "key",
        Activity::ResettingPassword => "password",
        Activity::Resizing => "resizing",
        Activity::Starting => "starting",
        Activity::Checking => "checking",
    }
}

/// Changes are told apart by a letter besides.
fn letter(activity: Activity) -> Option<&'static str> {
    match activity {
        Activity::LoadingSshKey => Some("K"),
        Activity::ResettingPassword => Some("P"),
        Activity::Resizing => Some("R"),
        Activity::Stopping | Activity::Stopped | Activity::Starting | Activity::Checking => None,
    }
}

/// The class of a verdict's colour.
pub(super) fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::NeedsPerson | Standing::Failed => "bad",
        Standing::Left | Standing::NotFinished | Standing::NotBegun => "risk",
        Standing::UnderWay => "live",
        Standing::Done | Standing::Unchanged => "good",
    }
}

/// Instances are numbered by the plan, since their ids come from the outside.
pub(super) fn anchor(dossier: &Dossier, entry: &Entry) -> String {
    let place = dossier.story.rows().iter().position(|row| row.plan.id == entry.row.plan.id);
    format!("i{}", place.unwrap_or_default())
}

pub(super) fn percent(value: f64) -> String {
    format!("{value:.2}%")
}
