//! Questions of editors, answered in plain types.
//!
//! In: a text as it stands in the editor, and the path it will be saved under. Out: values of the
//! compiler's own types. Knows no protocol; `lsp` translates.

use std::path::Path;

use crate::base::{FileId, SourceMap};
use crate::diag::Diagnostic;
use crate::driver::Session;
use crate::syntax::format;

/// What a text says about itself.
pub struct Analysis {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// The text that was asked about.
    pub file: FileId,
    /// Everything found, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a text as if it stood in a file; data is looked for beside that file.
pub fn diagnostics(text: &str, path: &Path) -> Analysis {
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let session = Session::new(&path.display().to_string(), text, folder);
    let checked = session.check(None);
    let lints = checked.lints();
    let mut diagnostics = checked.diagnostics;
    diagnostics.extend(lints);
    let mut diagnostics = diagnostics.sorted();
    diagnostics.iter_mut().for_each(|told| at_its_use(&session, told));
    Analysis { file: session.file, sources: session.sources, diagnostics }
}

/// A text in the house style; nothing for one with mistakes, which is left as it is.
pub fn formatted(text: &str) -> Option<String> {
    format::format(FileId(0), text).ok()
}

/// Has a mistake in a used file stand where the program uses the file.
fn at_its_use(session: &Session, told: &mut Diagnostic) {
    if let Some(span) = told.span().filter(|span| span.file != session.file)
        && let Some(here) = session.brought_by(span.file)
    {
        let file = session.sources.file(span.file);
        told.bring(here, &file.name, file.line_column(span.start).line);
    }
}
