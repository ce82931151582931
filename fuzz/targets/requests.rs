//! Any request to xray-local: the API, the console, OTLP, files. Each gets a response that blames no fault of the
//! program's own.
//!
//! The first line of an input is the method and the target, the second the content type, and the rest is the body.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xray_local::Server;

static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::builder().address("127.0.0.1:0").start().expect("a port is free"));

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let (Some(line), Some(content_type), Some(body)) = (parts.next(), parts.next(), parts.next()) else { return };
    let address = SERVER.http_address();
    let mut request =
        [line, b" HTTP/1.1\r\nhost: ", address.to_string().as_bytes(), b"\r\nconnection: close\r\ncontent-type: "]
            .concat();
    request.extend([content_type, format!("\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat());
    let mut stream = TcpStream::connect(address).expect("the server accepts connections");
    // The server may refuse the request before it has read all of it.
    let _ = stream.write_all(&request);
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    assert!(!response.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&response));
});
