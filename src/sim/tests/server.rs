//! The HTTP server, spoken to over a socket.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::clock::Clock;
use crate::sim::server::{Options, Server, ServerError};

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), ServerError>>,
}

async fn serve(change: impl FnOnce(&mut Fleet)) -> Served {
    let mut fleet = Fleet::demo();
    change(&mut fleet);
    let clock = Clock::system();
    let world = World::new(fleet, 1, clock.now()).speed(100.0);
    let options = Options { keep_log: true, ..Options::new(([127, 0, 0, 1], 0).into()) };
    let server = Server::bind(options, world, clock).await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let address = server.address();
    let ended = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    Served { address, stop, ended }
}

impl Served {
    async fn exchange(&self, text: String) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(text.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    async fn post(&self, action: &str, params: &Value) -> std::io::Result<(String, Value)> {
        let key = DEMO_SECRET_KEY.into();
        let now = Clock::system().now();
        let request = signed(Service::Cvm, action, params, now, DEMO_SECRET_ID, &key);
        let mut text = "POST / HTTP/1.1\r\nconnection: close\r\n".to_owned();
        for (name, value) in &request.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        write!(text, "content-length: {}\r\n\r\n", request.body.len()).unwrap();
        text += std::str::from_utf8(&request.body).unwrap();
        let answer = self.exchange(text).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.lines().next().unwrap_or_default().to_owned();
        Ok((status, serde_json::from_str(body).unwrap_or_default()))
    }
}

#[tokio::test]
async fn stops_an_instance_and_closes_its_port() {
    let served = serve(|fleet| {
        for spec in &mut fleet.instances {
            spec.private_ip = spec.private_ip.replace("127.0.1.", "127.0.71.");
        }
    })
    .await;
    let ids = json!({"InstanceIds": ["ins-0web0001"]});
    let open = || async { TcpStream::connect("127.0.71.11:10022").await.is_ok() };
    let clock = Clock::system();
    let opened = clock.timeout(Duration::from_secs(10), async {
        while !open().await {
            clock.sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(opened.await.is_some(), "the guest of a running instance listens");

    let (status, answer) = served.post("StopInstances", &ids).await.unwrap();
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(answer["Response"]["RequestId"].is_string() && answer["Response"]["Error"].is_null(), "{answer}");
    let closed = clock.timeout(Duration::from_secs(10), async {
        while open().await {
            clock.sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(closed.await.is_some(), "the guest of a stopped instance does not");
    let (status, answer) = served.post("StopInstances", &ids).await.unwrap();
    assert_eq!(status, "HTTP/1.1 200 OK", "errors of the API come with status 200");
    let code = answer["Response"]["Error"]["Code"].as_str().unwrap();
    assert!(code.starts_with("UnsupportedOperation.InstanceStateStop"), "{code}");

    let log =
        served.exchange("GET /log?from=0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()).await;
    assert!(log.unwrap().contains(r#""action":"StopInstances""#));
    served.stop.send(()).unwrap();
    served.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn faults_reach_the_socket() {
    let served = serve(|fleet| {
        fleet.faults = vec![
            Fault::always(What::LoseReply).nth(1),
            Fault::always(What::BadGateway).nth(2),
            Fault::always(What::Truncate).nth(3),
        ];
    })
    .await;
    let lost = served.post("DescribeZones", &json!({})).await;
    assert!(lost.is_err() || lost.is_ok_and(|(status, _)| status.is_empty()), "the connection breaks");
    assert_eq!(served.post("DescribeZones", &json!({})).await.unwrap().0, "HTTP/1.1 502 Bad Gateway");
    let (status, body) = served.post("DescribeZones", &json!({})).await.unwrap();
    assert_eq!((status.as_str(), body), ("HTTP/1.1 200 OK", Value::Null));
    let (_, good) = served.post("DescribeZones", &json!({})).await.unwrap();
    assert_eq!(good["Response"]["TotalCount"], 2);
}

#[tokio::test]
async fn listens_on_loopback_only() {
    let clock = Clock::system();
    let world = World::new(Fleet::demo(), 1, clock.now());
    let options = Options::new(([0, 0, 0, 0], 0).into());
    assert!(matches!(Server::bind(options, world, clock).await, Err(ServerError::NotLoopback(_))));
}
