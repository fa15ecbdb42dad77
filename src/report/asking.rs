//! The words around the questions that a person is asked, and the answers to what a person does: what will be down, for
//! how long, why a name has to be typed, what Ctrl-C leads to.

use super::chinese;
use super::expected::{Estimate, Expected};
use super::language::Language;
use super::layout::paragraph;
use super::plan_table::full_name;
use super::words::{Look, instances, span, style};
use crate::cloud::InstanceId;
use crate::journal::{Order, RunId};
use crate::plan::{EndPower, InstancePlan, Plan};

/// So many instances are named in a question; of more only the first.
const NAMED: usize = 10;
/// So many instances may be stopped by a plain yes, where the workflow has no `at-most` that says how many are meant.
const USUAL: usize = 20;

/// Why a plain yes is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// More instances are stopped than is usual.
    Many {
        /// How many.
        stopped: usize,
        /// How many need no second thought.
        usual: usize,
    },
    /// Some of them serve production.
    Production(Vec<String>),
}

impl Caution {
    /// What makes this plan worth typing the workflow's name: more stopped instances than `at_most`, or than twenty
    /// where the workflow does not say; or a tag that says production.
    pub fn of(plan: &Plan, at_most: Option<usize>) -> Vec<Self> {
        let stopped = plan.stopped_by_run().count();
        let usual = at_most.unwrap_or(USUAL);
        let production: Vec<_> = plan
            .stopped_by_run()
            .filter(|instance| instance.found.as_ref().is_some_and(crate::plan::Found::is_production))
            .map(full_name)
            .collect();
        let many = (stopped > usual).then_some(Self::Many { stopped, usual });
        let production = (!production.is_empty()).then_some(Self::Production(production));
        many.into_iter().chain(production).collect()
    }

    /// The sentence for a person.
    pub fn words(&self, language: Language) -> String {
        if language == Language::Chinese {
            return chinese::asking::caution(self);
        }
        match self {
            Self::Many { stopped, usual } => {
                format!("{} are more than the {usual} that a plain yes is enough for", instances(*stopped))
            }
            Self::Production(names) => match names.as_slice() {
                [one] => format!("{one} is tagged as production"),
                some => format!("{} are tagged as production: {}", instances(some.len()), first(some)),
            },
        }
    }
}

/// The question whether a run shall go on after its canaries.
pub fn carry_on_question(canaries: &[InstanceId], others: usize, language: Language) -> (String, String) {
    let names: Vec<_> = canaries.iter().map(|id| super::words::clean(id.as_str())).collect();
    if language == Language::Chinese {
        return chinese::asking::carry_on(&names, others);
    }
    let well = match names.as_slice() {
        [one] => format!("The canary is well: {one}"),
        many => format!("The {} canaries are well: {}", many.len(), first(many)),
    };
    let question = match others {
        1 => "Go on with the other instance?".to_owned(),
        others => format!("Go on with the other {others} instances?"),
    };
    (well, question)
}

/// What a signal of this name leads to, told while it is obeyed.
pub fn interrupted_words(name: &str, order: Order, down: usize, language: Language) -> String {
    if language == Language::Chinese {
        return chinese::asking::interrupted(name, order, down);
    }
    match (order, down) {
        (Order::CarryOn | Order::BringBack, 0) => {
            format!("{name}: nothing new is begun, and nothing is down. Once more leaves at once")
        }
        (Order::CarryOn | Order::BringBack, 1) => format!(
            "{name}: nothing new is begun; the 1 instance that is down is brought back. Once more leaves it as it is"
        ),
        (Order::CarryOn | Order::BringBack, many) => format!(
            "{name}: nothing new is begun; the {many} instances that are down are brought back. Once more leaves \
             them as they are"
        ),
        (Order::LeaveNow, 0) => format!("{name}: leaving; nothing is left down"),
        (Order::LeaveNow, 1) => format!("{name}: leaving; 1 instance is left down"),
        (Order::LeaveNow, many) => format!("{name}: leaving; {many} instances are left down"),
    }
}

/// How to bring back what is left down, if its cloud outlives the process.
pub fn way_back_words(run: Option<RunId>, language: Language) -> String {
    if language == Language::Chinese {
        return chinese::asking::way_back(run);
    }
    match run {
        Some(run) => format!("to bring everything back: pitstop resume {run}"),
        None => "the simulated cloud ends with this process".to_owned(),
    }
}

/// All words of the approval of one plan.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What operations are expected to take.
    pub expected: &'a Expected,
}

