//! The end of a run: one verdict per instance, and the one command that helps where help is needed.

use super::chinese;
use super::language::Language;
use super::layout::{paragraph, width};
use super::lines::{became, chinese_became, chinese_down_words, down_words, trimmed, verdict_words};
use super::plan_table::full_name;
use super::story::{Phase, Row, Story};
use super::tally::Stand;
use super::words::{Look, clean, exact, instances, span, style};
use crate::cloud::{Action, CloudError, ErrorKind};
use crate::journal::{Failure, Verdict};
use crate::plan::{EndPower, Step};

/// Runs of more instances than this sum up those of which there is nothing particular to say.
const MANY: usize = 20;
/// So many of those are named; of more only the first.
const NAMED: usize = 5;

/// One verdict per instance, the worst first, then the next command to type. A run whose cloud is gone is not
/// `resumable`.
pub fn verdicts(story: &Story, look: Look, resumable: bool) -> String {
    let mut out = Vec::new();
    let mut rows: Vec<(&Row, Phase)> = story.rows().iter().map(|row| (row, story.phase(row))).collect();
    rows.sort_by_key(|(row, phase)| (Stand::of(phase), row.differences.is_empty()));
    let mut alike: Vec<(String, Vec<&Row>)> = Vec::new();
    for (row, phase) in &rows {
        match row_words(row, phase, look.language) {
            words if rows.len() > MANY && is_plain(row, phase) => {
                match alike.iter_mut().find(|(known, _)| *known == words) {
                    Some((_, whom)) => whom.push(row),
                    None => alike.push((words, vec![row])),
                }
            }
            words => verdict(story, row, (phase, &words), look, &mut out),
        }
    }
    for (words, whom) in alike {
        match whom.as_slice() {
            [one] => verdict(story, one, (&story.phase(one), &words), look, &mut out),
            many => summed_up(story, many, &words, look, &mut out),
        }
    }
    out.push(String::new());
    out.extend(outcome(story, look));
    for command in next_commands(story, resumable) {
        out.push(format!("{}{command}", look.language.pick("next: ", "下一步：")));
    }
    out.push(String::new());
    look.signs(out.join("\n"))
}

/// There is nothing more to say of it than of others like it.
fn is_plain(row: &Row, phase: &Phase) -> bool {
    let quiet = match phase {
        Phase::Done | Phase::Unchanged | Phase::NotBegun(_) | Phase::Waiting => true,
        Phase::Suspended
        | Phase::Acting(_)
        | Phase::Unsure(_)
        | Phase::Retrying(..)
        | Phase::Stopped
        | Phase::Checking
        | Phase::Looking
        | Phase::BringingBack
        | Phase::RollingBack
        | Phase::Failed
        | Phase::Stranded => false,
    };
    quiet && row.differences.is_empty()
}

/// How it went, in words.
fn row_words(row: &Row, phase: &Phase, language: Language) -> String {
    if language == Language::Chinese {
        return chinese_row_words(row, phase);
    }
    let words = match row.state.verdict() {
        Some(verdict) => format!("{}{}", verdict_words(verdict).trim_end_matches('.'), became(row, verdict)),
        None if row.is_suspended() => format!("{}; {}", phase.words(), progress(row)),
        None if row.state.ledger.touched => format!("left while {}", phase.words()),
        None => "not begun: the run was ended early".to_owned(),
    };
    words.trim_end_matches('.').to_owned()
}

/// The same in Chinese.
fn chinese_row_words(row: &Row, phase: &Phase) -> String {
    let doing = chinese::board::phase(phase);
    let words = match row.state.verdict() {
        Some(verdict) => {
            format!("{}{}", trimmed(&chinese::verdict::words(verdict)), chinese_became(row, verdict))
        }
        None if row.is_suspended() => format!("{doing}；{}", progress_in(Language::Chinese, row)),
        None if row.state.ledger.touched => chinese::verdict::left_while(&doing),
        None => chinese::verdict::NOT_BEGUN.to_owned(),
    };
    trimmed(&words).to_owned()
}

