//! The traffic of a shop: services, their databases and AWS calls, and a remote payment service that fails at times.

use fastrand::Rng;
use serde_json::{Map, Value, json};
use xray_local::{Server, time};

use crate::server;

/// Stores the traces of `requests` requests, one every 3.1 seconds, the last of them 4 seconds ago. Only the times
/// differ between two runs.
pub(crate) fn traffic(server: &Server, requests: u32) {
    let mut shop = Shop { random: Rng::with_seed(11), trace_id: String::new(), segments: Vec::new() };
    for number in 0..requests {
        let start = time::now() - 4.0 - 3.1 * f64::from(requests - 1 - number);
        for document in shop.request(number, start) {
            server::put(server, &document);
        }
    }
}

/// Makes the documents of one trace after the other.
struct Shop {
    random: Rng,
    /// The trace that is being made, and its segments so far.
    trace_id: String,
    segments: Vec<Value>,
}

/// When a segment or subsegment starts, in seconds since 1970, and how long it takes.
#[derive(Clone, Copy)]
struct Span {
    start: f64,
    seconds: f64,
}

impl Span {
    /// Returns a part of the span. `from` and `to` are shares of its length: (0.0, 0.5) is the first half.
    fn part(self, from: f64, to: f64) -> Self {
        Self { start: self.start + self.seconds * from, seconds: self.seconds * (to - from) }
    }
}

impl Shop {
    /// Makes the segments of one request.
    fn request(&mut self, number: u32, start: f64) -> Vec<Value> {
        let random = format!("{:024x}", self.random.u128(..) >> 32);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970, before 2106")]
        let epoch = start as u32;
        self.trace_id = format!("1-{epoch:08x}-{random}");
        let span = Span { start, seconds: 0.03 + self.random.f64() * 0.09 };
        match number % 9 {
            0 | 4 => self.show_product(number, span),
            1 | 6 => self.search(span),
            2 => self.add_to_cart(number, span),
            5 => self.show_missing_product(span),
            // A checkout calls more services, so it takes longer.
            _ => self.checkout(number, Span { seconds: span.seconds * 4.0, ..span }),
        }
        std::mem::take(&mut self.segments)
    }

    fn show_product(&mut self, number: u32, span: Span) {
        let id = self.id();
        let (catalogue, remote) =
            self.call("catalogue", "GET", "http://catalogue.internal/products", 200, span.part(0.1, 0.7));
        let query = self.sql("SELECT id, name, price FROM products WHERE id = ?", span.part(0.2, 0.5));
        let image = self.aws(
            "S3",
            json!({"operation": "GetObject", "bucket_name": "product-images", "region": "eu-west-1"}),
            span.part(0.52, 0.66),
        );
        self.segment(
            "catalogue",
            Some(&remote),
            &http("GET", "http://catalogue.internal/products", 200),
            span.part(0.14, 0.68),
            vec![query, image],
        );
        let render = self.local("render page", span.part(0.72, 0.97));
        let url = format!("https://shop.example.com/products/{}", 40 + number % 7);
        self.storefront(&id, &url, "GET", 200, span, vec![catalogue, render]);
    }

    fn search(&mut self, span: Span) {
        let id = self.id();
        let (search, remote) = self.call("search", "GET", "http://search.internal/query", 200, span.part(0.08, 0.9));
        let cache = self.local("cache lookup", span.part(0.16, 0.24));
        let query =
            self.sql("SELECT id FROM products WHERE name_index @@ to_tsquery(?) LIMIT 20", span.part(0.26, 0.8));
        self.segment(
            "search",
            Some(&remote),
            &http("GET", "http://search.internal/query", 200),
            span.part(0.12, 0.86),
            vec![cache, query],
        );
        self.storefront(&id, "https://shop.example.com/search", "GET", 200, span, vec![search]);
    }

    fn add_to_cart(&mut self, number: u32, span: Span) {
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
        self.segment(
            "cart",
            Some(&remote),
            &http("POST", "http://cart.internal/items", status),
            span.part(0.15, 0.87),
            vec![write],
        );
        self.storefront(&id, "https://shop.example.com/cart/items", "POST", status, span, vec![call]);
    }

