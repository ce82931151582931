//! A module of an ordinary service: what a crate consists of besides its calls. `compile_time.py` puts a call in.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub id: u64,
    pub customer: String,
    pub state: State,
    pub lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub article: String,
    pub quantity: u32,
    pub cents: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Paid,
    Shipped { parcels: u8 },
    Cancelled,
}

#[derive(Debug)]
pub enum Error {
    Client(reqwest::Error),
    Body(serde_json::Error),
    Rejected { status: u16, message: String },
    Empty,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => write!(formatter, "the stock service does not answer: {error}"),
            Self::Body(error) => write!(formatter, "the stock service answers nonsense: {error}"),
            Self::Rejected { status, message } => write!(formatter, "the stock service says {status}: {message}"),
            Self::Empty => formatter.write_str("an order without lines"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => Some(error),
            Self::Body(error) => Some(error),
            Self::Rejected { .. } | Self::Empty => None,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Client(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Body(error)
    }
}

/// Where orders are kept.
pub trait Repository {
    fn find(&self, id: u64) -> Option<&Order>;
    fn save(&mut self, order: Order) -> Option<Order>;
}

#[derive(Debug, Default)]
pub struct InMemory(BTreeMap<u64, Order>);

impl Repository for InMemory {
    fn find(&self, id: u64) -> Option<&Order> {
        self.0.get(&id)
    }

    fn save(&mut self, order: Order) -> Option<Order> {
        self.0.insert(order.id, order)
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<usize>,
}

impl<T: Clone> Page<T> {
    pub fn of(all: &[T], start: usize, length: usize) -> Self {
        let end = all.len().min(start.saturating_add(length));
        let items = all.get(start..end).unwrap_or_default().to_vec();
        Self { items, next: (end < all.len()).then_some(end) }
    }

    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

impl Order {
    pub fn total(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity) * line.cents).sum()
    }

    pub fn check(&self) -> Result<(), Error> {
        if self.lines.is_empty() {
            return Err(Error::Empty);
        }
        match self.lines.iter().find(|line| line.quantity == 0) {
            Some(line) => Err(Error::Rejected { status: 422, message: format!("no {} ordered", line.article) }),
            None => Ok(()),
        }
    }
}

pub fn totals<'a>(orders: impl IntoIterator<Item = &'a Order>) -> BTreeMap<&'a str, u64> {
    let mut totals = BTreeMap::new();
    for order in orders.into_iter().filter(|order| order.state != State::Cancelled) {
        *totals.entry(order.customer.as_str()).or_default() += order.total();
    }
    totals
}

pub fn pay<R: Repository>(repository: &mut R, id: u64) -> Result<String, Error> {
    let mut order = repository.find(id).cloned().ok_or(Error::Empty)?;
    order.check()?;
    order.state = match order.state {
        State::Open => State::Paid,
        other => return Err(Error::Rejected { status: 409, message: format!("it is {other:?}") }),
    };
    let text = serde_json::to_string(&order)?;
    repository.save(order);
    Ok(text)
}

#[xray::traced_http]
pub async fn reserve(client: &reqwest::Client, base: &str, order: &Order) -> Result<Page<Line>, Error> {
    order.check()?;
    let url = format!("{base}/orders/{}/reservation", order.id);
    let response = todo!("the call");
    let status = response.status().as_u16();
    let text = response.text().await?;
    if status >= 400 {
        log::warn!("order {} of {} cents: {status}", order.id, order.total());
        return Err(Error::Rejected { status, message: text });
    }
    let lines: Vec<Line> = serde_json::from_str(&text)?;
    Ok(Page::of(&lines, 0, 20))
}
