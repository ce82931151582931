//! Traffic of a shop: some services, their databases and AWS calls, a remote payment service that is not always well.

use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use serde_json::{Map, Value, json};
use xray_local::Server;
use xray_local::store::Source;

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Sends a document as SDKs do, and waits until it is there.
pub(crate) fn send(server: &Server, document: &Value) {
    let before = server.store().counters().received;
    let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(datagram.as_bytes(), server.udp_address()).unwrap();
    let patience = Instant::now();
    while server.store().counters().received == before {
        assert!(patience.elapsed() < Duration::from_secs(10), "the document did not arrive");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The traffic of the last minutes: this many requests, always the same but for the time.
pub(crate) fn traffic(server: &Server, requests: u32) {
    let mut shop = Shop { random: Rng::with_seed(11), trace_id: String::new(), segments: Vec::new() };
    for request in 0..requests {
        let start = now() - 4.0 - 3.1 * f64::from(requests - 1 - request);
        for document in shop.request(request, start) {
            let outcome = server.store().put(&document.to_string(), Source::Http);
            assert_eq!(outcome.findings, Vec::new(), "{document}");
        }
    }
}

/// Makes the documents of one trace after the other.
struct Shop {
    random: Rng,
    trace_id: String,
    segments: Vec<Value>,
}

/// When a part of a trace is, and how long.
#[derive(Clone, Copy)]
struct Span {
    start: f64,
    seconds: f64,
}

impl Span {
    /// A part of it, by where it begins and ends as shares.
    fn part(self, from: f64, to: f64) -> Self {
        Self { start: self.start + self.seconds * from, seconds: self.seconds * (to - from) }
    }
}

impl Shop {
    fn request(&mut self, number: u32, start: f64) -> Vec<Value> {
        let random = format!("{:024x}", self.random.u128(..) >> 32);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970")]
        let epoch = start as u32;
        self.trace_id = format!("1-{epoch:08x}-{random}");
        let span = Span { start, seconds: 0.03 + self.random.f64() * 0.09 };
        match number % 9 {
            0 | 4 => self.product(number, span),
            1 | 6 => self.search(span),
            2 => self.cart(number, span),
            5 => self.missing(span),
            _ => self.checkout(number, Span { seconds: span.seconds * 4.0, ..span }),
        }
        std::mem::take(&mut self.segments)
    }

    fn product(&mut self, number: u32, span: Span) {
        let id = self.id();
        let (catalogue, remote) =
            self.call("catalogue", "GET", "http://catalogue.internal/products", 200, span.part(0.1, 0.7));
        let query = self.sql("SELECT id, name, price FROM products WHERE id = ?", span.part(0.2, 0.5));
        let image = self.aws(
            "S3",
            json!({"operation": "GetObject", "bucket_name": "product-images", "region": "eu-west-1"}),
            span.part(0.52, 0.66),
        );
        self.service(
            "catalogue",
            Some(&remote),
            &self.http("GET", "http://catalogue.internal/products", 200),
            span.part(0.14, 0.68),
            vec![query, image],
        );
        let render = self.local("render page", span.part(0.72, 0.97));
        let url = format!("https://shop.example.com/products/{}", 40 + number % 7);
        self.front(&id, &url, "GET", 200, span, vec![catalogue, render]);
    }

    fn search(&mut self, span: Span) {
        let id = self.id();
        let (search, remote) = self.call("search", "GET", "http://search.internal/query", 200, span.part(0.08, 0.9));
        let cache = self.local("cache lookup", span.part(0.16, 0.24));
        let query =
            self.sql("SELECT id FROM products WHERE name_index @@ to_tsquery(?) LIMIT 20", span.part(0.26, 0.8));
        self.service(
            "search",
            Some(&remote),
            &self.http("GET", "http://search.internal/query", 200),
            span.part(0.12, 0.86),
            vec![cache, query],
        );
        self.front(&id, "https://shop.example.com/search", "GET", 200, span, vec![search]);
    }

    fn cart(&mut self, number: u32, span: Span) {
        let id = self.id();
        let is_busy = number % 4 == 2;
        let status = if is_busy { 429 } else { 201 };
        let (call, remote) = self.call("cart", "POST", "http://cart.internal/items", status, span.part(0.1, 0.9));
        let mut write = self.aws("DynamoDB", json!({"operation": "PutItem", "table_name": "carts", "region": "eu-west-1", "retries": u8::from(is_busy) * 3}), span.part(0.25, 0.8));
        if is_busy {
            write["throttle"] = true.into();
            write["error"] = true.into();
            write["http"] = json!({"response": {"status": 400}});
            write["cause"] = json!({"exceptions": [{"id": self.id(), "type": "ProvisionedThroughputExceededException", "message": "The level of configured provisioned throughput for the table was exceeded", "remote": true}]});
        }
        self.service(
            "cart",
            Some(&remote),
            &self.http("POST", "http://cart.internal/items", status),
            span.part(0.15, 0.87),
            vec![write],
        );
        self.front(&id, "https://shop.example.com/cart/items", "POST", status, span, vec![call]);
    }

    fn missing(&mut self, span: Span) {
        let id = self.id();
        let (catalogue, _) =
            self.call("catalogue.internal", "GET", "http://catalogue.internal/products/9999", 404, span.part(0.2, 0.8));
        self.front(&id, "https://shop.example.com/products/9999", "GET", 404, span, vec![catalogue]);
    }

    fn checkout(&mut self, number: u32, span: Span) {
        let id = self.id();
        let fails = number % 27 == 8;
        let status = if fails { 502 } else { 200 };
        let (call, remote) =
            self.call("checkout", "POST", "http://checkout.internal/orders", status, span.part(0.04, 0.97));
        let validate = self.local("validate cart", span.part(0.08, 0.12));
        let (stock, stock_call) =
            self.call("inventory", "POST", "http://inventory.internal/reservations", 200, span.part(0.13, 0.3));
        let reserve = self.sql(
            "UPDATE stock SET reserved = reserved + ? WHERE product = ? AND available >= ?",
            span.part(0.17, 0.27),
        );
        self.service(
            "inventory",
            Some(&stock_call),
            &self.http("POST", "http://inventory.internal/reservations", 200),
            span.part(0.14, 0.29),
            vec![reserve],
        );
        let (mut pay, _) = self.call(
            "api.cardpay.example",
            "POST",
            "https://api.cardpay.example/v2/charges",
            if fails { 503 } else { 201 },
            span.part(0.31, 0.72),
        );
        let exception = self.id();
        if fails {
            pay["cause"] = self.payment_error(&exception);
        }
        let mut parts = vec![validate, stock, pay];
        if fails {
            let mut undo = self.local("release reservation", span.part(0.74, 0.9));
            undo["annotations"] = json!({"reason": "payment_failed"});
            parts.push(undo);
        } else {
            parts.push(self.aws("DynamoDB", json!({"operation": "TransactWriteItems", "table_name": "orders", "region": "eu-west-1", "request_id": "4HQ2N8VD7K"}), span.part(0.73, 0.84)));
            parts.push(self.aws("SQS", json!({"operation": "SendMessage", "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders", "region": "eu-west-1"}), span.part(0.85, 0.93)));
        }
        self.service(
            "checkout",
            Some(&remote),
            &self.http("POST", "http://checkout.internal/orders", status),
            span.part(0.05, 0.96),
            parts,
        );
        if fails {
            let checkout = self.segments.last_mut().unwrap();
            checkout["cause"] = exception.into();
        }
        let checkout = self.segments.last_mut().unwrap();
        checkout["annotations"] =
            json!({"tenant": if number % 2 == 0 { "acme" } else { "globex" }, "items": 3, "express": number % 4 == 0});
        checkout["metadata"] = json!({"order": {"currency": "EUR", "lines": [{"product": 42, "quantity": 2}, {"product": 7, "quantity": 1}], "total": 119.85}});
        checkout["user"] = format!("customer-{}", 100 + number % 13).into();
        self.front(&id, "https://shop.example.com/checkout", "POST", status, span, vec![call]);
    }

    fn payment_error(&mut self, id: &str) -> Value {
        let frame = |label: &str, path: &str, line: u32| json!({"label": label, "path": path, "line": line});
        let cause = self.id();
        json!({"working_directory": "/srv/checkout", "exceptions": [
            {"id": id, "type": "checkout::payment::ChargeError", "message": "card provider answered 503 after 3 attempts", "cause": cause,
                "truncated": 11, "stack": [
                    frame("checkout::payment::charge", "src/payment.rs", 118),
                    frame("checkout::orders::place", "src/orders.rs", 64),
                    frame("checkout::http::post_order", "src/http.rs", 41)]},
            {"id": cause, "type": "reqwest::Error", "message": "HTTP status server error (503 Service Unavailable) for url (https://api.cardpay.example/v2/charges)", "remote": true}]})
    }

    /// The segment that the shop's visitors see.
    fn front(&mut self, id: &str, url: &str, method: &str, status: u16, span: Span, parts: Vec<Value>) {
        let mut http = self.http(method, url, status);
        http["request"]["user_agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into();
        http["request"]["client_ip"] = "203.0.113.24".into();
        self.service("storefront", None, &http, span, parts);
        self.segments.last_mut().unwrap()["id"] = id.into();
    }

    fn service(&mut self, name: &str, caller: Option<&str>, http: &Value, span: Span, parts: Vec<Value>) {
        let id = self.id();
        let mut segment = self.entity(&id, name, span);
        segment.insert("trace_id".to_owned(), self.trace_id.clone().into());
        segment.insert("origin".to_owned(), "AWS::ECS::Container".into());
        segment.insert("aws".to_owned(), json!({"ecs": {"container": format!("{name}-7c9d")}, "xray": {"sdk": "X-Ray for Rust", "sdk_version": "0.1.0"}}));
        if let Some(caller) = caller {
            segment.insert("parent_id".to_owned(), caller.into());
        }
        segment.insert("http".to_owned(), http.clone());
        flag(&mut segment, http["response"]["status"].as_u64().unwrap());
        segment.insert("subsegments".to_owned(), parts.into());
        self.segments.push(segment.into());
    }

    /// A subsegment for an HTTP call, and its id.
    fn call(&mut self, name: &str, method: &str, url: &str, status: u16, span: Span) -> (Value, String) {
        let id = self.id();
        let mut call = self.entity(&id, name, span);
        call.insert("namespace".to_owned(), "remote".into());
        call.insert("http".to_owned(), self.http(method, url, status));
        flag(&mut call, status.into());
        (call.into(), id)
    }

    fn sql(&mut self, query: &str, span: Span) -> Value {
        let id = self.id();
        let mut call = self.entity(&id, "shop@db.internal", span);
        call.insert("namespace".to_owned(), "remote".into());
        let sql = json!({"url": "postgresql://db.internal:5432/shop", "database_type": "PostgreSQL", "database_version": "17.2", "user": "shop", "sanitized_query": query});
        call.insert("sql".to_owned(), sql);
        call.into()
    }

    fn aws(&mut self, name: &str, aws: Value, span: Span) -> Value {
        let id = self.id();
        let mut call = self.entity(&id, name, span);
        call.insert("namespace".to_owned(), "aws".into());
        call.insert("http".to_owned(), json!({"response": {"status": 200}}));
        call.insert("aws".to_owned(), aws);
        call.into()
    }

    fn local(&mut self, name: &str, span: Span) -> Value {
        let id = self.id();
        self.entity(&id, name, span).into()
    }

    fn entity(&mut self, id: &str, name: &str, span: Span) -> Map<String, Value> {
        let micros = |seconds: f64| (seconds * 1e6).round() / 1e6;
        let end = micros(span.start + span.seconds * (0.97 + self.random.f64() * 0.03));
        let entity = json!({"id": id, "name": name, "start_time": micros(span.start), "end_time": end});
        entity.as_object().unwrap().clone()
    }

    #[expect(clippy::unused_self, reason = "beside its like")]
    fn http(&self, method: &str, url: &str, status: u16) -> Value {
        json!({"request": {"method": method, "url": url}, "response": {"status": status, "content_length": 1834}})
    }

    fn id(&mut self) -> String {
        format!("{:016x}", self.random.u64(1..))
    }
}

/// What a status says, as SDKs set it.
fn flag(entity: &mut Map<String, Value>, status: u64) {
    if status == 429 {
        entity.insert("throttle".to_owned(), true.into());
    }
    if (400..500).contains(&status) {
        entity.insert("error".to_owned(), true.into());
    }
    if status >= 500 {
        entity.insert("fault".to_owned(), true.into());
    }
}
