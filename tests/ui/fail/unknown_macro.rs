//! A function whose only call may be inside a macro that the attribute does not know.

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
    twice!(other.send())
}

fn main() {
    in_a_macro(&Other);
}
