//! The list of runs.

use comfy_table::ColumnConstraint;
use jiff::tz::TimeZone;

use super::chinese;
use super::language::Language;
use super::layout::{lines, table};
use super::words::{Look, clean, day_and_time, exact};
use crate::clock::between;
use crate::journal::{Place, RunSummary};

/// One line per run.
pub fn runs_table(runs: &[RunSummary], look: Look, zone: &TimeZone) -> String {
    let mut table = table(look.columns());
    table.set_header(
        look.language
            .pick(["Run", "Workflow", "Region", "Began", "Took"], ["执行", "工作流", "地域", "开始", "用时"]),
    );
    if let Some(column) = table.column_mut(0) {
        // An id is there to be copied.
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for run in runs {
        let cloud = match run.place {
            Place::Tencent | Place::TencentAt(_) => "",
            Place::Endpoint(_) | Place::InProcess => look.language.pick(" (simulated)", "（模拟云）"),
        };
        table.add_row([
            run.id.to_string(),
            clean(&run.workflow),
            format!("{}{cloud}", clean(&run.region)),
            day_and_time(run.began, zone),
            took(run, look.language),
        ]);
    }
    lines(&table).join("\n")
}

fn took(run: &RunSummary, language: Language) -> String {
    match (run.ended.map(|ended| between(run.began, ended)), language) {
        (Some(took), Language::English) => exact(took),
        (Some(took), Language::Chinese) => chinese::exact(took),
        (None, _) => language.pick("unfinished", "未结束").to_owned(),
    }
}
