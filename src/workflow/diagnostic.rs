//! A complaint about a workflow file, and how it looks to a person and to a program.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use serde::{Deserialize, Serialize};

/// A range of bytes in the text.
pub(super) type Span = Range<usize>;

/// How many complaints are shown; a file of garbage has a million.
pub(super) const SHOWN: usize = 100;

/// Lines longer than this many bytes are named, not shown.
const LONGEST_LINE: usize = 500;

/// The kind of a complaint; stable, so that a program can tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file is larger than a workflow may be.
    TooLarge,
    /// The file is not UTF-8 text, or has characters that YAML forbids.
    Encoding,
    /// The file holds nothing.
    Empty,
    /// The text is not YAML.
    Syntax,
    /// The text is YAML, but of a kind that a workflow does without: anchors, tags, several documents.
    UnsupportedYaml,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// The language has no such key.
    UnknownKey,
    /// A key that must be there is not.
    MissingKey,
    /// A list where text is meant, text where a number is meant, and so on.
    WrongType,
    /// The right type, but not a value that can be used.
    BadValue,
    /// The version of the language is missing or unknown.
    Version,
    /// Two things that exclude each other, or one thing twice.
    Conflict,
    /// Part of the language, but not built yet.
    NotSupported,
    /// A parameter is unknown, unused, malformed or has no value.
    Param,
    /// A secret stands in the file.
    Secret,
    /// A file that the workflow names can't be used.
    File,
}

impl Code {
    /// The code as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Encoding => "encoding",
            Self::Empty => "empty",
            Self::Syntax => "syntax",
            Self::UnsupportedYaml => "unsupported-yaml",
            Self::DuplicateKey => "duplicate-key",
            Self::UnknownKey => "unknown-key",
            Self::MissingKey => "missing-key",
            Self::WrongType => "wrong-type",
            Self::BadValue => "bad-value",
            Self::Version => "version",
            Self::Conflict => "conflict",
            Self::NotSupported => "not-supported",
            Self::Param => "param",
            Self::Secret => "secret",
            Self::File => "file",
        }
    }
}

/// A word that would repair the file, for editors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The bytes of the text to replace.
    pub span: Range<usize>,
    /// What to put there.
    pub replacement: String,
}

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where: bytes of the text; absent if it is about the file as a whole.
    pub span: Option<Range<usize>>,
    /// What to do.
    pub help: Option<String>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// Another place that has to do with it, and why.
    pub related: Option<(Range<usize>, String)>,
    /// A replacement that repairs it.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span: None,
            help: None,
            notes: Vec::new(),
            related: None,
            suggestion: None,
        }
    }

    pub(super) fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(super) fn related(mut self, span: &Span, why: impl Into<String>) -> Self {
        self.related = Some((span.clone(), why.into()));
        self
    }

    pub(super) fn suggest(mut self, replacement: impl Into<String>) -> Self {
        self.suggestion = self.span.clone().map(|span| Suggestion { span, replacement: replacement.into() });
        self
    }
}

/// Everything that is wrong with a file: at least one complaint, in the order of the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostics {
    name: String,
    /// The text with every secret starred out; it is all that is ever shown.
    text: String,
    list: Vec<Diagnostic>,
    left_off: usize,
}

