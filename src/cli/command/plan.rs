//! `pitstop plan`: what would a run do? Nothing is touched.

use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error};
use crate::cli::load;
use crate::cli::settings::{CloudSettings, values};
use crate::cli::terminal::Terminal;
use crate::plan::Plan;
use crate::report::{json, plan_table};

pub(in crate::cli) async fn plan(
    terminal: &Terminal,
    environment: &Environment,
    args: args::Plan,
) -> Result<Ending, Error> {
    let settings = CloudSettings::resolve(args.cloud)?;
    let loaded = load::load(terminal, &args.file, values(args.values.set)).await?;
    let (plan, _) = load::plan(&loaded, &settings, environment).await?;
    terminal.data(&text(terminal, &plan))?;
    Ok(if plan.is_refused() { Ending::Refused } else { Ending::Well })
}

/// The plan in the form that is asked for.
pub(super) fn text(terminal: &Terminal, plan: &Plan) -> String {
    match terminal.output() {
        Output::Human => plan_table(plan, terminal.stdout_look()),
        Output::Json => json::plan(plan),
    }
}
