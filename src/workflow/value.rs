//! The forms that scalars have: durations, sizes, the cloud's identifiers.

use std::time::Duration;

use jiff::fmt::friendly::SpanParser;

use super::diagnostic::{nearest, quoted};
use super::reader::Unfit;
use crate::cloud::{InstanceId, InstanceType, KeyId};

/// The longest time that Pitstop waits for anything.
const LONGEST: Duration = Duration::from_hours(24);

/// The regions in the vendor's SDKs (reference, section 4.25) and documents. A region not in this list is taken
/// all the same if it looks like one: the vendor opens new ones.
pub(super) const REGIONS: [&str; 27] = [
    "ap-bangkok",
    "ap-beijing",
    "ap-beijing-fsi",
    "ap-chengdu",
    "ap-chongqing",
    "ap-guangzhou",
    "ap-guangzhou-open",
    "ap-hongkong",
    "ap-jakarta",
    "ap-mumbai",
    "ap-nanjing",
    "ap-qingyuan",
    "ap-seoul",
    "ap-shanghai",
    "ap-shanghai-adc",
    "ap-shanghai-fsi",
    "ap-shenzhen",
    "ap-shenzhen-fsi",
    "ap-singapore",
    "ap-taipei",
    "ap-tokyo",
    "eu-frankfurt",
    "eu-moscow",
    "na-ashburn",
    "na-siliconvalley",
    "na-toronto",
    "sa-saopaulo",
];

/// A time to wait, such as `90s` or `1h 30m`: more than nothing and at most 24 hours.
pub(super) fn duration(text: &str) -> Result<Duration, Unfit> {
    const FORM: &str = "write a duration like `90s`, `10m` or `1h 30m`";
    if let Ok(seconds) = text.trim().parse::<f64>() {
        let why = format!("{} has no unit", quoted(text));
        return Err(if seconds.fract() == 0.0 && (1.0..=86_400.0).contains(&seconds) {
            Unfit::new(why, format!("write `{seconds}s` for seconds or `{seconds}m` for minutes"))
        } else {
            Unfit::new(why, FORM)
        });
    }
    // The parser takes `10m ago` and `-10m` as negative, and ISO 8601 has another parser.
    let duration = SpanParser::new()
        .parse_duration(text.trim())
        .map_err(|_| Unfit::new(format!("{} is not a duration", quoted(text)), FORM))?;
    if duration.is_negative() || duration.is_zero() {
        return Err(Unfit::new(format!("{} is not longer than nothing", quoted(text)), FORM));
    }
    let duration = duration.unsigned_abs();
    if duration > LONGEST {
        return Err(Unfit::new(format!("{} is longer than 24 hours", quoted(text)), "write at most `24h`"));
    }
    Ok(duration)
}

/// A whole number of days, such as `7d`.
pub(super) fn days(text: &str) -> Result<u32, Unfit> {
    let number = text.strip_suffix('d').and_then(|number| number.parse().ok());
    number.filter(|days| (1..=3650).contains(days)).ok_or_else(|| {
        Unfit::new(format!("{} is not a number of days", quoted(text)), "write days like `7d`")
    })
}

/// An amount of memory in GiB, such as `8GiB`.
pub(super) fn gibibytes(text: &str) -> Result<u32, Unfit> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text[digits.len()..].trim();
    let why = format!("{} is not an amount of memory", quoted(text));
    match digits.parse::<u32>() {
        Ok(0) => Err(Unfit::new(format!("{} is no memory at all", quoted(text)), "write a size like `8GiB`")),
        Ok(size) if unit == "GiB" => Ok(size),
        Ok(size) if ["", "g", "gb", "gib"].contains(&unit.to_ascii_lowercase().as_str()) => {
            Err(Unfit::new(why, format!("write `{size}GiB`")).meaning(format!("{size}GiB")))
        }
        _ => Err(Unfit::new(why, "write a whole number of GiB, like `8GiB`")),
    }
}

/// An instance's id.
pub(super) fn instance_id(text: &str) -> Result<InstanceId, Unfit> {
    identifier(text, "ins-", "an instance id", "ins-r8hr2upy").map(|()| InstanceId::new(text))
}

/// A key pair's id.
pub(super) fn key_id(text: &str) -> Result<KeyId, Unfit> {
    identifier(text, "skey-", "a key id", "skey-abc12345").map(|()| KeyId::new(text))
}

fn identifier(text: &str, prefix: &str, what: &str, example: &str) -> Result<(), Unfit> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let well_formed = |text: &str| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 4 && rest.chars().all(is_letter))
    };
    if well_formed(text) {
        return Ok(());
    }
    let why = format!("{} is not {what}", quoted(text));
    let lower = text.trim().to_ascii_lowercase();
    Err(if well_formed(&lower) {
        Unfit::new(why, format!("did you mean `{lower}`?")).meaning(lower)
    } else {
        Unfit::new(why, format!("write it as the console shows it, like `{example}`"))
    })
}

