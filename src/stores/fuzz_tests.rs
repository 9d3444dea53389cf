//! Any text in a document of the store: it is refused, or read to what would be written again; and JSON that is kept is given back byte for byte.

use crate::model::fuzz::fuzz_text;
use crate::model::{
    Entry, EntryInfo, JsonText, Metadata, MetadataId, MetadataName, ParentId, Source, Version,
};
use crate::stores::Document;

const WORDS: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "null",
    "true",
    "0.10",
    "1e400",
    "-0",
    "1E-400",
    "\"\\ud800\"",
    "\\u0000",
    "123456789012345678901234567890",
    "\"id\":",
    "\"name\":",
    "\"details\":",
    "\"a\":",
    " ",
    "\n",
    "é",
    "\u{2028}",
    "\u{feff}",
];

#[test]
fn fuzz_kept_json() {
    let mut corpus: Vec<String> = JSON.iter().map(|json| (*json).to_owned()).collect();
    corpus.extend(JSON.iter().map(|json| metadata(json).json));
    let corpus: Vec<&str> = corpus.iter().map(String::as_str).collect();
    fuzz_text(&corpus, &WORDS, |text| {
        if let Ok(details) = JsonText::parse(text) {
            let document = metadata(details.as_str());
            let (entry, _) = document.entry().unwrap();
            let Entry::Metadata(metadata) = &entry else {
                panic!("it was metadata");
            };
            assert_eq!(metadata.details, details);
        }
        for collection in [
            "zones", "systems", "modules", "users", "api_keys", "metadata",
        ] {
            let document = Document {
                collection: collection.to_owned(),
                id: "zone-1\nmap".to_owned(),
                version: 7,
                json: text.to_owned(),
            };
            if let Ok((entry, info)) = document.entry() {
                let again = Document::of(&entry, &info);
                assert_eq!(again.entry().unwrap(), (entry, info));
            }
        }
    });
}

/// JSON in spellings that a parser would not write again.
const JSON: [&str; 5] = [
    r#"{"a":1.50,"b":[1e400,-0,12345678901234567890123],"a":2}"#,
    r#""\ud800\u0000\u2028""#,
    " [ 1.0 , 1E-400,\ttrue ] ",
    "null",
    r#"{"\u0061":{"":[{}]}}"#,
];

/// Metadata with these details, as it is kept.
fn metadata(details: &str) -> Document {
    let metadata = Metadata {
        id: MetadataId {
            parent: ParentId::new("zone-1").unwrap(),
            name: MetadataName::new("map").unwrap(),
        },
        description: String::new(),
        details: JsonText::parse(details).unwrap(),
        editors: Vec::new(),
    };
    let info = EntryInfo {
        source: Source::Elsewhere,
        version: Version(7),
        created_at: 1,
        updated_at: 2,
        place: 3,
    };
    Document::of(&Entry::Metadata(metadata), &info)
}
