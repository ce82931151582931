//! Accessibility: keyboard control, narrow screens, contrast, landmarks and names.

use serde_json::json;
use xray_local::time;

use crate::browser::{Page, in_browser};
use crate::server::{SEGMENT_ID, TRACE_ID, segment, send};
use crate::shop;

// Keys in the encoding of the WebDriver standard.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const LEFT: &str = "\u{e012}";
const UP: &str = "\u{e013}";
const RIGHT: &str = "\u{e014}";
const DOWN: &str = "\u{e015}";

/// Fills the store with the traffic of a shop, a rejected document, and a trace in which every text is as long as X-Ray
/// allows.
fn fill(page: &Page) {
    shop::traffic(&page.server, 18);
    let name = "n".repeat(200);
    let text = "t".repeat(240);
    let now = time::now();
    send(
        &page.server,
        &segment(&json!({
            "name": name, "start_time": now - 1.0, "end_time": now,
            "user": text, "http": {"request": {"method": "GET", "url": format!("https://{text}")}, "response": {"status": 500}}, "fault": true,
            "cause": {"exceptions": [{"id": "70de5b6f19ff9a0c", "type": text, "message": text, "stack": [{"path": text, "line": 1, "label": text}]}]},
            "annotations": {"k".repeat(100): text}, "metadata": {"default": {"key": text}},
            "subsegments": [{"id": "70de5b6f19ff9a0d", "name": name, "namespace": "remote", "start_time": now - 0.9, "end_time": now - 0.1}]
        })),
    );
    send(&page.server, &segment(&json!({"id": text, "name": format!("<{text}>")})));
}

/// Returns the address of each kind of page.
fn paths() -> Vec<String> {
    vec![
        "/".to_owned(),
        "/?by=url".to_owned(),
        "/?by=operation&sort=p99".to_owned(),
        "/?filter=fault".to_owned(),
        "/?filter=nonsense".to_owned(),
        "/?filter=respnsetime+%3E+1".to_owned(),
        "/?filter=0000000000000000000000000000000a".to_owned(),
        format!("/traces/{TRACE_ID}"),
        format!("/traces/{TRACE_ID}?find=t&from=0.2&to=0.6"),
        format!("/traces/{TRACE_ID}/flame"),
        format!("/traces/{TRACE_ID}/segment?id={SEGMENT_ID}"),
        format!("/compare?a={TRACE_ID}"),
        format!("/compare?a={TRACE_ID}&b={TRACE_ID}"),
        "/recent".to_owned(),
        "/load".to_owned(),
        "/map".to_owned(),
        "/map?node=checkout&type=AWS::ECS::Container".to_owned(),
        "/map?find=c&group=host&failing=only".to_owned(),
        "/map?filter=fualt+%3E+1".to_owned(),
        "/problems".to_owned(),
        "/counters".to_owned(),
    ]
}

