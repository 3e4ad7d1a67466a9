//! Numbers and texts.

use super::super::grammar::{Node, Rule};
use super::Builder;
use crate::diag;
use crate::syntax::ast::{ExprKind, Number, Unit};

/// The largest whole number up to which all are exact in a 64-bit float.
const MAX_EXACT: u64 = 1 << 53;

impl Builder<'_, '_> {
    /// `number`
    pub(super) fn number(&mut self, node: Node) -> ExprKind {
        let span = self.span(&node);
        let (mut digits, mut is_percent, mut unit) = (String::new(), false, None);
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::numeral => digits = part.as_str().replace('_', ""),
                Rule::percent => is_percent = true,
                _ => unit = Some(unit_of(part.as_str())),
            }
        }
        let is_int = !is_percent && digits.bytes().all(|byte| byte.is_ascii_digit());
        // The grammar's numerals are all Rust's; what is too large comes as infinity.
        let value: f64 = if is_percent { hundredth(&digits) } else { digits.parse().unwrap_or(f64::INFINITY) };
        let exact = !is_int || digits.parse::<u64>().is_ok_and(|whole| whole <= MAX_EXACT);
        if !value.is_finite() || !exact {
            self.report(diag::syntax::huge_number(span, &digits));
            return ExprKind::Error;
        }
        ExprKind::Number(Number { value, is_int, is_percent, unit })
    }

    /// What a `string` says: its quotes off, its escapes resolved.
    pub(super) fn text(&mut self, node: &Node) -> String {
        let quoted = node.as_str();
        let inner = &quoted[1..quoted.len() - 1];
        let mut text = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('\\') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let (c, length) = match escape(rest) {
                Ok(found) => found,
                Err(length) => {
                    let start = node.as_span().start() + 1 + (inner.len() - rest.len());
                    let span = self.draft.span(start..start + length);
                    self.report(diag::syntax::bad_escape(span, &rest[..length]));
                    (char::REPLACEMENT_CHARACTER, length)
                }
            };
            text.push(c);
            rest = &rest[length..];
        }
        text.push_str(rest);
        text
    }
}

/// The number a hundred times smaller, rounded once: the exponent does it before the digits are read.
fn hundredth(digits: &str) -> f64 {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.parse::<i64>().unwrap_or(i64::from(i32::MAX)) - 2;
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::INFINITY)
}

/// The character of the escape that `rest` begins with and its length, or the length of what is none.
fn escape(rest: &str) -> Result<(char, usize), usize> {
    let kind = rest[1..].chars().next().ok_or(1usize)?;
    let plain = 1 + kind.len_utf8();
    Ok(match kind {
        'n' => ('\n', plain),
        't' => ('\t', plain),
        'r' => ('\r', plain),
        '"' | '\\' => (kind, plain),
        'u' => {
            let hex = rest.strip_prefix("\\u{").and_then(|hex| hex.split_once('}')).ok_or(plain)?.0;
            let length = "\\u{}".len() + hex.len();
            let code = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32).ok_or(length)?;
            (code, length)
        }
        _ => return Err(plain),
    })
}

fn unit_of(word: &str) -> Unit {
    match word {
        "epochs" | "epoch" => Unit::Epochs,
        "steps" | "step" => Unit::Steps,
        "seconds" | "second" => Unit::Seconds,
        "minutes" | "minute" => Unit::Minutes,
        "hours" | "hour" => Unit::Hours,
        "deg" => Unit::Degrees,
        word => unreachable!("`{word}` is no unit"),
    }
}
