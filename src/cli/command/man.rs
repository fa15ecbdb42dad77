//! `pitstop man`: manual pages out of the command line's own definitions, one for Pitstop and one for each command.

use std::fmt::Write as _;
use std::fs;
use std::io;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::args::{self, Arguments, Output};
use crate::cli::exit::{Ending, Error, Exit, Kind};
use crate::cli::terminal::Terminal;
use crate::report::json;

pub(in crate::cli) fn man(terminal: &Terminal, args: &args::Man) -> Result<Ending, Error> {
    let pages = pages()?;
    let Some(folder) = &args.dir else {
        let (_, page) = &pages[0];
        terminal.data(page)?;
        return Ok(Ending::Well);
    };
    let failed = |error: io::Error| {
        let message = format!("the manual pages can't be written to {}: {error}", folder.display());
        Error::new(Kind::CouldNotBegin, message).hint("name a folder that you may write to")
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let mut written = Vec::new();
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(failed)?;
        written.push(path.display().to_string());
    }
    match terminal.output() {
        Output::Human => terminal.data(&written.join("\n"))?,
        Output::Json => {
            terminal
                .data(&json::line(&serde_json::json!({ "version": json::VERSION, "written": written })))?;
        }
    }
    Ok(Ending::Well)
}

/// The pages with their files' names, Pitstop's own first.
fn pages() -> Result<Vec<(String, String)>, Error> {
    let mut root = Arguments::command();
    root.build();
    let commands = std::iter::once(&root).chain(root.get_subcommands());
    commands.map(|command| page(command, &root)).collect()
}

fn page(command: &Command, root: &Command) -> Result<(String, String), Error> {
    let version = root.get_version().unwrap_or_default();
    let man = Man::new(command.clone().subcommand_help_heading("COMMANDS"));
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    // Written here: an empty date, as of a page that is the same whenever it is made, would be left out.
    let mut page = format!(".TH {name} 1 \"\" \"pitstop {version}\" \"Pitstop\"\n").into_bytes();
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    let mut rest = Roff::new();
    examples(&mut rest, command);
    exit_status(&mut rest);
    environment(&mut rest, command);
    files(&mut rest, command);
    see_also(&mut rest, command, root);
    rest.to_writer(&mut page)?;
    Ok((man.get_filename(), ascii(&String::from_utf8_lossy(&page))))
}

/// Formatters read ASCII, whatever the language of the terminal.
fn ascii(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    for c in page.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "\\[u{:04X}]", u32::from(c));
        }
    }
    text
}

/// The examples of `--help`, as they stand there.
fn examples(page: &mut Roff, command: &Command) {
    let Some(help) = command.get_after_help() else { return };
    let help = help.to_string();
    let lines = help.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
    page.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in lines.take_while(|line| line.starts_with(' ')) {
        page.text([roman(line.trim_start())]);
    }
    page.control("fi", []);
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        tagged(page, &exit.code().to_string(), exit.meaning());
    }
}

fn tagged(page: &mut Roff, tag: &str, text: &str) {
    page.control("TP", []).text([bold(tag)]).text([roman(text)]);
}

/// What is read of the environment by commands that speak to the vendor's cloud.
const CREDENTIALS: [(&str, &str); 7] = [
    ("TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY", "the credentials"),
    ("TENCENTCLOUD_TOKEN", "the token of temporary credentials"),
    ("TENCENTCLOUD_CREDENTIALS_FILE", "a file with credentials in the form of the vendor's SDKs"),
    ("TCCLI_PROFILE, TENCENTCLOUD_PROFILE", "the profile of tccli to use"),
    ("TENCENTCLOUD_ROLE_ARN, TENCENTCLOUD_ROLE_SESSION_NAME", "a role to assume with these credentials"),
    ("TKE_REGION and the others that TKE sets", "the role of a Kubernetes pod"),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "the way to the cloud"),
];

/// What every command reads of the environment.
const ANYWHERE: [(&str, &str); 3] = [
    ("HOME, XDG_STATE_HOME, STATE_DIRECTORY", "where journals are kept, unless --state says it"),
    ("NO_COLOR", "no colours, if it is set"),
    ("TERM", "plain lines, if it is dumb"),
];

fn environment(page: &mut Roff, command: &Command) {
    page.control("SH", ["ENVIRONMENT"]);
    page.text([roman("Options on the command line win over these variables.")]);
    for option in command.get_arguments() {
        if let (Some(name), Some(variable)) = (option.get_long(), option.get_env()) {
            tagged(page, &variable.to_string_lossy(), &format!("the option --{name}"));
        }
    }
    let credentials = CREDENTIALS.iter().filter(|_| speaks_to_the_cloud(command));
    for (variable, meaning) in credentials.chain(&ANYWHERE) {
        tagged(page, variable, meaning);
    }
}

/// Pitstop's own page tells all.
fn speaks_to_the_cloud(command: &Command) -> bool {
    command.has_subcommands() || command.get_arguments().any(|option| option.get_long() == Some("cloud"))
}

fn files(page: &mut Roff, command: &Command) {
    page.control("SH", ["FILES"]);
    tagged(page, "~/.local/state/pitstop/journal.db", "the journal of all runs; no secret is in it");
    if speaks_to_the_cloud(command) {
        tagged(page, "~/.tencentcloud/credentials, /etc/tencentcloud/credentials", "credentials");
        tagged(page, "~/.tccli/PROFILE.credential", "credentials of tccli");
    }
}

fn see_also(page: &mut Roff, command: &Command, root: &Command) {
    page.control("SH", ["SEE ALSO"]);
    let mut names: Vec<String> =
        root.get_subcommands().map(|other| format!("pitstop-{}", other.get_name())).collect();
    names.insert(0, "pitstop".to_owned());
    let own = command.get_display_name().unwrap_or_else(|| command.get_name());
    let others: Vec<String> =
        names.into_iter().filter(|name| name != own).map(|name| format!("{name}(1)")).collect();
    page.text([roman(others.join(", "))]);
}
