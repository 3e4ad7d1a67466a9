//! What `tensa graph` draws and `tensa summary` counts: the three forms of a drawing, places, figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use insta::assert_snapshot;
use tempfile::TempDir;

/// A folder with `rows.csv`, twenty rows of the numbers `a` to `p` and a `label`, where commands run.
struct Place(TempDir);

/// A rectangle of a picture: left, top, right, bottom.
type Rect = [f64; 4];

const DATA: &str = "data Rows = csv(\"rows.csv\") {
  x     = columns(\"a\"..\"p\")
  y     = column(\"label\") |> vocab
  split = random(train = 100%)
  batch = 4
}
";

const RESIDUAL: &str = "
layer Block(x: [.., d]) -> [.., d] {
  let gate = x |> Dense(d) |> sigmoid
  x + gate * (x |> Dense(2 * d, gelu) |> Dense(d) |> Dropout(0.1))
}

model Net(x: [batch, feature]) -> logit[batch, class] {
  x |> Dense(8, relu) |> stack 2 { Block } |> Dense(class: 3)
}
";

/// A picture of a few convolutions: plain, depthwise, in two groups.
const CONVOLUTIONS: &str = "
model Net(x: [batch, p]) -> logit[batch, class] {
  expand[c: 1](split[p -> h: 4, w: 4](x))
    |> Conv(8, k = 3) |> Conv(8, k = 3, groups = 8) |> Conv(8, k = 3, groups = 2) |> Flatten |> Dense(class: 3)
}
";

/// Layers side by side, one of them used twice, one without an effect, and a value that passes by all of them.
const WIDE: &str = "
layer Nothing(x: [.., d]) -> [.., d] = x

layer Wide(x: [.., d]) -> [.., d] {
  let same = Dense(d)
  let q = x |> same |> Nothing
  let k = x |> same |> Dense(d)
  let v = x |> Dense(d)
  if q < k { v } else { max(q, x) }
}

model Net(x: [batch, d]) -> logit[batch, class] {
  concat[d](x |> Wide |> Wide, x) |> Dense(class: 3)
}
";

fn train(setting: &str) -> String {
    format!("\ntrain Net on Rows {{\n  {setting}\n  optimizer = SGD(lr = 0.1, momentum = 0.9)\n  epochs    = 1\n}}\n")
}

/// A program around a model.
fn program(model: &str) -> String {
    format!("{DATA}{model}{}", train("predict   = Net(x)\n  loss      = cross_entropy(predict, y)"))
}

/// The programs whose drawings are judged.
fn programs() -> Vec<(&'static str, String)> {
    let deep = "
model Net(x: [batch, feature]) -> logit[batch, class] = x |> stack 40 { residual(Dense(16)) } |> Dense(class: 3)
";
    let bottlenecks = "
model Net(x: [batch, p]) -> logit[batch, class] {
  expand[c: 1](split[p -> h: 4, w: 4](x))
    |> Conv(8) |> Bottleneck(16, stride = 2) |> Bottleneck(16) |> GlobalAvgPool |> Dense(class: 3)
}
";
    [("residual", RESIDUAL), ("convolutions", CONVOLUTIONS), ("wide", WIDE), ("deep", deep), ("nested", bottlenecks)]
        .map(|(name, model)| (name, program(model)))
        .into()
}

impl Place {
    fn new(program: &str) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rows = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,label\n".to_owned();
        for row in 0..20 {
            let numbers: Vec<String> = (0..16).map(|column| format!("{}", row + column)).collect();
            rows.push_str(&format!("{},c{}\n", numbers.join(","), row % 3));
        }
        fs::write(folder.path().join("rows.csv"), rows).expect("a writable folder");
        fs::write(folder.path().join("net.model"), program).expect("a writable folder");
        Place(folder)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
        command.current_dir(self.0.path()).args(args).output().expect("a command that starts")
    }

    /// What a command prints that goes well and has nothing to say.
    fn fine(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), &*told), (Some(0), ""), "{args:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn drawn(&self, format: &str) -> String {
        self.fine(&["graph", "net.model", "--format", format])
    }
}

#[test]
fn a_residual_program_in_every_form() {
    let place = Place::new(&program(RESIDUAL));
    assert_snapshot!("residual_mermaid", place.drawn("mermaid"));
    assert_snapshot!("residual_dot", place.drawn("dot"));
    assert_snapshot!("residual_svg", place.drawn("svg"));
    assert_snapshot!("residual_summary", place.fine(&["summary", "net.model"]));
}

