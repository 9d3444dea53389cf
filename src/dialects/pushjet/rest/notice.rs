//! What a service has to say, and what it is called: trimmed, cut and bounded as Pushjet does it.

use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::limits::{ADDRESS_MAX_BYTES, TEXT_MAX_BYTES, TITLE_MAX_CHARS};
use crate::dialects::pushjet::rest::Parameters;
use crate::model::{MessageLevel, Notice};

/// Reads a message. Its text is kept as it came, blanks and all.
pub(super) fn notice(parameters: &Parameters) -> Result<Notice, PushjetError> {
    let text = parameters.said("message").unwrap_or_default();
    if text.is_empty() {
        return Err(PushjetError::MissingArgument("message"));
    }
    bounded("message", text, TEXT_MAX_BYTES)?;
    Ok(Notice {
        text: text.to_owned(),
        title: title(parameters.said("title").unwrap_or_default()),
        link: address("link", parameters.said("link").unwrap_or_default())?,
        level: level(parameters.said("level").unwrap_or_default()),
    })
}

/// A title of a message or a name of a service.
pub(super) fn title(text: &str) -> String {
    let text = text.trim();
    let cut: String = text.chars().take(TITLE_MAX_CHARS).collect();
    cut.trim_end().to_owned()
}

/// The address of a link or an icon. Whether it is one is not looked at.
pub(super) fn address(argument: &'static str, text: &str) -> Result<String, PushjetError> {
    let text = text.trim();
    bounded(argument, text, ADDRESS_MAX_BYTES)?;
    Ok(text.to_owned())
}

/// What is no number from 1 to 5 is the usual level.
fn level(text: &str) -> MessageLevel {
    let number = text.trim().parse();
    number.map_or(MessageLevel::USUAL, MessageLevel::of)
}

fn bounded(argument: &'static str, text: &str, max_bytes: usize) -> Result<(), PushjetError> {
    match text.len() <= max_bytes {
        true => Ok(()),
        false => Err(PushjetError::TooLong {
            argument,
            max_bytes,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Result<Notice, PushjetError> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        notice(&Parameters::read(None, "", body.finish().as_bytes()))
    }

    #[test]
    fn a_text_is_kept_and_a_title_and_a_link_are_trimmed() {
        let fields = [
            ("message", " Überdruck 🔥\n"),
            ("title", "  Boiler "),
            ("link", "\thttp://a.test "),
            ("level", " 5"),
        ];
        let expect = Notice {
            text: " Überdruck 🔥\n".to_owned(),
            title: "Boiler".to_owned(),
            link: "http://a.test".to_owned(),
            level: MessageLevel::DANGER,
        };
        assert_eq!(read(&fields), Ok(expect));
        assert_eq!(read(&[("message", " ")]).unwrap().text, " ");
    }

    #[test]
    fn a_message_without_text_is_none() {
        let missing = Err(PushjetError::MissingArgument("message"));
        assert_eq!(read(&[("title", "x")]), missing);
        assert_eq!(read(&[("message", "")]), missing);
    }

    #[test]
    fn a_long_title_is_cut_between_characters() {
        let long = format!("{}é{}", "x".repeat(254), "y".repeat(45));
        let cut = format!("{}é", "x".repeat(254));
        assert_eq!(title(&long), cut);
        // A blank at the cut would be one at the end.
        assert_eq!(title(&format!("{} y", "x".repeat(254))), "x".repeat(254));
    }

    #[test]
    fn a_level_is_a_whole_number_from_1_to_5_or_the_usual_one() {
        for (text, expect) in [
            ("1", 1),
            ("2", 2),
            ("5", 5),
            ("", 3),
            ("0", 3),
            ("6", 3),
            ("12", 3),
            ("-1", 3),
            ("x", 3),
            ("4.0", 3),
            ("99999999999999999999", 3),
        ] {
            assert_eq!(level(text).number(), expect, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_named_with_its_bound() {
        let umlauts = "ü".repeat(TEXT_MAX_BYTES / 2);
        assert!(read(&[("message", &umlauts)]).is_ok());
        let too_long = |argument, max_bytes| {
            let error = PushjetError::TooLong {
                argument,
                max_bytes,
            };
            assert_eq!((error.id(), error.status()), (12, 413));
            Err(error)
        };
        assert_eq!(
            read(&[("message", &format!("{umlauts}x"))]),
            too_long("message", 16_384)
        );
        let address = "x".repeat(ADDRESS_MAX_BYTES + 1);
        assert_eq!(
            read(&[("message", "x"), ("link", &address)]),
            too_long("link", 2_048)
        );
        assert!(read(&[("message", "x"), ("link", &format!("{} ", &address[1..]))]).is_ok());
    }
}
