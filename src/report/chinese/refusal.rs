//! Why an instance can't be stopped or changed.

use super::power;
use crate::cloud::password::Weakness;
use crate::cloud::{ErrorKind, PowerState};
use crate::plan::Refusal;

/// The refusal as a sentence about an instance that was named before.
pub(in crate::report) fn words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound => "该地域下没有这个实例".to_owned(),
        Refusal::Power(state) => format!("实例状态为“{}”，必须是运行中或已关机", power(state)),
        Refusal::Restricted(how) => format!("实例处于受限状态：{how}"),
        Refusal::Isolated(how) => format!("实例已被隔离：{how}"),
        Refusal::StoppedWithoutCharge => {
            "实例以“关机不收费”（STOP_CHARGING）方式关机，除开机外不接受任何操作".to_owned()
        }
        Refusal::ChargingStops => {
            "以“关机不收费”（`stop.charging: stop`）方式关机后，实例不接受任何更改".to_owned()
        }
        Refusal::Operating { action, state } => format!("实例上有操作正在进行：{action}（{state}）"),
        Refusal::LocalDisk(kind) => format!("实例带有本地盘（{kind}），不能调整配置"),
        Refusal::DedicatedHost(host) => format!("实例位于专用宿主机 {host} 上，不能调整配置"),
        Refusal::Spot => "竞价实例不能调整配置".to_owned(),
        Refusal::TypeNotOffered { to, reason, near } => {
            format!("不能调整为 {to}{}{}", because(reason.as_deref()), did_you_mean(near.as_ref()))
        }
        Refusal::GpuFamily { from, to } => {
            format!("带 GPU 的实例不能从 {from} 调整为 {to}：两者属于不同的实例族")
        }
        Refusal::NoSuchShape { family, cpu, memory_gib, near } => {
            let near =
                if near.is_empty() { String::new() } else { format!("，可选：{}", near.join("、")) };
            format!("实例族 {family} 没有 {cpu} 核 {memory_gib} GiB 的规格{near}")
        }
        Refusal::SoldOut { to, zone, reason } => {
            format!("{to} 在可用区 {zone} 已售罄{}", because(reason.as_deref()))
        }
        Refusal::DowngradeQuota { used, limit } => format!("降配次数已用 {used} 次，上限 {limit} 次"),
        Refusal::TooManyPublicIps { has, to, carries } => {
            format!("实例有 {has} 个公网 IP，而 {to} 最多支持 {carries} 个")
        }
        Refusal::ResizeRefused { message, .. } => format!("云端拒绝调整配置：{message}"),
        Refusal::WindowsTakesNoKeys => "Windows 实例不支持绑定密钥对".to_owned(),
        Refusal::KeyNotFound { wanted, near } => {
            format!("账号下没有密钥对 {wanted}{}", did_you_mean(near.as_ref()))
        }
        Refusal::Password(weakness) => format!("新密码不符合要求：{}", weakness_words(*weakness)),
        Refusal::ScalingGroup { group, name } => {
            format!("实例属于伸缩组 {name}（{group}），关机后伸缩组会替换或重装它")
        }
        Refusal::RepairTask(task) => format!("实例上有腾讯云的维修任务：{task}"),
        Refusal::ReleaseTimer => "实例已设置定时销毁".to_owned(),
        Refusal::OwnMachine => "pitstop 自身运行在这台实例上，关机后无法再把它开机".to_owned(),
    }
}

/// What a person can do about it.
pub(in crate::report) fn hint(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotFound => "请核对实例 ID、地域和账号",
        Refusal::Power(state) if state.is_passing() => "等实例变为运行中或已关机后，重新生成计划",
        Refusal::Power(PowerState::Shutdown) => "实例在回收站中：请在控制台恢复，或将它移出工作流",
        Refusal::Power(_) => "请在控制台查看，或将它移出工作流",
        Refusal::Restricted(_) => "请先在控制台解除限制（续费、安全处置）",
        Refusal::Isolated(_) => "请先在控制台续费或结清欠费",
        Refusal::StoppedWithoutCharge => "先将实例开机，之后即可关机并更改",
        Refusal::ChargingStops => "删除 `charging: stop`，或用另一个不含更改的工作流来关机",
        Refusal::Operating { .. } => "等该操作结束后，重新生成计划",
        Refusal::LocalDisk(_) | Refusal::DedicatedHost(_) | Refusal::Spot => {
            "将它移出本次调整配置，或新建一台所需规格的实例"
        }
        Refusal::TypeNotOffered { .. } => "请选择这台实例可以调整到的规格",
        Refusal::GpuFamily { .. } => "请选择同一实例族的规格",
        Refusal::NoSuchShape { .. } => "请从现有规格中选择，或直接写明实例规格",
        Refusal::SoldOut { .. } => "请选择其他规格，或稍后再试",
        Refusal::DowngradeQuota { .. } => "包年包月实例的降配次数有限：请更改计费模式，或保持现有规格",
        Refusal::TooManyPublicIps { .. } => "请先解绑公网 IP，或选择核数更多的规格",
        Refusal::ResizeRefused { kind, .. } => match kind {
            ErrorKind::Money => "请检查账户余额、未支付订单和支付权限",
            ErrorKind::Operator => "请先处理上面指出的问题，再重新生成计划",
            ErrorKind::Throttled
            | ErrorKind::Server
            | ErrorKind::Network
            | ErrorKind::Busy
            | ErrorKind::Power
            | ErrorKind::State
            | ErrorKind::Identity
            | ErrorKind::Argument
            | ErrorKind::Never
            | ErrorKind::Capacity
            | ErrorKind::Auth => "请选择其他规格，或将它移出本次调整配置",
        },
        Refusal::WindowsTakesNoKeys => "将它移出绑定密钥，或改为设置密码",
        Refusal::KeyNotFound { .. } => "请核对密钥对的 ID 或名称，以及地域",
        Refusal::Password(_) => "请换一个符合规则的密码，或让 pitstop 生成",
        Refusal::ScalingGroup { .. } => "请先在伸缩组中将它设为备用状态（或暂时移出伸缩组）",
        Refusal::RepairTask(_) => "请等维修结束，或先在控制台授权维修",
        Refusal::ReleaseTimer => "如需保留实例，请取消定时销毁；否则将它移出工作流",
        Refusal::OwnMachine => "请在另一台机器上运行 pitstop",
    }
}

fn weakness_words(weakness: Weakness) -> String {
    match weakness {
        Weakness::Length { found, shortest } => {
            format!("长度为 {found} 个字符，应为 {shortest} 至 {} 个", crate::cloud::password::LONGEST)
        }
        Weakness::LeadingSlash => "不能以 `/` 开头".to_owned(),
        Weakness::Character => "含有不允许的字符；允许字母、数字和 ()`~!@#$%^&*-+=_|{}[]:;'<>,.?/".to_owned(),
        Weakness::Classes { found } => {
            format!("只包含 a-z、A-Z、0-9、特殊字符中的 {found} 类，至少需要 3 类")
        }
        Weakness::HoldsUser => "不能包含用户名".to_owned(),
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!("：{reason}")).unwrap_or_default()
}

fn did_you_mean(near: Option<&impl std::fmt::Display>) -> String {
    near.map(|near| format!("；是否想用 {near}？")).unwrap_or_default()
}
