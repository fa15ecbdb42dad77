//! The approval of a plan by the person at the terminal: yes, no, or only some of the instances; and where more is at
//! stake than usual, the workflow's name has to be typed.

use std::collections::BTreeSet;
use std::fmt;

use dialoguer::console::Term;
use dialoguer::theme::Theme;
use dialoguer::{Input, MultiSelect};

use super::exit::{Error, Kind};
use super::operator::{ask, yes_or_no};
use super::signals::Signals;
use super::terminal::Terminal;
use crate::cloud::InstanceId;
use crate::plan::{Approval, InstancePlan, Plan};
use crate::report::{Asking, Caution, Expected, Language, Look, fit_bytes, summary_in, width};

/// How often a wrong name may be typed.
const TRIES: usize = 3;

/// What decides how a plan is asked about.
pub(super) struct Question<'a> {
    /// `--yes` was given: nobody is asked.
    pub(super) yes: bool,
    /// The workflow's `at-most`.
    pub(super) at_most: Option<usize>,
    /// What operations are expected to take.
    pub(super) expected: &'a Expected,
}

/// Asks whether the plan shall be run, naming what it stops. What comes back is what was approved: instances may have
/// been left out.
pub(super) async fn approve(
    terminal: &Terminal,
    full: Plan,
    question: &Question<'_>,
    signals: &mut Signals,
) -> Result<(Plan, Approval), Error> {
    if question.yes {
        return Ok((full, Approval::Flag));
    }
    if !terminal.screen().interactive {
        return Err(refused(
            "nobody approved the plan, and there is no terminal to ask at; nothing was stopped",
            "计划未经确认，也没有可以询问的终端；没有实例被关机",
        )
        .hint("read the plan, then run again with --yes"));
    }
    let mut left_out = BTreeSet::new();
    loop {
        let plan = full.clone().without(&left_out);
        if plan.is_unchanged() {
            return Err(refused(
                "no instance that needs a change is left; nothing was stopped",
                "已没有需要更改的实例；没有实例被关机",
            ));
        }
        let asking = Asking { plan: &plan, expected: question.expected };
        let look = terminal.stderr_look();
        let what = asking.what_will_be_down(look);
        if !what.is_empty() {
            terminal.say(&what);
        }
        match answer(&asking, full.instances.len() > 1, look, signals).await? {
            Answer::Yes => {
                type_name(terminal, &asking, question.at_most, signals).await?;
                return Ok((plan, Approval::Person));
            }
            Answer::No => {
                return Err(refused(
                    "the plan was not approved; nothing was stopped",
                    "计划未被确认；没有实例被关机",
                ));
            }
            Answer::Choose => {
                left_out = choose(&full, left_out, question.expected, look, signals).await?;
                terminal.say(&summary_in(look.language, &full.clone().without(&left_out)));
            }
        }
    }
}

fn refused(message: &str, chinese: &'static str) -> Error {
    Error::new(Kind::NotApproved, message).in_chinese(chinese)
}

/// What can be said to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Choose,
}

impl Answer {
    /// Return alone is no.
    fn of(typed: &str) -> Option<Self> {
        match typed.trim().to_lowercase().as_str() {
            "y" | "yes" => Some(Self::Yes),
            "" | "n" | "no" => Some(Self::No),
            "c" | "choose" => Some(Self::Choose),
            _ => None,
        }
    }
}

async fn answer(
    asking: &Asking<'_>,
    several: bool,
    look: Look,
    signals: &mut Signals,
) -> Result<Answer, Error> {
    let question = asking.question(look.language);
    if !several {
        let yes = yes_or_no(question, signals).await?;
        return Ok(if yes { Answer::Yes } else { Answer::No });
    }
    let (choices, wrong) = match look.language {
        Language::English => ("[y/N, c to choose instances]", "y for yes, n for no, c to choose instances"),
        Language::Chinese => ("[y/N，c 选择实例]", "y 表示是，n 表示否，c 表示选择实例"),
    };
    let long = format!("{question} {choices}");
    let short = format!("{question} [y/N/c]");
    // A question of two lines would not be cleared whole.
    let prompt = if width(&long) + 10 < look.width { long } else { short };
    let typed = ask(signals, move || {
        Input::<String>::with_theme(&AsWritten)
            .with_prompt(prompt)
            .allow_empty(true)
            .validate_with(|typed: &String| Answer::of(typed).map(|_| ()).ok_or(wrong))
            .interact_on(&Term::stderr())
    })
    .await?;
    Ok(Answer::of(&typed).unwrap_or(Answer::No))
}

