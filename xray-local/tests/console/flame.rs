//! The flame graph of a trace.

use crate::browser::in_browser;
use crate::shop;

// A key in the encoding of the WebDriver standard.
const ENTER: &str = "\u{e007}";

#[tokio::test]
async fn a_box_lies_below_its_caller_and_leads_to_its_row() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        page.click_link("Flame graph").await;
        page.find(".flame a").await;
        let names = "return [...document.querySelectorAll('.flame text')].map((text) => text.textContent.split(' · ')[0]).sort();";
        let names: Vec<String> = page.evaluate(names).await;
        let expected = [
            "POST /orders",
            "POST /reservations",
            "POST /v2/charges",
            "UPDATE stock SET reserved = reserved + ? WHERE product = ? AND available >= ?",
            "checkout",
            "inventory",
            "release reservation",
            "storefront",
            "validate cart",
        ];
        assert_eq!(names, expected);
        let is_nested = "const boxes = [...document.querySelectorAll('.flame rect')].map((rect) => rect.getBoundingClientRect());
            const whole = document.querySelector('.flame > svg').getBoundingClientRect();
            return Math.abs(boxes[0].width - whole.width) < 2 && boxes.slice(1).every((box) =>
                boxes.some((outer) => outer.bottom <= box.top + 1 && box.top - outer.bottom < 4
                    && outer.left - 1 <= box.left && box.right <= outer.right + 1));";
        assert_eq!(page.script(is_nested).await, true);

        page.script("[...document.querySelectorAll('.flame a')].find((box) => box.textContent.includes('/v2/charges')).focus();")
            .await;
        page.press(ENTER).await;
        page.find(".rows a[aria-current]").await;
        assert_eq!(page.text(".rows a[aria-current] b").await, "POST /v2/charges");
    })
    .await;
}
