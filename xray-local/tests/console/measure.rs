//! Times of pages in the browser. They are printed. They depend on the machine and the build, so they are asserted only
//! if the environment variable `XRAY_SPEED_BOUNDS` is set. `xray-local/benches/pages` sets it, for a release build.

use crate::browser::Page;

/// The longest time from a request to the first text on the screen, in milliseconds.
pub(crate) const FIRST_PAINT: f64 = 300.0;
/// The longest time from an input to its effect, in milliseconds.
pub(crate) const INTERACTION: f64 = 50.0;

/// Prints times in milliseconds. Asserts that the shortest is within the bound if the environment asks for it: another
/// process may have delayed the others.
pub(crate) fn report(what: &str, times: &[f64], bound: f64) {
    println!("{what}: {times:.0?} ms (at most {bound} ms in a release build)");
    let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let is_asserted = std::env::var_os("XRAY_SPEED_BOUNDS").is_some();
    assert!(!is_asserted || shortest <= bound, "{what}: {shortest} ms, more than {bound} ms");
}

/// Loads a page three times, and reports the times until its first text was painted.
pub(crate) async fn report_first_paint(page: &Page, path: &str, what: &str, bound: f64) {
    let mut times = Vec::new();
    for _ in 0..3 {
        page.visit(path).await;
        page.until("return performance.getEntriesByName('first-contentful-paint').length > 0;").await;
        let paint = "return performance.getEntriesByName('first-contentful-paint')[0].startTime;";
        times.push(page.evaluate::<f64>(paint).await);
        println!("{what}: {}", received(page).await);
    }
    report(&format!("{what}, first paint"), &times, bound);
}

/// Returns how large the page is and how long the server took for it.
pub(crate) async fn received(page: &Page) -> String {
    let navigation = "const {responseEnd, decodedBodySize} = performance.getEntriesByType('navigation')[0];
        return `received ${decodedBodySize} bytes after ${Math.round(responseEnd)} ms`;";
    page.evaluate(navigation).await
}
