#[xray::traced_http]
#[path = "module/limits.rs"]
mod limits;

#[xray::traced]
mod module {
    pub fn limit() -> u32 {
        self::limits::limit()
    }

    mod limits;
}

fn main() {
    assert_eq!(module::limit(), limits::limit());
}
