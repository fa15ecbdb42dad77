//! What stands on the page, as plain data for the template.

use std::collections::BTreeSet;

use serde::Serialize;

use super::instance::{Line, Mark, anchor, kind, line, percent, tone};
use super::overview::{Overview, overview};
use super::scale::{Scale, Tick};
use super::{GROUP, ONE_TABLE, PRINTED_WHOLE, planned};
use crate::cloud::RequestId;
use crate::report::dossier::{Dossier, Entry, Standing};
use crate::report::lines::down_words;
use crate::report::timeline::CameTo;
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
    legend: Legend,
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

/// What is seen in some timeline, and so has to be told.
#[derive(Serialize)]
struct Legend {
    /// The classes of activities, and their words.
    bars: Vec<(&'static str, String)>,
    gaps: bool,
    marks: bool,
    /// Some instance stays down after the end of what is known.
    tails: bool,
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

/// All that stands on the page.
pub(super) fn page(dossier: &Dossier) -> Page {
    let plan = dossier.story.plan();
    let entries = dossier.by_urgency();
    let groups = groups(dossier, &entries);
    let (tone, headline) = headline(dossier);
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
        legend: legend(&entries, &groups),
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

fn legend(entries: &[Entry], groups: &[Group]) -> Legend {
    let used: BTreeSet<_> =
        entries.iter().flat_map(|entry| &entry.track.stretches).map(|stretch| stretch.activity).collect();
    let lines = || groups.iter().flat_map(|group| &group.rows);
    Legend {
        bars: used.into_iter().map(|activity| (kind(activity), activity.words())).collect(),
        gaps: groups.iter().any(|group| !group.axis.gaps.is_empty()),
        marks: lines().any(|line| !line.marks.is_empty()),
        tails: lines().any(|line| line.tail.is_some()),
    }
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
                    hint: entry.hint(),
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
            let which = match of.len() {
                all if all <= GROUP => format!("{all} {words}"),
                all => format!("{} – {} of {all} {words}", from + 1, from + chunk.len()),
            };
            let title = match extent(chunk) {
                Some((begun, until)) => {
                    format!("{which} · {} – {}", dossier.time(begun), dossier.time(until))
                }
                None => which,
            };
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
