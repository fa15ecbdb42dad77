//! What a look at the surroundings found, one line for each thing.

use std::fmt;

use serde::Serialize;

use super::layout::paragraph;
use super::words::{Look, style};

/// How good or bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// A run can be made, and somebody should know this.
    Warn,
    /// A run can't begin.
    Fail,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    #[serde(rename = "finding")]
    pub what: &'static str,
    /// How it is.
    pub level: Level,
    /// What was found; never a secret.
    pub found: String,
    /// How to mend it.
    pub mend: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, level: Level::Ok, found: found.into(), mend: None }
    }

    /// A run can be made, and somebody should know this.
    pub fn warn(what: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, level: Level::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    /// A run can't begin.
    pub fn fail(what: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Fail, ..Self::warn(what, found, mend) }
    }
}

/// The columns before what was found.
const LEAD: usize = 19;

/// A finding as lines of text.
pub fn finding(finding: &Finding, look: Look) -> String {
    let mark = format!("{:<5} {:<13}", finding.level, finding.what);
    let mut out = Vec::new();
    for (number, line) in finding.found.lines().enumerate() {
        out.extend(match line.strip_prefix("- ") {
            _ if number == 0 => paragraph(0, &mark, line, look),
            Some(item) => paragraph(LEAD, "- ", item, look),
            None => paragraph(LEAD, "", line, look),
        });
    }
    if let Some(mend) = &finding.mend {
        out.extend(paragraph(LEAD, "to mend: ", mend, look));
    }
    let paint = match finding.level {
        Level::Ok => style::GOOD,
        Level::Warn => style::RISK,
        Level::Fail => style::BAD,
    };
    let word = finding.level.to_string();
    if let Some(first) = out.first_mut() {
        *first = first.replacen(&word, &look.paint(paint, &word), 1);
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_laid_out_for_narrow_and_wide_terminals() {
        let all = [
            Finding::ok("version", "pitstop 0.1.0 on linux x86_64, journal format 2"),
            Finding::warn(
                "clock",
                "2h 00m ahead of the cloud's",
                "set this machine's clock, e.g. with `timedatectl set-ntp true`",
            ),
            Finding::fail(
                "credentials",
                "none; looked at\n- the file /home/ops/.tencentcloud/credentials: not there\n- a CVM role: none is bound to this machine",
                "run `tccli configure`",
            ),
        ];
        for columns in [60, 80, 120] {
            let text: Vec<String> = all.iter().map(|one| finding(one, Look::plain(columns))).collect();
            let text = text.join("\n");
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
            insta::assert_snapshot!(format!("findings_at_{columns}"), text);
        }
        let coloured = finding(&all[2], Look { colour: true, ..Look::plain(80) });
        assert!(coloured.contains("\u{1b}[") && coloured.contains("fail"), "{coloured}");
    }
}
