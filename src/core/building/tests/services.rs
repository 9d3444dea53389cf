//! Services: what an edit refuses of them, how they are found, and what becomes of one whose system goes.

use super::*;
use crate::model::{Collection, Service, ServiceKey, Value, Values};

/// A service whose secret is this sign, over and over.
fn service(sign: &str, name: &str, systems: &[&str]) -> Service {
    let key = ServiceKey::of_secret(&sign.repeat(32)).unwrap().to_string();
    let systems = systems.iter().map(|id| (*id).to_owned().into());
    let values = Values::none()
        .with("public", Value::Text(key.into()))
        .with("name", Value::Text(name.to_owned().into()))
        .with("systems", Value::Texts(systems.collect()));
    Service::build(values).unwrap()
}

async fn put(bench: &Bench, service: Service) {
    let edit = Edit::put(Entry::Service(service));
    bench.edit([edit]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_is_found_by_its_key_and_its_name() {
    let bench = Bench::new().await;
    let [lobby, other] = ["a", "b"].map(|sign| service(sign, "Lobby", &[]));
    put(&bench, lobby.clone()).await;
    put(&bench, other.clone()).await;
    put(&bench, service("c", "Boiler room", &[])).await;
    let directory = bench.core.queries.directory();
    assert_eq!(directory.service(&other.key), Some(&other));
    let named: Vec<&Service> = directory.services_named("Lobby").collect();
    assert_eq!(named, [&lobby, &other]);
    assert_eq!(directory.services().len(), 3);

    let gone = EntryId::Service(lobby.key.clone());
    bench.edit([Edit::delete(gone)]).await.unwrap();
    let directory = bench.core.queries.directory();
    assert_eq!(directory.service(&lobby.key), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_sound_service_is_refused_by_its_field() {
    let bench = Bench::new().await;
    let of_nothing = service("a", "Lobby", &["sys-9"]);
    check_invalid(&bench, Entry::Service(of_nothing), &["systems"]).await;
    check_invalid(&bench, Entry::Service(service("a", " ", &[])), &["name"]).await;
    check_invalid(&bench, Entry::Service(service("a", "", &[])), &["name"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_lets_go_of_a_system_that_is_deleted() {
    let bench = Bench::new().await;
    let told = service("a", "Lobby", &["sys-1"]);
    put(&bench, told.clone()).await;
    let gone = EntryId::System(system("sys-1"));
    bench.edit([Edit::delete(gone)]).await.unwrap();
    let directory = bench.core.queries.directory();
    let left = directory.service(&told.key).unwrap();
    assert_eq!(left, &service("a", "Lobby", &[]));
}

#[tokio::test(start_paused = true)]
async fn services_are_for_unrestricted_administrators() {
    let bench = Bench::new().await;
    let mut within = api_key("within", Clearance::Admin);
    within.systems.push(system("sys-1"));
    bench
        .edit([Edit::put(Entry::ApiKey(within))])
        .await
        .unwrap();
    for key in ["user", "support", "within"] {
        let caller = bench.authenticate(key).unwrap();
        let edit = Edit::put(Entry::Service(service("a", "Lobby", &[])));
        let refused = bench.core.editor.edit(&caller, vec![edit]).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, EditError::Forbidden(_)),
            "{key}: {refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_owns_the_services_that_it_named() {
    let bench = Bench::new().await;
    let apply = async |services: Vec<Service>| {
        let building = Building {
            services,
            ..building()
        };
        doubles::apply(&bench.core, building).await.unwrap();
    };
    let elsewhere = service("b", "Made elsewhere", &[]);
    put(&bench, elsewhere.clone()).await;
    apply(vec![service("a", "Of the file", &[])]).await;
    assert_eq!(bench.core.queries.directory().services().len(), 2);
    apply(Vec::new()).await;
    let directory = bench.core.queries.directory();
    let left: Vec<&Service> = directory.services().collect();
    assert_eq!(left, [&elsewhere]);
}
