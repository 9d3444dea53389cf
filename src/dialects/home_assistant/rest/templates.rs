//! The pages of the dashboard: templates that name a colour and lists of scripts to load, of which there are none.
//!
//! Only what those pages have is understood: `{{ name }}`, and loops over lists, which are empty here. All else stays as it is.

/// The colour of the browser's own frame around the page.
const THEME_COLOR: &str = "#18BCF2";

/// The page of a template.
pub fn render(template: &str) -> String {
    let without_loops = without_loops(template);
    let mut page = String::with_capacity(without_loops.len());
    let mut rest = &*without_loops;
    while let Some((before, behind)) = rest.split_once("{{") {
        page.push_str(before);
        match behind.split_once("}}") {
            Some((name, behind)) if is_name(name) => {
                page.push_str(value(name.trim()));
                rest = behind;
            }
            Some(_) | None => {
                page.push_str("{{");
                rest = behind;
            }
        }
    }
    page.push_str(rest);
    page
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.trim().bytes();
    bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn value(name: &str) -> &'static str {
    match name {
        "theme_color" => THEME_COLOR,
        _ => "",
    }
}

/// The template without its loops, each from `{% for` to `{% endfor %}`.
fn without_loops(template: &str) -> String {
    let mut kept = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{%") {
        let tag = rest[start + 2..].trim_start_matches(['-', ' ']);
        let end = rest.find("endfor").and_then(|at| {
            let close = rest[at..].find("%}")?;
            Some(at + close + 2)
        });
        match end {
            Some(end) if tag.starts_with("for ") && end > start => {
                kept.push_str(&rest[..start]);
                rest = &rest[end..];
            }
            Some(_) | None => {
                kept.push_str(&rest[..start + 2]);
                rest = &rest[start + 2..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_filled_in_and_loops_over_nothing_are_left_out() {
        let template = "<meta content=\"{{ theme_color }}\"><script>{%- for one in many -%}\n import(\"{{ one }}\");\n{%- endfor -%}</script><script>if (!x) {\n{%- for one in many -%} y {%- endfor -%}\n}</script>";
        assert_eq!(
            render(template),
            "<meta content=\"#18BCF2\"><script></script><script>if (!x) {\n\n}</script>"
        );
    }

    #[test]
    fn what_is_no_template_stays_as_it_is() {
        for text in ["a{b:{c:1}}", "{{ not closed", "{% if x %}", "f={{x:1}}", ""] {
            assert_eq!(render(text), text);
        }
    }
}