    fn show_missing_product(&mut self, span: Span) {
        let id = self.id();
        let (catalogue, _) =
            self.call("catalogue.internal", "GET", "http://catalogue.internal/products/9999", 404, span.part(0.2, 0.8));
        self.storefront(&id, "https://shop.example.com/products/9999", "GET", 404, span, vec![catalogue]);
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
        self.segment(
            "inventory",
            Some(&stock_call),
            &http("POST", "http://inventory.internal/reservations", 200),
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
        let mut subsegments = vec![validate, stock, pay];
        if fails {
            let mut undo = self.local("release reservation", span.part(0.74, 0.9));
            undo["annotations"] = json!({"reason": "payment_failed"});
            subsegments.push(undo);
        } else {
            subsegments.push(self.aws("DynamoDB", json!({"operation": "TransactWriteItems", "table_name": "orders", "region": "eu-west-1", "request_id": "4HQ2N8VD7K"}), span.part(0.73, 0.84)));
            subsegments.push(self.aws("SQS", json!({"operation": "SendMessage", "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders", "region": "eu-west-1"}), span.part(0.85, 0.93)));
        }
        self.segment(
            "checkout",
            Some(&remote),
            &http("POST", "http://checkout.internal/orders", status),
            span.part(0.05, 0.96),
            subsegments,
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
        self.storefront(&id, "https://shop.example.com/checkout", "POST", status, span, vec![call]);
    }

    /// Makes the `cause` block of a failed payment: an error and the error behind it.
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

    /// Makes the segment of the service that the shop's visitors call.
    fn storefront(&mut self, id: &str, url: &str, method: &str, status: u16, span: Span, subsegments: Vec<Value>) {
        let mut http = http(method, url, status);
        http["request"]["user_agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into();
        http["request"]["client_ip"] = "203.0.113.24".into();
        self.segment("storefront", None, &http, span, subsegments);
        self.segments.last_mut().unwrap()["id"] = id.into();
    }

    /// Makes a segment. `caller` is the id of the subsegment that calls the service.
    fn segment(&mut self, name: &str, caller: Option<&str>, http: &Value, span: Span, subsegments: Vec<Value>) {
        let id = self.id();
        let mut segment = self.entity(&id, name, span);
        segment.insert("trace_id".to_owned(), self.trace_id.clone().into());
        segment.insert("origin".to_owned(), "AWS::ECS::Container".into());
        segment.insert("aws".to_owned(), json!({"ecs": {"container": format!("{name}-7c9d")}, "xray": {"sdk": "X-Ray for Rust", "sdk_version": "0.1.0"}}));
        if let Some(caller) = caller {
            segment.insert("parent_id".to_owned(), caller.into());
        }
        segment.insert("http".to_owned(), http.clone());
        set_flags(&mut segment, http["response"]["status"].as_u64().unwrap());
        segment.insert("subsegments".to_owned(), subsegments.into());
        self.segments.push(segment.into());
    }

    /// Makes a subsegment for an HTTP call. Returns it and its id.
    fn call(&mut self, name: &str, method: &str, url: &str, status: u16, span: Span) -> (Value, String) {
        let id = self.id();
        let mut call = self.entity(&id, name, span);
        call.insert("namespace".to_owned(), "remote".into());
        call.insert("http".to_owned(), http(method, url, status));
        set_flags(&mut call, status.into());
        (call.into(), id)
    }

    /// Makes a subsegment for a database query.
    fn sql(&mut self, query: &str, span: Span) -> Value {
        let id = self.id();
        let mut call = self.entity(&id, "shop@db.internal", span);
        call.insert("namespace".to_owned(), "remote".into());
        let sql = json!({"url": "postgresql://db.internal:5432/shop", "database_type": "PostgreSQL", "database_version": "17.2", "user": "shop", "sanitized_query": query});
        call.insert("sql".to_owned(), sql);
        call.into()
    }

    /// Makes a subsegment for a call of an AWS service.
    fn aws(&mut self, name: &str, aws: Value, span: Span) -> Value {
        let id = self.id();
        let mut call = self.entity(&id, name, span);
        call.insert("namespace".to_owned(), "aws".into());
        call.insert("http".to_owned(), json!({"response": {"status": 200}}));
        call.insert("aws".to_owned(), aws);
        call.into()
    }

    /// Makes a subsegment for work within a service.
    fn local(&mut self, name: &str, span: Span) -> Value {
        let id = self.id();
        self.entity(&id, name, span).into()
    }

    /// Makes the fields that every segment and subsegment has.
    fn entity(&mut self, id: &str, name: &str, span: Span) -> Map<String, Value> {
        let micros = |seconds: f64| (seconds * 1e6).round() / 1e6;
        let end = micros(span.start + span.seconds * (0.97 + self.random.f64() * 0.03));
        let entity = json!({"id": id, "name": name, "start_time": micros(span.start), "end_time": end});
        entity.as_object().unwrap().clone()
    }

    fn id(&mut self) -> String {
        format!("{:016x}", self.random.u64(1..))
    }
}

/// Makes an `http` block.
fn http(method: &str, url: &str, status: u16) -> Value {
    json!({"request": {"method": method, "url": url}, "response": {"status": status, "content_length": 1834}})
}

/// Sets the flags that SDKs set for a status.
fn set_flags(entity: &mut Map<String, Value>, status: u64) {
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
