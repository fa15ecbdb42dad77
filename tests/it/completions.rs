//! Completions and manual pages, tried in the shells and formatters that are there, and the help of every command.

use std::fs;
use std::process::{Command, Stdio};

use crate::sealed::Sealed;

const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

/// The commands, as the help names them.
fn commands(sealed: &Sealed) -> Vec<String> {
    let help = sealed.pitstop(&["--help"]).stdout;
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<String> = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 11, "{names:?}");
    names
}

fn script(sealed: &Sealed, shell: &str) -> String {
    let done = sealed.pitstop(&["completions", shell]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{shell}");
    done.stdout
}

#[test]
fn every_shells_script_knows_every_command() {
    let sealed = Sealed::new();
    for shell in SHELLS {
        let script = script(&sealed, shell);
        for command in commands(&sealed) {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        assert!(script.contains("skip-refused"), "{shell}");
    }
    assert_eq!(sealed.pitstop(&["completions", "ksh"]).code, 2);
}

/// Runs a program on a file; `None` if this machine does not have it.
#[expect(clippy::print_stderr, reason = "who reads the test's output shall know what it did not see")]
fn run(sealed: &Sealed, program: &str, args: &[&str]) -> Option<(bool, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let command = Command::new(program)
        .args(args)
        .current_dir(sealed.home())
        .env_clear()
        .envs([("PATH", path.as_str()), ("HOME", sealed.home().to_str().unwrap()), ("LC_ALL", "C.UTF-8")])
        .stdin(Stdio::null())
        .output();
    let Ok(output) = command else {
        eprintln!("skipped: {program} is not on this machine");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn bash_completes_commands_options_words_and_files() {
    let sealed = Sealed::new();
    fs::write(sealed.home().join("pitstop.bash"), script(&sealed, "bash")).unwrap();
    fs::create_dir(sealed.home().join("in")).unwrap();
    fs::write(sealed.home().join("in/resize.yaml"), "").unwrap();
    let (sound, output) = run(&sealed, "bash", &["-n", "pitstop.bash"]).expect("bash is everywhere");
    assert!(sound, "{output}");
    // What bash does: the function first, and where it offers nothing, files.
    let asking = r#"
        source pitstop.bash
        complete -p pitstop
        cd in
        offer() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _pitstop_words pitstop "${@: -1}" "${@: -2:1}" 2>/dev/null
            [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "${@: -1}"))
            echo "${*:2} => ${COMPREPLY[*]}"
        }
        offer pitstop ru
        offer pitstop run --skip
        offer pitstop run --cloud ""
        offer pitstop run ""
        offer pitstop run res
        offer pitstop check ""
        offer pitstop run --sim-fleet ""
        offer pitstop init --start ""
        offer pitstop completions ""
    "#;
    let (_, output) = run(&sealed, "bash", &["--norc", "-c", asking]).unwrap();
    let mut lines = output.lines();
    let registered = lines.next().unwrap_or_default();
    assert!(registered.contains("-F _pitstop_words") && registered.contains("-o default"), "{output}");
    let expected = [
        "ru => run runs",
        "run --skip => --skip-refused",
        "run --cloud  => tencent sim",
        "run  => resize.yaml",
        "run res => resize.yaml",
        "check  => resize.yaml",
        "run --sim-fleet  => resize.yaml",
        "init --start  => as-found always never",
        "completions  => bash zsh fish powershell",
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{output}");
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let sealed = Sealed::new();
    for shell in ["zsh", "fish"] {
        fs::write(sealed.home().join(shell), script(&sealed, shell)).unwrap();
        if let Some((sound, output)) = run(&sealed, shell, &["-n", shell]) {
            assert!(sound && output.is_empty(), "{shell}: {output}");
        }
    }
    let asking = "source fish; complete -C 'pitstop run --skip'; complete -C 'pitstop run --cloud '";
    if let Some((sound, output)) = run(&sealed, "fish", &["--no-config", "-c", asking]) {
        assert!(sound && output.contains("--skip-refused") && output.contains("tencent"), "{output}");
    }
}

#[test]
fn every_command_has_a_manual_page_without_complaints() {
    let sealed = Sealed::new();
    let folder = sealed.home().join("man/man1");
    let done = sealed.pitstop(&["man", "--dir", folder.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let mut names = commands(&sealed);
    names.insert(0, String::new());
    assert_eq!(done.stdout.lines().count(), names.len());
    for name in &names {
        let page = if name.is_empty() { "pitstop.1".to_owned() } else { format!("pitstop-{name}.1") };
        let path = folder.join(&page);
        let text = fs::read_to_string(&path).unwrap();
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "EXAMPLES",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
            "FILES",
            "\"SEE ALSO\"",
        ] {
            assert!(text.contains(&format!("\n.SH {section}\n")), "{page} has no {section}");
        }
        let path = path.to_str().unwrap();
        if let Some((sound, output)) = run(&sealed, "groff", &["-man", "-ww", "-Tutf8", "-z", path]) {
            assert!(sound && output.is_empty(), "{page}: {output}");
        }
        if let Some((sound, output)) = run(&sealed, "mandoc", &["-Tlint", "-Werror", path]) {
            assert!(sound && output.is_empty(), "{page}: {output}");
        }
    }
}

#[test]
fn the_manual_page_on_stdout_is_pitstops_own() {
    let sealed = Sealed::new();
    let page = sealed.pitstop(&["man"]).stdout;
    for exit in pitstop::cli::Exit::ALL {
        assert!(page.contains(&format!("\\fB{}\\fR\n", exit.code())), "{exit:?}");
    }
    assert!(page.contains("TENCENTCLOUD_SECRET_ID") && page.contains("journal.db"), "{page}");
    let file = sealed.home().join("file");
    fs::write(&file, "").unwrap();
    let done = sealed.pitstop(&["man", "--dir", file.join("x").to_str().unwrap()]);
    assert_eq!(done.code, 5, "{}", done.stderr);
}

#[test]
fn the_help_of_every_command_has_examples_and_fits_80_columns() {
    let sealed = Sealed::new().with("COLUMNS", "80");
    let mut names = commands(&sealed);
    names.insert(0, String::new());
    for name in &names {
        for flag in ["--help", "-h"] {
            let args: Vec<&str> = [name.as_str(), flag].into_iter().filter(|word| !word.is_empty()).collect();
            let help = sealed.pitstop(&args).stdout;
            let wide = help.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "{name} {flag}");
            let examples = help.split("\nExample").nth(1).unwrap_or_else(|| panic!("{name} has no example"));
            assert!(examples.contains("\n  pitstop "), "{name}: {examples}");
        }
    }
}

#[test]
fn the_help_of_the_editors_commands() {
    let sealed = Sealed::new().with("COLUMNS", "80");
    for name in ["init", "schema", "completions", "man"] {
        insta::assert_snapshot!(format!("help_of_{name}"), sealed.pitstop(&[name, "-h"]).stdout);
    }
}
