//! `--output json`: one JSON object a line, on stdout. Version 1.
//!
//! - A run: every record of the journal as it is written, `{"at","run","seq","instance"?,"event",…}`. `at` is RFC 3339
//!   in UTC, `seq` counts from 0 within the run, `instance` is absent where the run as a whole is concerned, and
//!   `event` names what happened; the further keys are those of [`Event`](crate::journal::Event).
//! - `plan`: one object `{"version":1,"changes":bool,"refused":bool,"summary":"…","plan":{…}}`. `changes` is `true`
//!   when a run would do something.
//! - `check`: for each file `{"version":1,"file","valid","complaints":[…],"without-values-for":[…]}`; a complaint has
//!   `file`, `line`, `column`, `code`, `message`, `help`, `notes` and `suggestion`.
//! - `runs`: for each run `{"id","workflow","region","began","ended","place"}`.
//! - `explain`: for each code `{"version":1,"code","family","means","does","mend"}`.
//! - `doctor`: for each finding `{"version":1,"finding","level","found","mend"}`; `level` is `ok`, `warn` or `fail`.
//! - An error: `{"version":1,"error":{"message","hints":[…],"exit-code","complaints"?:[…]}}`, with the same exit code
//!   as the process.
//!
//! Keys are only ever added. No secret is part of any of these types.

use serde::Serialize;
use serde_json::json;

use super::plan_table::summary;
use crate::journal::Record;
use crate::plan::Plan;
use crate::workflow::Complaint;

/// The version of the objects that are not records; records carry the journal's own.
pub const VERSION: u32 = 1;

/// A record as a line, without the line's end.
pub fn record(record: &Record) -> String {
    line(record)
}

/// A plan as a line.
pub fn plan(plan: &Plan) -> String {
    line(&json!({
        "version": VERSION,
        "changes": !plan.is_unchanged() && !plan.is_refused(),
        "refused": plan.is_refused(),
        "summary": summary(plan),
        "plan": plan,
    }))
}

/// An error as a line.
pub fn error(message: &str, hints: &[String], exit_code: u8, complaints: Option<&Vec<Complaint>>) -> String {
    let mut error = json!({ "message": message, "hints": hints, "exit-code": exit_code });
    if let Some(complaints) = complaints {
        error["complaints"] = json!(complaints);
    }
    line(&json!({ "version": VERSION, "error": error }))
}

/// What `check` found in a file.
pub fn check(file: &str, complaints: &[Complaint], without_values_for: &[&str]) -> String {
    line(&json!({
        "version": VERSION,
        "file": file,
        "valid": complaints.is_empty(),
        "complaints": complaints,
        "without-values-for": without_values_for,
    }))
}

/// Any value as a line.
pub fn line(value: &impl Serialize) -> String {
    // The types here have string keys and no failing serializer, so that this can't fail.
    serde_json::to_string(value).unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string())
}
