//! Inside a trace: its search, its errors, its critical path, zoom, folding, retries, and what the details offer.

use serde_json::{Value, json};

use crate::browser::{Page, in_browser};
use crate::server::{SEGMENT_ID, TRACE_ID, put, segment, send};
use crate::shop;

const FOCUSED: &str = "return document.activeElement.querySelector('b')?.textContent ?? null;";
const ROWS: &str = "return [...document.querySelectorAll('.rows li')].filter((row) => !row.hidden)
    .map((row) => row.querySelector('b').textContent);";

// Keys in the encoding of the WebDriver standard.
const ENTER: &str = "\u{e007}";

/// Returns a subsegment of [`segment`]: its id, its name, and its start and end in seconds from the start of the trace.
fn step(id: u32, name: &str, from: f64, to: f64, fields: &Value) -> Value {
    let start = 1_795_600_000.0;
    let mut step =
        json!({"id": format!("{id:016x}"), "name": name, "start_time": start + from, "end_time": start + to});
    step.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    step
}

/// Searches in the trace that the browser shows.
async fn find(page: &Page, text: &str) {
    page.press("/").await;
    page.until("return document.activeElement.id === 'find';").await;
    page.script("document.activeElement.select();").await;
    page.press(&format!("{text}{ENTER}")).await;
    page.until(&format!("return new URL(location).searchParams.get('find') === {};", json!(text))).await;
    page.find("#matches").await;
}

#[tokio::test]
async fn a_search_finds_names_urls_annotations_and_messages_and_visits_its_matches() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        let trace = page.location().await;
        for (text, count, first) in [
            ("inventory.internal", "2 of 9 rows match", "POST /reservations"),
            ("payment_failed", "1 of 9 rows match", "release reservation"),
            ("AFTER 3 ATTEMPTS", "1 of 9 rows match", "POST /v2/charges"),
            ("reserved +", "1 of 9 rows match", "UPDATE stock"),
            ("tenant", "1 of 9 rows match", "checkout"),
            ("/orders", "2 of 9 rows match", "POST /orders"),
            ("no such text", "0 of 9 rows match", ""),
        ] {
            find(page, text).await;
            assert_eq!(page.text("#matches").await, count, "{text}");
            let marked = "return document.querySelector('.rows [data-match] b')?.textContent ?? '';";
            let marked: String = page.evaluate(marked).await;
            assert!(marked.starts_with(first), "{text}: {marked}");
            assert_eq!(page.count(".rows li").await, 9, "a search leaves no row out");
        }
        find(page, "/orders").await;
        page.script("document.activeElement.blur();").await;
        for (key, label) in [("n", "POST /orders"), ("n", "checkout"), ("n", "POST /orders"), ("N", "checkout")] {
            page.press(key).await;
            assert_eq!(page.script(FOCUSED).await, label, "{key}");
        }
        page.click("#clear-find").await;
        page.until("return !document.querySelector('#matches');").await;
        assert!(page.location().await.starts_with(&trace));

        // Links lead from match to match without a script.
        page.turn_scripts_off().await;
        page.visit(&format!("{trace}?find=/orders")).await;
        for label in ["POST /orders", "checkout", "POST /orders"] {
            page.click("#next-match").await;
            let rows = page.find(".rows [data-first] b").await;
            assert_eq!(rows.text().await.unwrap(), label);
        }
        page.click("#next-error").await;
        assert_eq!(page.text(".rows [data-first] b").await, "checkout", "the error after the match");
    })
    .await;
}

#[tokio::test]
async fn the_critical_path_and_the_self_times_are_shown() {
    in_browser(async |page| {
        // A second of work: [0, 0.2] by itself, `first` until 0.5, `parallel` meanwhile, a pause, and `last` to the
        // end.
        send(
            &page.server,
            &segment(&json!({"subsegments": [
                step(1, "first", 0.2, 0.5, &json!({})),
                step(2, "parallel", 0.25, 0.45, &json!({})),
                step(3, "last", 0.6, 1.0, &json!({"subsegments": [step(4, "inner", 0.7, 0.8, &json!({}))]})),
            ]})),
        );
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        let critical = "return [...document.querySelectorAll('.rows li')].map((row) => [row.querySelector('b').textContent,
            [...row.querySelectorAll('rect.critical')].map((part) => [part.x, part.width].map((length) => Math.round(length.baseVal.valueInSpecifiedUnits)))]);";
        assert_eq!(
            page.script(critical).await,
            json!([
                ["shop", [[0, 20], [50, 10]]],
                ["first", [[20, 30]]],
                ["parallel", []],
                ["last", [[60, 10], [80, 20]]],
                ["inner", [[70, 10]]],
            ])
        );
        let own = "return [...document.querySelectorAll('.rows .self')].map((time) => time.textContent);";
        assert_eq!(page.script(own).await, json!(["300 ms", "300 ms", "200 ms", "300 ms", "100 ms"]));
        // Screen readers read words instead.
        let words = "return document.querySelector('.rows').textContent.match(/on the critical path/g).length;";
        assert_eq!(page.script(words).await, 4);
        page.until_text("aside header h2", "shop").await;
        let details = page.text("aside").await;
        assert!(details.contains("Self time\n300 ms") && details.contains("Critical path\n300 ms (30 %)"), "{details}");
    })
    .await;
}

