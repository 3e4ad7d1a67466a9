//! Interned names: comparing two is comparing two numbers.

use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// A name of the program, interned for the life of the process.
///
/// The text is never freed: a program has few distinct names, and an editor session repeats them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

#[derive(Default)]
struct Interner {
    ids: FxHashMap<&'static str, u32>,
    texts: Vec<&'static str>,
}

static INTERNER: LazyLock<RwLock<Interner>> = LazyLock::new(Default::default);

impl Symbol {
    /// The symbol of `text`; the same text always gives the same symbol.
    pub fn new(text: &str) -> Symbol {
        if let Some(&id) = INTERNER.read().expect("interner lock").ids.get(text) {
            return Symbol(id);
        }
        let mut interner = INTERNER.write().expect("interner lock");
        if let Some(&id) = interner.ids.get(text) {
            return Symbol(id);
        }
        let id = interner.texts.len() as u32;
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        interner.texts.push(text);
        interner.ids.insert(text, id);
        Symbol(id)
    }

    /// The text of the name.
    pub fn as_str(self) -> &'static str {
        INTERNER.read().expect("interner lock").texts[self.0 as usize]
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Symbol {
        Symbol::new(text)
    }
}

/// The first of `x2`, `x3`, … that is free, for the stem `x`.
pub fn numbered(stem: &str, is_free: impl Fn(&str) -> bool) -> String {
    let mut names = (2..u64::MAX).map(|number| format!("{stem}{number}"));
    names.find(|name| is_free(name)).unwrap_or_else(|| unreachable!("no program has so many names"))
}
