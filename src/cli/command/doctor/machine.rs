//! What can be seen without anybody's answer: the program, the terminal, core dumps, proxies.

use std::io::IsTerminal as _;

use url::Url;

use crate::cli::core_dumps;
use crate::cli::environment::Environment;
use crate::cli::terminal::Terminal;
use crate::journal::FORMAT;
use crate::report::{Finding, clean};

pub(super) fn look(terminal: &Terminal, environment: &Environment) -> Vec<Finding> {
    vec![version(), screen(terminal, environment), dumps(), proxies(environment)]
}

fn version() -> Finding {
    let (version, system) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    let processor = std::env::consts::ARCH;
    Finding::ok("version", format!("pitstop {version} on {system} {processor}, journal format {FORMAT}"))
}

/// What the terminal is, and what of Pitstop's ways it can show.
fn screen(terminal: &Terminal, environment: &Environment) -> Finding {
    const WHAT: &str = "terminal";
    // As narrow as the tables are laid out for.
    const NARROWEST: usize = 60;
    let shown = std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    if !shown {
        return Finding::ok(WHAT, "none: nothing is asked, and what happens is told in plain lines");
    }
    let screen = terminal.screen();
    let width = terminal.stdout_look().width;
    let term =
        environment.get("TERM").map_or_else(|| "no TERM".to_owned(), |term| format!("TERM={}", clean(term)));
    let unicode = is_utf8(environment);
    let or_no = |yes: bool, what: &str| if yes { what.to_owned() } else { format!("no {what}") };
    let found = [
        term,
        format!("{width} columns"),
        or_no(screen.stdout_colour || screen.stderr_colour, "colours"),
        or_no(unicode, "UTF-8"),
        or_no(screen.moving, "board"),
        or_no(screen.interactive, "questions"),
    ]
    .join(", ");
    if !unicode {
        Finding::warn(
            WHAT,
            found,
            "set LANG to a UTF-8 locale such as C.UTF-8, or marks and names look wrong",
        )
    } else if width < NARROWEST {
        Finding::warn(WHAT, found, format!("make it {NARROWEST} columns wide or more, for the tables"))
    } else if environment.get("TERM").is_none() {
        Finding::warn(WHAT, found, "set TERM, e.g. to xterm-256color, for colours and the board")
    } else {
        Finding::ok(WHAT, found)
    }
}

/// The locale's text is UTF-8, by the variables in their order.
fn is_utf8(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn dumps() -> Finding {
    const WHAT: &str = "core dumps";
    if core_dumps::are_forbidden() {
        Finding::ok(WHAT, "off: a crash writes no secret to the disk")
    } else {
        Finding::warn(WHAT, "on: a crash could write secrets to the disk", "run it under `ulimit -c 0`")
    }
}

/// The proxies in force, without the user and password that their addresses may hold.
fn proxies(environment: &Environment) -> Finding {
    const WHAT: &str = "proxy";
    const NAMES: [&str; 6] =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let set = |name: &'static str| environment.get(name).map(|value| (name, value));
    let mut shown = Vec::new();
    let mut wrong = None;
    for (name, value) in NAMES.into_iter().filter_map(set) {
        match proxy(value) {
            Some(origin) => shown.push(format!("{name} {origin}")),
            None => wrong = Some(name),
        }
    }
    if let Some(name) = wrong {
        let mend = format!("set {name} to an address like http://proxy.example.com:3128, or remove it");
        return Finding::warn(WHAT, format!("{name} is not an address"), mend);
    }
    if shown.is_empty() {
        return Finding::ok(WHAT, "none");
    }
    let except = ["NO_PROXY", "no_proxy"].into_iter().find_map(set);
    shown.extend(except.map(|(name, value)| format!("{name} {}", clean(value))));
    Finding::ok(WHAT, shown.join(", "))
}

/// Scheme, host and port.
fn proxy(value: &str) -> Option<String> {
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&with_scheme).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Level;

    #[test]
    fn a_proxys_password_is_not_shown() {
        for value in ["http://ops:hunter2@proxy.example.com:3128", "ops:hunter2@proxy.example.com:3128"] {
            let found = proxies(&Environment::from([("HTTPS_PROXY", value)]));
            assert_eq!(found.found, "HTTPS_PROXY http://proxy.example.com:3128");
        }
        let wrong = proxies(&Environment::from([("https_proxy", "http://:hunter2@")]));
        assert_eq!((wrong.level, wrong.found.as_str()), (Level::Warn, "https_proxy is not an address"));
        let except = proxies(&Environment::from([("ALL_PROXY", "socks5://p:1"), ("NO_PROXY", "localhost")]));
        assert_eq!(except.found, "ALL_PROXY socks5://p:1, NO_PROXY localhost");
        assert_eq!(proxies(&Environment::default()).found, "none");
    }

    #[test]
    fn the_first_variable_of_the_locale_decides() {
        let table: [(&[(&str, &str)], bool); 5] = [
            (&[("LANG", "en_US.UTF-8")], true),
            (&[("LANG", "zh_CN.utf8")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
            (&[], false),
        ];
        for (variables, expected) in table {
            let mut all = [("A", "a"); 2];
            all[..variables.len()].copy_from_slice(variables);
            assert_eq!(is_utf8(&Environment::from(all)), expected, "{variables:?}");
        }
    }
}
