//! The verdicts at the end of a run.

use std::time::Duration;

use super::{action, actions, exact, failure, power, span};
use crate::cloud::{Action, InstanceType, PowerState};
use crate::journal::Verdict;
use crate::report::tally::Stand;

/// A verdict in words, with what went wrong.
pub(in crate::report) fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Done => "完成".to_owned(),
        Verdict::Unchanged => "无需更改".to_owned(),
        Verdict::NotBegun { why } => format!("未开始：{}", failure::halt(*why)),
        Verdict::Failed { failure } => format!("失败：{}", failure::words(failure)),
        Verdict::Stranded { failure, power: state } => {
            format!("需要人工处理，现在{}：{}", power(state), failure::words(failure))
        }
    }
}

/// Which type it got, where the workflow left a choice.
pub(in crate::report) fn became(to: &InstanceType) -> String {
    format!("，规格为 {to}")
}

pub(in crate::report) const NOT_BEGUN: &str = "未开始：执行提前结束";

pub(in crate::report) fn left_while(phase: &str) -> String {
    format!("退出时{phase}")
}

/// How long it was down, and of how much if there was a budget.
pub(in crate::report) fn down(down: Duration, budget: Option<Duration>) -> String {
    match budget {
        Some(budget) => format!("停机 {}（上限 {}）", exact(down), span(budget)),
        None => format!("停机 {}", exact(down)),
    }
}

/// Many instances of which the same is to be said; `downs` are sorted.
pub(in crate::report) fn summed_up(
    count: usize,
    names: &str,
    words: &str,
    downs: &[Duration],
    budget: Option<Duration>,
) -> String {
    let head = format!("{count} 台实例（{names}）：{words}");
    let allowed = budget.map(|budget| format!("（上限 {}）", span(budget))).unwrap_or_default();
    match downs {
        [] => head,
        [one] => format!("{head}，其中一台停机 {}{allowed}", exact(*one)),
        [shortest, .., longest] if exact(*shortest) == exact(*longest) => {
            format!("{head}，每台停机 {}{allowed}", exact(*longest))
        }
        [shortest, .., longest] => format!(
            "{head}，停机 {} 至 {}，半数不超过 {}{allowed}",
            exact(*shortest),
            exact(*longest),
            exact(downs[(downs.len() - 1) / 2])
        ),
    }
}

/// What state it is in.
pub(in crate::report) fn state(state: &PowerState, kind: &InstanceType) -> String {
    format!("现在{}，规格为 {kind}", super::after_blank(power(state)))
}

/// What was done of what was planned.
pub(in crate::report) fn progress(done: &[Action], left: &[Action]) -> String {
    let list = |of: &[Action]| if of.is_empty() { "无".to_owned() } else { actions(of) };
    format!("已执行：{}；未执行：{}", list(done), list(left))
}

pub(in crate::report) fn request(own: Action, request: &str) -> String {
    format!("    请求：{}（{}）{request}", own.api_name(), action(own))
}

/// The count of those that ended so, or nothing of what is not counted apart.
pub(in crate::report) fn counts(table: &[(usize, Stand)], under_way: usize, of: usize) -> String {
    let words = |stand: Stand| match stand {
        Stand::Waiting => super::board::stand(Stand::NotBegun),
        other => super::board::stand(other),
    };
    let parts = table.iter().map(|(count, stand)| (*count, words(*stand)));
    let parts = parts.chain([(under_way, "退出时仍在进行")]);
    let parts = parts.filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} 台{words}"));
    format!("共 {of} 台实例，{}", parts.collect::<Vec<_>>().join("，"))
}

pub(in crate::report) fn run(run: &str) -> String {
    format!("执行 {run}")
}
