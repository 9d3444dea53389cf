//! What is signed for clients.

use super::*;
use crate::dialects::pusher::rest::{SignInRefusal, SignInRequest, Signatory};

const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=UTF-8");

const ADA: Signatory<'_> = Signatory {
    user: "u-7",
    name: "Ada",
    device: None,
};

/// What is answered to a form, where any channel is signed.
fn signed(form: &str) -> Result<String, SignInRefusal> {
    let mut apps = apps();
    for app in &mut apps {
        app.sign = AppSigning::All;
    }
    let request = SignInRequest::read(FORM, "", form.as_bytes())?;
    let (app, key) = request.app(each(&apps))?;
    Ok(request
        .channel(&BuildingView::default(), app, key)?
        .sign(ADA))
}

fn each(apps: &[ChannelApp]) -> impl Iterator<Item = &ChannelApp> {
    apps.iter()
}

fn why(asked: Result<String, SignInRefusal>) -> String {
    asked.unwrap_err().to_string()
}

#[test]
fn a_private_channel_is_signed_as_the_library_signs_it() {
    let form = "socket_id=1234.5678&channel_name=private-sys-1.Display_1&app=4201";
    let auth =
        "a1b2c3d4e5f60718293a:6e4310ad0f7841b67d17fc25882a3fc86cd9108c68d5cc834d4ab2a0c1edeed6";
    assert_eq!(signed(form).unwrap(), format!(r#"{{"auth":"{auth}"}}"#));
}

#[test]
fn a_presence_channel_is_signed_with_who_comes() {
    let form = "socket_id=1234.5678&channel_name=presence-room-3.07&app=4201";
    let auth =
        "a1b2c3d4e5f60718293a:3058d46626db835342e55ee1671c42665d3d936a9e409c41d0f880a705abdbbf";
    let data = r#"{\"user_id\":\"u-7\",\"user_info\":{\"name\":\"Ada\"}}"#;
    let expect = format!(r#"{{"auth":"{auth}","channel_data":"{data}"}}"#);
    assert_eq!(signed(form).unwrap(), expect);
    let with_device = format!("{form}&device={}", "d".repeat(200));
    let shown = format!(r#"\"device\":\"{}\"}}"#, "d".repeat(100));
    assert!(signed(&with_device).unwrap().contains(&shown));
}

#[test]
fn a_user_is_signed_with_the_socket() {
    let request = SignInRequest::read(FORM, "app=4201", b"socket_id=1234.5678").unwrap();
    let apps = apps();
    let (_, key) = request.app(each(&apps)).unwrap();
    let data = r#"{"id":"u-7","user_info":{"name":"Ada"}}"#;
    let signature = hmac_of(SECRET, &format!("1234.5678::user::{data}"));
    let answer: serde_json::Value = serde_json::from_str(&request.user(key, ADA)).unwrap();
    let auth = format!("a1b2c3d4e5f60718293a:{signature}");
    assert_eq!(
        answer,
        serde_json::json!({ "auth": auth, "user_data": data })
    );
}

#[test]
fn a_request_is_a_form_or_json() {
    let json = br#"{"socket_id":"1.2","channel_name":"private-a","app":"4201","more":1}"#;
    let json = SignInRequest::read(Some("application/json"), "", json).unwrap();
    let form = b"socket_id=1.2&channel_name=private-a&app=4201&more=1";
    assert_eq!(SignInRequest::read(FORM, "", form).unwrap(), json);
    for (content_type, body) in [
        (Some("application/json"), "socket_id=1.2"),
        (FORM, ""),
        (FORM, "socket_id=1.2.3"),
        (FORM, "socket_id=1.2%0a"),
    ] {
        let read = SignInRequest::read(content_type, "", body.as_bytes());
        assert!(read.is_err(), "{body}");
    }
}

#[test]
fn the_app_may_be_left_out_where_there_is_one() {
    let request = SignInRequest::read(FORM, "", b"socket_id=1.2").unwrap();
    let apps = apps();
    assert!(
        request
            .app(each(&apps))
            .unwrap_err()
            .to_string()
            .contains("`app`")
    );
    assert!(request.app([]).is_err());
    assert!(request.app(each(&apps[..1])).is_ok());
    let request = SignInRequest::read(FORM, "app=9", b"socket_id=1.2").unwrap();
    assert!(request.app(each(&apps[..1])).is_err());
}

#[test]
fn what_no_signature_opens_is_not_signed() {
    for (channel, part) in [
        ("a", "no signature"),
        ("cache-a", "no signature"),
        ("%23server-to-user-u-7", "no signature"),
        ("private-encrypted-a", "encrypted"),
        ("private-a%20b", "no name"),
        ("", "no name"),
    ] {
        let form = format!("socket_id=1.2&app=4201&channel_name={channel}");
        let why = why(signed(&form));
        assert!(why.contains(part), "{channel}: {why}");
    }
}

#[test]
fn without_a_word_in_the_app_only_channels_of_rooms_are_signed() {
    let apps = apps();
    let sign = |channel: &str| {
        let form = format!("socket_id=1.2&app=4201&channel_name={channel}");
        let request = SignInRequest::read(FORM, "", form.as_bytes()).unwrap();
        let (app, key) = request.app(each(&apps)).unwrap();
        let grant = request.channel(&BuildingView::default(), app, key)?;
        assert!(grant.needs().is_some(), "{channel}");
        Ok::<_, SignInRefusal>(grant.sign(ADA))
    };
    assert!(sign("private-chat").is_err());
    assert!(sign("presence-chat").is_err());
    assert!(sign("private-mod.sys-alpha").is_err(), "it is no room");
    for room in [
        "private-mod.sys-alpha.Display_1",
        "private-cache-st.sys-alpha.Display_1.power",
        "private-ctl.sys-alpha",
        "presence-room.sys-alpha",
        "private-events",
    ] {
        assert!(sign(room).is_ok(), "{room}");
    }
}
