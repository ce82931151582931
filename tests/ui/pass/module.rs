//! An annotated module: functions without a call, other items and macros in it stay as they were.

use api::Service as _;

#[xray::traced_http]
mod api {
    macro_rules! make {
        ($name:ident) => {
            pub fn $name() -> u32 {
                7
            }
        };
    }

    make!(made);

    pub const LIMIT: u32 = limit();

    const fn limit() -> u32 {
        1
    }

    pub trait Service {
        fn url(&self) -> String;

        fn blocking(&self) -> Result<reqwest::blocking::Response, reqwest::Error> {
            reqwest::blocking::get(self.url())
        }
    }

    pub struct Todos(pub reqwest::Client);

    impl Todos {
        pub async fn all(&self) -> reqwest::Result<reqwest::Response> {
            self.0.get("no url").send().await
        }

        #[xray::traced_http(name = "one")]
        pub async fn one(&self) -> reqwest::Result<reqwest::Response> {
            self.0.get("no url").send().await
        }
    }

    #[xray::traced]
    impl Service for Todos {
        fn url(&self) -> String {
            "no url".to_owned()
        }

        #[xray(skip)]
        fn blocking(&self) -> Result<reqwest::blocking::Response, reqwest::Error> {
            reqwest::blocking::get(self.url())
        }
    }

    pub mod inner {
        #[xray(skip)]
        pub async fn skipped(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
            client.get("no url").send().await
        }

        #[xray(skip)]
        pub mod left {
            pub fn call() -> u32 {
                1
            }
        }
    }
}

#[xray::traced(err)]
mod prices {
    pub fn count() -> u32 {
        1
    }

    pub fn total(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let todos = api::Todos(reqwest::Client::new());
    runtime.block_on(async {
        assert!(todos.all().await.is_err() && todos.one().await.is_err());
        assert!(api::inner::skipped(&todos.0).await.is_err());
    });
    assert!(todos.blocking().is_err());
    assert_eq!((api::made(), api::LIMIT, api::inner::left::call(), prices::count()), (7, 1, 1, 1));
    assert_eq!(prices::total("2"), Ok(2));
}
