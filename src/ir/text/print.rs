//! Graph to text.

use std::fmt::{self, Write};
use std::sync::Arc;

use super::{HOST_BINARY, HOST_UNARY, size_word, size_words};
use crate::ir::op::{ArgOp, Dist, Number, Op, ReduceOp, Taps, WindowAxis};
use crate::ir::{Attention, AttentionArg, AttentionResult, Dim, Graph, HostOp, Node, Role, Scan, SizeId, Ty};

/// The text of a graph.
pub fn print(graph: &Graph) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = Printer::new(graph, size_words(&graph.sizes), &mut text).graph(graph);
    text
}

/// The text of one node: `f32[batch, 3] = add %1, %2`.
pub fn print_node(graph: &Graph, node: &Node) -> String {
    Printer::new(graph, size_words(&graph.sizes), &mut String::new()).node(node)
}

struct Printer<'a> {
    words: Vec<String>,
    /// The loops of the graph, by the number that nodes name them by.
    scans: Vec<Arc<Scan>>,
    /// And its attentions.
    attentions: Vec<Arc<Attention>>,
    out: &'a mut String,
}

impl<'a> Printer<'a> {
    fn new(graph: &Graph, words: Vec<String>, out: &'a mut String) -> Printer<'a> {
        Printer { words, scans: graph.scans(), attentions: graph.attentions(), out }
    }

    fn graph(&mut self, graph: &Graph) -> fmt::Result {
        for (name, word) in graph.sizes.iter().zip(self.words.clone()) {
            match *name == word {
                true => writeln!(self.out, "size {word}")?,
                false => writeln!(self.out, "size {word} {}", quoted(name))?,
            }
        }
        self.contents(graph)
    }

    /// What comes after the sizes.
    fn contents(&mut self, graph: &Graph) -> fmt::Result {
        for (at, op) in graph.host.ops.iter().enumerate() {
            writeln!(self.out, "host {at} = {}", self.host_op(op))?;
        }
        for (at, input) in graph.inputs.iter().enumerate() {
            let below = input.below.as_ref().map(|dim| format!(" below {}", self.dim(dim))).unwrap_or_default();
            writeln!(self.out, "input {at} {}: {}{below}", quoted(&input.name), self.ty(&input.ty))?;
        }
        for (at, param) in graph.params.iter().enumerate() {
            let axes = axis_names(&param.axes);
            writeln!(self.out, "param {at} {}: {}{axes}", quoted(&param.path), self.ty(&param.ty))?;
        }
        for (at, state) in graph.states.iter().enumerate() {
            let axes = axis_names(&state.axes);
            writeln!(self.out, "state {at} {}: {}{axes}", quoted(&state.path), self.ty(&state.ty))?;
        }
        for (at, scan) in self.scans.clone().iter().enumerate() {
            let reversed = if scan.reversed { " reversed" } else { "" };
            let count = self.dim(&scan.count);
            writeln!(self.out, "scan {at} over {count}{reversed} rows {} carries {} {{", scan.rows, scan.carries)?;
            let words = self.words.clone();
            Printer::new(&scan.body, words, self.out).contents(&scan.body)?;
            writeln!(self.out, "}}")?;
        }
        for (at, attention) in self.attentions.clone().iter().enumerate() {
            let each = attention.each.iter().map(|each| if *each { "1" } else { "0" }.to_owned());
            writeln!(self.out, "attention {at} each [{}] {{", commas(each))?;
            Printer::new(&attention.score, self.words.clone(), self.out).contents(&attention.score)?;
            writeln!(self.out, "}}")?;
        }
        for id in graph.ids() {
            writeln!(self.out, "{id:?}: {}", self.node(graph.node(id)))?;
        }
        for output in &graph.outputs {
            writeln!(self.out, "output {} = {:?}", role(&output.role), output.node)?;
        }
        Ok(())
    }

    fn dim(&self, dim: &Dim) -> String {
        let name = |id: SizeId| size_word(&self.words, id);
        dim.display(&name).to_string()
    }

    fn ty(&self, ty: &Ty) -> String {
        format!("{}[{}]", ty.dtype.as_str(), commas(ty.dims.iter().map(|dim| self.dim(dim))))
    }

    fn host_op(&self, op: &HostOp) -> String {
        match op {
            HostOp::Const(value) => format!("const {}", number(*value)),
            HostOp::Size(dim) => format!("size {}", self.dim(dim)),
            HostOp::Step => "step".to_owned(),
            HostOp::StepsPerEpoch => "steps_per_epoch".to_owned(),
            HostOp::Unary(function, a) => {
                let name = HOST_UNARY.iter().find(|(_, known)| known == function).map_or("?", |(name, _)| name);
                format!("{name} {}", a.0)
            }
            HostOp::Binary(function, a, b) => {
                let name = HOST_BINARY.iter().find(|(_, known)| known == function).map_or("?", |(name, _)| name);
                format!("{name} {}, {}", a.0, b.0)
            }
            HostOp::Select(c, a, b) => format!("select {}, {}, {}", c.0, a.0, b.0),
        }
    }

    fn node(&self, node: &Node) -> String {
        let args = commas(node.args.iter().map(|arg| format!("{arg:?}")));
        let gap = if args.is_empty() { "" } else { " " };
        format!("{} = {}{gap}{args}", self.ty(&node.ty), self.op(&node.op))
    }

    /// The name of an operation, and what it is but for its type in brackets.
    fn op(&self, op: &Op) -> String {
        match op {
            Op::Input(id) => format!("input[{}]", id.0),
            Op::Param(id) => format!("param[{}]", id.0),
            Op::State(id) => format!("state[{}]", id.0),
            Op::Const(value) => format!("const[{}]", number(value.value())),
            Op::Scalar(id) => format!("scalar[{}]", id.0),
            Op::Iota(dim) => format!("iota[{}]", self.dim(dim)),
            Op::Random { dist, site, dims } => {
                let name = match dist {
                    Dist::Uniform => "uniform",
                    Dist::Normal => "normal",
                };
                let dims: String = dims.iter().map(|dim| format!(", {}", self.dim(dim))).collect();
                format!("{name}[{site}{dims}]")
            }
            Op::Map(map) => map.name().to_owned(),
            Op::Permute(perm) => format!("permute[{}]", commas(perm.iter().map(usize::to_string))),
            Op::Reshape(dims) => format!("reshape[{}]", commas(dims.iter().map(|dim| self.dim(dim)))),
            Op::Broadcast { dims, axes } => {
                let axis = |axis: &Option<usize>| axis.map_or("_".to_owned(), |axis| axis.to_string());
                let parts = dims.iter().zip(axes).map(|(dim, at)| format!("{}: {}", axis(at), self.dim(dim)));
                format!("broadcast[{}]", commas(parts))
            }
            Op::Window { axes, fill } => {
                let axes: String = axes.iter().map(|axis| format!(", {}", self.window_axis(axis))).collect();
                format!("window[{}{axes}]", number_of(*fill))
            }
            Op::Concat(axis) => format!("concat[{axis}]"),
            Op::Reduce(reduce, axes) => {
                format!("reduce_{}[{}]", reduce_name(*reduce), commas(axes.iter().map(usize::to_string)))
            }
            Op::ArgReduce(ArgOp::Max, axes) => format!("arg_max[{}]", commas(axes.iter().map(usize::to_string))),
            Op::ArgReduce(ArgOp::Min, axes) => format!("arg_min[{}]", commas(axes.iter().map(usize::to_string))),
            Op::Order { axis, descending, count } => {
                let mark = if *descending { " descending" } else { "" };
                format!("order[{axis}{mark}, {}]", self.dim(count))
            }
            Op::Prefix { op, axis, reversed, exclusive } => {
                let mark = |set: &bool, word: &'static str| if *set { word } else { "" };
                let marks = [mark(reversed, " reversed"), mark(exclusive, " exclusive")].concat();
                format!("prefix_{}[{axis}{marks}]", reduce_name(*op))
            }
            Op::Variance(axes) => format!("variance[{}]", commas(axes.iter().map(usize::to_string))),
            Op::LogSumExp(axis) => format!("log_sum_exp[{axis}]"),
            Op::Contract { a, b, out } => format!("contract[{},{}->{}]", letters(a), letters(b), letters(out)),
            Op::Take(axis) => format!("take[{axis}]"),
            Op::ScatterAdd(axis, n) => format!("scatter_add[{axis}, {}]", self.dim(n)),
            Op::Pick(axis) => format!("pick[{axis}]"),
            Op::Attention(attention, result) => {
                let result = match result {
                    AttentionResult::Mean => "mean",
                    AttentionResult::LogSumExp => "log_sum_exp",
                };
                format!("attention[{}, {result}]", number_among(&self.attentions, attention))
            }
            Op::AttentionGrad(attention, arg) => {
                let arg = match arg {
                    AttentionArg::Query => "query",
                    AttentionArg::Key => "key",
                    AttentionArg::Value => "value",
                };
                format!("attention_grad[{}, {arg}]", number_among(&self.attentions, attention))
            }
            Op::Scan(scan, result) => format!("scan[{}, {result}]", number_among(&self.scans, scan)),
            Op::StopGradient => "stop_gradient".to_owned(),
            Op::Remat => "remat".to_owned(),
            Op::Variable(name) => format!("variable[{name}]"),
            Op::Derivative => "derivative".to_owned(),
            Op::WithGradient => "with_gradient".to_owned(),
            Op::Incoming { name, ty } => format!("incoming[{name}, {}]", self.ty(ty)),
        }
    }

    fn window_axis(&self, axis: &WindowAxis) -> String {
        let WindowAxis { axis, out, taps, m, a, d, b } = axis;
        let taps = match taps {
            Taps::None => String::new(),
            Taps::New(size) => format!(" taps {}", self.dim(size)),
            Taps::Shared(axis) => format!(" along {axis}"),
        };
        format!("axis {axis} out {}{taps} m {m} a {a} d {d} b {}", self.dim(out), self.dim(b))
    }
}

fn number_among<T: PartialEq>(known: &[T], wanted: &T) -> String {
    known.iter().position(|known| known == wanted).map_or("?".to_owned(), |at| at.to_string())
}

fn reduce_name(op: ReduceOp) -> &'static str {
    match op {
        ReduceOp::Sum => "sum",
        ReduceOp::Max => "max",
        ReduceOp::Min => "min",
        ReduceOp::Prod => "prod",
    }
}

