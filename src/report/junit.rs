//! A run as JUnit XML, as CI systems read it: the run is a test suite, each instance a test case.
//!
//! - What needs a person, or was left under way, is an `error`; what failed is a `failure`; what was not begun, or was
//!   brought back before it was finished, is `skipped`. Each has the verdict's words as its message.
//! - The time of a case is the instance's part of the run in seconds, from its first call to its verdict; how long it
//!   was down is its property `down-seconds`.
//! - What the log has of an instance is its `system-out`; the facts around the run are properties of the suite.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::dossier::{Dossier, Entry, Standing, Viewpoint};
use super::plan_table::step_words;
use super::story::StoryError;
use super::words::clean;
use crate::clock::between;
use crate::journal::Record;

/// The run as JUnit XML.
pub fn junit(records: &[Record], view: Viewpoint) -> Result<String, StoryError> {
    let dossier = Dossier::open(records, view)?;
    let plan = dossier.story.plan();
    let mut suite = TestSuite::new(clean(&plan.workflow));
    // Its type is of a crate that is not ours; reading RFC 3339 names it for us.
    suite.timestamp = dossier.timeline.from.to_string().parse().ok();
    suite.set_time(dossier.took());
    suite.add_properties(dossier.environment().iter().map(|(name, value)| Property::new(*name, value)));
    suite.add_test_cases(dossier.entries().map(|entry| case(&dossier, &entry)));
    let mut report = Report::new("pitstop");
    report.timestamp = suite.timestamp;
    report.set_time(dossier.took());
    report.add_test_suite(suite);
    // It writes to memory, and its texts are free of what XML can't hold.
    Ok(report.to_string().unwrap_or_default().trim_end().to_owned() + "\n")
}

fn case(dossier: &Dossier, entry: &Entry) -> TestCase {
    let plan = dossier.story.plan();
    let mut case = TestCase::new(entry.full_name(), status(dossier, entry));
    case.set_classname(clean(&format!("{}.{}", plan.workflow, plan.region)));
    case.set_time(entry.track.extent().map(|(begun, until)| between(begun, until)).unwrap_or_default());
    let own = &entry.row.plan;
    case.add_property(Property::new("instance", clean(own.id.as_str())));
    for step in &own.steps {
        case.add_property(Property::new("change", step_words(plan, step)));
    }
    case.add_property(Property::new("down-seconds", format!("{:.3}", dossier.down(entry.row).as_secs_f64())));
    for request in entry.track.calls.iter().filter_map(|call| call.request.as_ref()) {
        case.add_property(Property::new("request", clean(request.as_str())));
    }
    for difference in &entry.row.differences {
        case.add_property(Property::new("different", clean(difference)));
    }
    let lines: Vec<_> = dossier.lines_of(&own.id).collect();
    if !lines.is_empty() {
        case.set_system_out(lines.join("\n"));
    }
    case
}

fn status(dossier: &Dossier, entry: &Entry) -> TestCaseStatus {
    let mut status = match entry.standing {
        Standing::NeedsPerson | Standing::Left => TestCaseStatus::non_success(NonSuccessKind::Error),
        Standing::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Standing::NotFinished | Standing::NotBegun | Standing::UnderWay => TestCaseStatus::skipped(),
        Standing::Done | Standing::Unchanged => return TestCaseStatus::success(),
    };
    status.set_type(entry.standing.words());
    status.set_message(dossier.words(entry));
    let hint = entry.hint().map(|hint| format!("hint: {hint}"));
    let rescue = dossier.rescue(entry.row).map(|command| format!("to mend it: {command}"));
    let described: Vec<_> = hint.into_iter().chain(rescue).collect();
    if !described.is_empty() {
        status.set_description(described.join("\n"));
    }
    status
}
