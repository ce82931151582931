//! An annotated `unsafe fn` stays unsafe, async or not, and keeps its ABI.

#[xray::traced]
unsafe fn read(number: *const u32) -> u32 {
    unsafe { *number }
}

#[xray::traced(annotate(number = number.is_null()))]
async unsafe fn read_later(number: *const u32) -> u32 {
    unsafe { read(number) }
}

#[xray::traced]
extern "C" fn add(first: u32, second: u32) -> u32 {
    first + second
}

macro_rules! make {
    ($name:ident, $argument:ident, $body:expr) => {
        #[xray::traced(err)]
        fn $name($argument: u32) -> Result<u32, String> {
            let made: u32 = Err("made")?;
            Ok($body + made)
        }
    };
}

make!(made, number, number + 1);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(unsafe { read(&1) } + runtime.block_on(unsafe { read_later(&2) }), add(1, 2));
    assert_eq!(made(1), Err("made".to_owned()));
}
