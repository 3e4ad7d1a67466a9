//! A right text as pieces in a row, comments among them, each with its part in the grammar.
//!
//! In: the text of a file that reads without mistakes. Out: its words, signs and comments in order, with
//! what a layout has to know of each: whether a statement begins with it, whether a sign stands before one
//! value or between two, which brackets belong to what stands before them. Knows nothing of white space
//! but how many new lines were there.

use rustc_hash::{FxHashMap, FxHashSet};

use super::grammar::{self, Rule};
use super::tokens::{Kind, Token, tokens};

/// A word, a sign or a comment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::syntax) struct Piece<'t> {
    /// Its characters; of a comment without the white space at its end.
    pub(in crate::syntax) text: &'t str,
    pub(in crate::syntax) role: Role,
    /// Whether a declaration, a statement, the value of a block or a line of a section begins with it.
    pub(in crate::syntax) begins: bool,
    /// Whether it stands in the head of a definition: before its body.
    pub(in crate::syntax) in_head: bool,
    /// New lines before it: none, one, or two for more.
    pub(in crate::syntax) newlines: u8,
}

/// What a piece is to a layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) enum Role {
    /// A word, a number, a text.
    Word,
    /// A sign between two things.
    Sign,
    /// `|>`
    Pipe,
    /// `^`
    Power,
    /// `-` before its operand.
    Minus,
    /// `..` between two values.
    Between,
    /// `..` before a value.
    UpTo,
    /// `..` behind a value.
    From,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `.`
    Dot,
    /// `=` of a binding.
    Equals,
    /// `:=`
    Becomes,
    /// `->` or `where` of the head of a definition.
    Head,
    /// `(`, `[` or the `{` of a record.
    Open,
    /// `(` or `[` that stands right behind what it belongs to.
    OpenTight,
    /// `{` of a block.
    OpenBlock,
    /// `{` of the body of a definition.
    OpenBody,
    /// `{` of a section.
    OpenSection,
    /// `)`, `]` or `}`
    Close,
    /// `# …`
    Comment,
}

/// What the grammar says about the places of a text.
#[derive(Default)]
struct Marks {
    roles: FxHashMap<usize, Role>,
    begins: FxHashSet<usize>,
    /// From the keyword of a definition to its body.
    heads: Vec<(usize, usize)>,
}

/// The pieces of a text; none if the grammar refuses it.
pub(in crate::syntax) fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let marks = marks(text)?;
    let mut heads = marks.heads.iter().peekable();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    for token in &tokens(text) {
        let newlines = comments(&text[at..token.start], &mut pieces);
        while heads.next_if(|(_, end)| *end <= token.start).is_some() {}
        let in_head = heads.peek().is_some_and(|(start, _)| *start <= token.start);
        let role = marks.roles.get(&token.start).copied().unwrap_or_else(|| plain_role(text, token));
        let begins = marks.begins.contains(&token.start);
        pieces.push(Piece { text: token.text(text), role, begins, in_head, newlines });
        at = token.end;
    }
    comments(&text[at..], &mut pieces);
    Some(pieces)
}

/// Adds the comments of a gap; how many new lines stand behind the last.
fn comments<'t>(gap: &'t str, pieces: &mut Vec<Piece<'t>>) -> u8 {
    let mut rest = gap;
    let mut newlines = 0u8;
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            let end = rest.find('\n').unwrap_or(rest.len());
            let text = rest[..end].trim_end();
            pieces.push(Piece { text, role: Role::Comment, begins: false, in_head: false, newlines });
            newlines = 0;
            rest = &rest[end..];
        } else {
            newlines = (newlines + u8::from(first == '\n')).min(2);
            rest = &rest[first.len_utf8()..];
        }
    }
    newlines
}

fn plain_role(text: &str, token: &Token) -> Role {
    match (token.kind, token.text(text)) {
        (Kind::Word | Kind::Number | Kind::Text, _) => Role::Word,
        (Kind::Open, _) => Role::Open,
        (Kind::Close, _) => Role::Close,
        (_, "|>") => Role::Pipe,
        (_, "^") => Role::Power,
        (_, ",") => Role::Comma,
        (_, ":") => Role::Colon,
        (_, ".") => Role::Dot,
        (_, "=") => Role::Equals,
        (_, ":=") => Role::Becomes,
        _ => Role::Sign,
    }
}

fn marks(text: &str) -> Option<Marks> {
    let mut marks = Marks::default();
    for node in grammar::read(Rule::file, text).ok()?.flatten() {
        let start = node.as_span().start();
        let role = match node.as_rule() {
            Rule::file => {
                marks.begins.extend(node.into_inner().map(|item| item.as_span().start()));
                continue;
            }
            Rule::block | Rule::section => {
                let role = if node.as_rule() == Rule::block { Role::OpenBlock } else { Role::OpenSection };
                marks.roles.entry(start).or_insert(role);
                let inner = node.into_inner().filter(|part| !is_brace(part.as_rule()));
                marks.begins.extend(inner.map(|part| part.as_span().start()));
                continue;
            }
            Rule::def => {
                let mut end = start;
                for part in node.into_inner() {
                    end = part.as_span().start();
                    match part.as_rule() {
                        Rule::result | Rule::facts => drop(marks.roles.insert(end, Role::Head)),
                        Rule::block => {
                            marks.roles.insert(end, Role::OpenBody);
                            break;
                        }
                        Rule::equals => break,
                        _ => {}
                    }
                }
                marks.heads.push((start, end));
                continue;
            }
            Rule::grad_clause => {
                let paren = node.into_inner().find(|part| part.as_rule() == Rule::open_paren);
                marks.roles.extend(paren.map(|paren| (paren.as_span().start(), Role::OpenTight)));
                continue;
            }
            Rule::axis_params | Rule::params | Rule::of | Rule::call | Rule::index => Role::OpenTight,
            // Axes belong to a word before them, if there is one: `logit[..]`, `w[i, out]`, but `-> [..]`.
            Rule::axes if is_behind_a_name(text, start) => Role::OpenTight,
            Rule::prefix if node.as_str() == "-" => Role::Minus,
            Rule::infix if node.as_str() == ".." => Role::Between,
            Rule::dots => Role::UpTo,
            Rule::to_end => Role::From,
            _ => continue,
        };
        marks.roles.insert(start, role);
    }
    Some(marks)
}

fn is_brace(rule: Rule) -> bool {
    matches!(rule, Rule::open_brace | Rule::close_brace)
}

/// Whether a name or a closing bracket ends right before byte `at`, white space apart.
fn is_behind_a_name(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '\'');
    let name = &before[before.trim_end_matches(word).len()..];
    before.ends_with(')') || !name.is_empty() && name != "param"
}
