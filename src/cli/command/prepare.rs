//! From a plan to one that can be approved: shown, without what may be left out, with a password that is good enough.

use std::borrow::Cow;

use super::plan::text;
use super::run::no_secret;
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error};
use crate::cli::operator;
use crate::cli::parts::Site;
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::plan::{Plan, check_password};
use crate::report::{Expected, Rows, full_name, refusals_of};
use crate::run::Secrets;
use crate::workflow::SecretSource;

/// Where a plan is made ready.
pub(super) struct Desk<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) environment: &'a Environment,
    pub(super) site: &'a Site,
    pub(super) expected: &'a Expected,
    /// Instances that the plan refuses are left out, and the others run.
    pub(super) skip_refused: bool,
}

/// What came of a plan.
pub(super) enum Prepared {
    /// It can be approved.
    Ready(Box<(Plan, Secrets)>),
    /// There is nothing to approve; why was said.
    Nothing(Ending),
}

impl Desk<'_> {
    /// Shows the plan, once, and has everything ready that it needs.
    pub(super) async fn prepare(&self, mut plan: Plan, signals: &mut Signals) -> Result<Prepared, Error> {
        let asks = plan.password == Some(SecretSource::Prompt);
        let may_run = !plan.is_unchanged() && (!plan.is_refused() || self.skip_refused);
        // A password that nobody has to type is held against the vendor's rule first: the plan is then shown with all
        // that speaks against it.
        let mut secrets = Secrets::default();
        if may_run && !asks {
            match self.gather(&plan, signals).await {
                Ok(gathered) => secrets = gathered,
                Err(error) => {
                    self.show(&plan);
                    return Err(error);
                }
            }
            if let Some(password) = secrets.password() {
                check_password(&mut plan, password);
            }
        }
        self.show(&plan);
        let Some(plan) = self.runnable(plan) else { return Ok(Prepared::Nothing(Ending::Refused)) };
        if plan.is_unchanged() {
            self.terminal.say(self.terminal.language().pick("there is nothing to do", "无需执行任何更改"));
            return Ok(Prepared::Nothing(Ending::Well));
        }
        if asks {
            return self.ask(plan, signals).await;
        }
        Ok(Prepared::Ready(Box::new((plan, secrets))))
    }

    /// Asks for the password until it is good enough.
    async fn ask(&self, plan: Plan, signals: &mut Signals) -> Result<Prepared, Error> {
        loop {
            let secrets = self.gather(&plan, signals).await?;
            let mut checked = plan.clone();
            if let Some(password) = secrets.password() {
                check_password(&mut checked, password);
            }
            if !checked.is_refused() {
                return Ok(Prepared::Ready(Box::new((checked, secrets))));
            }
            self.terminal.say(&refusals_of(&checked, self.terminal.stderr_look()));
            if self.skip_refused {
                let kept = self.runnable(checked).filter(|kept| !kept.is_unchanged());
                return Ok(kept.map_or(Prepared::Nothing(Ending::Refused), |kept| {
                    Prepared::Ready(Box::new((kept, secrets)))
                }));
            }
        }
    }

    async fn gather(&self, plan: &Plan, signals: &mut Signals) -> Result<Secrets, Error> {
        let kept = if plan.is_refused() {
            Cow::Owned(plan.clone().without_refused().0)
        } else {
            Cow::Borrowed(plan)
        };
        let (variables, clock) = (self.environment.variables(), &self.site.clock);
        tokio::select! {
            secrets = Secrets::gather(&kept, variables, self.terminal, clock) => {
                secrets.map_err(|error| no_secret(&error))
            }
            _ = signals.next() => {
                // The question's line is not ended.
                self.terminal.say("");
                Err(operator::interrupted())
            }
        }
    }

    /// A reader that is gone keeps no approved run from being made, and no exit code from being told.
    fn show(&self, plan: &Plan) {
        let rows = if self.terminal.is_verbose() { Rows::All } else { Rows::Brief };
        self.terminal.feed(&text(self.terminal, plan, self.expected, rows));
    }

    /// The plan without what is refused, if it may be left out; `None` if nothing can be run.
    fn runnable(&self, plan: Plan) -> Option<Plan> {
        if !plan.is_refused() {
            return Some(plan);
        }
        if !self.skip_refused {
            let (message, hint) = self.terminal.language().pick(
                (
                    "the plan is refused; nothing was stopped",
                    "hint: leave the refused instances out with --skip-refused",
                ),
                ("计划被拒绝；没有实例被关机", "建议：用 --skip-refused 跳过被拒绝的实例"),
            );
            self.terminal.say(message);
            self.terminal.say(hint);
            return None;
        }
        let (kept, refused) = plan.without_refused();
        let names: Vec<_> = refused.iter().map(full_name).collect();
        let (label, comma) = self.terminal.language().pick(("left out: ", ", "), ("已跳过：", "、"));
        self.terminal.say(&format!("{label}{}", names.join(comma)));
        Some(kept)
    }
}
