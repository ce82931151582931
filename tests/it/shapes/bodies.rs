//! Method names that many types have (`run`, `call`, `get`), and methods that take a body (`send_json`).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use super::traced_http;
use crate::shapes::run::{Run, recorded};

/// A type of the user's own with these methods: by reference, by exclusive reference and by value.
#[derive(Debug, Default)]
struct Socket {
    sent: Vec<String>,
    count: Cell<u32>,
}

impl Socket {
    fn send_json<T: std::fmt::Debug + ?Sized>(&self, value: &T) -> usize {
        self.count.set(self.count.get() + 1);
        format!("{value:?}").len()
    }

    fn send_form(&mut self, form: Vec<(&str, usize)>) -> &mut Self {
        self.sent.extend(form.into_iter().map(|(key, value)| format!("{key}={value}")));
        self
    }

    fn send_bytes<'a>(&'a self, bytes: &'a [u8]) -> impl Future<Output = usize> + 'a {
        async move { bytes.len() + self.sent.len() }
    }

    fn send_string<S: Into<String>>(self, text: S) -> Vec<String> {
        let mut sent = self.sent;
        sent.push(text.into());
        sent
    }

    fn send_body<T: Default>(&self, make: impl Fn(u32) -> T) -> T {
        make(self.count.get())
    }

    fn send_stream<T>(&self, value: Option<T>) -> Option<T> {
        value
    }

    fn send_empty(&self) -> u32 {
        self.count.get()
    }

    fn len(&self) -> usize {
        self.sent.len()
    }
}

#[traced_http]
fn by_reference(socket: &Socket, own: Socket, text: &str, list: Vec<u32>) -> usize {
    let first = socket.send_json(text) + socket.send_json(&list) + own.send_json(&text) + own.send_json(&own.len());
    let all = || own.send_json(text) + own.send_json(&list[..]) + own.send_json(&list.clone());
    let again = all() + all();
    let nothing = own.send_stream::<u8>(None).is_none() && own.send_stream(Some(1)).is_some();
    first + again + own.send_empty() as usize + usize::from(nothing) + list.len()
}

#[traced_http]
fn exclusively(mut socket: Socket, size: usize) -> (usize, Vec<String>) {
    let form = vec![("a", size)];
    socket.send_form(form).send_form(vec![("b", socket_size(&[1, 2]))]);
    // A two-phase borrow: the argument reads the receiver after the call has borrowed it exclusively.
    socket.send_form(vec![("c", size.max(2))]);
    let taken = &mut socket;
    taken.send_form(Vec::new());
    let other = taken.send_form(vec![("d", 4)]);
    other.sent.push("e".to_owned());
    let length = socket.len();
    (length, socket.send_string("last"))
}

fn socket_size(bytes: &[u8]) -> usize {
    bytes.len()
}

#[traced_http]
async fn borrowed_bytes(socket: Arc<Socket>, bytes: Vec<u8>) -> usize {
    let first = socket.send_bytes(&bytes).await;
    let future = socket.send_bytes(&bytes);
    let encode = |count: u8| vec![count; 3];
    // The result borrows from a temporary, which lives to the end of the statement.
    let second = socket.send_bytes(&encode(1)).await + socket.send_bytes(encode(2).as_slice()).await;
    first + second + future.await
}

#[traced_http]
fn inferred(socket: Socket) -> (u8, String, Vec<i8>) {
    let number = socket.send_body(|count| count as u8);
    let word: String = socket.send_body(|_| Default::default());
    let open = Vec::new();
    let list = socket.send_stream(Some(open)).unwrap();
    let typed: &Vec<i8> = &list;
    (number + typed.len() as u8, word, list.clone())
}

/// A map of clients, and a client with the methods of a map.
#[traced_http]
fn maps(client: &HashMap<u32, String>, clients: &BTreeMap<String, u32>, key: u32, name: &str) -> Option<usize> {
    let found = client.get(&key)?.len();
    let own_client = clients.clone();
    let known = *own_client.get(name)? as usize;
    let list_client = vec![found, known];
    let index = 1;
    let first = list_client.get(index)?;
    let get = |index| list_client.get(index).copied();
    Some(first + get(index)? + get(0)? + list_client.get(..index)?.len())
}

struct Cache<T> {
    client: Vec<T>,
    hits: u32,
}

#[traced_http(crate = "::xray")]
impl<T: Clone + Default> Cache<T> {
    fn find(&mut self, index: usize) -> Option<&mut T> {
        self.hits += u32::from(self.client.get(index).is_some());
        let found = match self.client.get(index) {
            Some(found) => found.clone(),
            None => T::default(),
        };
        self.client.push(found);
        self.client.get_mut(index)
    }

