//! A real Chromium without a window, on pages of a server of its own.

use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt as _;
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};
use xray_local::Server;

/// What makes missing tools a failure, where otherwise it is a reason to skip.
const MUST_RUN: &str = "XRAY_REAL_PARTS";

/// How long a page may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page of the console in a browser, and the server behind it.
pub(crate) struct Page {
    pub(crate) server: Server,
    pub(crate) client: Client,
    driver: Driver,
    _profile: TempDir,
}

/// Runs a test in a browser, and looks whether the pages were quiet: nothing on the browser's console, no violation of the
/// policy, no request to anywhere else. Skipped, with the reason printed, where there is no browser.
pub(crate) async fn in_browser(test: impl AsyncFnOnce(&Page)) {
    let Some(page) = Page::open().await else { return };
    let outcome = AssertUnwindSafe(async {
        test(&page).await;
        page.assert_quiet().await;
    })
    .catch_unwind()
    .await;
    page.close().await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

impl Page {
    async fn open() -> Option<Self> {
        let Some(driver) = Driver::start() else {
            let reason = "chromium and chromedriver are not here (Debian: apt-get install chromium chromium-driver)";
            assert!(std::env::var_os(MUST_RUN).is_none(), "{MUST_RUN} is set, but {reason}");
            eprintln!("skipped: {reason}");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1440,900",
        ];
        let flags: Vec<String> = flags
            .iter()
            .map(ToString::to_string)
            .chain([format!("--user-data-dir={}", profile.path().display())])
            .collect();
        let capabilities = json!({
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let capabilities: Capabilities = capabilities.into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&driver.address).await;
        let server = Server::builder().address("127.0.0.1:0").start().unwrap();
        Some(Self { server, client: client.unwrap(), driver, _profile: profile })
    }

    async fn close(self) {
        let _ = self.client.close().await;
        drop(self.driver);
    }

    /// Loads a page of the console.
    pub(crate) async fn visit(&self, path: &str) {
        let address = format!("http://{}{path}", self.server.http_address());
        self.client.goto(&address).await.unwrap();
    }

    /// The path, query and fragment that the browser shows.
    pub(crate) async fn place(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url[url::Position::BeforePath..].to_owned()
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        wait.for_element(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// What JavaScript `return`s.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until JavaScript `return`s true.
    pub(crate) async fn until(&self, script: &str) {
        let begun = Instant::now();
        while self.script(script).await != true {
            assert!(begun.elapsed() < PATIENCE, "not yet: {script}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses keys, one after the other, on whatever has the focus.
    pub(crate) async fn press(&self, keys: &str) {
        let pressed = keys.chars().fold(KeyActions::new("keys".to_owned()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(pressed).await.unwrap();
    }

    /// Shows pages as on a screen of this size.
    pub(crate) async fn set_screen(&self, width: u32, height: u32, is_phone: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Shows pages as to a reader with a preference, such as `prefers-color-scheme`: `dark`.
    pub(crate) async fn set_preference(&self, name: &str, value: &str) {
        self.devtools("Emulation.setEmulatedMedia", json!({"features": [{"name": name, "value": value}]})).await;
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let body = json!({"cmd": method, "params": parameters});
        self.client.issue_cmd(VendorCommand { path: "goog/cdp/execute", body }).await.unwrap()
    }

    /// Begins to measure; a page that is visited next is measured from its start.
    pub(crate) async fn start_measuring(&self) {
        self.devtools("Performance.enable", json!({"timeDomain": "threadTicks"})).await;
    }

    /// How long the page took until it was drawn, and what the work of its main thread was, both in milliseconds. The
    /// work is processor time, so it says the same on a busy machine.
    pub(crate) async fn rendering_times(&self) -> (f64, f64) {
        let drawn = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));";
        let drawn = self.client.execute_async(drawn, Vec::new()).await.unwrap();
        (drawn.as_f64().unwrap(), self.work().await)
    }

    /// Processor time of the page's main thread so far, in milliseconds.
    pub(crate) async fn work(&self) -> f64 {
        let metrics = self.devtools("Performance.getMetrics", json!({})).await;
        let metric = |name: &str| {
            let metrics = metrics["metrics"].as_array().unwrap();
            metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].as_f64().unwrap()
        };
        metric("TaskDuration") * 1000.0
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let command = VendorCommand { path: "se/log", body: json!({"type": kind}) };
        self.client.issue_cmd(command).await.unwrap().as_array().unwrap().clone()
    }

    /// What the browser complained of since it was asked last.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        self.log("browser").await.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    async fn assert_quiet(&self) {
        assert_eq!(self.complaints().await, Vec::<String>::new(), "on the browser's console");
        let own = format!("http://{}/", self.server.http_address());
        let mut requests = 0;
        for entry in self.log("performance").await {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let event = &event["message"];
            if event["method"] == "Network.requestWillBeSent" {
                let address = event["params"]["request"]["url"].as_str().unwrap();
                // The empty page that the browser begins with, and its own.
                if !address.starts_with("data:") && !address.starts_with("chrome:") {
                    assert!(address.starts_with(&own), "a request to {address}");
                    requests += 1;
                }
            }
        }
        assert!(requests > 0, "the browser's log tells no requests");
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct VendorCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for VendorCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// The program between the test and the browser; ends when it is dropped.
struct Driver {
    process: Child,
    address: String,
}

impl Driver {
    /// `None` if it, or the browser, is not installed.
    fn start() -> Option<Self> {
        Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        let mut process = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn().ok()?;
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let started = "started successfully on port ";
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once(started)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let mut driver = Self { process, address: String::new() };
        driver.address = format!("http://127.0.0.1:{}", port.expect("chromedriver told no port"));
        let _ = driver.process.try_wait();
        Some(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
