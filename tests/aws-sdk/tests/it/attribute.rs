//! The attribute alone, without any interceptor.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::operation::query::QueryError;
use serde_json::{Value, json};
use xray::{Instrument as _, traced_http};
use xray_tests_aws_sdk::clients;
use xray_tests_aws_sdk::documents::{call_of, segment_of};
use xray_tests_aws_sdk::server::{Reply, Server};

#[traced_http]
async fn order(client: &aws_sdk_dynamodb::Client) -> Result<GetItemOutput, SdkError<GetItemError>> {
    client.get_item().table_name("orders").send().await
}

/// Checks that there is one subsegment with a header and parameters.
fn check(call: &Value, server: &Server) {
    assert_eq!((&call["name"], &call["namespace"]), (&json!("DynamoDB"), &json!("aws")));
    let aws =
        json!({ "operation": "GetItem", "region": "eu-west-1", "request_id": "REQUEST-1", "table_name": "orders" });
    assert_eq!((&call["aws"], &call["http"]["response"]["status"]), (&aws, &json!(200)));
    let request = server.requests().remove(0);
    assert!(request.header("x-amzn-trace-id").unwrap().contains(call["id"].as_str().unwrap()));
}

#[tokio::test]
async fn an_operation_is_traced() {
    let server = Server::with(Reply::new(200, "{}"));
    let (_, call) = call_of(order(&clients::dynamodb(server.url()))).await;
    check(&call, &server);
}

#[tokio::test]
async fn with_the_interceptor_too_there_is_one_subsegment() {
    let server = Server::with(Reply::new(200, "{}"));
    let (_, call) = call_of(order(&clients::traced_dynamodb(server.url()))).await;
    check(&call, &server);
}

#[tokio::test]
async fn outside_any_segment_the_request_is_unchanged() {
    let server = Server::with(Reply::new(200, "{}"));
    assert!(order(&clients::dynamodb(server.url())).await.is_ok());
    assert_eq!(server.requests()[0].header("x-amzn-trace-id"), None);
}

/// A request in a variable, as in a loop over pages.
#[traced_http]
async fn orders(client: &aws_sdk_dynamodb::Client, limit: Option<i32>) -> Result<i32, SdkError<QueryError>> {
    let mut request = client.query().table_name("orders");
    if let Some(limit) = limit {
        request = request.limit(limit);
    }
    let page = request.send().await?;
    Ok(page.count())
}

