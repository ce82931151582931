struct Courier;

impl Courier {
    fn fire(self) {}

    fn carry(&self, _: u32) {}
}

#[xray::traced_http]
fn marked(courier: Courier) {
    #[xray(trace)]
    courier.carry(1);
    #[xray(trace)]
    courier.fire();
}

#[xray::traced_http(strict)]
fn strict(sender: crossbeam_channel::Sender<u32>, pool: &str) {
    Some(sender).unwrap().send(1).unwrap();
    Database.execute(pool);
}

struct Database;

impl Database {
    fn execute(&self, _: &str) {}
}

fn main() {}
