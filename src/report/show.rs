//! An old run, told from its records alone by the code that tells a live one.

use jiff::tz::TimeZone;

use super::lines::line;
use super::story::{Story, StoryError};
use super::verdict::verdicts;
use super::words::{Look, clean, day_and_time, style};
use crate::journal::Record;
use crate::plan::Approval;

/// What happened in a run: head, events, verdicts.
pub fn show(records: &[Record], look: Look, zone: &TimeZone, resumable: bool) -> Result<String, StoryError> {
    let first = records.first().ok_or(StoryError::Empty)?;
    let mut story = Story::begin(first)?;
    let mut events = Vec::new();
    for record in records.iter().skip(1) {
        events.extend(line(&story, record, zone));
        story.fold(record)?;
    }
    let mut out = head(&story, look, zone);
    out.push(String::new());
    out.push(look.paint(style::HEADING, "Events:"));
    out.extend(events.into_iter().map(|event| format!("  {event}")));
    out.push(String::new());
    out.push(look.paint(style::HEADING, "Verdicts:"));
    out.push(verdicts(&story, look, resumable));
    Ok(out.join("\n"))
}

fn head(story: &Story, look: Look, zone: &TimeZone) -> Vec<String> {
    let plan = story.plan();
    let cloud = if story.simulated() { " (simulated)" } else { "" };
    let approval = match story.approval() {
        Approval::Flag => "by --yes",
        Approval::Person => "by a person",
        Approval::Program => "by a program",
    };
    let ended = if story.ended() { day_and_time(story.last(), zone) } else { "not yet".to_owned() };
    let mut out = vec![
        look.paint(style::HEADING, &format!("Run {}", story.run())),
        clean(&format!("  workflow  {} · {}{cloud}", plan.workflow, plan.region)),
        clean(&format!("  account   {}", plan.account.as_deref().unwrap_or("not known"))),
        format!("  approved  {approval}"),
        format!("  began     {}", day_and_time(story.began(), zone)),
        format!("  ended     {ended}"),
    ];
    out.extend(story.taken_by().iter().map(|by| clean(&format!("  run by    {by}"))));
    out
}
