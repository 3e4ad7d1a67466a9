//! Documentation: the `##` lines right above a declaration.

/// The text of the `##` lines that end on the line above byte `at`, when `at` is the first on its line.
pub(super) fn above(source: &str, at: usize) -> Option<String> {
    let before = &source[..at];
    let line = before.rfind('\n')? + 1;
    if !before[line..].trim().is_empty() {
        return None;
    }
    let mut lines: Vec<&str> = Vec::new();
    for line in before[..line - 1].rsplit('\n') {
        let Some(text) = line.trim().trim_start_matches('\u{FEFF}').strip_prefix("##") else { break };
        lines.push(text.strip_prefix(' ').unwrap_or(text));
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::above;

    #[test]
    fn lines_right_above() {
        let source = "## far\n\n## one\n##  two\n  let a = 1 let b = 2";
        assert_eq!(above(source, source.find("let a").unwrap()).as_deref(), Some("one\n two"));
        assert_eq!(above(source, source.find("let b").unwrap()), None);
        assert_eq!(above("# plain\nlet", 8), None);
    }
}
