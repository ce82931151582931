//! By keyboard, on a phone, in the dark, with little contrast to spare.

use serde_json::json;

use crate::browser::{Page, in_browser};
use crate::shop;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const LEFT: &str = "\u{e012}";
const UP: &str = "\u{e013}";
const RIGHT: &str = "\u{e014}";
const DOWN: &str = "\u{e015}";

const TRACE_ID: &str = "1-6b076a21-a006649127e371903a2de979";

/// A shop, a problem, and a trace in which all is as long as it may be.
fn fill(page: &Page) {
    shop::traffic(&page.server, 18);
    let name = "n".repeat(200);
    let text = "t".repeat(240);
    shop::send(
        &page.server,
        &json!({
            "id": "70de5b6f19ff9a0b", "trace_id": TRACE_ID, "name": name, "start_time": shop::now() - 1.0, "end_time": shop::now(),
            "user": text, "http": {"request": {"method": "GET", "url": format!("https://{text}")}, "response": {"status": 500}}, "fault": true,
            "cause": {"exceptions": [{"id": "70de5b6f19ff9a0c", "type": text, "message": text, "stack": [{"path": text, "line": 1, "label": text}]}]},
            "annotations": {"k".repeat(100): text}, "metadata": {"default": {"key": text}},
            "subsegments": [{"id": "70de5b6f19ff9a0d", "name": name, "namespace": "remote", "start_time": shop::now() - 0.9, "end_time": shop::now() - 0.1}]
        }),
    );
    shop::send(
        &page.server,
        &json!({"id": text, "trace_id": TRACE_ID, "name": format!("<{text}>"), "start_time": 1.0, "end_time": 2.0}),
    );
}

fn paths() -> [String; 8] {
    [
        "/".to_owned(),
        "/?filter=fault".to_owned(),
        "/?filter=nonsense".to_owned(),
        format!("/traces/{TRACE_ID}"),
        format!("/traces/{TRACE_ID}/segment?id=70de5b6f19ff9a0b"),
        "/map".to_owned(),
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
async fn text_can_be_read_in_light_and_dark() {
    in_browser(async |page| {
        fill(page);
        let mut backgrounds = Vec::new();
        for scheme in ["light", "dark"] {
            page.set_preference("prefers-color-scheme", scheme).await;
            for path in paths() {
                page.visit(&path).await;
                let faint = page.script(FAINT_TEXTS).await;
                assert_eq!(faint, json!([]), "{path} in {scheme}");
            }
            backgrounds.push(page.script("return getComputedStyle(document.body).backgroundColor;").await);
        }
        assert_ne!(backgrounds[0], backgrounds[1]);
    })
    .await;
}

/// Texts whose contrast is under 4.5 to 1. (WCAG 2.2, 1.4.3.)
const FAINT_TEXTS: &str = "
    const channels = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const light = (color) => {
        const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        if (!element) return [255, 255, 255, 1];
        const own = channels(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own : over(own, ground(element.parentElement));
    };
    const faint = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || element.closest('.vh, [hidden], .skip, title, script')) continue;
        if (!element.getClientRects().length) continue;
        const style = getComputedStyle(element);
        const behind = element.closest('.node, .edge') ? ground(element.closest('.card')) : ground(element);
        const color = over(channels(element instanceof SVGElement ? style.fill : style.color), behind);
        const [low, high] = [light(color), light(behind)].sort((a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) faint.add(`${walker.currentNode.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
    return [...faint];";

#[tokio::test]
async fn the_list_works_by_keyboard() {
    in_browser(async |page| {
        fill(page);
        page.visit("/").await;
        page.press(TAB).await;
        assert_eq!(page.script("return document.activeElement.className;").await, "skip");
        let is_seen = "return document.activeElement.getBoundingClientRect().top >= 0;";
        assert_eq!(page.script(is_seen).await, true);
        page.press(ENTER).await;
        page.until("return document.activeElement.id === 'main';").await;

        let row = "return [...document.querySelectorAll('.what a')].indexOf(document.activeElement);";
        for (key, place) in [("j", 0), ("j", 1), (DOWN, 2), (UP, 1), ("k", 0), ("k", 0), ("j", 1)] {
            page.press(key).await;
            assert_eq!(page.script(row).await, place, "{key:?}");
        }
        let outline = "return getComputedStyle(document.activeElement, '::after').outlineStyle;";
        assert_eq!(page.script(outline).await, "solid", "the focus is seen");
        page.press("/").await;
        assert_eq!(page.script("return document.activeElement.id;").await, "filter");
        page.press("j").await;
        assert_eq!(page.script("return document.activeElement.value;").await, "j", "a text may hold any letter");

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
async fn the_timeline_works_by_keyboard() {
    in_browser(async |page| {
        fill(page);
        page.visit("/?filter=responsetime+%3E+0.1+AND+http.url+CONTAINS+%22checkout%22").await;
        page.find(".traces .what a").await.click().await.unwrap();
        page.find(".rows").await;
        let shown = "return [...document.querySelectorAll('.rows li')].filter((row) => !row.hidden).length;";
        let all = page.script(shown).await;
        page.press("j").await;
        page.press("j").await;
        page.press(LEFT).await;
        assert_eq!(page.script(shown).await, 2, "what is below the second row is folded away");
        let expanded = "return document.querySelectorAll('.fold')[1].getAttribute('aria-expanded');";
        assert_eq!(page.script(expanded).await, "false");
        page.press(RIGHT).await;
        assert_eq!(page.script(shown).await, all);
        page.press(DOWN).await;
        page.press(ENTER).await;
        page.until("return document.querySelector('aside h1')?.textContent === 'checkout';").await;
    })
    .await;
}

#[tokio::test]
async fn pages_have_what_assistive_technology_needs() {
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
            let nameless = "return [...document.querySelectorAll('a, button, input')].filter((element) => {
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