/// The cells of the table of a summary whose path is this one.
fn row<'t>(summary: &'t str, path: &str) -> Vec<&'t str> {
    let cells = |line: &'t str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
    let found = summary.lines().map(cells).find(|cells| cells.first() == Some(&path));
    found.unwrap_or_else(|| panic!("no row of {path} in\n{summary}"))
}

#[test]
fn flops_are_those_counted_by_hand() {
    let mlp = "
model Net(x: [batch, feature]) -> logit[batch, class] = x |> Dense(32, tanh) |> Dense(class: 3)
";
    let place = Place::new(&program(mlp));
    let summary = place.fine(&["summary", "net.model"]);
    // Two for each weight: 16 by 32 and 32 by 3. Bytes: the result, and the weights with their bias.
    assert_eq!(row(&summary, "Net.Dense")[3..], ["544", "1_024", "2_304"]);
    assert_eq!(row(&summary, "Net.Dense.1")[3..], ["99", "192", "408"]);
    assert!(summary.ends_with("\n1_216 flops forward for one example\n"), "{summary}");
    let of_batch = place.fine(&["summary", "net.model", "--batch", "32"]);
    assert!(of_batch.starts_with("Net on Rows, a batch of 32 forward\n"), "{of_batch}");
    assert!(of_batch.ends_with("\n38_912 flops forward for a batch of 32\n"), "{of_batch}");
    assert_eq!(row(&of_batch, "Net.Dense")[3..], ["544", "32_768", "6_272"]);
}

#[test]
fn flops_of_convolutions_are_those_counted_by_hand() {
    let place = Place::new(&program(CONVOLUTIONS));
    let summary = place.fine(&["summary", "net.model"]);
    let flops = |path: &str| row(&summary, path)[4].to_owned();
    // At each of 16 places, for each of 8 channels: 2 for each of 9 places of the kernel and each channel it sees.
    assert_eq!(flops("Net.Conv"), "2_304");
    assert_eq!(flops("Net.Conv.1"), "2_304");
    assert_eq!(flops("Net.Conv.2"), "9_216");
    assert!(summary.ends_with("\n14_592 flops forward for one example\n"), "{summary}");
}

/// A product that no layer holds is counted, and said to be outside.
#[test]
fn flops_outside_of_layers_are_told() {
    let text =
        format!("{DATA}{RESIDUAL}{}", train("loss = cross_entropy(Net(x), y) + sum(mean[batch](x) * mean[batch](x))"));
    let summary = Place::new(&text).fine(&["summary", "net.model"]);
    assert!(summary.ends_with(" flops forward for one example, 32 of them in no layer\n"), "{summary}");
}

#[test]
fn a_layer_used_twice_has_its_parameters_once() {
    let place = Place::new(&program(WIDE));
    let summary = place.fine(&["summary", "net.model"]);
    let same: Vec<&str> = summary.lines().filter(|line| line.contains("Net.Wide.same ")).collect();
    assert_eq!(same.len(), 2, "{summary}");
    assert!(same[0].contains(" 272 ") && same[1].contains(" shared "), "{summary}");
    assert_eq!(place.drawn("mermaid").matches("shared parameters").count(), 2, "one of each `Wide`");
}

/// The attribute of an element.
fn attribute<'t>(element: &'t str, name: &str) -> &'t str {
    let start = element.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {element}"));
    element[start + name.len() + 3..].split('"').next().expect("a closed attribute")
}

/// The boxes and groups of a picture by their names, with whether they are groups.
fn rects(svg: &str) -> BTreeMap<String, (bool, Rect)> {
    let elements = svg.lines().filter(|line| line.starts_with("<rect id="));
    let rects = elements.map(|element| {
        let number = |name| attribute(element, name).parse::<f64>().expect("a number");
        let (x, y) = (number("x"), number("y"));
        let rect = [x, y, x + number("width"), y + number("height")];
        (attribute(element, "id").to_owned(), (attribute(element, "class") == "group", rect))
    });
    let mut known = BTreeMap::new();
    for (id, rect) in rects {
        assert!(known.insert(id.clone(), rect).is_none(), "{id} twice");
    }
    known
}

