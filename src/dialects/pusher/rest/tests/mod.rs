//! What servers of apps may ask, by the examples of Pusher's documents and by what its libraries were seen to send.

mod asked;
mod fuzz;
mod sign_in;
mod signed;
mod trigger;

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

use crate::dialects::pusher::rest::{Address, ApiRefusal, ApiRequest, Parameters, RawHead, Signed};
use crate::model::{
    AppId, AppKeys, AppLimits, AppSigning, AppWebhooks, BuildingView, ChannelApp, JsonText,
    Timestamp,
};

/// When the examples were signed.
const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

const SECRET: &str = "b0a1c2d3e4f506172839";

fn text(json: &str) -> JsonText {
    JsonText::parse(json).unwrap()
}

fn app(id: &str, keys: &str) -> ChannelApp {
    ChannelApp {
        id: AppId::new(id).unwrap(),
        name: "Door signs".to_owned(),
        keys: AppKeys::read(&text(keys)).unwrap(),
        user: None,
        client_events: true,
        subscription_counts: false,
        raw: false,
        sign: AppSigning::Rooms,
        webhooks: AppWebhooks::default(),
        limits: AppLimits::default(),
    }
}

/// The app of the examples with a second key, and another app.
fn apps() -> Vec<ChannelApp> {
    let own = format!(
        r#"[{{"key":"a1b2c3d4e5f60718293a","secret":"{SECRET}"}},{{"key":"newer","secret":"other"}}]"#
    );
    let other = r#"[{"key":"elsewhere","secret":"third"}]"#;
    vec![app("4201", &own), app("4202", other)]
}

/// Whose request it is, and whether its body is the one that was signed.
fn verify_by(
    apps: &[ChannelApp],
    head: &RawHead<'_>,
    app: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Signed, ApiRefusal> {
    let find = |key: &str| apps.iter().find_map(|app| Some((app, app.key(key)?)));
    let signed = Signed::verify(head, app, find, now)?;
    signed.check_body(body)?;
    Ok(signed)
}

/// The query of a request as a server makes it, with these parameters, none of which needs an escape.
fn query(method: &str, path: &str, parameters: &str, body: &str) -> String {
    let (key, secret) = ("a1b2c3d4e5f60718293a", SECRET);
    query_by(key, secret, method, path, parameters, body)
}

fn query_by(
    key: &str,
    secret: &str,
    method: &str,
    path: &str,
    parameters: &str,
    body: &str,
) -> String {
    let digest = Md5::digest(body.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let base =
        format!("auth_key={key}&auth_timestamp=1760000000&auth_version=1.0&body_md5={digest}");
    let mut pairs: Vec<&str> = base.split('&').collect();
    pairs.extend(parameters.split('&').filter(|pair| !pair.is_empty()));
    pairs.sort_by_key(|pair| pair.split_once('=').map(|(name, _)| name));
    let signed = pairs.join("&");
    let signature = hmac_of(secret, &format!("{method}\n{path}\n{signed}"));
    format!("{signed}&auth_signature={signature}")
}

fn hmac_of(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a server asks of the app of the examples, with a good signature.
fn ask(method: &str, path: &str, parameters: &str, body: &str) -> Result<ApiRequest, ApiRefusal> {
    let query = query(method, path, parameters, body);
    let head = RawHead {
        method,
        path,
        query: &query,
    };
    let address = Address::read(method, path).expect("there is such a resource");
    let app = address.app.as_deref();
    let signed = verify_by(&apps(), &head, app, body.as_bytes(), NOW)?;
    let building = BuildingView::default();
    ApiRequest::read(&signed, &building, address.endpoint, body.as_bytes())
}

#[track_caller]
fn refused<T: std::fmt::Debug>(asked: Result<T, ApiRefusal>, status: u16, part: &str) {
    let refusal = asked.unwrap_err();
    assert_eq!(refusal.status, status, "{}", refusal.text);
    assert!(refusal.text.contains(part), "{}", refusal.text);
    assert!(!refusal.text.contains(SECRET));
}
