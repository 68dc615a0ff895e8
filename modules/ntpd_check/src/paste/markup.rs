// SPDX-License-Identifier: GPL-3.0-or-later

//! What JSON, shells, Markdown and HTML make of a text: escapes, tags, entities.

/// Escapes of JSON, of shells and of Markdown: `\n`, `\t`, `\u00a0`, `\*`.
pub(super) fn escapes(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\r", "\n").replace("\\t", " ");
    coded(&coded(&text, "\\u", 4), "\\x", 2).replace('\\', "")
}

/// Characters by their numbers, as JSON (`\u00a0`) and Python (`\xa0`) write them.
fn coded(text: &str, mark: &str, digits: usize) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        plain += before;
        let number = after.get(..digits).and_then(|number| u32::from_str_radix(number, 16).ok());
        rest = match number.and_then(char::from_u32) {
            Some(char) => {
                plain.push(char);
                after.get(digits..).unwrap_or_default()
            }
            None => after,
        };
    }
    plain + rest
}

/// Tags of HTML: some end a line, the others a word.
pub(super) fn tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain += before;
        let tag = after.split_once('>').filter(|(tag, _)| is_tag(tag));
        rest = match tag {
            Some((tag, after)) => {
                let name =
                    tag.trim_start_matches('/').split(|char: char| !char.is_ascii_alphanumeric()).next();
                let name = name.unwrap_or_default().to_ascii_lowercase();
                let breaks = ["br", "p", "div", "tr", "li", "pre", "table"].contains(&name.as_str());
                plain.push(if breaks { '\n' } else { ' ' });
                after
            }
            None => {
                plain.push('<');
                after
            }
        };
    }
    plain + rest
}

fn is_tag(tag: &str) -> bool {
    let name = tag.strip_prefix('/').unwrap_or(tag);
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !tag.contains('<') && tag.len() < 200
}

/// The entities that blanks, quotes, dashes and signs become.
pub(super) fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let known = [
        ("&amp;", "&"),
        ("&nbsp;", " "),
        ("&nbsp", " "),
        ("&ensp;", " "),
        ("&emsp;", " "),
        ("&thinsp;", " "),
        ("&#160;", " "),
        ("&#xa0;", " "),
        ("&#xA0;", " "),
        ("&#32;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#42;", "*"),
        ("&ast;", "*"),
        ("&#45;", "-"),
        ("&minus;", "-"),
        ("&ndash;", "-"),
        ("&mdash;", "-"),
        ("&#8722;", "-"),
        ("&#8211;", "-"),
        ("&#37;", "%"),
        ("&#47;", "/"),
        ("&bull;", "*"),
    ];
    known.iter().fold(text.to_owned(), |text, (entity, char)| text.replace(entity, char))
}
