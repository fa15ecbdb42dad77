//! Real processes over HTTP on loopback, each on a simulated cloud of its own: Pitstop, and what people do without it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pitstop::sim::LogEntry;
use tempfile::TempDir;

use super::figures::{Figures, Machine};
use super::made;
use super::process::{self, Spent};

/// The size of the run that is made for experience.
const BEFORE: usize = 100;
/// What all clients set as the new password.
const PASSWORD: &str = "Correct-Horse-7";
/// The packages of the peers.
const LOCK: &str = "tests/witness/requirements.lock";

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Pitstop,
    /// A Python script on the vendor's SDK.
    Sdk,
    /// A shell script around the vendor's command line.
    Tccli,
}

impl Who {
    pub(crate) const ALL: [Self; 3] = [Self::Pitstop, Self::Sdk, Self::Tccli];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pitstop => "pitstop",
            Self::Sdk => "SDK script",
            Self::Tccli => "tccli script",
        }
    }

    /// How many runs are made of a single instance: enough for a p99 to mean something, where that is bearable.
    fn singles(self) -> u64 {
        match self {
            Self::Pitstop => 20,
            Self::Sdk | Self::Tccli => 5,
        }
    }

    /// The largest fleet for which waiting for it is bearable.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Pitstop => usize::MAX,
            Self::Sdk => 200,
            Self::Tccli => 20,
        }
    }
}

/// A folder for journals, fleets and logs, and the peers' packages.
pub(crate) struct Bench {
    folder: TempDir,
    peers: Option<PathBuf>,
}

