//! Folders of files that the settings name, such as an app of PlaceOS: what browsers get of them, and what nobody does.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{BUILDING, Gateway, Plan, Response};

const SETTINGS: &str = r#"
[[static]]
path = "/backoffice/"
folder = "apps/backoffice"
fallback = "index.html"

[[static]]
path = "/plain"
folder = "apps/plain"

[[static]]
path = "/"
folder = "apps/root"
"#;

const PAGE: &str = "<!doctype html><title>Backoffice</title>";

/// A gateway with three folders beside a file that is none of theirs.
async fn gateway() -> Gateway {
    let plan = Plan::serve(BUILDING).file("riser.toml", SETTINGS);
    let apps = plan.folder().join("apps");
    for folder in ["backoffice/assets", "plain/assets", "root"] {
        fs::create_dir_all(apps.join(folder)).expect("a folder");
    }
    let script = "console.log(1);\n".repeat(200);
    for (name, text) in [
        ("backoffice/index.html", PAGE),
        ("backoffice/main.js", &script),
        ("backoffice/assets/a b.svg", "<svg/>"),
        ("plain/assets/x.txt", "x"),
        ("root/robots.txt", "nobody"),
        ("root/index.html", PAGE),
        ("secret.txt", "hunter2"),
    ] {
        fs::write(apps.join(name), text).expect("a file");
    }
    symlink("../secret.txt", apps.join("backoffice/out.txt")).expect("a link");
    symlink("main.js", apps.join("backoffice/in.js")).expect("a link");
    plan.start().await
}

async fn get(gateway: &Gateway, path: &str) -> Response {
    gateway.request("GET", path).fetch().await
}

#[tokio::test]
async fn an_app_gets_its_files_and_its_page_for_every_place_of_it() {
    let gateway = gateway().await;
    let page = get(&gateway, "/backoffice/").await;
    assert_eq!((page.status, &*page.body), (200, PAGE));
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    // The frame of a sign-in shows a page of the app.
    assert_eq!(page.header("x-frame-options"), None);
    assert_eq!(get(&gateway, "/backoffice/systems/sys-1").await.body, PAGE);
    let picture = get(&gateway, "/backoffice/assets/a%20b.svg").await;
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    let onward = get(&gateway, "/backoffice?a=1").await;
    assert_eq!(
        (onward.status, onward.header("location")),
        (308, Some("/backoffice/?a=1"))
    );
    assert_eq!(get(&gateway, "/backoffice/missing.js").await.status, 404);
    assert_eq!(get(&gateway, "/plain/assets/x.txt").await.body, "x");
    // No folder hides a resource.
    assert_eq!(get(&gateway, "/robots.txt").await.body, "nobody");
    assert_eq!(get(&gateway, "/").await.body, "");
    let authority = gateway.request("GET", "/auth/authority").ok().await;
    assert_eq!(authority["name"], "Headquarters");
    let wrong = gateway.request("DELETE", "/auth/authority").fetch().await;
    assert_eq!(wrong.status, 405);
}

#[tokio::test]
async fn a_file_is_compressed_once_and_sent_again_only_when_it_is_another() {
    let gateway = gateway().await;
    let path = "/backoffice/main.js";
    let plain = get(&gateway, path).await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.body.len(), 3200);
    let packed = async || {
        let request = gateway.request("GET", path);
        request.header("Accept-Encoding", "gzip, br").fetch().await
    };
    let (first, again) = (packed().await, packed().await);
    for answer in [&first, &again] {
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
        let length = answer.header("content-length").expect("a length");
        assert!(length.parse::<usize>().expect("a number") < 500, "{length}");
    }
    let tag = first.header("etag").expect("a tag").to_owned();
    assert_eq!(again.header("etag"), Some(&*tag));
    assert_ne!(plain.header("etag"), Some(&*tag));
    let known = async |tag: &str| {
        let request = gateway.request("GET", path).header("If-None-Match", tag);
        request.header("Accept-Encoding", "gzip").fetch().await
    };
    let same = known(&tag).await;
    assert_eq!((same.status, &*same.body), (304, ""));
    assert_eq!(same.header("etag"), Some(&*tag));
    assert_eq!(known("\"another\"").await.status, 200);
    let file = gateway.folder().join("apps/backoffice/main.js");
    fs::write(file, "console.log(2);\n".repeat(300)).expect("a file");
    assert_eq!(known(&tag).await.status, 200);

    let head = gateway.request("HEAD", path).fetch().await;
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(head.header("content-length"), Some("4800"));
    let posted = gateway.request("POST", path).fetch().await;
    assert_eq!(
        (posted.status, posted.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[tokio::test]
async fn the_console_is_sent_compressed_to_who_takes_that() {
    let gateway = Gateway::start(BUILDING).await;
    let path = "/console/main.js";
    let plain = get(&gateway, path).await;
    assert_eq!(plain.header("content-encoding"), None);
    let ask = |known: &str| {
        let request = gateway.request("GET", path);
        let request = request.header("Accept-Encoding", "gzip");
        request.header("If-None-Match", known)
    };
    let packed = ask("\"another\"").fetch().await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let length = |answer: &Response| -> usize {
        let length = answer.header("content-length").expect("a length");
        length.parse().expect("a number")
    };
    assert!(length(&packed) < length(&plain));
    for answer in [&plain, &packed] {
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert!(answer.header("content-security-policy").is_some());
    }
    let tag = packed.header("etag").expect("a tag");
    assert_ne!(plain.header("etag"), Some(tag));
    let same = ask(tag).fetch().await;
    assert_eq!((same.status, &*same.body), (304, ""));
    // Too short to be worth it.
    let picture = gateway.request("GET", "/console/icon.svg");
    let picture = picture.header("Accept-Encoding", "gzip").fetch().await;
    assert_eq!(picture.header("content-encoding"), None);
}

#[tokio::test]
async fn nothing_leads_out_of_a_folder_and_none_is_listed() {
    let gateway = gateway().await;
    assert_eq!(get(&gateway, "/backoffice/in.js").await.status, 200);
    for path in [
        "/backoffice/out.txt",
        "/backoffice/../secret.txt",
        "/backoffice/%2e%2e/secret.txt",
        "/backoffice/..%2fsecret.txt",
        "/backoffice/assets/../../secret.txt",
        "/backoffice/.%2e/secret.txt",
        "/backoffice//etc/passwd",
        "/backoffice/%00",
        "/plain/",
        "/plain/assets",
        "/plain/assets/",
    ] {
        let answer = get(&gateway, path).await;
        assert!(!answer.body.contains("hunter2"), "{path}");
        assert!(
            [400, 404].contains(&answer.status),
            "{path}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_as_one_is_a_mistake_of_the_settings() {
    for wrong in [
        "[[static]]\npath = \"/a\"\n",
        "[[static]]\npath = \"/a/../b\"\nfolder = \"x\"\n",
        "[[static]]\npath = \"/a\"\nfolder = \"x\"\nfallback = \"../y\"\n",
        "[[static]]\npath = \"/a\"\nfolder = \"x\"\nlisting = true\n",
        "[[static]]\npath = \"/a\"\nfolder = \"x\"\n[[static]]\npath = \"/a/\"\nfolder = \"y\"\n",
    ] {
        let refused = Plan::serve(BUILDING).file("riser.toml", wrong);
        let refused = refused.refused().await;
        let said = refused.err.join("\n");
        assert!(said.contains("static"), "{wrong}: {said}");
    }
}
