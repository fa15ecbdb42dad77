//! What is left of a run that is taken up again: who may do it, with which secrets, and what is still down.
//! Nothing here keeps instances down but credentials that can't reach them.

use std::time::Duration;

use crate::cli::environment::Environment;
use crate::cli::exit::{Error, Kind};
use crate::cli::parts::Site;
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::cloud::Action;
use crate::journal::{Order, Stage};
use crate::plan::Step;
use crate::report::{Language, Row, Story, full_name, instances};
use crate::run::Secrets;

/// How long the account may be asked for. It is worth a refusal, but no waiting while instances are down.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses credentials of another account than the plan's: with them every instance of the run would seem to be gone.
pub(super) async fn check_account(told: &Story, site: &Site) -> Result<(), Error> {
    let Some(planned) = &told.plan().account else { return Ok(()) };
    // Not every credential may ask; then the instances themselves tell.
    let Some(Ok(caller)) = site.clock.timeout(PATIENCE, site.survey.caller()).await else { return Ok(()) };
    if caller.account == *planned {
        return Ok(());
    }
    let message = format!(
        "the run {} is of the account {planned}, but these credentials belong to the account {}; nothing was done",
        told.run(),
        caller.account
    );
    let error = Error::new(Kind::CouldNotBegin, message);
    Err(still_down(told, error).hint("give the credentials of the run's account, and resume again"))
}

/// The error with what the run has left down so far.
pub(super) fn still_down(told: &Story, error: Error) -> Error {
    let down: Vec<_> =
        told.rows().iter().filter(|row| row.is_down()).map(|row| full_name(&row.plan)).collect();
    match down.len() {
        0 => error.hint("this run has left no instance down"),
        1 => error.hint(format!("1 instance is still down: {}", down[0])),
        count => error.hint(format!("{} are still down: {}", instances(count), down.join(", "))),
    }
}

/// The secrets that what is left of the run needs, and the order to begin with: without them everything is brought
/// back.
pub(super) async fn recall(
    terminal: &Terminal,
    environment: &Environment,
    told: &Story,
    site: &Site,
    signals: &mut Signals,
) -> (Secrets, Order) {
    if !told.rows().iter().any(needs_password) {
        return (Secrets::default(), Order::CarryOn);
    }
    let why = tokio::select! {
        secrets = Secrets::recall(told.plan(), environment.variables(), terminal, &site.clock) => match secrets {
            Ok(secrets) => return (secrets, Order::CarryOn),
            Err(error) => error.to_string(),
        },
        name = signals.next() => format!("\n{name} while the new password was asked for"),
    };
    if terminal.language() == Language::Chinese {
        terminal.say(&format!(
            "{why}\n没有新密码，不再开始新的操作；恢复本次执行已关机的实例。完成其余更改请运行：pitstop resume {}",
            told.run()
        ));
        return (Secrets::default(), Order::BringBack);
    }
    terminal.say(&format!(
        "{why}\nwithout the new password nothing new is begun; what this run stopped is brought back. \
         To make the rest of the changes: pitstop resume {}",
        told.run()
    ));
    (Secrets::default(), Order::BringBack)
}

/// The password of this instance is still to be set.
fn needs_password(row: &Row) -> bool {
    let ledger = &row.state.ledger;
    let resets = row.plan.steps.iter().any(|step| matches!(step, Step::ResetPassword { .. }));
    let open = !matches!(row.state.stage, Stage::Ended { .. }) && ledger.failure.is_none();
    open && resets && !ledger.done.contains(&Action::ResetPassword)
}
