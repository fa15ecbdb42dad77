//! The plan.

use std::fmt::Display;
use std::time::Duration;

use super::{action, after_blank, power, span};
use crate::cloud::{Price, StopMode};
use crate::plan::{EndPower, InstancePlan, OptionalRead, Plan, PriceChange, Step};
use crate::workflow::Pause;

pub(in crate::report) fn account(account: &str) -> String {
    format!(" · 账号 {account}")
}

/// How many instances are stopped, changed, left alone and refused.
pub(in crate::report) fn summary(stopped: usize, others: usize, unchanged: usize, refused: usize) -> String {
    let stopped = match stopped {
        0 => "没有实例需要关机".to_owned(),
        _ => format!("{stopped} 台实例将关机"),
    };
    let others = [(others, "无需关机即可处理"), (unchanged, "无需更改"), (refused, "被拒绝")];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: Vec<_> = others.map(|(count, what)| format!("，{count} 台{what}")).collect();
    format!("{stopped}{}", others.concat())
}

/// Whom something is said of: a few by name, many by their number and the first names.
pub(in crate::report) fn many(count: usize, names: &str) -> String {
    format!("{count} 台实例（{names} 等）")
}

pub(in crate::report) fn all(count: usize) -> String {
    format!("全部 {count} 台")
}

pub(in crate::report) fn more_like_these(more: usize) -> String {
    format!("  … 另有 {more} 条类似内容：加 -v 或用 pitstop plan 查看")
}

pub(in crate::report) fn all_rows(count: usize) -> String {
    format!("全部 {count} 行：加 -v 或用 pitstop plan 查看")
}

/// An instance and its power, before and after.
pub(in crate::report) fn head(name: &str, now: &str, then: &str) -> String {
    if now == then {
        format!("{name}：{now}，完成后不变")
    } else {
        format!("{name}：{now}，完成后{}", after_blank(then))
    }
}

pub(in crate::report) fn power_now(instance: &InstancePlan) -> String {
    instance.found.as_ref().map(|found| power(&found.power).to_owned()).unwrap_or_default()
}

pub(in crate::report) fn afterwards(ends: EndPower) -> &'static str {
    match ends {
        EndPower::Running => "运行中",
        EndPower::Stopped => "已关机",
    }
}

pub(in crate::report) fn about(duration: Duration) -> String {
    format!("约 {}", span(duration))
}

pub(in crate::report) fn down(about: &str) -> String {
    format!("停机{about}")
}

/// A step with what it changes, from → to.
pub(in crate::report) fn step(plan: &Plan, step: &Step) -> String {
    let own = action(step.action());
    match step {
        Step::LoadSshKeys { keys, imported } => {
            let imported = plan.import_key.as_ref().filter(|_| *imported);
            let all = keys.iter().map(ToString::to_string);
            let all = all.chain(imported.map(|key| format!("{}（先导入）", key.name)));
            format!("{own} {}", all.collect::<Vec<_>>().join("、"))
        }
        Step::ResetPassword { user } => format!("{own}（用户 {user}）"),
        Step::Resize { from, to, cpu, memory_gib, fallbacks } => {
            let otherwise: String = fallbacks
                .iter()
                .map(|fallback| {
                    if fallback.to == *from {
                        "，否则不调整".to_owned()
                    } else {
                        format!("，否则 {}", fallback.to)
                    }
                })
                .collect();
            format!("{own} {from} → {to}（{cpu} 核 {memory_gib} GiB）{otherwise}")
        }
    }
}

pub(in crate::report) fn price(change: &PriceChange) -> String {
    let currency = &change.currency;
    match change.price {
        Price::Once(amount) if amount < 0.0 => format!("退还 {:.2} {currency}", -amount),
        Price::Once(amount) => format!("立即支付 {amount:.2} {currency}"),
        Price::PerHour(amount) => format!("{amount:.2} {currency}/小时"),
    }
}

/// What all of them cost together.
pub(in crate::report) fn whole_price(currency: &str, hourly: bool, sum: f64) -> String {
    match (hourly, sum < 0.0) {
        (true, _) => format!("调整后合计 {sum:.2} {currency}/小时"),
        (false, false) => format!("合计立即支付 {sum:.2} {currency}"),
        (false, true) => format!("合计退还 {:.2} {currency}", -sum),
    }
}

