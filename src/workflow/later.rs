//! The parts of the language that have no behaviour yet: their values are checked, and then they are refused,
//! for a key that is silently ignored is a promise broken.

use super::diagnostic::{Code, Diagnostic, quoted};
use super::reader::{Fields, Reader, Unfit};
use super::sections::{SHORTEST_CHECK, each};
use super::tree::{Data, Entry, Node};
use super::value;

/// The keys at the top that are not built yet.
pub(super) fn read(reader: &mut Reader<'_>, fields: Fields<'_>) {
    if let Some(entry) = fields.entry("window") {
        window(reader, &entry.value);
        reader.not_supported(
            "window",
            &entry.key_span,
            "remove it, and let the scheduler start Pitstop inside the window",
        );
    }
    if let Some(entry) = fields.entry("guard") {
        guard(reader, &entry.value);
    }
    if let Some(entry) = fields.entry("notify") {
        notify(reader, &entry.value);
        reader.not_supported("notify", &entry.key_span, "remove it, and act on the exit code");
    }
}

/// `check.http`.
pub(super) fn http(reader: &mut Reader<'_>, entry: &Entry) {
    let keys = &["url", "expect", "timeout"];
    let example = "write `http: { url: \"http://${{ instance.private-ip }}/health\", expect: 200 }`";
    if let Some(fields) = reader.fields("http", &entry.value, "`http`", keys, example) {
        if let Some(node) = fields.need(reader, "url", "url: \"http://${{ instance.private-ip }}/health\"") {
            url(reader, node);
        }
        fields.get("expect").map(|node| reader.number("expect", node, 100, 599));
        fields.get("timeout").map(|node| reader.duration_from("timeout", node, SHORTEST_CHECK));
    }
    reader.not_supported("http", &entry.key_span, "use `tcp` with the port of the service");
}

fn url(reader: &mut Reader<'_>, node: &Node) {
    let Some(text) = reader.text_of_instance("url", node) else { return };
    // An address of the documentation range stands in for the instance's own.
    let filled = super::params::with_instance(&text, "192.0.2.1");
    let result = match url::Url::parse(&filled) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(()),
        _ => Err(Unfit::new(
            format!("{} is not an HTTP address", quoted(&text)),
            "write it like `http://${{ instance.private-ip }}/health`",
        )),
    };
    reader.fit(node, result);
}

/// `check.command`.
pub(super) fn command(reader: &mut Reader<'_>, entry: &Entry) {
    let example = "write `command: { run: systemctl is-active nginx, timeout: 1m }`";
    if let Some(fields) = reader.fields("command", &entry.value, "`command`", &["run", "timeout"], example) {
        if let Some(node) = fields.need(reader, "run", "run: systemctl is-active nginx") {
            reader.text("run", node);
        }
        fields.get("timeout").map(|node| reader.duration_from("timeout", node, SHORTEST_CHECK));
    }
    reader.not_supported("command", &entry.key_span, "use `tcp` with the port of the service");
}

/// The days of a week, as `window.days` names them.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A day of the week, or a range of days.
fn day(text: &str) -> Result<(), Unfit> {
    let fits = text.matches('-').count() <= 1 && text.split('-').all(|day| DAYS.contains(&day));
    fits.then_some(()).ok_or_else(|| {
        Unfit::new(format!("{} is not a day", quoted(text)), "write `mon`, or a range like `mon-fri`")
    })
}

fn window(reader: &mut Reader<'_>, node: &Node) {
    let keys = &["days", "from", "to", "timezone"];
    let example =
        "write `window: { days: [mon-fri], from: \"22:00\", to: \"06:00\", timezone: Asia/Shanghai }`";
    let Some(fields) = reader.fields("window", node, "`window`", keys, example) else { return };
    if let Some(node) = fields.get("days")
        && let Some(items) = reader.items("days", node, "write `days: [mon-fri]`")
    {
        each(items, |item| reader.shaped("days", item, day));
    }
    for (key, example) in [("from", "from: \"22:00\""), ("to", "to: \"06:00\"")] {
        if let Some(node) = fields.need(reader, key, example) {
            reader.shaped(key, node, value::time_of_day);
        }
    }
    if let Some(node) = fields.need(reader, "timezone", "timezone: Asia/Shanghai") {
        reader.shaped("timezone", node, |text| match jiff::tz::TimeZone::get(text) {
            Ok(_) => Ok(()),
            Err(_) => Err(Unfit::new(
                format!("{} is not a time zone", quoted(text)),
                "write it like `Asia/Shanghai` or `UTC`",
            )),
        });
    }
}

