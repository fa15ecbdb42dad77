//! `params`, and `${{ … }}` in scalars. Substitution happens in the tree, so a value can't change the structure.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Code, Diagnostic, Span, nearest, one_of, quoted};
use super::tree::Node;

/// A value that the workflow asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, as in `--set NAME=VALUE`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it is when nobody says; without one, somebody must.
    pub default: Option<String>,
    pub(super) span: Span,
    /// Nothing is wrong with its declaration; only then it makes sense to ask for its use and its value.
    pub(super) sound: bool,
}

/// What is known about an instance only when it is looked at; allowed in a check's address.
const INSTANCE_FACTS: [&str; 2] = ["instance.private-ip", "instance.public-ip"];

/// The values that stand for `${{ params.… }}`.
pub(super) struct Values<'a> {
    params: &'a [Param],
    given: Option<&'a BTreeMap<String, String>>,
}

/// What a scalar is after substitution.
pub(super) enum Expanded {
    /// This text. `${{ instance.… }}` is still in it.
    Known(String),
    /// A value is missing or not known yet; that has been, or will be, complained about elsewhere.
    Unknown,
}

impl<'a> Values<'a> {
    /// Nothing is known yet: only what holds for every value is checked.
    pub(super) fn unknown(params: &'a [Param]) -> Self {
        Self { params, given: None }
    }

    /// These values, and the defaults.
    pub(super) fn new(params: &'a [Param], given: &'a BTreeMap<String, String>) -> Self {
        Self { params, given: Some(given) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let given = self.given?;
        let param = self.params.iter().find(|param| param.name == name)?;
        given.get(name).or(param.default.as_ref()).map(String::as_str)
    }

    /// The text with all parameters filled in.
    pub(super) fn expand(&self, text: &str) -> Expanded {
        let mut out = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Place(inner) => match inner.strip_prefix("params.") {
                    Some(name) => match self.get(name) {
                        Some(value) => out.push_str(value),
                        None => return Expanded::Unknown,
                    },
                    None if INSTANCE_FACTS.contains(&inner) => {
                        out.push_str("${{ ");
                        out.push_str(inner);
                        out.push_str(" }}");
                    }
                    None => return Expanded::Unknown,
                },
                Piece::Open => return Expanded::Unknown,
            }
        }
        Expanded::Known(out)
    }

    /// Complains of values that nobody asked for and of parameters without a value.
    pub(super) fn check(&self, place: Option<&Span>, complaints: &mut Vec<Diagnostic>) {
        let Some(given) = self.given else { return };
        for name in given.keys().filter(|name| !self.params.iter().any(|param| param.name == **name)) {
            let mut complaint = Diagnostic::new(
                Code::Param,
                format!("a value is given for {}, which the workflow does not declare", quoted(name)),
            );
            complaint.span = place.cloned();
            let known = || self.params.iter().map(|param| param.name.as_str());
            complaints.push(match nearest(name, known()) {
                Some(near) => complaint.help(format!("did you mean `{near}`?")),
                None if self.params.is_empty() => complaint.help("this workflow has no `params`"),
                None => complaint.help(format!("it declares {}", one_of(known()))),
            });
        }
        for param in self.params.iter().filter(|param| param.sound && self.get(&param.name).is_none()) {
            complaints.push(
                Diagnostic::new(Code::Param, format!("the parameter `{}` has no value", param.name))
                    .at(&param.span)
                    .help(format!("give it with `--set {}=VALUE`, or write a `default:` here", param.name)),
            );
        }
    }
}

/// A part of a scalar.
enum Piece<'t> {
    Text(&'t str),
    /// What stands between `${{` and `}}`, trimmed.
    Place(&'t str),
    /// A `${{` that is never closed.
    Open,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        found.push(Piece::Text(before));
        let Some((inner, after)) = after.split_once("}}") else {
            found.push(Piece::Open);
            return found;
        };
        found.push(Piece::Place(inner.trim()));
        rest = after;
    }
    found.push(Piece::Text(rest));
    found
}

