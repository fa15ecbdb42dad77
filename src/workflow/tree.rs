//! YAML text → a tree in which every key and value knows its place.
//!
//! Two parsers read the text. saphyr comes first: it gives the places, and refuses what a workflow does
//! without (anchors and aliases, so that no bomb gets further; tags; merge keys; several documents; deep nesting;
//! duplicate keys). serde_yaml gives the data. Where the two don't read the same, the place is refused
//! or, for a scalar like `0123` that is a number to one and text to the other, marked [`Data::Ambiguous`].

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use saphyr::Scalar as Meaning;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_yaml::Value;

use super::diagnostic::{Code, Diagnostic, Span, quoted};

/// The language nests six deep.
const DEEPEST: usize = 16;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) data: Data,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Null,
    Bool(bool),
    /// A number; its text as written.
    Number(serde_yaml::Number, String),
    Text(String),
    /// A plain scalar that YAML readers take for different things; its text as written.
    Ambiguous(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

impl Node {
    /// The scalar's text as written; none for a list or a mapping.
    pub(super) fn scalar_text(&self) -> Option<&str> {
        match &self.data {
            Data::Number(_, text) | Data::Text(text) | Data::Ambiguous(text) => Some(text),
            Data::Bool(true) => Some("true"),
            Data::Bool(false) => Some("false"),
            Data::Null => Some(""),
            Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// All nodes below this one that are neither list nor mapping, and itself.
    pub(super) fn scalars(&self) -> Vec<&Node> {
        match &self.data {
            Data::List(items) => items.iter().flat_map(Node::scalars).collect(),
            Data::Map(entries) => entries.iter().flat_map(|entry| entry.value.scalars()).collect(),
            _ => vec![self],
        }
    }
}

/// Reads the text, which must have no byte-order mark.
pub(super) fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
    let outline = outline(text)?;
    let value: Value = serde_yaml::from_str(text).map_err(|error| vec![unread(text, &error)])?;
    let mut disagreements = Vec::new();
    let node = join(outline, value, &mut disagreements);
    if disagreements.is_empty() { Ok(node) } else { Err(disagreements) }
}

/// saphyr took the text, serde_yaml does not.
fn unread(text: &str, error: &serde_yaml::Error) -> Diagnostic {
    let at = error.location().map_or(0, |location| location.index().min(text.len()));
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Diagnostic::new(Code::Syntax, "not YAML that every reader understands")
        .at(&(at..at))
        .help("write it in a simpler form, for example with quotes around the text")
}

/// A node as saphyr sees it.
struct Outline {
    span: Span,
    shape: Shape,
}

enum Shape {
    Scalar { text: String, plain: bool },
    List(Vec<Outline>),
    Map(Vec<(String, Span, Outline)>),
}

/// A collection that is still open.
struct Frame {
    start: usize,
    flow: bool,
    open: Open,
}

enum Open {
    List(Vec<Outline>),
    Map { entries: Vec<(String, Span, Outline)>, seen: HashMap<String, Span>, key: Option<(String, Span)> },
}

/// Turns saphyr's places, counted in characters, into bytes.
struct Bytes {
    table: Option<Vec<usize>>,
    length: usize,
}

impl Bytes {
    fn new(text: &str) -> Self {
        let table = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { table, length: text.len() }
    }

    fn at(&self, index: usize) -> usize {
        match &self.table {
            Some(table) => table.get(index).copied().unwrap_or(self.length),
            None => index.min(self.length),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.at(span.start.index());
        start..self.at(span.end.index()).max(start)
    }
}

struct Builder<'t> {
    text: &'t str,
    stack: Vec<Frame>,
    documents: Vec<Outline>,
    complaints: Vec<Diagnostic>,
    /// What is refused as a kind, with the number of times: a bomb is full of it, and one complaint is enough.
    refused: BTreeMap<&'static str, usize>,
}

fn outline(text: &str) -> Result<Outline, Vec<Diagnostic>> {
    let bytes = Bytes::new(text);
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder {
        text,
        stack: Vec::new(),
        documents: Vec::new(),
        complaints: Vec::new(),
        refused: BTreeMap::new(),
    };
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok((event, span)) => (event, bytes.span(span)),
            Err(error) => {
                let at = bytes.at(error.marker().index());
                builder.complaints.push(syntax(text, at, error.info()));
                break;
            }
        };
        if builder.take(event, &span).is_break() {
            break;
        }
    }
    builder.count_refused();
    let Builder { mut documents, mut complaints, .. } = builder;
    if complaints.is_empty() && documents.is_empty() {
        complaints.push(empty());
    }
    if let Some(second) = documents.get(1) {
        let marker = text[..second.span.start].rfind("---").map(|at| at..at + 3);
        complaints.push(
            Diagnostic::new(Code::UnsupportedYaml, "a second document begins here")
                .at(&marker.unwrap_or(second.span.clone()))
                .help("one file holds one workflow: put the second into a file of its own"),
        );
    }
    if complaints.is_empty() { Ok(documents.remove(0)) } else { Err(complaints) }
}

