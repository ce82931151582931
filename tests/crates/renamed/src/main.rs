//! A traced call in a crate that names its dependency other than `xray`.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use tracing_kit::Instrument as _;

#[tracing_kit::traced_http(crate = "tracing_kit")]
async fn status(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
    let request = client.post(url);
    let first = client.get(url).send().await?.status().as_u16();
    Ok(first + request.send().await?.status().as_u16())
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        [(); 2].map(|()| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            String::from_utf8(head).unwrap().to_lowercase()
        })
    });
    let work = async { status(&reqwest::Client::new(), &url).await };
    let (result, documents) = tracing_kit::testing::capture(work.in_segment("renamed")).await;
    assert_eq!(result.unwrap(), 400);
    let calls = &documents[0].subsegments;
    assert_eq!(calls.len(), 2, "{documents:#?}");
    for (head, call) in service.join().unwrap().iter().zip(calls) {
        assert!(head.contains(&format!("parent={}", call.id)), "{head}");
    }
}
