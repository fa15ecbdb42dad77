//! `pitstop sim`: a simulated cloud that speaks the vendor's protocol.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::json;

use crate::cli::args::{self, Output};
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::parts;
use crate::cli::settings::World;
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::clock::Clock;
use crate::report::json;
use crate::sim::server::{Options, Server};
use crate::sim::{DEMO_SECRET_ID, DEMO_SECRET_KEY, Recorder};

pub(in crate::cli) async fn sim(terminal: &Terminal, args: args::Sim) -> Result<Ending, Error> {
    // The same time as everybody's, shown by another clock.
    let clock = Clock::simulated(Clock::system().now() + args.clock_skew);
    let demo = args.fleet.is_none();
    let settings = World { fleet: args.fleet, faults: args.faults, speed: args.speed, seed: args.seed };
    let (world, _) = parts::world(&settings, &clock)?;
    let recorder = args.record.as_deref().map(recorder).transpose()?;
    let options = Options { recorder, keep_log: args.keep_log, ..Options::new(args.listen) };
    let server = Server::bind(options, world, clock)
        .await
        .map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
    let url = format!("http://{}", server.address());
    // Who reads the address may end it at once.
    let mut signals = Signals::install()?;
    match terminal.output() {
        Output::Json => terminal.data(&json::line(&json!({ "version": json::VERSION, "endpoint": url })))?,
        Output::Human => terminal.data(&format!("the simulated cloud listens at {url}"))?,
    }
    let credentials = if demo {
        format!("TENCENTCLOUD_SECRET_ID={DEMO_SECRET_ID} TENCENTCLOUD_SECRET_KEY={DEMO_SECRET_KEY}")
    } else {
        "the credentials that the fleet's file names".to_owned()
    };
    terminal.say(&format!(
        "use it with:   pitstop run FILE --endpoint {url}\n\
         other clients: {credentials}\n\
         end it with Ctrl-C"
    ));
    let stop = async move {
        signals.next().await;
    };
    server.serve(stop).await.map_err(|error| Error::from_chain(Kind::CouldNotBegin, &error))?;
    Ok(Ending::Well)
}

fn recorder(path: &Path) -> Result<Recorder, Error> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(Recorder::new).map_err(|error| {
        Error::new(Kind::CouldNotBegin, format!("can't record to {}: {error}", path.display()))
    })
}
