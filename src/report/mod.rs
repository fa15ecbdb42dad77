//! What a person or a program reads: the plan, the live board, plain lines, JSON, verdicts, and old runs.
//!
//! Level 4. Everything here is a pure function of a [`Plan`](crate::plan::Plan) or of journal records, given the time
//! and the width; nothing here writes to a terminal, and nothing knows the engine. A [`Story`] is the one fold of
//! records, so a live run and `show` of an old one use the same code.

mod asking;
mod board;
mod chinese;
mod dossier;
mod expected;
mod explanation;
mod finding;
pub mod json;
mod junit;
mod language;
mod layout;
mod lines;
mod markdown;
mod page;
mod plan_groups;
mod plan_table;
mod progress;
mod risks;
mod runs;
mod show;
#[cfg(test)]
mod staged;
mod story;
mod tally;
mod timeline;
mod verdict;
mod words;

pub use asking::{Asking, Caution, carry_on_question, interrupted_words, way_back_words};
pub use board::{Board, board_summary};
pub use dossier::Viewpoint;
pub use expected::{Estimate, Expectation, Expected};
pub use explanation::{Explanation, code_groups, code_table, explanation};
pub use finding::{Finding, Level, finding};
pub use junit::junit;
pub use language::{Language, UnknownLanguage};
pub use layout::{fit_bytes, width, wrapped};
pub use lines::{is_a_crowd, is_worth_a_line, line, line_in};
pub use markdown::markdown;
pub use page::html;
pub use plan_table::{Rows, full_name, plan_table, step_words, summary, summary_in};
pub use risks::refusals_of;
pub use runs::runs_table;
pub use show::show;
pub use story::{Phase, Planned, Row, Story, StoryError};
pub use tally::{Stand, Tally};
pub use verdict::{hint_of, outcome_line, verdicts};
pub use words::{Look, clean, day_and_time, exact, instances, span, time_of_day};

#[cfg(test)]
mod tests;
