//! Bounded fuzzing of what reads foreign bytes: the workflow parser, and the decoder of the cloud's answers.
//! Whatever comes, there is no panic, and an answer in time; `workflow_properties` has what else is promised of the parser.
//!
//! Cases and chance are fixed. `PITSTOP_FUZZ_SECONDS=N` goes on with chance of its own for N seconds more per test.

use std::fmt::Debug;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use pitstop::tencent::decode;
use pitstop::tencent::wire::{self, Response};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::workflow_properties::{PIECES, read};

/// No case may take longer, on a slow and busy machine and without optimisation.
const LONGEST: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "cases run in real time")]
fn now() -> Instant {
    Instant::now()
}

/// Tries so many cases, and then as many more as there is time for.
fn fuzz<T: Clone + Debug + Send + 'static, S: Strategy<Value = T> + 'static>(
    cases: u32,
    strategy: fn() -> S,
    case: fn(&T),
) {
    let seconds = std::env::var("PITSTOP_FUZZ_SECONDS").ok().map_or(0, |text| text.parse().unwrap());
    let current: Arc<Mutex<Option<(Instant, T)>>> = Arc::default();
    let (sender, ended) = channel();
    let shared = Arc::clone(&current);
    // A thread of its own, so that a case that hangs is told of.
    std::thread::spawn(move || {
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let one = |input: T| {
            *shared.lock().unwrap() = Some((now(), input.clone()));
            case(&input);
            Ok(())
        };
        let strategy = strategy();
        let fixed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut result = TestRunner::new_with_rng(config.clone(), fixed).run(&strategy, one);
        let begin = now();
        while result.is_ok() && begin.elapsed() < Duration::from_secs(seconds) {
            result = TestRunner::new(config.clone()).run(&strategy, one);
        }
        sender.send(result.map_err(|error| error.to_string())).unwrap_or_default();
    });
    loop {
        match ended.recv_timeout(Duration::from_secs(1)) {
            Ok(result) => return result.unwrap_or_else(|error| panic!("{error}")),
            Err(RecvTimeoutError::Timeout) => {
                let current = current.lock().unwrap();
                if let Some((begin, input)) = &*current {
                    assert!(begin.elapsed() < LONGEST, "this takes too long: {input:?}");
                }
            }
            Err(RecvTimeoutError::Disconnected) => panic!("the cases broke off"),
        }
    }
}

/// A change to bytes.
#[derive(Clone, Debug)]
enum Edit {
    Cut(Index, usize),
    Insert(Index, &'static str),
    Put(Index, u8),
    /// A piece, so many times in a row.
    Repeat(Index, usize, usize),
    /// A piece moves elsewhere.
    Move(Index, usize, Index),
    /// A piece of another document.
    Graft(Index, Vec<u8>),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |index: &Index| index.index(bytes.len() + 1);
        let piece = |index: &Index, length: usize| place(index)..(place(index) + length).min(bytes.len());
        match self {
            Self::Cut(at, length) => drop(bytes.drain(piece(at, *length))),
            Self::Insert(at, text) => drop(bytes.splice(piece(at, 0), text.bytes())),
            Self::Put(at, byte) => drop(bytes.splice(piece(at, 1), [*byte])),
            Self::Repeat(at, length, times) => {
                let copies = bytes[piece(at, *length)].repeat(*times);
                bytes.splice(piece(at, 0), copies);
            }
            Self::Move(from, length, to) => {
                let moved: Vec<_> = bytes.drain(piece(from, *length)).collect();
                let to = to.index(bytes.len() + 1);
                bytes.splice(to..to, moved);
            }
            Self::Graft(at, other) => drop(bytes.splice(piece(at, 0), other.iter().copied())),
        }
    }
}

