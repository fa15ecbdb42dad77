//! `pitstop schema`: the workflow language for editors.

use crate::cli::exit::{Ending, Error};
use crate::cli::terminal::Terminal;
use crate::workflow;

pub(in crate::cli) fn schema(terminal: &Terminal) -> Result<Ending, Error> {
    terminal.data(&text())?;
    Ok(Ending::Well)
}

/// The schema, as it stands in a file.
pub(super) fn text() -> String {
    format!("{:#}\n", workflow::schema())
}
