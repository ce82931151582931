#[xray::traced(nmae = "price")]
fn unknown() {}

#[xray::traced(name = "a", name = "b", err = true, annotate())]
fn wrong() -> Result<(), std::fmt::Error> {
    Ok(())
}

#[xray::traced(name = "", crate = "not a path", strict)]
fn strings() {}

#[xray::traced(annotate(é = 1))]
fn key() {}

#[xray::traced(err)]
fn nothing() {}

#[xray::traced(err)]
async fn nothing_later() {}

#[xray::traced(err)]
fn never() -> ! {
    std::process::exit(1)
}

#[xray::traced(err)]
async fn some() -> impl Iterator<Item = u32> {
    std::iter::empty()
}

struct Counts;

#[xray::traced(err)]
impl Counts {
    fn count(&self) -> u32 {
        1
    }
}

fn main() {
    unknown();
    let _ = wrong();
    strings();
    key();
    nothing();
    drop((nothing_later(), some(), Counts.count()));
    never();
}
