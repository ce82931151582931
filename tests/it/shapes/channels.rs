//! Channels: their `send(x)` is never traced, and neighbouring HTTP calls are.

use std::sync::mpsc::SyncSender;

use reqwest::Client;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::traced_http;
use crate::shapes::run::{Run, recorded};

#[derive(Debug, PartialEq)]
struct Job(String);

impl From<&str> for Job {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

struct Hub {
    jobs: mpsc::Sender<Job>,
    client: Client,
}

#[traced_http]
async fn tokio_mpsc(client: &Client, url: &str, sender: mpsc::Sender<u16>) -> reqwest::Result<()> {
    let status = client.get(url).send().await?.status().as_u16();
    sender.send(status).await.unwrap();
    Ok(())
}

#[traced_http]
async fn tokio_mpsc_into(hub: &Hub, url: &str) -> Result<(), mpsc::error::SendError<Job>> {
    let text = hub.client.get(url).send().await.unwrap().text().await.unwrap();
    hub.jobs.send(text.as_str().into()).await?;
    hub.jobs.send("last".into()).await
}

/// Only the received value decides the type of the channel.
#[traced_http]
async fn tokio_mpsc_of_the_response(client: &Client, url: &str) -> u64 {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    sender.send(client.get(url).send().await).unwrap();
    let answer: reqwest::Result<reqwest::Response> = receiver.recv().await.unwrap();
    answer.unwrap().content_length().unwrap()
}

/// The future of a call is sent through a channel, and awaited by the receiver.
#[traced_http]
async fn future_through_a_channel(client: &Client, url: &str) -> u16 {
    let (sender, receiver) = oneshot::channel();
    let _ = sender.send(client.get(url).send());
    receiver.await.unwrap().await.unwrap().status().as_u16()
}

#[traced_http]
async fn tokio_oneshot(client: Client, url: String) -> Result<u16, ()> {
    let (sender, receiver) = oneshot::channel();
    let task = tokio::spawn(receiver);
    let status = client.get(url).send().await.map_err(drop)?.status();
    sender.send(status).map_err(drop)?;
    Ok(task.await.unwrap().unwrap().as_u16())
}

#[traced_http]
async fn tokio_broadcast_and_watch(client: &Client, url: &str) -> (usize, u16) {
    let (all, mut listener) = broadcast::channel(1);
    let (state, latest) = watch::channel(0);
    let status = client.head(url).send().await.unwrap().status().as_u16();
    let listeners = all.send(status).unwrap();
    state.send(listener.recv().await.unwrap()).unwrap();
    let last = *latest.borrow();
    (listeners, last)
}

#[traced_http]
async fn std_mpsc(client: &Client, url: &str, done: SyncSender<u16>) {
    let status = client.get(url).send().await.unwrap().status();
    done.send(status.as_u16()).unwrap();
    for number in [1, 2] {
        done.send(number).expect("there is room");
    }
}

#[traced_http]
async fn crossbeam(client: &Client, url: &str) -> Vec<u16> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let response = client.get(url).send().await.unwrap();
    let second = sender.clone();
    std::thread::spawn(move || second.send(response.status().as_u16()).unwrap()).join().unwrap();
    sender.send(1).unwrap();
    drop(sender);
    receiver.iter().collect()
}

/// `send` without arguments on a type that is neither a channel nor a client.
#[traced_http]
async fn permit(sender: &mpsc::Sender<u8>) -> bool {
    struct Permit<'a>(mpsc::Permit<'a, u8>);
    impl Permit<'_> {
        fn send(self) {
            self.0.send(9);
        }
    }
    let permit = Permit(sender.reserve().await.unwrap());
    permit.send();
    Permit(sender.reserve().await.unwrap()).send();
    true
}

#[tokio::test]
async fn channels() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/3"));
    let get = &[recorded("GET /bytes/3")];

    let (sender, mut receiver) = mpsc::channel(1);
    let work = async { tokio_mpsc(client, url, sender).await.is_ok().then_some(receiver.recv().await) };
    run.check_calls("tokio_mpsc", work, Some(Some(200)), get).await;

    let (jobs, mut queue) = mpsc::channel(2);
    let hub = Hub { jobs, client: client.clone() };
    let work = async {
        tokio_mpsc_into(&hub, url).await.unwrap();
        (queue.recv().await.unwrap(), queue.recv().await.unwrap())
    };
    run.check_calls("tokio_mpsc_into", work, ("xxx".into(), "last".into()), get).await;

    run.check_calls("tokio_mpsc_of_the_response", tokio_mpsc_of_the_response(client, url), 3, get).await;
    run.check_calls("future_through_a_channel", future_through_a_channel(client, url), 200, get).await;
    run.check_calls("tokio_oneshot", tokio_oneshot(client.clone(), url.clone()), Ok(200), get).await;
    let work = tokio_broadcast_and_watch(client, url);
    run.check_calls("tokio_broadcast_and_watch", work, (1, 200), &[recorded("HEAD /bytes/3")]).await;

    let (done, statuses) = std::sync::mpsc::sync_channel(3);
    let work = async {
        std_mpsc(client, url, done).await;
        statuses.iter().collect::<Vec<_>>()
    };
    run.check_calls("std_mpsc", work, vec![200, 1, 2], get).await;
    run.check_calls("crossbeam", crossbeam(client, url), vec![200, 1], get).await;

    let (sender, mut receiver) = mpsc::channel(2);
    let work = async { (permit(&sender).await, receiver.recv().await, receiver.recv().await) };
    run.check("permit", work, (true, Some(9), Some(9))).await;
}
