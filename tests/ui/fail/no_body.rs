trait Api {
    #[xray::traced_http]
    fn call(&self) -> u32;
}

fn main() {}
