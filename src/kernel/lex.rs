//! The words of the text form of kernels and programs.

use std::iter::Peekable;
use std::str::CharIndices;

use super::verify::Fault;

/// A token of the text form.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A word or a number, as written.
    Word(String),
    /// A quoted text.
    Text(String),
    /// Punctuation: one character, `<-` or `//`.
    Sign(&'static str),
}

const SIGNS: [&str; 17] = ["<-", "//", "(", ")", "[", "]", "{", "}", ",", ";", "=", "+", "*", "%", "-", ":", "^"];

/// The tokens of a text, with the byte where each begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(at, first)) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
        } else if first == '"' {
            chars.next();
            found.push((at, Token::Text(quoted(&mut chars)?)));
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let end = text[at..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
            let mut end = at + end.unwrap_or(text.len() - at);
            // The exponent of a number may have a sign: 1e-5.
            if first.is_ascii_digit() && text[at..end].ends_with('e') && text[end..].starts_with('-') {
                let digits = text[end + 1..].find(|c: char| !c.is_ascii_digit());
                end += 1 + digits.unwrap_or(text.len() - end - 1);
            }
            while chars.next_if(|&(place, _)| place < end).is_some() {}
            found.push((at, Token::Word(text[at..end].to_string())));
        } else {
            let sign = SIGNS.into_iter().find(|sign| text[at..].starts_with(sign));
            let sign = sign.ok_or_else(|| Fault(format!("byte {at}: {first:?}")))?;
            let end = at + sign.len();
            while chars.next_if(|&(place, _)| place < end).is_some() {}
            found.push((at, Token::Sign(sign)));
        }
    }
    Ok(found)
}

/// The rest of a quoted text, with the escapes that `Debug` writes.
fn quoted(chars: &mut Peekable<CharIndices<'_>>) -> Result<String, Fault> {
    let mut text = String::new();
    let open = || Fault("an open quotation".into());
    loop {
        match chars.next().ok_or_else(open)?.1 {
            '"' => return Ok(text),
            '\\' => match chars.next().ok_or_else(open)?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                'u' => {
                    let code: String = chars.by_ref().map(|(_, c)| c).skip(1).take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    text.push(code.ok_or_else(open)?);
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}
