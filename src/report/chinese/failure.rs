//! What went wrong. What was seen on the instance, and what the vendor says, is told as the journal has it.

use super::{action, actions, exact, power, span};
use crate::cloud::{ErrorKind, RequestId};
use crate::journal::{Failure, Halt};

/// The failure as a sentence about an instance that was named before.
pub(in crate::report) fn words(failure: &Failure) -> String {
    match failure {
        Failure::Drifted { what } => format!("计划生成之后实例已发生变化：{what}"),
        Failure::Refused { action: own, error } => format!("{}被拒绝：{error}", action(*own)),
        Failure::Operation { action: own, message, request } => {
            format!("{}失败：{message}（请求 ID：{request}）", action(*own))
        }
        Failure::TimedOut { action: own, limit, request } => {
            let request = request.as_ref().map_or("未知", RequestId::as_str);
            format!("{}在 {} 内没有完成（请求 ID：{request}）", action(*own), span(*limit))
        }
        Failure::NoEffect { action: own, expected, request } => {
            format!("{}报告已完成，但没有看到应有的结果：{expected}（请求 ID：{request}）", action(*own))
        }
        Failure::Interference { what } => format!("有其他人操作了这台实例：{what}"),
        Failure::DeadEnd { power: state } => format!("实例状态为“{}”，pitstop 无法使其恢复", power(state)),
        Failure::CutShort { left } => {
            format!("其他实例失败过多，未能完成；未执行：{}", actions(left))
        }
        Failure::OverBudget { budget, used, expected, left } if used.as_secs_f64().round() == 0.0 => format!(
            "没有关机：预计停机约 {}，而停机预算为 {}；未执行：{}",
            span(*expected),
            span(*budget),
            actions(left)
        ),
        Failure::OverBudget { budget, used, expected, left } => format!(
            "停机预算不够完成其余更改：{} 中已用 {}，还需约 {}；未执行：{}",
            span(*budget),
            exact(*used),
            span(*expected),
            actions(left)
        ),
        Failure::RolledBack { cause, to } => format!("{}；已回滚为 {to}", words(cause)),
        Failure::NotRolledBack { cause, to, why: Some(why) } => {
            format!("{}；回滚为 {to} 失败：{}", words(cause), words(why))
        }
        Failure::NotRolledBack { cause, to, why: None } => {
            format!("{}；因要求结束执行，没有回滚为 {to}", words(cause))
        }
        Failure::Gone => "实例已不存在：云端查不到它".to_owned(),
        Failure::Check { number, message } => format!("第 {number} 项检查未通过：{message}"),
    }
}

/// Why an instance was not begun.
pub(in crate::report) fn halt(why: Halt) -> &'static str {
    match why {
        Halt::TooManyFailures => "其他实例失败过多",
        Halt::CanaryFailed => "灰度实例失败",
        Halt::Declined => "灰度实例完成后，选择了不再继续",
        Halt::KeyNotImported => "密钥对导入失败",
        Halt::Ordered => "轮到它之前，执行已被要求结束",
        Halt::Abandoned => "执行在发出任何请求之前就已放弃",
    }
}

/// What a person can do about a call that failed.
pub(in crate::report) fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Throttled => "该账号的 API 调用过于频繁，已放慢并重试",
        ErrorKind::Server => "云端内部故障；重发之前会先查看实例状态",
        ErrorKind::Network => "请检查网络、代理和接入地址",
        ErrorKind::Busy => "实例上有其他操作，请等它结束",
        ErrorKind::Power => "实例的运行状态不满足这个操作的要求",
        ErrorKind::State => "请在控制台查看实例；这种状态等待不会好转",
        ErrorKind::Identity => "请核对 ID 和地域",
        ErrorKind::Argument => "请检查工作流中的取值",
        ErrorKind::Never => "这台实例不支持这样更改；请选择其他规格，或将它移出工作流",
        ErrorKind::Operator => "请先处理上面指出的问题，再重新执行",
        ErrorKind::Capacity => "请选择其他规格或可用区，或稍后再试",
        ErrorKind::Auth => "请检查凭证和访问策略",
        ErrorKind::Money => "请检查账户余额、未支付订单和支付权限",
    }
}
