//! Apps: what an edit refuses of them, how they are found, and whose connections it closes.

use super::*;
use crate::core::tests::doubles::app;
use crate::model::{AppId, ChannelApp, Scope, StatusName};

fn id(text: &str) -> EntryId {
    EntryId::App(AppId::new(text).unwrap())
}

/// An app that acts for the user of the building.
fn of_user(keys: &[(&str, &str)]) -> ChannelApp {
    ChannelApp {
        user: Some(UserId::new("user-1").unwrap()),
        ..app("4201", keys)
    }
}

async fn put(bench: &Bench, app: ChannelApp) {
    bench.edit([Edit::put(Entry::App(app))]).await.unwrap();
}

/// The app of a key, and its secret.
fn found(bench: &Bench, key: &str) -> Option<(String, String)> {
    let directory = bench.core.queries.directory();
    let (app, key) = directory.app_of_key(key)?;
    Some((app.id.to_string(), key.secret.expose().to_owned()))
}

fn pair(app: &str, secret: &str) -> Option<(String, String)> {
    Some((app.to_owned(), secret.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn an_app_is_found_by_each_of_its_keys_for_as_long_as_it_has_them() {
    let bench = Bench::new().await;
    put(&bench, app("4201", &[("a", "s"), ("b", "t")])).await;
    put(&bench, app("4202", &[("c", "u")])).await;
    assert_eq!(found(&bench, "b"), pair("4201", "t"));
    assert_eq!(found(&bench, "c"), pair("4202", "u"));
    assert_eq!(found(&bench, "d"), None);
    put(&bench, app("4201", &[("d", "v")])).await;
    assert_eq!(found(&bench, "b"), None);
    assert_eq!(found(&bench, "d"), pair("4201", "v"));
    bench.edit([Edit::delete(id("4202"))]).await.unwrap();
    assert_eq!(found(&bench, "c"), None);
    let view = bench.core.views.view();
    let apps: Vec<&str> = view.apps.iter().map(|app| app.id.as_str()).collect();
    assert_eq!(apps, ["4201"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_that_of_one_app() {
    let bench = Bench::new().await;
    put(&bench, app("4201", &[("a", "s")])).await;
    check_invalid(&bench, Entry::App(app("4202", &[("a", "t")])), &["keys"]).await;
    let batch = [app("1", &[("b", "s")]), app("2", &[("b", "s")])];
    let refused = bench.edit(batch.map(Entry::App).map(Edit::put)).await;
    assert_eq!(fields(refused.unwrap_err()), ["keys"]);
    // In one edit a key can go from one app to another.
    let batch = [app("4201", &[]), app("4202", &[("a", "s")])];
    bench
        .edit(batch.map(Entry::App).map(Edit::put))
        .await
        .unwrap();
    assert_eq!(found(&bench, "a"), pair("4202", "s"));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_sound_app_is_refused_by_its_field() {
    let bench = Bench::new().await;
    check_invalid(&bench, Entry::App(app("signs", &[])), &["id"]).await;
    let mut of_nobody = app("4201", &[]);
    of_nobody.user = Some(UserId::new("nobody").unwrap());
    check_invalid(&bench, Entry::App(of_nobody), &["user"]).await;
}

#[tokio::test(start_paused = true)]
async fn apps_are_for_unrestricted_administrators() {
    let bench = Bench::new().await;
    let mut within = api_key("within", Clearance::Admin);
    within.systems.push(system("sys-1"));
    bench
        .edit([Edit::put(Entry::ApiKey(within))])
        .await
        .unwrap();
    for key in ["user", "support", "within"] {
        let caller = bench.authenticate(key).unwrap();
        let edit = Edit::put(Entry::App(app("4201", &[])));
        let refused = bench.core.editor.edit(&caller, vec![edit]).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, EditError::Forbidden(_)),
            "{key}: {refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_opens_no_more_than_the_credentials_that_make_it() {
    let bench = Bench::new().await;
    let mut narrow = api_key("narrow", Clearance::Admin);
    narrow.scopes = Scope::parse("apps").into_iter().collect();
    bench
        .edit([Edit::put(Entry::ApiKey(narrow))])
        .await
        .unwrap();
    let narrow = bench.authenticate("narrow").unwrap();
    let edit = async |app| {
        let edits = vec![Edit::put(Entry::App(app))];
        bench.core.editor.edit(&narrow, edits).await.map(drop)
    };
    let refused = edit(of_user(&[])).await.unwrap_err();
    assert!(matches!(refused, EditError::Forbidden(_)), "{refused}");
    edit(app("4201", &[])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_app_whose_user_is_deleted_reaches_no_room_any_more() {
    let bench = Bench::new().await;
    let mut ann = user(Clearance::User);
    ann.id = UserId::new("user-2").unwrap();
    ann.email = "b@example.test".to_owned();
    let of_ann = ChannelApp {
        user: Some(ann.id.clone()),
        ..app("4201", &[("a", "s")])
    };
    bench
        .edit([Edit::put(Entry::User(ann.clone()))])
        .await
        .unwrap();
    put(&bench, of_ann).await;
    bench.closed();
    bench
        .edit([Edit::delete(EntryId::User(ann.id))])
        .await
        .unwrap();
    let directory = bench.core.queries.directory();
    assert_eq!(
        directory.app(&AppId::new("4201").unwrap()).unwrap().user,
        None
    );
    assert_eq!(bench.closed(), ["app 4201"]);
}

#[tokio::test(start_paused = true)]
async fn the_connections_of_an_app_end_with_what_let_them_in() {
    let bench = Bench::new().await;
    put(&bench, of_user(&[("a", "s"), ("b", "t")])).await;
    let mut renamed = of_user(&[("c", "u"), ("a", "s"), ("b", "t")]);
    renamed.name = "Signs".to_owned();
    put(&bench, renamed).await;
    assert_eq!(bench.closed(), [""; 0], "it has lost nothing");
    put(&bench, of_user(&[("c", "u"), ("a", "s")])).await;
    assert_eq!(bench.closed(), ["app 4201"], "a key is gone");
    put(&bench, of_user(&[("c", "other"), ("a", "s")])).await;
    assert_eq!(bench.closed(), ["app 4201"], "a secret is another");
    put(&bench, app("4201", &[("c", "other"), ("a", "s")])).await;
    assert_eq!(bench.closed(), ["app 4201"], "it acts for no user");
    bench.edit([Edit::delete(id("4201"))]).await.unwrap();
    assert_eq!(bench.closed(), ["app 4201"], "it is gone");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_taken_away_on_a_full_disk_is_refused_at_once() {
    let bench = Bench::new().await;
    put(&bench, app("4201", &[("a", "s")])).await;
    bench.documents.set_failing(true);
    let refused = bench.edit([Edit::delete(id("4201"))]).await;
    assert!(matches!(refused, Err(EditError::Unkept)), "{refused:?}");
    assert_eq!(bench.closed(), ["app 4201"]);
    assert!(bench.core.building.trusted().app_of_key("a").is_none());
    assert_eq!(bench.core.views.view().apps.len(), 0);
    assert!(found(&bench, "a").is_some(), "it is kept yet");
}

#[tokio::test(start_paused = true)]
async fn the_connections_of_apps_end_with_what_was_public() {
    let bench = Bench::new().await;
    put(&bench, app("4201", &[("a", "s")])).await;
    let public = |names: &[&str]| {
        let mut shown = scripted("mod-1", None);
        let names = names.iter().map(|name| StatusName::new(name).unwrap());
        shown.statuses.public = names.collect();
        [Edit::put(Entry::Module(shown))]
    };
    bench.edit(public(&["power"])).await.unwrap();
    assert_eq!(bench.closed(), [""; 0]);
    bench.edit(public(&[])).await.unwrap();
    assert_eq!(bench.closed(), ["app 4201"]);
}

#[tokio::test(start_paused = true)]
async fn followers_of_the_building_are_told_nothing_of_apps() {
    let bench = Bench::new().await;
    bench.core.follows.watch(bench.outlet, Subject::Directory);
    bench.inbox.take();
    put(&bench, app("4201", &[("a", "s")])).await;
    assert_eq!(bench.inbox.take().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_public_statuses_of_a_module_are_part_of_the_view_and_restart_nothing() {
    let bench = Bench::new().await;
    let mut shown = scripted("mod-1", None);
    shown.statuses.public = Arc::from([StatusName::new("power").unwrap()]);
    let started = bench.host.lives().len();
    bench.edit([Edit::put(Entry::Module(shown))]).await.unwrap();
    bench.pass(SETTLE).await;
    let view = bench.core.views.view();
    assert_eq!(view.systems[0].modules[0].public.len(), 1);
    assert_eq!(bench.host.lives().len(), started);
}
