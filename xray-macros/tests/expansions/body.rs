//! A receiver with a body to send: on a value with any body, on a place only with one that may stand twice.
#[traced_http]
fn bodies(agent: &Agent, request: RequestBuilder, user: User, list: Vec<u32>) -> Result<(), Error> {
    agent.post("/").send("text")?;
    agent.post("/").send_json(json!({ "user": user }))?;
    request.send_json(&user)?;
    self::next().send_form([("id", list.len())])?;
    other.send_json((user.id, 1, &list))?;
    // Left alone: in two arms these would mean something else, or have no type in one of them.
    other.send_json(list.clone())?;
    other.send_json(&make())?;
    other.send_json(json!(1))?;
    other.send_json(None)?;
    other.send("text")?;
    Ok(())
}
