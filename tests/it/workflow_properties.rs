//! Whatever bytes come, the language answers with a workflow or with complaints, never with a panic.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use pitstop::workflow::Document;
use proptest::prelude::*;

fn no_files(_: &Path) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::NotFound.into())
}

/// Reads a workflow in every way, and holds the complaints to what is promised of them.
pub(crate) fn read(bytes: &[u8]) {
    let values = BTreeMap::from([("type".to_owned(), "S5.LARGE8".to_owned())]);
    if let Err(complaints) = Document::check("x.yaml", bytes, &values, &no_files) {
        assert!(complaints.count() > 0);
        assert!(!complaints.render(true).is_empty() && !complaints.to_string().is_empty());
        assert!(complaints.complaints().iter().all(|complaint| complaint.help.is_some()));
    }
    if let Ok(document) = Document::parse("x.yaml", bytes) {
        document.missing(&values);
        let _ = document.resolve(&values, &no_files);
    }
}

/// What means something to YAML or to the language.
pub(crate) const PIECES: &[&str] = &[
    "",
    "\n",
    "  ",
    "\t",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "&a ",
    "*a ",
    "!!str ",
    "${{ ",
    " }}",
    "#",
    "|",
    ">",
    "漢",
    "\0",
    "~",
    "1",
    "true",
    "<<: ",
    "---\n",
    "? ",
    "password: ",
];

/// A workflow with one thing wrong in it: a piece cut out, doubled or replaced.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let whole = include_bytes!("../fixtures/good-workflows/everything.yaml");
    let pieces = prop::sample::select(PIECES);
    (0..whole.len(), 0..40_usize, pieces).prop_map(move |(at, length, piece)| {
        let end = (at + length).min(whole.len());
        [&whole[..at], piece.as_bytes(), &whole[end..]].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,100}") {
        read(text.as_bytes());
    }

    #[test]
    fn text_that_looks_like_a_workflow(
        text in "version: 1\n((name|target|stop|changes|start|check|params|guard|window|notify|rollout): ?)((\n? ?-? )|[{}\\[\\],:'\"|>&*!~]|[a-z0-9]{1,6}|reset-password: |password: |env: |\\$\\{\\{ params\\.type \\}\\}){0,20}"
    ) {
        read(text.as_bytes());
    }

    #[test]
    fn a_damaged_workflow(bytes in damaged()) {
        read(&bytes);
    }
}
