//! Takes the screenshots of the console. Run `xray-local/screenshots/make`.

use std::path::Path;

use crate::browser::{Page, in_browser};
use crate::shop;

#[tokio::test]
#[ignore = "overwrites the screenshots in the repository"]
async fn screenshots_are_taken() {
    in_browser(async |page| {
        shop::traffic(&page.server, 120);
        page.set_screen(1_280, 760, false).await;
        page.visit("/").await;
        take(page, "list").await;

        page.open_first_trace("fault").await;
        let payment = "[...document.querySelectorAll('.rows .subsegment a')]
            .find((row) => row.querySelector('b').textContent === 'POST /v2/charges').click();";
        page.script(payment).await;
        page.find("aside .segment-card").await;
        take(page, "timeline").await;

        page.set_screen(1_280, 960, false).await;
        page.visit("/map").await;
        take(page, "map").await;
    })
    .await;
}

/// The documents come from `tests/neighbour/opentelemetry.rs`.
#[tokio::test]
#[ignore = "overwrites a screenshot in the repository"]
async fn a_screenshot_of_three_sdks_is_taken() {
    let documents = std::env::var_os("XRAY_THREE_SDKS").expect("`xray-local/screenshots/make` sets XRAY_THREE_SDKS");
    in_browser(async |page| {
        assert!(page.server.replay(&documents).unwrap().taken > 0);
        page.set_screen(1_280, 480, false).await;
        page.open_first_trace("").await;
        take(page, "three-sdks").await;
    })
    .await;
}

async fn take(page: &Page, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots").join(name).with_extension("png");
    std::fs::write(path, page.client.screenshot().await.unwrap()).unwrap();
}
