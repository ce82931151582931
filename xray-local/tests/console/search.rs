//! The search box: what people paste into it, suggestions, help, and the number of traces found.

use serde_json::{Value, json};
use xray_local::time;

use crate::browser::{Page, in_browser};
use crate::server::{TRACE_ID, put, segment, send};
use crate::shop;

const ROWS: &str = ".traces tbody tr";

/// Types a text into the search box, and presses Enter.
async fn search(page: &Page, text: &str) {
    page.visit("/").await;
    page.find("#filter").await.send_keys(&format!("{text}\u{e007}")).await.unwrap();
    page.until("return location.pathname !== '/' || location.search !== '';").await;
    page.find("main").await;
}

#[tokio::test]
async fn a_pasted_trace_id_opens_its_trace() {
    in_browser(async |page| {
        send(&page.server, &segment(&json!({})));
        let w3c = "6b076a21a006649127e371903a2de979";
        for text in [
            TRACE_ID,
            &TRACE_ID.to_uppercase(),
            w3c,
            &format!("00-{w3c}-70de5b6f19ff9a0a-01"),
            &format!("Root={TRACE_ID};Parent=70de5b6f19ff9a0a;Sampled=1"),
        ] {
            search(page, text).await;
            page.find(".rows").await;
            assert_eq!(page.location().await.split('#').next(), Some(&*format!("/traces/{TRACE_ID}")), "{text}");
        }

        search(page, "0000000000000000000000000000000a").await;
        assert_eq!(page.text(".empty h2").await, "No trace with this ID");
        assert!(page.text(".empty").await.contains("1-00000000-00000000000000000000000a"));
    })
    .await;
}

#[tokio::test]
async fn a_word_or_a_path_searches_names_and_urls() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        for (text, expected) in [
            ("inventory", 6),
            ("CardPay", 6),
            ("/products/", 6),
            ("https://shop.example.com/checkout", 6),
            ("POST /cart/items", 2),
            ("/nowhere", 0),
        ] {
            search(page, text).await;
            assert_eq!(page.count("#filter-error").await, 0, "{text}");
            assert_eq!(page.count(ROWS).await, expected, "{text}");
            assert!(page.text(".found").await.contains("a name or URL contains"), "{text}");
        }
        search(page, "faul").await;
        assert!(page.text(".found").await.contains("Did you mean fault?"));
        page.click_link("fault").await;
        page.until("return new URLSearchParams(location.search).get('filter') === 'fault';").await;
        search(page, "404").await;
        page.click_link("http.status = 404").await;
        page.until("return document.querySelectorAll('.traces tbody tr').length === 2;").await;
    })
    .await;
}

#[tokio::test]
async fn a_mistake_in_an_expression_offers_the_nearest_keyword() {
    in_browser(async |page| {
        shop::traffic(&page.server, 9);
        search(page, "ok AND respnsetime > 0").await;
        let message = page.text("#filter-error p").await;
        assert!(message.contains("did you mean responsetime?"), "{message}");
        page.click_link("ok AND responsetime > 0").await;
        page.find(".traces").await;
        assert_eq!(page.count("#filter-error").await, 0);
    })
    .await;
}

