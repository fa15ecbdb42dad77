//! What was seen on an instance. The journal keeps it as an English sentence; the sentences that are known are said in
//! Chinese, others as they are.

use super::power;
use crate::cloud::PowerState;

/// What has changed on an instance, one thing or several.
pub(in crate::report) fn changes(what: &str) -> String {
    // A change of a set holds a semicolon of its own.
    let mut whole: Vec<String> = Vec::new();
    for part in what.split("; ") {
        match whole.last_mut() {
            Some(last) if part.starts_with("new ") => *last = format!("{last}; {part}"),
            _ => whole.push(part.to_owned()),
        }
    }
    whole.iter().map(|one| change(one)).collect::<Vec<_>>().join("；")
}

/// One thing that has changed.
pub(in crate::report) fn change(what: &str) -> String {
    known(what).unwrap_or_else(|| what.to_owned())
}

fn known(what: &str) -> Option<String> {
    if what == "it was stopped without charge" {
        return Some("已以关机不收费方式关机".to_owned());
    }
    if let Some(how) = what.strip_prefix("it is restricted: ") {
        return Some(format!("处于受限状态：{how}"));
    }
    if let Some(how) = what.strip_prefix("it is isolated: ") {
        return Some(format!("已被隔离：{how}"));
    }
    if let Some(system) = what.strip_prefix("its system was reinstalled as ") {
        return Some(format!("系统已重装为 {system}"));
    }
    if let Some(operation) = what.strip_suffix(" is in progress on it") {
        return Some(format!("正在进行操作：{operation}"));
    }
    if let Some((set, change)) = what.strip_prefix("its ").and_then(|rest| rest.split_once(" changed: ")) {
        return set_change(set, change);
    }
    if let Some(types) = what.strip_prefix("its type is ") {
        let (is, wanted) = types.strip_suffix(" was expected")?.split_once("; ")?;
        return Some(format!("规格为 {}，应为 {}", shape(is)?, shape(wanted)?));
    }
    let (thing, (before, now)) = was_and_is(what)?;
    match thing {
        "it" => {
            let [before, now] = [before, now].map(|state| PowerState::from(state.to_owned()));
            Some(format!("状态由“{}”变为“{}”", power(&before), power(&now)))
        }
        "its type" => Some(format!("规格由 {before} 变为 {now}")),
        "its zone" => Some(format!("可用区由 {before} 变为 {now}")),
        _ => None,
    }
}

/// `S5.LARGE8 with 4 cores and 8 GiB`.
fn shape(words: &str) -> Option<String> {
    let (kind, rest) = words.split_once(" with ")?;
    let (cores, memory) = rest.split_once(" cores and ")?;
    Some(format!("{kind}（{cores} 核 {memory}）"))
}

/// `its type was A and is B`.
fn was_and_is(what: &str) -> Option<(&str, (&str, &str))> {
    let (thing, rest) = what.split_once(" was ")?;
    Some((thing, rest.split_once(" and is ")?))
}

fn set_change(set: &str, change: &str) -> Option<String> {
    let set = match set {
        "SSH keys" => "密钥",
        "private addresses" => "内网 IP ",
        "public addresses" => "公网 IP ",
        "disks" => "云硬盘",
        "security groups" => "安全组",
        _ => return None,
    };
    let parts = change.split("; ").map(|part| {
        let list = |all: &str| all.replace(", ", "、");
        let gone = part.strip_prefix("gone ").map(|gone| format!("减少 {}", list(gone)));
        gone.or_else(|| part.strip_prefix("new ").map(|new| format!("增加 {}", list(new))))
    });
    let parts: Option<Vec<String>> = parts.collect();
    Some(format!("{set}有变化：{}", parts?.join("，")))
}

/// What somebody else did.
pub(in crate::report) fn interference(what: &str) -> String {
    if let Some(operation) = what.strip_prefix("it runs in the middle of the maintenance, after ") {
        return format!("维护期间实例在运行，此前的操作是 {operation}");
    }
    match what {
        "it runs in the middle of the maintenance, though pitstop did not start it" => {
            "维护期间实例在运行，但不是由 pitstop 开机".to_owned()
        }
        other => other.to_owned(),
    }
}

/// What a check saw.
pub(in crate::report) fn check(message: &str) -> String {
    let refused = || {
        let (place, rest) = message.split_once(" did not accept within ")?;
        let (host, port) = place.split_once(" port ")?;
        let (seconds, problem) = rest.split_once(" s: ")?;
        Some(format!("{host} 的端口 {port} 在 {seconds}秒 内未接受连接：{problem}"))
    };
    let lacking = || match message {
        "it has no private-ip" => Some("实例没有内网 IP".to_owned()),
        "it has no public-ip" => Some("实例没有公网 IP".to_owned()),
        _ => None,
    };
    refused().or_else(lacking).unwrap_or_else(|| message.to_owned())
}

/// What should have been seen after an operation.
pub(in crate::report) fn expected(what: &str) -> String {
    if let Some(kind) = what.strip_prefix("the type ") {
        return format!("规格 {kind}");
    }
    if let Some(keys) = what.strip_prefix("the keys ") {
        return format!("密钥 {}", keys.replace(", ", "、"));
    }
    match what {
        "the end of the operation" => "操作结束".to_owned(),
        state => power(&PowerState::from(state.to_owned())).to_owned(),
    }
}
