//! The examples do what they say.

use crate::sealed::Sealed;

#[path = "../../examples/embed.rs"]
mod embed;

#[test]
fn the_library_can_be_embedded() {
    embed::main().unwrap();
}

#[test]
fn embedding_takes_little() {
    let code = include_str!("../../examples/embed.rs");
    let body = code.split("pub(crate) async fn main()").nth(1).unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    assert!(lines.count() <= 45);
}

/// The words after `pitstop` on a line, up to a redirection.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = lines.filter_map(|line| line.split_once("pitstop run").map(|(_, rest)| format!("run{rest}")));
    words
        .map(|line| line.split_whitespace().take_while(|w| !w.starts_with('>')).map(str::to_owned).collect())
        .collect()
}

/// The command line accepts these words: with `--help` behind them nothing is done, but all of them are read.
fn is_accepted(words: &[String]) {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push("--help");
    let done = Sealed::new().pitstop(&words);
    assert_eq!(done.code, 0, "{words:?}: {}", done.stderr);
}

#[test]
fn scheduled_jobs_call_what_exists() {
    let systemd = command_lines(include_str!("../../examples/systemd/pitstop-resize.service"));
    let cron = command_lines(include_str!("../../examples/cron/pitstop"));
    assert_eq!((systemd.len(), cron.len()), (1, 2));
    systemd.iter().chain(&cron).for_each(|words| is_accepted(words));
}

#[test]
fn the_cronjob_calls_what_exists() {
    let text = include_str!("../../examples/kubernetes/cronjob.yaml");
    let job: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    assert_eq!(job["kind"], "CronJob");
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let args: Vec<String> =
        container["args"].as_sequence().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect();
    is_accepted(&args);
    let mounts = |of: &serde_yaml::Value| {
        of.as_sequence().unwrap().iter().map(|v| v["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(mounts(&container["volumeMounts"]), mounts(&pod["volumes"]));
}
