//! The service map.

use serde_json::json;

use crate::browser::{Page, in_browser};
use crate::server::{segment, send};
use crate::shop;

#[tokio::test]
async fn the_map_shows_services_and_calls_with_their_figures() {
    in_browser(async |page| {
        shop::traffic(&page.server, 54);
        page.visit("/map").await;
        let names = "return [...document.querySelectorAll('.map .node .name')].map((name) => name.dataset.whole ?? name.textContent).sort();";
        let names: Vec<String> = page.evaluate(names).await;
        for name in ["storefront", "checkout", "inventory", "shop@db.internal", "orders", "api.cardpay.example"] {
            assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
        }
        let kinds = "return [...document.querySelectorAll('.map .node .kind')].map((kind) => kind.textContent);";
        let kinds: Vec<String> = page.evaluate(kinds).await;
        for kind in ["Clients", "ECS::Container", "Remote", "DynamoDB::Table", "SQL database"] {
            assert!(kinds.iter().any(|other| other == kind), "{kind} in {kinds:?}");
        }
        for share in ["ok", "error", "throttle", "fault"] {
            assert!(page.count(&format!(".map .share.{share}")).await > 0, "{share}");
        }
        // Callers stand left of the services that they call.
        let left_edge = |name: &str| {
            let script = "return [...document.querySelectorAll('.map .node')]
                .filter((node) => !node.textContent.includes('Clients'))
                .find((node) => node.querySelector('.name').dataset.whole === NAME).getBoundingClientRect().left;";
            script.replace("NAME", &json!(name).to_string())
        };
        let mut left_edges = Vec::new();
        for name in ["storefront", "checkout", "inventory", "shop@db.internal"] {
            left_edges.push(page.evaluate::<f64>(&left_edge(name)).await);
        }
        assert!(left_edges.is_sorted_by(|a, b| a < b), "{left_edges:?}");

        // The table has the same figures as the tooltip in the drawing.
        let row = "return [...document.querySelectorAll('table[aria-labelledby=calls] tr')]
            .map((row) => [...row.cells].slice(0, 3).map((cell) => cell.textContent.trim()))
            .find(([from, to]) => from === 'checkout' && to === 'api.cardpay.example');";
        assert_eq!(page.script(row).await, json!(["checkout", "api.cardpay.example", "18"]));
        let tooltip = "return [...document.querySelectorAll('.map .edge title')].map((title) => title.textContent)
            .find((title) => title.startsWith('checkout → api.cardpay.example'));";
        let tooltip: String = page.evaluate(tooltip).await;
        assert!(tooltip.contains("18 requests, "), "{tooltip}");
        assert!(tooltip.ends_with(": 16 OK, 2 faults"), "{tooltip}");

        page.visit("/map?minutes=5").await;
        assert!(page.count(".map .node").await > 5);
    })
    .await;
}

#[tokio::test]
async fn the_texts_of_a_service_stay_within_its_box_whatever_their_letters_are() {
    in_browser(async |page| {
        let wide = "W".repeat(40);
        let names = ["does-not-exist.invalid.example.com", &wide, &"i".repeat(60), &"漢".repeat(30), "api.example.com"];
        for (number, name) in names.iter().enumerate() {
            let origin = "AWS::ElasticLoadBalancingV2::LoadBalancer";
            let trace = format!("1-6b076a21-{number:024x}");
            send(&page.server, &segment(&json!({"name": name, "trace_id": trace, "origin": origin, "fault": true})));
        }
        // The drawing that the page does not show gets its size when the window becomes wide or narrow.
        page.set_screen(375, 740, true).await;
        page.visit("/map").await;
        for (width, drawing) in [(375, ".narrow"), (1280, ".map"), (375, ".narrow")] {
            page.set_screen(width, 740, width < 400).await;
            let whole = "return [...document.querySelectorAll('DRAWING .node .name')].some((text) => text.getClientRects().length > 0 && text.textContent.startsWith('api.'));";
            page.until(&whole.replace("DRAWING", drawing)).await;
            let script = "return [...document.querySelectorAll('DRAWING .node')].flatMap((node) => {
                const right = node.querySelector('.box').getBoundingClientRect().right;
                return [...node.querySelectorAll('text')].filter((text) => text.getBoundingClientRect().right > right - 4).map((text) => text.textContent);
            });";
            let beyond: Vec<String> = page.evaluate(&script.replace("DRAWING", drawing)).await;
            assert_eq!(beyond, Vec::<String>::new(), "{width}");
            let script = "return [...document.querySelectorAll('DRAWING .node .name')].map((name) => name.textContent);";
            let shown: Vec<String> = page.evaluate(&script.replace("DRAWING", drawing)).await;
            assert!(shown.iter().any(|name| name == "api.example.com"), "a short name is whole: {shown:?}");
            let length = |start: char| {
                shown.iter().find(|name| name.starts_with(start)).filter(|name| name.ends_with('…')).map(|name| name.chars().count())
            };
            assert!(length('i') > length('d') && length('d') > length('W') && length('W') > Some(4), "{shown:?}");
        }
    })
    .await;
}

