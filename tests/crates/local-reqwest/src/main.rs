//! The user's own modules and types with the names of a client. This program compiles and runs: types decide, not
//! names.

mod reqwest {
    pub type Result<T> = std::result::Result<T, String>;

    pub struct Client;

    pub struct Request<'a>(pub &'a str);

    pub struct RequestBuilder<B> {
        url: String,
        body: B,
    }

    impl Client {
        pub fn get(&self, url: &str) -> RequestBuilder<()> {
            RequestBuilder { url: url.to_owned(), body: () }
        }
    }

    impl<B> RequestBuilder<B> {
        pub fn body<T>(self, body: T) -> RequestBuilder<T> {
            RequestBuilder { url: self.url, body }
        }

        pub fn send(self) -> Result<(String, B)> {
            Ok((self.url, self.body))
        }
    }
}

#[xray::traced_http]
fn by_value(client: &reqwest::Client) -> reqwest::Result<(String, u8)> {
    client.get("a").body(1).send()
}

#[xray::traced_http]
fn by_place(client: &reqwest::Client, request: reqwest::Request<'_>) -> reqwest::Result<usize> {
    let builder = client.get(request.0);
    let (url, ()) = builder.send()?;
    Ok(url.len())
}

#[xray::traced_http]
fn generic<B>(builder: reqwest::RequestBuilder<B>) -> reqwest::Result<(String, B)> {
    builder.send()
}

/// Its constructor differs from the client's, so the function declares the name with `local(..)`.
#[xray::traced_http(local(reqwest))]
fn with_a_constructor() -> u8 {
    mod reqwest {
        pub struct Client(u8);

        impl Client {
            pub fn builder(number: u8) -> Self {
                Self(number)
            }

            pub fn send(&self) -> u8 {
                self.0
            }
        }
    }
    reqwest::Client::builder(5).send()
}

/// A name that is declared inside a block of the function.
#[xray::traced_http]
fn inner(flag: bool) -> usize {
    if flag {
        use vendored::reqwest_0_11;
        let client = reqwest_0_11::Client::default();
        return client.send();
    }
    0
}

/// A name that the body gives another meaning than the signature.
#[xray::traced_http]
fn renamed(client: &reqwest::Client) -> reqwest::Result<(String, ())> {
    use vendored::numbers as reqwest;
    client.get(reqwest::FIRST).send()
}

mod vendored {
    #[allow(dead_code, reason = "only the check of a client would use the type")]
    pub mod numbers {
        pub const FIRST: &str = "first";

        pub struct Client;

        impl Client {
            pub fn builder(number: u8) -> u8 {
                number
            }
        }
    }

    pub mod reqwest_0_11 {
        #[derive(Default)]
        pub struct Client;

        impl Client {
            pub fn send(&self) -> usize {
                9
            }
        }
    }
}

fn main() {
    let client = reqwest::Client;
    assert_eq!(by_value(&client), Ok(("a".to_owned(), 1)));
    assert_eq!(by_place(&client, reqwest::Request("abc")), Ok(3));
    assert_eq!(generic(client.get("b").body("c")), Ok(("b".to_owned(), "c")));
    assert_eq!(with_a_constructor(), 5);
    assert_eq!(renamed(&client), Ok(("first".to_owned(), ())));
    assert_eq!(inner(true) + inner(false), 9);
}
