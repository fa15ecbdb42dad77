//! The proxies of the environment: used for the vendor, but not for this machine.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::sealed::Sealed;

/// An environment that names this proxy.
fn behind(proxy: &TcpListener) -> Sealed {
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.into_iter().fold(Sealed::new(), |sealed, name| sealed.with(name, &url))
}

/// What a client asks the proxy for; it is refused.
fn asked(mut client: TcpStream) -> String {
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").unwrap();
    String::from_utf8(head).unwrap()
}

#[test]
fn the_vendor_is_reached_through_the_proxy() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let sealed = behind(&proxy)
        .with("TENCENTCLOUD_SECRET_ID", "AKIDofATest")
        .with("TENCENTCLOUD_SECRET_KEY", "a-test");
    let args = ["plan", "workflows/resize.yaml", "--ca-file", "tests/fixtures/test-ca.pem"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let (sender, connections) = std::sync::mpsc::channel();
    std::thread::spawn(move || proxy.incoming().try_for_each(|client| sender.send(asked(client.unwrap()))));
    let first = connections.recv_timeout(Duration::from_secs(30));
    child.kill().unwrap();
    child.wait().unwrap();
    let first = first.expect("the proxy is asked");
    assert!(first.starts_with("CONNECT cvm.ap-guangzhou.tencentcloudapi.com:443 HTTP/1.1\r\n"), "{first}");
    assert!(!first.contains("AKID"), "{first}");
}

#[test]
fn this_machine_is_reached_directly() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let sealed = behind(&proxy);
    let simulator = Sealed::new().simulator(&[]);
    let done = sealed.pitstop(&["plan", "workflows/resize.yaml", "--endpoint", &simulator.url]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    proxy.set_nonblocking(true).unwrap();
    assert_eq!(
        proxy.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "nobody came to the proxy"
    );
}
