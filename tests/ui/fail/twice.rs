#[xray::traced_http]
#[xray::traced_http(name = "todos")]
async fn calls(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
    #[xray(name = "todo")]
    client.get("").send().await
}

#[xray::traced(err)]
#[xray::traced_http]
#[xray::traced]
fn price() -> Result<reqwest::blocking::Response, reqwest::Error> {
    reqwest::blocking::get("")
}

struct Service;

#[xray::traced]
#[xray::traced]
impl Service {
    fn price(&self) -> u32 {
        1
    }
}

#[xray::traced_http]
#[xray::traced_http]
mod api {
    pub fn call() -> Result<reqwest::blocking::Response, reqwest::Error> {
        reqwest::blocking::get("")
    }
}

// Under other names the attributes are recognized by what they write.
use xray::{traced as measured, traced_http as http};

#[measured]
#[xray::traced]
fn renamed() -> u32 {
    1
}

#[http]
#[xray::traced_http]
fn renamed_http() -> Result<reqwest::blocking::Response, reqwest::Error> {
    reqwest::blocking::get("")
}

fn main() {
    drop((price(), Service.price(), api::call(), renamed(), renamed_http()));
    drop(calls(&reqwest::Client::new()));
}
