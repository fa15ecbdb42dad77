//! Where the concrete parts are named: which client, which transport, which credentials, which clock.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;

use super::command::journal_error;
use super::environment::Environment;
use super::exit::{Error, Kind};
use super::settings::{self, CloudSettings, Traffic, Which};
use crate::clock::Clock;
use crate::cloud::Survey;
use crate::journal::{Memory, Place, Sqlite, Store};
use crate::run::{Pace, Probe};
use crate::sim::{self, Fault, Fleet, InProcess, World};
use crate::tencent::credentials::{self, Credential, Metadata, Provider};
use crate::tencent::http::{self, Http, HttpMetadata};
use crate::tencent::wire::Transport;
use crate::tencent::{Client, Endpoint, Retry, Settings};

/// One region of one cloud, and all that a run needs besides.
pub(super) struct Site {
    pub(super) survey: Arc<dyn Survey>,
    pub(super) probe: Arc<dyn Probe>,
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    pub(super) place: Place,
    /// Where calls are sent, by what, and in whose name: to look at them.
    pub(super) line: Line,
}

/// The way to the cloud.
pub(super) struct Line {
    pub(super) endpoint: Endpoint,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) credentials: Arc<dyn Provider>,
}

/// How long the cloud is waited for.
#[derive(Clone, Debug)]
struct Patience {
    http: http::Settings,
    retry: Retry,
}

impl Patience {
    fn usual() -> Self {
        // Processes that are throttled together must not all come back at the same moment.
        Self { http: http::Settings::default(), retry: Retry { seed: rand::random(), ..Retry::default() } }
    }

    /// For a person who wants to know whether it answers.
    fn short() -> Self {
        let http = http::Settings {
            connect: Duration::from_secs(2),
            read: Duration::from_secs(3),
            total: Duration::from_secs(4),
            ..http::Settings::default()
        };
        Self { http, retry: Retry { tries: 1, ..Retry::default() } }
    }
}

/// Makes the parts for this cloud. No call is sent yet.
pub(super) fn connect(
    settings: &CloudSettings,
    region: &str,
    environment: &Environment,
) -> Result<Site, Error> {
    connect_with(settings, region, environment, &Patience::usual())
}

/// The same for a look at whether it answers: nothing is repeated, and nobody waits long.
pub(super) fn connect_briefly(
    settings: &CloudSettings,
    region: &str,
    environment: &Environment,
) -> Result<Site, Error> {
    connect_with(settings, region, environment, &Patience::short())
}

fn connect_with(
    settings: &CloudSettings,
    region: &str,
    environment: &Environment,
    patience: &Patience,
) -> Result<Site, Error> {
    let mut site = reach(settings, region, environment, patience)?;
    site.pace.looking = settings.traffic.looking;
    Ok(site)
}

fn reach(
    settings: &CloudSettings,
    region: &str,
    environment: &Environment,
    patience: &Patience,
) -> Result<Site, Error> {
    let traffic = &settings.traffic;
    match &settings.which {
        Which::Sim(settings) => in_process(settings, region, patience, traffic),
        Which::Tencent { endpoint, simulator: None, ca_file } => {
            let http = http::Settings { ca_file: ca_file.clone(), ..patience.http.clone() };
            vendor(endpoint, &Patience { http, ..patience.clone() }, (region, traffic), environment)
        }
        Which::Tencent { endpoint, simulator: Some(simulator), .. } => {
            let clock = Clock::system();
            let transport = transport(endpoint, &patience.http, &clock)?;
            // Only credentials that somebody named for it: those that happen to be around are the real cloud's.
            let named = ["TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_CREDENTIALS_FILE"];
            let credentials = match named.into_iter().find_map(|name| environment.get(name)) {
                Some(_) => chain(endpoint, region, environment, (&transport, None), &clock)?,
                None => Arc::new(demo_credential()),
            };
            let retry = patience.retry.scaled(simulator.speed);
            let line = Line { endpoint: endpoint.clone(), transport, credentials };
            let client = client(&line, (region, traffic), retry, &clock)?;
            Ok(Site {
                line,
                survey: Arc::new(client),
                probe: Arc::new(TcpProbe { clock: clock.clone() }),
                pace: Pace::default().scaled(simulator.speed),
                place: Place::Endpoint(simulator.url.clone()),
                clock,
            })
        }
    }
}

fn vendor(
    endpoint: &Endpoint,
    patience: &Patience,
    (region, traffic): (&str, &Traffic),
    environment: &Environment,
) -> Result<Site, Error> {
    let clock = Clock::system();
    let transport = transport(endpoint, &patience.http, &clock)?;
    let metadata = HttpMetadata::new().map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
    let metadata: Option<Arc<dyn Metadata>> =
        if endpoint.is_vendor() { Some(Arc::new(metadata)) } else { None };
    let credentials = chain(endpoint, region, environment, (&transport, metadata.clone()), &clock)?;
    let line = Line { endpoint: endpoint.clone(), transport, credentials };
    let mut client = client(&line, (region, traffic), patience.retry, &clock)?;
    if let Some(metadata) = metadata {
        client = client.with_metadata(metadata);
    }
    Ok(Site {
        line,
        survey: Arc::new(client),
        probe: Arc::new(TcpProbe { clock: clock.clone() }),
        pace: Pace::default(),
        place: endpoint.named().map_or(Place::Tencent, |named| Place::TencentAt(named.to_owned())),
        clock,
    })
}