    fn all(&self, indices: &[usize]) -> Vec<&T> {
        indices.iter().filter_map(|&index| self.client.get(index)).collect()
    }
}

/// A cache whose method takes a type.
struct Texts;

impl Texts {
    async fn get<T: std::str::FromStr>(&self, key: String) -> Option<T> {
        key.parse().ok()
    }
}

#[traced_http]
async fn by_type(client: Texts, key: String) -> Option<u32> {
    let first = client.get::<u32>(key.clone()).await?;
    let second = client.get::<u8>(key.repeat(2));
    let third: u32 = client.get(key).await?;
    Some(first + u32::from(second.await?) + third)
}

struct App<'a> {
    name: &'a str,
    steps: RefCell<Vec<u32>>,
}

impl<'a> App<'a> {
    fn run(&self) -> &'a str {
        self.steps.borrow_mut().push(0);
        self.name
    }

    fn call(self: &Rc<Self>) -> usize {
        Rc::strong_count(self)
    }
}

trait Job {
    fn run(&self, step: u32) -> u32;
}

impl Job for App<'_> {
    fn run(&self, step: u32) -> u32 {
        self.steps.borrow_mut().push(step);
        step
    }
}

#[traced_http]
fn jobs<'a>(app: Rc<App<'a>>, jobs: &[Box<dyn Job + 'a>], mut last: impl FnMut() -> Rc<App<'a>>) -> (&'a str, usize) {
    let name = app.run();
    let sum: u32 = jobs.iter().enumerate().map(|(index, job)| job.run(index as u32)).sum();
    let shared = Rc::clone(&app);
    let count = shared.call() + app.call() + last().call();
    let run = move || app.run();
    (if name == run() && run() == last().run() { name } else { "" }, count + sum as usize)
}

/// A lock guard in the same statement, and calls inside a call's arguments.
#[traced_http]
async fn guards(client: &reqwest::Client, url: &str) -> usize {
    let cell = RefCell::new(Socket::default());
    let socket = Socket::default();
    let nested = socket.send_json(&client.get(url).send().await.unwrap().status());
    let value = cell.borrow().send_json(&socket.send_json(&cell.borrow().send_json(&1)));
    drop(cell.borrow_mut());
    nested + value + socket.send_empty() as usize
}

#[tokio::test]
async fn bodies() {
    let run = Run::start(super::IS_TRACED).await;
    let work = async { by_reference(&Socket::default(), Socket::default(), "a", vec![1, 2]) };
    run.check("by_reference", work, (3 + 6 + 3 + 1) + 2 * (3 + 6 + 6) + 8 + 1 + 2).await;
    let sent = ["a=1", "b=2", "c=2", "d=4", "e", "last"].map(str::to_owned).to_vec();
    run.check("exclusively", async { exclusively(Socket::default(), 1) }, (5, sent)).await;
    run.check("borrowed_bytes", borrowed_bytes(Arc::default(), vec![1]), 1 + 3 + 3 + 1).await;
    run.check("inferred", async { inferred(Socket::default()) }, (0, String::new(), Vec::new())).await;

    let (client, clients) = (HashMap::from([(1, "ab".to_owned())]), BTreeMap::from([("n".to_owned(), 5)]));
    run.check("maps", async { maps(&client, &clients, 1, "n") }, Some(5 + 5 + 2 + 1)).await;
    let work = async {
        let mut cache = Cache { client: vec![1_u8, 2], hits: 0 };
        *cache.find(1).unwrap() += 5;
        cache.find(9);
        (cache.all(&[0, 1, 2, 3, 4]).into_iter().copied().collect::<Vec<_>>(), cache.hits)
    };
    run.check("cache", work, (vec![1, 7, 2, 0], 1)).await;
    run.check("by_type", by_type(Texts, "7".to_owned()), Some(7 + 77 + 7)).await;
    let app = || Rc::new(App { name: "app", steps: RefCell::default() });
    let boxed = || Box::new(App { name: "job", steps: RefCell::default() }) as Box<dyn Job>;
    let work = async { jobs(app(), &[boxed(), boxed()], app) };
    run.check("jobs", work, ("app", 2 + 2 + 1 + 1)).await;
    let url = run.url("/bytes/1");
    run.check_calls("guards", guards(&run.client, &url), 3 + 1 + 2, &[recorded("GET /bytes/1")]).await;
}