#[tokio::test]
async fn suggestions_come_from_stored_traces_and_are_bounded() {
    in_browser(async |page| {
        shop::traffic(&page.server, 9);
        page.visit("/").await;
        let options = "return [...document.querySelectorAll('#suggestions option')].map((option) => option.value);";
        let options: Vec<String> = page.evaluate(options).await;
        for wanted in [
            "service(\"checkout\")",
            "edge(\"checkout\", \"inventory\")",
            "annotation.tenant",
            "annotation.tenant = \"acme\"",
            "annotation.express = false",
            "annotation.items = 3",
            "https://shop.example.com/search",
            "responsetime",
            "BEGINSWITH",
        ] {
            assert!(options.iter().any(|option| option == wanted), "{wanted} in {options:?}");
        }
        for number in 0..200 {
            put(&page.server, &segment(&json!({
                "id": format!("{number:016x}"), "trace_id": format!("1-6b076a21-{number:024x}"), "name": format!("service {number}"),
                "annotations": {format!("key_{number}"): 1, "same": number},
                "http": {"request": {"method": "GET", "url": format!("http://shop/{number}/{}", "x".repeat(number))}}
            })));
        }
        page.visit("/").await;
        let lengths = "return [...document.querySelectorAll('#suggestions option')].filter((option) => /[0-9]/.test(option.value))
            .map((option) => option.value.length);";
        let lengths: Vec<u64> = page.evaluate(lengths).await;
        assert!((50..=150).contains(&lengths.len()), "{}", lengths.len());
        assert!(lengths.iter().all(|length| *length <= 250), "{lengths:?}");
    })
    .await;
}

/// Returns the suggestions that are shown, and the marked one.
async fn completions(page: &Page) -> (Vec<String>, Value) {
    let shown =
        "return [...document.querySelectorAll('#completions:not([hidden]) li span')].map((text) => text.textContent);";
    let marked = "const field = document.querySelector('#filter');
        const item = document.getElementById(field.getAttribute('aria-activedescendant'));
        return item && item.getAttribute('aria-selected') === 'true' ? item.querySelector('span').textContent : null;";
    (page.evaluate(shown).await, page.script(marked).await)
}

#[tokio::test]
async fn words_names_and_annotations_are_completed_by_keyboard_and_pointer() {
    const DOWN: &str = "\u{e015}";
    const UP: &str = "\u{e013}";
    const ENTER: &str = "\u{e007}";
    const ESCAPE: &str = "\u{e00c}";
    const VALUE: &str = "return document.querySelector('#filter').value;";

    in_browser(async |page| {
        shop::traffic(&page.server, 9);
        page.visit("/").await;
        page.press("/").await;
        page.press("fault AND resp").await;
        assert_eq!(completions(page).await, (vec!["responsetime".to_owned()], Value::Null));
        page.press(DOWN).await;
        assert_eq!(completions(page).await.1, "responsetime");
        page.press(ENTER).await;
        assert_eq!(page.script(VALUE).await, "fault AND responsetime ");
        assert_eq!(
            page.script("return document.querySelector('#filter').getAttribute('aria-expanded');").await,
            "false"
        );

        page.press("> 0 OR annotation.ten").await;
        assert_eq!(completions(page).await.0[0], "annotation.tenant");
        page.press("ant = \"a").await;
        page.press(&format!("{DOWN}{ENTER}")).await;
        assert_eq!(page.script(VALUE).await, "fault AND responsetime > 0 OR annotation.tenant = \"acme\" ");
        page.press(&format!("service(\"che{DOWN}{DOWN}{DOWN}{UP}{UP}{ENTER}")).await;
        assert_eq!(
            page.script(VALUE).await,
            "fault AND responsetime > 0 OR annotation.tenant = \"acme\" service(\"checkout\") "
        );
        // Without a marked suggestion, Enter searches.
        page.press(ENTER).await;
        page.until("return location.search !== '';").await;
        assert_eq!(page.count("#filter-error").await, 0);

        page.visit("/").await;
        page.press("/").await;
        page.press(DOWN).await;
        assert_eq!(completions(page).await.0.len(), 10, "an empty field shows what there is");
        page.press(ESCAPE).await;
        assert_eq!(completions(page).await.0.len(), 0);
        assert_eq!(page.script("return document.activeElement.id;").await, "filter", "Escape closes the list first");
        page.press("inven").await;
        page.click("#completions li").await;
        let value = page.script(VALUE).await;
        assert!(value.as_str().unwrap().contains("inventory"), "{value}");
    })
    .await;
}

