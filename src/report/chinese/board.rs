//! The board: short words for what an instance is doing, and the summary below.

use std::time::Duration;

use super::{action, failure, power, span};
use crate::cloud::Action;
use crate::journal::Order;
use crate::report::story::Phase;
use crate::report::tally::Stand;
use crate::workflow::Check;

/// What an instance is doing while this call is under way.
pub(in crate::report) fn doing(action: Action) -> &'static str {
    match action {
        Action::Stop => "关机中",
        Action::Start => "开机中",
        Action::Resize => "调整配置中",
        Action::ResetPassword => "重置密码中",
        Action::LoadSshKeys => "绑定密钥中",
    }
}

/// With a count before it or alone.
pub(in crate::report) fn stand(stand: Stand) -> &'static str {
    match stand {
        Stand::Stranded => "需要人工处理",
        Stand::Failed => "失败",
        Stand::BringingBack => "恢复中",
        Stand::RollingBack => "回滚中",
        Stand::Unsure => "未收到答复",
        Stand::Retrying => "重试中",
        Stand::Acting(action) => doing(action),
        Stand::Stopped => power(&crate::cloud::PowerState::Stopped),
        Stand::Checking => "检查中",
        Stand::Looking => "查看中",
        Stand::Waiting => "等待中",
        Stand::Suspended => "已恢复但未完成",
        Stand::Done => "完成",
        Stand::Unchanged => "无需更改",
        Stand::NotBegun => "未开始",
    }
}

pub(in crate::report) fn phase(phase: &Phase) -> String {
    match phase {
        Phase::Unsure(action) => format!("{}：未收到答复，正在查看", doing(*action)),
        Phase::Retrying(own, error) => format!("{}被拒绝，重试中：{error}", action(*own)),
        Phase::NotBegun(why) => format!("未开始：{}", failure::halt(*why)),
        Phase::Waiting
        | Phase::Acting(_)
        | Phase::Stopped
        | Phase::Checking
        | Phase::Looking
        | Phase::BringingBack
        | Phase::RollingBack
        | Phase::Suspended
        | Phase::Done
        | Phase::Unchanged
        | Phase::Failed
        | Phase::Stranded => stand(Stand::of(phase)).to_owned(),
    }
}

pub(in crate::report) fn check(check: &Check) -> String {
    match check {
        Check::Tcp { port, .. } => format!("检查端口 {port}"),
    }
}

/// Of an instance that failed and is on its way back.
pub(in crate::report) fn failed(phase: &Phase) -> String {
    format!("失败，{}", self::phase(phase))
}

pub(in crate::report) fn down(down: Duration) -> String {
    let (hours, minutes) = (down.as_secs() / 3600, down.as_secs() / 60 % 60);
    // Its column is narrow.
    if hours > 0 { format!("停机 {hours}时{minutes:02}分") } else { format!("停机 {}", span(down)) }
}

/// How long it takes by now, and how long by experience.
pub(in crate::report) fn expected(elapsed: Duration, middle: Duration, late: bool) -> String {
    if late {
        format!("{}，通常 {}", span(elapsed), span(middle))
    } else {
        format!("{}/约{}", span(elapsed), span(middle))
    }
}

pub(in crate::report) fn left(left: Duration) -> String {
    format!("预计还需 {}", span(left))
}

pub(in crate::report) fn more(count: usize) -> String {
    format!("  … 另有 {count} 台")
}

pub(in crate::report) fn counted(count: usize, stand: Stand) -> String {
    format!("{count} 台{}", self::stand(stand))
}

/// The counts of the summary; those that are not to be said are 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Counts {
    pub(in crate::report) settled: usize,
    pub(in crate::report) total: usize,
    pub(in crate::report) failed: usize,
    pub(in crate::report) under_way: usize,
    pub(in crate::report) waiting: usize,
    pub(in crate::report) down: usize,
}

pub(in crate::report) fn summary(elapsed: Duration, counts: Counts, order: Order) -> String {
    let Counts { settled, total, failed, under_way, waiting, down } = counts;
    let failed = if failed == 0 { String::new() } else { format!("（失败 {failed} 台）") };
    let others = [(under_way, "进行中"), (waiting, "等待中"), (down, "停机")];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: Vec<_> = others.map(|(count, what)| format!("，{what} {count} 台")).collect();
    let order = match order {
        Order::CarryOn => "",
        Order::BringBack => "；正在恢复，再按 Ctrl-C 立即退出",
        Order::LeaveNow => "；正在退出",
    };
    format!("{}：已结束 {settled}/{total} 台{failed}{}{order}", span(elapsed), others.concat())
}
