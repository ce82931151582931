//! Both attributes on inline modules.

use support::documents::capture;
use support::subsegments::{only_call, status};
use support::{Server, refused_url};
use xray::Instrument as _;

#[xray::traced_http]
mod api {
    type Sent = reqwest::Result<reqwest::Response>;

    pub(super) struct Todos {
        pub(super) client: reqwest::Client,
        pub(super) url: String,
    }

    impl Todos {
        pub(super) async fn all(&self) -> Sent {
            self.client.get(&self.url).send().await
        }

        #[xray::traced_http(name = "own")]
        pub(super) async fn own(&self) -> Sent {
            self.client.get(&self.url).send().await
        }
    }

    pub(super) trait Api {
        fn url(&self) -> &str;

        async fn default_body(&self) -> Sent {
            reqwest::get(self.url()).await
        }
    }

    impl Api for Todos {
        fn url(&self) -> &str {
            &self.url
        }
    }

    pub(super) mod inner {
        use super::{Sent, Todos};

        pub(in super::super) async fn first(todos: &Todos) -> Sent {
            todos.client.get(&todos.url).send().await
        }

        #[xray(skip)]
        pub(in super::super) async fn skipped(todos: &Todos) -> Sent {
            todos.client.get(&todos.url).send().await
        }
    }
}

#[tokio::test]
async fn every_function_of_an_annotated_module_is_traced() {
    use api::Api as _;

    let server = Server::start().await;
    let todos = api::Todos { client: reqwest::Client::new(), url: server.url("/status/404") };
    for (number, name) in ["127.0.0.1", "own", "127.0.0.1", "127.0.0.1"].into_iter().enumerate() {
        let (result, documents) = capture(
            async {
                match number {
                    0 => todos.all().await,
                    1 => todos.own().await,
                    2 => todos.default_body().await,
                    _ => api::inner::first(&todos).await,
                }
            }
            .in_segment("t"),
        )
        .await;
        assert_eq!(result.unwrap().status(), 404);
        let call = only_call(&documents);
        assert_eq!((call.name.as_str(), status(call)), (name, Some(404)));
        assert_eq!(server.take_seen()[0].trace_header().parent, Some(call.id));
    }
    let (_, documents) = capture(api::inner::skipped(&todos).in_segment("t")).await;
    assert!(documents[0].subsegments.is_empty());
}

#[xray::traced(err)]
#[xray::traced_http]
mod measured {
    pub(super) fn double(number: u32) -> u32 {
        number * 2
    }

    pub(super) async fn get(url: &str) -> reqwest::Result<u16> {
        let status = reqwest::get(url).await?.status().as_u16();
        Ok(status)
    }

    #[xray(skip)]
    pub(super) async fn skipped(url: &str) -> bool {
        reqwest::get(url).await.is_ok()
    }
}

#[tokio::test]
async fn both_attributes_on_a_module_record_its_functions_and_their_calls() {
    let url = refused_url();
    let (doubled, documents) = capture(
        async {
            assert!(measured::get(&url).await.is_err() && !measured::skipped(&url).await);
            measured::double(2)
        }
        .in_segment("t"),
    )
    .await;
    assert_eq!(doubled, 4);
    let children = &documents[0].subsegments;
    let names: Vec<_> = children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["get", "double"]);
    assert!(children[0].fault && children[0].cause.is_some());
    assert_eq!(children[0].subsegments[0].name, "127.0.0.1");
}
