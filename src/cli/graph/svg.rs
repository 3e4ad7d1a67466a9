//! A drawing as a picture.
//!
//! Text is set in a monospaced face, whose width is known without its file. Colours say what a box is; the words
//! in it say it too.

use std::fmt::Write;

use super::flow::{Drawing, Kind};
use super::layout::{self, Rect, Size, Wire};

/// The width of a character at the size of the text, with a little room for other faces.
const CHAR: f64 = 7.4;
/// From line to line.
const LINE: f64 = 16.0;
/// Around everything.
const MARGIN: f64 = 16.0;

const STYLE: &str = "\
text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #475569 }
.name { font-weight: bold; fill: #0f172a }
.title { font-weight: bold; font-size: 14px; fill: #0f172a }
.halo { stroke: #f8fafc; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke }
.group { fill: #f1f5f9; fill-opacity: 0.6; stroke: #94a3b8; stroke-dasharray: 5 3 }
.layer { fill: #eff6ff; stroke: #3b82f6 }
.input { fill: #ecfdf5; stroke: #10b981 }
.output { fill: #fff7ed; stroke: #f97316 }
.join { fill: #ffffff; stroke: #64748b }
.wire { fill: none; stroke: #64748b; stroke-width: 1.3 }
.tip { fill: #64748b }
";

/// The text of a picture.
pub(super) fn text(drawing: &Drawing) -> String {
    let boxes: Vec<Size> = drawing.boxes.iter().map(|drawn| size(drawn.kind, &drawn.lines)).collect();
    let heads: Vec<Size> =
        drawing.groups.iter().map(|group| (text_width(&group.lines), LINE * group.lines.len() as f64 + 8.0)).collect();
    let placed = layout::place(drawing, &boxes, &heads);
    let top = MARGIN + 28.0;
    let title_width = text_width(std::slice::from_ref(&drawing.title)) * 1.2;
    let (width, height) = (placed.width.max(title_width) + 2.0 * MARGIN, placed.height + top + MARGIN);
    let left = (width - placed.width) / 2.0;

    let mut svg = Svg(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\">\n",
        width.ceil(),
        height.ceil()
    ));
    svg.line(format_args!("<style>\n{STYLE}</style>"));
    svg.line(format_args!("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"));
    svg.line(format_args!(
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
        MARGIN + 12.0,
        escaped(&drawing.title)
    ));
    svg.line(format_args!("<g transform=\"translate({left:.1} {top:.1})\">"));
    for (group, rect) in drawing.groups.iter().zip(&placed.groups) {
        svg.rect("group", &group.id, rect, 10.0, &group.path);
    }
    placed.wires.iter().for_each(|wire| svg.wire(wire));
    for (group, rect) in drawing.groups.iter().zip(&placed.groups) {
        // A wire may pass behind the words.
        svg.words(&group.lines, (rect.x + 10.0, rect.y + 8.0), "start", " halo");
    }
    for (drawn, rect) in drawing.boxes.iter().zip(&placed.boxes) {
        let (class, round) = match drawn.kind {
            Kind::Input => ("input", rect.height / 2.0),
            Kind::Output => ("output", rect.height / 2.0),
            Kind::Layer => ("layer", 6.0),
            Kind::Join => ("join", rect.height / 2.0),
        };
        svg.rect(class, &drawn.id, rect, round, &drawn.path);
        let middle = (rect.x + rect.width / 2.0, rect.y + (rect.height - LINE * drawn.lines.len() as f64) / 2.0);
        svg.words(&drawn.lines, middle, "middle", "");
    }
    svg.line(format_args!("</g>\n</svg>"));
    svg.0
}

/// The size of a box for its words.
fn size(kind: Kind, lines: &[String]) -> Size {
    let height = LINE * lines.len() as f64;
    let width = text_width(lines);
    match kind {
        Kind::Join => ((width + 14.0).max(height + 10.0), height + 10.0),
        Kind::Input | Kind::Output => (width + 36.0, height + 12.0),
        Kind::Layer => (width + 24.0, height + 14.0),
    }
}

/// The width of the longest line.
fn text_width(lines: &[String]) -> f64 {
    // East Asian characters are twice as wide.
    let width = |line: &String| line.chars().map(|char| if char < '\u{1100}' { CHAR } else { 2.0 * CHAR }).sum();
    lines.iter().map(width).fold(0.0, f64::max)
}

/// A picture that is being written.
struct Svg(String);

impl Svg {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn rect(&mut self, class: &str, id: &str, rect: &Rect, round: f64, path: &str) {
        let Rect { x, y, width, height } = rect;
        let title = if path.is_empty() { String::new() } else { format!("<title>{}</title>", escaped(path)) };
        self.line(format_args!(
            "<rect id=\"{id}\" class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             rx=\"{round:.1}\">{title}</rect>"
        ));
    }

    /// Lines of words, the first of which is a name.
    fn words(&mut self, lines: &[String], (x, y): (f64, f64), anchor: &str, more: &str) {
        for (at, line) in lines.iter().enumerate() {
            let class = format!("{}{more}", if at == 0 { "name" } else { "more" });
            let y = y + LINE * at as f64 + 12.0;
            self.line(format_args!(
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
                escaped(line)
            ));
        }
    }

    fn wire(&mut self, wire: &Wire) {
        let Some((&(mut x, mut y), rest)) = wire.points.split_first() else { return };
        let mut path = format!("M{x:.1} {y:.1}");
        for (at, &(to, below)) in rest.iter().enumerate() {
            // The line ends inside of the tip.
            let end = if wire.arrives && at + 1 == rest.len() { below - 4.0 } else { below };
            if (to - x).abs() < 0.05 {
                let _ = write!(path, "V{end:.1}");
            } else {
                let middle = (y + below) / 2.0;
                let _ = write!(path, "C{x:.1} {middle:.1} {to:.1} {middle:.1} {to:.1} {end:.1}");
            }
            (x, y) = (to, below);
        }
        self.line(format_args!("<path class=\"wire\" d=\"{path}\"/>"));
        if wire.arrives {
            let top = y - 7.0;
            self.line(format_args!(
                "<path class=\"tip\" d=\"M{:.1} {top:.1}L{:.1} {top:.1}L{x:.1} {y:.1}Z\"/>",
                x - 4.0,
                x + 4.0
            ));
        }
    }
}

/// A text as the content of an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
