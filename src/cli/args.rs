//! The command line's words. Every long option can be given by an environment variable `PITSTOP_…` as well.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::SignedDuration;

use super::exit::Exit;
use crate::report::Language;
use crate::tencent::Api;

/// Stop cloud instances, change what can only be changed while they are stopped, and bring them back
#[derive(Debug, Parser)]
#[command(name = "pitstop", version, about, after_help = after_help(), max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

fn after_help() -> String {
    format!(
        "Examples:\n  \
         pitstop run workflows/resize.yaml --cloud sim  try it; no account needed\n  \
         pitstop init                                   write a workflow of your own\n  \
         pitstop plan resize.yaml                       what would happen; no change\n  \
         pitstop run resize.yaml                        plan, ask, stop, change, start\n  \
         pitstop run resize.yaml --yes --output json    from a scheduled job\n\n\
         Exit codes:\n{}",
        Exit::table()
    )
}

/// What every command takes.
#[derive(Args, Debug)]
pub(super) struct Common {
    /// Where journals are kept [default: pitstop/journal.db in the state folder, e.g. ~/.local/state]
    #[arg(
        long,
        global = true,
        value_name = "sqlite:PATH",
        env = "PITSTOP_STATE",
        hide_env_values = true,
        help_heading = "Common options"
    )]
    pub(super) state: Option<String>,
    /// What is written to stdout
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        env = "PITSTOP_OUTPUT",
        hide_env_values = true,
        default_value = "human",
        help_heading = "Common options"
    )]
    pub(super) output: Output,
    /// The language of plan, questions, board, verdicts and explanations: en or zh-CN [default: the locale's]
    #[arg(
        long,
        global = true,
        value_name = "LANGUAGE",
        env = "PITSTOP_LANG",
        hide_env_values = true,
        help_heading = "Common options"
    )]
    pub(super) lang: Option<Language>,
    /// Log to stderr: -v what is called, -vv what is answered
    #[arg(short, long, global = true, action = ArgAction::Count, env = "PITSTOP_VERBOSE", hide_env_values = true, help_heading = "Common options")]
    pub(super) verbose: u8,
}

/// What is written to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Text for people.
    Human,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check workflow files; asks no cloud
    #[command(after_help = "Example:\n  pitstop check workflows/*.yaml")]
    Check(Check),
    /// Show what a run would do; touches nothing
    #[command(
        after_help = "Examples:\n  pitstop plan resize.yaml --set type=S5.LARGE8\n  pitstop plan resize.yaml --output json | jq .changes"
    )]
    Plan(Plan),
    /// Plan, ask, then stop, change, start and check
    #[command(
        after_help = "Examples:\n  pitstop run workflows/resize.yaml --cloud sim\n  pitstop run resize.yaml --set type=S5.LARGE8\n  pitstop run resize.yaml --yes --output json"
    )]
    Run(Run),
    /// Take an interrupted run up again
    #[command(
        after_help = "Examples:\n  pitstop resume             the only unfinished run\n  pitstop resume 0199d2c4    by the beginning of its id"
    )]
    Resume(Resume),
    /// List the runs that the journal knows
    #[command(after_help = "Example:\n  pitstop runs\n  pitstop runs --output json | jq -r .id")]
    Runs,
    /// Tell what happened in a run
    #[command(
        after_help = "Examples:\n  pitstop show 0199d2c4\n  pitstop show 0199d2c4 --html run.html --junit run.xml\n  pitstop show 0199d2c4 --markdown >> $GITHUB_STEP_SUMMARY"
    )]
    Show(Show),
    /// Print the least access policy (CAM) that a workflow needs
    #[command(
        after_help = "Examples:\n  pitstop policy resize.yaml > policy.json\n  pitstop policy nightly.yaml --account 100000000001 --offline"
    )]
    Policy(Policy),
    /// Look at what a run needs: credentials, network, permissions, journal, terminal
    #[command(
        after_help = "Examples:\n  pitstop doctor --region ap-guangzhou\n  pitstop doctor resize.yaml    also what this workflow may read"
    )]
    Doctor(Doctor),
    /// Tell what a code means and what to do about it
    #[command(
        after_help = "Examples:\n  pitstop explain sold-out\n  pitstop explain 8                      an exit code\n  pitstop explain InvalidParameterValue  a code of the vendor's\n  pitstop explain                        all codes"
    )]
    Explain(Explain),
    /// Serve a simulated cloud that speaks the vendor's protocol
    #[command(
        after_help = "Example:\n  pitstop sim --speed 10 &\n  pitstop run workflows/resize.yaml --endpoint http://127.0.0.1:9797"
    )]
    Sim(Sim),
    /// Ask what is to be done, and write a workflow that does it
    #[command(after_help = INIT_EXAMPLES)]
    Init(Box<Init>),
    /// Print the JSON Schema of the workflow language, for editors
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema,
    /// Print a script that completes commands, options and files in a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print the manual page, or write one for every command
    #[command(after_help = MAN_EXAMPLES)]
    Man(Man),
}