/// The file holds no value at all.
pub(super) fn empty() -> Diagnostic {
    Diagnostic::new(Code::Empty, "there is no workflow in this file")
        .at(&(0..0))
        .help("a workflow begins with `version: 1`")
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> ControlFlow<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.properties(anchor, tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain;
                let shape = Shape::Scalar { text: text.into_owned(), plain };
                self.put(Outline { span: trimmed(self.text, span), shape });
            }
            Event::SequenceStart(anchor, tag) => {
                self.properties(anchor, tag.as_deref(), span);
                return self.open(Open::List(Vec::new()), span);
            }
            Event::MappingStart(anchor, tag) => {
                self.properties(anchor, tag.as_deref(), span);
                return self.open(Open::Map { entries: Vec::new(), seen: HashMap::new(), key: None }, span);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(_) => {
                self.refuse("aliases", span);
                let shape = Shape::Scalar { text: String::new(), plain: true };
                self.put(Outline { span: span.clone(), shape });
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        ControlFlow::Continue(())
    }

    fn open(&mut self, open: Open, span: &Span) -> ControlFlow<()> {
        if self.stack.len() == DEEPEST {
            self.complaints.push(
                Diagnostic::new(Code::Syntax, format!("nested more than {DEEPEST} levels deep"))
                    .at(span)
                    .help("a workflow needs no more than six"),
            );
            return ControlFlow::Break(());
        }
        let flow = self.text[span.start..].starts_with(['{', '[']);
        self.stack.push(Frame { start: span.start, flow, open });
        ControlFlow::Continue(())
    }

    fn close(&mut self, end: &Span) {
        let Some(frame) = self.stack.pop() else { return };
        let last = match &frame.open {
            Open::List(items) => items.last().map(|item| item.span.end),
            Open::Map { entries, .. } => entries.last().map(|(_, key, value)| value.span.end.max(key.end)),
        };
        // A block ends where the next line begins; what belongs to it ends with its last value.
        let end = if frame.flow { end.end } else { last.unwrap_or(frame.start) };
        let shape = match frame.open {
            Open::List(items) => Shape::List(items),
            Open::Map { entries, .. } => Shape::Map(entries),
        };
        self.put(Outline { span: frame.start..end.max(frame.start), shape });
    }

    /// Anchors and tags are refused where they stand, which is in front of the node.
    fn properties(&mut self, anchor: usize, tag: Option<&Tag>, span: &Span) {
        for (there, sign, what) in [(anchor > 0, '&', "anchors"), (tag.is_some(), '!', "tags")] {
            if there {
                let from = self.text[..span.end].rfind(sign).unwrap_or(span.start);
                let rest = &self.text[from..];
                let length = rest.find([' ', '\n', '\r', '\t', ',']).unwrap_or(rest.len());
                self.refuse(what, &(from..from + length));
            }
        }
    }

    fn refuse(&mut self, what: &'static str, span: &Span) {
        let count = self.refused.entry(what).or_default();
        *count += 1;
        if *count > 1 {
            return;
        }
        let help = match what {
            "anchors" => {
                "write values out, or make them parameters under `params`; quote text that begins with `&`"
            }
            "aliases" => {
                "write the value out, or make it a parameter under `params`; quote text that begins with `*`"
            }
            _ => "remove it; quote text that begins with `!`",
        };
        self.complaints.push(
            Diagnostic::new(Code::UnsupportedYaml, format!("{what} are not part of the workflow language"))
                .at(span)
                .help(help),
        );
    }

    /// Says how many more there are of what was complained about once.
    fn count_refused(&mut self) {
        for (what, count) in &self.refused {
            let first = self.complaints.iter_mut().find(|complaint| complaint.message.starts_with(what));
            if let Some(complaint) = first.filter(|_| *count > 1) {
                complaint.notes.push(format!("there are {} more in this file", count - 1));
            }
        }
    }

    fn put(&mut self, node: Outline) {
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None => self.documents.push(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map { entries, seen, key }) => match key.take() {
                None => *key = Some(name(node, seen, &mut self.complaints)),
                Some((text, span)) => {
                    // A value that is left out has no place of its own.
                    let is_absent =
                        matches!(&node.shape, Shape::Scalar { text, plain: true } if text.is_empty());
                    let node = if is_absent { Outline { span: span.clone(), ..node } } else { node };
                    entries.push((text, span, node));
                }
            },
        }
    }
}

