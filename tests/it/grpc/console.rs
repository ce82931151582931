//! Failing calls in the console of `xray-local`.

use std::time::Duration;

use support::Always;
use xray::{Instrument as _, Recorder, Segment};
use xray_local::Server;

use super::service::{Served, request};

/// The start of the message of the failing calls.
const MESSAGE_START: &str = "gr\u{fc}\u{df} 100%";

async fn page(local: &Server, path: &str) -> String {
    reqwest::get(format!("http://{}{path}", local.http_address())).await.unwrap().text().await.unwrap()
}

/// Waits until a page contains a text `count` times, and returns the page.
async fn until(local: &Server, path: &str, text: &str, count: usize) -> String {
    for _ in 0..6_000 {
        let page = page(local, path).await;
        if page.matches(text).count() == count {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{count} times {text} in {}", page(local, path).await)
}

#[tokio::test]
async fn a_failing_call_is_red_in_the_list_on_the_map_and_on_the_timeline() {
    let local = Server::builder().address("127.0.0.1:0").start().unwrap();
    let daemon = local.http_address().to_string();
    let recorder = Recorder::builder().sampler(Always).daemon_address(daemon).build();
    let served = Served::recording_to(&recorder);
    let mut client = served.client().await;

    // The client has no segment, so the trace begins at the service, and is one row of the list.
    client.greet(request(0, 0)).await.unwrap();
    client.greet(request(13, 0)).await.unwrap_err();
    let list = until(&local, "/", "<tr", 3).await;
    assert_eq!(list.matches("<tr data-failed").count(), 1, "{list}");
    assert_eq!(list.matches("class=\"status fault\"").count(), 1, "{list}");

    let segment = Segment::builder("reception").recorder(&recorder).begin();
    let trace = format!("/traces/{}", segment.trace_id().unwrap());
    let work = async { client.greet_many(request(13, 2)).await.unwrap().into_inner() };
    let mut replies = work.in_segment(segment).await;
    while let Ok(Some(_)) = replies.message().await {}
    drop(replies);
    // The call and the service each have a bar. The documents of the two may arrive one after the other.
    let timeline = until(&local, &trace, "<rect class=\"fault\"", 2).await;
    let links = timeline.split("href=\"").filter(|link| link.starts_with(&format!("{trace}/segment?id=")));
    let mut details = Vec::new();
    for link in links {
        details.push(page(&local, link.split('"').next().unwrap()).await);
    }
    let failed = details.iter().filter(|details| details.contains("INTERNAL") && details.contains(MESSAGE_START));
    assert_eq!(failed.count(), 2, "{details:#?}");

    // The map has an edge from the clients outside any trace, and an edge from the reception.
    // The page has the map twice: for wide windows and for narrow windows.
    let map = until(&local, "/map", "class=\"edge faulty\"", 4).await;
    assert!(map.contains("class=\"share fault\""), "{map}");
}
