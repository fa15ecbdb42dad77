//! An old run, told from its records alone by the code that tells a live one.

use jiff::tz::TimeZone;

use super::chinese;
use super::language::Language;
use super::lines::{is_a_crowd, is_worth_a_line, line_in};
use super::plan_table::Rows;
use super::story::{Story, StoryError};
use super::verdict::verdicts;
use super::words::{Look, clean, day_and_time, style};
use crate::journal::Record;
use crate::plan::Approval;

/// What happened in a run: head, events, verdicts. Of many instances only the events that [`is_worth_a_line`], unless
/// all are asked for.
pub fn show(
    records: &[Record],
    rows: Rows,
    look: Look,
    zone: &TimeZone,
    resumable: bool,
) -> Result<String, StoryError> {
    let all = rows == Rows::All;
    let first = records.first().ok_or(StoryError::Empty)?;
    let mut story = Story::begin(first)?;
    let mut events = Vec::new();
    for record in records.iter().skip(1) {
        if all || is_worth_a_line(&story, record) {
            events.extend(line_in(look.language, &story, record, zone));
        }
        story.fold(record)?;
    }
    let mut out = head(&story, look, zone);
    out.push(String::new());
    out.push(look.paint(style::HEADING, look.language.pick("Events:", "事件：")));
    out.extend(events.into_iter().map(|event| format!("  {event}")));
    if !all && is_a_crowd(&story) {
        let run = story.run();
        out.push(match look.language {
            Language::English => {
                format!("  (of so many instances only trouble; everything: pitstop show {run} -v)")
            }
            Language::Chinese => format!("  （实例较多，仅列出异常；查看全部事件：pitstop show {run} -v）"),
        });
    }
    out.push(String::new());
    out.push(look.paint(style::HEADING, look.language.pick("Verdicts:", "结果：")));
    out.push(verdicts(&story, look, resumable));
    Ok(out.join("\n"))
}

fn head(story: &Story, look: Look, zone: &TimeZone) -> Vec<String> {
    let plan = story.plan();
    if look.language == Language::Chinese {
        return chinese_head(story, look, zone);
    }
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

/// The same in Chinese.
fn chinese_head(story: &Story, look: Look, zone: &TimeZone) -> Vec<String> {
    let plan = story.plan();
    let cloud = if story.simulated() { "（模拟云）" } else { "" };
    let ended = if story.ended() { day_and_time(story.last(), zone) } else { "尚未结束".to_owned() };
    let mut out = vec![
        look.paint(style::HEADING, &chinese::verdict::run(&story.run().to_string())),
        clean(&format!("  工作流    {} · {}{cloud}", plan.workflow, plan.region)),
        clean(&format!("  账号      {}", plan.account.as_deref().unwrap_or("未知"))),
        format!("  确认方式  {}", chinese::asking::approval(story.approval())),
        format!("  开始      {}", day_and_time(story.began(), zone)),
        format!("  结束      {ended}"),
    ];
    out.extend(story.taken_by().iter().map(|by| clean(&format!("  执行者    {by}"))));
    out
}
