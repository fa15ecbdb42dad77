//! A run as Markdown, as GitHub and its kin render it: for a pull request, a ticket or a job's summary.

use super::dossier::{Dossier, Entry, Viewpoint};
use super::plan_table::step_words;
use super::story::StoryError;
use super::words::{clean, exact, instances};
use crate::journal::Record;

/// The run as Markdown.
pub fn markdown(records: &[Record], view: Viewpoint) -> Result<String, StoryError> {
    let dossier = Dossier::open(records, view)?;
    let plan = dossier.story.plan();
    let mut out = vec![format!("# {} · {}", text(&plan.workflow), text(&plan.region)), String::new()];
    let counts = dossier.counts();
    let counts: Vec<_> =
        counts.iter().map(|(standing, count)| format!("{count} {}", standing.words())).collect();
    let took = exact(dossier.took());
    out.push(format!("**{}** of {}, in {took}", counts.join(", "), instances(plan.instances.len())));
    out.push(String::new());
    urgent(&dossier, &mut out);
    table(&dossier, &mut out);
    requests(&dossier, &mut out);
    out.extend(["## The run".to_owned(), String::new()]);
    for (at, words) in &dossier.events {
        out.push(format!("- {} {}", dossier.time(*at), text(words)));
    }
    out.extend([String::new(), "| | |".to_owned(), "| --- | --- |".to_owned()]);
    for (name, value) in dossier.environment() {
        out.push(format!("| {name} | {} |", text(&value)));
    }
    out.push(String::new());
    Ok(out.join("\n"))
}

/// What a person has to do something about.
fn urgent(dossier: &Dossier, out: &mut Vec<String>) {
    let entries: Vec<_> =
        dossier.by_urgency().into_iter().filter(|entry| entry.standing.is_urgent()).collect();
    if !entries.is_empty() {
        out.extend(["## What needs attention".to_owned(), String::new()]);
    }
    for entry in &entries {
        let name = text(&entry.full_name());
        out.push(format!("- {} **{name}**: {}", entry.standing.mark(), text(&dossier.words(entry))));
        out.extend(entry.hint().map(|hint| format!("  - hint: {}", text(hint))));
        if let Some(command) = dossier.rescue(entry.row) {
            out.push("  - to mend it:".to_owned());
            out.extend(fenced("    ", &command));
        }
    }
    if !entries.is_empty() {
        out.push(String::new());
    }
    for command in dossier.next_commands() {
        out.extend(["Next:".to_owned(), String::new()]);
        out.extend(fenced("", &command));
        out.push(String::new());
    }
}

/// Code that is there to be copied.
fn fenced(indent: &str, command: &str) -> [String; 3] {
    [format!("{indent}```sh"), format!("{indent}{command}"), format!("{indent}```")]
}

fn table(dossier: &Dossier, out: &mut Vec<String>) {
    out.extend(["## Instances".to_owned(), String::new()]);
    out.push("| | instance | change | verdict | down |".to_owned());
    out.push("| --- | --- | --- | --- | ---: |".to_owned());
    for entry in dossier.by_urgency() {
        let plan = &entry.row.plan;
        let changes: Vec<_> =
            plan.steps.iter().map(|step| text(&step_words(dossier.story.plan(), step))).collect();
        let changes = if changes.is_empty() { "none".to_owned() } else { changes.join("<br>") };
        let mut words = vec![text(&dossier.words(&entry))];
        words.extend(entry.row.differences.iter().map(|own| format!("different: {}", text(own))));
        let words = words.join("<br>");
        let down = dossier.down_told(entry.row).unwrap_or_default();
        let name = text(&entry.full_name());
        out.push(format!("| {} | {name} | {changes} | {words} | {down} |", entry.standing.mark()));
    }
    out.push(String::new());
}

/// The calls of the instances that went wrong: what the vendor's support asks for first.
fn requests(dossier: &Dossier, out: &mut Vec<String>) {
    let wrong = |entry: &Entry| entry.row.failure().is_some() && !entry.track.calls.is_empty();
    let entries: Vec<_> = dossier.by_urgency().into_iter().filter(wrong).collect();
    if entries.is_empty() {
        return;
    }
    out.extend(["## Calls of what went wrong".to_owned(), String::new()]);
    out.push("| instance | at | call | request | came to |".to_owned());
    out.push("| --- | --- | --- | --- | --- |".to_owned());
    for entry in entries {
        let name = text(entry.row.plan.name());
        for call in dossier.tries(entry.track) {
            let request = call.request.as_deref().map(text).unwrap_or_default();
            let (words, came_to) = (text(&call.words), text(&call.came_to));
            out.push(format!("| {name} | {} | {words} | {request} | {came_to} |", call.at));
        }
    }
    out.push(String::new());
}

/// Text from the outside, so that it shows as it is: in a paragraph, a list or a table's cell.
fn text(outside: &str) -> String {
    let mut out = String::new();
    for c in clean(outside).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_outside_cannot_become_markup() {
        let table = [
            ("web-1", "web-1"),
            ("a|b", "a\\|b"),
            ("<script>", "&lt;script&gt;"),
            ("*x* _y_ `z` [l](u)", "\\*x\\* \\_y\\_ \\`z\\` \\[l\\](u)"),
            ("网站|1\n2", "网站\\|1\u{fffd}2"),
            ("a\\|b", "a\\\\\\|b"),
        ];
        for (outside, written) in table {
            assert_eq!(text(outside), written);
        }
    }
}