fn in_process(
    settings: &settings::World,
    region: &str,
    patience: &Patience,
    traffic: &Traffic,
) -> Result<Site, Error> {
    let clock = Clock::system();
    let (world, credential) = world(settings, &clock)?;
    let transport = InProcess::new(world, clock.clone());
    let retry = patience.retry.scaled(settings.speed);
    let line = Line {
        endpoint: Endpoint::vendor(),
        transport: Arc::new(transport.clone()),
        credentials: Arc::new(credential),
    };
    let client = client(&line, (region, traffic), retry, &clock)?;
    Ok(Site {
        line,
        survey: Arc::new(client),
        probe: Arc::new(SimProbe(transport)),
        pace: Pace::default().scaled(settings.speed),
        place: Place::InProcess,
        clock,
    })
}

/// The simulated cloud that is asked for, and credentials that it accepts.
pub(super) fn world(settings: &settings::World, clock: &Clock) -> Result<(World, Credential), Error> {
    let fleet = match &settings.fleet {
        None => Fleet::demo(),
        Some(path) => Fleet::read(path).map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?,
    };
    let credential = match fleet.credentials.first() {
        Some(own) => Credential {
            secret_id: own.secret_id.clone(),
            secret_key: own.secret_key.clone(),
            token: own.token.clone(),
            expires: None,
            source: "the fleet".to_owned(),
        },
        None => demo_credential(),
    };
    let mut world = World::new(fleet, settings.seed, clock.now()).speed(settings.speed);
    if let Some(path) = &settings.faults {
        world = world.faults(faults(path)?);
    }
    Ok((world, credential))
}

fn faults(path: &Path) -> Result<Vec<Fault>, Error> {
    let failed = |why: String| {
        Error::new(Kind::CouldNotBegin, format!("can't use the faults in {}: {why}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_yaml::from_str(&text).map_err(|error| failed(error.to_string()))
}

fn demo_credential() -> Credential {
    Credential {
        secret_id: sim::DEMO_SECRET_ID.to_owned(),
        secret_key: sim::DEMO_SECRET_KEY.into(),
        token: None,
        expires: None,
        source: "the simulated cloud".to_owned(),
    }
}

fn transport(
    endpoint: &Endpoint,
    settings: &http::Settings,
    clock: &Clock,
) -> Result<Arc<dyn Transport>, Error> {
    match Http::new(endpoint, settings, clock.clone()) {
        Ok(http) => Ok(Arc::new(http)),
        Err(error) => Err(Error::from_chain(Kind::CouldNotBegin, &error)),
    }
}

fn chain(
    endpoint: &Endpoint,
    region: &str,
    environment: &Environment,
    (transport, metadata): (&Arc<dyn Transport>, Option<Arc<dyn Metadata>>),
    clock: &Clock,
) -> Result<Arc<dyn Provider>, Error> {
    let variables = credentials::Environment::new(
        environment.variables().clone(),
        environment.get("HOME").map(PathBuf::from),
        Some(PathBuf::from("/etc")),
    );
    let settings = Settings { endpoint: endpoint.clone(), ..Settings::of_region(region) };
    credentials::find(variables, &settings, transport.clone(), metadata, clock.clone())
        .map_err(|error| Error::from_chain(Kind::InvalidWorkflow, &error))
}

fn client(
    line: &Line,
    (region, traffic): (&str, &Traffic),
    retry: Retry,
    clock: &Clock,
) -> Result<Client, Error> {
    let (endpoint, limits) = (line.endpoint.clone(), traffic.limits.clone());
    let settings = Settings { endpoint, limits, retry, ..Settings::of_region(region) };
    Client::new(settings, Arc::clone(&line.transport), Arc::clone(&line.credentials), clock.clone())
        .map_err(|error| Error::from_chain(Kind::InvalidWorkflow, &error))
}

/// Opens the journal, and proves that it can be written.
pub(super) async fn open_store(path: PathBuf) -> Result<Arc<dyn Store>, Error> {
    const HINT: &str = "mend that place, or name another one with --state sqlite:PATH";
    if let Some(folder) = path.parent() {
        // Journals name machines and people: only their owner reads them.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| {
            let message = format!("the folder for the journal, {}, can't be made: {error}", folder.display());
            Error::new(Kind::CouldNotBegin, message).hint(HINT)
        })?;
    }
    match Sqlite::open(&path).await {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(journal_error(&error)),
    }
}

/// Opens the journal as it is, to look at. Where there is none, it is empty.
pub(super) async fn open_store_to_read(path: &Path) -> Result<Arc<dyn Store>, Error> {
    match Sqlite::open_to_read(path).await {
        Ok(Some(store)) => Ok(Arc::new(store)),
        Ok(None) => Ok(Arc::new(Memory::default())),
        Err(error) => Err(journal_error(&error)),
    }
}

/// Which process this is, on which host.
pub(super) fn this_process(environment: &Environment) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = kernel.as_deref().map(str::trim).or(environment.get("HOSTNAME")).unwrap_or("unknown host");
    format!("process {} on {host}", std::process::id())
}

/// Connects to a guest's port.
struct TcpProbe {
    clock: Clock,
}

#[async_trait]
impl Probe for TcpProbe {
    async fn tcp(&self, host: &str, port: u16, limit: Duration) -> Result<(), String> {
        match self.clock.timeout(limit, TcpStream::connect((host, port))).await {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(format!("no answer within {} s", limit.as_secs_f64())),
        }
    }
}

/// Asks the simulated guests, which have no sockets.
struct SimProbe(InProcess);

#[async_trait]
impl Probe for SimProbe {
    async fn tcp(&self, host: &str, port: u16, _limit: Duration) -> Result<(), String> {
        if self.0.accepts(host, port) { Ok(()) } else { Err("connection refused".to_owned()) }
    }
}
