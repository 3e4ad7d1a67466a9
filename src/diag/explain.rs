//! The pages of `tensa explain`.
//!
//! A page is Markdown: a title, what the code means, and the headings `## Broken` and `## Mended`. Blocks
//! fenced as `model` under them are programs: a test runs them, so that each broken one shows its code and
//! each mended one checks.

use super::Code;

/// The page of a code.
pub fn page(code: Code) -> &'static str {
    code.page()
}

/// The programs of a page.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Examples {
    /// Those that show the code.
    pub broken: Vec<String>,
    /// Those that check.
    pub mended: Vec<String>,
}

/// The programs under the two headings of a page.
pub fn examples(page: &str) -> Examples {
    let mut examples = Examples::default();
    let mut heading = "";
    let mut program: Option<String> = None;
    for line in page.lines() {
        match &mut program {
            Some(text) if line.trim_end() == "```" => {
                let list = match heading {
                    "Broken" => Some(&mut examples.broken),
                    "Mended" => Some(&mut examples.mended),
                    _ => None,
                };
                if let Some(list) = list {
                    list.push(std::mem::take(text));
                }
                program = None;
            }
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
            None if line.trim_end() == "```model" => program = Some(String::new()),
            None => {
                if let Some(found) = line.strip_prefix("## ") {
                    heading = found.trim();
                }
            }
        }
    }
    examples
}
