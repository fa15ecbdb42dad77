//! Where a secret stands in a workflow file though none should: those places are starred out before anything is shown.

use super::diagnostic::Span;
use super::tree::{Data, Entry, Node};

/// The keys of `password` whose values say where the secret is; all others may be the secret itself.
pub(super) const SOURCES: [&str; 5] = ["env", "file", "command", "prompt", "generate"];

/// The places in the tree that may hold a secret.
pub(super) fn places(root: &Node) -> Vec<Span> {
    let mut found = Vec::new();
    walk(root, &mut found);
    found
}

/// The scalars that say where a secret comes from. They are shown as written, but a value that a parameter gives
/// them may be the secret itself.
pub(super) fn sources(root: &Node) -> Vec<Span> {
    let mut found = Vec::new();
    walk_sources(root, &mut found);
    found
}

fn walk_sources(node: &Node, found: &mut Vec<Span>) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| walk_sources(item, found)),
        Data::Map(entries) => {
            for Entry { key, value, .. } in entries {
                if ["password", "webhook"].contains(&key.as_str()) {
                    found.extend(value.scalars().into_iter().map(|scalar| scalar.span.clone()));
                } else {
                    walk_sources(value, found);
                }
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(..) | Data::Ambiguous(_) | Data::Text(_) => {}
    }
}

fn walk(node: &Node, found: &mut Vec<Span>) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| walk(item, found)),
        Data::Map(entries) => entries.iter().for_each(|entry| walk_entry(entry, found)),
        Data::Text(_) if is_private_key(node) => found.push(node.span.clone()),
        Data::Null | Data::Bool(_) | Data::Number(..) | Data::Ambiguous(_) | Data::Text(_) => {}
    }
}

/// The text of a private key, in whatever form.
pub(super) fn is_private_key(node: &Node) -> bool {
    matches!(&node.data, Data::Text(text) if text.contains("PRIVATE KEY"))
}

fn walk_entry(entry: &Entry, found: &mut Vec<Span>) {
    match entry.key.as_str() {
        "reset-password" => expect_only(&entry.value, &["user", "password"], found),
        "password" => {}
        // The address of a webhook carries its token.
        "webhook" => return expect_only(&entry.value, &["env"], found),
        _ => return walk(&entry.value, found),
    }
    let password = if entry.key == "password" { Some(&entry.value) } else { entry.value.get("password") };
    if let Some(password) = password {
        expect_only(password, &SOURCES, found);
        if let Some(env) = password.get("env")
            && !env.scalar_text().is_some_and(is_variable_name)
        {
            found.extend(env.scalars().into_iter().map(|scalar| scalar.span.clone()));
        }
    }
}

/// Everything in a mapping may be a secret but what stands under these keys.
fn expect_only(node: &Node, keys: &[&str], found: &mut Vec<Span>) {
    match &node.data {
        Data::Map(entries) => {
            for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
                found.extend(entry.value.scalars().into_iter().map(|scalar| scalar.span.clone()));
            }
        }
        _ => found.extend(node.scalars().into_iter().map(|scalar| scalar.span.clone())),
    }
}

/// A name that a shell would take; `$NAME` and a parameter count, for they are no secrets either.
pub(super) fn is_variable_name(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or(text);
    text.contains("${{")
        || (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The places in text that is not YAML, found by the look of the lines: all that follows `password:` or `webhook:`
/// on its line and on the deeper lines below it.
pub(super) fn places_in_text(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut inside: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let indent = line.len() - line.trim_start().len();
        if inside.is_some_and(|outer| indent <= outer && !line.trim().is_empty()) {
            inside = None;
        }
        let lower = line.to_ascii_lowercase();
        let key = password_key(&lower);
        if let Some(at) = key {
            let after = lower[at..].find(':').map_or(lower.len(), |colon| at + colon + 1);
            let value = after + line.get(after..).map_or(0, |rest| rest.len() - rest.trim_start().len());
            found.push((start + value).min(end)..end);
            inside = Some(indent);
        } else if inside.is_some() || line.contains("PRIVATE KEY") {
            found.push((start + indent).min(end)..end);
        }
        start += line.len();
    }
    found
}

/// Where the key stands whose value may be a password: `password` itself, else any key whose name ends so.
fn password_key(line: &str) -> Option<usize> {
    let words = line.match_indices("password").chain(line.match_indices("webhook"));
    let mut keys = words.map(|(at, _)| at).filter(|at| !line[..*at].contains('#'));
    let first = keys.next()?;
    let itself = std::iter::once(first).chain(keys).find(|at| !line[..*at].ends_with('-'));
    Some(itself.unwrap_or(first))
}

/// The text with every character of these places replaced by stars, byte for byte, so that places stay places.
pub(super) fn starred(text: &str, places: &[Span]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut places = places.to_vec();
    places.sort_by_key(|span| span.start);
    let mut at = 0;
    for span in places {
        let start = span.start.max(at);
        if span.end <= start {
            continue;
        }
        out.push_str(&text[at..start]);
        for c in text[start..span.end].chars() {
            if c.is_whitespace() { out.push(c) } else { out.extend(std::iter::repeat_n('*', c.len_utf8())) }
        }
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}