/// One of these documents, changed in a few places.
fn changed(documents: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let graft = (select(documents.clone()), any::<Index>(), 1..200_usize).prop_map(|(other, at, length)| {
        let at = at.index(other.len() + 1);
        other[at..(at + length).min(other.len())].to_vec()
    });
    let edit = prop_oneof![
        (any::<Index>(), 1..60_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        (any::<Index>(), select(PIECES)).prop_map(|(at, text)| Edit::Insert(at, text)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Put(at, byte)),
        (any::<Index>(), 1..60_usize, 2..40_usize)
            .prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        (any::<Index>(), 1..60_usize, any::<Index>())
            .prop_map(|(from, length, to)| Edit::Move(from, length, to)),
        (any::<Index>(), graft).prop_map(|(at, other)| Edit::Graft(at, other)),
    ];
    (select(documents), prop::collection::vec(edit, 1..6)).prop_map(|(mut bytes, edits)| {
        for edit in edits {
            edit.apply(&mut bytes);
        }
        bytes
    })
}

/// All workflows of the repository, good and bad.
fn workflows() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders =
        ["workflows", "tests/fixtures/good-workflows", "tests/fixtures/bad-workflows", "tests/fixtures/cli"];
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn changed_workflows() {
    assert!(workflows().len() > 100);
    fuzz(1500, || changed(workflows()), |bytes| read(bytes));
}

/// What is there many times in a row: a reader that goes back, copies or recurses for each is found out.
fn monotonous() -> Vec<Vec<u8>> {
    const SIZE: usize = 32 * 1024;
    const BEFORE: [&str; 4] = ["", "version: 1\nname: x\n", "changes:\n  - resize: { type: \"", "target: ["];
    let more = [
        "a: ",
        "- ",
        "? ",
        "[[",
        "{a: ",
        "{{",
        "!",
        "!!map ",
        "&a *a ",
        "*a, ",
        "- &a [*a]\n",
        "'",
        "''",
        "\\",
        "a: 1\n",
        "${{ params.type }}",
        "${{ ${{ ",
        "\n",
        "\n\n ",
        "    ",
        "--- ",
        "...\n",
        "|\n",
        "> ",
        "%YAML 1.2\n",
        "# x\n",
        "\u{301}",
        "- resize: { type: S5.LARGE8 }\n",
        "<<: *a\n",
        "\"\\u0041",
        "1",
        "1e",
        "0x",
        ".",
        "~,",
        "漢",
    ];
    let pieces = PIECES.iter().copied().chain(more).filter(|piece| !piece.is_empty());
    let repeated =
        |before: &str, piece: &str| [before.as_bytes(), piece.repeat(SIZE / piece.len()).as_bytes()].concat();
    pieces.flat_map(|piece| BEFORE.map(|before| repeated(before, piece))).collect()
}

#[test]
fn the_same_again_and_again() {
    /// One after the other.
    fn in_turn() -> impl Strategy<Value = Vec<u8>> {
        let (all, next) = (monotonous(), AtomicUsize::new(0));
        Just(()).prop_perturb(move |(), _| all[next.fetch_add(1, Ordering::Relaxed) % all.len()].clone())
    }
    let count = u32::try_from(monotonous().len()).unwrap();
    fuzz(count, in_turn, |bytes| {
        let begin = now();
        read(bytes);
        let begins = String::from_utf8_lossy(&bytes[..40.min(bytes.len())]).into_owned();
        assert!(begin.elapsed() < LONGEST, "{begins:?} takes {:?}", begin.elapsed());
    });
}

/// The largest files that are read, by the program itself, with less memory than a small container has.
#[test]
#[cfg(target_os = "linux")]
fn large_workflows_fit_in_little_memory() {
    const KIB: u32 = 512 * 1024;
    for piece in ["- [a, b, c, {d: e}]\n", "[", "? a\n", "a: &a [*a, *a]\n", "\"", "x${{ params.type }}"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large.yaml");
        std::fs::write(&file, piece.repeat(1024 * 1024 / piece.len())).unwrap();
        let command =
            format!("ulimit -v {KIB}; exec '{}' check '{}'", env!("CARGO_BIN_EXE_pitstop"), file.display());
        let done = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).output().unwrap();
        let told =
            String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.code(), Some(3), "{piece:?}: {}", told.chars().take(2000).collect::<String>());
        assert!(told.len() < 1024 * 1024, "{piece:?}: {} bytes of complaints", told.len());
    }
}

/// The vendor's documented answers: the action and the fields.
static ANSWERS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let examples: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/vendor/examples.json")).unwrap();
    let answer = |example: &Value| {
        (example["action"].as_str().unwrap().to_owned(), example["output"]["Response"].clone())
    };
    let answers: Vec<_> = examples.iter().map(answer).collect();
    assert!(answers.iter().all(|(_, fields)| fields.is_object()));
    answers
});

