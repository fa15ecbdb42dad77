//! The transport against small servers on this machine, in real time.

use std::net::SocketAddr;

use secrecy::ExposeSecret as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// A server that takes one connection, reads a whole request, writes `answer` and hangs up. Its task gives the request.
async fn server(answer: Vec<u8>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !is_whole(&seen) {
            let count = stream.read(&mut buffer).await.unwrap();
            if count == 0 {
                break;
            }
            seen.extend_from_slice(&buffer[..count]);
        }
        // The client may hang up on an answer that it does not want.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        String::from_utf8_lossy(&seen).into_owned()
    });
    (address, task)
}

/// The head and as much body as it announces are there.
fn is_whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn http(scheme: &str, address: SocketAddr) -> (Http, String) {
    let origin = format!("{scheme}://{address}");
    let endpoint = Endpoint::parse(&origin).unwrap();
    let settings = Settings { total: Duration::from_millis(800), ..Settings::default() };
    (Http::new(&endpoint, &settings, Clock::system()).unwrap(), origin)
}

fn request(origin: &str) -> Request {
    let host = origin.split_once("://").unwrap().1.to_owned();
    let headers = vec![
        ("host", host),
        ("content-type", "application/json".to_owned()),
        ("x-tc-action", "StopInstances".to_owned()),
        ("authorization", "TC3-HMAC-SHA256 canary".to_owned()),
    ];
    Request { origin: origin.to_owned(), headers, body: br#"{"InstanceIds":["ins-1"]}"#.to_vec().into() }
}

/// Sends one request to a server that gives this answer.
async fn exchange(answer: Vec<u8>) -> (Result<Response, TransportError>, String) {
    let (address, task) = server(answer).await;
    let (http, origin) = http("http", address);
    let result = http.send(request(&origin)).await;
    (result, task.await.unwrap())
}

#[tokio::test]
async fn what_arrives_is_what_was_signed() {
    let (result, seen) = exchange(answer("200 OK", r#"{"Response":{"RequestId":"r"}}"#)).await;
    let response = result.unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, br#"{"Response":{"RequestId":"r"}}"#.as_slice())
    );
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    let all = |name: &str| -> Vec<&str> {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    };
    assert_eq!(all("content-type"), ["application/json"]);
    assert_eq!(all("x-tc-action"), ["StopInstances"]);
    let [host] = all("host")[..] else { panic!("{head}") };
    assert!(host.starts_with("127.0.0.1:"), "{host}");
    assert_eq!(body, r#"{"InstanceIds":["ins-1"]}"#);
}

#[tokio::test]
async fn statuses_and_redirects_are_handed_on() {
    let moved = "302 Found\r\nLocation: http://127.0.0.1:1/";
    for (head, status) in [("502 Bad Gateway", 502), (moved, 302), ("404 Not Found", 404)] {
        let (result, _) = exchange(answer(head, "x")).await;
        assert_eq!(result.unwrap().status, status);
    }
}

#[tokio::test]
async fn no_connection_means_not_sent() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (http, origin) = http("http", address);
    let error = http.send(request(&origin)).await.unwrap_err();
    let TransportError::NotSent(words) = &error else { panic!("{error:?}") };
    assert!(words.contains("no connection to http://127.0.0.1:"), "{words}");
    assert!(words.contains("refused"), "{words}");
}

#[tokio::test]
async fn no_tls_session_means_not_sent() {
    // One server that does not speak TLS, and one that never says anything.
    for words in [Some(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if let Some(words) = words {
                stream.write_all(words).await.unwrap();
            }
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let origin = format!("https://{address}");
        let settings = Settings { connect: Duration::from_millis(300), ..Settings::default() };
        match Http::new(&Endpoint::parse(&origin).unwrap(), &settings, Clock::system()) {
            Ok(http) => {
                let error = http.send(request(&origin)).await.unwrap_err();
                assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
            }
            // A machine without certificates can't even try, and says so.
            Err(error) => assert!(matches!(error, HttpError::NoCertificates), "{error}"),
        }
        task.abort();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_hangs_after_the_request_means_maybe_sent() {
    let (result, seen) = exchange(Vec::new()).await;
    assert!(seen.contains("ins-1"), "the request had arrived");
    assert!(matches!(result, Err(TransportError::MaybeSent(_))), "{result:?}");

    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Resp".to_vec();
    let (result, _) = exchange(cut).await;
    assert!(matches!(result, Err(TransportError::MaybeSent(_))), "{result:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (http, origin) = http("http", listener.local_addr().unwrap());
    let error = http.send(request(&origin)).await.unwrap_err();
    let TransportError::MaybeSent(words) = &error else { panic!("{error:?}") };
    assert!(words.contains("in time"), "{words}");
}

#[tokio::test]
async fn an_endless_answer_is_given_up() {
    let (result, _) = exchange(answer("200 OK", &"x".repeat(LONGEST_BODY + 1))).await;
    let Err(TransportError::MaybeSent(words)) = &result else { panic!("{:?}", result.map(|r| r.status)) };
    assert!(words.contains("16 MiB"), "{words}");
}

#[tokio::test]
async fn the_clouds_clock_is_told_by_its_answers() {
    let offset = |date: &str| {
        let head = format!("200 OK\r\nDate: {date}");
        async move {
            let (address, task) = server(answer(&head, "{}")).await;
            let (http, origin) = http("http", address);
            http.send(request(&origin)).await.unwrap();
            task.await.unwrap();
            http.clock_offset()
        }
    };
    let now = Clock::system().now();
    let at = |shift: i64| -> String {
        let at = now + SignedDuration::from_secs(shift);
        rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap()
    };
    let ahead = offset(&at(1200)).await.as_secs();
    assert!((1190..=1200).contains(&ahead), "{ahead}");
    assert!(offset(&at(-3600)).await.as_secs() < -3590);
    assert_eq!(offset(&at(0)).await, SignedDuration::ZERO, "seconds are not worth a correction");
    assert_eq!(offset("yesterday").await, SignedDuration::ZERO);
}

#[tokio::test]
async fn metadata_is_there_or_not() {
    let get = |head: &'static str, body: &'static str| async move {
        let (address, task) = server(answer(head, body)).await;
        let metadata = HttpMetadata::at(&format!("http://{address}/latest/meta-data/")).unwrap();
        let result = metadata.get("instance-id").await;
        assert!(task.await.unwrap().starts_with("GET /latest/meta-data/instance-id "));
        result.map(|text| text.map(|text| text.expose_secret().to_owned()))
    };
    assert_eq!(get("200 OK", "ins-1").await.unwrap(), Some("ins-1".to_owned()));
    assert_eq!(get("404 Not Found", "").await.unwrap(), None);
    assert!(get("500 Oh", "").await.is_err());
}

#[tokio::test]
async fn certificates_that_are_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    for text in [None, Some("not a certificate")] {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let settings = Settings { ca_file: Some(path.clone()), ..Settings::default() };
        let result = Http::new(&Endpoint::vendor(), &settings, Clock::system());
        assert!(matches!(result, Err(HttpError::CaFile { .. })), "{text:?}");
    }
}
