//! An error in the user's code is reported at the user's code.

#[xray::traced_http]
async fn wrong_type(client: &reqwest::Client) -> u32 {
    client.get("").send(1).await.unwrap();
    client.get("").send().await
}

#[xray::traced_http]
fn no_such_method(number: u32) {
    number.send();
    number.pow(2).send();
}

#[xray::traced_http]
fn moved(request: reqwest::RequestBuilder) {
    drop(request.send());
    drop(request.send());
}

fn main() {}
