//! Any text in a frame and any bytes in a body: a frame is answered once, a body is read or refused, and JSON that is kept stays as it was given.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::value::RawValue;

use crate::dialects::placeos::claims;
use crate::dialects::placeos::properties::{answer, session};
use crate::dialects::placeos::rest::documents::{
    Details, KeyDocument, MetadataDocument, ModuleDocument, SystemDocument, UserDocument,
    ZoneDocument, read,
};
use crate::dialects::placeos::rest::{
    AuthorizeRequest, Listing, ModuleFilter, Parameters, Query, SocketQuery, SystemFilter,
    TokenRequest, ZoneFilter, read_call,
};
use crate::model::fuzz::{fuzz, fuzz_text};
use crate::model::{JsonText, Metadata, MetadataName, ModuleId, ParentId};

const WORDS: [&str; 30] = [
    "\"id\"",
    "\"cmd\"",
    "\"exec\"",
    "\"bind\"",
    "\"args\"",
    "\"details\"",
    "\"name\"",
    "null",
    "true",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\ud800",
    "\\u0000",
    "1e400",
    "-0",
    "1E-400",
    "0.10",
    "123456789012345678901234567890",
    "\"a\":",
    "&",
    "=",
    "%",
    "é",
    "\u{2028}",
];

#[test]
fn fuzz_frames_of_a_session() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/placeos");
    let mut frames = vec!["ping".to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let played = fs::read_to_string(entry.unwrap().path()).unwrap();
        let sent = played.lines().filter_map(|line| line.strip_prefix("C> "));
        frames.extend(sent.map(str::to_owned));
    }
    assert!(frames.len() > 20, "the transcripts are there");
    let corpus: Vec<&str> = frames.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &WORDS, |text| {
        let answer = answer(&mut session(), text);
        if answer == "pong" {
            return;
        }
        // By tokens, since an id comes back as it came, also as half a character.
        let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(&answer).unwrap();
        let id = fields["id"].get();
        assert!(
            id.starts_with(['"', '-']) || id.starts_with(|c: char| c.is_ascii_digit()),
            "{answer}"
        );
        let kind = fields["type"].get();
        assert!([r#""success""#, r#""error""#].contains(&kind), "{answer}");
    });
}

#[test]
fn fuzz_bodies() {
    let corpus = [
        &br#"{"id":"zone-1","name":"Zone","tags":["a"],"parent_id":null,"description":"x"}"#[..],
        br#"{"name":"Room","zones":["zone-1"],"modules":["mod-1"],"capacity":8,"bookable":true}"#,
        br#"{"driver_id":"virtual","uri":"http://x","settings":[{"settings_string":"{a: 1}"}]}"#,
        br#"{"name":"map","details":{"a":1.50,"b":[1e400,"\ud800"]},"editors":["x"]}"#,
        br#"{"email":"a@b.test","password":"hunter2","support":true,"groups":["g"]}"#,
        br#"{"user_id":"user-1","scopes":["public"],"permissions":"admin"}"#,
        br#"{"__exec__":"set","set":["a",{"b":[1,2.0]}]}"#,
        b"grant_type=password&client_id=c&username=a%40b.test&password=%ff&scope=public+x.read",
        b"response_type=code&redirect_uri=http%3A%2F%2Fx%2Fy&code_challenge=abc&state=%00&limit=5&offset=-1&q=a",
        br#"{"iss":"POS","iat":1,"exp":2,"aud":"x","sub":"user-1","scope":["public"],"u":{"n":"A","e":"a@b","p":1,"r":["g"]}}"#,
    ];
    let corpus: Vec<Vec<u8>> = corpus.iter().map(|body| body.to_vec()).collect();
    fuzz(&corpus, &WORDS, |body| {
        let _ = read::<ZoneDocument>(body).map(|document| document.id());
        let _ = read::<SystemDocument>(body).map(|document| document.id());
        let _ = read::<ModuleDocument>(body).map(|document| document.id());
        let _ = read::<UserDocument>(body).map(|document| document.id());
        let _ = read::<KeyDocument>(body).map(|document| document.id());
        if let Ok(document) = read::<MetadataDocument>(body) {
            check_details(body, &document);
        }
        let _ = read_call(ModuleId::new("mod-1").unwrap(), body);
        let text = String::from_utf8_lossy(body);
        let _ = claims::read(&text);
        for parameters in [Parameters::read(&text, b""), Parameters::read("", body)] {
            let _ = AuthorizeRequest::read(&parameters);
            let _ = TokenRequest::read(&parameters);
        }
        let query = Query::parse(&text);
        let _ = Listing::read(&query);
        let _ = SystemFilter::read(&query);
        let _ = ZoneFilter::read(&query);
        let _ = ModuleFilter::read(&query);
        let _ = SocketQuery::read(&query);
    });
}

/// What stands in metadata before a document comes, in spellings that a parser would not write again.
const BEFORE: &str = r#"{"big":1e400,"half":"\ud800","kept":1.50,"a":0}"#;

/// The details that a document gives are kept byte for byte, whether they replace those that are there or are put into them.
///
/// Merging keeps `1e400` and a lone surrogate only since it no longer goes through a parsed value.
fn check_details(body: &[u8], document: &MetadataDocument) {
    let Ok(fields) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body) else {
        return;
    };
    let Some(given) = fields.get("details").map(|details| details.get()) else {
        return;
    };
    if given == "null" {
        return;
    }
    let amended = |how| {
        let parent = ParentId::new("zone-1").unwrap();
        let blank = MetadataDocument::blank(parent, MetadataName::new("map").unwrap());
        let details = JsonText::parse(BEFORE).unwrap();
        let mut metadata = Metadata { details, ..blank };
        document.amend(&mut metadata, how);
        metadata.details
    };
    assert_eq!(amended(Details::Replaced).as_str(), given);
    let Ok(new) = serde_json::from_str::<BTreeMap<String, &RawValue>>(given) else {
        return;
    };
    let merged = amended(Details::Merged);
    let merged: BTreeMap<String, &RawValue> = serde_json::from_str(merged.as_str()).unwrap();
    let mut expected: BTreeMap<String, &RawValue> = serde_json::from_str(BEFORE).unwrap();
    expected.extend(new);
    let texts = |fields: BTreeMap<String, &RawValue>| -> BTreeMap<String, String> {
        let fields = fields.into_iter();
        fields
            .map(|(name, value)| (name, value.get().to_owned()))
            .collect()
    };
    assert_eq!(texts(merged), texts(expected));
}