/// Many instances of which the same is to be said.
fn summed_up(story: &Story, whom: &[&Row], words: &str, look: Look, out: &mut Vec<String>) {
    let names: Vec<_> = whom.iter().take(NAMED).map(|row| clean(row.plan.name())).collect();
    let names = match whom.len().saturating_sub(NAMED) {
        0 => look.list(&names),
        _ if look.language == Language::Chinese => format!("{} 等", look.list(&names)),
        _ => format!("{}, …", names.join(", ")),
    };
    let mut downs: Vec<_> =
        whom.iter().map(|row| row.down(story.last())).filter(|down| !down.is_zero()).collect();
    downs.sort_unstable();
    let allowed = story.plan().downtime_budget.map(|budget| format!(", of {} allowed", span(budget)));
    let allowed = allowed.filter(|_| !downs.is_empty()).unwrap_or_default();
    let (mark, paint) = mark(&story.phase(whom[0]));
    if look.language == Language::Chinese {
        let budget = story.plan().downtime_budget;
        let head = chinese::verdict::summed_up(whom.len(), &names, words, &downs, budget);
        return marked(mark, paint, &head, look, out);
    }
    let head = match downs.as_slice() {
        [] => format!("{} ({names}): {words}", instances(whom.len())),
        [shortest, .., longest] if exact(*shortest) == exact(*longest) => {
            format!("{} ({names}): {words}, were down {} each", instances(whom.len()), exact(*longest))
        }
        [shortest, .., longest] => format!(
            "{} ({names}): {words}, were down {} to {}, half of them no longer than {}",
            instances(whom.len()),
            exact(*shortest),
            exact(*longest),
            exact(downs[(downs.len() - 1) / 2]),
        ),
        [one] => format!("{} ({names}): {words}, one was down {}", instances(whom.len()), exact(*one)),
    };
    marked(mark, paint, &format!("{head}{allowed}"), look, out);
}

fn marked(mark: &str, paint: anstyle::Style, head: &str, look: Look, out: &mut Vec<String>) {
    let mut lines = paragraph(0, mark, head, look);
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(mark.trim_end(), &look.paint(paint, mark.trim_end()), 1);
    }
    out.append(&mut lines);
}

fn mark(phase: &Phase) -> (&'static str, anstyle::Style) {
    match phase {
        Phase::Done | Phase::Unchanged => ("✓ ", style::GOOD),
        Phase::Failed | Phase::Stranded => ("✗ ", style::BAD),
        _ => ("- ", style::RISK),
    }
}

fn verdict(story: &Story, row: &Row, (phase, words): (&Phase, &str), look: Look, out: &mut Vec<String>) {
    let (mark, paint) = mark(phase);
    let down = row.down(story.last());
    let name = full_name(&row.plan);
    let head = match look.language {
        _ if down.is_zero() => format!("{name}{}{words}", look.language.pick(": ", "：")),
        Language::English => format!("{name}: {words}, was down {}", down_words(story, down)),
        Language::Chinese => format!("{name}：{words}{}", chinese_down_words(story, down)),
    };
    marked(mark, paint, &head, look, out);
    details(story, row, look, out);
}

fn details(story: &Story, row: &Row, look: Look, out: &mut Vec<String>) {
    let language = look.language;
    if let Some(failure) = row.failure() {
        out.extend(state_words(row, language).iter().flat_map(|words| paragraph(4, "", words, look)));
        if let Some(error) = cloud_error(failure) {
            out.extend(paragraph(4, language.pick("hint: ", "建议："), hint_of(error.kind, language), look));
        }
        for (action, request) in &row.requests {
            out.push(clean(&match language {
                Language::English => format!("    request: {} {request}", action.api_name()),
                Language::Chinese => chinese::verdict::request(*action, request.as_str()),
            }));
        }
    }
    if let Some(CloudError { request: Some(request), .. }) = row.failure().and_then(cloud_error) {
        out.push(clean(&format!("    {}{request}", language.pick("refused request: ", "被拒绝的请求："))));
    }
    for difference in &row.differences {
        out.extend(paragraph(4, language.pick("different: ", "变化："), difference, look));
    }
    if let Some(command) = rescue(story, row) {
        // Never wrapped: it is there to be copied.
        out.push(format!("    {}{command}", language.pick("to mend it: ", "恢复命令：")));
    }
}

/// What a person can do about a failed call of this kind.
pub fn hint_of(kind: ErrorKind, language: Language) -> &'static str {
    match language {
        Language::English => kind.hint(),
        Language::Chinese => chinese::failure::hint(kind),
    }
}

