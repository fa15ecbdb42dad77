//! The command line: arguments to settings, settings to parts, commands, the terminal, exit codes.
//!
//! Level 5. Only here are concrete parts named (which client, which store, which clock), in `parts`; everything below
//! is handed them. stdout is data, stderr everything else; without a terminal nobody is asked anything. An error is
//! shown in one place, and its exit code is chosen in one match, in `exit`.

mod approval;
mod args;
mod block;
mod command;
mod core_dumps;
mod deliver;
mod environment;
mod exit;
mod keyboard;
mod live;
mod load;
mod operator;
mod parts;
mod past;
mod settings;
mod signals;
mod terminal;

pub use exit::Exit;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Arguments, Command};
use environment::Environment;
use exit::{Ending, Error, Kind, exit_code};
use terminal::Terminal;

/// The whole program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error).into(),
    };
    let environment = Environment::of_process();
    let common = &arguments.common;
    let terminal = Terminal::new(&environment, common.output, common.verbose > 0, common.lang);
    log_to(&terminal, arguments.common.verbose);
    report_panics(&terminal);
    if let Err(error) = core_dumps::forbid() {
        tracing::warn!(%error, "core dumps can't be switched off; a crash could write secrets to the disk");
    }
    guarded(|| run(&terminal, &environment, arguments)).into()
}

/// A panic is a bug of ours, and has an exit code of its own; what there is to say was said by the hook.
fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug)
}

fn run(terminal: &Terminal, environment: &Environment, arguments: Arguments) -> Exit {
    // One task does nearly all the work, and every thread that allocates keeps memory of its own.
    let came_to = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => {
            let came_to = runtime.block_on(dispatch(terminal, environment, arguments));
            // A prompt that nobody answers must not keep the process.
            runtime.shutdown_background();
            came_to
        }
        Err(error) => Err(Error::new(Kind::CouldNotBegin, format!("can't start: {error}"))),
    };
    let exit = exit_code(&came_to);
    if let Err(error) = &came_to
        && error.kind != Kind::BrokenPipe
    {
        terminal.error(error, exit);
    }
    exit
}

async fn dispatch(
    terminal: &Terminal,
    environment: &Environment,
    arguments: Arguments,
) -> Result<Ending, Error> {
    let state = arguments.common.state.as_deref();
    match arguments.command {
        Command::Check(args) => command::check::check(terminal, args),
        Command::Plan(args) => command::plan::plan(terminal, environment, state, args).await,
        Command::Run(args) => command::run::run(terminal, environment, state, args).await,
        Command::Resume(args) => command::resume::resume(terminal, environment, state, args).await,
        Command::Runs => command::runs::runs(terminal, environment, state).await,
        Command::Show(args) => command::runs::show(terminal, environment, state, args).await,
        Command::Policy(args) => command::policy::policy(terminal, environment, args).await,
        Command::Doctor(args) => command::doctor::doctor(terminal, environment, state, args).await,
        Command::Explain(args) => command::explain::explain(terminal, &args),
        Command::Sim(args) => command::sim::sim(terminal, args).await,
        Command::Init(args) => command::init::init(terminal, environment, *args).await,
        Command::Schema => command::schema::schema(terminal),
        Command::Completions(args) => command::completions::completions(terminal, &args),
        Command::Man(args) => command::man::man(terminal, &args),
    }
}

/// Help and version are no errors; everything else is a wrong command line.
fn usage(error: &clap::Error) -> Exit {
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (true, _) => Exit::Usage,
        (false, Ok(())) => Exit::Well,
        (false, Err(error)) => exit_code(&Err(error.into())),
    }
}

/// Logs go to stderr, above the board, without colour codes where there is no terminal.
fn log_to(terminal: &Terminal, verbose: u8) {
    // That the journal of a large fleet takes a second to read is nothing to warn of.
    let level = match verbose {
        0 => "warn,sqlx::query=error",
        1 => "pitstop=info,warn,sqlx::query=error",
        2 => "pitstop=debug,warn,sqlx::query=error",
        _ => "pitstop=trace,debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_ansi(terminal.screen().stderr_colour)
        .with_writer(terminal.clone())
        .init();
}

/// From here on a panic is reported as the program does it: its message and its place on stderr, without a backtrace,
/// which could show more than it should.
pub fn report_panics_of_process() {
    report_panics(&Terminal::new(&Environment::of_process(), args::Output::Human, false, None));
}

/// A panic is a bug of ours: say so, and that nothing is lost.
fn report_panics(terminal: &Terminal) {
    let terminal = terminal.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no message");
        terminal.say(&format!(
            "error: this is a bug in pitstop {}: {what} ({place})\n\
             hint: please report it with this line and what you ran\n\
             hint: the journal is safe; `pitstop runs` shows unfinished runs, `pitstop resume` takes one up again",
            env!("CARGO_PKG_VERSION"),
        ));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_1() {
        assert_eq!(guarded(|| panic!("a bug")), Exit::Bug);
        assert_eq!(guarded(|| Exit::Failures), Exit::Failures);
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    /// An example that can't be typed would be worse than none.
    #[test]
    fn every_example_of_the_help_is_understood() {
        use clap::CommandFactory;
        let mut root = Arguments::command();
        root.build();
        let mut examples = 0;
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            // A line that goes on is one line; a comment stands two blanks apart, or more.
            let lines = help.replace("\\\n      ", "");
            for line in lines.lines().map(str::trim).filter(|line| line.starts_with("pitstop ")) {
                let typed = line.split("  ").next().unwrap_or_default();
                let own = [" | ", " > ", " >> "]
                    .iter()
                    .fold(typed, |typed, end| typed.split(end).next().unwrap_or_default());
                let words = own.trim_end_matches(" &").split(' ');
                let understood = Arguments::try_parse_from(words);
                assert!(understood.is_ok(), "{line}: {}", understood.unwrap_err());
                examples += 1;
            }
        }
        assert!(examples >= 20, "{examples}");
    }

    #[test]
    fn every_long_option_has_a_variable() {
        use clap::CommandFactory;
        let mut root = Arguments::command();
        root.build();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            for option in command.get_arguments().filter(|option| option.get_long().is_some()) {
                let name = option.get_long().unwrap_or_default();
                let variable = option.get_env().map(|name| name.to_string_lossy().into_owned());
                match name {
                    "help" | "version" => assert_eq!(variable, None),
                    _ => assert!(variable.is_some_and(|v| v.starts_with("PITSTOP_")), "--{name}"),
                }
            }
        }
    }
}
