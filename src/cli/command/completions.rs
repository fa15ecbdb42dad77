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
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Well)
}
