//! The vendor's rule for login passwords (CVM API, ResetInstancesPassword; its rule differs from RunInstances').

/// The special characters that count as a class of their own, and the only ones allowed.
pub const SPECIALS: &str = "()`~!@#$%^&*-+=_|{}[]:;'<>,.?/";

/// Which operating system's rule holds; a mixed batch follows Windows'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// 8 to 30 characters.
    Linux,
    /// 12 to 30 characters, without the user's name.
    Windows,
}

impl Rule {
    /// The shortest password allowed.
    pub fn shortest(self) -> usize {
        match self {
            Self::Linux => 8,
            Self::Windows => 12,
        }
    }
}

/// The longest password allowed, by either rule.
pub const LONGEST: usize = 30;

/// Why a password is refused. It never holds any part of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Too short or too long.
    #[error("it has {found} characters; it must have {shortest} to {LONGEST}")]
    Length {
        /// How many it has.
        found: usize,
        /// The fewest allowed.
        shortest: usize,
    },
    /// It begins with a slash.
    #[error("it must not begin with `/`")]
    LeadingSlash,
    /// It has a character outside the four classes.
    #[error(
        "it has a character that is not allowed; letters, digits and ()`~!@#$%^&*-+=_|{{}}[]:;'<>,.?/ are"
    )]
    Character,
    /// It has too few classes.
    #[error("it has {found} of the classes a-z, A-Z, 0-9 and special characters; it must have at least 3")]
    Classes {
        /// How many it has.
        found: usize,
    },
    /// It holds the user's name.
    #[error("it must not contain the user's name")]
    HoldsUser,
}

/// Checks `password` for `user` against the rule.
pub fn check(password: &str, user: &str, rule: Rule) -> Result<(), Weakness> {
    let found = password.chars().count();
    let shortest = rule.shortest();
    if !(shortest..=LONGEST).contains(&found) {
        return Err(Weakness::Length { found, shortest });
    }
    if password.starts_with('/') {
        return Err(Weakness::LeadingSlash);
    }
    let classes: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| SPECIALS.contains(c),
    ];
    if !password.chars().all(|c| classes.iter().any(|class| class(c))) {
        return Err(Weakness::Character);
    }
    let found = classes.iter().filter(|class| password.chars().any(**class)).count();
    if found < 3 {
        return Err(Weakness::Classes { found });
    }
    if rule == Rule::Windows
        && !user.is_empty()
        && password.to_ascii_lowercase().contains(&user.to_ascii_lowercase())
    {
        return Err(Weakness::HoldsUser);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_vendors_rule() {
        use Rule::{Linux, Windows};
        let table = [
            ("Abcdef12", "root", Linux, Ok(())),
            ("Abcdef1", "root", Linux, Err(Weakness::Length { found: 7, shortest: 8 })),
            ("Abcdef12", "Administrator", Windows, Err(Weakness::Length { found: 8, shortest: 12 })),
            ("/Abcdef12", "root", Linux, Err(Weakness::LeadingSlash)),
            ("Abc def12", "root", Linux, Err(Weakness::Character)),
            ("Abcdéf12", "root", Linux, Err(Weakness::Character)),
            ("abcdef12", "root", Linux, Err(Weakness::Classes { found: 2 })),
            ("abcdef1_", "root", Linux, Ok(())),
            ("Admin12admin", "admin", Windows, Err(Weakness::HoldsUser)),
            ("Admin12admin", "admin", Linux, Ok(())),
            (
                "A1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "root",
                Linux,
                Err(Weakness::Length { found: 32, shortest: 8 }),
            ),
        ];
        for (password, user, rule, expected) in table {
            assert_eq!(check(password, user, rule), expected, "{password} for {user} by {rule:?}");
        }
    }
}
