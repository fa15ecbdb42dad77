//! The page, to the letter where it matters: what is first, that nothing from the outside is markup, that it needs
//! nothing else, and that its colours can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::report::staged::{
    Staged, at, fleet, hostile, instance, interrupted, overnight, plan, three, view,
};

fn page(staged: &Staged) -> String {
    html(&staged.records, view()).unwrap()
}

/// The pages that the witness looks at in a browser, if it says where it wants them.
#[test]
fn pages_for_the_browser() {
    let Some(folder) = std::env::var_os("PITSTOP_PAGES") else { return };
    let pages = [
        ("three", three()),
        ("overnight", overnight()),
        ("interrupted", interrupted()),
        ("fleet-40", fleet(40)),
        ("fleet-1000", fleet(1000)),
        ("hostile", hostile()),
    ];
    for (name, staged) in pages {
        let file = std::path::Path::new(&folder).join(name);
        std::fs::write(file.with_extension("html"), page(&staged)).unwrap();
        let documents = [
            ("md", crate::report::markdown as fn(&[Record], Viewpoint) -> Result<String, StoryError>),
            ("xml", crate::report::junit),
        ];
        for (extension, write) in documents {
            let text: String = write(&staged.records[..], view()).unwrap();
            std::fs::write(file.with_extension(extension), text).unwrap();
        }
    }
}

/// Where each of these stands; all must.
fn places(page: &str, texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|text| page.find(text).unwrap_or_else(|| panic!("no {text}"))).collect()
}

