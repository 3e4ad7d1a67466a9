//! Text to tree, past mistakes.
//!
//! In: the text of a file. Out: its tree, whole for a right text, with `Error` nodes for a wrong one, and
//! what is wrong. Knows no names, no meaning and no other file.
//!
//! A right text is read once by the grammar (`grammar.rs`, grammar/model.pest) and built (`build`). Before
//! that its size and nesting are bounded (`limits.rs`). A text that the grammar refuses is read again by
//! regions (`recover.rs`), each a draft that is mended until the grammar reads it.
//!
//! Sync points, where reading starts afresh after a mistake:
//! 1. a declaration keyword at the start of a line, whatever brackets are open there (`layout::regions`);
//! 2. the next statement or section line of the block the mistake is in (`layout::begins_statement`);
//! 3. a closing bracket, its partner found by indentation (`brackets.rs`).
//!
//! The order of mending: words and signs of other languages, unfinished texts and bad numbers (`habits.rs`);
//! brackets (`brackets.rs`); then, one by one, the places where the grammar stops (`repair.rs`). Every mend
//! is tried on the grammar before it is told (`judge.rs`), so an edit that a message offers reads on.

mod brackets;
mod build;
mod choice;
mod draft;
mod grammar;
mod habits;
mod judge;
mod layout;
mod limits;
mod pieces;
mod recover;
mod repair;
mod several;
mod tokens;
mod words;

use crate::base::{FileId, Span};
use crate::diag::{self, Diagnostics};
use crate::syntax::ast;

use build::Builder;
use draft::{Draft, LOST};
use grammar::{Fault, Rule};

pub(in crate::syntax) use pieces::{Piece, Role};
pub(in crate::syntax) use tokens::{RESERVED, UNITS};

/// Texts that nest deeper than this are read on a stack of their own.
const SHALLOW: u32 = 64;

/// The size of that stack: what the deepest text needs, several times over.
const STACK_BYTES: usize = 64 << 20;

/// Reads a file.
pub fn parse(file: FileId, text: &str) -> (ast::File, Diagnostics) {
    let (tree, diagnostics) = bounded(file, text, || parse_file(file, text));
    let whole = || ast::File { items: vec![ast::Item::Error(Span::new(file, 0, text.len()))] };
    (tree.unwrap_or_else(whole), diagnostics)
}

/// Reads one expression, for the prompt. Stops at the first mistake.
pub fn parse_expr(file: FileId, text: &str) -> (ast::Expr, Diagnostics) {
    let (tree, diagnostics) = bounded(file, text, || parse_lone_expr(file, text));
    let whole = || ast::Expr { kind: ast::ExprKind::Error, span: Span::new(file, 0, text.len()) };
    (tree.unwrap_or_else(whole), diagnostics)
}

/// The words, signs and comments of a text without mistakes, or its mistakes.
pub(in crate::syntax) fn pieces(file: FileId, text: &str) -> Result<Vec<Piece<'_>>, Diagnostics> {
    let (_, diagnostics) = parse(file, text);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let (pieces, diagnostics) = bounded(file, text, || (pieces::pieces(text), Diagnostics::default()));
    pieces.flatten().ok_or(diagnostics)
}

/// The words of a text and where each begins, keywords and units among them.
pub(in crate::syntax) fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = tokens::Lexer::new(text).filter(|token| token.kind == tokens::Kind::Word);
    words.map(|token| (token.start, token.text(text)))
}

/// Runs `read` on a text within the limits, on a stack that is large enough.
fn bounded<T: Send>(
    file: FileId,
    text: &str,
    read: impl FnOnce() -> (T, Diagnostics) + Send,
) -> (Option<T>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let depth = match limits::check(file, text) {
        Ok(depth) => depth,
        Err(refusal) => {
            diagnostics.push(*refusal);
            return (None, diagnostics);
        }
    };
    if depth <= SHALLOW {
        let (tree, diagnostics) = read();
        return (Some(tree), diagnostics);
    }
    std::thread::scope(|scope| match std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, read) {
        Ok(thread) => match thread.join() {
            Ok((tree, diagnostics)) => (Some(tree), diagnostics),
            Err(panic) => std::panic::resume_unwind(panic),
        },
        Err(_) => {
            diagnostics.push(diag::syntax::too_much(Span::new(file, 0, 0)));
            (None, diagnostics)
        }
    })
}

fn parse_file(file: FileId, text: &str) -> (ast::File, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let draft = Draft::new(file, text, 0..text.len());
    // The characters recovery writes with mean nothing in a text that was written.
    let read = if text.contains(LOST) { None } else { Some(grammar::read(Rule::file, text)) };
    let tree = match read {
        Some(Ok(mut pairs)) => {
            let node = pairs.next().expect("a text that is read is a file");
            Builder::new(&draft, text, &mut diagnostics).file(node)
        }
        Some(Err(Fault::Exhausted)) => {
            diagnostics.push(diag::syntax::too_much(Span::new(file, 0, 0)));
            ast::File { items: vec![ast::Item::Error(Span::new(file, 0, text.len()))] }
        }
        None | Some(Err(Fault::Stuck { .. })) => recover::recover(file, text, &mut diagnostics),
    };
    (tree, diagnostics)
}

fn parse_lone_expr(file: FileId, text: &str) -> (ast::Expr, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let draft = Draft::new(file, text, 0..text.len());
    let tree = match grammar::read(Rule::lone_expr, text) {
        Ok(mut pairs) => {
            let node = pairs.next().and_then(|lone| lone.into_inner().next()).expect("a lone expression holds one");
            Builder::new(&draft, text, &mut diagnostics).expr(node)
        }
        Err(fault) => {
            diagnostics.push(match &fault {
                Fault::Stuck { at, wanted } => repair::refuse(&draft, *at, wanted),
                Fault::Exhausted => diag::syntax::too_much(Span::new(file, 0, 0)),
            });
            ast::Expr { kind: ast::ExprKind::Error, span: Span::new(file, 0, text.len()) }
        }
    };
    (tree, diagnostics)
}