const INIT_EXAMPLES: &str = "Examples:
  pitstop init --cloud sim           on a simulated cloud, no account needed
  pitstop init resize-web.yaml       asks for what no option says
  pitstop init - --region ap-guangzhou --match-tags role=web --at-most 20 \\
      --resize S5.LARGE8             asks nothing, and writes to stdout";

const SCHEMA_EXAMPLES: &str = "Example:
  pitstop schema > pitstop.schema.json
  echo '# yaml-language-server: $schema=./pitstop.schema.json' > resize.yaml";

const COMPLETIONS_EXAMPLES: &str = "Examples:
  pitstop completions bash > ~/.local/share/bash-completion/completions/pitstop
  pitstop completions zsh > ~/.zfunc/_pitstop      with fpath+=~/.zfunc
  pitstop completions fish > ~/.config/fish/completions/pitstop.fish
  pitstop completions powershell >> $PROFILE";

const MAN_EXAMPLES: &str = "Examples:
  pitstop man | man -l -
  pitstop man --dir ~/.local/share/man/man1    then: man pitstop-run";

#[derive(Args, Debug)]
pub(super) struct Check {
    /// Workflow files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) values: Values,
}

/// Values for the workflow's params.
#[derive(Args, Debug)]
pub(super) struct Values {
    /// Give a param of the workflow a value; may be repeated (in the variable: one a line)
    #[arg(long = "set", value_name = "NAME=VALUE", env = "PITSTOP_SET", hide_env_values = true, value_delimiter = '\n', value_parser = name_and_value)]
    pub(super) set: Vec<(String, String)>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn action_and_number(text: &str) -> Result<(String, u32), String> {
    let (action, number) = name_and_value(text)?;
    if !Api::ALL.iter().any(|api| api.name() == action) {
        let all: Vec<_> = Api::ALL.iter().map(|api| api.name()).collect();
        return Err(format!("pitstop never calls `{action}`; it calls {}", all.join(", ")));
    }
    match number.trim().parse() {
        Ok(number) if number > 0 => Ok((action, number)),
        _ => Err("write it as ACTION=NUMBER, e.g. ResetInstancesType=5".to_owned()),
    }
}

/// Which cloud to work on.
#[derive(Args, Debug)]
pub(super) struct Cloud {
    /// The cloud; `sim` is a simulated one inside this process, with a demo fleet
    #[arg(
        long = "cloud",
        value_name = "CLOUD",
        env = "PITSTOP_CLOUD",
        hide_env_values = true,
        default_value = "tencent"
    )]
    pub(super) name: CloudName,
    /// Another endpoint of the vendor's API; plain http only to this machine
    #[arg(long, value_name = "URL", env = "PITSTOP_ENDPOINT", hide_env_values = true)]
    pub(super) endpoint: Option<String>,
    /// Send at most so many calls of an action in a second, to leave the rest of the account's limit in the region to
    /// others; may be repeated (in the variable: one a line)
    #[arg(long, value_name = "ACTION=NUMBER", env = "PITSTOP_LIMIT", hide_env_values = true, value_delimiter = '\n', value_parser = action_and_number)]
    pub(super) limit: Vec<(String, u32)>,
    /// Use this share of the region's limit for looking at instances
    #[arg(long, value_name = "PERCENT", env = "PITSTOP_READ_SHARE", hide_env_values = true, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(super) read_share: u8,
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", env = "PITSTOP_CA_FILE", hide_env_values = true)]
    pub(super) ca_file: Option<PathBuf>,
    /// The simulated cloud's instances, keys and prices
    #[arg(
        long,
        value_name = "FILE",
        env = "PITSTOP_SIM_FLEET",
        hide_env_values = true,
        help_heading = "With a simulated cloud"
    )]
    pub(super) sim_fleet: Option<PathBuf>,
    /// How many times faster than the real cloud it is, or the one behind --endpoint
    #[arg(long, value_name = "FACTOR", env = "PITSTOP_SIM_SPEED", hide_env_values = true, default_value_t = 1.0, value_parser = speed, help_heading = "With a simulated cloud")]
    pub(super) sim_speed: f64,
    /// Faults to inject into it
    #[arg(
        long,
        value_name = "FILE",
        env = "PITSTOP_SIM_FAULTS",
        hide_env_values = true,
        help_heading = "With a simulated cloud"
    )]
    pub(super) sim_faults: Option<PathBuf>,
    /// The beginning of its chance
    #[arg(
        long,
        value_name = "NUMBER",
        env = "PITSTOP_SIM_SEED",
        hide_env_values = true,
        default_value_t = 1,
        help_heading = "With a simulated cloud"
    )]
    pub(super) sim_seed: u64,
}

