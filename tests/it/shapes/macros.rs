//! Macros around a call, around its receiver and around the whole function.

use reqwest::{Client, RequestBuilder};

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};
use crate::shapes::senders::{Counter, Shared};

macro_rules! send {
    ($receiver:expr) => {
        $receiver.send()
    };
}

macro_rules! send_variable {
    ($receiver:ident) => {
        $receiver.send()
    };
}

macro_rules! shared {
    ($number:expr) => {
        Shared($number)
    };
}

/// The attribute does not look into a macro that it does not know, so calls in it are not traced. Other calls are.
#[traced_http]
async fn unknown_macros(client: &Client, url: &str) -> (u16, u16, u32) {
    let request = client.post(url);
    let (shared, mut counter) = (Shared(1), Counter::default());
    let own = send!(shared) + send_variable!(counter) + shared!(3).send() + send!(shared!(4));
    let hidden = send!(client.put(url)).await.unwrap().status();
    let variable = send_variable!(request).await.unwrap().status();
    let seen = client.get(url).send().await.unwrap().status();
    (hidden.as_u16() + variable.as_u16(), seen.as_u16(), own)
}

/// Functions that a macro defines. The receiver is in a group with invisible delimiters.
macro_rules! functions {
    ($($name:ident($client:ident, $url:ident) = $receiver:expr, $variable:ident, $method:ident;)*) => {$(
        #[traced_http]
        async fn $name($client: &Client, $url: &str) -> u16 {
            let $variable = $client.head($url);
            let first = $receiver.send().await.unwrap().status().as_u16();
            let pair = ($variable, 1);
            let $variable = pair.0;
            first + $variable.$method().await.unwrap().status().as_u16() + pair.1
        }
    )*};
}

functions! {
    made_by_a_macro(client, url) = client.get(url), request, send;
    made_with_parentheses(client, url) = (client.get(url).header("a", "b")), builder, send;
}

macro_rules! own_functions {
    ($name:ident, $shared:ident, $place:expr, $sum:expr) => {
        #[traced_http]
        fn $name($shared: (Shared, u8)) -> u32 {
            $place.send() + $shared.0.send() + $sum.send()
        }
    };
}

own_functions!(own_by_a_macro, pair, pair.0, Shared(pair.0.0 + 1));

macro_rules! calculations {
    ($name:ident, $sum:expr, $negative:expr, $either:expr, $function:expr, $range:expr, $structure:expr, $ty:ty, $block:block) => {
        #[traced_http]
        fn $name(shared: &Shared) -> (u32, i32, bool, u32, bool, u32) {
            let _: Option<&$ty> = None;
            $block
            assert_eq!((format!("{}", $sum * 2), vec![$sum * 2; $sum * 1]), ("6".to_owned(), vec![6; 3]));
            assert!($sum * 2 == 6, "{}", $sum * 2);
            assert!($sum * 2 == 6 && !matches!($either && false, true));
            let field = match $structure {
                7 => 1,
                _ => 0,
            };
            (shared.send() + $sum * 2, $negative.abs(), !$either && true, $function(2), $range.contains(&2), field)
        }
    };
}

calculations!(
    precedence,
    1 + 2,
    -5i32,
    true || false,
    |number: u32| number + 1,
    0..3,
    (Shared { 0: 7 }).0,
    dyn std::fmt::Debug + Send,
    {
        assert_eq!(1 + 1, 2);
    }
);

