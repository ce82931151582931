#[xray::traced_http]
async fn nothing_to_trace(sender: tokio::sync::mpsc::Sender<u32>) {
    sender.send(1).await.unwrap();
    println!("{}", 1);
}

#[xray::traced_http]
async fn not_named_like_a_client(http: &std::collections::HashMap<u32, u32>, uri: &u32) -> Option<u32> {
    http.get(uri).copied()
}

fn main() {}
