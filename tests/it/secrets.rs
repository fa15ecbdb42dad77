//! No secret leaves the process but to the cloud: canaries in every source, and every byte that any command writes
//! searched for them in every form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use pitstop::cloud::Change;
use pitstop::journal::{Journal, Place};
use pitstop::plan::Approval;
use pitstop::sim::InProcess;
use pitstop::tencent::wire::{Request, Response, Transport, TransportError};

use crate::rig::{PASSWORD, Rig, THREE};
use crate::sealed::{Done, Sealed, Simulator, finish, read_until, signal};
use crate::terminal::Screen;

const SECRET_KEY: &str = "Key&canary=<5e2d>/%+k";
const TOKEN: &str = "Token&canary=<b81f>/%+t";
const SPEED: [&str; 4] = ["--sim-speed", "100", "-vvv", "--output"];

/// A home with a workflow, a fleet whose credentials are canaries, and a simulator that records.
struct Stage {
    sealed: Sealed,
    simulator: Simulator,
    /// Everything that came out of any process.
    written: Vec<(String, Vec<u8>)>,
    /// Files of ours that hold secrets on purpose.
    sources: Vec<PathBuf>,
}

impl Stage {
    /// `source` is where the password comes from; `HOME` in it and in variables stands for the home folder.
    fn new(source: &str, variables: &[(&str, &str)]) -> Self {
        let mut sealed = Sealed::new();
        let home = sealed.home().to_owned();
        let placed = |text: &str| text.replace("HOME", home.to_str().unwrap());
        for (name, value) in variables {
            sealed = sealed.with(name, &placed(value));
        }
        let temporary = home.join("tmp");
        fs::create_dir(&temporary).unwrap();
        sealed = sealed.with("TMPDIR", temporary.to_str().unwrap()).with("RUST_BACKTRACE", "full");
        fs::write(home.join("fleet.yaml"), fleet()).unwrap();
        fs::write(home.join("workflow.yaml"), workflow(&placed(source))).unwrap();
        let (fleet, record) = (home.join("fleet.yaml"), home.join("record.jsonl"));
        let args = ["--fleet", fleet.to_str().unwrap(), "--record", record.to_str().unwrap()];
        let simulator = sealed.simulator(&[&args[..], &["--speed", "100", "--keep-log", "-vvv"]].concat());
        Self { sealed, simulator, written: Vec::new(), sources: vec![fleet] }
    }

    fn with_credentials() -> [(&'static str, &'static str); 3] {
        [
            ("TENCENTCLOUD_SECRET_ID", "AKIDcanary"),
            ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
            ("TENCENTCLOUD_TOKEN", TOKEN),
        ]
    }

    /// A file that only its owner reads.
    fn source(&mut self, name: &str, content: &str) -> PathBuf {
        let path = self.sealed.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.sources.push(path.clone());
        path
    }

    fn on_the_workflow<'a>(&'a self, command: &'a str, workflow: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&[command, workflow, "--endpoint", &self.simulator.url][..], more, &SPEED[..3]].concat()
    }

    fn keep(&mut self, what: &str, done: Done) -> Done {
        self.written.push((format!("stdout of {what}"), done.stdout.clone().into_bytes()));
        self.written.push((format!("stderr of {what}"), done.stderr.clone().into_bytes()));
        done
    }

    fn pitstop(&mut self, args: &[&str]) -> Done {
        let done = self.sealed.pitstop(args);
        self.keep(&args.join(" "), done)
    }

    /// Plans, runs until the first instance is stopped, is killed, resumes, and tells of it, in both forms.
    fn whole_life(&mut self, kill: bool) {
        let workflow = self.sealed.home().join("workflow.yaml").display().to_string();
        for command in ["doctor", "policy", "plan"] {
            let args = self.on_the_workflow(command, &workflow, &[]);
            let done = self.sealed.pitstop(&args);
            assert_eq!(self.keep(command, done).code, 0, "{command}");
        }
        let args = self.on_the_workflow("run", &workflow, &["--yes"]);
        let mut child = self.sealed.command(&args).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = read_until(&mut stderr, "web-1: stop done");
        if kill {
            signal(&child, "KILL");
        }
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (code, rest) = finish(child, stderr);
        told += &rest;
        let mut out = String::new();
        std::io::Read::read_to_string(&mut stdout, &mut out).unwrap();
        let done = self.keep("run", Done { code, stdout: out, stderr: told });
        assert_eq!(done.code, if kill { -1 } else { 0 }, "{}", done.stderr);
        if kill {
            let resumed = self.pitstop(&[&["resume"], &SPEED[..], &["json"]].concat());
            assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        }
        self.look_back();
    }

    fn look_back(&mut self) {
        let runs = self.pitstop(&["runs", "-vvv"]).stdout;
        let run = runs.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        for output in ["human", "json"] {
            let listed = self.pitstop(&["runs", "-vvv", "--output", output]);
            let shown = self.pitstop(&["show", &run, "-vvv", "--output", output]);
            assert_eq!((listed.code, shown.code), (0, 0));
        }
        for document in ["--html", "--markdown", "--junit"] {
            let written = self.pitstop(&["show", &run, "-vvv", document]);
            assert_eq!(written.code, 0, "{document}: {}", written.stderr);
            assert!(written.stdout.contains(&run), "{document}");
        }
    }

    /// Searches all that was written to anywhere for these secrets.
    fn assert_unheard_of(mut self, secrets: &[&str]) {
        let home = self.sealed.home().to_owned();
        let mut files = BTreeMap::new();
        read_all(&home, &mut files);
        assert!(files.keys().any(|path| path.ends_with("record.jsonl")), "the simulator has recorded");
        assert!(files.contains_key(&self.sealed.journal()), "there is a journal");
        for (path, content) in files {
            if !self.sources.contains(&path) {
                self.written.push((path.display().to_string(), content));
            }
        }
        for secret in secrets {
            for (form, text) in forms(secret) {
                for (what, bytes) in &self.written {
                    let found = bytes.windows(text.len()).position(|window| window == text.as_bytes());
                    assert_eq!(found, None, "{secret} is in {what}, {form}");
                }
            }
        }
    }
}

