//! `pitstop explain`: what a code means, what Pitstop does about it, and what to do. No cloud is asked.
//!
//! The codes are not listed here: they come from the types that print them ([`codes`]) and from the client's own table
//! of the vendor's codes. A test holds that each has all its parts.

mod chinese;
mod chinese_vendor;
mod codes;
mod texts;
mod vendor;

use crate::cli::args::{self, Output};
use crate::cli::exit::{Ending, Error, Exit, Kind};
use crate::cli::terminal::Terminal;
use crate::report::{Explanation, Language, code_groups, code_table, explanation, json};

/// A kind of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Complaint,
    Refusal,
    Warning,
    Failure,
    Verdict,
    NotBegun,
    Exit,
    Vendor,
}

impl Family {
    const ALL: [Self; 8] = [
        Self::Complaint,
        Self::Refusal,
        Self::Warning,
        Self::Failure,
        Self::Verdict,
        Self::NotBegun,
        Self::Exit,
        Self::Vendor,
    ];

    /// One of them, and all of them, in Chinese.
    fn in_chinese(self) -> &'static str {
        match self {
            Self::Complaint => "工作流的问题",
            Self::Refusal => "计划被拒绝的原因",
            Self::Warning => "计划中的风险",
            Self::Failure => "实例失败的原因",
            Self::Verdict => "实例的结果",
            Self::NotBegun => "实例未开始的原因",
            Self::Exit => "退出码",
            Self::Vendor => "腾讯云错误码",
        }
    }

    /// One of them.
    fn one(self, language: Language) -> &'static str {
        match self {
            _ if language == Language::Chinese => self.in_chinese(),
            Self::Complaint => "complaint about a workflow",
            Self::Refusal => "refusal of a plan",
            Self::Warning => "warning of a plan",
            Self::Failure => "failure of an instance",
            Self::Verdict => "verdict on an instance",
            Self::NotBegun => "reason not to begin an instance",
            Self::Exit => "exit code",
            Self::Vendor => "error code of Tencent Cloud",
        }
    }

    /// All of them.
    fn many(self, language: Language) -> &'static str {
        match self {
            _ if language == Language::Chinese => self.in_chinese(),
            Self::Complaint => "complaints about a workflow",
            Self::Refusal => "refusals of a plan",
            Self::Warning => "warnings of a plan",
            Self::Failure => "failures of an instance",
            Self::Verdict => "verdicts on an instance",
            Self::NotBegun => "reasons not to begin an instance",
            Self::Exit => "exit codes",
            Self::Vendor => "error codes of Tencent Cloud",
        }
    }

    /// Its codes, as they are printed.
    fn codes(self) -> Vec<String> {
        match self {
            Self::Complaint => codes::of::<crate::workflow::Code>(),
            Self::Refusal => codes::of::<crate::plan::Refusal>(),
            Self::Warning => codes::of::<crate::plan::Warning>(),
            Self::Failure => codes::tagged::<crate::journal::Failure>("failure"),
            Self::Verdict => codes::tagged::<crate::journal::Verdict>("verdict"),
            Self::NotBegun => codes::of::<crate::journal::Halt>(),
            Self::Exit => Exit::ALL.iter().map(|exit| format!("exit-{}", exit.code())).collect(),
            Self::Vendor => crate::tencent::classify::codes().map(|(code, _)| code.to_owned()).collect(),
        }
    }

    /// What is told about one of its codes; the parts are empty if nothing is.
    fn explain(self, code: &str, language: Language) -> Explanation {
        let exit = || Exit::ALL.into_iter().find(|exit| code == format!("exit-{}", exit.code()));
        let text = match (self, language) {
            (Self::Complaint, Language::English) => texts::complaint(code),
            (Self::Complaint, Language::Chinese) => chinese::complaint(code),
            (Self::Refusal, Language::English) => texts::refusal(code),
            (Self::Refusal, Language::Chinese) => chinese::refusal(code),
            (Self::Warning, Language::English) => texts::warning(code),
            (Self::Warning, Language::Chinese) => chinese::warning(code),
            (Self::Failure, Language::English) => texts::failure(code),
            (Self::Failure, Language::Chinese) => chinese::failure(code),
            (Self::Verdict, Language::English) => texts::verdict(code),
            (Self::Verdict, Language::Chinese) => chinese::verdict(code),
            (Self::NotBegun, Language::English) => texts::not_begun(code),
            (Self::NotBegun, Language::Chinese) => chinese::not_begun(code),
            (Self::Exit, Language::English) => exit().map(texts::exit),
            (Self::Exit, Language::Chinese) => exit().map(chinese::exit),
            (Self::Vendor, _) => return vendor::explain(code, language),
        };
        let (means, does, mend) = text.unwrap_or_default();
        Explanation {
            code: code.to_owned(),
            family: self.one(language),
            means: means.to_owned(),
            does: does.to_owned(),
            mend: mend.to_owned(),
        }
    }
}

