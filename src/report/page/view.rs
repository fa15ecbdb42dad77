//! What stands on the page, as plain data for the template.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::overview::{Overview, overview};
use super::scale::{Scale, Tick};
use super::{GROUP, ONE_TABLE, PRINTED_WHOLE, planned};
use crate::cloud::{Action, InstanceType, PowerState, RequestId};
use crate::plan::Step;
use crate::report::dossier::{Dossier, Entry, Standing, Tries};
use crate::report::lines::down_words;
use crate::report::plan_table::{price, step_words};
use crate::report::timeline::{Activity, CameTo, Stretch};
use crate::report::words::{clean, count_of, exact, instances};

#[derive(Serialize)]
pub(super) struct Page {
    style: &'static str,
    title: String,
    workflow: String,
    region: String,
    run: String,
    simulated: bool,
    tone: &'static str,
    headline: String,
    facts: Vec<(&'static str, String)>,
    cards: Vec<Card>,
    next: Vec<String>,
    /// All of the run, where the groups show parts of it.
    overview: Option<Whole>,
    groups: Vec<Group>,
    legend: Vec<(&'static str, String)>,
    /// Some gap is visible in some timeline.
    gaps: bool,
    marks: bool,
    /// Some instance stays down after the end of what is known.
    tails: bool,
    untouched: Option<String>,
    differences: Vec<(String, Vec<String>)>,
    plan: Vec<(&'static str, String)>,
    steps: Vec<(String, &'static str)>,
    warnings: Vec<(String, String, &'static str)>,
    notes: Vec<String>,
    events: Vec<(String, String)>,
    environment: Vec<(&'static str, String)>,
    /// Few enough instances that all of them are printed whole.
    small: bool,
}

/// What a person has to do something about: one instance, or several that all came to the same.
#[derive(Serialize)]
struct Card {
    tone: &'static str,
    mark: &'static str,
    words: String,
    hint: Option<&'static str>,
    members: Vec<Member>,
    /// There are too many to show all of them at once.
    folded: bool,
}

#[derive(Serialize)]
struct Member {
    name: String,
    anchor: String,
    down: Option<String>,
    command: Option<String>,
    /// The calls that did not go well, each with its request.
    requests: Vec<(&'static str, String)>,
}

/// Instances that are told together.
#[derive(Serialize)]
struct Group {
    id: String,
    title: String,
    folded: bool,
    axis: Axis,
    rows: Vec<Line>,
}

/// How many were down at one time.
#[derive(Serialize)]
struct Whole {
    area: Overview,
    axis: Axis,
    /// Where instances came to what is not done.
    marks: Vec<Mark>,
}

/// The labels of an axis, and its breaks.
#[derive(Serialize)]
struct Axis {
    ticks: Vec<Label>,
    gaps: Vec<Band>,
}

#[derive(Serialize)]
struct Label {
    x: String,
    anchor: &'static str,
    time: String,
    day: Option<String>,
    /// Left out where there is little room.
    spare: bool,
}

#[derive(Serialize)]
struct Band {
    x: String,
    width: String,
    middle: String,
    lasted: String,
    /// There is room for a label.
    labelled: bool,
}

/// One instance: its line in the timeline, and all about it.
#[derive(Serialize)]
struct Line {
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
    marks: Vec<Mark>,
    tail: Option<String>,
    open: bool,
    facts: Vec<(&'static str, String)>,
    steps: Vec<(String, &'static str)>,
    warnings: Vec<String>,
    differences: Vec<String>,
    phases: Vec<[String; 3]>,
    calls: Vec<Tries>,
}

#[derive(Serialize)]
struct Bar {
    kind: &'static str,
    x: String,
    width: String,
    letter: Option<&'static str>,
    middle: String,
    told: String,
}

/// A call that came to nothing.
#[derive(Serialize)]
struct Mark {
    x: String,
    told: String,
}

/// All that stands on the page.
pub(super) fn page(dossier: &Dossier) -> Page {
    let plan = dossier.story.plan();
    let entries = dossier.by_urgency();
    let groups = groups(dossier, &entries);
    let (tone, headline) = headline(dossier);
    let used: BTreeSet<_> =
        entries.iter().flat_map(|entry| &entry.track.stretches).map(|stretch| stretch.activity).collect();
    Page {
        style: include_str!("page.css"),
        title: format!("{}: {headline}", clean(&plan.workflow)),
        workflow: clean(&plan.workflow),
        region: clean(&plan.region),
        run: dossier.story.run().to_string(),
        simulated: dossier.story.simulated(),
        tone,
        headline,
        facts: key_facts(dossier),
        cards: cards(dossier, &entries),
        next: dossier.next_commands(),
        legend: Activity::ALL
            .into_iter()
            .filter(|activity| used.contains(activity))
            .map(|activity| (kind(activity), activity.words()))
            .collect(),
        gaps: groups.iter().any(|group| !group.axis.gaps.is_empty()),
        marks: groups.iter().flat_map(|group| &group.rows).any(|line| !line.marks.is_empty()),
        tails: groups.iter().flat_map(|group| &group.rows).any(|line| line.tail.is_some()),
        untouched: untouched(&entries),
        overview: whole(dossier, &entries),
        groups,
        differences: entries
            .iter()
            .filter(|entry| !entry.row.differences.is_empty())
            .map(|entry| (entry.full_name(), entry.row.differences.iter().map(|own| clean(own)).collect()))
            .collect(),
        plan: planned::facts(plan),
        steps: planned::steps(plan),
        warnings: planned::warnings(plan),
        notes: plan.notes.iter().map(|note| clean(note)).collect(),
        events: dossier.events.iter().map(|(at, words)| (dossier.day_and_time(*at), words.clone())).collect(),
        environment: dossier.environment(),
        small: entries.len() <= PRINTED_WHOLE,
    }
}

/// The one line that says how the run went, and its tone.
fn headline(dossier: &Dossier) -> (&'static str, String) {
    let counts = dossier.counts();
    let all = instances(dossier.story.rows().len());
    let Some((worst, _)) = counts.first() else {
        return (tone(Standing::Unchanged), "no instances".to_owned());
    };
    let parts: Vec<_> =
        counts.iter().map(|(standing, count)| format!("{count} {}", standing.words())).collect();
    (tone(*worst), format!("{} of {all}", parts.join(", ")))
}

/// What one wants to know first.
fn key_facts(dossier: &Dossier) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("began", dossier.day_and_time(dossier.timeline.from)),
        (if dossier.story.ended() { "took" } else { "up to now" }, exact(dossier.took())),
    ];
    if !dossier.timeline.gaps.is_empty() {
        let times = count_of(dossier.timeline.gaps.len(), "time");
        facts.push(("resumed", format!("{times}, unwatched {}", exact(dossier.unwatched()))));
    }
    if let Some((entry, down)) = dossier.longest_down() {
        let down = down_words(&dossier.story, down);
        facts.push(("longest down", format!("{down} ({})", clean(entry.row.plan.name()))));
        let downs = dossier.downs();
        if downs.len() > 2 {
            facts.push(("median down", exact(downs[downs.len() / 2])));
        }
    }
    let calls: BTreeSet<&RequestId> = dossier
        .timeline
        .tracks
        .iter()
        .flat_map(|track| &track.calls)
        .filter_map(|c| c.request.as_ref())
        .collect();
    facts.push(("changing calls", calls.len().to_string()));
    facts
}

/// Equal fates are told once.
fn cards(dossier: &Dossier, entries: &[Entry]) -> Vec<Card> {
    /// So many instances of one card are shown at once.
    const SHOWN: usize = 12;
    let mut cards: Vec<(Standing, Card)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.standing.is_urgent()) {
        let words = dossier.words(entry);
        let same =
            |(standing, card): &&mut (Standing, Card)| *standing == entry.standing && card.words == words;
        match cards.iter_mut().find(same) {
            Some((_, card)) => card.members.push(member(dossier, entry)),
            None => cards.push((
                entry.standing,
                Card {
                    tone: tone(entry.standing),
                    mark: entry.standing.mark(),
                    words,
                    hint: dossier.hint(entry.row),
                    members: vec![member(dossier, entry)],
                    folded: false,
                },
            )),
        }
    }
    let folded = |card: Card| Card { folded: card.members.len() > SHOWN, ..card };
    cards.into_iter().map(|(_, card)| folded(card)).collect()
}

fn member(dossier: &Dossier, entry: &Entry) -> Member {
    Member {
        name: entry.full_name(),
        anchor: anchor(dossier, entry),
        down: dossier.down_told(entry.row),
        command: dossier.rescue(entry.row),
        requests: entry
            .track
            .tries()
            .filter_map(|tries| tries.last())
            .filter(|call| !matches!(call.came_to, CameTo::Done { .. }))
            .filter_map(|call| Some((call.action.api_name(), clean(call.request.as_ref()?.as_str()))))
            .collect(),
    }
}

/// Those that were never touched are in no timeline.
fn untouched(entries: &[Entry]) -> Option<String> {
    let count = entries.iter().filter(|entry| entry.track.extent().is_none()).count();
    (count > 0 && entries.len() > ONE_TABLE)
        .then(|| format!("{} of {} never touched", count, instances(entries.len())))
}

fn groups(dossier: &Dossier, entries: &[Entry]) -> Vec<Group> {
    if entries.len() <= ONE_TABLE {
        return vec![group(dossier, "g0".to_owned(), instances(entries.len()), false, entries)];
    }
    let (first, rest): (Vec<Entry>, Vec<Entry>) =
        entries.iter().partition(|entry| entry.standing < Standing::NotBegun);
    let mut groups = Vec::new();
    let mut add = |of: &[Entry], words: &str, open: bool| {
        for (place, chunk) in of.chunks(GROUP).enumerate() {
            let from = place * GROUP;
            let mut title = match of.len() {
                all if all <= GROUP => format!("{all} {words}"),
                all => format!("{} – {} of {all} {words}", from + 1, from + chunk.len()),
            };
            if let Some((begun, until)) = extent(chunk) {
                title += &format!(" · {} – {}", dossier.time(begun), dossier.time(until));
            }
            let id = format!("g{}", groups.len());
            groups.push(group(dossier, id, title, !open || place > 0, chunk));
        }
    };
    add(&first, "that are not done", true);
    for standing in [Standing::NotBegun, Standing::Done, Standing::Unchanged] {
        let of: Vec<_> = rest.iter().filter(|entry| entry.standing == standing).copied().collect();
        add(&of, standing.words(), false);
    }
    groups
}

fn extent(entries: &[Entry]) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
    let extents = || entries.iter().filter_map(|entry| entry.track.extent());
    Some((extents().map(|own| own.0).min()?, extents().map(|own| own.1).max()?))
}

fn group(dossier: &Dossier, id: String, title: String, folded: bool, entries: &[Entry]) -> Group {
    let (from, until) = extent(entries).unwrap_or((dossier.timeline.from, dossier.timeline.until));
    let scale = Scale::over(from, until, &dossier.timeline.gaps);
    let axis = match extent(entries) {
        Some(_) => axis(dossier, &scale),
        None => Axis { ticks: Vec::new(), gaps: Vec::new() },
    };
    let rows = entries.iter().map(|entry| line(dossier, &scale, entry)).collect();
    Group { id, title, folded, axis, rows }
}

fn axis(dossier: &Dossier, scale: &Scale) -> Axis {
    let ticks = scale.ticks(&dossier.view.zone);
    let days: Vec<f64> = ticks.iter().filter(|tick| tick.day.is_some()).map(|tick| tick.left).collect();
    let gaps = scale.gaps().map(|(left, width, lasted)| Band {
        x: percent(left),
        width: percent(width),
        middle: percent(left + width / 2.0),
        lasted: exact(lasted),
        labelled: days.iter().all(|day| (day - left - width / 2.0).abs() > 12.0),
    });
    let gaps = gaps.collect();
    let label = |(place, tick): (usize, Tick)| Label {
        x: percent(tick.left),
        anchor: tick.anchor(),
        spare: place % 2 == 1,
        time: tick.time,
        day: tick.day,
    };
    Axis { ticks: ticks.into_iter().enumerate().map(label).collect(), gaps }
}

/// All of a run whose instances are told in groups.
fn whole(dossier: &Dossier, entries: &[Entry]) -> Option<Whole> {
    let (from, until) = extent(entries).filter(|_| entries.len() > ONE_TABLE)?;
    let scale = Scale::over(from, until, &dossier.timeline.gaps);
    let area = overview(&dossier.timeline, &scale);
    let urgent = entries.iter().filter(|entry| entry.standing.is_urgent());
    let marks = urgent.filter_map(|entry| {
        let told = format!("{}: {}", entry.full_name(), entry.standing.words());
        Some(Mark { x: percent(scale.place(entry.track.extent()?.1)), told })
    });
    let marks = marks.collect();
    Some(Whole { area, axis: axis(dossier, &scale), marks })
}

fn line(dossier: &Dossier, scale: &Scale, entry: &Entry) -> Line {
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
fn kind(activity: Activity) -> &'static str {
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
fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::NeedsPerson | Standing::Failed => "bad",
        Standing::Left | Standing::NotFinished | Standing::NotBegun => "risk",
        Standing::UnderWay => "live",
        Standing::Done | Standing::Unchanged => "good",
    }
}

/// Instances are numbered by the plan, since their ids come from the outside.
fn anchor(dossier: &Dossier, entry: &Entry) -> String {
    let place = dossier.story.rows().iter().position(|row| row.plan.id == entry.row.plan.id);
    format!("i{}", place.unwrap_or_default())
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}
