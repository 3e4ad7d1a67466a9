//! First values out of a file: `load("base.safetensors", Net(), names = { … }, except = […])` and `init` of a run.
//!
//! What is read and how its names are matched stands in `train::load`; here is what the program says, and where the
//! words go that would mend it.

use crate::base::{Span, Symbol};

/// What takes its first values out of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Load {
    /// The file, from the program's folder.
    pub file: String,
    /// The path of the layer; empty for the whole run.
    pub below: String,
    /// The name of its definition.
    pub layer: Symbol,
    /// Globs over paths, and what the file calls them.
    pub names: Vec<(String, String)>,
    /// Globs over what may be left out, on either side.
    pub except: Vec<String>,
    /// The name of the file in the text.
    pub span: Span,
    /// Where words go that mend it.
    pub words: LoadWords,
}

/// The places of a load in the text.
#[derive(Clone, PartialEq, Debug)]
pub enum LoadWords {
    /// Of a call.
    Call {
        /// Before the bracket that ends it.
        end: Span,
        /// Before the bracket that ends `names`, where it is given.
        names: Option<Span>,
        /// The text that each of `names` gives.
        renames: Vec<Span>,
        /// Before the bracket that ends `except`, where it is given.
        except: Option<Span>,
    },
    /// Of `init`, in a run of one model whose section says it.
    Run {
        /// The model in the head.
        model: Span,
        /// What goes before it, up to the name of the file: `Net = load(`.
        open: String,
        /// What goes behind it to make it a layer: `()` behind a bare name.
        close: &'static str,
        /// The line of `init`.
        line: Span,
    },
    /// Of `init` elsewhere.
    Nowhere,
}

impl Load {
    /// Whether it is the `init` of a run: no layer stands for it.
    pub fn is_of_run(&self) -> bool {
        self.below.is_empty()
    }

    /// The words that leave tensors of these names out, and where they go.
    pub fn excepting(&self, names: &[&str]) -> Vec<(Span, String)> {
        let list = quoted(names);
        let argument = if names.is_empty() { String::new() } else { format!(", except = [{list}]") };
        match &self.words {
            LoadWords::Call { except: Some(end), .. } if self.except.is_empty() => vec![(*end, list)],
            LoadWords::Call { except: Some(end), .. } => vec![(*end, format!(", {list}"))],
            LoadWords::Call { end, .. } => vec![(*end, argument)],
            LoadWords::Run { model, open, close, line } => vec![
                (model.before(), format!("{open}\"{}\", ", self.file)),
                (model.after(), format!("{close}{argument})")),
                (*line, String::new()),
            ],
            LoadWords::Nowhere => Vec::new(),
        }
    }

    /// The words that say what the file calls paths, and where they go.
    pub fn naming(&self, pairs: &[(&str, &str)]) -> Vec<(Span, String)> {
        let list: Vec<String> = pairs.iter().map(|(path, name)| format!("\"{path}\": \"{name}\"")).collect();
        let list = list.join(", ");
        match &self.words {
            LoadWords::Call { names: Some(end), .. } if self.names.is_empty() => vec![(*end, format!(" {list} "))],
            LoadWords::Call { names: Some(end), .. } => vec![(*end, format!(", {list} "))],
            LoadWords::Call { end, .. } => vec![(*end, format!(", names = {{ {list} }}"))],
            LoadWords::Run { .. } | LoadWords::Nowhere => Vec::new(),
        }
    }

    /// Another text for one of `names`.
    pub fn renaming(&self, at: usize, name: &str) -> Vec<(Span, String)> {
        match &self.words {
            LoadWords::Call { renames, .. } => {
                renames.get(at).map(|span| (*span, format!("\"{name}\""))).into_iter().collect()
            }
            LoadWords::Run { .. } | LoadWords::Nowhere => Vec::new(),
        }
    }
}

/// `"a", "b"`
fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}
