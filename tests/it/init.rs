//! `pitstop init`: by options alone, and as a conversation at a terminal. Whatever it writes, `check` passes it.

use std::fs;
use std::path::PathBuf;

use crate::sealed::Sealed;
use crate::terminal::{CTRL_C, Screen};

const DOWN: &str = "\u{1b}[B";
const SPACE: &str = " ";
const RETURN: &str = "\r";

/// The least that options have to say.
const LEAST: [&str; 6] =
    ["--region", "ap-guangzhou", "--instances", "ins-0web0001,ins-0web0002", "--resize", "S5.LARGE8"];

fn beside(sealed: &Sealed, name: &str) -> (PathBuf, String) {
    let path = sealed.home().join(name);
    let text = path.display().to_string();
    (path, text)
}

#[test]
fn options_alone_are_enough() {
    let sealed = Sealed::new();
    let (path, file) = beside(&sealed, "resize-web.yaml");
    let done = sealed.pitstop(&[&["init", &file], &LEAST[..]].concat());
    assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    assert!(done.stderr.contains(&format!("pitstop plan {file}")), "{}", done.stderr);
    let text = fs::read_to_string(&path).unwrap();
    insta::assert_snapshot!(text);
    let schema = fs::read_to_string(sealed.home().join("pitstop.schema.json")).unwrap();
    assert_eq!(schema, sealed.pitstop(&["schema"]).stdout);
    assert_eq!(sealed.pitstop(&["check", &file]).code, 0);
    let plan = sealed.pitstop(&["plan", &file, "--cloud", "sim", "--sim-speed", "200"]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
}

#[test]
fn every_way_to_answer_by_options_makes_a_workflow_that_check_passes() {
    let sealed = Sealed::new();
    let targets: [&[&str]; 3] = [
        &["--instances", "ins-0web0001"],
        &["--match-name", "web-*", "--at-most", "3"],
        &["--match-tags", "role=web,on=yes"],
    ];
    let changes: [&[&str]; 8] = [
        &["--resize", "S5.LARGE8"],
        &["--password-from", "env=NEW_PASSWORD", "--user", "root"],
        &["--password-from", "file=/run/secrets/new"],
        &["--password-from", "prompt"],
        &["--password-from", "generate=new.txt"],
        &["--password-from", "command=pass show cvm/root", "--key", "skey-0ops0001"],
        &["--key-name", "ops", "--keep-existing"],
        &["--resize", "S5.LARGE8", "--password-from", "prompt", "--public-key-file", "ops.pub"],
    ];
    let after: [&[&str]; 3] = [&[], &["--start", "never"], &["--start", "always", "--check-ports", "22,443"]];
    fs::copy(
        "tests/fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub",
        sealed.home().join("ops.pub"),
    )
    .unwrap();
    let mut files = Vec::new();
    for (target, change) in targets.iter().flat_map(|target| changes.map(|change| (*target, change))) {
        let (_, file) = beside(&sealed, &format!("{}.yaml", files.len()));
        let after = after[files.len() % after.len()];
        let args = [&["init", &file, "--region", "ap-guangzhou"], target, change, after].concat();
        let done = sealed.pitstop(&args);
        assert_eq!(done.code, 0, "{args:?}: {}", done.stderr);
        files.push(file);
    }
    let args: Vec<&str> = std::iter::once("check").chain(files.iter().map(String::as_str)).collect();
    let checked = sealed.pitstop(&args);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert_eq!(checked.stdout.matches(": valid").count(), 24, "{}", checked.stdout);
}

#[test]
fn a_dash_is_stdout_and_nothing_is_written() {
    let sealed = Sealed::new();
    let done = sealed.pitstop(&[&["init", "-"], &LEAST[..]].concat());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(
        done.stdout.starts_with("# yaml-language-server: $schema=./pitstop.schema.json\n"),
        "{}",
        done.stdout
    );
    assert_eq!(fs::read_dir(sealed.home()).unwrap().count(), 0);
}

#[test]
fn for_programs_it_says_what_it_wrote() {
    let sealed = Sealed::new();
    let (_, file) = beside(&sealed, "x.yaml");
    let args = [&["init", &file, "--output", "json"], &LEAST[..]].concat();
    let done = sealed.pitstop(&args);
    let line: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(line["written"][0], file.as_str());
}

#[test]
fn nothing_is_ever_overwritten() {
    let sealed = Sealed::new();
    let (path, file) = beside(&sealed, "x.yaml");
    fs::write(&path, "mine").unwrap();
    let (schema, _) = beside(&sealed, "pitstop.schema.json");
    fs::write(&schema, "mine too").unwrap();
    let done = sealed.pitstop(&[&["init", &file], &LEAST[..]].concat());
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("is there already"), "{}", done.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    let (_, other) = beside(&sealed, "other.yaml");
    assert_eq!(sealed.pitstop(&[&["init", &other], &LEAST[..]].concat()).code, 0);
    assert_eq!(fs::read_to_string(&schema).unwrap(), "mine too");
    // A link that leads nowhere is there as well.
    let (link, named) = beside(&sealed, "link.yaml");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert_eq!(sealed.pitstop(&[&["init", &named], &LEAST[..]].concat()).code, 2);
    assert!(!sealed.home().join("nowhere").exists());
}

#[test]
fn without_a_terminal_what_is_missing_is_named() {
    let sealed = Sealed::new();
    let done = sealed.pitstop(&["init"]);
    assert_eq!(done.code, 2);
    for name in
        ["FILE", "--region", "--instances", "--match-tags", "--resize", "--password-from", "--key-name"]
    {
        assert!(done.stderr.contains(name), "{name}: {}", done.stderr);
    }
    let done = sealed.pitstop(&["init", "x.yaml", "--region", "ap-guangzhou", "--key-name", "ops"]);
    assert!(done.stderr.contains("--instances") && !done.stderr.contains("--region"), "{}", done.stderr);
}

#[test]
fn wrong_answers_are_named_by_their_options_and_a_password_is_not_repeated() {
    let sealed = Sealed::new();
    let args = ["init", "-", "--region", "guangzhou", "--instances", "web-1", "--resize", "s5.large8"];
    let done = sealed.pitstop(&args);
    assert_eq!(done.code, 2);
    for part in
        ["--region: `guangzhou` is not", "--instances: `web-1` is not", "--resize: `s5.large8` is not"]
    {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    for source in ["Zx9-canary-42", "env=Zx9-canary-42", "password=Zx9-canary-42"] {
        let done = sealed.pitstop(&[&["init", "-", "--password-from", source], &LEAST[..]].concat());
        assert_eq!(done.code, 2);
        assert!(!format!("{}{}", done.stdout, done.stderr).contains("Zx9"), "{}", done.stderr);
    }
    let useless = [&["init", "-", "--keep-existing"], &LEAST[..]].concat();
    assert_eq!(sealed.pitstop(&useless).code, 2);
}

fn conversation(file: &str) -> [&str; 6] {
    ["init", file, "--cloud", "sim", "--sim-speed", "200"]
}

#[test]
fn a_conversation_makes_the_workflow() {
    let sealed = Sealed::new();
    let (path, file) = beside(&sealed, "talk.yaml");
    let mut screen = Screen::open(&sealed, 100, &conversation(&file));
    screen.wait_for("Region [ap-guangzhou]");
    screen.press("guangzhou\r");
    screen.wait_for("did you mean `ap-guangzhou`?");
    screen.press(RETURN);
    screen.wait_for("some of them, by id");
    screen.press(RETURN);
    screen.wait_for("balanced-checked");
    screen.press(RETURN);
    screen.wait_for("mark one at least");
    screen.press(&[SPACE, DOWN, DOWN, SPACE, RETURN].concat());
    screen.wait_for("Instances: balanced-checked, batch-1");
    screen.press(&[SPACE, DOWN, SPACE, DOWN, SPACE, RETURN].concat());
    screen.wait_for("New type, of those that all of them can have now");
    screen.wait_for("S5.LARGE8");
    screen.press(&[DOWN, RETURN].concat());
    screen.wait_for("made up, and saved to a file");
    screen.press(RETURN);
    screen.wait_for("Name of the variable [NEW_PASSWORD]");
    screen.press("1X\r");
    screen.wait_for("must be the name of an environment variable");
    screen.press("OPS_PASSWORD\r");
    screen.wait_for("User (empty");
    screen.press("ubuntu\r");
    screen.wait_for("skey-0ops0001");
    screen.press(&[DOWN, RETURN].concat());
    screen.wait_for("Shall keys that are bound already stay bound");
    screen.press(RETURN);
    screen.wait_for("those that ran");
    screen.press(&[DOWN, RETURN].concat());
    screen.wait_for("Ports that must answer");
    screen.press("22\r");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(screen.text().contains("--cloud sim"), "the next command can be copied: {}", screen.text());
    let text = fs::read_to_string(&path).unwrap();
    for part in [
        "name: talk\n",
        "- ins-0lbchk01   # balanced-checked, S5.MEDIUM4\n",
        "- ins-0batch01   # batch-1, S5.2XLARGE16\n",
        "user: ubuntu\n",
        "password: { env: OPS_PASSWORD }",
        "name: ops\n",
        "keep-existing: true",
        "start: always",
        "tcp: { port: 22, timeout: 2m }",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(sealed.pitstop(&["check", &file]).code, 0);
}

#[test]
fn a_match_shows_what_it_finds_and_the_file_is_asked_for_last() {
    let sealed = Sealed::new();
    let (path, file) = beside(&sealed, "by tag.yaml");
    let args =
        ["init", "--cloud", "sim", "--region", "ap-guangzhou", "--key-name", "ops", "--sim-speed", "200"];
    let mut screen = Screen::open(&sealed, 100, &args);
    screen.wait_for("all that fit a name or tags");
    screen.press(&[DOWN, RETURN].concat());
    screen.wait_for("Name (*");
    screen.press(RETURN);
    screen.wait_for("Tags like");
    screen.press("role\r");
    screen.wait_for("is not a tag");
    screen.press("role=web\r");
    screen.wait_for("web-1, web-2");
    screen.wait_for("Refuse to run if more are found than");
    screen.press(RETURN);
    screen.wait_for("those that ran");
    screen.press(&[DOWN, DOWN, RETURN].concat());
    screen.wait_for("Write it to [key.yaml]");
    screen.press(&format!("{file}\r"));
    assert_eq!(screen.end(), 0, "{}", screen.text());
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("role: web") && text.contains("at-most: 3") && text.contains("start: never"),
        "{text}"
    );
    assert!(!text.contains("check:"), "what is left stopped can't be checked: {text}");
    assert!(screen.text().contains(&format!("pitstop plan '{file}' --cloud sim")), "{}", screen.text());
}

#[test]
fn ctrl_c_leaves_nothing_behind_and_gives_the_terminal_back() {
    let waits = ["Region [ap-guangzhou]", "some of them, by id", "balanced-checked"];
    for last in 0..waits.len() {
        let sealed = Sealed::new();
        let (_, file) = beside(&sealed, "never.yaml");
        let mut screen = Screen::open(&sealed, 100, &conversation(&file));
        for (question, wanted) in waits.iter().enumerate().take(last + 1) {
            screen.wait_for(wanted);
            if question < last {
                screen.press(RETURN);
            }
        }
        screen.press(CTRL_C);
        assert_eq!(screen.end(), 4, "{}", screen.text());
        assert!(screen.text().contains("nothing was written"), "{}", screen.text());
        assert!(!screen.hides_the_cursor());
        assert!(screen.echoes());
        assert_eq!(fs::read_dir(sealed.home()).unwrap().count(), 0);
    }
}

#[test]
fn without_an_account_the_answers_are_typed() {
    let sealed = Sealed::new();
    let (path, file) = beside(&sealed, "typed.yaml");
    let mut screen = Screen::open(&sealed, 100, &["init", &file, "--endpoint", "http://127.0.0.1:9"]);
    screen.wait_for("Region");
    screen.press(RETURN);
    screen.wait_for("the account can't be read");
    screen.wait_for("some of them, by id");
    screen.press(RETURN);
    screen.wait_for("Instance ids");
    screen.press("ins-0web0001 ins-0web0002\r");
    screen.wait_for("the type (cores");
    screen.press(&[SPACE, RETURN].concat());
    screen.wait_for("New type, like");
    screen.press("S5.LARGE8\r");
    screen.wait_for("those that ran");
    screen.press(RETURN);
    screen.wait_for("Ports");
    screen.press(RETURN);
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(fs::read_to_string(&path).unwrap().contains("- ins-0web0002\n"));
}

#[test]
fn a_dumb_terminal_is_asked_nothing() {
    let sealed = Sealed::new().with("TERM", "dumb");
    let mut screen = Screen::open(&sealed, 100, &["init", "--cloud", "sim"]);
    assert_eq!(screen.end(), 2, "{}", screen.text());
}
