//! A request that is sent with a body. A value may have any body, a place only one that can be written twice.
#[traced_http]
fn bodies(agent: &Agent, request: RequestBuilder, user: User, list: Vec<u32>) -> Result<(), Error> {
    agent.post("/").send("text")?;
    agent.post("/").send_json(json!({ "user": user }))?;
    request.send_json(&user)?;
    self::next().send_form([("id", list.len())])?;
    other.send_json((user.id, 1, &list))?;
    other.send_json(list.clone())?;
    // Left unchanged. Written twice, a call or macro would be expanded twice, and `None` would have no type in one of
    // the arms. `send` with an argument, on a variable, is a channel's method.
    other.send_json(&make())?;
    other.send_json(json!(1))?;
    other.send_json(None)?;
    other.send("text")?;
    Ok(())
}