#[test]
fn every_layer_of_the_summary_is_drawn_once() {
    for (name, text) in programs() {
        let place = Place::new(&text);
        let summary = place.fine(&["summary", "net.model"]);
        let paths: Vec<&str> = summary.lines().skip(3).map_while(|line| line.split_whitespace().next()).collect();
        assert!(paths.len() > 2, "{summary}");
        let [mermaid, dot, svg] = ["mermaid", "dot", "svg"].map(|format| place.drawn(format));
        let known = rects(&svg);
        for (at, path) in paths.iter().enumerate() {
            let count = |text: &str, forms: [String; 2]| -> usize {
                text.lines().filter(|line| forms.iter().any(|form| line.trim_start().starts_with(form))).count()
            };
            assert_eq!(
                count(&mermaid, [format!("l{at}["), format!("subgraph l{at}[")]),
                1,
                "{name}: {path}\n{mermaid}"
            );
            assert_eq!(
                count(&dot, [format!("l{at} ["), format!("subgraph cluster_l{at} {{")]),
                1,
                "{name}: {path}\n{dot}"
            );
            assert!(known.contains_key(&format!("l{at}")), "{name}: {path}\n{svg}");
            assert!(svg.contains(&format!("<title>{path}</title>")), "{name}: {path}");
        }
        assert_eq!(known.keys().filter(|id| id.starts_with('l')).count(), paths.len(), "{name}");
    }
}

#[test]
fn nothing_lies_over_anything_else() {
    for (name, text) in programs() {
        let svg = Place::new(&text).drawn("svg");
        let known = rects(&svg);
        let apart = |a: &Rect, b: &Rect| a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
        let within = |a: &Rect, b: &Rect| a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];
        for (id, (is_group, rect)) in &known {
            for (other, (holds, around)) in &known {
                let nested = *holds && within(rect, around) || *is_group && within(around, rect);
                assert!(id == other || apart(rect, around) || nested, "{name}: {id} and {other}\n{svg}");
            }
        }
        // Ends of wires lie in the picture, and no wire crosses a box that it does not end at.
        let [width, height] = ["width", "height"].map(|name| attribute(&svg, name).parse::<f64>().expect("a number"));
        for wire in svg.lines().filter(|line| line.starts_with("<path class=\"wire\"")) {
            let points = way(attribute(wire, "d"));
            assert!(
                points.iter().all(|(x, y)| (0.0..width).contains(x) && (0.0..height).contains(y)),
                "{name}: {wire}"
            );
            for (id, (is_group, rect)) in known.iter().filter(|(_, (is_group, _))| !is_group) {
                let inside = |(x, y): &&(f64, f64)| {
                    rect[0] + 1.0 < *x && *x < rect[2] - 1.0 && rect[1] + 1.0 < *y && *y < rect[3] - 1.0
                };
                assert!(!is_group && points.iter().find(inside).is_none(), "{name}: {wire} crosses {id}\n{svg}");
            }
        }
    }
}

/// Points along a path of `M`, `V` and `C`, close to each other.
fn way(path: &str) -> Vec<(f64, f64)> {
    let starts: Vec<usize> = path.match_indices(['M', 'V', 'C']).map(|(at, _)| at).chain([path.len()]).collect();
    let mut points: Vec<(f64, f64)> = Vec::new();
    for pair in starts.windows(2) {
        let piece = &path[pair[0]..pair[1]];
        let numbers: Vec<f64> = piece[1..].split(' ').map(|number| number.parse().expect("a number")).collect();
        let from = points.last().copied();
        match (piece.as_bytes()[0], &numbers[..], from) {
            (b'M', &[x, y], None) => points.push((x, y)),
            (b'V', &[y], Some((x, above))) => {
                points.extend((1..=20).map(|step| (x, above + (y - above) * f64::from(step) / 20.0)));
            }
            (b'C', &[ax, ay, bx, by, x, y], Some((x0, y0))) => points.extend((1..=20).map(|step| {
                let t = f64::from(step) / 20.0;
                let mix = |p: [f64; 4]| {
                    let s = 1.0 - t;
                    s * s * s * p[0] + 3.0 * s * s * t * p[1] + 3.0 * s * t * t * p[2] + t * t * t * p[3]
                };
                (mix([x0, ax, bx, x]), mix([y0, ay, by, y]))
            })),
            _ => panic!("{piece} in {path}"),
        }
    }
    points
}