#[tokio::test]
async fn a_range_of_time_is_chosen_by_links_keys_a_form_or_the_pointer_and_is_part_of_the_address() {
    in_browser(async |page| {
        send(
            &page.server,
            &segment(&json!({"subsegments": [
                step(1, "early", 0.1, 0.2, &json!({})),
                step(2, "middle", 0.4, 0.6, &json!({})),
                step(3, "late", 0.8, 0.9, &json!({"fault": true})),
            ]})),
        );
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        assert_eq!(page.script(ROWS).await, json!(["shop", "early", "middle", "late"]));
        page.press("+").await;
        page.until("return location.search === '?from=0.25&to=0.75';").await;
        assert_eq!(page.script(ROWS).await, json!(["shop", "middle"]));
        assert_eq!(page.text("#window").await, "250 ms to 750 ms of 1.00 s, 2 of 4 rows");
        let bar = "const bar = document.querySelectorAll('.rows rect')[1];
            return document.querySelectorAll('.rows li')[1].querySelector('rect').getAttribute('x') + bar.tagName;";
        assert_eq!(page.script(bar).await, "30.00%rect", "0.4 s is at 30 % of the range");
        page.press("]").await;
        page.until("return location.search === '?from=0.5&to=1';").await;
        assert_eq!(page.script(ROWS).await, json!(["shop", "middle", "late"]));
        page.press("[").await;
        page.until("return location.search === '?from=0.25&to=0.75';").await;
        page.press("-").await;
        page.until("return location.search === '';").await;

        // The selected row's own time.
        page.script("[...document.querySelectorAll('.rows a')].at(-1).click();").await;
        page.until_text("aside header h2", "late").await;
        page.press("z").await;
        page.until("return location.search === '?from=0.8&to=0.9';").await;
        assert_eq!(page.script(ROWS).await, json!(["shop", "late"]));
        page.until_text("aside header h2", "late").await;
        page.press("0").await;
        page.until("return location.search === '';").await;

        // A drag over the overview.
        let place = "const {left, top, width} = document.querySelector('.overview svg').getBoundingClientRect();
            const at = (type, share) => document.querySelector('.overview svg').dispatchEvent(new PointerEvent(type,
                {bubbles: true, pointerId: 1, button: 0, clientX: left + width * share, clientY: top + 5}));
            at('pointerdown', 0.05); at('pointermove', 0.2); at('pointerup', 0.3);";
        page.script(place).await;
        page.until("return location.search !== '';").await;
        let range: Vec<f64> = page
            .evaluate(
                "const query = new URL(location).searchParams; return ['from', 'to'].map((name) => +query.get(name));",
            )
            .await;
        assert!((range[0] - 0.05).abs() < 0.01 && (range[1] - 0.3).abs() < 0.01, "{range:?}");
        assert_eq!(page.script(ROWS).await, json!(["shop", "early"]));

        // Without a script there are links and a form.
        page.turn_scripts_off().await;
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        page.click_link("Zoom in").await;
        page.until("return location.search !== '';").await;
        assert_eq!(page.count(".rows li").await, 2);
        page.click("#range summary").await;
        let form = page.client.form(fantoccini::Locator::Css("#range form")).await.unwrap();
        form.set_by_name("from", "0.75").await.unwrap().set_by_name("to", "1").await.unwrap();
        page.click("#range button").await;
        page.until("return location.search === '?from=0.75&to=1';").await;
        assert_eq!(page.count(".rows li").await, 2);
        page.click_link("Whole trace").await;
        page.until("return location.search === '';").await;
        assert_eq!(page.count(".rows li").await, 4);
    })
    .await;
}

#[tokio::test]
async fn a_key_collapses_and_expands_all() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        page.press("c").await;
        assert_eq!(page.script(ROWS).await, json!(["storefront"]));
        page.press("C").await;
        assert_eq!(page.script(ROWS).await.as_array().unwrap().len(), 9);
        page.click("#collapse-all").await;
        assert_eq!(page.script(ROWS).await, json!(["storefront"]));
        page.click("#expand-all").await;
        // All below one row: its children are folded too.
        page.press("jjj").await;
        assert_eq!(page.script(FOCUSED).await, "checkout");
        page.press("c").await;
        assert_eq!(page.script(ROWS).await, json!(["storefront", "POST /orders", "checkout"]));
        page.press("\u{e014}").await;
        assert_eq!(
            page.script(ROWS).await,
            json!([
                "storefront",
                "POST /orders",
                "checkout",
                "validate cart",
                "POST /reservations",
                "POST /v2/charges",
                "release reservation"
            ])
        );
    })
    .await;
}

