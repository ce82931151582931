//! Tasks and threads that a function starts. Their calls are recorded below the function's current subsegment.

use std::future::Future;
use std::thread;

use futures::FutureExt as _;
use reqwest::Client;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, LocalSet};

use super::traced_http;
use crate::shapes::run::{Run, recorded};
use crate::shapes::senders::{Once, Shared};

/// An extension trait like `tracing`'s `Instrument`.
trait Instrument: Sized {
    fn instrument(self, _name: &str) -> Self {
        self
    }
}

impl<T> Instrument for T {}

async fn status(answer: impl Future<Output = reqwest::Result<reqwest::Response>>) -> u16 {
    answer.await.unwrap().status().as_u16()
}

#[traced_http]
async fn tasks(client: &Client, url: &str) -> u16 {
    let first = tokio::spawn({
        let (client, url) = (client.clone(), url.to_owned());
        async move { status(client.get(url).send()).await }
    });
    let (own, path) = (client.clone(), url.to_owned());
    let second = tokio::task::spawn(async move { status(own.put(path).send()).await }.instrument("span"));
    let (own, path) = (client.clone(), url.to_owned());
    let third = Handle::current().spawn(async move { status(own.post(path).send()).await });
    first.await.unwrap() + second.await.unwrap() + third.await.unwrap()
}

#[traced_http]
async fn in_boxes_and_variables(client: &Client, url: &str) -> u16 {
    type Job = std::pin::Pin<Box<dyn Future<Output = u16> + Send>>;

    fn spawn_boxed(job: Job) -> tokio::task::JoinHandle<u16> {
        tokio::spawn(job)
    }

    let (own, path) = (client.clone(), url.to_owned());
    let first = spawn_boxed(Box::pin(async move { status(own.get(path).send()).await }));
    let (own, path) = (client.clone(), url.to_owned());
    let second =
        tokio::spawn(async move { own.put(path).send().await.unwrap() }.map(|answer| answer.status().as_u16()));
    let (own, path) = (client.clone(), url.to_owned());
    let job = async move { status(own.post(path).send()).await };
    let third = tokio::spawn(job);
    let (own, path) = (client.clone(), url.to_owned());
    let job: Job = Box::pin(async move { status(own.delete(path).send()).await });
    let (own, path) = (client.clone(), url.to_owned());
    let limit = std::time::Duration::from_secs(60);
    let fourth = tokio::spawn(tokio::time::timeout(limit, async move { status(own.patch(path).send()).await }));
    let (own, path) = (client.clone(), url.to_owned());
    let boxed: Job = Box::pin(async move { status(own.head(path).send()).await });
    let fifth = tokio::spawn(boxed);
    let sum = first.await.unwrap() + second.await.unwrap() + third.await.unwrap() + job.await;
    sum + fourth.await.unwrap().unwrap() + fifth.await.unwrap()
}

#[traced_http]
async fn sets(client: &Client, urls: &[String]) -> u16 {
    let mut set = JoinSet::new();
    for url in urls {
        let (client, url) = (client.clone(), url.clone());
        set.spawn(async move {
            let response = client.get(url).send().await?;
            Ok::<_, reqwest::Error>(response.status().as_u16())
        });
    }
    let (own, path) = (client.clone(), urls[0].clone());
    set.spawn_on(async move { Ok(status(own.put(path).send()).await) }, &Handle::current());
    let mut sum = 0;
    while let Some(joined) = set.join_next().await {
        sum += joined.unwrap().unwrap();
    }
    sum
}

#[traced_http]
async fn one_thread(client: &Client, url: &str) -> u16 {
    let local = LocalSet::new();
    let (own, path) = (client.clone(), url.to_owned());
    let task = local.spawn_local(async move { status(own.put(path).send()).await });
    local.run_until(async { status(client.get(url).send()).await + task.await.unwrap() }).await
}

#[traced_http]
fn threads(client: &Client, urls: &[String], handle: &Handle) -> u16 {
    thread::scope(|scope| {
        let first = scope.spawn(|| handle.block_on(status(client.get(&urls[0]).send())));
        let second = scope.spawn(|| {
            let request = client.put(&urls[0]);
            handle.block_on(status(request.send()))
        });
        first.join().unwrap() + second.join().unwrap()
    })
}

#[traced_http]
async fn blocking(client: Client, url: String) -> u16 {
    let mut set = JoinSet::new();
    let handle = Handle::current();
    set.spawn_blocking(move || handle.block_on(status(client.get(url).send())));
    set.join_next().await.unwrap().unwrap()
}

/// Functions named `spawn` that start nothing, and closures that run twice or take a parameter.
#[traced_http]
fn others() -> (u32, u32, String, u32) {
    struct Supervisor;
    impl Supervisor {
        fn spawn(&self, mut run: impl FnMut() -> Box<dyn Fn() -> u32>) -> u32 {
            run()() + run()()
        }
    }
    struct Pond(u32);
    impl Pond {
        fn spawn<T>(&self, make: impl FnOnce(u32) -> T) -> T {
            make(self.0)
        }
        fn spawn_twice(&self, count: impl Fn() -> u32 + Clone) -> u32 {
            count() + count.clone()() + self.0
        }
        fn respawn(&self, once: Once) -> String {
            once.send()
        }
    }
    let pond = Pond(3);
    let spawned = pond.spawn(|count| Shared(count).clone().send());
    #[xray(skip)]
    let supervised = Supervisor.spawn(|| {
        let sent = Shared(4).clone().send();
        Box::new(move || sent)
    });
    (spawned, pond.spawn_twice(|| Shared(1).clone().send()), pond.respawn(Once("again".into())), supervised)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let (get, put, post) = (recorded("GET /bytes/1"), recorded("PUT /bytes/1"), recorded("POST /bytes/1"));
    run.check_calls("tasks", tasks(client, url), 600, &[get, put, post]).await;
    let work = in_boxes_and_variables(client, url);
    let further = ["DELETE /bytes/1", "PATCH /bytes/1", "HEAD /bytes/1"].map(recorded);
    run.check_calls("in_boxes_and_variables", work, 1200, &[&[get, put, post][..], &further].concat()).await;
    let urls = [url.clone(), run.url("/bytes/2")];
    run.check_calls("sets", sets(client, &urls), 600, &[get, recorded("GET /bytes/2"), put]).await;
    run.check_calls("one_thread", one_thread(client, url), 400, &[get, put]).await;
    let handle = Handle::current();
    let work = async { tokio::task::block_in_place(|| threads(client, &urls, &handle)) };
    run.check_calls("threads", work, 400, &[get, put]).await;
    run.check_calls("blocking", blocking(client.clone(), url.clone()), 200, &[get]).await;
    run.check("others", async { others() }, (3, 5, "again".to_owned(), 8)).await;
}