#[tokio::test]
async fn no_page_is_wider_than_a_phone() {
    in_browser(async |page| {
        fill(page);
        page.set_screen(360, 740, true).await;
        for path in paths() {
            page.visit(&path).await;
            page.script("document.querySelectorAll('details').forEach((details) => (details.open = true));").await;
            let widths =
                page.script("return [innerWidth, document.documentElement.scrollWidth, visualViewport.width];").await;
            assert_eq!(widths, json!([360, 360, 360]), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn text_has_enough_contrast_in_light_and_dark() {
    in_browser(async |page| {
        fill(page);
        let mut backgrounds = Vec::new();
        for scheme in ["light", "dark"] {
            page.set_preference("prefers-color-scheme", scheme).await;
            for path in paths() {
                page.visit(&path).await;
                let faint: Vec<String> = page.evaluate(FAINT_TEXTS).await;
                assert_eq!(faint, Vec::<String>::new(), "{path} in {scheme}");
            }
            backgrounds.push(page.script("return getComputedStyle(document.body).backgroundColor;").await);
        }
        assert_ne!(backgrounds[0], backgrounds[1]);
    })
    .await;
}

/// JavaScript that returns the visible texts whose contrast to their background is below 4.5 to 1, with the contrast.
/// (WCAG 2.2, 1.4.3; the formulas are those of "relative luminance" and "contrast ratio" there.)
pub(crate) const FAINT_TEXTS: &str = "
    const channels = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const luminance = (color) => {
        const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (element) => {
        if (!element) return [255, 255, 255, 1];
        const own = channels(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own : over(own, background(element.parentElement));
    };
    const faint = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || element.closest('.visually-hidden, [hidden], .skip, title, script')) continue;
        if (!element.getClientRects().length) continue;
        const style = getComputedStyle(element);
        const behind = element.closest('.node, .edge') ? background(element.closest('.card')) : background(element);
        const color = over(channels(element instanceof SVGElement ? style.fill : style.color), behind);
        const [low, high] = [luminance(color), luminance(behind)].sort((a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) faint.add(`${walker.currentNode.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
    return [...faint];";

#[tokio::test]
async fn the_list_can_be_used_with_the_keyboard() {
    in_browser(async |page| {
        fill(page);
        page.visit("/").await;
        page.press(TAB).await;
        assert_eq!(page.script("return document.activeElement.className;").await, "skip");
        let is_visible = "return document.activeElement.getBoundingClientRect().top >= 0;";
        assert_eq!(page.script(is_visible).await, true);
        page.press(ENTER).await;
        page.until("return document.activeElement.id === 'main';").await;

        let focused_row = "return [...document.querySelectorAll('.subject a')].indexOf(document.activeElement);";
        for (key, index) in [("j", 0), ("j", 1), (DOWN, 2), (UP, 1), ("k", 0), ("k", 0), ("j", 1)] {
            page.press(key).await;
            assert_eq!(page.script(focused_row).await, index, "{key:?}");
        }
        let outline = "return getComputedStyle(document.activeElement, '::after').outlineStyle;";
        assert_eq!(page.script(outline).await, "solid", "the focus is visible");
        page.press("/").await;
        assert_eq!(page.script("return document.activeElement.id;").await, "filter");
        page.press("j").await;
        assert_eq!(
            page.script("return document.activeElement.value;").await,
            "j",
            "a letter is typed into the field and moves nothing"
        );

        page.visit("/").await;
        page.press("j").await;
        page.press("j").await;
        let address = page.script("return document.activeElement.href;").await;
        page.press(ENTER).await;
        page.find(".rows").await;
        assert_eq!(page.script("return location.href;").await, address);
    })
    .await;
}

#[tokio::test]
async fn the_timeline_can_be_used_with_the_keyboard() {
    in_browser(async |page| {
        fill(page);
        page.open_first_trace("responsetime > 0.1 AND http.url CONTAINS \"checkout\"").await;
        let shown_rows = "return [...document.querySelectorAll('.rows li')].filter((row) => !row.hidden).length;";
        let all = page.script(shown_rows).await;
        page.press("j").await;
        page.press("j").await;
        page.press(LEFT).await;
        assert_eq!(page.script(shown_rows).await, 2, "the rows below the second one are folded");
        let expanded = "return document.querySelectorAll('.fold')[1].getAttribute('aria-expanded');";
        assert_eq!(page.script(expanded).await, "false");
        page.press(RIGHT).await;
        assert_eq!(page.script(shown_rows).await, all);
        page.press(DOWN).await;
        page.press(ENTER).await;
        page.until_text("aside header h2", "checkout").await;
        assert_eq!(page.text(".rows a[aria-current] b").await, "checkout");
    })
    .await;
}

#[tokio::test]
async fn pages_have_landmarks_unique_ids_and_named_controls() {
    in_browser(async |page| {
        fill(page);
        for path in paths() {
            page.visit(&path).await;
            for landmark in ["html[lang=en]", "header nav[aria-label]", "main", "main h1", "footer"] {
                assert!(page.count(landmark).await > 0, "{landmark} in {path}");
            }
            assert_eq!(page.count("main h1").await, 1, "{path}");
            let ids = "const ids = [...document.querySelectorAll('[id]')].map((element) => element.id); return ids.length === new Set(ids).size;";
            assert_eq!(page.script(ids).await, true, "{path}");
            let nameless = "return [...document.querySelectorAll('a, button, input:not([type=hidden])')].filter((element) => {
                const name = element.labels?.[0]?.textContent ?? element.getAttribute('aria-label') ?? element.textContent;
                return !name.trim();
            }).map((element) => element.outerHTML);";
            assert_eq!(page.script(nameless).await, json!([]), "{path}");
        }
        page.set_preference("prefers-reduced-motion", "reduce").await;
        page.visit("/").await;
        assert_eq!(page.script("return document.getAnimations().length;").await, 0);
        page.set_preference("prefers-reduced-motion", "no-preference").await;
        assert_ne!(page.script("return document.getAnimations().length;").await, 0);
    })
    .await;
}
