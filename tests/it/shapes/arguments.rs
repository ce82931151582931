//! Calls whose argument can be a request (`execute(x)`, `call(x)`), and the many calls of that name that take another
//! argument.

use std::cell::RefCell;
use std::future::Future;

use reqwest::{Client, Request};

use super::traced_http;
use crate::shapes::run::{Run, recorded};

/// As in sqlx: the executor is generic over a reference, and the call consumes the query.
struct Query(u32);

trait Executor {
    fn run(self, query: u32) -> u32;
}

struct Pool(u32);

impl Executor for &Pool {
    fn run(self, query: u32) -> u32 {
        self.0 + query
    }
}

struct Connection {
    count: u32,
}

impl Executor for &mut Connection {
    fn run(self, query: u32) -> u32 {
        self.count += query;
        self.count
    }
}

impl Query {
    async fn execute<E: Executor>(self, executor: E) -> Result<u32, ()> {
        Ok(executor.run(self.0))
    }
}

#[traced_http]
async fn sqlx(pool: &Pool, mut transaction: Box<Connection>, pools: Vec<Pool>) -> Result<u32, ()> {
    let mut sum = Query(1).execute(pool).await? + Query(2).execute(&pools[0]).await?;
    sum += Query(3).execute(&mut *transaction).await?;
    let executor = &mut *transaction;
    sum += Query(4).execute(executor).await?;
    for pool in &pools {
        sum += Query(5).execute(pool).await?;
    }
    Ok(sum + transaction.count)
}

/// As in diesel: the argument is an exclusive reference, which is used again afterwards.
trait Run1 {
    fn execute<C>(self, connection: &mut C) -> Result<u32, ()>
    where
        C: AsMut<Connection>;
}

impl AsMut<Connection> for Connection {
    fn as_mut(&mut self) -> &mut Connection {
        self
    }
}

impl Run1 for u32 {
    fn execute<C: AsMut<Connection>>(self, connection: &mut C) -> Result<u32, ()> {
        connection.as_mut().count += self;
        Ok(connection.as_mut().count)
    }
}

#[traced_http]
fn diesel(conn: &mut Connection) -> Result<u32, ()> {
    1.execute(conn)?;
    let second = 2.execute(conn)?;
    let mut again = |number: u32| number.execute(conn);
    again(3)?;
    let third = again(4)?;
    conn.count += 1;
    Ok(second + third + conn.count)
}

/// As in a cache or a calculator: the argument decides a type, or a type decides the argument.
#[derive(Debug, Default, Clone)]
struct Service {
    calls: Vec<u64>,
}

impl Service {
    fn call(&mut self, number: u64) -> usize {
        self.calls.push(number);
        self.calls.len()
    }

    fn len(&self) -> u64 {
        self.calls.len() as u64
    }

    fn request<T: Default>(&self, _name: &str) -> T {
        T::default()
    }

    fn execute<T>(&self, value: T) -> T {
        value
    }

    fn oneshot(self, with: Box<dyn Fn(u64) -> u64>) -> u64 {
        with(self.len())
    }

    fn send_request(&self, numbers: &[u64]) -> u64 {
        numbers.iter().sum()
    }
}

fn make<T: From<u8>>() -> T {
    T::from(7)
}

#[traced_http]
fn inferred(mut service: Service, text: &str) -> Result<(u64, String), std::num::ParseIntError> {
    let id = text.parse()?;
    service.call(id);
    service.call(text.parse()?);
    service.call(make());
    service.call(3_u8.into());
    // A two-phase borrow: the argument reads `service` after the call has borrowed it exclusively.
    service.call(service.len());
    let n: u64 = service.request("name");
    let name = String::from("owned");
    let reference = &name;
    let word: String = service.request(reference);
    let later = service.execute(Vec::new());
    let list: Vec<u8> = later;
    let open = Default::default();
    let settled: i8 = service.execute(open);
    let array = [1, 2];
    let sum = service.send_request(&array) + service.send_request(&service.calls) + list.len() as u64;
    Ok((sum + n + settled as u64 + service.clone().oneshot(Box::new(|length| length + 1)), word))
}

#[traced_http]
fn temporaries(cell: &RefCell<Service>, lock: &std::sync::Mutex<Service>) -> usize {
    let number = 1;
    let first = cell.borrow_mut().call(number);
    let second = lock.lock().unwrap().call(cell.borrow().len());
    let mut total = 0;
    for value in [1, 2, 3] {
        total += match value {
            2 => continue,
            _ => cell.borrow_mut().call(if value == 3 { break } else { value }),
        };
    }
    first + second + total + cell.borrow_mut().call(lock.lock().unwrap().len())
}