fn read_all(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

/// The secret as it could stand somewhere.
fn forms(secret: &str) -> Vec<(String, String)> {
    let mut forms = BTreeMap::from([("plain".to_owned(), secret.to_owned())]);
    let json = serde_json::to_string(secret).unwrap();
    forms.insert("as JSON".to_owned(), json.trim_matches('"').to_owned());
    let (mut hex, mut percent) = (String::new(), String::new());
    for byte in secret.bytes() {
        write!(hex, "{byte:02x}").unwrap();
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if plain { percent.push(byte.into()) } else { write!(percent, "%{byte:02X}").unwrap() }
    }
    forms.insert("in capital hex".to_owned(), hex.to_uppercase());
    forms.insert("in hex".to_owned(), hex);
    forms.insert("as in a URL, in small letters".to_owned(), percent.to_lowercase());
    forms.insert("as in a URL".to_owned(), percent);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    forms.insert("as in a form".to_owned(), form);
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    forms.insert("as in HTML".to_owned(), html);
    forms.insert(
        "as a list of numbers".to_owned(),
        format!("{:?}", secret.as_bytes()).replace(['[', ']'], ""),
    );
    for (name, engine) in [("base64", STANDARD_NO_PAD), ("base64 for URLs", URL_SAFE_NO_PAD)] {
        for shift in 0..3 {
            // In the middle of a longer text, the first and the last letters depend on their neighbours.
            let encoded = engine.encode([&b"xxx"[..shift], secret.as_bytes()].concat());
            let inner = &encoded[if shift == 0 { 0 } else { shift + 1 }..encoded.len() - 1];
            forms.insert(format!("in {name}, {shift} bytes on"), inner.to_owned());
        }
    }
    forms.into_iter().collect()
}

fn fleet() -> String {
    let mut fleet: serde_yaml::Value = serde_yaml::from_str(include_str!("../../src/sim/demo.yaml")).unwrap();
    for (name, value) in [("secret-id", "AKIDcanary"), ("secret-key", SECRET_KEY), ("token", TOKEN)] {
        fleet["credentials"][0][name] = value.into();
    }
    serde_yaml::to_string(&fleet).unwrap()
}

fn workflow(source: &str) -> String {
    format!(
        "version: 1\nname: canary\ntarget: {{ region: ap-guangzhou, instances: [ins-0web0001, ins-0web0002] }}\n\
         changes:\n  - reset-password: {{ user: root, password: {source} }}\n  - load-ssh-key: {{ name: ops }}\n\
         rollout: {{ at-once: 1 }}\n"
    )
}

#[test]
fn the_search_finds_every_form() {
    const SECRET: &str = "Pass&canary=<7f3a>/%1";
    let found = |text: &str| forms(SECRET).into_iter().any(|(_, form)| text.contains(&form));
    let shifted = |shift: &str| STANDARD_NO_PAD.encode(format!("{shift}{SECRET} and more"));
    for text in
        [SECRET.to_owned(), shifted(""), shifted("a"), shifted("ab"), format!("{:?}", SECRET.as_bytes())]
    {
        assert!(found(&text), "{text}");
    }
    assert!(found(url::Url::parse_with_params("http://x/", [("p", SECRET)]).unwrap().as_str()));
    assert!(!found("Pass&canary=<7f3b>/%1"));
}

#[test]
fn from_a_variable_and_credentials_from_variables() {
    const SECRET: &str = "Env&canary=<7f3a>/%1";
    let variables = [&Stage::with_credentials()[..], &[("NEW_PASSWORD", SECRET)]].concat();
    for kill in [false, true] {
        let mut stage = Stage::new("{ env: NEW_PASSWORD }", &variables);
        stage.whole_life(kill);
        stage.assert_unheard_of(&[SECRET, SECRET_KEY, TOKEN]);
    }
}

#[test]
fn from_a_file_and_credentials_from_a_file() {
    const SECRET: &str = "File&canary=<41c6>/%1";
    let mut stage =
        Stage::new("{ file: HOME/password }", &[("TENCENTCLOUD_CREDENTIALS_FILE", "HOME/credentials")]);
    stage.source("password", &format!("{SECRET}\n"));
    let ini = format!("[default]\nsecret_id = AKIDcanary\nsecret_key = {SECRET_KEY}\ntoken = {TOKEN}\n");
    stage.source("credentials", &ini);
    stage.whole_life(true);
    stage.assert_unheard_of(&[SECRET, SECRET_KEY, TOKEN]);
}

#[test]
fn from_a_program() {
    const SECRET: &str = "Program&canary=<9d02>/%1";
    let mut stage = Stage::new("{ command: [cat, HOME/vault] }", &Stage::with_credentials());
    stage.source("vault", &format!("{SECRET}\n"));
    stage.whole_life(true);
    stage.assert_unheard_of(&[SECRET, SECRET_KEY, TOKEN]);
}

#[test]
fn made_up_and_saved_to_one_file() {
    let mut stage =
        Stage::new("{ generate: { length: 24, save-to: HOME/new-password } }", &Stage::with_credentials());
    let saved = stage.sealed.home().join("new-password");
    stage.sources.push(saved.clone());
    stage.whole_life(true);
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(saved).unwrap();
    assert_eq!(secret.trim_end().len(), 24);
    stage.assert_unheard_of(&[secret.trim_end(), SECRET_KEY, TOKEN]);
}

#[test]
fn typed_at_the_terminal() {
    const SECRET: &str = "Typed&canary=<e5b7>/%1";
    let mut stage = Stage::new("{ prompt: true }", &Stage::with_credentials());
    let workflow = stage.sealed.home().join("workflow.yaml").display().to_string();
    let args = stage.on_the_workflow("run", &workflow, &["--yes"]);
    let mut screen = Screen::open(&stage.sealed, 120, &args);
    for question in ["New password for root:", "New password for root, again"] {
        screen.wait_for(question);
        screen.press(&format!("{SECRET}\r"));
    }
    assert_eq!(screen.end(), 0, "{}", screen.text());
    stage.written.push(("the terminal".to_owned(), std::mem::take(&mut screen.bytes)));
    stage.look_back();
    stage.assert_unheard_of(&[SECRET, SECRET_KEY, TOKEN]);
}

#[test]
fn errors_do_not_repeat_what_they_complain_of() {
    const SECRET: &str = "Wrong &canary=<0c8e>/%1";
    const WRONG_KEY: &str = "WrongKey&canary=<77aa>/%+";
    let variables = [&Stage::with_credentials()[..], &[("NEW_PASSWORD", SECRET)]].concat();
    let mut stage = Stage::new("{ env: NEW_PASSWORD }", &variables);
    let home = stage.sealed.home().to_owned();
    let path = |name: &str| home.join(name).display().to_string();
    let good = path("workflow.yaml");
    // A blank is against the vendor's rule, so that the password is refused here.
    let args = stage.on_the_workflow("run", &good, &["--yes"]);
    let refused = stage.sealed.pitstop(&args);
    assert_eq!(stage.keep("run with a bad password", refused).code, 4);
    // A key that the cloud does not accept.
    let args = stage.on_the_workflow("run", &good, &["--yes"]);
    let unsigned = stage.sealed.command(&args).env("TENCENTCLOUD_SECRET_KEY", WRONG_KEY).output().unwrap();
    assert_eq!(stage.keep("run with a wrong key", unsigned.into()).code, 5);
    // A token with a character that no header takes.
    let args = stage.on_the_workflow("plan", &good, &[]);
    let token = format!("{TOKEN}\u{7f}");
    let unsendable = stage.sealed.command(&args).env("TENCENTCLOUD_TOKEN", token).output().unwrap();
    assert_eq!(stage.keep("plan with a bad token", unsendable.into()).code, 5);
    // The password in the workflow itself, which is a source then, in good YAML and in bad.
    for (name, text) in [
        ("literal", format!("\"{SECRET}\"")),
        ("broken", format!("\"{SECRET}")),
        ("known", format!("{{ env: \"{SECRET}\" }}")),
    ] {
        let file = stage.source(name, &workflow(&text)).display().to_string();
        for output in ["human", "json"] {
            assert_eq!(stage.pitstop(&["check", &file, "-vvv", "--output", output]).code, 3, "{name}");
        }
    }
    let url = format!("postgres://ops:{SECRET}@db/x");
    assert_eq!(stage.sealed.pitstop(&["runs", "--state", &url]).code, 2);
    let done = stage.sealed.pitstop(&["runs", "--state", &url, "--output", "json"]);
    assert_eq!(stage.keep("runs with a bad place", done).code, 2);
    stage.assert_unheard_of(&[SECRET, SECRET_KEY, TOKEN, WRONG_KEY]);
}

#[test]
fn files_that_others_can_read_are_refused_with_the_command_that_mends_them() {
    let mut stage = Stage::new("{ file: HOME/password }", &Stage::with_credentials());
    let workflow = stage.sealed.home().join("workflow.yaml").display().to_string();
    let password = stage.source("password", "Open&canary=<1d4b>/%1\n");
    let ini = stage.source("open.ini", &format!("[default]\nsecret_id = x\nsecret_key = {SECRET_KEY}\n"));
    for (file, mode) in [(&password, 0o604), (&password, 0o640), (&ini, 0o644)] {
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        let args = stage.on_the_workflow("run", &workflow, &["--yes"]);
        let mut command = stage.sealed.command(&args);
        if *file == ini {
            for (name, _) in Stage::with_credentials() {
                command.env_remove(name);
            }
            command.env("TENCENTCLOUD_CREDENTIALS_FILE", file);
        }
        let refused = stage.keep("a refused run", command.output().unwrap().into());
        assert_eq!(refused.code, 5, "{}", refused.stderr);
        let help = [format!("chmod 600 {}", file.display()), format!("chmod 600 '{}'", file.display())];
        assert!(help.iter().any(|help| refused.stderr.contains(help)), "{}", refused.stderr);
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(stage.sealed.pitstop(&["runs"]).stdout, "", "nothing was begun");
    stage.assert_unheard_of(&["Open&canary=<1d4b>/%1", SECRET_KEY, TOKEN]);
}

/// A way to the cloud on which the program panics with all it has in hand, just as the password is to be sent.
struct Panics(Arc<InProcess>);

#[async_trait]
impl Transport for Panics {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.header("x-tc-action") == Some("ResetInstancesPassword") {
            let change = Change::ResetPassword {
                ids: vec!["ins-0web0001".into()],
                user: "root".to_owned(),
                password: PASSWORD.into(),
            };
            panic!("the canary: {request:?} {change:?}");
        }
        self.0.send(request).await
    }
}

/// Which hook says what is to be said of the panic below.
const HOOK: &str = "PITSTOP_TEST_PANIC_HOOK";

#[test]
#[ignore = "it panics while it holds secrets, and is run in a process of its own by the test below"]
fn panics_while_secrets_are_held() {
    if std::env::var(HOOK).is_ok_and(|hook| hook == "ours") {
        pitstop::cli::report_panics_of_process();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let mut rig = Rig::default();
        rig.fleet.credentials[0].secret_key = SECRET_KEY.into();
        let mut scene = rig.scene();
        let plan = rig.plan(&scene, THREE).await.approve(Approval::Program).unwrap();
        scene.client = rig.client(Arc::new(Panics(scene.world.clone())), &scene.clock);
        let (clock, place) = (scene.clock.clone(), Place::InProcess);
        let journal = Journal::begin(rig.store.clone(), clock, plan, place, "the canary".into(), [1; 10]);
        let _never = rig.try_drive(scene, journal.await.unwrap()).await;
    });
}

#[test]
fn a_panic_tells_nothing_whoever_reports_it() {
    for (hook, words) in [("ours", "this is a bug in pitstop"), ("the standard one", "panicked at")] {
        let sealed = Sealed::new();
        let done: Done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "secrets::panics_while_secrets_are_held", "--ignored", "--nocapture"])
            .env_clear()
            .envs(sealed.environment())
            .env(HOOK, hook)
            .env("RUST_BACKTRACE", "full")
            .current_dir(sealed.home())
            .output()
            .unwrap()
            .into();
        assert_ne!(done.code, 0, "{}", done.stdout);
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(said.contains(words) && said.contains("the canary: Request"), "{said}");
        for secret in [PASSWORD, SECRET_KEY] {
            for (form, text) in forms(secret) {
                assert!(!said.contains(&text), "{secret} is in what {hook} says, {form}:\n{said}");
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_leaves_no_core_dump() {
    let sealed = Sealed::new();
    let args = ["run", "workflows/resize.yaml", "--yes", "--cloud", "sim", "--sim-speed", "5"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stopping");
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{core}");
    child.kill().unwrap();
    child.wait().unwrap();
}
