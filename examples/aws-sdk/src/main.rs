//! A shop that reads from DynamoDB and sends messages to SQS, and a worker that receives them.
//!
//! ```text
//! cargo run --manifest-path examples/aws-sdk/Cargo.toml
//! ```
//!
//! The program plays AWS on a free port of the loopback interface, and prints the documents of the shop and of the
//! worker. It needs no network, and ends by itself.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::{Value, json};
use xray::{Instrument as _, TraceHeader};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Each operation becomes a subsegment with table or queue, and its request carries the trace header.
#[xray::traced_http]
async fn order(dynamodb: &aws_sdk_dynamodb::Client, sqs: &aws_sdk_sqs::Client, id: &str) -> Result<()> {
    let item = dynamodb.get_item().table_name("items").key("id", AttributeValue::S(id.to_owned())).send().await?;
    let title = item.item().and_then(|item| item.get("title")?.as_s().ok());
    sqs.send_message().queue_url(QUEUE).message_body(title.ok_or("no such item")?).send().await?;
    Ok(())
}

/// Receives the messages of several traces at once, and links to each of them.
#[xray::traced_http]
async fn work(sqs: &aws_sdk_sqs::Client) -> Result<()> {
    let receive = sqs.receive_message().queue_url(QUEUE).max_number_of_messages(10);
    let wanted = MessageSystemAttributeName::AwsTraceHeader;
    let received = receive.message_system_attribute_names(wanted).send().await?;
    for message in received.messages() {
        xray::current().link(&TraceHeader::of_message(message.attributes().into_iter().flatten()));
        println!("packs {}", message.body().unwrap_or_default());
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let shared = settings(&play_aws()?);
    let (dynamodb, sqs) = (aws_sdk_dynamodb::Client::new(&shared), aws_sdk_sqs::Client::new(&shared));
    for id in ["1", "2"] {
        let (result, documents) = xray::testing::capture(order(&dynamodb, &sqs, id).in_segment("shop")).await;
        result?;
        println!("{}", serde_json::to_string_pretty(&documents)?);
    }
    let (result, documents) = xray::testing::capture(work(&sqs).in_segment("worker")).await;
    result?;
    println!("{}", serde_json::to_string_pretty(&documents)?);
    let is_complete = documents[0].links.len() == 2 && documents[0].subsegments[0].name == "SQS";
    if is_complete { Ok(()) } else { Err("the worker's segment has no links".into()) }
}

/// Returns the settings of the clients. A program that calls AWS uses `aws_config::load_from_env()`.
fn settings(url: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "SECRETEXAMPLE", None, None, "example");
    SdkConfig::builder()
        .endpoint_url(url)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .behavior_version(BehaviorVersion::latest())
        .build()
}

/// Starts a stand-in for `DynamoDB` and SQS. Returns its URL.
fn play_aws() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || serve(&connection));
        }
    });
    Ok(url)
}

/// The messages in the queue.
static MESSAGES: Mutex<Vec<Value>> = Mutex::new(Vec::new());

fn answer(operation: &str, trace_header: &str, request: &Value) -> Value {
    let mut messages = MESSAGES.lock().unwrap();
    match operation {
        "GetItem" => json!({ "Item": { "title": { "S": format!("item {}", request["Key"]["id"]["S"]) } } }),
        "SendMessage" => {
            let attributes = json!({ "AWSTraceHeader": trace_header });
            messages.push(json!({ "Body": request["MessageBody"], "Attributes": attributes }));
            json!({ "MessageId": messages.len().to_string() })
        }
        _ => json!({ "Messages": *messages }),
    }
}

/// Answers the requests of a connection, until it is closed.
fn serve(connection: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let (mut length, mut operation, mut trace_header) = (0, String::new(), String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() { break } else { continue }
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "x-amz-target" => operation = value.rsplit('.').next()?.to_owned(),
                "x-amzn-trace-id" => trace_header = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = answer(&operation, &trace_header, &serde_json::from_slice(&body).ok()?).to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\nx-amzn-requestid: {operation}-1\r\ncontent-length: {}\r\n\r\n", body.len());
        (&mut &*connection).write_all((head + &body).as_bytes()).ok()?;
    }
}
