//! The page on which people sign an app in, where the dashboard's own page is not served: a form and no script.

use crate::dialects::home_assistant::rest::ReturnAddress;

const PAGE: &str = include_str!("authorize.html");

/// The page for an app, below a path; `problem` says what was wrong the last time.
pub fn authorize_page(base: &str, back: &ReturnAddress, problem: &str) -> String {
    let values = [
        ("base", base),
        ("problem", problem),
        ("client", &back.client),
        ("redirect", &back.redirect),
        ("state", back.state.as_deref().unwrap_or_default()),
    ];
    let mut page = String::with_capacity(PAGE.len());
    let mut rest = PAGE;
    // In one pass, so that nothing in a value is filled in.
    while let Some((before, behind)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, behind) = behind.split_once("}}").unwrap_or((behind, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        page.push_str(&in_html(value.map_or("", |(_, value)| value)));
        rest = behind;
    }
    page.push_str(rest);
    page
}

/// Text as it stands in HTML, an attribute included.
fn in_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_an_app_says_becomes_a_part_of_the_page() {
        let back = ReturnAddress::new(
            "http://a.test/",
            "http://a.test/?x={{problem}}",
            Some("\"><script>{{client}}"),
        );
        let page = authorize_page("/riser", &back.unwrap(), "no <b>");
        assert!(page.contains(r#"action="/riser/auth/authorize""#), "{page}");
        assert!(page.contains("no &lt;b&gt;"), "{page}");
        assert!(
            page.contains(r#"value="http://a.test/?x={{problem}}""#),
            "{page}"
        );
        assert!(
            page.contains(r#"value="&quot;&gt;&lt;script&gt;{{client}}""#),
            "{page}"
        );
        assert!(!page.contains("<script>"), "{page}");
    }
}
