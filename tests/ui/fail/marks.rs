struct Courier;

impl Courier {
    fn carry(&self, number: u32) -> u32 {
        number
    }
}

#[xray::traced_http]
fn not_on_a_call(courier: &Courier) -> u32 {
    #[xray(trace)]
    let sum = 1 + 2;
    #[xray(trace = 1)]
    courier.carry(sum);
    #[xray(trace)]
    unknown!(match { => });
    sum
}

fn main() {}