#[test]
fn what_needs_a_person_is_first() {
    let page = page(&three());
    let order = [
        "1 in need of a person, 1 failed, 1 done of 3 instances</p>",
        "NEEDS A PERSON, it is STOPPED: resize: ResourcesSoldOut.SpecifiedInstanceType",
        "tccli cvm StartInstances --region ap-guangzhou --InstanceIds",
        "FAILED: resize: ResourcesSoldOut.SpecifiedInstanceType: The specified type is sold out; was down 17.0s",
        "its public address was 198.51.100.7 and is 198.51.100.9",
        "<h2 id=\"timeline\">",
        "ins-0web0003: NEEDS A PERSON",
        "<h2 id=\"plan\">",
        "<h2 id=\"run\">",
        "9f86d081884c7d65",
    ];
    let places = places(&page, &order);
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_page_tells_calls_phases_and_outcome_of_each_instance() {
    let page = page(&three());
    for text in [
        "<desc>stopping 8.0s, stopped 0.2s, resetting password 2.0s, stopped 0.2s, resizing 6.0s, stopped 0.4s, \
         starting 6.0s, checking 1.0s</desc>",
        "<title>resizing to S5.LARGE8 6.0s, 22:13:31 – 22:13:37</title>",
        "<td>starting, 3 times</td><td class=\"at\">22:13:34 – 22:13:49</td>",
        "<td>resize S5.MEDIUM4 → S5.LARGE8 (4 cores, 8 GiB)</td><td>not made</td>",
        "<td>resize S5.MEDIUM4 → S5.LARGE8 (4 cores, 8 GiB)</td><td>made</td>",
        "<dt>type</dt><dd>S5.MEDIUM4 → S5.LARGE8</dd>",
        "<dt>power</dt><dd>RUNNING → STOPPED, but should be RUNNING</dd>",
        "5b0c6f0e-0000-4000-8000-000000000001",
        "little is left of S5.LARGE8",
        "release timers were not checked",
        "process 4242 on ops",
    ] {
        assert!(page.contains(text), "no {text}");
    }
}

#[test]
fn a_night_in_which_nobody_watched_is_seen() {
    let page = page(&overnight());
    for text in
        ["1 time, unwatched 8h 59m", "nobody watched for 8h 59m", "2025-11-24", "> nobody watched</li>"]
    {
        assert!(page.contains(text), "no {text}");
    }
    assert!(!super::html(&three().records, view()).unwrap().contains("> nobody watched</li>"));
}

#[test]
fn an_interrupted_run_says_what_to_type() {
    let staged = interrupted();
    let told = page(&staged);
    assert!(told.contains("brought back, not finished; made: nothing; left: reset password, resize"));
    assert!(told.contains("<code>pitstop resume "));
    let now = Viewpoint { now: Some(at(20_000)), ..view() };
    let live = html(&staged.records, now).unwrap();
    assert!(!live.contains("<code>pitstop resume "), "a process has it");
    let gone = Viewpoint { place: crate::journal::Place::InProcess, ..view() };
    assert!(!html(&staged.records, gone).unwrap().contains("<code>pitstop resume "));
}

/// The tags of a page: the names, and the attributes' names with their values.
fn tags(page: &str) -> Vec<(&str, &str)> {
    let style = page.find("</style>").unwrap();
    let texts = page[style..].split('<').skip(1);
    texts
        .map(|text| text.split_once('>').expect("a tag ends").0)
        .map(|tag| tag.split_once(' ').unwrap_or((tag, "")))
        .collect()
}

/// What stands outside of the quoted values.
fn unquoted(attributes: &str) -> String {
    attributes.split('"').step_by(2).collect()
}

#[test]
fn nothing_from_the_outside_becomes_markup() {
    let page = page(&hostile());
    let names: BTreeSet<_> = tags(&page).iter().map(|(name, _)| name.trim_matches('/')).collect();
    for bad in ["script", "img", "request"] {
        assert!(!names.contains(bad), "{bad}");
    }
    for (name, attributes) in tags(&page) {
        assert!(!unquoted(attributes).contains("onload"), "{name} {attributes}");
    }
    assert_eq!(page.matches("<style>").count(), 1);
    assert_eq!(page.matches("</title>").count(), 1 + page.matches("<title>").count() - 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;"), "it is told as it is");
    assert!(page.contains("{{ 7 * 7 }}"), "no template either");
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn a_page_needs_nothing_else() {
    for page in [page(&three()), page(&hostile())] {
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
        for (name, attributes) in tags(&page) {
            assert!(!["script", "link", "iframe", "img", "object"].contains(&name), "{name}");
            let names = unquoted(attributes);
            for outside in ["src", "style", "action", "on"] {
                assert!(!names.split_whitespace().any(|name| name.starts_with(outside)), "{name} {names}");
            }
            if let Some(target) = attributes.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                let id = format!(" id=\"{}\"", target.strip_prefix('#').expect("a place in the page"));
                assert_eq!(page.matches(&id).count(), 1, "{target}");
            }
        }
        let style = &page[page.find("<style>").unwrap()..page.find("</style>").unwrap()];
        for url in style.split("url(").skip(1) {
            assert!(url.starts_with("#p-"), "{url}");
        }
        assert!(!style.contains("@import"));
    }
}

#[test]
fn many_instances_are_folded_and_cost_little_each() {
    let page = page(&fleet(1000));
    assert!(
        page.contains("<summary>13 that are not done"),
        "{:?}",
        page.split("<summary>").nth(1).map(|own| &own[..60])
    );
    assert!(page.contains("<summary>1 – 50 of 987 done · 22:13:20 – "));
    assert_eq!(page.matches("<details class=\"group\" open>").count(), 1, "only what went wrong is open");
    assert_eq!(page.matches("<td class=\"track\">").count(), 1000);
    let each = page.len() / 1000;
    assert!(each < 5500, "{each} bytes each");
}

#[test]
fn a_budget_is_compared_with() {
    let mut allowed = plan(vec![instance("ins-0web0001", "web-1"), instance("ins-0web0002", "web-2")]);
    allowed.downtime_budget = Some(Duration::from_secs(20));
    let mut staged = Staged::new(allowed);
    staged.done(1000, "ins-0web0001");
    staged.failed(2000, "ins-0web0002");
    staged.run_ended(30_000);
    let page = page(&staged);
    assert!(page.contains("<dd>22.8s of 20s allowed (web-1)</dd>"), "longest");
    assert!(page.contains("; was down 17.0s of 20s allowed</p>"));
    assert!(page.contains("<td class=\"num bad\">22.8s</td>"));
    assert!(page.contains("<td class=\"num\">17.0s</td>"));
    assert!(page.contains("<dt>downtime budget</dt><dd>20s</dd>"));
}

/// The colours of a scheme by their names.
fn colours(css: &str) -> BTreeMap<&str, [f64; 3]> {
    let pairs = css.split("--").skip(1).filter_map(|text| text.split_once(": #"));
    let colour = |hex: &str| {
        let digits: String = hex.chars().take_while(char::is_ascii_hexdigit).collect();
        let digits = if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits };
        [0, 2, 4].map(|place| f64::from(u8::from_str_radix(&digits[place..place + 2], 16).unwrap()) / 255.0)
    };
    pairs.map(|(name, hex)| (name, colour(hex))).collect()
}

/// The contrast of two colours, by WCAG 2.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let light = |colour: [f64; 3]| {
        let linear = colour
            .map(|part| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

#[test]
fn every_colour_can_be_read_in_light_and_dark() {
    let css = include_str!("page.css");
    let (light, rest) = css.split_once("@media screen and (prefers-color-scheme: dark)").unwrap();
    let (light, dark) = (colours(light), colours(rest.split_once("* {").unwrap().0));
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>());
    for scheme in [&light, &dark] {
        for text in ["ink", "muted", "link", "good", "bad", "risk", "live"] {
            for ground in ["paper", "card"] {
                let found = contrast(scheme[text], scheme[ground]);
                assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
            }
        }
        for phase in ["stopping", "stopped", "key", "password", "resizing", "starting", "checking"] {
            let found = contrast(scheme[format!("{phase}-ink").as_str()], scheme["paper"]);
            assert!(found >= 3.0, "the border of {phase}: {found:.2}");
        }
        for (letter, ground) in [("resizing-letter", "resizing"), ("ink", "key"), ("ink", "password")] {
            let found = contrast(scheme[letter], scheme[ground]);
            assert!(found >= 4.5, "{letter} on {ground}: {found:.2}");
        }
    }
}