impl Asking<'_> {
    /// What will be down and for how long, as lines before the question; none if nothing is stopped.
    pub fn what_will_be_down(&self, look: Look) -> String {
        let stopped: Vec<_> = self.plan.stopped_by_run().map(full_name).collect();
        if stopped.is_empty() {
            return String::new();
        }
        let heading = look.language.pick("These will be stopped:", chinese::asking::WILL_BE_STOPPED);
        let mut out = vec![String::new(), heading.to_owned()];
        let names = match look.language {
            Language::English => first(&stopped),
            Language::Chinese => chinese::asking::first(&stopped),
        };
        out.extend(paragraph(2, "", &names, look));
        let stay = self.plan.stopped_by_run().filter(|instance| instance.ends == EndPower::Stopped).count();
        let estimate = self.expected.estimate(self.plan);
        if estimate.known + estimate.unknown > 0 {
            out.extend(paragraph(0, "", &how_long_in(look.language, &estimate), look));
        }
        if stay > 0 {
            out.extend(paragraph(0, "", &stay_words(stay, stopped.len(), look.language), look));
        }
        look.signs(out.join("\n"))
    }

    /// Why a plain yes is not enough, as lines before the question for the name.
    pub fn cautions(&self, cautions: &[Caution], look: Look) -> String {
        let lines =
            cautions.iter().flat_map(|caution| paragraph(0, "! ", &caution.words(look.language), look));
        let lines: Vec<_> = lines.map(|line| look.paint(style::RISK, &line)).collect();
        look.signs(lines.join("\n"))
    }

    /// The question whether to do it.
    pub fn question(&self, language: Language) -> String {
        match self.plan.stopped_by_run().count() {
            count if language == Language::Chinese => chinese::asking::question(count),
            0 => "No running instance is stopped. Make these changes?".to_owned(),
            count => format!("Stop {} and make these changes?", instances(count)),
        }
    }

    /// The question for the name.
    pub fn name_question(&self, language: Language) -> String {
        match language {
            Language::English => format!("Type the workflow's name, {}, to go on", self.plan.workflow),
            Language::Chinese => chinese::asking::name_question(&self.plan.workflow),
        }
    }

    /// A typed name was another one.
    pub fn wrong_name(&self, language: Language) -> String {
        match language {
            Language::English => format!("that is not {}", self.plan.workflow),
            Language::Chinese => chinese::asking::wrong_name(&self.plan.workflow),
        }
    }

    /// The line of an instance where instances are chosen.
    pub fn choice(&self, instance: &InstancePlan, language: Language) -> String {
        let what: Vec<_> = super::plan_table::change_lines(self.plan, instance, language);
        let what = what.join(language.pick(", ", "，"));
        super::words::clean(&format!("{}  {what}", full_name(instance)))
    }
}

fn first(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

fn stay_words(stay: usize, of: usize, language: Language) -> String {
    match (stay, of) {
        (stay, of) if language == Language::Chinese => chinese::asking::stay(stay, of),
        (1, 1) => "It stays stopped afterwards".to_owned(),
        (stay, of) if stay == of => "They stay stopped afterwards".to_owned(),
        (stay, of) => format!("{stay} of the {of} stay stopped afterwards"),
    }
}

fn how_long_in(language: Language, estimate: &Estimate) -> String {
    match language {
        Language::English => how_long(estimate),
        Language::Chinese => chinese::asking::how_long(estimate),
    }
}

/// How long by past experience; it says so where there is none.
fn how_long(estimate: &Estimate) -> String {
    let Estimate { known, unknown, shortest, longest, whole, at_once, of } = *estimate;
    if known == 0 {
        return "How long is not known: no earlier run tells of operations like these".to_owned();
    }
    let (shortest, longest) = (span(shortest), span(longest));
    let each =
        if shortest == longest { format!("about {longest}") } else { format!("{shortest} to {longest}") };
    let by = format!("by what {of} earlier operations of each kind took");
    let all = span(whole);
    let rest = match unknown {
        0 => String::new(),
        1 => "; of 1 instance nothing is known".to_owned(),
        many => format!("; of {many} instances nothing is known"),
    };
    match known {
        1 => format!("Down for {each}, {by}{rest}"),
        _ if at_once == 1 => format!("Down for {each} each, one at a time, {all} for all, {by}{rest}"),
        many if at_once >= many => format!("Down for {each} each, all at once, {all} for all, {by}{rest}"),
        _ => format!("Down for {each} each, {at_once} at a time, {all} for all, {by}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_estimate_says_what_it_rests_on() {
        let seconds = Duration::from_secs;
        let some = Estimate {
            known: 20,
            unknown: 0,
            shortest: seconds(25),
            longest: seconds(25),
            whole: seconds(100),
            at_once: 5,
            of: 40,
        };
        assert_eq!(
            how_long(&some),
            "Down for about 25s each, 5 at a time, 1m 40s for all, \
             by what 40 earlier operations of each kind took"
        );
        let one = Estimate { known: 1, unknown: 2, shortest: seconds(18), ..some };
        assert_eq!(
            how_long(&one),
            "Down for 18s to 25s, by what 40 earlier operations of each kind took; of 2 instances nothing is known"
        );
        let none = Estimate { known: 0, unknown: 3, ..some };
        assert_eq!(how_long(&none), "How long is not known: no earlier run tells of operations like these");
    }
}