/// JavaScript that clicks the first node or edge of the drawing whose tooltip starts with `START`.
const CLICK: &str = "const part = [...document.querySelectorAll('.map a')].find((part) => part.querySelector('title').textContent.startsWith(START));
    part.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));";

/// Clicks the first node or edge whose tooltip starts with a text, and waits for its details.
async fn select(page: &Page, start: &str, title: &str) {
    page.script(&CLICK.replace("START", &json!(start).to_string())).await;
    page.until_text("#panel h2", title).await;
}

/// Returns the names of the nodes in the drawing.
async fn names(page: &Page) -> Vec<String> {
    page.evaluate("return [...document.querySelectorAll('.map .node .name')].map((name) => name.dataset.whole ?? name.textContent).sort();")
        .await
}

#[tokio::test]
async fn a_node_and_an_edge_show_their_percentiles_and_lead_to_their_traces() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        for (start, title, filter, traces) in [
            ("orders, DynamoDB", "orders", "service(id(name: \"orders\", type: \"AWS::DynamoDB::Table\"))", 8),
            ("api.cardpay.example,", "api.cardpay.example", "service(\"api.cardpay.example\")", 9),
            ("storefront → storefront", "storefront clients → storefront", "service(\"storefront\")", 27),
            ("checkout → inventory", "checkout → inventory", "edge(\"checkout\", \"inventory\")", 9),
        ] {
            page.visit("/map").await;
            select(page, start, title).await;
            let facts = "return [...document.querySelectorAll('#panel .facts dt')].map((name) => name.textContent);";
            let facts: Vec<String> = page.evaluate(facts).await;
            for fact in ["Requests", "p50", "p90", "p99"] {
                assert!(facts.iter().any(|other| other == fact), "{fact} in {facts:?}");
            }
            assert_eq!(page.text("#panel .facts dd").await, traces.to_string());

            // A bar leads to the traces that it counts. Each trace has one such segment or call.
            let address = page.location().await;
            let bars: Vec<(String, String)> = page.evaluate("return [...document.querySelectorAll('#panel .bars a')].map((bar) => [bar.href.baseVal, bar.getAttribute('aria-label')]);").await;
            let mut all = 0;
            for (link, label) in bars {
                page.visit(&link).await;
                let count: usize = label.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
                assert_eq!(page.count(".traces tbody tr").await, count, "{label} of {title}");
                all += count;
            }
            assert_eq!(all, traces, "{title}");

            page.visit(&address).await;
            page.click("#traces").await;
            page.find(".traces").await;
            assert_eq!(page.script("return document.getElementById('filter').value;").await, filter);
            assert_eq!(page.count(".traces tbody tr").await, traces);
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_is_found_by_a_part_of_its_name() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        page.visit("/map?failing=only&zoom=100").await;
        page.press("/").await;
        page.press("CardPay\u{e007}").await;
        page.until_text("#panel h2", "api.cardpay.example").await;
        assert!(page.location().await.contains("failing=only") && page.location().await.ends_with("#selected"));
        assert_eq!(page.count("#selected.selected").await, 1);
        let is_visible = "const node = document.querySelector('#selected').getBoundingClientRect();
            return node.top >= 0 && node.bottom <= innerHeight && node.left >= 0 && node.right <= innerWidth;";
        assert_eq!(page.script(is_visible).await, true);

        page.visit("/map?find=in").await;
        assert!(page.text("#found-services").await.starts_with("3 of "), "{}", page.text("#found-services").await);
        assert_eq!(page.count("#panel").await, 0, "several services are found");
        assert_eq!(page.count(".map .faded").await, names(page).await.len() - 3);
        page.click_link("inventory").await;
        page.until_text("#panel h2", "inventory").await;
        page.visit("/map?find=nothing").await;
        assert!(page.text("#found-services").await.starts_with("0 of "));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_on_the_path_of_a_service_can_be_hidden() {
    in_browser(async |page| {
        page.turn_scripts_off().await;
        shop::traffic(&page.server, 27);
        page.visit("/map").await;
        let all = names(page).await.len();
        page.click_link("inventory").await;
        page.find("#panel").await;
        assert_eq!(names(page).await.len(), all);
        page.click("#path").await;
        page.find(".map .selected").await;
        assert_eq!(names(page).await, ["checkout", "inventory", "shop@db.internal", "storefront", "storefront"]);
        // The tables hold the same services as the drawing.
        assert_eq!(page.count("table[aria-labelledby=services] tbody tr").await, 4);
        assert_eq!(page.count("table[aria-labelledby=calls] tbody tr").await, 4);
        page.click("#path").await;
        page.find("#panel").await;
        assert_eq!(names(page).await.len(), all);
        page.click("#close").await;
        page.until("return !document.querySelector('#panel');").await;
    })
    .await;
}

#[tokio::test]
async fn the_map_can_show_what_fails_and_the_traces_of_a_filter() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        page.visit("/map").await;
        page.click_link("Only failing").await;
        page.until("return location.search === '?failing=only';").await;
        let failing = names(page).await;
        assert!(failing.iter().any(|name| name == "api.cardpay.example"), "{failing:?}");
        for name in ["search", "product-images", "inventory"] {
            assert!(!failing.iter().any(|other| other == name), "{name} in {failing:?}");
        }
        page.visit("/map?filter=service(%22inventory%22)").await;
        let of_inventory = names(page).await;
        assert!(of_inventory.iter().any(|name| name == "orders"), "{of_inventory:?}");
        assert!(!of_inventory.iter().any(|name| name == "cart"), "{of_inventory:?}");
        page.visit("/map?filter=ok&failing=only").await;
        assert_eq!(page.text(".empty h2").await, "Nothing fails");

        page.visit("/map").await;
        select(page, "inventory,", "inventory").await;
        page.click("#only-traces").await;
        page.until("return document.querySelector('#filter').value === 'service(\"inventory\")';").await;
        assert_eq!(names(page).await, of_inventory);

        page.visit("/map?filter=fualt+%3D+1").await;
        assert!(page.text("#filter-error").await.contains("did you mean fault?"));
        assert_eq!(page.count(".map").await, 0);
    })
    .await;
}

