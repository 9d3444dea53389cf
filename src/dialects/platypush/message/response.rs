//! A response: what an action has put out, or what was wrong.

use crate::dialects::platypush::ORIGIN;
use crate::dialects::platypush::message::{MessageId, put_json, seconds};
use crate::model::{JsonText, Timestamp};

/// Writes the response to a request. An output that is null becomes a success, as in Platypush; every other one is written as it is.
pub fn put_response(
    id: &MessageId,
    at: Timestamp,
    outcome: Result<&JsonText, &str>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.as_json().as_bytes());
    out.extend_from_slice(b",\"type\":\"response\",\"target\":\"http\",\"origin\":");
    put_json(ORIGIN, out);
    out.extend_from_slice(b",\"_timestamp\":");
    out.extend_from_slice(seconds(at).as_bytes());
    out.extend_from_slice(b",\"response\":{\"output\":");
    match outcome {
        Ok(output) if output.is_null() => {
            out.extend_from_slice(b"{\"success\":true},\"errors\":[]}}");
        }
        Ok(output) => {
            out.extend_from_slice(output.as_str().as_bytes());
            out.extend_from_slice(b",\"errors\":[]}}");
        }
        Err(error) => {
            out.extend_from_slice(b"{\"success\":false},\"errors\":[");
            put_json(error, out);
            out.extend_from_slice(b"]}}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(outcome: Result<&str, &str>) -> String {
        let json = outcome.map(|json| JsonText::parse(json).unwrap());
        let mut out = Vec::new();
        let at = Timestamp(1_795_226_000_200_000);
        put_response(
            &MessageId::drawn(1),
            at,
            json.as_ref().map_err(|it| *it),
            &mut out,
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_response_has_its_keys_in_platypushs_order() {
        let expect = r#"{"id":"00000000000000000000000000000001","type":"response","target":"http","origin":"riser","_timestamp":1795226000.2,"response":{"output":{"success":true},"errors":[]}}"#;
        assert_eq!(written(Ok("null")), expect);
    }

    #[test]
    fn an_output_keeps_its_type_and_an_error_has_none() {
        assert!(written(Ok(r#""7""#)).ends_with(r#""response":{"output":"7","errors":[]}}"#));
        assert!(written(Ok("1.50")).ends_with(r#""response":{"output":1.50,"errors":[]}}"#));
        let failed = written(Err("no \"such\" thing"));
        let expect = r#""response":{"output":{"success":false},"errors":["no \"such\" thing"]}}"#;
        assert!(failed.ends_with(expect), "{failed}");
    }
}
