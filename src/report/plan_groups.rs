//! A plan of many instances in short: how many undergo which change, and those few that differ, by name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::chinese;
use super::language::Language;
use super::layout::{lines, paragraph, table};
use super::plan_table::{afterwards, change_lines, power_now};
use super::words::{Look, clean};
use crate::cloud::Price;
use crate::plan::{InstancePlan, Plan};

/// A kind of change with at most so many instances is an exception: they are named.
const FEW: usize = 5;

/// One row for each kind of change, the most frequent first.
pub(super) fn groups(plan: &Plan, shown: &[&InstancePlan], look: Look, out: &mut Vec<String>) {
    let mut kinds: Vec<(Kind, Vec<&InstancePlan>)> = Vec::new();
    let mut known: BTreeMap<Kind, usize> = BTreeMap::new();
    for instance in shown {
        let kind = Kind::of(plan, instance, look.language);
        match known.entry(kind) {
            Entry::Occupied(place) => kinds[*place.get()].1.push(instance),
            Entry::Vacant(free) => {
                kinds.push((free.key().clone(), vec![instance]));
                free.insert(kinds.len() - 1);
            }
        }
    }
    kinds.sort_by_key(|(_, whom)| std::cmp::Reverse(whom.len()));
    let mut table = table(look.columns());
    table.set_header(
        look.language.pick(["Instances", "Now", "Change", "Then"], ["实例", "当前", "更改", "完成后"]),
    );
    for (kind, whom) in &kinds {
        table.add_row([who(whom, look), kind.now.clone(), kind.change.clone(), kind.afterwards.to_owned()]);
    }
    out.extend(lines(&table));
    out.push(String::new());
    let label = look.language.pick("price: ", "价格：");
    out.extend(prices(shown, look.language).iter().flat_map(|price| paragraph(0, label, price, look)));
    out.extend(paragraph(0, "", &all_rows_words(shown.len(), look.language), look));
    out.push(String::new());
}

fn all_rows_words(count: usize, language: Language) -> String {
    match language {
        Language::English => format!("all {count} rows: with -v, or by pitstop plan"),
        Language::Chinese => chinese::plan::all_rows(count),
    }
}

/// What instances have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    now: String,
    change: String,
    afterwards: &'static str,
}

impl Kind {
    fn of(plan: &Plan, instance: &InstancePlan, language: Language) -> Self {
        Self {
            now: power_now(instance, language),
            change: change_lines(plan, instance, language).join("\n"),
            afterwards: afterwards(instance, language),
        }
    }
}

fn who(whom: &[&InstancePlan], look: Look) -> String {
    if whom.len() > FEW {
        return whom.len().to_string();
    }
    let names: Vec<_> = whom.iter().map(|instance| clean(instance.name())).collect();
    format!("{}{}{}", whom.len(), look.language.pick(": ", "："), look.list(&names))
}

/// What all of them cost together, by currency and kind of price.
fn prices(shown: &[&InstancePlan], language: Language) -> Vec<String> {
    let mut sums: BTreeMap<(&str, bool), f64> = BTreeMap::new();
    for change in shown.iter().filter_map(|instance| instance.price.as_ref()) {
        let (hourly, amount) = match change.price {
            Price::PerHour(amount) => (true, amount),
            Price::Once(amount) => (false, amount),
        };
        *sums.entry((&change.currency, hourly)).or_default() += amount;
    }
    let words = |((currency, hourly), sum): ((&str, bool), f64)| match (hourly, sum < 0.0) {
        _ if language == Language::Chinese => chinese::plan::whole_price(currency, hourly, sum),
        (true, _) => format!("{sum:.2} {currency}/h for all together, at the new sizes"),
        (false, false) => format!("{sum:.2} {currency} now for all together"),
        (false, true) => format!("{:.2} {currency} back for all together", -sum),
    };
    sums.into_iter().map(|sum| clean(&words(sum))).collect()
}