#[tokio::test]
async fn services_can_be_merged_by_host_and_by_namespace() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        // Two databases on one host.
        let call = json!({"id": "70de5b6f19ff9a0b", "name": "orders@db.internal", "namespace": "remote", "start_time": 1_795_600_000.0,
            "end_time": 1_795_600_001.0, "sql": {"sanitized_query": "SELECT 1"}});
        send(&page.server, &segment(&json!({"subsegments": [call]})));
        page.visit("/map").await;
        page.click_link("Hosts").await;
        page.until("return location.search === '?group=host';").await;
        let hosts = names(page).await;
        for host in ["Clients", "db.internal", "shop.example.com", "checkout.internal", "api.cardpay.example", "DynamoDB"] {
            assert_eq!(hosts.iter().filter(|name| *name == host).count(), 1, "{host} in {hosts:?}");
        }
        select(page, "db.internal,", "db.internal").await;
        assert_eq!(page.text("#members summary").await, "2 services");
        page.click("#traces").await;
        page.find(".traces").await;
        assert_eq!(
            page.script("return document.getElementById('filter').value;").await,
            "(service(\"orders@db.internal\") OR service(\"shop@db.internal\"))"
        );
        page.visit("/map?group=namespace").await;
        assert_eq!(names(page).await, ["Clients", "aws", "remote", "services"]);
    })
    .await;
}

