//! The events of a run as plain lines.

use std::time::Duration;

use super::{action, board, exact, failure, power};
use crate::cloud::{Action, CloudError, InstanceType, PowerState};
use crate::journal::{Failure, Intent, Order, RunId};

pub(in crate::report) fn begins(run: RunId) -> String {
    format!("执行 {run} 开始")
}

pub(in crate::report) fn taken(run: RunId, by: &str) -> String {
    format!("执行 {run} 由 {by} 继续")
}

pub(in crate::report) fn importing(name: &str) -> String {
    format!("正在导入密钥对 {name}")
}

pub(in crate::report) fn imported(key: &str) -> String {
    format!("密钥对已导入，ID 为 {key}")
}

pub(in crate::report) fn order(order: Order) -> &'static str {
    match order {
        Order::CarryOn => "继续执行",
        Order::BringBack => "要求提前结束：不再开始新的操作，恢复所有已关机的实例",
        Order::LeaveNow => "要求立即退出",
    }
}

pub(in crate::report) fn paused(until: Option<&str>) -> String {
    match until {
        None => "灰度实例正常，等待人工确认后继续".to_owned(),
        Some(until) => format!("灰度实例正常，其余实例将于 {until} 开始"),
    }
}

pub(in crate::report) const CONTINUED: &str = "开始处理其余实例";
pub(in crate::report) const RUN_ENDED: &str = "执行结束";
pub(in crate::report) const SUSPENDED: &str = "已恢复但未完成";

pub(in crate::report) fn is_now(state: &PowerState) -> String {
    format!("现在{}", super::after_blank(power(state)))
}

pub(in crate::report) fn intent(intent: &Intent) -> String {
    let doing = board::doing(intent.action());
    match intent {
        Intent::Stop { .. } | Intent::Start => doing.to_owned(),
        Intent::LoadSshKeys { keys } => format!("{doing}：{}", super::plan::list(keys)),
        Intent::ResetPassword { user } => format!("{doing}：用户 {user}"),
        Intent::Resize { to } => format!("{doing}：{to}"),
    }
}

/// The call that is told of.
pub(in crate::report) fn call(of: Option<Action>) -> &'static str {
    of.map_or("请求", action)
}

pub(in crate::report) fn refused(call: &str, error: &CloudError) -> String {
    format!("{call}被拒绝：{error}")
}

pub(in crate::report) fn lost(call: &str, error: &CloudError) -> String {
    format!("{call}：没有明确的答复（{error}），正在查看实例")
}

pub(in crate::report) fn not_executed(call: &str) -> String {
    format!("{call}没有被执行")
}

pub(in crate::report) fn achieved(call: &str, took: Duration) -> String {
    format!("{call}完成，用时 {}", exact(took))
}

pub(in crate::report) fn failed(failure: &Failure) -> String {
    format!("失败：{}", failure::words(failure))
}

pub(in crate::report) fn fell_back(
    from: &InstanceType,
    to: &InstanceType,
    error: &CloudError,
    stays: bool,
) -> String {
    if stays {
        format!("无法调整为 {from}（{error}）：保持 {to}")
    } else {
        format!("无法调整为 {from}（{error}）：改为 {to}")
    }
}

pub(in crate::report) fn rolling_back(to: &InstanceType) -> String {
    format!("正在回滚为 {to}")
}

pub(in crate::report) fn check_passed(number: usize) -> String {
    format!("第 {number} 项检查通过")
}
