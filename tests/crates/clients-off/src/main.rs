//! Must not compile: each function names a client whose feature is off.

#[xray::traced_http]
fn by_function(url: &str) -> Result<(), ureq::Error> {
    ureq::get(url).call().map(drop)
}

#[xray::traced_http]
fn by_type(agent: &ureq::Agent, url: &str) -> bool {
    agent.get(url).call().is_ok()
}

#[xray::traced_http]
fn blocking(url: &str) -> reqwest::Result<u16> {
    Ok(reqwest::blocking::get(url)?.status().as_u16())
}

#[xray::traced_http]
async fn at_once(url: &str) -> reqwest::Result<u16> {
    Ok(reqwest::get(url).await?.status().as_u16())
}

/// The user's own module, which the function declares with `local(..)`.
mod own {
    mod ureq {
        pub fn run(number: u8) -> u8 {
            number
        }

        pub fn send() -> u8 {
            1
        }
    }

    #[xray::traced_http(local(ureq))]
    pub fn run() -> u8 {
        ureq::run(Some(ureq::send()).map_or(0, |number| Box::new(number).run()))
    }

    trait Run {
        fn run(&self) -> u8;
    }

    impl Run for u8 {
        fn run(&self) -> u8 {
            *self
        }
    }
}

fn main() {
    own::run();
}
