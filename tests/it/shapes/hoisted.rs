//! Arguments that are more than a name, in calls whose receiver is tested: `client.get(url.parse()?)`,
//! `request.send(encode(body))`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use http::uri::InvalidUri;
use http::{Request, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::traced_http;
use crate::shapes::run::{Run, recorded};

type Hyper = Client<HttpConnector, Empty<Bytes>>;
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn parsed(url: &str) -> std::result::Result<Uri, InvalidUri> {
    url.parse()
}

struct Service {
    http_client: Hyper,
    base: String,
}

impl Service {
    fn uri(&self, path: &str) -> Uri {
        format!("{}{path}", self.base).parse().unwrap()
    }

    async fn discover(&self) -> Uri {
        self.uri("/bytes/3")
    }

    #[traced_http]
    async fn urls(&self, url: &str) -> Result<u16> {
        let client = &self.http_client;
        let first = client.get(url.parse()?).await?;
        let second = client.get(parsed(url)?).await?;
        let third = client.get(Uri::try_from(url)?).await?;
        let fourth = client.get(Uri::from_maybe_shared(url.to_owned().into_bytes())?).await?;
        let fifth = self.http_client.get(self.uri("/bytes/2")).await?;
        let sixth = self.http_client.get(self.discover().await).await?;
        let seventh = self.http_client.get(url.try_into()?).await?;
        let eighth = self.http_client.get(url.parse::<Uri>()?).await?;
        let all = [first, second, third, fourth, fifth, sixth, seventh, eighth];
        Ok(all.iter().map(|response| response.status().as_u16()).sum())
    }

    #[traced_http]
    async fn either(&self, by_request: bool) -> Result<u16> {
        let answer = if by_request {
            self.http_client.request(Request::get(self.uri("/bytes/1")).body(Empty::new())?)
        } else {
            self.http_client.get(self.uri("/bytes/2"))
        };
        let answer = answer.await?;
        let more = match by_request {
            true => self.http_client.get(format!("{}/bytes/3", self.base).parse()?),
            false => self.http_client.request(Request::get(self.uri("/bytes/4")).body(Empty::new())?),
        }
        .await?;
        Ok(answer.status().as_u16() + more.status().as_u16())
    }

    #[traced_http]
    async fn joined(&self) -> Result<u16> {
        let limit = Duration::from_secs(60);
        let (first, second) = tokio::join!(
            self.http_client.get(self.uri("/bytes/1")),
            tokio::time::timeout(limit, self.http_client.get(self.uri("/bytes/2"))),
        );
        Ok(first?.status().as_u16() + second??.status().as_u16())
    }
}

/// A type with methods that take a body, each in another way. It makes no HTTP calls.
#[derive(Debug, Default, Clone)]
struct Outbox {
    sent: RefCell<Vec<String>>,
}

impl Outbox {
    fn send<T: Display>(&self, value: T) -> usize {
        self.sent.borrow_mut().push(value.to_string());
        self.sent.borrow().len()
    }

    fn send_json(&self, value: &dyn Display) -> usize {
        self.send(value)
    }

    fn send_string(self, text: impl Into<String>) -> Vec<String> {
        self.sent.borrow_mut().push(text.into());
        self.sent.into_inner()
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.sent.borrow_mut().push(bytes.len().to_string());
        self
    }

    fn send_body(&self, make: Box<dyn Fn(usize) -> usize>) -> usize {
        make(self.sent.borrow().len())
    }

    fn len(&self) -> usize {
        self.sent.borrow().len()
    }
}

/// Methods whose parameters determine the types of the parts of a list or a tuple.
struct Forms;

impl Forms {
    fn send_form(&self, fields: &[(&str, &str)]) -> usize {
        fields.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    fn send_json(&self, (number, shown): (usize, Box<dyn Display>)) -> usize {
        number + shown.to_string().len()
    }

    fn send_bytes(&self, parts: [&dyn Display; 2]) -> usize {
        parts.map(|part| part.to_string().len()).iter().sum()
    }
}

#[traced_http]
fn coerced_parts(user: String, id: u32) -> usize {
    let forms = Forms;
    let sum = forms.send_form(&[("user", &user), ("id", &id.to_string()), ("text", user.as_str())]);
    sum + forms.send_json((1, Box::new(id))) + forms.send_bytes([&id, &user])
}

#[traced_http]
fn own_types(outbox: Outbox, numbers: &[u8], text: &str) -> Result<Vec<String>> {
    let mut outbox = outbox;
    outbox.send(text.parse::<i64>()? + 1);
    outbox.send(text.trim());
    outbox.send(outbox.len());
    outbox.send(json!({ "a": outbox.len() }));
    outbox.send(format!("{text}!"));
    outbox.send(Cow::from(text));
    outbox.send_json(&text.to_owned());
    outbox.send_json(&String::from_utf8_lossy(numbers));
    outbox.send_bytes(&numbers[1..]).send_bytes(numbers.iter().copied().collect::<Vec<_>>().as_slice());
    outbox.send_bytes(&numbers.to_vec()).send_bytes(&[1, 2]);
    let first: u8 = text.parse()?;
    outbox.send(first.max(numbers.iter().copied().max().ok_or("empty")?));
    let added = outbox.send_body(Box::new(|length| length + 1));
    outbox.send(added.checked_sub(1).filter(|left| *left > 0).unwrap());
    Ok(outbox.send_string(text.repeat(2)))
}

enum Message {
    Number(u32),
    Text(Box<dyn Display + Send>),
    Last,
}

/// Channels that are not named like channels. A call of them takes the type of its argument from the channel, and the
/// temporaries in the argument live to the end of the statement.
#[traced_http]
async fn channels(text: &str) -> Result<Vec<String>> {
    let (queue, mut received) = mpsc::channel(8);
    let (reply, answer) = oneshot::channel();
    let lock = std::sync::Mutex::new(vec![1_u32, 2]);
    queue.send(Message::Number(lock.lock().unwrap().len().try_into()?)).await.map_err(drop).unwrap();
    queue.send(Message::Text(Box::new(text.to_owned()))).await.map_err(drop).unwrap();
    let pair = (queue.clone(), 1);
    pair.0.send(Message::Number(pair.1)).await.map_err(drop).unwrap();
    let task = tokio::spawn(async move { queue.send(Message::Last).await.map_err(drop) });
    let mut all = Vec::new();
    while let Some(message) = received.recv().await {
        match message {
            Message::Number(number) => all.push(number.to_string()),
            Message::Text(text) => all.push(text.to_string()),
            Message::Last => break,
        }
    }
    task.await?.unwrap();
    reply.send(text.parse().map_err(|_| ())).unwrap();
    let number: std::result::Result<i8, ()> = answer.await?;
    let (mut output, input) = futures::channel::mpsc::channel::<i64>(4);
    output.send(number.unwrap().into()).await?;
    output.send(text.len().try_into()?).await?;
    drop(output);
    let wide: Vec<i64> = input.collect().await;
    let (plain, list) = std::sync::mpsc::channel();
    let share = || plain.send(text.chars().rev().collect());
    share()?;
    let reversed: String = list.recv()?;
    all.extend(wide.into_iter().map(|number| number.to_string()));
    all.push(reversed);
    Ok(all)
}

#[traced_http]
fn sent_from_variables(agent: &ureq::Agent, url: &str, text: &str) -> Result<u16> {
    let request = agent.post(url);
    let first = request.send(text.as_bytes())?.status();
    let builder = agent.put(url).header("a", "b");
    let second = builder.send(text.repeat(2))?.status();
    let pair = (agent.patch(url), 1);
    let third = pair.0.send(&text.to_owned()[1..])?.status();
    let with_type: ureq::RequestBuilder<ureq::typestate::WithBody> = agent.post(url);
    let form = [("a", text.trim())];
    let fourth = with_type.send_form(form).map_err(Box::new)?.status();
    Ok(first.as_u16() + second.as_u16() + third.as_u16() + fourth.as_u16())
}

#[tokio::test]
async fn hoisted() {
    let run = Run::start(super::IS_TRACED).await;
    let service = Service { http_client: Client::builder(TokioExecutor::new()).build_http(), base: run.url("") };
    let (one, two, three) = (recorded("GET /bytes/1"), recorded("GET /bytes/2"), recorded("GET /bytes/3"));
    let url = run.url("/bytes/1");
    let work = async { service.urls(&url).await.unwrap() };
    run.check_calls("urls", work, 8 * 200, &[one, one, one, one, two, three, one, one]).await;
    run.check_calls("either", async { service.either(true).await.unwrap() }, 400, &[one, three]).await;
    let calls = [two, recorded("GET /bytes/4")];
    run.check_calls("either", async { service.either(false).await.unwrap() }, 400, &calls).await;
    run.check_calls("joined", async { service.joined().await.unwrap() }, 400, &[one, two]).await;

    let sent = ["8", "7", "2", r#"{"a":3}"#, "7!", "7", "7", "\u{1}\u{2}\u{3}", "2", "3", "3", "2", "7", "13", "77"];
    let sent = sent.map(str::to_owned).to_vec();
    run.check("coerced_parts", async { coerced_parts("Ada".to_owned(), 7) }, 23).await;
    run.check("own_types", async { own_types(Outbox::default(), &[1, 2, 3], "7").unwrap() }, sent).await;
    let all = ["2", "12", "1", "12", "2", "21"].map(str::to_owned).to_vec();
    run.check("channels", async { channels("12").await.unwrap() }, all).await;

    let agent = ureq::Agent::new_with_defaults();
    let calls = ["POST /bytes/1", "PUT /bytes/1", "PATCH /bytes/1", "POST /bytes/1"].map(recorded);
    let work = async move {
        let work = xray::in_current_trace(move || sent_from_variables(&agent, &url, "ab").unwrap());
        tokio::task::spawn_blocking(work).await.unwrap()
    };
    run.check_calls("sent_from_variables", work, 800, &calls).await;
}