/// All names of fields in them.
fn names() -> Vec<String> {
    fn collect(value: &Value, names: &mut std::collections::BTreeSet<String>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
            Value::Object(fields) => {
                names.extend(fields.keys().cloned());
                fields.values().for_each(|value| collect(value, names));
            }
            _ => {}
        }
    }
    let mut names = std::collections::BTreeSet::from(["Error".to_owned(), "Code".to_owned()]);
    ANSWERS.iter().for_each(|(_, fields)| collect(fields, &mut names));
    names.into_iter().collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let telling = select(vec![
        "",
        "0",
        "-1",
        "RUNNING",
        "S5.LARGE8",
        "ins-0web0001",
        "2026-11-23T02:00:00Z",
        "9999-12-31T23:59:59Z",
        "-009999-01-01T00:00:00Z",
        "2026-02-30 25:61:61",
        "10.0.0.1",
        "::1",
        "1.2.3",
        "\u{0}",
        "漢",
        "NaN",
        "18446744073709551616",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), -2..3_i64].prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop_oneof![any::<f64>(), Just(f64::MAX), Just(-0.0), Just(1e-320)].prop_map(Value::from),
        telling.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let fields = prop::collection::vec((select(names()), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            fields.prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The n-th of a value's parts, itself being the first.
fn part<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(values) => values.iter_mut().find_map(|value| part(value, left)),
        Value::Object(fields) => fields.values_mut().find_map(|value| part(value, left)),
        _ => None,
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// A documented answer in which a few parts are replaced, or there twice.
fn changed_answer() -> impl Strategy<Value = (String, Value)> {
    let change = (any::<Index>(), prop_oneof![3 => any_json().prop_map(Some), 1 => Just(None)]);
    (select(ANSWERS.clone()), prop::collection::vec(change, 1..4)).prop_map(
        |((action, mut fields), changes)| {
            for (index, new) in changes {
                let mut at = index.index(size(&fields));
                let part = part(&mut fields, &mut at).unwrap();
                *part = new.unwrap_or_else(|| json!([part.clone(), part.clone()]));
            }
            (action, fields)
        },
    )
}

/// Opens the envelope as the client does; gives the fields.
fn opened(body: Vec<u8>) -> Option<Value> {
    wire::open(&Response { status: 200, body })?.outcome.ok()?
}

/// What does not fit is told in a few words, however large it is.
fn decoded(action: &str, fields: &Value) {
    if let Err(problem) = decode::check(action, fields) {
        assert!(!problem.is_empty() && problem.len() < 500, "{problem}");
    }
}

/// The same, taken for the answer to each action.
fn decoded_as_each(fields: &Value) {
    for action in decode::ACTIONS {
        decoded(action, fields);
    }
}

#[test]
fn changed_answers() {
    fuzz(2000, changed_answer, |(action, fields)| {
        decoded(action, fields);
        if let Some(fields) = opened(json!({ "Response": fields }).to_string().into_bytes()) {
            decoded(action, &fields);
        }
    });
}

#[test]
fn any_answers() {
    fuzz(1000, any_json, |fields| {
        opened(fields.to_string().into_bytes());
        opened(json!({ "Response": fields }).to_string().into_bytes());
        decoded_as_each(fields);
    });
}

#[test]
fn changed_bytes_of_answers() {
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        let body = |(_, fields): &(String, Value)| json!({ "Response": fields }).to_string().into_bytes();
        changed(ANSWERS.iter().map(body).collect())
    }
    fuzz(3000, bodies, |body| {
        if let Some(fields) = opened(body.clone()) {
            decoded_as_each(&fields);
        }
    });
}

#[test]
fn answers_that_nest_or_never_end() {
    let deep = ["[", "{\"a\":", "{\"Response\":"].map(|piece| piece.repeat(200_000));
    let wide =
        format!("{{\"Response\":{{\"RequestId\":\"r\",\"InstanceSet\":[{}{{}}]}}}}", "{},".repeat(200_000));
    let digits = format!("{{\"Response\":{{\"RequestId\":\"r\",\"TotalCount\":{}}}}}", "9".repeat(200_000));
    for body in deep.into_iter().chain([wide, digits]) {
        let begin = now();
        if let Some(fields) = opened(body.into_bytes()) {
            decoded_as_each(&fields);
        }
        assert!(begin.elapsed() < LONGEST);
    }
}
