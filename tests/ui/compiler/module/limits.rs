pub fn limit() -> u32 {
    1
}