/// Reads what `dot` writes of Graphviz's language: nested blocks of statements that end with `;`, names or quoted
/// texts with attributes, and arrows between boxes that are there.
#[test]
fn dot_is_what_graphviz_reads() {
    for (name, text) in programs() {
        let dot = Place::new(&text).drawn("dot");
        let mut depth = 0;
        let (mut boxes, mut arrows) = (BTreeSet::new(), Vec::new());
        for line in dot.lines() {
            // Texts hold no bare quote: what is left without them is the skeleton.
            let mut skeleton = String::new();
            let mut chars = line.chars();
            while let Some(char) = chars.next() {
                if char == '"' {
                    while let Some(inner) = chars.next().filter(|inner| *inner != '"') {
                        if inner == '\\' {
                            chars.next();
                        }
                    }
                    skeleton.push('T');
                } else {
                    skeleton.push(char);
                }
            }
            let skeleton = skeleton.trim();
            let words: Vec<&str> = skeleton.trim_end_matches(';').split(' ').collect();
            match words[..] {
                ["digraph", "T", "{"] => depth += 1,
                ["subgraph", group, "{"] => {
                    assert!(group.starts_with("cluster_"), "{line}");
                    depth += 1;
                }
                ["}"] => depth -= 1,
                ["node" | "graph", ..] => assert!(skeleton.ends_with("];"), "{line}"),
                [from, "->", to] => arrows.push((from.to_owned(), to.to_owned())),
                [id, ..] if skeleton.ends_with("];") => assert!(boxes.insert(id.to_owned()), "{line}"),
                _ => assert_eq!(skeleton, "label=T; labeljust=l; tooltip=T;", "{name}"),
            }
            assert!(depth > 0 || line == "}", "{line}");
        }
        assert_eq!(depth, 0, "{dot}");
        assert!(arrows.iter().all(|(from, to)| boxes.contains(from) && boxes.contains(to)), "{dot}");
        // What is drawn in Mermaid is drawn here.
        let mermaid = Place::new(&text).drawn("mermaid");
        let same: Vec<(String, String)> = mermaid
            .lines()
            .filter_map(|line| line.trim().split_once(" --> "))
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .collect();
        assert_eq!(same, arrows, "{name}");
    }
}

#[test]
fn signs_are_escaped() {
    let place = Place::new(&program(WIDE));
    assert!(place.drawn("svg").contains(">&lt;</text>"));
    assert!(place.drawn("mermaid").contains("((\"#60;\"))"));
    assert!(place.drawn("dot").contains("[label=\"<\", "));
}

#[test]
fn a_deep_program_is_drawn() {
    let deep = "
model Net(x: [batch, d]) -> logit[batch, class] = x |> stack 1_000 { residual(Dense(16)) } |> Dense(class: 3)
";
    let place = Place::new(&program(deep));
    assert_eq!(rects(&place.drawn("svg")).keys().filter(|id| id.starts_with('l')).count(), 1_002);
}

#[test]
fn the_ending_of_the_file_says_the_form() {
    let place = Place::new(&program(RESIDUAL));
    for (file, start) in
        [("a.svg", "<svg "), ("a.dot", "digraph "), ("a.gv", "digraph "), ("a.mmd", "---\n"), ("a", "---\n")]
    {
        assert_eq!(place.fine(&["graph", "net.model", "-o", file]), "");
        let text = fs::read_to_string(place.0.path().join(file)).expect("a file");
        assert!(text.starts_with(start), "{file}: {text}");
    }
    place.fine(&["graph", "net.model", "--format", "dot", "--output", "b.svg"]);
    let text = fs::read_to_string(place.0.path().join("b.svg")).expect("a file");
    assert!(text.starts_with("digraph "), "what is said counts more than an ending");
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let told = |place: &Place, args: &[&str], code: i32, parts: &[&str]| {
        let output = place.run(args);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{args:?}: {stderr}");
        assert!(parts.iter().all(|part| stderr.contains(part)), "{parts:?} are not in\n{stderr}");
    };
    let place = Place::new(&program(RESIDUAL));
    told(&place, &["graph", "net.model", "--format", "png"], 2, &["png", "mermaid, dot, svg"]);
    told(&place, &["graph"], 2, &["FILE"]);
    told(&place, &["summary", "net.model", "--batch", "0"], 2, &["--batch"]);
    told(&place, &["graph", "net.model", "--train", "Other"], 2, &["no run trains `Other`", "Net"]);
    told(
        &place,
        &["graph", "net.model", "-o", "none/a.svg"],
        1,
        &["E0822", Path::new("none/a.svg").to_str().unwrap_or_default()],
    );
    told(&Place::new("let a = 1\n"), &["graph", "net.model"], 1, &["E0827", "net.model"]);
    told(&Place::new(&program(&RESIDUAL.replace("relu", "rleu"))), &["graph", "net.model"], 1, &["E0201", "`rleu`"]);
    let twice = format!("{}{}", program(RESIDUAL), train("loss = cross_entropy(Net(x), y)"));
    told(&Place::new(&twice), &["graph", "net.model"], 2, &["several runs", "--train NAME"]);
    assert!(Place::new(&twice).fine(&["graph", "net.model", "--train", "Net"]).starts_with("---\n"));
}
