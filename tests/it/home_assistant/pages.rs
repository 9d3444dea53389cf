//! The dialect's own address: everything at the root, and the dashboard's files where a folder of them is named.

use std::fs;
use std::net::SocketAddr;

use super::*;
use crate::harness::DEADLINE;

const INDEX: &str =
    "<title>Home</title><meta content=\"{{ theme_color }}\"><script>{%- for m in extra_modules -%}import(\"{{ m }}\");{%- endfor -%}</script>";

/// A gateway with an address for the dialect, and where that is.
async fn serve(plan: Plan) -> (Gateway, SocketAddr) {
    let plan = plan.variable("RISER_HOME_ASSISTANT__LISTEN", "127.0.0.1:0");
    let mut gateway = plan.start().await;
    let line = gateway.next_line(DEADLINE).await.expect("a line");
    let address = line.strip_prefix("listening home_assistant http://");
    let address = address.unwrap_or_else(|| panic!("{line}"));
    (gateway, address.parse().expect("an address"))
}

/// The same with a dashboard.
async fn with_pages() -> (Gateway, SocketAddr) {
    let plan = Plan::serve(BUILDING);
    let folder = plan.folder().join("frontend");
    for (path, content) in [
        ("index.html", INDEX),
        ("authorize.html", "<ha-authorize></ha-authorize>"),
        ("frontend_latest/app.js", "plain"),
        ("frontend_latest/app.js.br", "shorter"),
        ("static/icons/a.svg", "<svg/>"),
        ("__init__.py", "secret"),
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    let folder = folder.display().to_string();
    serve(plan.variable("RISER_HOME_ASSISTANT__FRONTEND", &folder)).await
}

async fn get(address: SocketAddr, path: &str) -> Response {
    Request::new(address, "GET", path).send().await
}

#[tokio::test]
async fn everything_of_the_dialect_stands_at_the_root_of_its_own_address() {
    let (_gateway, address) = serve(Plan::serve(BUILDING).base_path("/riser")).await;
    let running = Request::new(address, "GET", "/api/").bearer(ADMIN);
    assert_eq!(running.send().await.status, 200);
    for path in ["/", "/nothing", "/api", "/api/nothing", "/healthz"] {
        assert_answer(&get(address, path).await, 404, "404: Not Found");
    }
    let token = Request::new(address, "POST", "/auth/token");
    let token = multipart(token, &exchange("x", APP)).send().await;
    assert_eq!(token.status, 400);
    let wrong = Request::new(address, "PUT", "/api/states").send().await;
    assert_answer(&wrong, 405, "405: Method Not Allowed");
}

#[tokio::test]
async fn every_place_of_the_dashboard_is_its_page_and_the_api_is_not() {
    let (_gateway, address) = with_pages().await;
    for path in ["/", "/lovelace/0", "/config/areas", "/history"] {
        let page = get(address, path).await;
        assert_eq!(page.status, 200, "{path}");
        let rendered = "<title>Home</title><meta content=\"#18BCF2\"><script></script>";
        assert_eq!(page.body, rendered, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
    }
    let page = get(address, "/auth/authorize?client_id=x").await;
    assert_answer(&page, 200, "<ha-authorize></ha-authorize>");
    for path in ["/api/nothing", "/api", "/auth/nothing", "/__init__.py", "/static/x.js"] {
        assert_answer(&get(address, path).await, 404, "404: Not Found");
    }
    let posted = Request::new(address, "POST", "/lovelace/0").send().await;
    assert_eq!(posted.status, 404);
    let wrong = get(address, "/api/events/x").await;
    assert_answer(&wrong, 405, "405: Method Not Allowed");
}

#[tokio::test]
async fn a_file_is_kept_by_browsers_and_comes_in_the_shortest_form_that_they_take() {
    let (_gateway, address) = with_pages().await;
    let plain = get(address, "/frontend_latest/app.js").await;
    assert_answer(&plain, 200, "plain");
    let kind = plain.header("content-type");
    assert_eq!(kind, Some("text/javascript; charset=utf-8"));
    let kept = plain.header("cache-control").expect("for how long");
    assert!(kept.contains("immutable"), "{kept}");
    let tag = plain.header("etag").expect("a tag").to_owned();
    let again = Request::new(address, "GET", "/frontend_latest/app.js");
    let again = again.header("If-None-Match", &tag).send().await;
    assert_answer(&again, 304, "");
    let shorter = Request::new(address, "GET", "/frontend_latest/app.js");
    let shorter = shorter.header("Accept-Encoding", "gzip, br").send().await;
    assert_answer(&shorter, 200, "shorter");
    assert_eq!(shorter.header("content-encoding"), Some("br"));
    assert_ne!(shorter.header("etag"), Some(&*tag));
    let image = get(address, "/static/icons/a.svg").await;
    assert_eq!(image.header("content-type"), Some("image/svg+xml"));
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let (_gateway, address) = with_pages().await;
    for path in [
        "/static/../__init__.py",
        "/static/%2e%2e/__init__.py",
        "/static/..%2f__init__.py",
        "/static/%2fetc/passwd",
        "/frontend_latest/../../building.yaml",
    ] {
        let refused = get(address, path).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.body);
    }
}
