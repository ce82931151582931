//! Calls that the user requires to be traced: calls marked with `#[xray(trace)]`, and all calls of a `strict` function.
#[traced_http]
async fn marked(courier: &Courier, parcel: Parcel) -> Result<(), Error> {
    #[xray(trace)]
    parcel.ship().await?;
    let answer = #[xray(trace, name = "courier")]
    courier.carry(parcel, 1).await?;
    #[xray(trace)]
    let answer = courier::carry(parcel)?;
    #[xray(trace)]
    retry!(client.get(url).send(), 3);
    Ok(())
}

#[traced_http(strict, skip_hosts("*.local"))]
async fn strict(request: RequestBuilder, client: &Client) -> Result<(), Error> {
    request.send().await?;
    client.execute(request.build()?).await?;
    Ok(())
}