/// The clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CloudName {
    /// Tencent Cloud CVM.
    Tencent,
    /// A simulated one inside this process.
    Sim,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 1000".to_owned()),
    }
}

#[derive(Args, Debug)]
pub(super) struct Plan {
    /// The workflow file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) values: Values,
    #[command(flatten)]
    pub(super) cloud: Cloud,
}

#[derive(Args, Debug)]
pub(super) struct Run {
    /// The workflow file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) values: Values,
    /// Approve the plan without being asked
    #[arg(long, short, env = "PITSTOP_YES", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) yes: bool,
    /// Leave out the instances that the plan refuses, and run the others
    #[arg(long, env = "PITSTOP_SKIP_REFUSED", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) skip_refused: bool,
    #[command(flatten)]
    pub(super) cloud: Cloud,
}

#[derive(Args, Debug)]
pub(super) struct Resume {
    /// The run's id or its beginning; the only unfinished run if left out
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
    #[command(flatten)]
    pub(super) cloud: Cloud,
}

#[derive(Args, Debug)]
pub(super) struct Show {
    /// The run's id or its beginning
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Write it as one HTML page that needs nothing else; without FILE, or with `-`, to stdout
    #[arg(long, value_name = "FILE", env = "PITSTOP_HTML", hide_env_values = true, num_args = 0..=1, default_missing_value = "-", help_heading = "Documents")]
    pub(super) html: Option<PathBuf>,
    /// Write it as Markdown, e.g. for a ticket
    #[arg(long, value_name = "FILE", env = "PITSTOP_MARKDOWN", hide_env_values = true, num_args = 0..=1, default_missing_value = "-", help_heading = "Documents")]
    pub(super) markdown: Option<PathBuf>,
    /// Write it as JUnit XML, as CI systems read it
    #[arg(long, value_name = "FILE", env = "PITSTOP_JUNIT", hide_env_values = true, num_args = 0..=1, default_missing_value = "-", help_heading = "Documents")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Policy {
    /// The workflow file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) values: Values,
    /// The main account's uin [default: the account that the policy is made in]
    #[arg(long, value_name = "UIN", env = "PITSTOP_ACCOUNT", hide_env_values = true, value_parser = uin)]
    pub(super) account: Option<String>,
    /// The instances are prepaid: allow the payment of their resize as well
    #[arg(long, env = "PITSTOP_PREPAID", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) prepaid: bool,
    /// Ask no cloud what a match finds, and allow every instance of the region
    #[arg(long, env = "PITSTOP_OFFLINE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) offline: bool,
    #[command(flatten)]
    pub(super) cloud: Cloud,
}

fn uin(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("uin/").unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(digits.to_owned())
    } else {
        Err("the number of the main account, like 100000000001".to_owned())
    }
}

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// A workflow: its region and what it reads are looked at; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) values: Values,
    /// The region to look at [default: the workflow's, TENCENTCLOUD_REGION, or ap-guangzhou]
    #[arg(long, value_name = "REGION", env = "PITSTOP_REGION", hide_env_values = true)]
    pub(super) region: Option<String>,
    #[command(flatten)]
    pub(super) cloud: Cloud,
}

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The code; all of them if left out
    #[arg(value_name = "CODE")]
    pub(super) code: Option<String>,
}

fn skew(text: &str) -> Result<SignedDuration, String> {
    let skew: SignedDuration = text.parse().map_err(|_| "a duration like 10m or -10m".to_owned())?;
    // Beyond that a date is not of our time any more.
    if skew.abs() <= SignedDuration::from_hours(24 * 366) {
        Ok(skew)
    } else {
        Err("at most a year".to_owned())
    }
}

#[derive(Args, Debug)]
pub(super) struct Sim {
    /// The address to listen at; only this machine's
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "PITSTOP_LISTEN",
        hide_env_values = true,
        default_value = "127.0.0.1:9797"
    )]
    pub(super) listen: SocketAddr,
    /// Its instances, keys and prices [default: the demo fleet]
    #[arg(long, value_name = "FILE", env = "PITSTOP_FLEET", hide_env_values = true)]
    pub(super) fleet: Option<PathBuf>,
    /// How many times faster than the real cloud it is
    #[arg(long, value_name = "FACTOR", env = "PITSTOP_SPEED", hide_env_values = true, default_value_t = 1.0, value_parser = speed)]
    pub(super) speed: f64,
    /// The beginning of its chance
    #[arg(long, value_name = "NUMBER", env = "PITSTOP_SEED", hide_env_values = true, default_value_t = 1)]
    pub(super) seed: u64,
    /// Faults to inject
    #[arg(long, value_name = "FILE", env = "PITSTOP_FAULTS", hide_env_values = true)]
    pub(super) faults: Option<PathBuf>,
    /// How far its clock is ahead of this machine's, e.g. 10m or -10m
    #[arg(long, value_name = "DURATION", env = "PITSTOP_CLOCK_SKEW", hide_env_values = true, default_value = "0s", allow_hyphen_values = true, value_parser = skew)]
    pub(super) clock_skew: SignedDuration,
    /// Append every request and answer to this file, one JSON object a line, without secrets
    #[arg(long, value_name = "FILE", env = "PITSTOP_RECORD", hide_env_values = true)]
    pub(super) record: Option<PathBuf>,
    /// Keep a log of all that happens; `GET /log` answers with it. It grows with every call
    #[arg(long, env = "PITSTOP_KEEP_LOG", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) keep_log: bool,
}