pub(in crate::cli) fn explain(terminal: &Terminal, args: &args::Explain) -> Result<Ending, Error> {
    // Programs are told in English, whoever started them.
    let language = match terminal.output() {
        Output::Json => Language::English,
        Output::Human => terminal.language(),
    };
    let Some(wanted) = &args.code else { return list(terminal, language) };
    let found = find(wanted, language);
    if found.is_empty() {
        return Err(unknown(wanted));
    }
    for (number, told) in found.iter().enumerate() {
        match terminal.output() {
            Output::Json => terminal.data(&line(told))?,
            Output::Human => {
                let gap = if number == 0 { "" } else { "\n" };
                terminal.data(&format!("{gap}{}", explanation(told, terminal.stdout_look())))?;
            }
        }
    }
    if let [told] = found.as_slice()
        && vendor::is_guess(told)
        && let near = near(&told.code)
        && !near.is_empty()
    {
        terminal.say(&match language {
            Language::English => format!("hint: did you mean {}?", near.join(" or ")),
            Language::Chinese => format!("建议：是否想查询 {}？", near.join(" 或 ")),
        });
    }
    Ok(Ending::Well)
}

/// All that go by this name, whatever its case; a vendor's code also without its class, or, if only its class is known,
/// by that.
fn find(wanted: &str, language: Language) -> Vec<Explanation> {
    let wanted = bare(wanted);
    let by = |fits: &dyn Fn(&str) -> bool| -> Vec<Explanation> {
        let of = |family: Family| family.codes().into_iter().map(move |code| (family, code));
        let all = Family::ALL.into_iter().flat_map(of);
        all.filter(|(_, code)| fits(code)).map(|(family, code)| family.explain(&code, language)).collect()
    };
    let number = format!("exit-{wanted}");
    let exact = by(&|code| code.eq_ignore_ascii_case(&wanted) || code == number);
    if !exact.is_empty() || wanted.is_empty() {
        return exact;
    }
    let last = by(&|code| code.split_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case(&wanted)));
    if !last.is_empty() {
        return last;
    }
    vendor::by_class(&wanted, language).into_iter().collect()
}

/// A code as it may have been copied: `error[unknown-key]:`, `code:InternalError`, `exit 8`.
fn bare(text: &str) -> String {
    let text = text.trim().trim_end_matches(':');
    let text = text.strip_prefix("error[").and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let text = text.strip_prefix("code:").unwrap_or(text);
    let text = text.strip_prefix("exit ").or_else(|| text.strip_prefix("exit-")).unwrap_or(text);
    text.trim().to_owned()
}

fn unknown(wanted: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("there is no code `{}`", crate::report::clean(wanted)));
    let error = match did_you_mean(&bare(wanted)) {
        Some(hint) => error.hint(hint),
        None => error,
    };
    error.hint("`pitstop explain` lists all codes")
}

fn near(wanted: &str) -> Vec<String> {
    codes::near(wanted, Family::ALL.into_iter().flat_map(Family::codes))
}