/// `${{ instance.… }}` stands in the text.
pub(super) fn names_an_instance(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Place(inner) if INSTANCE_FACTS.contains(inner)))
}

/// The text with something else in place of every `${{ instance.… }}`.
pub(super) fn with_instance(text: &str, address: &str) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Place(_) | Piece::Open => address.to_owned(),
        })
        .collect()
}

/// Looks at every `${{ … }}` of the workflow: malformed, unknown and, in the end, parameters that nobody uses.
/// `params` itself is left out: a default is text and nothing else.
pub(super) fn check_uses(root: &Node, text: &str, params: &[Param], complaints: &mut Vec<Diagnostic>) {
    let mut used = BTreeSet::new();
    let scalars =
        root.entries().iter().filter(|entry| entry.key != "params").flat_map(|entry| entry.value.scalars());
    for node in scalars {
        let Some(scalar) = node.scalar_text() else { continue };
        let places = pieces(scalar).into_iter().filter(|piece| !matches!(piece, Piece::Text(_)));
        for (piece, place) in places.zip(places_of(text, &node.span)) {
            let inner = match piece {
                Piece::Place(inner) => inner,
                Piece::Text(_) | Piece::Open => "",
            };
            match inner.strip_prefix("params.") {
                Some(name) if params.iter().any(|param| param.name == name) => {
                    used.insert(name);
                }
                _ if INSTANCE_FACTS.contains(&inner) => {}
                name => {
                    // A parameter that is misspelled here is used all the same.
                    used.extend(nearest(
                        name.unwrap_or(inner),
                        params.iter().map(|param| param.name.as_str()),
                    ));
                    complaints.push(bad_place(&piece, inner, params).at(&place));
                }
            }
        }
    }
    for param in params.iter().filter(|param| param.sound && !used.contains(param.name.as_str())) {
        complaints.push(
            Diagnostic::new(Code::Param, format!("the parameter `{}` is not used", param.name))
                .at(&param.span)
                .help(format!(
                    "write `${{{{ params.{} }}}}` where its value belongs, or remove it",
                    param.name
                )),
        );
    }
}

fn bad_place(piece: &Piece<'_>, inner: &str, params: &[Param]) -> Diagnostic {
    if matches!(piece, Piece::Open) {
        return Diagnostic::new(Code::Param, "`${{` without `}}`").help("write `${{ params.NAME }}`");
    }
    if let Some(name) = inner.strip_prefix("params.") {
        let complaint = Diagnostic::new(Code::Param, format!("there is no parameter {}", quoted(name)));
        return match nearest(name, params.iter().map(|param| param.name.as_str())) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")),
            None if is_name(name) => {
                complaint.help(format!("declare it: `params: {{ {name}: {{ description: ... }} }}`"))
            }
            None => complaint.help("write `${{ params.NAME }}`"),
        };
    }
    let complaint = Diagnostic::new(Code::Param, format!("nothing is known as {}", quoted(inner)));
    let bare = params.iter().find(|param| param.name == inner);
    match bare.map(|param| format!("params.{}", param.name)).or_else(|| nearest(inner, INSTANCE_FACTS).map(str::to_owned)) {
        Some(near) => complaint.help(format!("did you mean `{near}`?")),
        None => complaint.help("write `${{ params.NAME }}`; in a check's address also `${{ instance.private-ip }}` or `${{ instance.public-ip }}`"),
    }
}

/// The places of the `${{ … }}` of a scalar in the text; the scalar itself once there are no more, which can be
/// when one is written with escapes.
fn places_of<'t>(text: &'t str, span: &'t Span) -> impl Iterator<Item = Span> + 't {
    let source = &text[span.clone()];
    let found = source.match_indices("${{").map(move |(at, _)| {
        let rest = &source[at..];
        let length = rest.find("}}").map_or(rest.trim_end().len(), |end| end + 2);
        span.start + at..span.start + at + length
    });
    found.chain(std::iter::repeat(span.clone()))
}

/// A parameter's name can be typed after `--set` without quotes.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}