#[tokio::test]
async fn a_caret_stands_below_the_mistake_and_examples_find_stored_traces() {
    in_browser(async |page| {
        page.turn_scripts_off().await;
        shop::traffic(&page.server, 9);
        page.visit("/?filter=ok+AND+http.status+%3D+%22x%22").await;
        let place = "const caret = document.createRange();
            caret.selectNode(document.querySelector('.caret').lastChild);
            const [below, above] = [caret.getBoundingClientRect(), document.querySelector('#filter-error mark').getBoundingClientRect()];
            return [caret.toString(), Math.abs(below.left - above.left) < 1, below.top >= above.bottom - 4];";
        assert_eq!(page.script(place).await, json!(["^", true, true]));

        page.visit("/").await;
        page.click("#grammar summary").await;
        let examples: Vec<String> =
            page.evaluate("return [...document.querySelectorAll('#stored-examples a')].map((link) => link.href);").await;
        assert_eq!(examples.len(), 4);
        for example in examples {
            page.client.goto(&example).await.unwrap();
            assert!(page.count(ROWS).await > 0, "{example}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_question_mark_shows_the_grammar() {
    in_browser(async |page| {
        shop::traffic(&page.server, 9);
        page.visit("/").await;
        let is_open = "return document.querySelector('#grammar').open;";
        assert_eq!(page.script(is_open).await, false);
        page.press("?").await;
        assert_eq!(page.script(is_open).await, true);
        assert_eq!(page.script("return document.activeElement.matches('#grammar summary');").await, true);
        let help = page.text("#grammar").await;
        for part in ["responsetime", "service(", "edge(", "annotation.", "BEGINSWITH", "AND", "rootcause.fault.service"]
        {
            assert!(help.contains(part), "{part} in {help}");
        }
        page.press("?").await;
        assert_eq!(page.script(is_open).await, false);
        page.click("#grammar summary").await;
        // Each example is a link, and each is a valid expression.
        let examples: Vec<String> =
            page.evaluate("return [...document.querySelectorAll('#grammar a')].map((link) => link.href);").await;
        assert!(examples.len() >= 8, "{examples:?}");
        for example in examples {
            page.client.goto(&example).await.unwrap();
            assert_eq!(page.count("#filter-error").await, 0, "{example}");
        }
    })
    .await;
}

#[tokio::test]
async fn search_switches_and_help_work_without_scripts() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.turn_scripts_off().await;
        page.visit("/").await;
        page.find("#filter").await.send_keys("/checkout\u{e007}").await.unwrap();
        page.find(".found").await;
        assert_eq!(page.count(ROWS).await, 6);
        page.click("#grammar summary").await;
        assert!(page.find("#grammar").await.attr("open").await.unwrap().is_some());
        page.click("#clear-filter").await;
        page.find(".sampling button[value=aws]").await.click().await.unwrap();
        page.find(".sampling button[value=everything]").await;
        page.click(".traces tr:has(.status.fault) .subject a").await;
        page.click("#inferred-switch").await;
        page.find(".rows li.inferred").await;
    })
    .await;
}

#[tokio::test]
async fn a_filtered_list_says_how_many_traces_match_and_can_be_cleared() {
    in_browser(async |page| {
        shop::traffic(&page.server, 120);
        page.visit("/").await;
        assert_eq!(page.count(".found").await, 0);
        page.visit("/?filter=http.status+%3D+404").await;
        let found = page.text(".found").await;
        assert!(found.starts_with("13 of 120 traces"), "{found}");
        page.visit("/?filter=ok").await;
        let found = page.text(".found").await;
        let number: usize = found.split(' ').next().unwrap().parse().unwrap();
        assert!((51..120).contains(&number), "counts beyond the page: {found}");
        page.click_link("Clear the filter").await;
        page.until("return location.search === '';").await;

        // The count is updated with the list.
        page.visit("/?filter=http.status+%3D+404").await;
        let missing =
            json!({"http": {"response": {"status": 404}}, "start_time": time::now() - 1.0, "end_time": time::now()});
        send(&page.server, &segment(&missing));
        page.until("return document.querySelector('.found').textContent.startsWith('14 of 121');").await;
    })
    .await;
}