fn did_you_mean(wanted: &str) -> Option<String> {
    let near = near(wanted);
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

/// Every code there is.
fn list(terminal: &Terminal, language: Language) -> Result<Ending, Error> {
    let look = terminal.stdout_look();
    for (number, family) in Family::ALL.into_iter().enumerate() {
        let all: Vec<Explanation> =
            family.codes().iter().map(|code| family.explain(code, language)).collect();
        let all: Vec<&Explanation> = all.iter().collect();
        match (terminal.output(), family) {
            (Output::Json, _) => {
                for told in all {
                    terminal.data(&line(told))?;
                }
            }
            (Output::Human, Family::Vendor) => {
                terminal.data(&format!("\n{}", code_groups(family.many(language), &all, look)))?;
            }
            (Output::Human, _) => {
                let gap = if number == 0 { "" } else { "\n" };
                terminal.data(&format!("{gap}{}", code_table(family.many(language), &all, look)))?;
            }
        }
    }
    Ok(Ending::Well)
}

fn line(told: &Explanation) -> String {
    let Explanation { code, family, means, does, mend } = told;
    json::line(&serde_json::json!({
        "version": json::VERSION, "code": code, "family": family, "means": means, "does": does, "mend": mend,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tencent::classify;

    #[test]
    fn every_code_of_every_family_is_explained_in_all_its_parts() {
        for family in Family::ALL {
            let codes = family.codes();
            assert!(codes.len() > 3, "{family:?} has {codes:?}");
            for code in codes {
                let told = family.explain(&code, Language::English);
                for (part, text) in [("means", &told.means), ("does", &told.does), ("mend", &told.mend)] {
                    assert!(
                        text.len() > 3,
                        "{} {code}: nothing says what it {part}",
                        family.one(Language::English)
                    );
                    let named = text.starts_with("Windows");
                    assert!(named || !text.starts_with(char::is_uppercase), "{code}: {text}");
                    assert!(!text.ends_with('.'), "{code}: {text}");
                }
            }
        }
    }

    fn is_han(c: char) -> bool {
        matches!(c, '\u{4e00}'..='\u{9fff}')
    }

    #[test]
    fn every_code_of_every_family_is_explained_in_chinese() {
        let classes = classify::prefixes().map(|prefix| (Family::Vendor, format!("{prefix}.BrandNew")));
        let unknown = std::iter::once((Family::Vendor, "Brand.New".to_owned()));
        let known = Family::ALL.into_iter();
        let known = known.flat_map(|family| family.codes().into_iter().map(move |code| (family, code)));
        for (family, code) in known.chain(classes).chain(unknown) {
            let told = family.explain(&code, Language::Chinese);
            let parts = [told.family, &told.means, &told.does, &told.mend];
            for text in parts {
                let han = text.chars().filter(|c| is_han(*c)).count();
                assert!(han >= 2, "{family:?} {code}: {told:?}");
                let english = text.split(' ').filter(|word| ["the", "is", "of", "a", "and"].contains(word));
                assert_eq!(english.count(), 0, "{family:?} {code}: {text}");
                assert!(!text.ends_with(['。', '.', '；']) && !text.contains(", "), "{code}: {text}");
            }
        }
    }

    /// A sentence that reads as Chinese has its own signs, and a blank between Han characters and Latin ones.
    #[test]
    fn chinese_words_are_set_as_they_should_be() {
        let all = Family::ALL.into_iter();
        let all = all.flat_map(|family| family.codes().into_iter().map(move |code| (family, code)));
        for (family, code) in all {
            let told = family.explain(&code, Language::Chinese);
            for text in [&told.means, &told.does, &told.mend] {
                let touching = |(one, next): (char, char)| {
                    (is_han(one) && next.is_ascii_alphanumeric())
                        || (one.is_ascii_alphanumeric() && is_han(next))
                };
                let pairs = text.chars().zip(text.chars().skip(1));
                assert!(!pairs.into_iter().any(touching), "{code}: {text}");
            }
        }
    }

    #[test]
    fn the_codes_are_those_that_are_printed() {
        let refusal = serde_json::to_value(crate::plan::Refusal::OwnMachine).unwrap();
        assert!(Family::Refusal.codes().iter().any(|code| refusal == code.as_str()));
        let shape = r#"{"sold-out":{"to":"S5.LARGE8","zone":"z","reason":null}}"#;
        assert!(serde_json::from_str::<crate::plan::Refusal>(shape).is_ok());
        assert!(Family::Refusal.codes().contains(&"sold-out".to_owned()));
        assert!(Family::Failure.codes().contains(&"timed-out".to_owned()));
        assert!(Family::Verdict.codes().contains(&"stranded".to_owned()));
        let complaints = Family::Complaint.codes();
        assert!(complaints.iter().any(|code| code == crate::workflow::Code::UnknownKey.as_str()));
    }

    #[test]
    fn a_code_is_found_as_people_copy_it() {
        let table = [
            ("sold-out", "sold-out"),
            ("SOLD-OUT", "sold-out"),
            ("error[unknown-key]:", "unknown-key"),
            ("8", "exit-8"),
            ("exit 8", "exit-8"),
            ("exit-8", "exit-8"),
            ("InternalError", "InternalError"),
            ("code:UnsupportedOperation.InstanceStateStopped", "UnsupportedOperation.InstanceStateStopped"),
            ("InstanceStateStopped", "UnsupportedOperation.InstanceStateStopped"),
            ("ResourceInsufficient.BrandNew", "ResourceInsufficient.BrandNew"),
        ];
        for (wanted, code) in table {
            let found = find(wanted, Language::English);
            assert!(found.iter().any(|told| told.code == code), "{wanted}: {found:?}");
        }
        for none in ["", "9", "exit-9", "sold", "Brand.New"] {
            assert_eq!(find(none, Language::English), [], "{none}");
        }
        let near = unknown("sold-uot").hints;
        assert!(near[0].contains("sold-out"), "{near:?}");
        let near = unknown("unknwon-kye").hints;
        assert!(near[0].contains("unknown-key"), "{near:?}");
    }
}
