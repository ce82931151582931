//! An HTTP server whose answers a test writes.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as the server received it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Sends the request to a server, on a connection of its own.
    fn pass_to(&self, address: &str) -> io::Result<Reply> {
        let Self { method, target, headers, body } = self;
        let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| name != "connection") {
            head += &format!("{name}: {value}\r\n");
        }
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(format!("{head}\r\n").as_bytes())?;
        connection.write_all(body)?;
        let mut reader = BufReader::new(connection);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut headers = read_headers(&mut reader)?;
        headers.retain(|(name, _)| !["connection", "content-length"].contains(&name.as_str()));
        let mut body = Vec::new();
        reader.read_to_end(&mut body)?;
        Ok(Reply { status, headers, body, is_silent: false })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection stays open without an answer.
    is_silent: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("x-amzn-requestid".to_owned(), "REQUEST-1".to_owned())];
        Self { status, headers, body: body.into(), is_silent: false }
    }

    /// An answer that never comes.
    pub fn never() -> Self {
        Self { is_silent: true, ..Self::new(200, "") }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without_id(mut self) -> Self {
        self.headers.clear();
        self
    }
}

/// A server on a port of its own. It runs until the process ends.
#[derive(Clone)]
pub struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server. `reply` gets each request, and how many came before it.
    pub fn start(reply: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (reply, received) = (Arc::new(reply), Arc::clone(&requests));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (reply, received) = (Arc::clone(&reply), Arc::clone(&received));
                thread::spawn(move || serve(connection, &*reply, &received));
            }
        });
        Self { url, requests }
    }

    /// Starts a server with one answer.
    pub fn with(reply: Reply) -> Self {
        Self::start(move |_, _| reply.clone())
    }

    /// Starts a server that passes each request on to the server at `address`, such as `127.0.0.1:5000`, and its
    /// response back.
    pub fn in_front_of(address: &str) -> Self {
        let address = address.to_owned();
        Self::start(move |request, _| request.pass_to(&address).unwrap())
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(
    connection: TcpStream,
    reply: &(impl Fn(&Request, usize) -> Reply + ?Sized),
    received: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut writer = connection;
    loop {
        let request = read(&mut reader)?;
        let before = {
            let mut received = received.lock().unwrap();
            received.push(request.clone());
            received.len() - 1
        };
        let Reply { status, headers, body, is_silent } = reply(&request, before);
        if is_silent {
            thread::park();
        }
        let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        writer.write_all(format!("{head}\r\n").as_bytes()).ok()?;
        if request.method != "HEAD" {
            writer.write_all(&body).ok()?;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split(' ').map(ToOwned::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let headers = read_headers(reader).ok()?;
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Reads headers up to the empty line. Their names are in lower case.
fn read_headers(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}
