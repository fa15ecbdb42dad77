//! What every part of the language is read with: keys, scalars and the complaints about them.
//!
//! A function that reads something gives `None` after it has complained, and also where a value is not known yet.
//! So reading goes on to the end of the file, and all complaints come at once.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::diagnostic::{Code, Diagnostic, SHOWN, Span, nearest, one_of, quoted};
use super::params::{Expanded, Values, names_an_instance};
use super::tree::{Data, Entry, Node};
use super::{secret, value};

/// Reads a file that the workflow names.
pub(super) type Files<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// One reading of a workflow.
pub(super) struct Reader<'a> {
    values: Values<'a>,
    files: Option<Files<'a>>,
    secrets: &'a [Span],
    sources: &'a [Span],
    pub(super) complaints: Vec<Diagnostic>,
}

/// A mapping whose keys are all known.
#[derive(Clone, Copy)]
pub(super) struct Fields<'t> {
    pub(super) node: &'t Node,
    what: &'static str,
    keys: &'static [&'static str],
}

/// Why a text is not what its place needs.
pub(super) struct Unfit {
    pub(super) why: String,
    pub(super) help: String,
    /// The text that was probably meant.
    pub(super) meant: Option<String>,
}

impl Unfit {
    pub(super) fn new(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self { why: why.into(), help: help.into(), meant: None }
    }

    pub(super) fn meaning(mut self, meant: impl Into<String>) -> Self {
        self.meant = Some(meant.into());
        self
    }
}

fn overlap(places: &[Span], place: &Span) -> bool {
    places.iter().any(|span| span.start < place.end && place.start < span.end)
}

impl<'a> Reader<'a> {
    pub(super) fn new(values: Values<'a>, files: Option<Files<'a>>) -> Self {
        Self { values, files, secrets: &[], sources: &[], complaints: Vec::new() }
    }

    /// Keeps quiet about what stands in these places: `secrets` may be secrets themselves, and `sources` may be
    /// once parameters are filled in.
    pub(super) fn keeping(mut self, secrets: &'a [Span], sources: &'a [Span]) -> Self {
        (self.secrets, self.sources) = (secrets, sources);
        self
    }

