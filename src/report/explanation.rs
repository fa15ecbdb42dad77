//! What a code means, laid out for a person.

use super::language::Language;
use super::layout::{lines, paragraph, table, width};
use super::words::{Look, clean, style};

/// All that is told about one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code as it is printed elsewhere.
    pub code: String,
    /// What kind of code it is, e.g. "refusal of a plan".
    pub family: &'static str,
    /// What it means.
    pub means: String,
    /// What Pitstop does about it.
    pub does: String,
    /// What a person can do.
    pub mend: String,
}

/// One code, in full.
pub fn explanation(told: &Explanation, look: Look) -> String {
    let mut out = vec![look.paint(style::HEADING, &clean(&told.code))];
    let labels = match look.language {
        Language::English => ["kind     ", "meaning  ", "pitstop  ", "to do    "],
        Language::Chinese => ["类别      ", "含义      ", "pitstop   ", "处理建议  "],
    };
    for (label, text) in labels.into_iter().zip([told.family, &told.means, &told.does, &told.mend]) {
        out.extend(paragraph(2, label, text, look));
    }
    out.join("\n")
}

/// All codes of a family, one line each.
pub fn code_table(family: &str, all: &[&Explanation], look: Look) -> String {
    let mut out = vec![look.paint(style::HEADING, family)];
    if look.language == Language::Chinese {
        let column = all.iter().map(|told| width(&told.code)).max().unwrap_or_default();
        let line = |told: &&Explanation| {
            paragraph(1, &format!("{:column$}  ", clean(&told.code)), &told.means, look)
        };
        out.extend(all.iter().flat_map(line));
        return out.join("\n");
    }
    let mut table = table(look.columns());
    for told in all {
        table.add_row([format!(" {}", told.code), told.means.clone()]);
    }
    out.extend(lines(&table));
    out.join("\n")
}

/// All codes of a family, those together that mean the same.
pub fn code_groups(family: &str, all: &[&Explanation], look: Look) -> String {
    let mut out = vec![look.paint(style::HEADING, family)];
    for group in all.chunk_by(|one, next| one.means == next.means) {
        out.extend(group.first().into_iter().flat_map(|told| paragraph(2, "", &told.means, look)));
        let codes = group.iter().map(|told| told.code.as_str()).collect::<Vec<_>>().join(", ");
        out.extend(paragraph(4, "", &codes, look));
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, means: &str) -> Explanation {
        Explanation {
            code: code.into(),
            family: "refusal of a plan",
            means: means.into(),
            does: "stops nothing: the plan is refused (exit 4); with --skip-refused the others are run"
                .into(),
            mend: "choose another type, or try later".into(),
        }
    }

    #[test]
    fn codes_are_laid_out_for_narrow_and_wide_terminals() {
        let one = told("sold-out", "the type is sold out in the instance's zone");
        let two = told(
            "no-such-shape",
            "no type of the instance's family has this many cores and this much memory",
        );
        let same =
            told("ResourcesSoldOut.SpecifiedInstanceType", "the type is sold out in the instance's zone");
        for columns in [60, 80, 120] {
            let look = Look::plain(columns);
            let text = [
                explanation(&two, look),
                code_table("refusals of a plan", &[&one, &two], look),
                code_groups("error codes", &[&one, &same, &two], look),
            ]
            .join("\n\n");
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
            insta::assert_snapshot!(format!("codes_at_{columns}"), text);
        }
    }
}