/// The name of an instance type, such as `S5.LARGE8`.
pub(super) fn instance_type(text: &str) -> Result<InstanceType, Unfit> {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let well_formed =
        |text: &str| text.split_once('.').is_some_and(|(family, size)| is_part(family) && is_part(size));
    if well_formed(text) {
        return Ok(InstanceType::new(text));
    }
    let why = format!("{} is not an instance type", quoted(text));
    let upper = text.trim().to_ascii_uppercase();
    Err(if well_formed(&upper) {
        Unfit::new(why, format!("did you mean `{upper}`?")).meaning(upper)
    } else {
        Unfit::new(why, "write family and size like `S5.LARGE8`")
    })
}

/// A region such as `ap-guangzhou`.
pub(super) fn region(text: &str) -> Result<String, Unfit> {
    if REGIONS.contains(&text) {
        return Ok(text.to_owned());
    }
    let why = format!("{} is not a region", quoted(text));
    let zone_of = text.rsplit_once('-').filter(|(_, number)| number.chars().all(|c| c.is_ascii_digit()));
    if let Some((region, _)) = zone_of.filter(|(region, _)| is_region_shaped(region)) {
        let help = format!("it looks like a zone; the region is `{region}`");
        return Err(Unfit::new(why, help).meaning(region));
    }
    let lower = text.trim().to_ascii_lowercase().replace('_', "-");
    // One letter off a known region is a typing mistake; further off it may be a region newer than the list.
    let near = REGIONS.iter().find(|region| strsim::osa_distance(&lower, region) <= 1 && text.len() < 64);
    let near = near.copied().or_else(|| {
        REGIONS.iter().copied().find(|region| region.split_once('-').is_some_and(|(_, city)| city == lower))
    });
    match near {
        Some(near) => Err(Unfit::new(why, format!("did you mean `{near}`?")).meaning(near)),
        None if is_region_shaped(text) => Ok(text.to_owned()),
        None => Err(match nearest(&lower, REGIONS) {
            Some(near) => Unfit::new(why, format!("did you mean `{near}`?")).meaning(near),
            None => Unfit::new(why, "write it as the console shows it, like `ap-guangzhou`"),
        }),
    }
}