/// A macro that takes the parts of a function as fragments of every kind.
macro_rules! wrapped {
    ($(#[$meta:meta])* $visibility:vis async fn $name:ident($($parameter:ident: $type:ty),*) -> $result:ty $body:block) => {
        $(#[$meta])*
        #[traced_http]
        $visibility async fn $name($($parameter: $type),*) -> $result $body
    };
    ($name:ident<$lifetime:lifetime>($client:pat, $url:pat) { $($statement:stmt;)* } $tail:expr) => {
        // A statement of `macro_rules!` has its own semicolon.
        #[allow(redundant_semicolons)]
        #[traced_http]
        async fn $name<$lifetime>($client: &$lifetime Client, $url: &$lifetime str) -> u16 {
            $($statement;)*
            $tail
        }
    };
    ($item:item) => {
        #[traced_http]
        $item
    };
}

wrapped! {
    /// A function with a doc comment.
    #[inline]
    pub(crate) async fn with_a_block(client: &Client, url: &str) -> u16 {
        let request = client.put(url);
        let first = client.get(url).send().await.unwrap().status().as_u16();
        first + request.send().await.unwrap().status().as_u16()
    }
}

wrapped! {
    fn as_an_item(client: &Client, url: &str) -> impl std::future::Future<Output = u16> + use<> {
        let (first, second) = (client.put(url), client.get(url).send());
        async move { first.send().await.unwrap().status().as_u16() + second.await.unwrap().status().as_u16() }
    }
}

wrapped! {
    in_statements<'a>(client, url) {
        let request = client.put(url);
        let first = request.send().await.unwrap().status().as_u16();
    }
    first + client.execute(client.get(url).build().unwrap()).await.unwrap().status().as_u16()
}

/// A macro with a variable of the same name as one in the attribute's output.
#[traced_http]
async fn hygiene(client: &Client, url: &str) -> u16 {
    macro_rules! request {
        ($client:expr, $url:expr) => {{
            let request = $client.get($url);
            request
        }};
    }
    let request = client.post(url);
    let other: RequestBuilder = request!(client, url);
    let first = other.send().await.unwrap().status().as_u16();
    let __xray_receiver = request;
    first + __xray_receiver.send().await.unwrap().status().as_u16()
}

/// Macros of the standard library and of tokio. Calls in their arguments are traced.
#[traced_http]
async fn known_macros(client: &Client, url: &str, shared: Shared) -> (String, usize) {
    let text = format!("{} {number}", shared.send(), number = shared.clone().send());
    assert_eq!(shared.send(), 2, "{}", shared.send());
    assert!(shared.send() == 2 && matches!(shared.send(), 2));
    let list = vec![shared.send(), shared.clone().send()];
    let repeated = vec![shared.send(); 3];
    let (first, second) = tokio::join!(client.get(url).send(), client.post(url).send());
    let both = futures::try_join!(client.put(url).send(), async { client.delete(url).send().await });
    (text, list.len() + repeated.len() + [first, second].iter().flatten().count() + both.map_or(0, |_| 2))
}

/// Futures of one type, created inside and outside `vec!`.
#[traced_http]
async fn a_list_of_futures(client: &Client, url: &str) -> usize {
    let mut calls = vec![client.get(url).send(), client.post(url).send()];
    calls.push(client.put(url).send());
    futures::future::try_join_all(calls).await.unwrap().len()
}

/// Macros that pin futures.
#[traced_http]
async fn pinned(client: &Client, url: &str) -> u16 {
    let request = || client.post(url).build().unwrap();
    let first = std::pin::pin!(client.get(url).send());
    tokio::pin! {
        let second = client.put(url).send();
        let third = client.execute(request());
    }
    let fourth = client.execute(request());
    tokio::pin!(fourth);
    let fifth = std::pin::pin!(client.execute(request()));
    let mut sum = first.await.unwrap().status().as_u16();
    tokio::select! {
        biased;
        answer = &mut fourth => sum += answer.unwrap().status().as_u16(),
        answer = &mut third => sum += answer.unwrap().status().as_u16(),
    }
    sum + second.await.unwrap().status().as_u16()
        + third.await.unwrap().status().as_u16()
        + fifth.await.unwrap().status().as_u16()
}

/// The bodies of streams, and values in JSON.
#[traced_http]
async fn streams_and_json(client: &Client, url: &str, fail: bool) -> (u16, usize, String) {
    use futures::{StreamExt as _, TryStreamExt as _};
    let statuses = async_stream::stream! {
        for method in ["GET", "PUT"] {
            let request = client.request(method.parse().unwrap(), url).build().unwrap();
            yield client.execute(request).await.unwrap().status().as_u16();
        }
        for await method in futures::stream::iter(["POST"]) {
            yield client.request(method.parse().unwrap(), url).send().await.unwrap().status().as_u16();
        }
    };
    let texts = async_stream::try_stream! {
        let response = client.head(url).send().await?;
        yield response.status().to_string();
        if fail {
            client.get("no url").send().await?;
        }
        let request = client.delete(url);
        yield request.send().await?.status().to_string();
    };
    let sum = statuses.fold(0, async |sum, status| sum + status).await;
    let texts: reqwest::Result<Vec<_>> = texts.try_collect().await;
    let json = serde_json::json!({
        "status": client.get(url).send().await.unwrap().status().as_u16(),
        "list": [client.patch(url).send().await.unwrap().status().as_u16(), null, { "deep": url.len() }],
        (format!("key {}", 1)): url.is_empty(),
    });
    (sum, texts.map_or(0, |texts| texts.len()), json["status"].to_string() + &json["list"][0].to_string())
}

macro_rules! retry {
    ($times:expr, $work:expr) => {{
        let mut result = $work;
        for _ in 1..$times {
            result = $work;
        }
        result
    }};
}

macro_rules! in_order {
    ($($token:tt)*) => {
        $($token)*
    };
}

/// Unknown macros whose arguments are marked as expressions or statements.
#[traced_http]
async fn marked(client: &Client, url: &str) -> u16 {
    let first = #[xray(trace)]
    retry!(2, client.get(url).send().await);
    #[xray(trace)]
    in_order! {
        let second = client.put(url).send().await.unwrap();
        let third = second.status().as_u16();
    }
    first.unwrap().status().as_u16() + third
}

#[tokio::test]
async fn macros() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let (get, post) = (recorded("GET /bytes/1"), recorded("POST /bytes/1"));
    let calls = [unrecorded("PUT /bytes/1"), unrecorded("POST /bytes/1"), get];
    run.check_calls("unknown_macros", unknown_macros(client, url), (400, 200, 9), &calls).await;
    let calls = [get, recorded("HEAD /bytes/1")];
    run.check_calls("made_by_a_macro", made_by_a_macro(client, url), 401, &calls).await;
    run.check_calls("made_with_parentheses", made_with_parentheses(client, url), 401, &calls).await;
    run.check("precedence", async { precedence(&Shared(1)) }, (7, 5, false, 3, true, 1)).await;
    run.check("own_by_a_macro", async { own_by_a_macro((Shared(1), 0)) }, 4).await;
    let calls = [get, recorded("PUT /bytes/1")];
    run.check_calls("with_a_block", with_a_block(client, url), 400, &calls).await;
    run.check_calls("as_an_item", as_an_item(client, url), 400, &calls).await;
    run.check_calls("in_statements", in_statements(client, url), 400, &calls).await;
    run.check_calls("hygiene", hygiene(client, url), 400, &[get, post]).await;
    let calls = [get, post, recorded("PUT /bytes/1"), recorded("DELETE /bytes/1")];
    let work = known_macros(client, url, Shared(2));
    run.check_calls("known_macros", work, ("2 2".to_owned(), 9), &calls).await;
    run.check_calls("a_list_of_futures", a_list_of_futures(client, url), 3, &calls[..3]).await;
    let put = recorded("PUT /bytes/1");
    run.check_calls("pinned", pinned(client, url), 1000, &[get, put, post, post, post]).await;
    let (head, delete, patch) = (recorded("HEAD /bytes/1"), recorded("DELETE /bytes/1"), recorded("PATCH /bytes/1"));
    let work = streams_and_json(client, url, false);
    let expected = (600, 2, "200200".to_owned());
    run.check_calls("streams_and_json", work, expected, &[get, put, post, head, delete, get, patch]).await;
    run.check_calls("marked", marked(client, url), 400, &[get, get, put]).await;
}
