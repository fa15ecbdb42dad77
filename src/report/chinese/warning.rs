//! What a person should know before approving.

use super::refusal;
use crate::cloud::KeyId;
use crate::plan::Warning;

/// The warning as a sentence about instances that were named before.
pub(in crate::report) fn words(warning: &Warning) -> String {
    match warning {
        Warning::LoadBalancer { id, listener, health_check } => {
            let effect = match health_check {
                Some(true) => "健康检查需要一段时间才能发现实例已关机",
                Some(false) => "该监听器没有健康检查，关机期间客户端可能收到错误（502）",
                None => "无法得知是否有健康检查，客户端可能收到错误（502）",
            };
            format!("负载均衡 {id}（{listener}）正在向它转发请求；{effect}")
        }
        Warning::KeysDropped(keys) => {
            let keys = keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join("、");
            format!("现在绑定的密钥将失效：{keys}")
        }
        Warning::PasswordLoginOff => "绑定密钥后，密码登录将被禁用".to_owned(),
        Warning::PasswordLoginOn => "虽然已绑定密钥，重置密码会重新开启密码登录".to_owned(),
        Warning::LowStock(kind) => format!("{kind} 库存不多，到调整配置时可能已售罄"),
        Warning::OtherFamily { from, to } => {
            format!("{from} 与 {to} 属于不同的实例族：处理器和网络可能不同")
        }
        Warning::Prepaid => "包年包月实例：升配立即扣费，降配只退还部分费用".to_owned(),
        Warning::ScalingNotChecked => {
            "无法检查它是否属于伸缩组：若属于，关机后会被伸缩组销毁或重装".to_owned()
        }
        Warning::StopsCharging => {
            "关机不收费会释放 CPU、内存和普通公网 IP，下次开机可能因资源不足而失败".to_owned()
        }
        Warning::HardStop => "将直接断电，内存中的数据可能丢失".to_owned(),
        Warning::MayHardStop => "如果操作系统 5 分钟内没有关机，将直接断电".to_owned(),
        Warning::PassedOver { to, why } => format!("跳过首选规格 {to}：{}", refusal::words(why)),
        Warning::NotRolledBack(what) => {
            let what: Vec<_> = what.iter().map(|what| rolled_back_part(what)).collect();
            format!("回滚只恢复原来的规格，不恢复{}", what.join("和"))
        }
        Warning::WillStart => "实例现在已关机，完成后将会开机".to_owned(),
        Warning::StaysStopped => "实例现在运行中，完成后将保持关机".to_owned(),
    }
}

/// The plan names the parts in English.
fn rolled_back_part(what: &str) -> &str {
    match what {
        "the former password" => "原来的密码",
        "the SSH keys bound before" => "之前绑定的密钥",
        other => other,
    }
}

/// What a person can do about it.
pub(in crate::report) fn hint(warning: &Warning) -> &'static str {
    match warning {
        Warning::LoadBalancer { health_check: Some(true), .. } => "执行前请将它的权重设为 0，等现有连接结束",
        Warning::LoadBalancer { .. } => "执行前请将它的权重设为 0，或为监听器开启健康检查",
        Warning::KeysDropped(_) => "如需保留，请加上 `keep-existing: true`",
        Warning::PasswordLoginOff => "请确认有人持有对应的私钥",
        Warning::PasswordLoginOn => "如果只允许密钥登录，请去掉重置密码",
        Warning::LowStock(_) => "请尽快执行，或选择其他规格",
        Warning::OtherFamily { .. } => "请确认操作系统和软件许可能在新的处理器上运行",
        Warning::Prepaid => "请确认账户余额足够",
        Warning::ScalingNotChecked => "请授予 as:DescribeAutoScalingInstances 权限，或确认它不属于任何伸缩组",
        Warning::StopsCharging => "请删除 `charging: stop`，或先绑定弹性公网 IP",
        Warning::HardStop => "除非操作系统已无响应，请使用 `mode: soft`",
        Warning::MayHardStop => "如果绝不能断电，请使用 `mode: soft`",
        Warning::PassedOver { why, .. } => refusal::hint(why),
        Warning::NotRolledBack(_) => "请保管好原来的密码和密钥，或在单独的执行中做这些更改",
        Warning::WillStart => "如需保持关机，请使用 `start: as-found`",
        Warning::StaysStopped => "如需恢复运行，请使用 `start: as-found`",
    }
}
