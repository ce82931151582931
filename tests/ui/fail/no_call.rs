#[xray::traced_http]
async fn nothing_to_trace(sender: tokio::sync::mpsc::Sender<u32>) {
    sender.send(1).await.unwrap();
    println!("{}", 1);
}

fn main() {}
