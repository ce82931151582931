#[xray::traced_http]
mod no_call {
    pub const LIMIT: u32 = 1;

    pub fn limit() -> u32 {
        println!("{LIMIT}");
        LIMIT
    }
}

#[xray::traced]
mod no_function {
    pub const LIMIT: u32 = 1;
}

#[xray::traced_http]
mod options {
    #[xray(name = "other")]
    pub async fn named(client: &reqwest::Client) {
        client.get("").send().await.unwrap();
    }

    pub mod inner {
        pub async fn wrong(client: &reqwest::Client) {
            #[xray(skip = true)]
            client.get("").send().await.unwrap();
        }
    }
}

#[xray::traced(err)]
mod no_result {
    pub fn count() -> u32 {
        1
    }
}

fn main() {
    let client = reqwest::Client::new();
    drop((no_call::limit(), no_function::LIMIT, options::named(&client), options::inner::wrong(&client)));
    no_result::count();
}
