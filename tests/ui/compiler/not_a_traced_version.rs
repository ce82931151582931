//! A client of an unsupported version, recognised by the types that the function names. (Here by a stand-in.)

mod reqwest {
    pub struct Client;
    pub struct ClientBuilder;
    pub struct RequestBuilder;

    impl Client {
        pub fn builder() -> ClientBuilder {
            ClientBuilder
        }

        pub fn get(&self) -> RequestBuilder {
            RequestBuilder
        }
    }

    impl RequestBuilder {
        pub fn send(self) {}

        pub fn build_split(self) -> (Client, u32) {
            (Client, 1)
        }
    }
}

#[xray::traced_http]
fn old(client: &reqwest::Client) {
    client.get().send();
}

#[xray::traced_http]
fn old_builder(request: reqwest::RequestBuilder) {
    request.send();
}

#[xray::traced_http(local(reqwest))]
fn a_module_of_ones_own(client: &reqwest::Client) {
    client.get().send();
}

fn main() {}
