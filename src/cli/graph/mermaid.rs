//! A drawing as a flowchart for Mermaid.

use super::flow::{Drawing, Kind, Part};

/// The text of a drawing.
pub(super) fn text(drawing: &Drawing) -> String {
    let mut text = format!("---\ntitle: \"{}\"\n---\nflowchart TD\n", drawing.title);
    drawing.nested(&mut |depth, part| {
        let indent = "  ".repeat(depth + 1);
        match part {
            Part::Open(group) => {
                text.push_str(&format!("{indent}subgraph {}[\"{}\"]\n", group.id, label(&group.lines)));
            }
            Part::Close => text.push_str(&format!("{indent}end\n")),
            Part::Box(drawn) => {
                let (open, close) = match drawn.kind {
                    Kind::Input | Kind::Output => ("([", "])"),
                    Kind::Layer => ("[", "]"),
                    Kind::Join => ("((", "))"),
                };
                text.push_str(&format!("{indent}{}{open}\"{}\"{close}\n", drawn.id, label(&drawn.lines)));
            }
        }
    });
    for &(from, to) in &drawing.arrows {
        text.push_str(&format!("  {} --> {}\n", drawing.boxes[from].id, drawing.boxes[to].id));
    }
    text
}

/// Lines as the text of a label. Mermaid reads HTML in it, and `#…;` as a character; a label that is a sign alone
/// might be read as Markdown.
fn label(lines: &[String]) -> String {
    let escaped = lines.iter().map(|line| {
        let mut text = String::new();
        for char in line.chars() {
            match char {
                '"' => text.push_str("#quot;"),
                '#' | '&' | '<' | '>' | '`' | '*' | '+' | '-' | '_' => text.push_str(&format!("#{};", char as u32)),
                _ => text.push(char),
            }
        }
        text
    });
    escaped.collect::<Vec<_>>().join("<br/>")
}