/// What state it is in; a verdict that needs a person says so itself.
fn state_words(row: &Row, language: Language) -> Option<String> {
    if matches!(row.state.verdict(), Some(Verdict::Stranded { .. })) {
        return None;
    }
    let ledger = &row.state.ledger;
    let (power, kind) = (ledger.power.as_ref()?, ledger.instance_type.as_ref()?);
    Some(match language {
        Language::English => format!("it is {power} now, as {kind}"),
        Language::Chinese => chinese::verdict::state(power, kind),
    })
}

/// What was done of what was planned.
pub(super) fn progress(row: &Row) -> String {
    progress_in(Language::English, row)
}

fn progress_in(language: Language, row: &Row) -> String {
    let done = &row.state.ledger.done;
    let planned = row.plan.steps.iter().map(Step::action);
    let left: Vec<Action> = planned.filter(|action| !done.contains(action)).collect();
    if language == Language::Chinese {
        return chinese::verdict::progress(done, &left);
    }
    let list = |of: &[Action]| match of {
        [] => "nothing".to_owned(),
        some => some.iter().map(|action| action.words()).collect::<Vec<_>>().join(", "),
    };
    format!("made: {}; left: {}", list(done), list(&left))
}

pub(super) fn cloud_error(failure: &Failure) -> Option<&CloudError> {
    match failure.root() {
        Failure::Refused { error, .. } => Some(error),
        _ => None,
    }
}

/// The command that gives a stranded instance the power that the workflow wants.
pub(super) fn rescue(story: &Story, row: &Row) -> Option<String> {
    let Some(Verdict::Stranded { failure, .. }) = row.state.verdict() else { return None };
    if *failure.root() == Failure::Gone {
        return None;
    }
    let region = &story.plan().region;
    let id = &row.plan.id;
    let call = match row.plan.ends {
        EndPower::Running => "StartInstances",
        EndPower::Stopped => "StopInstances --StopType SOFT --StoppedMode KEEP_CHARGING",
    };
    Some(clean(&format!("tccli cvm {call} --region {region} --InstanceIds '[\"{id}\"]'")))
}

/// The run, and how many of its instances ended how.
pub fn outcome_line(story: &Story) -> String {
    outcome_in(Language::English, story)
}

fn outcome_in(language: Language, story: &Story) -> String {
    format!("{}{}", run_words(language, story), counts(story, language))
}

fn run_words(language: Language, story: &Story) -> String {
    match language {
        Language::English => format!("run {}: ", story.run()),
        Language::Chinese => format!("{}：", chinese::verdict::run(&story.run().to_string())),
    }
}

/// The same, on two lines where one is too short.
fn outcome(story: &Story, look: Look) -> Vec<String> {
    let line = outcome_in(look.language, story);
    if width(&line) <= look.columns() {
        return vec![line];
    }
    let mut out = vec![run_words(look.language, story).trim_end().to_owned()];
    out.extend(paragraph(2, "", &counts(story, look.language), look));
    out
}

/// How many instances ended how.
fn counts(story: &Story, language: Language) -> String {
    let tally = story.tally();
    let count = |stand| tally.count(stand);
    let under_way: usize = tally.under_way().map(|(_, count)| count).sum();
    if language == Language::Chinese {
        let waiting = count(Stand::NotBegun) + count(Stand::Waiting);
        let ends = [Stand::Done, Stand::Unchanged, Stand::Failed, Stand::Stranded, Stand::Suspended];
        let mut table: Vec<_> = ends.into_iter().map(|stand| (count(stand), stand)).collect();
        table.push((waiting, Stand::NotBegun));
        return chinese::verdict::counts(&table, under_way, story.rows().len());
    }
    let table = [
        (count(Stand::Done), "done"),
        (count(Stand::Unchanged), "unchanged"),
        (count(Stand::Failed), "failed"),
        (count(Stand::Stranded), "in need of a person"),
        (count(Stand::Suspended), "brought back, not finished"),
        (count(Stand::NotBegun) + count(Stand::Waiting), "not begun"),
        (under_way, "left under way"),
    ];
    let parts: Vec<_> = table
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    format!("{} of {}", parts.join(", "), instances(story.rows().len()))
}

/// What to type next, if something is left to do.
pub(super) fn next_commands(story: &Story, resumable: bool) -> Vec<String> {
    let mut commands = Vec::new();
    if resumable && !story.ended() && story.rows().iter().any(|row| row.state.verdict().is_none()) {
        commands.push(format!("pitstop resume {}", story.run()));
    }
    if story.rows().iter().any(|row| row.failure().is_some()) {
        commands.push(format!("pitstop show {}", story.run()));
    }
    commands
}
