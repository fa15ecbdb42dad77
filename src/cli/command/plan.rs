//! `pitstop plan`: what would a run do? Nothing is touched.

use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error};
use crate::cli::past::Past;
use crate::cli::settings::{CloudSettings, journal_path, values};
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::cli::{load, operator, parts};
use crate::plan::Plan;
use crate::report::{Expected, Rows, json, plan_table};

pub(in crate::cli) async fn plan(
    terminal: &Terminal,
    environment: &Environment,
    state: Option<&str>,
    args: args::Plan,
) -> Result<Ending, Error> {
    let settings = CloudSettings::resolve(args.cloud)?;
    let mut signals = Signals::install()?;
    let work = async {
        let loaded = load::load(terminal, &args.file, values(args.values.set)).await?;
        load::plan(&loaded, &settings, environment).await
    };
    let (plan, site) = operator::unless_interrupted(&mut signals, work).await?;
    let past = past(environment, state, site.place.is_simulated()).await;
    terminal.data(&text(terminal, &plan, past.expected(), Rows::All))?;
    Ok(if plan.is_refused() { Ending::Refused } else { Ending::Well })
}

/// What earlier runs tell. A plan is worth showing without it.
async fn past(environment: &Environment, state: Option<&str>, simulated: bool) -> Past {
    let read = async {
        let store = parts::open_store_to_read(&journal_path(state, environment)?).await?;
        Past::read(store.as_ref(), simulated).await.map_err(|error| super::journal_error(&error))
    };
    read.await.unwrap_or_else(|error| {
        tracing::debug!(error = error.message, "nothing is known of earlier runs");
        Past::default()
    })
}

/// The plan in the form that is asked for.
pub(super) fn text(terminal: &Terminal, plan: &Plan, expected: &Expected, rows: Rows) -> String {
    match terminal.output() {
        Output::Human => plan_table(plan, expected, rows, terminal.stdout_look()),
        Output::Json => json::plan(plan),
    }
}