    /// The reader of files, if files are to be read at all.
    pub(super) fn files(&self) -> Option<Files<'a>> {
        self.files
    }

    pub(super) fn complain(&mut self, complaint: Diagnostic) {
        self.complaints.push(complaint);
    }

    /// A value of the language that has no behaviour yet.
    pub(super) fn not_supported(&mut self, what: &str, span: &Span, help: &str) {
        let complaint = Diagnostic::new(Code::NotSupported, format!("`{what}` is not supported yet"));
        self.complain(complaint.at(span).help(help));
    }

    fn is_secret(&self, node: &Node) -> bool {
        self.hides(&node.span)
    }

    fn hides(&self, place: &Span) -> bool {
        overlap(self.secrets, place)
    }

    /// What a parameter gave may be shown.
    fn shows_value(&self, node: &Node) -> bool {
        !self.is_secret(node) && !overlap(self.sources, &node.span)
    }

    /// The scalar after substitution, without a complaint if there is none.
    pub(super) fn peek(&self, node: &Node) -> Option<String> {
        match self.values.expand(node.scalar_text()?) {
            Expanded::Known(text) => Some(text),
            Expanded::Unknown => None,
        }
    }

    /// A complaint about a value, which shows what parameters made of it.
    pub(super) fn about(&self, node: &Node, code: Code, message: impl Into<String>) -> Diagnostic {
        let complaint = Diagnostic::new(code, message).at(&node.span);
        match node.scalar_text() {
            Some(text) if text.contains("${{") && self.shows_value(node) => match self.values.expand(text) {
                Expanded::Known(value) if value != text => {
                    complaint.note(format!("with its parameters it is {}", quoted(&value)))
                }
                Expanded::Known(_) | Expanded::Unknown => complaint,
            },
            _ => complaint,
        }
    }

    /// "a number", "the text `x`" and so on; nothing of a secret.
    fn describe(&self, node: &Node) -> String {
        let text = |what: &str, text: &str| {
            if self.is_secret(node) { what.to_owned() } else { format!("{what} {}", quoted(text)) }
        };
        match &node.data {
            Data::Null => "empty".to_owned(),
            Data::Bool(value) => format!("`{value}`"),
            Data::Number(_, written) => text("the number", written),
            Data::Text(written) | Data::Ambiguous(written) => text("the text", written),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a mapping".to_owned(),
        }
    }

    fn wrong_type(&mut self, name: &str, node: &Node, expected: &str, help: &str) {
        let found = self.describe(node);
        let complaint =
            self.about(node, Code::WrongType, format!("`{name}` must be {expected}, but it is {found}"));
        self.complain(complaint.help(help));
    }

    /// A mapping with none but these keys.
    pub(super) fn fields<'t>(
        &mut self,
        name: &str,
        node: &'t Node,
        what: &'static str,
        keys: &'static [&'static str],
        example: &str,
    ) -> Option<Fields<'t>> {
        let Data::Map(entries) = &node.data else {
            self.wrong_type(name, node, "a mapping", example);
            return None;
        };
        for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            self.unknown_key(entry, what, keys);
        }
        Some(Fields { node, what, keys })
    }

    /// A mapping whose unknown keys have been complained about.
    pub(super) fn known<'t>(what: &'static str, node: &'t Node, keys: &'static [&'static str]) -> Fields<'t> {
        Fields { node, what, keys }
    }

    pub(super) fn unknown_key(&mut self, entry: &Entry, what: &str, keys: &[&str]) {
        let message = if self.hides(&entry.key_span) {
            format!("{what} has a key that it can't have")
        } else {
            format!("{what} has no key {}", quoted(&entry.key))
        };
        let complaint = Diagnostic::new(Code::UnknownKey, message).at(&entry.key_span);
        // Complaints that won't be shown need no suggestion: a file of garbage has a million of them.
        let shown = self.complaints.len() < SHOWN;
        let complaint = match nearest(&entry.key, keys.iter().copied().filter(|_| shown)) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")).suggest(near),
            None => complaint.help(format!("it can have {}", one_of(keys.iter().copied()))),
        };
        self.complain(complaint);
    }

    /// The items of a list, of which there must be one at least.
    pub(super) fn items<'t>(&mut self, name: &str, node: &'t Node, example: &str) -> Option<&'t [Node]> {
        match &node.data {
            Data::List(items) if items.is_empty() => {
                let complaint = self.about(node, Code::BadValue, format!("`{name}` is empty"));
                self.complain(complaint.help(example));
                None
            }
            Data::List(items) => Some(items),
            _ => {
                self.wrong_type(name, node, "a list", example);
                None
            }
        }
    }

    /// Text, not empty. `${{ instance.… }}` is refused in it.
    pub(super) fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        let text = self.text_of_instance(name, node)?;
        if names_an_instance(&text) {
            let complaint = self
                .about(node, Code::Param, format!("`{name}` can't depend on the instance"))
                .help("`${{ instance.private-ip }}` and `${{ instance.public-ip }}` are for the addresses of `check`");
            self.complain(complaint);
            return None;
        }
        Some(text)
    }

    /// Text, not empty, in which `${{ instance.… }}` may stand.
    pub(super) fn text_of_instance(&mut self, name: &str, node: &Node) -> Option<String> {
        let text = self.text_or_empty(name, node)?;
        if text.trim().is_empty() {
            let complaint = self.about(node, Code::BadValue, format!("`{name}` is empty"));
            self.complain(complaint.help("write a value, or remove the key"));
            return None;
        }
        Some(text)
    }

    /// Text, which may be empty if it is quoted.
    pub(super) fn text_or_empty(&mut self, name: &str, node: &Node) -> Option<String> {
        if secret::is_private_key(node) {
            let complaint = Diagnostic::new(Code::Secret, "a private key must not stand in the workflow");
            self.complain(
                complaint
                    .at(&node.span)
                    .help("remove it, and replace the key: the file may have been copied"),
            );
            return None;
        }
        match &node.data {
            Data::Text(text) => match self.values.expand(text) {
                Expanded::Known(text) => Some(text),
                Expanded::Unknown => None,
            },
            Data::Bool(_) | Data::Number(..) | Data::Ambiguous(_) => {
                let written = node.scalar_text().unwrap_or_default();
                let message = match &node.data {
                    Data::Ambiguous(_) => {
                        format!("`{name}` must be text, but some YAML readers take it for a number")
                    }
                    _ => format!("`{name}` must be text, but it is {}", self.describe(node)),
                };
                let complaint = self.about(node, Code::WrongType, message);
                self.complain(if self.is_secret(node) {
                    complaint.help("quote it")
                } else {
                    complaint.help(format!("quote it: \"{written}\"")).suggest(format!("\"{written}\""))
                });
                None
            }
            Data::Null | Data::List(_) | Data::Map(_) => {
                self.wrong_type(name, node, "text", "write a value, or remove the key");
                None
            }
        }
    }

    /// Text of a certain form.
    pub(super) fn shaped<T>(
        &mut self,
        name: &str,
        node: &Node,
        parse: impl FnOnce(&str) -> Result<T, Unfit>,
    ) -> Option<T> {
        let text = self.text(name, node)?;
        self.fit(node, parse(&text))
    }

    /// Complains where a text does not fit.
    pub(super) fn fit<T>(&mut self, node: &Node, result: Result<T, Unfit>) -> Option<T> {
        result
            .map_err(|unfit| {
                let complaint = self.about(node, Code::BadValue, unfit.why).help(unfit.help);
                // A repair of what a parameter gave belongs to the parameter, not here.
                let literal = !node.scalar_text().is_some_and(|text| text.contains("${{"));
                self.complain(match unfit.meant {
                    Some(meant) if literal => complaint.suggest(meant),
                    _ => complaint,
                });
            })
            .ok()
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, name: &str, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let known = || words.iter().map(|(word, _)| *word);
        if !matches!(node.data, Data::Text(_)) {
            self.wrong_type(name, node, &format!("one of {}", one_of(known())), "write one of these words");
            return None;
        }
        self.shaped(name, node, |text| {
            if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
                return Ok(*value);
            }
            let why = format!("`{name}` can't be {}", quoted(text));
            Err(match nearest(text, known()) {
                Some(near) => Unfit::new(why, format!("did you mean `{near}`?")).meaning(near),
                None => Unfit::new(why, format!("it can be {}", one_of(known()))),
            })
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &str, node: &Node) -> Option<bool> {
        match &node.data {
            Data::Bool(value) => Some(*value),
            Data::Text(text) if text.contains("${{") => self.shaped(name, node, |text| {
                text.parse().map_err(|_| {
                    Unfit::new(
                        format!("`{name}` must be `true` or `false`"),
                        "give the parameter one of these",
                    )
                })
            }),
            _ => {
                let help = "write `true` or `false`; `yes`, `no`, `on` and `off` are text in YAML 1.2";
                self.wrong_type(name, node, "`true` or `false`", help);
                None
            }
        }
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, name: &str, node: &Node, least: u64, most: u64) -> Option<u64> {
        let expected = format!("a whole number from {least} to {most}");
        let value = match &node.data {
            Data::Number(number, _) => number.as_u64(),
            Data::Text(text) if text.contains("${{") => self.text(name, node)?.trim().parse().ok(),
            Data::Text(text) if text.trim().parse::<u64>().is_ok() => {
                self.wrong_type(name, node, &expected, "remove the quotes");
                return None;
            }
            _ => {
                self.wrong_type(name, node, &expected, "write it with digits only");
                return None;
            }
        };
        let fitting = value.filter(|value| (least..=most).contains(value));
        if fitting.is_none() {
            let complaint = self.about(node, Code::BadValue, format!("`{name}` must be {expected}"));
            self.complain(complaint.help("write a number in this range"));
        }
        fitting
    }

    /// A time to wait that is no shorter than `least`.
    pub(super) fn duration_from(&mut self, name: &str, node: &Node, least: Duration) -> Option<Duration> {
        self.measure(name, node, "a duration like `90s`, `10m` or `1h 30m`", |text| {
            let duration = value::duration(text)?;
            if duration < least {
                let seconds = least.as_secs();
                let why = format!("{} is too short: `{name}` must be at least {seconds} s", quoted(text));
                return Err(Unfit::new(why, format!("write `{seconds}s` or more")));
            }
            Ok(duration)
        })
    }

    /// A number with its unit. Written without a unit, YAML makes a bare number of it: the unit is what is missing.
    pub(super) fn measure<T>(
        &mut self,
        name: &str,
        node: &Node,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, Unfit>,
    ) -> Option<T> {
        match &node.data {
            Data::Text(_) => self.shaped(name, node, parse),
            Data::Number(_, written) | Data::Ambiguous(written) => {
                let result = parse(written);
                self.fit(node, result)
            }
            _ => {
                self.wrong_type(name, node, expected, &format!("write {expected}"));
                None
            }
        }
    }

    /// One of the keys, and nothing besides.
    pub(super) fn only_one<'t>(
        &mut self,
        fields: Fields<'t>,
        keys: &[&str],
        example: &str,
    ) -> Option<&'t Entry> {
        let mut present = fields.node.entries().iter().filter(|entry| keys.contains(&entry.key.as_str()));
        let Some(first) = present.next() else {
            // An unknown key has been complained about already, and it is likely the one that is meant.
            if fields.node.entries().iter().all(|entry| fields.keys.contains(&entry.key.as_str())) {
                let message = format!("{} needs {}", fields.what, one_of(keys.iter().copied()));
                let complaint = self.about(fields.node, Code::MissingKey, message);
                self.complain(complaint.help(example));
            }
            return None;
        };
        let mut alone = true;
        for other in present {
            alone = false;
            let message = format!("{} has both `{}` and `{}`", fields.what, first.key, other.key);
            let complaint = Diagnostic::new(Code::Conflict, message).at(&other.key_span);
            self.complain(complaint.related(&first.key_span, "the other one").help("keep one of the two"));
        }
        alone.then_some(first)
    }
}

impl<'t> Fields<'t> {
    /// The value of a key, if it is there.
    pub(super) fn get(self, key: &str) -> Option<&'t Node> {
        self.node.get(key)
    }

    /// The entry of a key, if it is there.
    pub(super) fn entry(self, key: &str) -> Option<&'t Entry> {
        self.node.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key that must be there.
    pub(super) fn need(self, reader: &mut Reader<'_>, key: &str, example: &str) -> Option<&'t Node> {
        let found = self.get(key);
        if found.is_none() && !self.misspells(key) {
            let complaint = Diagnostic::new(Code::MissingKey, format!("{} has no `{key}`", self.what));
            reader.complain(complaint.at(&self.node.span).help(format!("add `{example}`")));
        }
        found
    }

    /// The key is there, but with a typing mistake that has been complained about already.
    fn misspells(self, key: &str) -> bool {
        let mut unknown = self.node.entries().iter().filter(|entry| !self.keys.contains(&entry.key.as_str()));
        unknown.by_ref().take(SHOWN).any(|entry| nearest(&entry.key, self.keys.iter().copied()) == Some(key))
    }
}