#[tokio::test]
async fn a_call_that_repeats_a_failed_one_is_marked_as_a_retry() {
    in_browser(async |page| {
        let call = |id: u32, from: f64, status: u16, path: &str| {
            let url = format!("https://pay.example.com{path}");
            let fault = json!({"namespace": "remote", "fault": status >= 500,
                "http": {"request": {"method": "POST", "url": url}, "response": {"status": status}}});
            step(id, "pay.example.com", from, from + 0.05, &fault)
        };
        send(
            &page.server,
            &segment(&json!({"subsegments": [
                call(1, 0.1, 503, "/charges"), call(2, 0.2, 503, "/charges"), call(3, 0.3, 200, "/charges"),
                call(4, 0.4, 200, "/charges"), call(5, 0.5, 500, "/refunds"),
                // It starts before the failed one has ended, so it cannot be a consequence.
                call(6, 0.52, 200, "/refunds"),
                step(7, "DynamoDB", 0.6, 0.7, &json!({"namespace": "aws", "aws": {"operation": "PutItem", "retries": 3}})),
            ]})),
        );
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        let tags = "return [...document.querySelectorAll('.rows li')].map((row) => row.querySelector('.retry')?.textContent ?? '');";
        assert_eq!(page.script(tags).await, json!(["", "", "retry 1", "retry 2", "", "", "", "3 retries"]));
    })
    .await;
}