#[tokio::test]
async fn a_request_in_a_variable_is_traced() {
    let server = Server::with(Reply::new(200, r#"{"Count":4}"#));
    let (count, call) = call_of(orders(&clients::dynamodb(server.url()), Some(9))).await;
    assert_eq!((count.unwrap(), &call["aws"]["limit"]), (4, &json!(9)));
}

#[traced_http(name = "stock", annotate(shop = "north"))]
async fn named(client: &aws_sdk_dynamodb::Client) {
    client.get_item().table_name("stock").send().await.unwrap();
}

#[tokio::test]
async fn the_options_of_the_attribute_apply() {
    let server = Server::with(Reply::new(200, "{}"));
    for client in [clients::dynamodb(server.url()), clients::traced_dynamodb(server.url())] {
        let (_, call) = call_of(named(&client)).await;
        assert_eq!((&call["name"], &call["annotations"]), (&json!("stock"), &json!({ "shop": "north" })));
    }
}

#[traced_http(skip_hosts("127.0.0.1"))]
async fn skipped(client: &aws_sdk_dynamodb::Client) {
    client.get_item().table_name("stock").send().await.unwrap();
}

#[tokio::test]
async fn skipped_hosts_are_left_alone() {
    let server = Server::with(Reply::new(200, "{}"));
    let (_, segment) = segment_of(skipped(&clients::dynamodb(server.url()))).await;
    assert!(segment.get("subsegments").is_none());
    assert_eq!(server.requests()[0].header("x-amzn-trace-id"), None);
}

#[traced_http(strict)]
async fn strict(client: &aws_sdk_dynamodb::Client) {
    client.get_item().table_name("stock").send().await.unwrap();
    let request = client.get_item().table_name("stock");
    request.send().await.unwrap();
}

#[traced_http]
async fn marked(client: &aws_sdk_dynamodb::Client) {
    #[xray(trace)]
    let sent = client.get_item().table_name("stock").send().await;
    sent.unwrap();
}

#[tokio::test]
async fn a_strict_function_and_a_marked_call_accept_the_sdk() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::dynamodb(server.url());
    let (_, segment) = segment_of(strict(&client)).await;
    assert_eq!(segment["subsegments"].as_array().unwrap().len(), 2);
    call_of(marked(&client)).await;
}

#[traced_http]
async fn several(
    dynamodb: &aws_sdk_dynamodb::Client,
    s3: &aws_sdk_s3::Client,
    sns: &aws_sdk_sns::Client,
    lambda: &aws_sdk_lambda::Client,
) {
    let sqs = clients::sqs("http://127.0.0.1:9");
    let (orders, photos, news) = tokio::join!(
        dynamodb.get_item().table_name("orders").send(),
        s3.head_object().bucket("photos").key("k").send(),
        sns.publish().topic_arn("arn:news").message("secret").send(),
    );
    drop((orders, photos, news));
    let _ = tokio::spawn(async move { sqs.send_message().queue_url("q").message_body("secret").send().await.is_ok() })
        .await;
    let _ = lambda.invoke().function_name("price").send().await;
}

#[tokio::test]
async fn joined_and_spawned_operations_of_five_services_are_traced() {
    let server = Server::with(Reply::new(404, ""));
    let (_, segment) = segment_of(async {
        let url = server.url();
        several(&clients::dynamodb(url), &clients::s3(url), &clients::sns(url), &clients::lambda(url)).await;
    })
    .await;
    let calls = segment["subsegments"].as_array().unwrap();
    let mut names: Vec<_> = calls.iter().map(|call| call["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["DynamoDB", "Lambda", "S3", "SNS", "SQS"]);
    assert!(!segment.to_string().contains("secret"));
}

/// Created outside a segment and polled inside one.
#[traced_http]
fn later(client: &aws_sdk_dynamodb::Client) -> impl Future<Output = bool> + Send + use<> {
    let sent = client.get_item().table_name("orders").send();
    async move { sent.await.is_ok() }
}

#[tokio::test]
async fn a_future_that_is_polled_in_a_segment_is_traced() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::dynamodb(server.url());
    let future = later(&client);
    let (_, call) = call_of(async move { tokio::spawn(future.in_current_trace()).await.unwrap() }).await;
    check(&call, &server);
}

mod other_types {
    //! Calls named `send` that are no requests of the SDK compile and behave as without the attribute.

    use super::traced_http;
    use std::cell::Cell;

    struct Sender<'a>(&'a Cell<u32>);

    impl Sender<'_> {
        async fn send(&self) -> u32 {
            self.0.set(self.0.get() + 1);
            self.0.get()
        }
    }

    struct Open;

    impl Open {
        async fn send<R: Default>(self) -> R {
            R::default()
        }
    }

    /// Has a `customize` of its own, whose result has no `interceptor`.
    struct Custom;

    impl Custom {
        fn customize(self) -> u8 {
            unreachable!("the attribute must not call it")
        }

        fn send(self) -> u8 {
            7
        }
    }

    trait Boxed {
        fn send(&self) -> u8 {
            3
        }
    }

    impl Boxed for Custom {}

    fn custom() -> Custom {
        Custom
    }

    fn sender(count: &Cell<u32>) -> Sender<'_> {
        Sender(count)
    }

    #[traced_http]
    async fn all<S: Boxed>(generic: S, boxed: Box<dyn Boxed>) -> (u32, u32, u8, u8, String) {
        let count = Cell::new(0);
        let first = sender(&count).send().await;
        let variable = sender(&count);
        let second = variable.send().await + variable.send().await;
        let open: u32 = Open.send().await;
        let request = Open;
        let text: String = request.send().await;
        (first + open, second, custom().send() + boxed.send() + boxed.send(), generic.send(), text)
    }

    #[tokio::test]
    async fn are_left_alone() {
        assert_eq!(all(Custom, Box::new(Custom)).await, (1, 5, 13, 3, String::new()));
    }
}
