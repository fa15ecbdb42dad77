//! The list of runs.

use comfy_table::ColumnConstraint;
use jiff::tz::TimeZone;

use super::layout::{lines, table};
use super::words::{Look, clean, day_and_time, exact};
use crate::clock::between;
use crate::journal::{Place, RunSummary};

/// One line per run.
pub fn runs_table(runs: &[RunSummary], look: Look, zone: &TimeZone) -> String {
    let mut table = table(look.columns());
    table.set_header(["Run", "Workflow", "Region", "Began", "Took"]);
    if let Some(column) = table.column_mut(0) {
        // An id is there to be copied.
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for run in runs {
        let cloud = match run.place {
            Place::Tencent | Place::TencentAt(_) => "",
            Place::Endpoint(_) | Place::InProcess => " (simulated)",
        };
        table.add_row([
            run.id.to_string(),
            clean(&run.workflow),
            format!("{}{cloud}", clean(&run.region)),
            day_and_time(run.began, zone),
            run.ended.map_or_else(|| "unfinished".to_owned(), |ended| exact(between(run.began, ended))),
        ]);
    }
    lines(&table).join("\n")
}
