//! Functions that make the request themselves (`reqwest::get(url)`), and functions that take it (`ureq::run(request)`).
#[traced_http]
async fn functions(url: &str, request: Request<()>) -> reqwest::Result<()> {
    reqwest::get(url).await?;
    reqwest::blocking::get::<&str>(url)?;
    ureq::run(request)?;
    // Left unchanged: paths that do not begin with the name of a client's crate.
    self::reqwest::get(url);
    get(url);
    Ok(())
}

#[traced_http(local(reqwest))]
async fn own_module(url: &str) {
    reqwest::get(url).send();
}