fn guard(reader: &mut Reader<'_>, node: &Node) {
    let keys = &["load-balancer", "auto-scaling", "snapshot", "max-cost-increase"];
    let Some(fields) =
        reader.fields("guard", node, "`guard`", keys, "write `guard: { load-balancer: warn }`")
    else {
        return;
    };
    let surroundings = [
        ("load-balancer", ["drain", "warn", "refuse", "ignore"].as_slice(), "warn"),
        ("auto-scaling", ["standby", "refuse", "ignore"].as_slice(), "refuse"),
    ];
    for (key, words, built) in surroundings {
        let Some(node) = fields.get(key) else { continue };
        let words: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
        if let Some(word) = reader.word(key, node, &words).filter(|word| *word != built) {
            reader.not_supported(
                &format!("{key}: {word}"),
                &node.span,
                &format!("write `{built}`, which is the default"),
            );
        }
    }
    if let Some(entry) = fields.entry("snapshot") {
        snapshot(reader, &entry.value);
        reader.not_supported("snapshot", &entry.key_span, "remove it, and take the snapshot beforehand");
    }
    if let Some(entry) = fields.entry("max-cost-increase") {
        max_cost_increase(reader, &entry.value);
        reader.not_supported(
            "max-cost-increase",
            &entry.key_span,
            "remove it, and look at the prices in the plan",
        );
    }
}

fn snapshot(reader: &mut Reader<'_>, node: &Node) {
    let example = "write `snapshot: { before: true, keep: 7d }`";
    let Some(fields) = reader.fields("snapshot", node, "`snapshot`", &["before", "keep"], example) else {
        return;
    };
    fields.get("before").map(|node| reader.flag("before", node));
    fields.get("keep").map(|node| reader.measure("keep", node, "days like `7d`", value::days));
}

fn max_cost_increase(reader: &mut Reader<'_>, node: &Node) {
    let example = "write `max-cost-increase: { per-hour: 2.50, currency: CNY }`";
    let keys = &["per-hour", "currency"];
    let Some(fields) = reader.fields("max-cost-increase", node, "`max-cost-increase`", keys, example) else {
        return;
    };
    if let Some(node) = fields.need(reader, "per-hour", "per-hour: 2.50") {
        let amount = match &node.data {
            Data::Number(number, _) => number.as_f64(),
            _ => None,
        };
        if !amount.is_some_and(|amount| amount.is_finite() && amount >= 0.0) {
            let complaint = reader.about(node, Code::BadValue, "`per-hour` must be an amount of money");
            reader.complain(complaint.help("write it like `2.50`"));
        }
    }
    if let Some(node) = fields.need(reader, "currency", "currency: CNY") {
        reader.shaped("currency", node, |text| {
            let fits = text.len() == 3 && text.chars().all(|c| c.is_ascii_uppercase());
            fits.then_some(()).ok_or_else(|| {
                Unfit::new(
                    format!("{} is not a currency", quoted(text)),
                    "write its three letters, like `CNY`",
                )
            })
        });
    }
}

fn notify(reader: &mut Reader<'_>, node: &Node) {
    let example = "write `notify: [{ webhook: { env: HOOK_URL }, on: [failed, finished] }]`";
    let Some(items) = reader.items("notify", node, example) else { return };
    for item in items {
        let Some(fields) = reader.fields("notify", item, "a notification", &["webhook", "on"], example)
        else {
            continue;
        };
        if let Some(node) = fields.need(reader, "webhook", "webhook: { env: HOOK_URL }") {
            webhook(reader, node);
        }
        if let Some(node) = fields.get("on")
            && let Some(items) = reader.items("on", node, "write `on: [failed, finished]`")
        {
            each(items, |item| reader.word("on", item, &[("failed", ()), ("finished", ())]));
        }
    }
}

fn webhook(reader: &mut Reader<'_>, node: &Node) {
    if matches!(node.data, Data::Text(_)) {
        let complaint = Diagnostic::new(
            Code::Secret,
            "the address of a webhook is a secret and must not stand in the workflow",
        );
        reader.complain(
            complaint
                .at(&node.span)
                .help("put it into an environment variable: `webhook: { env: HOOK_URL }`"),
        );
        return;
    }
    let Some(fields) =
        reader.fields("webhook", node, "`webhook`", &["env"], "write `webhook: { env: HOOK_URL }`")
    else {
        return;
    };
    if let Some(node) = fields.need(reader, "env", "env: HOOK_URL") {
        reader.shaped("env", node, value::variable);
    }
}