pub(in crate::report) fn stop(timeout: Duration, mode: StopMode) -> String {
    let mode = match mode {
        StopMode::Soft => "由操作系统正常关机，绝不断电",
        StopMode::SoftFirst => "先由操作系统正常关机，不成功则断电",
        StopMode::Hard => "直接断电",
    };
    format!("关机，最多等待 {}（{mode}）", span(timeout))
}

/// Why a step stands where it does.
pub(in crate::report) fn why_here(step: &Step) -> &'static str {
    match step {
        Step::LoadSshKeys { .. } => "最先：绑定密钥会禁用密码登录",
        Step::ResetPassword { .. } => "在绑定密钥之后：重置密码会重新开启密码登录",
        Step::Resize { .. } => "最后：调整配置可能使实例开机",
    }
}

pub(in crate::report) fn with_reason(words: &str, why: &str) -> String {
    format!("{words}（{why}）")
}

pub(in crate::report) const ROLL_BACK: &str =
    "如果之后无法开机或检查未通过：若在运行则再次关机，恢复原规格后开机";

pub(in crate::report) fn at_once(most: usize) -> String {
    format!("同时最多 {most} 台")
}

/// Who goes first, at most `most` of them by name, and what the others wait for.
pub(in crate::report) fn canaries(names: &[String], most: usize, others: usize, pause: Pause) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join("、");
    let first = if names.len() > most { format!("{shown} 等 {} 台", names.len()) } else { shown };
    match pause {
        Pause::Person => format!("先执行 {first}；确认正常并经审批人同意后，再执行其余 {others} 台"),
        Pause::None => format!("先执行 {first}；确认正常后，再执行其余 {others} 台"),
        Pause::For(time) => format!("先执行 {first}；确认正常 {} 后，再执行其余 {others} 台", span(time)),
    }
}

pub(in crate::report) fn budget(budget: Duration) -> String {
    format!("停机最多 {}：来不及做的更改会跳过，并将实例开机", span(budget))
}

/// A note of the plan. The plan keeps the English words; those that are known are said in Chinese, others as they are.
pub(in crate::report) fn note(plan: &Plan, note: &str) -> String {
    let import = plan.import_key.as_ref().map(|import| &import.name);
    if let Some(name) =
        import.filter(|name| note == format!("the SSH key {name} is imported before anything stops"))
    {
        return format!("密钥对 {name} 会在任何实例关机之前导入");
    }
    match note {
        "no instance fits, so there is nothing to do" => return "没有符合条件的实例，无需执行".to_owned(),
        "the vendor documents the import of RSA keys only; this key is of another kind" => {
            return "腾讯云文档只说明支持导入 RSA 密钥，而这个密钥是其他类型".to_owned();
        }
        _ => {}
    }
    let unread = note.strip_prefix("not checked: ").and_then(|rest| {
        READS.iter().find_map(|read| Some((*read, rest.strip_prefix(&format!("{read}: "))?)))
    });
    match unread {
        Some((own, "this site of the cloud does not offer it")) => {
            format!("未检查{}：该站点不提供此接口", after_blank(read(own)))
        }
        Some((own, error)) => format!("未检查{}：{error}", after_blank(read(own))),
        None => note.to_owned(),
    }
}

const READS: [OptionalRead; 9] = [
    OptionalRead::ScalingGroups,
    OptionalRead::LoadBalancers,
    OptionalRead::RepairTasks,
    OptionalRead::ReleaseTimers,
    OptionalRead::ResizeOptions,
    OptionalRead::TypeOffers,
    OptionalRead::ResizePrice,
    OptionalRead::DowngradeQuota,
    OptionalRead::Caller,
];

fn read(read: OptionalRead) -> &'static str {
    match read {
        OptionalRead::ScalingGroups => "伸缩组（伸缩组会销毁或重装关机的实例）",
        OptionalRead::LoadBalancers => "负载均衡",
        OptionalRead::RepairTasks => "腾讯云的维修任务",
        OptionalRead::ReleaseTimers => "定时销毁",
        OptionalRead::ResizeOptions => "实例可以调整到的规格",
        OptionalRead::TypeOffers => "可用区在售的规格",
        OptionalRead::ResizePrice => "调整配置的价格，以及云端是否会拒绝",
        OptionalRead::DowngradeQuota => "降配的剩余次数",
        OptionalRead::Caller => "凭证所属的账号",
    }
}

/// Names in a row.
pub(in crate::report) fn list(names: impl IntoIterator<Item = impl Display>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join("、")
}
