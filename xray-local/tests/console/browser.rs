//! A real Chromium without a window, on the pages of a server of its own.

use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt as _;
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url, form_urlencoded};
use xray_local::Server;

use crate::server;

/// The environment variable with which missing tools fail the tests instead of skipping them.
const MUST_RUN: &str = "XRAY_REAL_PARTS";

/// How long a test waits for a page or a script. Only a test that fails waits that long. A busy machine may need more
/// than a minute for 60 frames of a large page.
const DEADLINE: Duration = Duration::from_secs(300);

/// A page of the console in a browser, and the server that it comes from.
pub(crate) struct Page {
    pub(crate) server: Server,
    pub(crate) client: Client,
    driver: Driver,
}

/// Runs a test in a browser. Afterwards it asserts that the pages were quiet: no message on the browser's console, no
/// violation of the content security policy, no request to another server. If there is no browser, the test is skipped
/// and the reason is printed.
pub(crate) async fn in_browser(test: impl AsyncFnOnce(&Page)) {
    let Some(page) = Page::open().await else { return };
    // A panic must not leave the browser running, so the page is closed first and the panic goes on afterwards.
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
            let reason = "chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)";
            assert!(std::env::var_os(MUST_RUN).is_none(), "{MUST_RUN} is set, but {reason}");
            eprintln!("skipped: {reason}");
            return None;
        };
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
        let capabilities = json!({
            "goog:chromeOptions": {"args": flags, "binary": driver.browser},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": DEADLINE.as_millis()},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let capabilities: Capabilities = capabilities.into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&driver.address).await;
        Some(Self { server: server::start(), client: client.unwrap(), driver })
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

    /// Loads the list with a filter, opens its first trace and waits for the timeline.
    pub(crate) async fn open_first_trace(&self, filter: &str) {
        let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        self.visit(&format!("/?filter={filter}")).await;
        self.click(".traces .subject a").await;
        self.find(".rows").await;
    }

    /// Returns the path, query and fragment of the address that the browser shows.
    pub(crate) async fn location(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url[url::Position::BeforePath..].to_owned()
    }

    /// Returns the first element that a CSS selector matches, and waits until there is one.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(DEADLINE);
        wait.for_element(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Clicks on the first element that a CSS selector matches.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// Clicks on the link with this text.
    pub(crate) async fn click_link(&self, text: &str) {
        self.client.find(Locator::LinkText(text)).await.unwrap().click().await.unwrap();
    }

    /// Returns the number of elements that a CSS selector matches.
    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// Returns the visible text of the first element that a CSS selector matches.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Runs JavaScript, and returns the value that it `return`s.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Like [`script`](Self::script), but converts the value.
    pub(crate) async fn evaluate<T: DeserializeOwned>(&self, script: &str) -> T {
        serde_json::from_value(self.script(script).await).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until JavaScript `return`s true.
    pub(crate) async fn until(&self, script: &str) {
        let started = Instant::now();
        while self.script(script).await != true {
            assert!(started.elapsed() < DEADLINE, "did not become true: {script}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the first element that a CSS selector matches has this text.
    pub(crate) async fn until_text(&self, css: &str, text: &str) {
        self.until(&format!("return document.querySelector({})?.textContent === {};", json!(css), json!(text))).await;
    }

    /// Presses keys, one after the other, on the element that has the focus.
    pub(crate) async fn press(&self, keys: &str) {
        let pressed = keys.chars().fold(KeyActions::new("keys".to_owned()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(pressed).await.unwrap();
    }

    /// Gives the browser a screen of this size, in CSS pixels.
    pub(crate) async fn set_screen(&self, width: u32, height: u32, is_phone: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Sets a preference of the reader, such as `prefers-color-scheme` to `dark`.
    pub(crate) async fn set_preference(&self, name: &str, value: &str) {
        self.devtools("Emulation.setEmulatedMedia", json!({"features": [{"name": name, "value": value}]})).await;
    }

    /// Turns the scripts of the pages that are visited next off.
    pub(crate) async fn turn_scripts_off(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let body = json!({"cmd": method, "params": parameters});
        self.client.issue_cmd(VendorCommand { path: "goog/cdp/execute", body }).await.unwrap()
    }

    /// Starts measuring. The page that is visited next is measured from its start.
    pub(crate) async fn start_measuring(&self) {
        self.devtools("Performance.enable", json!({"timeDomain": "threadTicks"})).await;
    }

    /// Returns the time until the page was drawn and the processor time of its main thread, both in milliseconds. The
    /// processor time does not depend on how busy the machine is.
    pub(crate) async fn rendering_times(&self) -> (f64, f64) {
        // The second frame begins after the first one was drawn.
        let drawn = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));";
        let drawn = self.client.execute_async(drawn, Vec::new()).await.unwrap();
        (drawn.as_f64().unwrap(), self.processor_time().await)
    }

    /// Returns the processor time of the page's main thread so far, in milliseconds.
    pub(crate) async fn processor_time(&self) -> f64 {
        let metrics = self.devtools("Performance.getMetrics", json!({})).await;
        let metric = |name: &str| {
            let metrics = metrics["metrics"].as_array().unwrap();
            metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].as_f64().unwrap()
        };
        metric("TaskDuration") * 1000.0
    }

    /// Takes the messages on the browser's console, and asserts that there is one and that it has this part.
    pub(crate) async fn expect_message(&self, part: &str) {
        let messages = self.log("browser").await;
        assert!(messages.len() == 1 && messages[0]["message"].as_str().unwrap().contains(part), "{messages:?}");
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let command = VendorCommand { path: "se/log", body: json!({"type": kind}) };
        self.client.issue_cmd(command).await.unwrap().as_array().unwrap().clone()
    }

    async fn assert_quiet(&self) {
        let messages = self.log("browser").await;
        assert_eq!(messages, Vec::<Value>::new(), "messages on the browser's console");
        let own = format!("http://{}/", self.server.http_address());
        let mut requests = 0;
        for entry in self.log("performance").await {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let event = &event["message"];
            if event["method"] == "Network.requestWillBeSent" {
                let address = event["params"]["request"]["url"].as_str().unwrap();
                // The browser starts with an empty page, and has pages of its own.
                if !address.starts_with("data:") && !address.starts_with("chrome:") {
                    assert!(address.starts_with(&own), "a request to {address}");
                    requests += 1;
                }
            }
        }
        assert!(requests > 0, "the browser's log holds no requests");
    }
}

/// A command that only chromedriver knows.
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

/// Where Debian installs the browsers. The shell without windows starts in a third of the time.
//
// The script `/usr/bin/chromium-headless-shell` would start the browser as a child. Then chromedriver ends the script,
// and the browser stays.
const BROWSERS: [&str; 2] = ["/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium"];

/// The program that controls the browser for the test. It is ended when this value is dropped.
struct Driver {
    process: Child,
    address: String,
    browser: &'static str,
    /// The browser's profile is in it.
    _files: TempDir,
}

impl Driver {
    /// Starts chromedriver on a free port. Returns `None` if chromedriver or Chromium is not installed.
    fn start() -> Option<Self> {
        let browser = BROWSERS.into_iter().find(|browser| Path::new(browser).exists())?;
        Command::new("chromedriver").arg("--version").stdout(Stdio::null()).status().ok()?;
        // Another program may take the port between the IPv4 and the IPv6 socket. Then chromedriver ends.
        let driver = (0..5).find_map(|_| Self::start_with(browser));
        Some(driver.expect("chromedriver finds no free port"))
    }

    /// Starts chromedriver. Returns `None` if it ends without a port.
    fn start_with(browser: &'static str) -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", files.path()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // Made before anything can panic: dropping it ends the process.
        let mut driver = Self { process, address: String::new(), browser, _files: files };
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        driver.address = format!("http://127.0.0.1:{}", port?);
        Some(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