#[tokio::test]
async fn the_details_link_to_log_groups_and_offer_the_request_as_a_command() {
    in_browser(async |page| {
        let call = json!({"namespace": "remote", "http": {"request": {"method": "PUT", "url": "https://a.example.com/it's?q=$(x)[1-9]"}}});
        send(
            &page.server,
            &segment(&json!({
                "aws": {"region": "eu-west-1", "cloudwatch_logs": [
                    {"log_group": "/aws/lambda/my shop", "arn": "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/my shop"},
                    {"log_group": "plain"},
                    {"log_group": "evil", "arn": "arn:aws:logs:evil.example.com#:1:log-group:evil"},
                    {"arn": "arn:aws-cn:logs:cn-north-1:123456789012:log-group:only-arn:*"},
                    "nonsense"
                ]},
                "subsegments": [step(1, "a.example.com", 0.1, 0.2, &call)]
            })),
        );
        let details = format!("/traces/{TRACE_ID}/segment?id={SEGMENT_ID}");
        page.visit(&details).await;
        let links = "return [...document.querySelectorAll('.logs li')].map((row) => [row.innerText.split('\\n')[0], row.querySelector('a')?.href ?? null]);";
        let console = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group";
        assert_eq!(
            page.script(links).await,
            json!([
                ["/aws/lambda/my shop", format!("{console}/$252Faws$252Flambda$252Fmy$2520shop")],
                ["plain", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/plain"],
                ["evil", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/evil"],
                ["only-arn", "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#logsV2:log-groups/log-group/only-arn"],
            ])
        );
        // The text to copy. The browser of the test may not be allowed to write to the clipboard.
        let record = "navigator.clipboard.writeText = async (text) => { window.copied = text; };";
        page.script(record).await;
        page.click("[data-copy]").await;
        page.until(&format!("return window.copied === '{SEGMENT_ID}';")).await;
        page.until("return document.querySelector('[data-copy]').textContent === 'Copied';").await;
        page.click("#raw-70de5b6f19ff9a0a summary").await;
        page.click("[data-copy-of]").await;
        page.until("return window.copied.startsWith('{') && JSON.parse(window.copied).name === 'shop';").await;

        page.visit(&format!("/traces/{TRACE_ID}/segment?id={:016x}", 1)).await;
        page.script(record).await;
        page.click("#copy-curl").await;
        let command = r"curl --globoff --request 'PUT' --url 'https://a.example.com/it'\''s?q=$(x)[1-9]'";
        page.until(&format!("return window.copied === {};", json!(command))).await;
    })
    .await;
}

#[tokio::test]
async fn hostile_texts_stay_texts_in_every_new_place() {
    in_browser(async |page| {
        let evil = "\"><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>";
        let call = |url: &str, method: &str| {
            json!({"namespace": "remote", "fault": true, "annotations": {"evil": evil},
                "aws": {"retries": evil, "operation": evil, "cloudwatch_logs": [{"log_group": evil, "arn": "arn:aws:logs:eu-west-1:1:log-group:x"}]},
                "http": {"request": {"method": method, "url": url}}})
        };
        let calls = [
            call("javascript:alert(1)", "GET"),
            call("https://a.example.com/\u{1b}[201~\nrm -rf ~", "GET"),
            call("https://a.example.com/", "GET' ; rm"),
            call(&format!("https://a.example.com/{evil}"), "GET"),
        ];
        let steps: Vec<_> = calls.iter().zip(1..).map(|(call, id)| step(id, "a.example.com", 0.1, 0.2, call)).collect();
        put_unchecked(page, &segment(&json!({"subsegments": steps})));
        let searched: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        for path in [
            format!("/traces/{TRACE_ID}?find={searched}&from={searched}&to=NaN&at={searched}&inferred={searched}"),
            format!("/traces/{TRACE_ID}?from=1e308&to=-1e308"),
            format!("/compare?a={TRACE_ID}&b={TRACE_ID}"),
            format!("/compare?a={searched}&b={searched}"),
            format!("/recent?minutes={searched}"),
        ] {
            page.visit(&path).await;
            assert_eq!(page.script("return window.hacked ?? null;").await, Value::Null, "{path}");
            assert_eq!(page.count("main script, main img").await, 0, "{path}");
        }
        // A command that a terminal could run otherwise than it is shown is not offered.
        for (id, is_offered) in [(1, false), (2, false), (3, false), (4, true)] {
            page.visit(&format!("/traces/{TRACE_ID}/segment?id={id:016x}")).await;
            assert_eq!(page.count("#copy-curl").await, usize::from(is_offered), "{id}");
            assert_eq!(page.count("main script, main img, a[href^='javascript']").await, 0, "{id}");
        }
    })
    .await;
}

/// Stores a document that X-Ray would accept with remarks.
fn put_unchecked(page: &Page, document: &Value) {
    let outcome = page.server.store().put(&document.to_string(), xray_local::store::Source::Http);
    assert!(outcome.is_taken(), "{outcome:?}");
}

#[tokio::test]
async fn a_long_trace_is_shown_on_pages_and_keys_lead_from_one_to_the_next() {
    in_browser(async |page| {
        let steps: Vec<_> = (0..6_000_u32)
            .map(|number| {
                let from = f64::from(number) / 10_000.0;
                let fields = json!({"type": "subsegment", "trace_id": TRACE_ID, "parent_id": SEGMENT_ID, "fault": number % 2_500 == 2_400});
                step(number + 1, &format!("step {number}"), from, from + 0.000_05, &fields)
            })
            .collect();
        put(&page.server, &segment(&json!({})));
        for step in &steps {
            put(&page.server, step);
        }
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        let shown = page.text("#pages").await;
        assert!(shown.starts_with("Rows 1 to ") && shown.contains(" of 6,001"), "{shown}");
        let first_page = page.count(".rows li").await;
        page.script("document.querySelector('#pages a[rel=next]').click();").await;
        page.until("return document.querySelector('#pages').textContent.includes('Rows') && !document.querySelector('#pages').textContent.startsWith('Rows 1 to');").await;
        let rows = page.script(ROWS).await;
        // The parent of the rows is repeated above them.
        assert_eq!((rows[0].as_str(), rows[1].as_str()), (Some("shop"), Some(&*format!("step {}", first_page - 1))));

        // The last error of a page leads to the page of the next one.
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        for name in ["step 2400", "step 4900", "step 2400"] {
            page.press("e").await;
            page.until(&format!("return document.activeElement.querySelector('b')?.textContent === '{name}';")).await;
        }
        find(page, "step 59").await;
        assert_eq!(page.text("#matches").await, "111 of 6,001 rows match");
        page.click("#next-match").await;
        page.until("return document.activeElement.querySelector('b')?.textContent === 'step 59';").await;
        page.press("n").await;
        page.until("return document.activeElement.querySelector('b')?.textContent === 'step 590';").await;

        // The details of a row lead back to the page that has it.
        page.visit(&format!("/traces/{TRACE_ID}/segment?id={:016x}", 5_001)).await;
        page.click(".crumbs a[href*='/traces/']").await;
        page.find(&format!("#s-{:016x}", 5_001)).await;
    })
    .await;
}

#[tokio::test]
async fn a_question_mark_lists_the_keys_of_the_page() {
    in_browser(async |page| {
        shop::traffic(&page.server, 9);
        page.open_first_trace("ok").await;
        page.press("?").await;
        page.until("return document.querySelector('#keys').open;").await;
        let keys = page.text("#keys").await;
        for part in ["next error", "next match", "zoom in", "collapse", "search in this trace"] {
            assert!(keys.contains(part), "{part} in {keys}");
        }
    })
    .await;
}
