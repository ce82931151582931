//! The service map.

use serde_json::json;

use crate::browser::in_browser;
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
async fn an_empty_map_says_so() {
    in_browser(async |page| {
        page.visit("/map").await;
        assert_eq!(page.text(".empty h2").await, "No services yet");
    })
    .await;
}
