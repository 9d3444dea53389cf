//! The parameters of a query, in each of the ways in which clients may have meant them.
//!
//! Separate from forms, because a signature is over the parameters as the client had them before it escaped them,
//! and clients differ in how they escape.

use percent_encoding::percent_decode_str;

/// The parameters of a query, names in lower case, in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// How a query is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoding {
    /// `%3D` is `=`, and `+` is itself.
    Percent,
    /// Nothing is decoded.
    Verbatim,
    /// `%3D` is `=`, and `+` is a space.
    Form,
}

impl Decoding {
    /// All of them, the most common first.
    pub(super) const ALL: [Self; 3] = [Self::Percent, Self::Verbatim, Self::Form];

    fn decode(self, text: &str) -> Option<String> {
        let percent = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
        match self {
            Self::Percent => percent(text),
            Self::Verbatim => Some(text.to_owned()),
            Self::Form => percent(&text.replace('+', " ")),
        }
    }
}

impl Parameters {
    /// Reads a query; `None` where it is no text by this decoding.
    ///
    /// `;` is a legal character of channels and separates nothing, and a value may have `=` in it.
    pub(super) fn read(query: &str, decoding: Decoding) -> Option<Self> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoding.decode(name)?.to_ascii_lowercase();
            Some((name, decoding.decode(value)?))
        });
        pairs.collect::<Option<_>>().map(Self)
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| &**value)
    }

    /// All but one, sorted by name, as a signature has them.
    pub(super) fn signed_text(&self, but: &str) -> String {
        let mut pairs: Vec<_> = self.0.iter().filter(|(name, _)| name != but).collect();
        // Stable: of one name, the order of the query counts.
        pairs.sort_by_key(|(name, _)| name);
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, decoding: Decoding, expect: &[(&str, &str)]) {
        let read = Parameters::read(query, decoding).expect("it is text");
        let expect = expect.iter().map(|(name, value)| {
            let (name, value) = ((*name).to_owned(), (*value).to_owned());
            (name, value)
        });
        assert_eq!(read.0, expect.collect::<Vec<_>>(), "{query}");
    }

    #[test]
    fn only_the_ampersand_and_the_first_equals_sign_separate() {
        check(
            "a=1;b=2&C==x=&&d",
            Decoding::Percent,
            &[("a", "1;b=2"), ("c", "=x="), ("d", "")],
        );
    }

    #[test]
    fn a_plus_is_a_space_in_a_form_alone() {
        check("a=1+2%20", Decoding::Percent, &[("a", "1+2 ")]);
        check("a=1+2%20", Decoding::Verbatim, &[("a", "1+2%20")]);
        check("a=1+2%20", Decoding::Form, &[("a", "1 2 ")]);
    }

    #[test]
    fn what_is_no_text_when_it_is_decoded_is_read_verbatim_alone() {
        assert_eq!(Parameters::read("a=%ff", Decoding::Percent), None);
        assert_eq!(Parameters::read("a=%ff", Decoding::Form), None);
        check("a=%ff", Decoding::Verbatim, &[("a", "%ff")]);
    }

    #[test]
    fn a_signature_has_them_sorted_by_name_without_itself() {
        let read = Parameters::read("b=2&sig=x&A=%26&b=1", Decoding::Percent).unwrap();
        assert_eq!(read.signed_text("sig"), "a=&&b=2&b=1");
        assert_eq!(read.get("b"), Some("2"));
        assert_eq!(read.all("b").collect::<Vec<_>>(), ["2", "1"]);
    }
}