#[traced_http]
fn closures_twice(service: &mut Service, numbers: Vec<u64>) -> usize {
    let mut call = |number| service.call(number);
    call(1);
    let sum: usize = numbers.into_iter().map(call).sum();
    sum + service.call(9)
}

#[traced_http]
async fn execute(client: &Client, url: &str) -> reqwest::Result<usize> {
    let request = client.get(url).build()?;
    let length = client.execute(request).await?.bytes().await?.len();
    let one = |request: Request| client.execute(request);
    let both = futures::future::try_join(one(client.put(url).build()?), one(client.post(url).build()?));
    both.await?;
    Ok(length)
}

#[traced_http]
async fn positions(client: Client, url: &str, flag: bool) -> reqwest::Result<u16> {
    let (first, second) = (client.get(url).build()?, client.put(url).build()?);
    let mut future = if flag { client.execute(first) } else { client.execute(second) };
    for _ in 0..2 {
        (&mut future).await?;
        future = client.execute(client.post(url).build()?);
    }
    #[cfg(any())]
    let gone = client.execute(nothing);
    #[allow(unused_variables)]
    let late = async { client.execute(client.head(url).build()?).await };
    late.await?;
    match client.execute(client.patch(url).build()?).await {
        Ok(response) if response.status() == 200 => Ok(response.status().as_u16()),
        other => other.map(|_| 0),
    }
}

#[traced_http]
fn sendable<'a>(client: &'a Client, url: &'a str) -> impl Future<Output = reqwest::Result<u16>> + Send + 'a {
    async move {
        let request = client.get(url).build()?;
        let cell = RefCell::new(Service::default());
        cell.borrow_mut().call(1);
        let response = client.execute(request).await?;
        cell.borrow_mut().call(2);
        Ok(response.status().as_u16())
    }
}

/// An argument behind a dereference is moved, copied or borrowed again as before.
#[traced_http]
async fn moved_out_of_a_box(client: &Client, boxed: Box<Request>, put: Request) -> reqwest::Result<u16> {
    let put = &mut Some(Box::new(put));
    let first = client.execute(*boxed).await?.status().as_u16();
    Ok(first + client.execute(*put.take().unwrap()).await?.status().as_u16())
}

#[traced_http]
async fn behind_a_dereference(pool: &&Pool, mut conn: &mut Connection, number: &u64) -> Result<u32, ()> {
    let conn = &mut conn;
    let first = Query(1).execute(*pool).await? + 2.execute(*conn)? + 3.execute(*conn)?;
    Ok(first + Service::default().call(*number) as u32)
}

#[tokio::test]
async fn arguments() {
    let run = Run::start(super::IS_TRACED).await;
    let transaction = || Box::new(Connection { count: 0 });
    run.check("sqlx", sqlx(&Pool(10), transaction(), vec![Pool(20)]), Ok(11 + 22 + 3 + 7 + 25 + 7)).await;
    run.check("diesel", async { diesel(&mut Connection { count: 0 }) }, Ok(3 + 10 + 11)).await;
    let expected = Ok((3 + (5 + 5 + 7 + 3 + 4) + 6, String::new()));
    run.check("inferred", async { inferred(Service::default(), "5") }, expected).await;
    let work = async { temporaries(&RefCell::default(), &std::sync::Mutex::default()) };
    run.check("temporaries", work, 1 + 1 + 2 + 3).await;
    let work = async { closures_twice(&mut Service::default(), vec![1, 2]) };
    run.check("closures_twice", work, 2 + 3 + 4).await;

    let work = async { behind_a_dereference(&&Pool(10), &mut Connection { count: 0 }, &7).await };
    run.check("behind_a_dereference", work, Ok(11 + 2 + 5 + 1)).await;

    let url = run.url("/bytes/3");
    let request = run.client.get(&url).build().unwrap();
    let put = run.client.put(&url).build().unwrap();
    let work = async { moved_out_of_a_box(&run.client, Box::new(request), put).await.unwrap() };
    run.check_calls("moved_out_of_a_box", work, 400, &["GET /bytes/3", "PUT /bytes/3"].map(recorded)).await;
    let calls = ["GET /bytes/3", "POST /bytes/3", "PUT /bytes/3"].map(recorded);
    run.check_calls("execute", async { execute(&run.client, &url).await.unwrap() }, 3, &calls).await;
    let calls = ["GET /bytes/3", "POST /bytes/3", "HEAD /bytes/3", "PATCH /bytes/3"].map(recorded);
    let work = async { positions(run.client.clone(), &url, true).await.unwrap() };
    run.check_calls("positions", work, 200, &calls).await;
    let work = async { sendable(&run.client, &url).await.unwrap() };
    run.check_calls("sendable", work, 200, &["GET /bytes/3"].map(recorded)).await;
}
