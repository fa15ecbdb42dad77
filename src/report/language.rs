//! The language that a person is spoken to in. What programs read is the same in every language: JSON, the journal,
//! logs, codes, keys, the names of commands and events.

use std::str::FromStr;

/// The language of the plan, the questions, the board, the verdicts and the explanations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese in simplified characters.
    Chinese,
}

/// A name that is no language of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is English (en) and simplified Chinese (zh-CN)")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// `en`, `zh-CN`, and the forms that locales have: `zh_CN.UTF-8`, `zh-Hans`, `en_GB`.
    fn from_str(name: &str) -> Result<Self, UnknownLanguage> {
        let name = name.split(['.', '@']).next().unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        let mut parts = name.split('-');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("en"), ..) => Ok(Self::English),
            (Some("zh"), None | Some("cn" | "sg" | "hans"), _) => Ok(Self::Chinese),
            _ => Err(UnknownLanguage),
        }
    }
}

impl Language {
    /// The one of two that is in this language.
    pub fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    /// Of a person with this locale. Traditional characters are not ours to write, so `zh-TW` and `zh-HK` get English,
    /// like every other language that there is none of.
    pub fn of_locale(locale: Option<&str>) -> Self {
        locale.and_then(|locale| locale.parse().ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_known_by_the_names_that_locales_have() {
        for name in ["zh", "zh-CN", "zh_CN", "zh_CN.UTF-8", "zh-Hans", "zh-Hans-CN", "ZH_cn.utf8", "zh_SG"] {
            assert_eq!(name.parse(), Ok(Language::Chinese), "{name}");
        }
        for name in ["en", "en_GB.UTF-8", "en-US"] {
            assert_eq!(name.parse(), Ok(Language::English), "{name}");
        }
        for name in ["", "C", "POSIX", "C.UTF-8", "zh_TW.UTF-8", "zh-HK", "zh-Hant", "zh-Hant-CN", "de_DE"] {
            assert_eq!(name.parse::<Language>(), Err(UnknownLanguage), "{name}");
            assert_eq!(Language::of_locale(Some(name)), Language::English, "{name}");
        }
        assert_eq!(Language::of_locale(None), Language::English);
        assert_eq!(Language::of_locale(Some("zh_CN.UTF-8")), Language::Chinese);
    }
}
