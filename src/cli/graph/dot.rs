//! A drawing as a digraph for Graphviz.

use super::flow::{Drawing, Kind, Part};

/// The text of a drawing.
pub(super) fn text(drawing: &Drawing) -> String {
    let mut text = format!("digraph {} {{\n", quoted(std::slice::from_ref(&drawing.title)));
    text.push_str("  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=monospace, fontsize=11];\n");
    text.push_str("  graph [style=rounded, fontname=monospace, fontsize=11];\n");
    drawing.nested(&mut |depth, part| {
        let indent = "  ".repeat(depth + 1);
        match part {
            Part::Open(group) => {
                let (label, path) = (quoted(&group.lines), quoted(std::slice::from_ref(&group.path)));
                // Only a name that begins with `cluster` is drawn with a border.
                text.push_str(&format!("{indent}subgraph cluster_{} {{\n", group.id));
                text.push_str(&format!("{indent}  label={label}; labeljust=l; tooltip={path};\n"));
            }
            Part::Close => text.push_str(&format!("{indent}}}\n")),
            Part::Box(drawn) => {
                let label = quoted(&drawn.lines);
                let looks = match drawn.kind {
                    Kind::Input | Kind::Output => ", shape=oval".to_owned(),
                    Kind::Layer => format!(", tooltip={}", quoted(std::slice::from_ref(&drawn.path))),
                    Kind::Join => ", shape=circle, margin=0.02".to_owned(),
                };
                text.push_str(&format!("{indent}{} [label={label}{looks}];\n", drawn.id));
            }
        }
    });
    for &(from, to) in &drawing.arrows {
        text.push_str(&format!("  {} -> {};\n", drawing.boxes[from].id, drawing.boxes[to].id));
    }
    text.push_str("}\n");
    text
}

/// Lines as a string of Graphviz.
fn quoted(lines: &[String]) -> String {
    let escaped = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\""));
    format!("\"{}\"", escaped.collect::<Vec<_>>().join("\\n"))
}
