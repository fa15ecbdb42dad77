//! `pitstop check`: is the workflow valid? No cloud is asked.

use std::path::Path;

use crate::cli::args::{self, Output};
use crate::cli::exit::{Ending, Error};
use crate::cli::settings::values;
use crate::cli::terminal::Terminal;
use crate::cli::{exit, load};
use crate::report::{clean, json};
use crate::workflow::file;

pub(in crate::cli) fn check(terminal: &Terminal, args: args::Check) -> Result<Ending, Error> {
    let values = values(args.values.set);
    let mut ending = Ending::Well;
    for path in &args.files {
        match check_one(path, &values) {
            Ok(missing) => valid(terminal, path, &missing)?,
            Err(error) => {
                ending = Ending::InvalidWorkflow;
                invalid(terminal, path, &error)?;
            }
        }
    }
    Ok(ending)
}

/// The names of the params that it was checked without.
fn check_one(path: &Path, values: &std::collections::BTreeMap<String, String>) -> Result<Vec<String>, Error> {
    let document = load::read(path)?;
    let missing: Vec<_> = document.missing(values).into_iter().map(|param| param.name.clone()).collect();
    if missing.is_empty() {
        document
            .resolve(values, &file::beside(path))
            .map_err(|complaints| Error::invalid(document.name(), complaints))?;
    }
    Ok(missing)
}

fn valid(terminal: &Terminal, path: &Path, missing: &[String]) -> Result<(), Error> {
    let name = path.display().to_string();
    if terminal.output() == Output::Json {
        let missing: Vec<_> = missing.iter().map(String::as_str).collect();
        return terminal.data(&json::check(&name, &[], &missing));
    }
    let without = match missing {
        [] => String::new(),
        names => format!(" (checked without a value for {}; give it with --set)", names.join(", ")),
    };
    terminal.data(&format!("{}: valid{without}", clean(&name)))
}

fn invalid(terminal: &Terminal, path: &Path, error: &Error) -> Result<(), Error> {
    if terminal.output() == Output::Json
        && let Some(complaints) = &error.complaints
    {
        return terminal.data(&json::check(&path.display().to_string(), &complaints.complaints(), &[]));
    }
    terminal.error(error, exit::Exit::InvalidWorkflow);
    Ok(())
}
