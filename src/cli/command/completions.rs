//! `pitstop completions`: commands, options, words and files, completed by the shell.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::cli::args::{self, Arguments};
use crate::cli::exit::{Ending, Error};
use crate::cli::terminal::Terminal;

pub(in crate::cli) fn completions(terminal: &Terminal, args: &args::Completions) -> Result<Ending, Error> {
    let shell = match args.shell {
        args::Shell::Bash => Shell::Bash,
        args::Shell::Zsh => Shell::Zsh,
        args::Shell::Fish => Shell::Fish,
        args::Shell::Powershell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "pitstop", &mut script);
    let script = String::from_utf8_lossy(&script);
    match args.shell {
        args::Shell::Bash => terminal.data(&with_files(&script))?,
        _ => terminal.data(&script)?,
    }
    Ok(Ending::Well)
}

/// clap's script for Bash offers all options where a file is to come, so that the shell never gets to offer files.
/// A word that does not begin with `-` is no option: this takes them out before the shell looks at what is left.
fn with_files(script: &str) -> String {
    const WORDS: &str = r#"
_pitstop_words() {
    _pitstop "$@"
    if [[ $2 != -* ]]; then
        local word words=()
        for word in "${COMPREPLY[@]}"; do
            [[ $word == -* ]] || words+=("$word")
        done
        COMPREPLY=("${words[@]}")
    fi
}
"#;
    let registered = script.replace("complete -F _pitstop ", "complete -F _pitstop_words ");
    format!("{}{registered}", WORDS.trim_start())
}
