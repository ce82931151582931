//! The pictures of the console; `xray-local/screenshots/make` takes them anew.

use std::path::Path;

use crate::browser::{Page, in_browser};
use crate::shop;

#[tokio::test]
#[ignore = "writes files"]
async fn are_taken() {
    in_browser(async |page| {
        shop::traffic(&page.server, 120);
        page.set_screen(1_280, 760, false).await;
        page.visit("/").await;
        take(page, "list").await;

        page.visit("/?filter=fault").await;
        page.find(".traces .what a").await.click().await.unwrap();
        page.find(".rows").await;
        let payment = "[...document.querySelectorAll('.rows .part a')]
            .find((row) => row.querySelector('b').textContent === 'api.cardpay.example').click();";
        page.script(payment).await;
        page.find("aside .segment-card").await;
        take(page, "timeline").await;

        page.set_screen(1_280, 960, false).await;
        page.visit("/map").await;
        take(page, "map").await;
    })
    .await;
}

async fn take(page: &Page, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots").join(name).with_extension("png");
    std::fs::write(path, page.client.screenshot().await.unwrap()).unwrap();
}
