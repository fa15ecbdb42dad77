//! The vendor's codes: what each means stands in the client's table, and what is done about it follows from its kind.

use super::{Family, chinese_vendor};
use crate::cloud::ErrorKind;
use crate::report::{Explanation, Language, hint_of};
use crate::tencent::classify;

/// What is known of this code.
pub(super) fn explain(code: &str, language: Language) -> Explanation {
    let told = classify::explain(code);
    if language == Language::Chinese {
        return in_chinese(code, &told);
    }
    let means = if told.known {
        told.words.to_owned()
    } else {
        format!("{} (judged by its beginning: this version does not know the code itself)", told.words)
    };
    Explanation {
        code: code.to_owned(),
        family: Family::Vendor.one(language),
        means,
        does: remedy(code).unwrap_or_else(|| does(told.kind)).to_owned(),
        mend: mend(&told),
    }
}

fn in_chinese(code: &str, told: &classify::Explanation) -> Explanation {
    let (means, mend) = chinese_vendor::meaning(told.words);
    let (means, mend) = if told.known {
        (means.to_owned(), mend)
    } else {
        (
            format!("{means}（根据开头部分判断：当前版本不认识这个错误码）"),
            hint_of(told.kind, Language::Chinese),
        )
    };
    Explanation {
        code: code.to_owned(),
        family: Family::Vendor.one(Language::Chinese),
        means,
        does: chinese_vendor::remedy(code).unwrap_or_else(|| chinese_vendor::does(told.kind)).to_owned(),
        mend: format!("{mend}{}", chinese_vendor::doctor(told.kind)),
    }
}

fn mend(told: &classify::Explanation) -> String {
    match told.kind {
        ErrorKind::Auth => {
            format!("{}; pitstop doctor looks at credentials, clock and permissions", told.mend)
        }
        ErrorKind::Identity => format!("{}; pitstop doctor tells the account", told.mend),
        _ => told.mend.to_owned(),
    }
}

/// A code that looks like the vendor's, and of which at least the class is known.
pub(super) fn by_class(code: &str, language: Language) -> Option<Explanation> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let looks_like_one = code.starts_with(|c: char| c.is_ascii_uppercase()) && code.chars().all(word);
    let class = code.split('.').next().unwrap_or(code);
    let known =
        classify::prefixes().any(|prefix| class.starts_with(prefix.split('.').next().unwrap_or(prefix)));
    (looks_like_one && known).then(|| explain(code, language))
}

/// The code itself is not known.
pub(super) fn is_guess(told: &Explanation) -> bool {
    let vendor = [Language::English, Language::Chinese].map(|language| Family::Vendor.one(language));
    vendor.contains(&told.family) && !classify::explain(&told.code).known
}

/// What mends the call itself, as the client tries once.
fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "AuthFailure.TokenFailure"
        | "AuthFailure.SecretIdNotFound"
        | "UnauthorizedOperation.InvalidToken" => {
            Some("looks for credentials again and sends the call once more; then it counts as refused")
        }
        "AuthFailure.SignatureExpire" => {
            Some("goes by the cloud's clock from then on, and sends the call once more")
        }
        _ => None,
    }
}

/// What the client and the engine do about such a failure.
fn does(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Throttled => "waits, and sends the call again; nothing of that action is sent meanwhile",
        ErrorKind::Server => {
            "repeats a call that only reads; after one that changes something it looks at the instance first, and sends \
             it again only if it left no trace"
        }
        ErrorKind::Network => {
            "repeats a call that only reads, or that was surely not sent; else it looks at the instance first"
        }
        ErrorKind::Busy => "looks at the instance, and sends the call again once the operation has ended",
        ErrorKind::Power => "looks at the instance and decides anew, since the goal may be reached already",
        ErrorKind::Capacity => {
            "refuses the plan if it is known before; in a run it brings the instance back with the type that it has"
        }
        ErrorKind::Auth => {
            "in a plan it notes the check that it can't make, or refuses; in a run it gives the change up, and tries for \
             minutes to bring the instance back"
        }
        ErrorKind::State | ErrorKind::Operator | ErrorKind::Money => {
            "does not repeat the call: it gives the change up, tries for minutes to bring the instance back, and counts it \
             as failed"
        }
        ErrorKind::Identity | ErrorKind::Argument | ErrorKind::Never => {
            "does not repeat the call: it gives the change up, brings the instance back with what it has, and counts it as \
             failed"
        }
    }
}
