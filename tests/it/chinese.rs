//! The program as a person meets it who reads Chinese.

use crate::sealed::Sealed;
use crate::terminal::{Screen, resize};

const QUESTION: &str = "将 2 台实例关机并执行以上更改吗？";

/// Latin words that stand in Chinese text: names of this program and its commands, of things, and of units.
const WORDS: [&str; 22] = [
    "pitstop", "run", "show", "resume", "resize", "plan", "explain", "GiB", "CNY", "SSH", "Ctrl", "CPU",
    "IP", "ID", "y", "n", "c", "N", "a", "tccli", "cvm", "root",
];

/// Words that are left over in English: those of letters alone that are no name, key or code.
fn english(text: &str) -> Vec<&str> {
    let is_name = |word: &str| word.chars().any(|c| c.is_ascii_digit() || "-_./`$:".contains(c));
    text.split(|c: char| !(c.is_ascii_graphic()) || "()[],;".contains(c))
        .filter(|word| !word.is_empty() && !is_name(word))
        .filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()) && !WORDS.contains(word))
        .collect()
}

fn assert_chinese(text: &str) {
    assert_eq!(english(text), [""; 0], "left over in\n{text}");
}

#[test]
fn a_whole_run_speaks_chinese() {
    let sealed = Sealed::new();
    for columns in [60, 80, 160] {
        let mut args = resize("20").to_vec();
        args.extend(["--lang", "zh-CN"]);
        let mut screen = Screen::open(&sealed, columns, &args);
        screen.wait_for(QUESTION);
        assert_chinese(&screen.text());
        screen.press("y\r");
        screen.wait_for("▸ web-1");
        assert_chinese(screen.text().replace("yes", "").as_str());
        screen.wait_for("✓ web-1");
        assert_eq!(screen.end(), 0, "{}", screen.text());
        let text = screen.text();
        assert!(text.contains("共 2 台实例，2 台完成"), "{text}");
        assert!(!text.contains("已结束 "), "the board is gone when the run has ended: {text}");
        assert_chinese(text.replace("yes", "").as_str());
    }
}

#[test]
fn a_run_that_is_not_wanted_or_interrupted_is_told_in_chinese() {
    let sealed = Sealed::new().with("LANG", "zh_CN.UTF-8");
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("n\r");
    assert_eq!(screen.end(), 4);
    assert!(screen.text().contains("错误：计划未被确认；没有实例被关机"), "{}", screen.text());
    let mut screen = Screen::open(&sealed, 100, &resize("5"));
    screen.wait_for(QUESTION);
    screen.press("y\r");
    screen.wait_for("▸ web-1");
    screen.press(crate::terminal::CTRL_C);
    screen.wait_for("Ctrl-C：不再开始新的操作");
    assert_eq!(screen.end(), 7, "{}", screen.text());
    assert!(screen.text().contains("web-2 (ins-0web0002)：未开始"), "{}", screen.text());
}

#[test]
fn instances_are_chosen_in_chinese() {
    let sealed = Sealed::new().with("PITSTOP_LANG", "zh-CN");
    let mut screen = Screen::open(&sealed, 60, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("c\r");
    screen.wait_for("空格勾选或取消");
    screen.press(" \r");
    screen.wait_for("将 1 台实例关机并执行以上更改吗？");
    let text = screen.text();
    assert!(!text.contains("空格勾选或取消"), "the list is gone when it was answered:\n{text}");
    screen.press("n\r");
    assert_eq!(screen.end(), 4);
}

#[test]
fn refusals_are_told_in_chinese() {
    let sealed = Sealed::new();
    let args = [
        "plan",
        "tests/fixtures/cli/awkward.yaml",
        "--set",
        "type=S5.LARGE8",
        "--cloud",
        "sim",
        "--lang",
        "zh-CN",
    ];
    let told = sealed.pitstop(&args);
    assert_eq!(told.code, 4);
    insta::assert_snapshot!("chinese_refused_plan", told.transcript());
}

#[test]
fn the_language_is_that_of_the_option_the_variable_or_the_locale() {
    let speaks_chinese = |variables: &[(&str, &str)], args: &[&str]| {
        let sealed = variables.iter().fold(Sealed::new(), |sealed, (name, value)| sealed.with(name, value));
        let told = sealed.pitstop(&[&["explain", "sold-out"], args].concat());
        assert_eq!(told.code, 0, "{}", told.stderr);
        told.stdout.contains("售罄")
    };
    assert!(!speaks_chinese(&[], &[]));
    assert!(speaks_chinese(&[], &["--lang", "zh-CN"]));
    assert!(speaks_chinese(&[("PITSTOP_LANG", "zh_CN.UTF-8")], &[]));
    assert!(speaks_chinese(&[("LANG", "zh_CN.UTF-8")], &[]));
    assert!(speaks_chinese(&[("LANG", "C.UTF-8"), ("LC_MESSAGES", "zh_CN.UTF-8")], &[]));
    assert!(!speaks_chinese(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")], &[]));
    assert!(!speaks_chinese(&[("LANG", "zh_CN.UTF-8")], &["--lang", "en"]));
    assert!(!speaks_chinese(&[("LANG", "zh_TW.UTF-8")], &[]));
    assert!(!speaks_chinese(&[("LANG", "zh_CN.GB18030")], &[]), "it could not be shown");
    let unknown = Sealed::new().pitstop(&["explain", "sold-out", "--lang", "fr"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.stderr.contains("there is English (en) and simplified Chinese (zh-CN)"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn what_programs_read_is_the_same_in_every_language() {
    let sealed = Sealed::new();
    let same = [
        vec!["plan", "workflows/resize.yaml", "--cloud", "sim", "--output", "json"],
        vec![
            "plan",
            "tests/fixtures/cli/awkward.yaml",
            "--set",
            "type=S5.LARGE8",
            "--cloud",
            "sim",
            "--output",
            "json",
        ],
        vec!["explain", "--output", "json"],
        vec!["run", "workflows/resize.yaml", "--cloud", "sim", "--output", "json"],
    ];
    for args in same {
        let english = sealed.pitstop(&args);
        let chinese = sealed.pitstop(&[&args[..], &["--lang", "zh-CN"]].concat());
        assert_eq!((english.code, &english.stdout), (chinese.code, &chinese.stdout), "{args:?}");
        assert!(!english.stdout.is_empty());
    }
}

#[test]
fn codes_are_explained_in_chinese() {
    let sealed = Sealed::new();
    for code in ["sold-out", "timed-out", "8", "AuthFailure.SignatureExpire", "UnsupportedOperation.BrandNew"]
    {
        let told = sealed.pitstop(&["explain", code, "--lang", "zh-CN"]);
        insta::assert_snapshot!(format!("chinese_{code}"), told.transcript());
    }
    let all = sealed.pitstop(&["explain", "--lang", "zh-CN"]);
    insta::assert_snapshot!("chinese_all_codes", all.stdout);
}
