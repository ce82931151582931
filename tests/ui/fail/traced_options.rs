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

fn main() {
    unknown();
    let _ = wrong();
    strings();
    key();
    nothing();
    drop(nothing_later());
}
