//! A call inside an unknown macro is left alone, without an error if the function has another call.

macro_rules! twice {
    ($call:expr) => {{
        $call;
        $call
    }};
}

struct Other;

impl Other {
    fn send(&self) -> u32 {
        7
    }
}

#[xray::traced_http]
fn in_a_macro(other: &Other) -> u32 {
    other.send() + twice!(other.send())
}

fn main() {
    assert_eq!(in_a_macro(&Other), 14);
}