/// The answers; at a terminal those that are left out are asked for.
#[derive(Args, Debug)]
#[command(next_help_heading = "Answers")]
pub(super) struct Init {
    /// The file to write, which must not exist yet; `-` is standard output
    #[arg(value_name = "FILE", help_heading = None)]
    pub(super) file: Option<PathBuf>,
    /// The region that the instances are in
    #[arg(long, value_name = "REGION", env = "PITSTOP_REGION", hide_env_values = true)]
    pub(super) region: Option<String>,
    /// The instances, by their ids
    #[arg(long, value_name = "ID,…", env = "PITSTOP_INSTANCES", hide_env_values = true, value_delimiter = ',', conflicts_with_all = ["match_name", "match_tags", "at_most"])]
    pub(super) instances: Vec<String>,
    /// All instances with such a name; `*` and `?` are wildcards
    #[arg(long, value_name = "NAME", env = "PITSTOP_MATCH_NAME", hide_env_values = true)]
    pub(super) match_name: Option<String>,
    /// All instances with these tags
    #[arg(long, value_name = "TAG=VALUE,…", env = "PITSTOP_MATCH_TAGS", hide_env_values = true, value_delimiter = ',', value_parser = name_and_value)]
    pub(super) match_tags: Vec<(String, String)>,
    /// Refuse a run that finds more instances than this
    #[arg(long, value_name = "NUMBER", env = "PITSTOP_AT_MOST", hide_env_values = true)]
    pub(super) at_most: Option<u32>,
    /// Give the instances this type
    #[arg(long, value_name = "TYPE", env = "PITSTOP_RESIZE", hide_env_values = true)]
    pub(super) resize: Option<String>,
    /// Set a new password from here: env=NAME, file=PATH, prompt, generate=PATH or "command=PROGRAM ARGUMENT…"
    #[arg(long, value_name = "SOURCE", env = "PITSTOP_PASSWORD_FROM", hide_env_values = true)]
    pub(super) password_from: Option<String>,
    /// The user whose password it is [default: the administrator of each system]
    #[arg(
        long,
        value_name = "USER",
        env = "PITSTOP_USER",
        hide_env_values = true,
        requires = "password_from"
    )]
    pub(super) user: Option<String>,
    /// Load the SSH key with this id
    #[arg(long, value_name = "ID", env = "PITSTOP_KEY", hide_env_values = true, group = "ssh_key")]
    pub(super) key: Option<String>,
    /// Load the SSH key with this name
    #[arg(long, value_name = "NAME", env = "PITSTOP_KEY_NAME", hide_env_values = true, group = "ssh_key")]
    pub(super) key_name: Option<String>,
    /// Load the SSH key in this file
    #[arg(long, value_name = "FILE", env = "PITSTOP_PUBLIC_KEY_FILE", hide_env_values = true, group = "ssh_key", value_hint = ValueHint::FilePath)]
    pub(super) public_key_file: Option<String>,
    /// Keys that are bound already stay bound
    #[arg(long, env = "PITSTOP_KEEP_EXISTING", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) keep_existing: bool,
    /// Whether the instances run afterwards [default: as-found]
    #[arg(long, value_name = "WHEN", env = "PITSTOP_START", hide_env_values = true)]
    pub(super) start: Option<Start>,
    /// Ports that must answer after the start
    #[arg(
        long,
        value_name = "PORT,…",
        env = "PITSTOP_CHECK_PORTS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(super) check_ports: Vec<String>,
    #[command(flatten, next_help_heading = None)]
    pub(super) cloud: Cloud,
}

/// Whether the instances run afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Start {
    /// What ran runs again, what was stopped stays stopped.
    AsFound,
    /// All run.
    Always,
    /// All are stopped.
    Never,
}

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: Shell,
}

/// The shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// Friendly interactive shell.
    Fish,
    /// PowerShell.
    Powershell,
}

#[derive(Args, Debug)]
pub(super) struct Man {
    /// Write a page for Pitstop and one for each command into this folder
    #[arg(long, value_name = "DIR", env = "PITSTOP_DIR", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub(super) dir: Option<PathBuf>,
}