/// A node that stands as a key: it must be a scalar, and the first of its name.
fn name(node: Outline, seen: &mut HashMap<String, Span>, complaints: &mut Vec<Diagnostic>) -> (String, Span) {
    let Outline { span, shape } = node;
    let Shape::Scalar { text, plain } = shape else {
        complaints.push(
            Diagnostic::new(Code::UnsupportedYaml, "a key must be a word")
                .at(&span)
                .help("if this is text with `{` or `[` in it, quote it"),
        );
        return (String::new(), span);
    };
    if plain && text == "<<" {
        complaints.push(
            Diagnostic::new(Code::UnsupportedYaml, "merge keys are not part of the workflow language")
                .at(&span)
                .help("write the keys out"),
        );
    } else if let Some(first) = seen.get(&text) {
        complaints.push(
            Diagnostic::new(
                Code::DuplicateKey,
                format!("the key {} stands here a second time", quoted(&text)),
            )
            .at(&span)
            .related(first, "first here")
            .help("remove one of the two"),
        );
    } else {
        seen.insert(text.clone(), span.clone());
    }
    (text, span)
}

/// Without the white space that saphyr counts to the end of a block scalar.
fn trimmed(text: &str, span: &Span) -> Span {
    span.start..span.start + text[span.clone()].trim_end().len()
}

/// saphyr's complaint in words that help.
fn syntax(text: &str, at: usize, info: &str) -> Diagnostic {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].split('\n').next().unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    let help = if indent.contains('\t') {
        "indent with spaces; YAML does not allow tabs there"
    } else if line.contains("${{") && !line.contains("\"${{") {
        "put quotes around it: \"${{ params.NAME }}\""
    } else if info.contains("quoted scalar") {
        "a quote is opened and never closed; look at the lines above as well"
    } else if info.contains("unknown anchor") {
        "`*` begins an alias, which the workflow language does without; quote text that begins with `*`"
    } else if info.contains("mapping values are not allowed") {
        "quote text that contains `: `, and indent the keys of one mapping by the same number of spaces"
    } else if info.contains("flow") || info.contains("','") {
        "close what `[` or `{` opened, and put a comma between entries"
    } else {
        "check the indentation, and look for an unclosed quote or bracket on the lines above"
    };
    Diagnostic::new(Code::Syntax, format!("not valid YAML: {info}")).at(&(at..at)).help(help)
}

/// Puts serde_yaml's data into saphyr's places.
fn join(outline: Outline, value: Value, complaints: &mut Vec<Diagnostic>) -> Node {
    let Outline { span, shape } = outline;
    let data = match (shape, value) {
        (Shape::Scalar { text, plain }, value) => scalar(text, plain, value),
        (Shape::List(items), Value::Sequence(values)) if items.len() == values.len() => Some(Data::List(
            items.into_iter().zip(values).map(|(item, value)| join(item, value, complaints)).collect(),
        )),
        (Shape::Map(entries), Value::Mapping(values)) if entries.len() == values.len() => {
            entries_of(entries, values, complaints)
        }
        _ => None,
    };
    let data = data.unwrap_or_else(|| {
        complaints.push(
            Diagnostic::new(Code::Syntax, "YAML readers understand this differently")
                .at(&span)
                .help("write it in a simpler form, for example with quotes around the text"),
        );
        Data::Null
    });
    Node { span, data }
}

fn entries_of(
    entries: Vec<(String, Span, Outline)>,
    values: serde_yaml::Mapping,
    complaints: &mut Vec<Diagnostic>,
) -> Option<Data> {
    let mut joined = Vec::with_capacity(entries.len());
    for ((key, key_span, outline), (name, value)) in entries.into_iter().zip(values) {
        if matches!(&name, Value::String(name) if *name != key) {
            return None;
        }
        joined.push(Entry { key, key_span, value: join(outline, value, complaints) });
    }
    Some(Data::Map(joined))
}

/// None if the two parsers don't have the same text.
fn scalar(text: String, plain: bool, value: Value) -> Option<Data> {
    let style = if plain { ScalarStyle::Plain } else { ScalarStyle::SingleQuoted };
    let meaning = Meaning::parse_from_cow_and_metadata(text.as_str().into(), style, None)?;
    match (meaning, value) {
        (Meaning::String(_), Value::String(read)) => (read == text).then_some(Data::Text(text)),
        (Meaning::Null, Value::Null) => Some(Data::Null),
        (Meaning::Boolean(one), Value::Bool(other)) if one == other => Some(Data::Bool(one)),
        (Meaning::Integer(one), Value::Number(other)) if other.as_i64() == Some(one) => {
            Some(Data::Number(other, text))
        }
        (Meaning::FloatingPoint(one), Value::Number(other)) if same(*one, &other) => {
            Some(Data::Number(other, text))
        }
        (_, Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_)) => None,
        _ => Some(Data::Ambiguous(text)),
    }
}

fn same(one: f64, other: &serde_yaml::Number) -> bool {
    other.is_f64()
        && other.as_f64().is_some_and(|other| one.total_cmp(&other).is_eq() || one.is_nan() && other.is_nan())
}

#[cfg(test)]
mod tests;
