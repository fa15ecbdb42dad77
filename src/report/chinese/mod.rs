//! The Chinese words, beside the English ones that stand with the types and in the modules of this folder's parent.
//!
//! Whole sentences are built from the data: the order of words differs, and there is no plural. Every match names all
//! variants, so that a new one does not compile without its words. Codes, keys, commands and what the vendor says are
//! shown as they are. The terms are those of the vendor's Chinese console and documents.

pub(super) mod asking;
pub(super) mod board;
pub(super) mod failure;
pub(super) mod lines;
pub(super) mod plan;
pub(super) mod refusal;
pub(super) mod verdict;
pub(super) mod warning;

use std::time::Duration;

use crate::cloud::{Action, PowerState};

/// A duration: `8秒`, `1分07秒`, `2小时05分`. Its parts stand together, so that no line breaks in it.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}秒"),
        (0, minutes, seconds) => format!("{minutes}分{seconds:02}秒"),
        (hours, minutes, _) => format!("{hours}小时{minutes:02}分"),
    }
}

/// A duration to the tenth of a second.
pub(super) fn exact(duration: Duration) -> String {
    if duration < Duration::from_mins(1) {
        format!("{:.1}秒", duration.as_secs_f64())
    } else {
        span(duration)
    }
}

/// The console's name of an operation.
pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Stop => "关机",
        Action::Start => "开机",
        Action::Resize => "调整配置",
        Action::ResetPassword => "重置密码",
        Action::LoadSshKeys => "绑定密钥",
    }
}

/// Operations in a row.
pub(super) fn actions<'a>(all: impl IntoIterator<Item = &'a Action>) -> String {
    all.into_iter().map(|own| action(*own)).collect::<Vec<_>>().join("、")
}

/// The console's name of a power state; a state that this version does not know as it came.
pub(super) fn power(power: &PowerState) -> &str {
    match power {
        PowerState::Pending => "创建中",
        PowerState::LaunchFailed => "创建失败",
        PowerState::Running => "运行中",
        PowerState::Stopping => "关机中",
        PowerState::Stopped => "已关机",
        PowerState::Starting => "开机中",
        PowerState::Rebooting => "重启中",
        PowerState::Shutdown => "待回收",
        PowerState::Terminating => "销毁中",
        PowerState::EnterRescueMode => "进入救援模式中",
        PowerState::RescueMode => "救援模式",
        PowerState::ExitRescueMode => "退出救援模式中",
        PowerState::EnterServiceLiveMigrate => "进入在线服务迁移",
        PowerState::ServiceLiveMigrate => "在线服务迁移中",
        PowerState::ExitServiceLiveMigrate => "退出在线服务迁移",
        PowerState::Other(word) => word,
    }
}

/// Whether a character is Han or one of the full-width signs: no blank stands between two of them.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// What is said of somebody, with a colon. Names may be Latin, so there is no blank to add.
pub(super) fn of(whom: &str, words: &str) -> String {
    format!("{whom}：{words}")
}

/// A number or a name put into a sentence stands apart from Han characters, not from signs.
pub(super) fn after_blank(text: &str) -> String {
    let apart = text.chars().next().is_some_and(|first| !is_wide(first));
    if apart { format!(" {text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_chinese() {
        let table = [(0, "0秒"), (67, "1分07秒"), (3600, "1小时00分"), (7510, "2小时05分")];
        for (seconds, words) in table {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
        assert_eq!(exact(Duration::from_millis(8340)), "8.3秒");
    }

    #[test]
    fn every_power_state_that_is_known_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = PowerState::KNOWN.iter().map(power).collect();
        assert_eq!(names.len(), PowerState::KNOWN.len());
        assert_eq!(power(&PowerState::from("BRAND_NEW".to_owned())), "BRAND_NEW");
    }
}