fn is_region_shaped(text: &str) -> bool {
    let mut parts = text.split('-');
    let continent = parts.next().is_some_and(|part| (2..=4).contains(&part.len()));
    continent
        && (1..=3).contains(&parts.clone().count())
        && parts.all(|part| part.len() >= 2)
        && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// A zone of a region, such as `ap-guangzhou-3`.
pub(super) fn zone(text: &str, region: Option<&str>) -> Result<String, Unfit> {
    let shaped = text
        .rsplit_once('-')
        .filter(|(region, number)| is_region_shaped(region) && number.parse::<u32>().is_ok());
    match (shaped, region) {
        (None, _) => {
            let region = region.unwrap_or("ap-guangzhou");
            Err(Unfit::new(format!("{} is not a zone", quoted(text)), format!("write it like `{region}-3`")))
        }
        (Some((of, _)), Some(region)) if of != region => Err(Unfit::new(
            format!("the zone {} is not in the region `{region}`", quoted(text)),
            "a workflow works in one region; write a second one for the other region",
        )),
        _ => Ok(text.to_owned()),
    }
}

/// A host's name or address, or `${{ instance.… }}` in place of it.
pub(super) fn host(text: &str) -> Result<String, Unfit> {
    let plain = super::params::with_instance(text, "x");
    let fits = plain.parse::<std::net::IpAddr>().is_ok()
        || (plain.len() <= 253
            && !plain.starts_with(['-', '.'])
            && plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_'));
    fits.then(|| text.to_owned()).ok_or_else(|| {
        Unfit::new(
            format!("{} is not a host", quoted(text)),
            "write a name or an address only; the port has a key of its own",
        )
    })
}

/// The name of an environment variable.
pub(super) fn variable(text: &str) -> Result<String, Unfit> {
    let fits = super::secret::is_variable_name(text) && !text.starts_with('$');
    match (fits, text.strip_prefix('$')) {
        (true, _) => Ok(text.to_owned()),
        (false, Some(name)) if super::secret::is_variable_name(name) => {
            Err(Unfit::new("`env` takes the variable's name without `$`", format!("write `{name}`"))
                .meaning(name))
        }
        // What stands here by mistake may be the secret itself: it is not repeated.
        (false, _) => Err(Unfit::new(
            "`env` must be the name of an environment variable",
            "write a name like `NEW_PASSWORD`, and set that variable where Pitstop runs; the secret itself does not belong into the file",
        )),
    }
}

/// A time of day, such as `22:00`.
pub(super) fn time_of_day(text: &str) -> Result<String, Unfit> {
    let fits = text.split_once(':').is_some_and(|(hour, minute)| {
        let number =
            |part: &str, below: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|number| number < below);
        number(hour, 24) && number(minute, 60)
    });
    fits.then(|| text.to_owned()).ok_or_else(|| {
        Unfit::new(format!("{} is not a time of day", quoted(text)), "write it like \"22:00\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a form makes of a text: the value, or the help without the reason.
    fn answer<T: std::fmt::Debug>(result: Result<T, Unfit>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(unfit) => unfit.help,
        }
    }

    #[test]
    fn durations_have_a_unit_and_a_limit() {
        let form = "write a duration like `90s`, `10m` or `1h 30m`";
        let table = [
            ("90s", "90s"),
            ("10m", "600s"),
            ("1h 30m", "5400s"),
            ("1h30m", "5400s"),
            ("24h", "86400s"),
            ("1500ms", "1.5s"),
            ("24h 1s", "write at most `24h`"),
            ("90", "write `90s` for seconds or `90m` for minutes"),
            ("1.5", form),
            ("1e300", form),
            ("inf", form),
            ("-10m", form),
            ("10m ago", form),
            ("0s", form),
            ("PT10M", form),
            ("1d", form),
            ("", form),
        ];
        for (text, expected) in table {
            assert_eq!(answer(duration(text)), expected, "{text}");
        }
    }

    #[test]
    fn memory_is_in_gib() {
        let table = [
            ("8GiB", "8"),
            ("8 GiB", "8"),
            ("8", "write `8GiB`"),
            ("8GB", "write `8GiB`"),
            ("8g", "write `8GiB`"),
            ("0GiB", "write a size like `8GiB`"),
            ("1.5GiB", "write a whole number of GiB, like `8GiB`"),
            ("8MiB", "write a whole number of GiB, like `8GiB`"),
            ("GiB", "write a whole number of GiB, like `8GiB`"),
            ("99999999999GiB", "write a whole number of GiB, like `8GiB`"),
        ];
        for (text, expected) in table {
            assert_eq!(answer(gibibytes(text)), expected, "{text}");
        }
    }

    #[test]
    fn types_of_all_families_are_taken() {
        for text in ["S5.LARGE8", "SA2.MEDIUM4", "GN7.2XLARGE32", "C6.4XLARGE32", "IT5.16XLARGE256"] {
            assert_eq!(instance_type(text).ok(), Some(InstanceType::new(text)));
        }
        for text in ["S5", "S5.", ".LARGE8", "S5.LARGE.8", "S5-LARGE8", "S5 .LARGE8"] {
            assert!(instance_type(text).is_err(), "{text}");
        }
    }

    #[test]
    fn regions_newer_than_the_list_are_taken() {
        let table = [
            ("ap-guangzhou", "\"ap-guangzhou\""),
            ("ap-shenzhen-jr", "\"ap-shenzhen-jr\""),
            ("me-riyadh", "\"me-riyadh\""),
            ("ap-gaungzhou", "did you mean `ap-guangzhou`?"),
            ("AP-Guangzhou", "did you mean `ap-guangzhou`?"),
            ("ap_guangzhou", "did you mean `ap-guangzhou`?"),
            ("guangzhou", "did you mean `ap-guangzhou`?"),
            ("ap-guangzhou-3", "it looks like a zone; the region is `ap-guangzhou`"),
            ("", "write it as the console shows it, like `ap-guangzhou`"),
            ("china", "write it as the console shows it, like `ap-guangzhou`"),
        ];
        for (text, expected) in table {
            assert_eq!(answer(region(text)), expected, "{text}");
        }
    }

    #[test]
    fn hosts_are_names_and_addresses() {
        for text in [
            "10.0.0.1",
            "::1",
            "web-1.example",
            "${{ instance.private-ip }}",
            "a.${{ instance.public-ip }}.b",
        ] {
            assert!(host(text).is_ok(), "{text}");
        }
        for text in ["10.0.0.1:22", "http://web", "web 1", "-web", "web/1"] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_may_be_the_secret_itself_is_not_repeated() {
        assert!(variable("NEW_PASSWORD").is_ok());
        for text in ["hunter2!", "$hunter2!", "hunter2 "] {
            let unfit = variable(text).unwrap_err();
            assert!(!format!("{}{}{:?}", unfit.why, unfit.help, unfit.meant).contains("hunter2"), "{text}");
        }
    }
}
