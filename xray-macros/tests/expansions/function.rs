//! A function that makes the request itself, and a function that takes the request.
#[traced_http]
async fn functions(url: &str, request: Request<()>) -> reqwest::Result<()> {
    reqwest::get(url).await?;
    reqwest::blocking::get::<&str>(url)?;
    ureq::run(request)?;
    // Left alone: other paths.
    self::reqwest::get(url);
    get(url);
    Ok(())
}

#[traced_http(local(reqwest))]
async fn own_module(url: &str) {
    reqwest::get(url).send();
}
