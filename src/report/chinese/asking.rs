//! The words around the questions.

use super::{plan, span};
use crate::journal::{Order, RunId};
use crate::plan::Approval;
use crate::report::asking::Caution;
use crate::report::expected::Estimate;

/// So many instances are named in a question; of more only the first.
const NAMED: usize = 10;

pub(in crate::report) fn caution(caution: &Caution) -> String {
    match caution {
        Caution::Many { stopped, usual } => {
            format!("{stopped} 台实例将关机，超过了直接确认的上限（{usual} 台）")
        }
        Caution::Production(names) => match names.as_slice() {
            [one] => format!("{one} 带有生产环境标签"),
            some => format!("{} 台实例带有生产环境标签：{}", some.len(), first(some)),
        },
    }
}

pub(in crate::report) fn carry_on(canaries: &[String], others: usize) -> (String, String) {
    let well = match canaries {
        [one] => format!("灰度实例正常：{one}"),
        many => format!("{} 台灰度实例正常：{}", many.len(), first(many)),
    };
    (well, format!("继续处理其余 {others} 台实例吗？"))
}

pub(in crate::report) fn interrupted(name: &str, order: Order, down: usize) -> String {
    match (order, down) {
        (Order::CarryOn | Order::BringBack, 0) => {
            format!("{name}：不再开始新的操作，没有停机的实例。再按一次立即退出")
        }
        (Order::CarryOn | Order::BringBack, down) => {
            format!("{name}：不再开始新的操作，正在恢复 {down} 台停机的实例。再按一次立即退出，实例保持现状")
        }
        (Order::LeaveNow, 0) => format!("{name}：正在退出，没有停机的实例"),
        (Order::LeaveNow, down) => format!("{name}：正在退出，仍有 {down} 台实例停机"),
    }
}

pub(in crate::report) fn way_back(run: Option<RunId>) -> String {
    match run {
        Some(run) => format!("全部恢复请运行：pitstop resume {run}"),
        None => "模拟云随本进程一起结束".to_owned(),
    }
}

pub(in crate::report) const WILL_BE_STOPPED: &str = "以下实例将关机：";

pub(in crate::report) fn question(stopped: usize) -> String {
    match stopped {
        0 => "不会关闭运行中的实例。执行以上更改吗？".to_owned(),
        count => format!("将 {count} 台实例关机并执行以上更改吗？"),
    }
}

pub(in crate::report) fn name_question(workflow: &str) -> String {
    format!("请输入工作流名称 {workflow} 以继续")
}

pub(in crate::report) fn wrong_name(workflow: &str) -> String {
    format!("输入的名称不是 {workflow}")
}

pub(in crate::report) fn first(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => plan::list(names),
        _ => format!("{} 等 {} 台", plan::list(&names[..NAMED]), names.len()),
    }
}

pub(in crate::report) fn stay(stay: usize, of: usize) -> String {
    if stay == of {
        "完成后保持关机".to_owned()
    } else {
        format!("其中 {stay} 台（共 {of} 台）完成后保持关机")
    }
}

/// How long by past experience; it says so where there is none.
pub(in crate::report) fn how_long(estimate: &Estimate) -> String {
    let Estimate { known, unknown, shortest, longest, whole, at_once, of } = *estimate;
    if known == 0 {
        return "停机时长未知：还没有同类操作的记录".to_owned();
    }
    let (shortest, longest) = (span(shortest), span(longest));
    let each =
        if shortest == longest { format!("约 {longest}") } else { format!("{shortest} 至 {longest}") };
    let by = format!("根据每类操作之前的 {of} 次记录");
    let all = span(whole);
    let rest =
        if unknown == 0 { String::new() } else { format!("；另有 {unknown} 台没有记录可参考") };
    let each = super::after_blank(&each);
    match known {
        1 => format!("预计停机{each}（{by}）{rest}"),
        _ if at_once == 1 => format!("预计每台停机{each}，逐台进行，全部完成需 {all}（{by}）{rest}"),
        many if at_once >= many => {
            format!("预计每台停机{each}，同时进行，全部完成需 {all}（{by}）{rest}")
        }
        _ => format!("预计每台停机{each}，每次 {at_once} 台，全部完成需 {all}（{by}）{rest}"),
    }
}

/// How a plan was approved.
pub(in crate::report) fn approval(approval: Approval) -> &'static str {
    match approval {
        Approval::Flag => "由 --yes 确认",
        Approval::Person => "人工确认",
        Approval::Program => "由程序确认",
    }
}
