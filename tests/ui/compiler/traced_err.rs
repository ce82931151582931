#[xray::traced(err)]
fn count() -> u32 {
    1
}

#[xray::traced(err)]
async fn find(number: u32) -> Option<u32> {
    (number > 1).then_some(number)
}

#[xray::traced(err)]
fn later() -> impl Future<Output = u32> {
    std::future::ready(1)
}

#[xray::traced(err)]
fn boxed() -> std::pin::Pin<Box<dyn Future<Output = String>>> {
    Box::pin(async { String::new() })
}

struct QueryResult;

struct Store;

#[xray::traced(err)]
impl Store {
    fn query(&self) -> QueryResult {
        QueryResult
    }
}

type Outcome = Result<u32, std::num::ParseIntError>;

#[xray::traced(err)]
fn alias(text: &str) -> Outcome {
    text.parse()
}

fn main() {
    drop((count(), find(1), later(), boxed(), Store.query(), alias("1")));
}
