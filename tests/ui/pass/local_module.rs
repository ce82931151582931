//! The user's own module named `reqwest` is accepted.

mod reqwest {
    #[derive(Default)]
    pub struct Client;
    pub struct RequestBuilder(u32);

    impl Client {
        pub fn get(&self, number: u32) -> RequestBuilder {
            RequestBuilder(number)
        }
    }

    impl RequestBuilder {
        pub fn send(self) -> u32 {
            self.0
        }
    }
}

#[xray::traced_http]
fn untouched(client: &reqwest::Client, request: reqwest::RequestBuilder) -> u32 {
    client.get(1).send() + request.send()
}

fn main() {
    let client = reqwest::Client::default();
    let request = client.get(2);
    assert_eq!(untouched(&client, request), 3);
}