/// A complaint as a program reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// The file's name.
    pub file: String,
    /// The line, from 1; absent if the complaint is about the file as a whole.
    pub line: Option<usize>,
    /// The character in the line, from 1.
    pub column: Option<usize>,
    /// The kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// A replacement that repairs it.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostics {
    /// `text` must hold no secret. `list` must not be empty.
    pub(super) fn new(name: &str, text: String, mut list: Vec<Diagnostic>) -> Self {
        debug_assert!(!list.is_empty(), "a file without complaints is not refused");
        list.sort_by_key(|diagnostic| diagnostic.span.as_ref().map_or((0, 0), |span| (span.start, span.end)));
        list.dedup();
        let left_off = list.len().saturating_sub(SHOWN);
        list.truncate(SHOWN);
        Self { name: name.to_owned(), text, list, left_off }
    }

    /// The complaints, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many there are, those not shown included.
    pub fn count(&self) -> usize {
        self.list.len() + self.left_off
    }

    /// For a program.
    pub fn complaints(&self) -> Vec<Complaint> {
        self.list
            .iter()
            .map(|diagnostic| {
                let place = diagnostic.span.as_ref().map(|span| place(&self.text, span.start));
                Complaint {
                    file: self.name.clone(),
                    line: place.map(|(line, _)| line),
                    column: place.map(|(_, column)| column),
                    code: diagnostic.code,
                    message: diagnostic.message.clone(),
                    help: diagnostic.help.clone(),
                    notes: diagnostic.notes.clone(),
                    suggestion: diagnostic.suggestion.clone(),
                }
            })
            .collect()
    }

    /// For a person, with ANSI colours if wanted.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut shown: Vec<String> =
            self.list.iter().map(|diagnostic| renderer.render(&[self.group(diagnostic)])).collect();
        if self.left_off > 0 {
            shown.push(format!("... and {} more", self.left_off));
        }
        shown.join("\n\n")
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let title = Level::ERROR.primary_title(&diagnostic.message).id(diagnostic.code.as_str());
        title
            .element(self.excerpt(diagnostic))
            .elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(note)))
            .elements(diagnostic.help.iter().map(|help| Level::HELP.message(help)))
    }

    /// The lines concerned with carets under them, or just the place where there is no line worth showing.
    fn excerpt<'a>(&'a self, diagnostic: &'a Diagnostic) -> Element<'a> {
        let Some(span) = &diagnostic.span else { return Origin::path(&self.name).into() };
        let span = first_line(&self.text, span);
        let related = diagnostic.related.as_ref().map(|(span, why)| (first_line(&self.text, span), why));
        let ends = related.iter().map(|(span, _)| span).chain([&span]);
        let too_long = ends.clone().any(|span| line_of(&self.text, span.start).len() > LONGEST_LINE);
        let window = ends.fold(line_of(&self.text, span.start), |window, span| {
            let line = line_of(&self.text, span.start);
            window.start.min(line.start)..window.end.max(line.end)
        });
        let (line, column) = place(&self.text, span.start);
        if too_long || self.text[window.clone()].trim().is_empty() {
            return Origin::path(&self.name).line(line).char_column(column).into();
        }
        let inside = |span: &Span| span.start - window.start..span.end - window.start;
        let mut snippet = Snippet::source(&self.text[window.clone()])
            .line_start(place(&self.text, window.start).0)
            .path(&self.name)
            .annotation(AnnotationKind::Primary.span(inside(&span)));
        if let Some((span, why)) = &related {
            snippet = snippet.annotation(AnnotationKind::Context.span(inside(span)).label(why.as_str()));
        }
        snippet.into()
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// The line that a byte is in, without its end.
fn line_of(text: &str, at: usize) -> Span {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    start..end
}

/// The part of a span that is on its first line: carets under ten lines help nobody.
fn first_line(text: &str, span: &Span) -> Span {
    let part = text[span.clone()].split('\n').next().unwrap_or_default().trim_end();
    span.start..span.start + part.len()
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl std::error::Error for Diagnostics {}

/// The user's text as it is quoted in a message: short, and without characters that could move the cursor.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out: String = text.chars().take(LONGEST).collect();
    if out.len() < text.len() {
        out.push_str("...");
    }
    let clean: String = out
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    format!("`{clean}`")
}

/// The word of `words` that `text` was probably meant to be.
pub(super) fn nearest<'w>(text: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // Longer text is no typing mistake, and the distance costs length times length.
    if text.len() > 64 {
        return None;
    }
    let text = text.to_lowercase();
    let length = text.chars().count();
    let allowed = |word: &str| 1 + word.chars().count().min(length) / 4;
    words
        .into_iter()
        .filter(|word| word.chars().count().abs_diff(length) <= allowed(word))
        .map(|word| (strsim::osa_distance(&text, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= allowed(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// "`a`, `b` or `c`".
pub(super) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
