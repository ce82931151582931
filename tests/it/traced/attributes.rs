//! `#[traced]` together with `#[async_trait]` and `#[traced_http]`, in either order.

use std::time::Duration;

use tokio::time::sleep;

use super::errors::Wrong;
use support::Server;
use support::subsegments::{below, messages, seconds, tree};

#[async_trait::async_trait]
trait Work: Sync {
    async fn work(&self, text: &str) -> Result<u32, Wrong>;

    #[xray::traced(name = "provided")]
    async fn provided(&mut self, text: String) -> usize
    where
        Self: Send,
    {
        self.work(&text).await.is_ok().into()
    }
}

struct Above;
struct Below;
struct OnEach;

#[xray::traced(err)]
#[async_trait::async_trait]
impl Work for Above {
    async fn work(&self, text: &str) -> Result<u32, Wrong> {
        sleep(Duration::from_millis(10)).await;
        let number = text.parse().map_err(Wrong)?;
        Ok(number)
    }
}

#[async_trait::async_trait]
#[xray::traced(err)]
impl Work for Below {
    async fn work(&self, text: &str) -> Result<u32, Wrong> {
        sleep(Duration::from_millis(10)).await;
        let number = text.parse().map_err(Wrong)?;
        Ok(number)
    }
}

#[async_trait::async_trait]
impl Work for OnEach {
    #[xray::traced(err, annotate(text = text))]
    async fn work(&self, text: &str) -> Result<u32, Wrong> {
        sleep(Duration::from_millis(10)).await;
        let number = text.parse().map_err(Wrong)?;
        Ok(number)
    }
}

#[tokio::test]
async fn async_trait_above_and_below() {
    let works: [Box<dyn Work + Send>; 3] = [Box::new(Above), Box::new(Below), Box::new(OnEach)];
    for mut work in works {
        let (ok, subsegments) =
            below(async move { work.provided("1".to_owned()).await + work.provided("x".to_owned()).await }).await;
        assert_eq!((ok, tree(&subsegments).as_str()), (1, "provided(work), provided(work!)"));
        assert!(seconds(&subsegments[0].subsegments[0]) >= 0.01);
        assert_eq!(messages(&subsegments[1].subsegments[0])[0], "wrong");
    }
}

#[xray::traced]
#[xray::traced_http(annotate(id = id))]
async fn above(client: &reqwest::Client, url: &str, id: u32) -> reqwest::Result<u16> {
    Ok(client.get(url).send().await?.status().as_u16())
}

#[xray::traced_http(annotate(id = id))]
#[xray::traced(err, annotate(id = id))]
async fn beneath(client: &reqwest::Client, url: &str, id: u32) -> reqwest::Result<u16> {
    let request = client.get(url);
    Ok(request.send().await?.status().as_u16())
}

#[xray::traced]
#[xray::traced_http]
fn future_above(client: &reqwest::Client, url: &str) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
    client.get(url).send()
}

#[xray::traced_http(annotate(id = id))]
#[xray::traced]
fn future_beneath(client: reqwest::Client, url: String, id: u32) -> impl Future<Output = reqwest::Result<u16>> {
    async move { Ok(client.get(url).send().await?.status().as_u16()) }
}

struct Api(reqwest::Client);

#[xray::traced]
#[xray::traced_http]
impl Api {
    async fn first(&self, url: &str) -> reqwest::Result<u16> {
        let status = self.skipped(url).await? + self.plain();
        Ok(status + self.0.get(url).send().await?.status().as_u16())
    }

    #[xray(skip)]
    async fn skipped(&self, url: &str) -> reqwest::Result<u16> {
        Ok(self.0.get(url).send().await?.status().as_u16())
    }

    fn plain(&self) -> u16 {
        self.0.get("no url").build().is_ok().into()
    }
}

struct OtherApi(reqwest::Client);

#[xray::traced_http]
#[xray::traced]
impl OtherApi {
    async fn first(&self, url: &str) -> reqwest::Result<u16> {
        let status = self.skipped(url).await?;
        Ok(status + self.0.get(url).send().await?.status().as_u16())
    }

    #[xray(skip)]
    async fn skipped(&self, url: &str) -> reqwest::Result<u16> {
        Ok(self.0.get(url).send().await?.status().as_u16())
    }
}

#[tokio::test]
async fn both_attributes_in_either_order() {
    let server = Server::start().await;
    let (client, url) = (reqwest::Client::new(), server.url("/bytes/1"));
    let ((), subsegments) = below(async {
        assert_eq!(above(&client, &url, 1).await.unwrap() + beneath(&client, &url, 2).await.unwrap(), 400);
        future_above(&client, &url).await.unwrap();
        future_beneath(client.clone(), url.clone(), 3).await.unwrap();
        assert_eq!(Api(client.clone()).first(&url).await.unwrap(), 400);
        assert_eq!(OtherApi(client.clone()).first(&url).await.unwrap(), 400);
    })
    .await;
    assert_eq!(
        tree(&subsegments).replace("127.0.0.1", "call"),
        "above(call), beneath(call), future_above(call), future_beneath(call), first(plain, call), first(call)"
    );
    assert_eq!(subsegments[0].subsegments[0].annotations["id"], 1.into());
    assert_eq!(subsegments[1].annotations["id"], 2.into());
    let seen = server.take_seen();
    let untraced = seen.iter().filter(|request| request.trace_headers().is_empty()).count();
    assert_eq!((seen.len(), untraced), (8, 2));
    assert_eq!(seen[0].trace_header().parent, Some(subsegments[0].subsegments[0].id));
}
