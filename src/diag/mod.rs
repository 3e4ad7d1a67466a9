//! Diagnostics: what the user did, where, why it is wrong, and an edit that works.
//!
//! `codes.rs` is the register: each code with its title. Each phase has one file of constructors
//! here; no other file holds a sentence for the user. A phase collects into a `Diagnostics` and goes
//! on past mistakes. `render.rs` turns the same data into a terminal report, `json.rs` into JSON,
//! `sarif.rs` into SARIF.

pub mod around;
pub mod arrays;
mod codes;
pub mod contents;
pub mod data;
pub mod derivative;
pub mod explain;
pub mod images;
pub mod json;
pub mod kind;
pub mod lint;
pub mod name;
pub mod offer;
pub mod reading;
pub mod render;
pub mod run;
pub mod sarif;
pub mod scenes;
pub mod search;
pub mod shape;
pub mod store;
pub mod syntax;
pub mod table;
pub mod texts;
pub mod train;
pub mod value;

pub use codes::Code;

use std::panic::Location;

use crate::base::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The program runs; it is probably not what was meant.
    Warning,
    /// The program does not run.
    Error,
}

/// A place with a few words.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there, in lower case.
    pub text: String,
}

/// A replacement of source text; an empty span inserts.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    /// What it replaces.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// One way out of a conflict, and where the words for it are known, the edits that take it.
#[derive(Clone, PartialEq, Debug)]
pub struct Advice {
    /// What to do, in lower case, without a full stop.
    pub text: String,
    /// What does it: all of them together mend the conflict. Several advices with edits are alternatives, the likeliest first.
    pub edits: Vec<Edit>,
}

impl Advice {
    /// The text of a file after the edits.
    pub fn apply(&self, text: &str) -> String {
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        edits.sort_by_key(|edit| edit.span);
        let mut mended = text.to_owned();
        for edit in edits.into_iter().rev() {
            mended.replace_range(edit.span.range(), &edit.text);
        }
        mended
    }
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// One message about one conflict.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// Its entry in the register.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// A fact, in lower case, without a full stop.
    pub message: String,
    /// The culprit first, then the causes. Empty when the fault lies in no source text.
    pub labels: Vec<Label>,
    /// What is known at this place: `known here: batch symbolic; d = 768`.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<Advice>,
    /// The line here that words it: no user sees it, and a test asks whether each constructor is shown.
    pub origin: &'static Location<'static>,
}

impl Diagnostic {
    /// An error with its culprit.
    #[track_caller]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Error, message).label(span, "")
    }

    /// A warning with its place.
    #[track_caller]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Warning, message).label(span, "")
    }

    /// An error outside all source text: a missing file, a broken row.
    #[track_caller]
    pub fn without_place(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Error, message)
    }

    #[track_caller]
    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Diagnostic {
        let origin = Location::caller();
        let message = message.into();
        Diagnostic { code, severity, message, labels: Vec::new(), notes: Vec::new(), help: Vec::new(), origin }
    }

    /// Words for the first label.
    pub fn here(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// A further place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// A fact that explains.
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Advice.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(Advice { text: text.into(), edits: Vec::new() });
        self
    }

    /// Advice with the edit that follows it.
    pub fn fix(mut self, text: impl Into<String>, span: Span, replacement: impl Into<String>) -> Diagnostic {
        let edits = vec![Edit { span, text: replacement.into() }];
        self.help.push(Advice { text: text.into(), edits });
        self
    }

    /// Advice that several edits follow together; without any it is but words.
    pub fn fix_all(
        mut self,
        text: impl Into<String>,
        edits: impl IntoIterator<Item = (Span, impl Into<String>)>,
    ) -> Diagnostic {
        let edits = edits.into_iter().map(|(span, text)| Edit { span, text: text.into() });
        self.help.push(Advice { text: text.into(), edits: edits.collect() });
        self
    }

    /// A further edit that belongs to the last advice.
    pub fn also(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        let last = self.help.last_mut().expect("an advice with an edit comes first");
        last.edits.push(Edit { span, text: replacement.into() });
        self
    }

    /// The advices that edits follow.
    pub fn fixes(&self) -> impl Iterator<Item = &Advice> {
        self.help.iter().filter(|advice| !advice.edits.is_empty())
    }

    /// Whether any advice has edits.
    pub fn has_fix(&self) -> bool {
        self.fixes().next().is_some()
    }

    /// Its advices keep only those edits that are to be kept; one that loses an edit is but words.
    pub fn keep_fixes(mut self, keep: impl Fn(&Edit) -> bool) -> Diagnostic {
        for advice in &mut self.help {
            if !advice.edits.iter().all(&keep) {
                advice.edits.clear();
            }
        }
        self
    }

    /// Advice to put `call` around what stands at `span`: before a stage of a pipe as a stage of its own.
    pub fn wrap(self, text: impl Into<String>, call: &str, (span, is_stage): (Span, bool)) -> Diagnostic {
        let start = Span { end: span.start, ..span };
        match is_stage {
            true => self.fix(text, start, format!("{call} |> ")),
            false => self.fix(text, start, format!("{call}(")).also(span.after(), ")"),
        }
    }

    /// Has it stand at `here`, where a file is used in which the culprit is, in this line.
    pub fn bring(&mut self, here: Span, file: &str, line: usize) {
        self.labels.insert(0, Label { span: here, text: format!("in `{file}`, line {line}") });
    }

    /// Whether it says that a name is misspelt, and how it is spelt.
    pub fn knows_the_word(&self) -> bool {
        let about_a_name = matches!(self.code, Code::E0201 | Code::E0202 | Code::E0206 | Code::E0601);
        about_a_name && self.has_fix()
    }

    /// The culprit, when there is one.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// How many edits of which one will do a message offers at most: more would hide it.
pub(crate) const ALTERNATIVES: usize = 4;

/// What a phase collects.
#[derive(Clone, Default, Debug)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// One alone.
    pub fn of(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics { all: vec![diagnostic] }
    }

    /// Adds one; a second with the same code at the same place is dropped.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let known =
            |old: &Diagnostic| old.code == diagnostic.code && old.span().is_some() && old.span() == diagnostic.span();
        if !self.all.iter().any(known) {
            self.all.push(diagnostic);
        }
    }

    /// Takes over what another phase collected.
    pub fn extend(&mut self, others: Diagnostics) {
        for other in others.all {
            self.push(other);
        }
    }

    /// Whether anything stops the program from running.
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many were collected.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Only the first ones.
    pub fn truncate(&mut self, len: usize) {
        self.all.truncate(len);
    }

    /// Only those that are to be kept.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.all.retain(keep);
    }

    /// In the order of the source text.
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.all.sort_by_key(|diagnostic| diagnostic.span());
        self.all
    }

    /// In the order collected.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }
}

/// `12_345`, as the language writes it.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// The nearest of `known` to a misspelt `word`, when one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // `validation` for `valid`, and `val` as well.
    let is_short_for = |short: &str, long: &str| {
        let follows = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_lowercase());
        short.len() >= 3 && long.strip_prefix(short).is_some_and(follows)
    };
    let near = |candidate: &&str| {
        let limit = word.chars().count().max(candidate.chars().count()) / 3;
        candidate.to_lowercase() == word.to_lowercase()
            || strsim::damerau_levenshtein(word, candidate) <= limit.max(1) && word.chars().count() > 1
            || is_short_for(word, candidate)
            || is_short_for(candidate, word)
    };
    // Of equally near names the first of the alphabet, whatever order they come in.
    known.into_iter().filter(near).min_by_key(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
}