impl Bench {
    /// Gets everything ready, and gives Pitstop the experience of one run. With `peers`, their packages are fetched
    /// unless they are there.
    pub(crate) fn new(peers: bool) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let bench = Self { folder, peers: if peers { Some(peers_packages()?) } else { None } };
        bench.once(Who::Pitstop, BEFORE, 1_000)?;
        Ok(bench)
    }

    /// What such a fleet costs.
    pub(crate) fn figures(&self, who: Who, size: usize) -> Result<Figures, String> {
        let seeds = 1..=if size == 1 { who.singles() } else { 1 };
        let runs: Result<Vec<_>, _> = seeds.map(|seed| self.once(who, size, seed)).collect();
        runs?.into_iter().reduce(Figures::and).ok_or_else(|| "no run".to_owned())
    }

    fn once(&self, who: Who, size: usize, seed: u64) -> Result<Figures, String> {
        let fleet = self.folder.path().join("fleet.yaml");
        fs::write(&fleet, made::fleet(size, false)).map_err(|error| error.to_string())?;
        let simulator = Simulator::spawn(&fleet, seed)?;
        let output = self.folder.path().join("output.txt");
        let spent = self.command(who, size, &simulator.endpoint)?;
        let spent = self.spend(spent, &output).map_err(|how| {
            let text = fs::read_to_string(&output).unwrap_or_default();
            let last: Vec<_> = text.lines().rev().take(20).collect();
            let last: Vec<_> = last.into_iter().rev().collect();
            format!("{} for {size} instances ended with {how}:\n{}", who.name(), last.join("\n"))
        })?;
        let mut figures = Figures::of(size, &simulator.log()?);
        let simulator = process::processor(simulator.child.id());
        let show = if who == Who::Pitstop { Some(self.show()?) } else { None };
        figures.machine = Some(Machine { processor: spent.processor, memory: spent.memory, simulator, show });
        Ok(figures)
    }

    fn spend(&self, mut command: Command, output: &Path) -> Result<Spent, String> {
        let file = File::create(output).map_err(|error| error.to_string())?;
        let same = file.try_clone().map_err(|error| error.to_string())?;
        let ids = File::open(self.folder.path().join("ids.txt")).map_err(|error| error.to_string())?;
        let child =
            command.stdin(ids).stdout(file).stderr(same).spawn().map_err(|error| error.to_string())?;
        process::watch(child)
    }

    fn command(&self, who: Who, size: usize, endpoint: &str) -> Result<Command, String> {
        let ids: Vec<String> = (0..size).map(made::id).collect();
        let write = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            fs::write(&path, text).map_err(|error| error.to_string()).map(|()| path)
        };
        write("ids.txt", &ids.join("\n"))?;
        let workflow = write("workflow.yaml", &made::workflow(size))?;
        let peers = self.peers.as_deref().unwrap_or(Path::new("no peers"));
        let mut command = match who {
            Who::Pitstop => {
                let mut command = self.pitstop("run");
                command.arg(workflow).args(["--yes", "--endpoint", endpoint]);
                command
            }
            Who::Sdk => {
                let mut command = Command::new(peers.join("python"));
                command.args(["-B", "benches/peers/sdk.py", endpoint.trim_start_matches("http://")]);
                command
            }
            Who::Tccli => {
                let mut command = Command::new("benches/peers/tccli.sh");
                let path = std::env::var("PATH").unwrap_or_default();
                command.arg(endpoint).env("PATH", format!("{}:{path}", peers.display()));
                command
            }
        };
        command
            .env("HOME", self.folder.path())
            .env("TENCENTCLOUD_SECRET_ID", pitstop::sim::DEMO_SECRET_ID)
            .env("TENCENTCLOUD_SECRET_KEY", pitstop::sim::DEMO_SECRET_KEY)
            .env(made::PASSWORD_VARIABLE, PASSWORD);
        // The SDK would ask a proxy for the simulator.
        for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(name);
        }
        Ok(command)
    }

    /// Pitstop's command, with the journal that all its runs share.
    fn pitstop(&self, word: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitstop"));
        let journal = self.folder.path().join("journal.db");
        command.args([word, "--state", &format!("sqlite:{}", journal.display())]);
        command
    }

    /// How long it takes to list all runs and to show the last.
    #[expect(clippy::disallowed_methods, reason = "it measures a process in real time")]
    fn show(&self) -> Result<Duration, String> {
        let run = |mut command: Command| {
            let ended =
                command.env("HOME", self.folder.path()).output().map_err(|error| error.to_string())?;
            String::from_utf8(ended.stdout).map_err(|error| error.to_string())
        };
        let runs = run(self.pitstop("runs"))?;
        let newest = runs.lines().find_map(|line| line.split_whitespace().find(|word| word.len() >= 20));
        let newest = newest.ok_or_else(|| format!("no run in:\n{runs}"))?.to_owned();
        let mut show = self.pitstop("show");
        show.arg(&newest);
        let began = Instant::now();
        let text = run(show)?;
        if text.is_empty() { Err(format!("{newest} can't be shown")) } else { Ok(began.elapsed()) }
    }
}

/// A `pitstop sim` of its own.
struct Simulator {
    child: Child,
    endpoint: String,
}

impl Simulator {
    fn spawn(fleet: &Path, seed: u64) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitstop"));
        command
            .args(["sim", "--listen", "127.0.0.1:0", "--keep-log", "--output", "json", "--fleet"])
            .arg(fleet)
            .args(["--seed", &seed.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let said: serde_json::Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        let endpoint = said["endpoint"].as_str().ok_or("the simulator names no endpoint")?.to_owned();
        Ok(Self { child, endpoint })
    }

    /// All that happened.
    fn log(&self) -> Result<Vec<LogEntry>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let url = format!("{}/log", self.endpoint);
        let text = runtime.map_err(|error| error.to_string())?.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build()?;
            client.get(url).send().await?.text().await
        });
        let text = text.map_err(|error| error.to_string())?;
        text.lines()
            .map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}")))
            .collect()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of the peers' programs: a virtual environment that is kept, for as long as the versions stay.
fn peers_packages() -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let (programs, stamp) = (place.join("bin"), place.join("installed"));
    let lock = fs::read_to_string(LOCK).map_err(|error| format!("{LOCK}: {error}"))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(programs);
    }
    let run = |command: &mut Command| match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
    let quietly = ["install", "--quiet", "--disable-pip-version-check", "--no-compile", "-r", LOCK];
    run(Command::new(programs.join("pip")).args(quietly))?;
    fs::write(stamp, lock).map_err(|error| error.to_string())?;
    Ok(programs)
}
