//! The text form of a graph: print and parse.
//!
//! What is around the nodes comes first, then the nodes in order, then the outputs, one a line:
//! ```text
//! size batch
//! input 0 "x": f32[batch, 4]
//! param 0 "Net.w": f32[4, 16] in, out
//! %0: f32[batch, 4] = input[0]
//! %1: f32[4, 16] = param[0]
//! %2: f32[batch, 16] = contract[ab,bc->ac] %0, %1
//! output predict "" = %2
//! ```
//! The loops of a graph stand before its nodes, which name them by number: `scan 0 over t rows 1 carries 2 {`, the
//! lines of the body, `}`, and then `%7: f32[t, 8] = scan[0, 2] %3, %5, %6` for the third result of the first.
//! Print, parse and print again gives the same text. The places nodes come from are not in it. Parsing
//! reads what is written and does not check it; that is for `verify`, which tests feed with broken graphs.

mod parse;
mod print;

pub use parse::parse;
pub use print::{print, print_node};

use super::SizeId;
use super::host::{HostBinary, HostUnary};

/// The words of sizes: a name that can stand in a polynomial and is the only one of its kind, else
/// `s` and the number.
fn size_words(names: &[String]) -> Vec<String> {
    let plain = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '\'')
    };
    let numbered = |name: &str| name.strip_prefix('s').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()));
    let mut words: Vec<String> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let fits = plain(name) && !numbered(name) && !words.contains(name);
        words.push(if fits { name.clone() } else { format!("s{at}") });
    }
    words
}

fn size_word(words: &[String], id: SizeId) -> String {
    words.get(id.0 as usize).cloned().unwrap_or_else(|| format!("s{}", id.0))
}

/// Unary host functions by name.
const HOST_UNARY: [(&str, HostUnary); 15] = [
    ("neg", HostUnary::Neg),
    ("not", HostUnary::Not),
    ("abs", HostUnary::Abs),
    ("sqrt", HostUnary::Sqrt),
    ("exp", HostUnary::Exp),
    ("log", HostUnary::Log),
    ("sin", HostUnary::Sin),
    ("cos", HostUnary::Cos),
    ("tanh", HostUnary::Tanh),
    ("erf", HostUnary::Erf),
    ("floor", HostUnary::Floor),
    ("round", HostUnary::Round),
    ("trunc", HostUnary::Trunc),
    ("bf16", HostUnary::Bf16),
    ("f16", HostUnary::F16),
];

/// Binary host functions by name.
const HOST_BINARY: [(&str, HostBinary); 15] = [
    ("add", HostBinary::Add),
    ("sub", HostBinary::Sub),
    ("mul", HostBinary::Mul),
    ("div", HostBinary::Div),
    ("floor_div", HostBinary::FloorDiv),
    ("mod", HostBinary::Mod),
    ("pow", HostBinary::Pow),
    ("min", HostBinary::Min),
    ("max", HostBinary::Max),
    ("lt", HostBinary::Lt),
    ("le", HostBinary::Le),
    ("eq", HostBinary::Eq),
    ("ne", HostBinary::Ne),
    ("and", HostBinary::And),
    ("or", HostBinary::Or),
];
