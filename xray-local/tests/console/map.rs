//! The service map.

use serde_json::json;

use crate::browser::in_browser;
use crate::server::{segment, send};
use crate::shop;

#[tokio::test]
async fn the_map_shows_services_and_calls_with_their_figures() {
    in_browser(async |page| {
        shop::traffic(&page.server, 54);
        page.visit("/map").await;
        let names = "return [...document.querySelectorAll('.map .node .name')].map((name) => name.textContent).sort();";
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
                .find((node) => node.querySelector('.name').textContent === NAME).getBoundingClientRect().left;";
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
async fn nodes_and_edges_lead_to_their_traces() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        page.visit("/map").await;
        let click = "const node = [...document.querySelectorAll('.map a')].find((node) => node.querySelector('title').textContent.startsWith(START));
            node.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));";
        for (start, filter, traces) in [
            ("orders,", "service(\"orders\")", 8),
            ("storefront → storefront", "service(\"storefront\")", 27),
            ("checkout → inventory", "edge(\"checkout\", \"inventory\")", 9),
        ] {
            page.visit("/map").await;
            page.script(&click.replace("START", &json!(start).to_string())).await;
            page.find(".traces").await;
            assert_eq!(page.script("return document.getElementById('filter').value;").await, filter);
            assert_eq!(page.count(".traces tbody tr").await, traces);
        }
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
async fn the_map_fits_the_width_of_a_phone() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.set_screen(360, 740, true).await;
        page.visit("/map").await;
        let fits = "const map = document.querySelector('.map'); return map.scrollWidth <= map.clientWidth;";
        assert_eq!(page.script(fits).await, true);
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