fn role(role: &Role) -> String {
    match role {
        Role::Loss => "loss".to_owned(),
        Role::Metric(name) => format!("metric {}", quoted(name)),
        Role::Predict(name) => format!("predict {}", quoted(name)),
        Role::Grad(id) => format!("grad {}", id.0),
        Role::NewParam(id) => format!("new_param {}", id.0),
        Role::NewState(id) => format!("new_state {}", id.0),
        Role::Least(check) => format!("least {check}"),
        Role::Most(check) => format!("most {check}"),
        Role::Value(name) => format!("value {}", quoted(name)),
    }
}

fn axis_names(axes: &[String]) -> String {
    if axes.is_empty() { String::new() } else { format!(" {}", commas(axes.iter().map(|name| quoted(name)))) }
}

fn commas(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn number_of(number_: Number) -> String {
    format!("{} {}", number_.dtype.as_str(), number(number_.value()))
}

/// The shortest text that reads back as the same bits.
fn number(value: f64) -> String {
    if value.is_nan() && value.to_bits() != f64::NAN.to_bits() {
        return format!("nan:{:x}", value.to_bits());
    }
    format!("{value:?}")
}

fn letters(labels: &[u8]) -> String {
    let letter = |label: u8| char::from(if label < 26 { b'a' + label } else { (b'A' - 26).wrapping_add(label) });
    labels.iter().map(|&label| letter(label)).collect()
}