#[tokio::test]
async fn the_table_of_services_has_no_rows_of_clients() {
    in_browser(async |page| {
        shop::traffic(&page.server, 9);
        page.visit("/map").await;
        assert!(page.text(".map").await.contains("Clients"));
        let names = "return [...document.querySelectorAll('table[aria-labelledby=services] tbody th')].map((cell) => cell.textContent);";
        let names: Vec<String> = page.evaluate(names).await;
        assert_eq!(names.iter().filter(|name| *name == "storefront").count(), 1, "{names:?}");
        let table = page.text("table[aria-labelledby=services]").await;
        assert!(!table.contains("Clients"), "{table}");
    })
    .await;
}

#[tokio::test]
async fn the_percentile_of_a_service_that_takes_microseconds_is_not_0() {
    in_browser(async |page| {
        let start = 1_795_600_000.0;
        send(&page.server, &segment(&json!({"start_time": start, "end_time": start + 0.000_043})));
        page.visit("/map").await;
        let cells = "return [...document.querySelectorAll('table[aria-labelledby=services] tbody td')].slice(-2).map((cell) => cell.textContent);";
        assert_eq!(page.script(cells).await, json!(["43 µs", "43 µs"]));
    })
    .await;
}

#[tokio::test]
async fn the_map_fits_the_width_of_a_phone_and_can_be_read() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        for width in [360, 320] {
            page.set_screen(width, 740, true).await;
            page.visit("/map").await;
            let fits = "return document.documentElement.scrollWidth <= innerWidth;";
            assert_eq!(page.script(fits).await, true, "{width}");
            // The height of a line of text as it is drawn, in CSS pixels. The smallest text of the console has 11.
            let heights = "return [...document.querySelectorAll('svg .node text')].filter((text) => text.checkVisibility())
                .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a);";
            let heights: Vec<f64> = page.evaluate(heights).await;
            let smallest = heights.iter().copied().fold(f64::INFINITY, f64::min);
            println!("on a phone of {width} pixels, the smallest text of the map has {smallest:.1} pixels");
            assert!(heights.len() > 20 && smallest >= 10.0, "{width}: {heights:?}");
            // Each service is drawn once, inside the screen, and so is each call.
            let outside = "return [...document.querySelectorAll('svg .node, svg .edge')].filter((part) => part.checkVisibility())
                .filter((part) => { const box = part.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth; }).length;";
            assert_eq!(page.script(outside).await, 0);
        }
        let shown = "return ['.map', '.narrow'].map((drawing) => [...document.querySelectorAll(drawing + ' .node')].filter((node) => node.checkVisibility()).length);";
        let [wide, narrow]: [usize; 2] = page.evaluate(shown).await;
        assert!(wide == 0 && narrow > 5, "{wide} {narrow}");
        // Callers stand above the services that they call.
        let tops = "return ['storefront', 'checkout', 'inventory'].map((name) => Math.max(...[...document.querySelectorAll('.narrow .node')]
            .filter((node) => node.querySelector('.name').dataset.whole === name).map((node) => node.getBoundingClientRect().top)));";
        let tops: Vec<f64> = page.evaluate(tops).await;
        assert!(tops.is_sorted_by(|a, b| a < b), "{tops:?}");

        // A size that the reader chooses holds on a phone, too.
        page.visit("/map?zoom=100").await;
        let [wide, narrow]: [usize; 2] = page.evaluate(shown).await;
        assert!(wide > 5 && narrow == 0, "{wide} {narrow}");
    })
    .await;
}

#[tokio::test]
async fn an_empty_map_says_so() {
    in_browser(async |page| {
        page.visit("/map").await;
        assert_eq!(page.text(".empty h2").await, "No services yet");
    })
    .await;
}
