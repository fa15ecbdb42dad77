//! Every file in `tests/fixtures/bad-workflows` is refused with exactly the text of the `.err` beside it.
//! `UPDATE_EXPECT=1` writes the `.err` files anew; read the difference before committing it.
//! A comment `# set: name=value` in a file gives that value to a parameter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pitstop::workflow::{Code, Diagnostics, Document, file};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad-workflows")
}

/// Inputs that no repository should carry.
fn made() -> [(&'static str, Vec<u8>); 3] {
    let ten_megabytes = b"# a comment that goes on and on\n".repeat(10 * 1024 * 1024 / 32);
    let deep = format!("version: 1\nname: {}\n", "[".repeat(20_000));
    let many: Vec<String> = (0..30_000).map(|n| format!("nonsense-{n}: 1\n")).collect();
    [
        ("ten-megabytes.yaml", ten_megabytes),
        ("deep-nesting.yaml", deep.into_bytes()),
        ("thirty-thousand-unknown-keys.yaml", format!("version: 1\n{}", many.concat()).into_bytes()),
    ]
}

fn values(text: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(text);
    let settings = text.lines().filter_map(|line| line.strip_prefix("# set: ")?.split_once('='));
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn refusal(name: &str, bytes: &[u8]) -> Diagnostics {
    let files = file::beside(&folder().join(name));
    Document::check(name, bytes, &values(bytes), &files).expect_err(name)
}

/// The files with their bytes, the made ones included.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let mut inputs: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("the file can be read"))
        })
        .collect();
    inputs.extend(made().map(|(name, bytes)| (name.to_owned(), bytes)));
    inputs.sort();
    inputs
}

#[test]
fn each_is_refused_with_exactly_its_text() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut different = Vec::new();
    let inputs = inputs();
    for (name, bytes) in &inputs {
        let found = format!("{}\n", refusal(name, bytes));
        let expected = folder().join(name).with_extension("err");
        if update {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&found) {
            different.push(format!("=== {name}, found:\n{found}"));
        }
    }
    assert!(inputs.len() >= 60, "only {} bad workflows", inputs.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn no_expected_text_is_left_over() {
    let inputs: BTreeSet<String> = inputs().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "err") {
            let input = path.with_extension("yaml").file_name().unwrap().to_string_lossy().into_owned();
            assert!(inputs.contains(&input), "{} belongs to no input", path.display());
        }
    }
}

#[test]
fn each_complaint_says_where_and_what_to_do() {
    for (name, bytes) in inputs() {
        for complaint in refusal(&name, &bytes).complaints() {
            assert_eq!(complaint.file, name);
            assert!(complaint.help.is_some(), "{name}: no help with {}", complaint.message);
            let about_the_whole = [Code::TooLarge, Code::Encoding, Code::Param].contains(&complaint.code);
            assert!(
                complaint.line.is_some() || about_the_whole,
                "{name}: no place for {}",
                complaint.message
            );
        }
    }
}

#[test]
fn what_is_wrong_without_values_is_wrong_with_them() {
    for (name, bytes) in inputs() {
        let Err(early) = Document::parse(&name, &bytes) else { continue };
        let late: Vec<_> = refusal(&name, &bytes).complaints();
        for complaint in early.complaints() {
            assert!(late.contains(&complaint), "{name}: only without values: {}", complaint.message);
        }
    }
}

#[test]
fn no_secret_is_shown() {
    for (name, bytes) in inputs() {
        let refusal = refusal(&name, &bytes);
        let shown = format!("{refusal}{}{refusal:?}{:?}", refusal.render(true), refusal.complaints());
        assert!(!shown.contains("hunter2"), "{name} shows the secret:\n{shown}");
    }
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let refusal = refusal("x.yaml", b"version: 1\nnmae: x\n");
    assert!(refusal.render(true).contains("\x1B["));
    assert!(!refusal.to_string().contains('\x1B'));
}