/// Shows the instances that need a change with a tick each, and returns those without one.
async fn choose(
    full: &Plan,
    left_out: BTreeSet<InstanceId>,
    expected: &Expected,
    look: Look,
    signals: &mut Signals,
) -> Result<BTreeSet<InstanceId>, Error> {
    let changed: Vec<&InstancePlan> = full.instances.iter().filter(|own| !own.is_unchanged()).collect();
    let asking = Asking { plan: full, expected };
    // dialoguer measures an item by its bytes, and a line by its characters: what is short by both is cleared whole.
    let room = look.width.saturating_sub(8);
    let items: Vec<_> =
        changed.iter().map(|own| fit_bytes(&asking.choice(own, look.language), room)).collect();
    let ticked: Vec<_> = changed.iter().map(|own| !left_out.contains(&own.id)).collect();
    let prompt = look
        .language
        .pick("Space ticks and unticks, a all, return goes on", "空格勾选或取消，a 全选，回车继续");
    let chosen = ask(signals, move || {
        MultiSelect::new()
            .with_prompt(prompt)
            .items(&items)
            .defaults(&ticked)
            .report(false)
            .interact_on_opt(&Term::stderr())
    })
    .await?;
    let Some(chosen) = chosen else { return Ok(left_out) };
    let chosen: BTreeSet<usize> = chosen.into_iter().collect();
    let unticked = changed.iter().enumerate().filter(|(place, _)| !chosen.contains(place));
    Ok(unticked.map(|(_, own)| own.id.clone()).collect())
}

/// Has the workflow's name typed where a plain yes is not enough.
async fn type_name(
    terminal: &Terminal,
    asking: &Asking<'_>,
    at_most: Option<usize>,
    signals: &mut Signals,
) -> Result<(), Error> {
    let cautions = Caution::of(asking.plan, at_most);
    if cautions.is_empty() {
        return Ok(());
    }
    terminal.say(&asking.cautions(&cautions, terminal.stderr_look()));
    for _ in 0..TRIES {
        let question = asking.name_question(terminal.language());
        let typed = ask(signals, move || {
            Input::<String>::new().with_prompt(question).allow_empty(true).interact_on(&Term::stderr())
        })
        .await?;
        match typed.trim() {
            "" => break,
            name if name == asking.plan.workflow => return Ok(()),
            _ => terminal.say(&asking.wrong_name(terminal.language())),
        }
    }
    Err(refused(
        "the workflow's name was not typed, so the plan is not approved; nothing was stopped",
        "没有输入工作流名称，计划未被确认；没有实例被关机",
    ))
}

/// A question as it is written, without a colon behind it.
struct AsWritten;

impl Theme for AsWritten {
    fn format_input_prompt(
        &self,
        f: &mut dyn fmt::Write,
        prompt: &str,
        _default: Option<&str>,
    ) -> fmt::Result {
        write!(f, "{prompt} ")
    }

    fn format_input_prompt_selection(&self, f: &mut dyn fmt::Write, prompt: &str, sel: &str) -> fmt::Result {
        write!(f, "{prompt} {sel}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_is_no_and_anything_else_is_asked_again() {
        for (typed, answer) in [
            ("y", Some(Answer::Yes)),
            (" YES ", Some(Answer::Yes)),
            ("", Some(Answer::No)),
            ("n", Some(Answer::No)),
            ("c", Some(Answer::Choose)),
            ("yep", None),
        ] {
            assert_eq!(Answer::of(typed), answer, "{typed}");
        }
    }
}
