#[xray::traced]
const fn constant() -> u32 {
    1
}

trait Service {
    #[xray::traced]
    fn no_body(&self);
}

#[xray::traced]
struct Price(u32);

struct Empty;

#[xray::traced]
impl Empty {
    const LIMIT: u32 = 1;
}

struct Named;

#[xray::traced]
impl Named {
    #[xray(name = "other")]
    fn named(&self) {}

    #[xray(skip = true)]
    fn wrong(&self) {}
}

impl Service for Empty {
    fn no_body(&self) {}
}

fn main() {
    let price = Price(constant() + Empty::LIMIT);
    drop(price.0);
    Empty.no_body();
    Named.named();
    Named.wrong();
}
