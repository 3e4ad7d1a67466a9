//! Text to graph.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{HOST_BINARY, HOST_UNARY};
use crate::ir::op::{ArgOp, Dist, MapOp, Number, Op, ReduceOp, Taps, WindowAxis};
use crate::ir::{
    Attention, AttentionArg, AttentionResult, DType, Dim, Graph, HostId, HostOp, Input, InputId, Node, NodeId, Origin,
    Output, Param, ParamId, Role, Scan, SizeId, SizeOverflow, State, StateId, Ty,
};

/// Reads what `print` wrote; the error names the line.
pub fn parse(text: &str) -> Result<Graph, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    parse_lines(&mut lines, &mut Vec::new(), Graph::default())
}

/// Reads lines up to the end, or to the bracket that closes the body of a loop.
fn parse_lines(
    lines: &mut dyn Iterator<Item = (usize, &str)>,
    words: &mut Vec<String>,
    mut graph: Graph,
) -> Parsed<Graph> {
    let mut scans: Vec<Arc<Scan>> = Vec::new();
    let mut attentions: Vec<Arc<Attention>> = Vec::new();
    while let Some((at, line)) = lines.next() {
        let mut cursor = Cursor { rest: line.trim(), words, scans: &scans, attentions: &attentions };
        if cursor.rest == "}" {
            break;
        }
        let parsed = if cursor.eat("scan ") {
            parse_scan(&mut cursor, scans.len()).map(Line::Scan)
        } else if cursor.eat("attention ") {
            parse_attention(&mut cursor, attentions.len()).map(Line::Attention)
        } else {
            parse_line(&mut cursor, &mut graph).map(Line::Size)
        };
        let parsed = parsed
            .and_then(|line| if cursor.rest.is_empty() { Ok(line) } else { Err("more than belongs there".to_owned()) })
            .map_err(|why| format!("line {}: {why} at `{}`", at + 1, cursor.rest))?;
        match parsed {
            Line::Size(word) => words.extend(word),
            Line::Scan(mut scan) => {
                scan.body = parse_lines(lines, words, Graph { sizes: graph.sizes.clone(), ..Graph::default() })?;
                scans.push(Arc::new(scan));
            }
            Line::Attention(each) => {
                let score = parse_lines(lines, words, Graph { sizes: graph.sizes.clone(), ..Graph::default() })?;
                attentions.push(Arc::new(Attention { score, each }));
            }
        }
    }
    Ok(graph)
}

/// What a line introduces beside what is in the graph already.
enum Line {
    /// The word of a size, perhaps.
    Size(Option<String>),
    /// A loop, whose body follows.
    Scan(Scan),
    /// An attention, whose score follows.
    Attention(Vec<bool>),
}

fn parse_attention(line: &mut Cursor<'_>, at: usize) -> Parsed<Vec<bool>> {
    line.numbered(at)?;
    line.expect("each")?;
    line.expect("[")?;
    let each = line.list(|line| Ok(line.integer::<u8>()? == 1))?;
    line.expect("]")?;
    line.expect("{")?;
    Ok(each)
}

/// The head of a loop.
fn parse_scan(line: &mut Cursor<'_>, at: usize) -> Parsed<Scan> {
    line.numbered(at)?;
    line.expect("over")?;
    let count = line.dim()?;
    let reversed = line.eat("reversed");
    line.expect("rows")?;
    let rows = line.integer()?;
    line.expect("carries")?;
    let carries = line.integer()?;
    line.expect("{")?;
    Ok(Scan { count, reversed, rows, carries, body: Graph::default() })
}

type Parsed<T> = Result<T, String>;

/// Reads one line into the graph, and gives the word of a size that it introduces.
fn parse_line(line: &mut Cursor<'_>, graph: &mut Graph) -> Parsed<Option<String>> {
    if line.rest.starts_with('%') {
        let node = parse_node(line, graph.nodes.len())?;
        graph.nodes.push(node);
        return Ok(None);
    }
    match line.word()?.as_str() {
        "size" => {
            let word = line.word()?;
            let name = if line.rest.is_empty() { word.clone() } else { line.quoted()? };
            graph.sizes.push(name);
            return Ok(Some(word));
        }
        "host" => {
            line.numbered(graph.host.ops.len())?;
            line.expect("=")?;
            let op = parse_host(line)?;
            graph.host.ops.push(op);
        }
        "input" => {
            let (name, ty) = parse_named(line, graph.inputs.len())?;
            let below = if line.eat("below") { Some(line.dim()?) } else { None };
            graph.inputs.push(Input { name, ty, below });
        }
        "param" => {
            let (path, ty) = parse_named(line, graph.params.len())?;
            graph.params.push(Param { path, ty, axes: line.names()? });
        }
        "state" => {
            let (path, ty) = parse_named(line, graph.states.len())?;
            graph.states.push(State { path, ty, axes: line.names()? });
        }
        "output" => {
            let role = parse_role(line)?;
            line.expect("=")?;
            let node = line.node_id()?;
            graph.outputs.push(Output { role, node });
        }
        _ => return Err("no such line".to_owned()),
    }
    Ok(None)
}

fn parse_named(line: &mut Cursor<'_>, at: usize) -> Parsed<(String, Ty)> {
    line.numbered(at)?;
    let name = line.quoted()?;
    line.expect(":")?;
    Ok((name, line.ty()?))
}

fn parse_role(line: &mut Cursor<'_>) -> Parsed<Role> {
    Ok(match line.word()?.as_str() {
        "loss" => Role::Loss,
        "metric" => Role::Metric(line.quoted()?),
        "predict" => Role::Predict(line.quoted()?),
        "grad" => Role::Grad(ParamId(line.integer()?)),
        "new_param" => Role::NewParam(ParamId(line.integer()?)),
        "new_state" => Role::NewState(StateId(line.integer()?)),
        "least" => Role::Least(line.integer()?),
        "most" => Role::Most(line.integer()?),
        "value" => Role::Value(line.quoted()?),
        _ => return Err("no such role".to_owned()),
    })
}

fn parse_host(line: &mut Cursor<'_>) -> Parsed<HostOp> {
    let word = line.word()?;
    if word == "select" {
        let [c, a, b] = [line.host_id()?, line.next_host_id()?, line.next_host_id()?];
        return Ok(HostOp::Select(c, a, b));
    }
    if let Some((_, function)) = HOST_UNARY.iter().find(|(name, _)| *name == word) {
        return Ok(HostOp::Unary(*function, line.host_id()?));
    }
    if let Some((_, function)) = HOST_BINARY.iter().find(|(name, _)| *name == word) {
        return Ok(HostOp::Binary(*function, line.host_id()?, line.next_host_id()?));
    }
    Ok(match word.as_str() {
        "const" => HostOp::Const(line.number()?),
        "size" => HostOp::Size(line.dim()?),
        "step" => HostOp::Step,
        "steps_per_epoch" => HostOp::StepsPerEpoch,
        _ => return Err("no such host operation".to_owned()),
    })
}

fn parse_node(line: &mut Cursor<'_>, at: usize) -> Parsed<Node> {
    if line.node_id()?.index() != at {
        return Err("a node out of order".to_owned());
    }
    line.expect(":")?;
    let ty = line.ty()?;
    line.expect("=")?;
    let name = line.word()?;
    let op = match MapOp::ALL.iter().find(|map| map.name() == name) {
        Some(map) => Op::Map(*map),
        None if name == "stop_gradient" => Op::StopGradient,
        None if name == "remat" => Op::Remat,
        None if name == "derivative" => Op::Derivative,
        None if name == "with_gradient" => Op::WithGradient,
        None => {
            line.expect("[")?;
            let op = parse_op(line, &name, &ty)?;
            line.expect("]")?;
            op
        }
    };
    let mut args = SmallVec::new();
    if line.rest.starts_with('%') {
        args.push(line.node_id()?);
        while line.eat(",") {
            args.push(line.node_id()?);
        }
    }
    Ok(Node { op, args, ty, origin: Origin::default() })
}

/// What stands in the brackets of an operation.
fn parse_op(line: &mut Cursor<'_>, name: &str, ty: &Ty) -> Parsed<Op> {
    let prefix = |line: &mut Cursor<'_>, op: ReduceOp| {
        let axis = line.integer()?;
        Ok(Op::Prefix { op, axis, reversed: line.eat("reversed"), exclusive: line.eat("exclusive") })
    };
    let reduce = |line: &mut Cursor<'_>, op: ReduceOp| Ok(Op::Reduce(op, line.list(Cursor::integer)?));
    match name {
        "input" => Ok(Op::Input(InputId(line.integer()?))),
        "param" => Ok(Op::Param(ParamId(line.integer()?))),
        "state" => Ok(Op::State(StateId(line.integer()?))),
        "const" => Ok(Op::Const(Number::new(ty.dtype, line.number()?))),
        "scalar" => Ok(Op::Scalar(HostId(line.integer()?))),
        "iota" => Ok(Op::Iota(line.dim()?)),
        "uniform" | "normal" => {
            let dist = if name == "uniform" { Dist::Uniform } else { Dist::Normal };
            let site = line.integer()?;
            let dims = if line.eat(",") { line.list(Cursor::dim)? } else { Vec::new() };
            Ok(Op::Random { dist, site, dims })
        }
        "permute" => Ok(Op::Permute(line.list(Cursor::integer)?)),
        "reshape" => Ok(Op::Reshape(line.list(Cursor::dim)?)),
        "broadcast" => {
            let parts = line.list(|line| {
                let axis = if line.eat("_") { None } else { Some(line.integer()?) };
                line.expect(":")?;
                Ok((axis, line.dim()?))
            })?;
            let (axes, dims) = parts.into_iter().unzip();
            Ok(Op::Broadcast { dims, axes })
        }
        "window" => {
            let dtype = line.dtype()?;
            let fill = Number::new(dtype, line.number()?);
            let axes = if line.eat(",") { line.list(Cursor::window_axis)? } else { Vec::new() };
            Ok(Op::Window { axes, fill })
        }
        "concat" => Ok(Op::Concat(line.integer()?)),
        "reduce_sum" => reduce(line, ReduceOp::Sum),
        "reduce_max" => reduce(line, ReduceOp::Max),
        "reduce_min" => reduce(line, ReduceOp::Min),
        "reduce_prod" => reduce(line, ReduceOp::Prod),
        "arg_max" => Ok(Op::ArgReduce(ArgOp::Max, line.list(Cursor::integer)?)),
        "arg_min" => Ok(Op::ArgReduce(ArgOp::Min, line.list(Cursor::integer)?)),
        "prefix_sum" => prefix(line, ReduceOp::Sum),
        "prefix_max" => prefix(line, ReduceOp::Max),
        "prefix_min" => prefix(line, ReduceOp::Min),
        "prefix_prod" => prefix(line, ReduceOp::Prod),
        "order" => {
            let axis = line.integer()?;
            let descending = line.eat("descending");
            line.expect(",")?;
            Ok(Op::Order { axis, descending, count: line.dim()? })
        }
        "variance" => Ok(Op::Variance(line.list(Cursor::integer)?)),
        "log_sum_exp" => Ok(Op::LogSumExp(line.integer()?)),
        "contract" => {
            let a = line.labels();
            line.expect(",")?;
            let b = line.labels();
            line.expect("->")?;
            Ok(Op::Contract { a, b, out: line.labels() })
        }
        "take" => Ok(Op::Take(line.integer()?)),
        "scatter_add" => {
            let axis = line.integer()?;
            line.expect(",")?;
            Ok(Op::ScatterAdd(axis, line.dim()?))
        }
        "pick" => Ok(Op::Pick(line.integer()?)),
        "attention" => {
            let attention = line.attention()?;
            match line.word()?.as_str() {
                "mean" => Ok(Op::Attention(attention, AttentionResult::Mean)),
                "log_sum_exp" => Ok(Op::Attention(attention, AttentionResult::LogSumExp)),
                _ => Err("no such result".to_owned()),
            }
        }
        "attention_grad" => {
            let attention = line.attention()?;
            match line.word()?.as_str() {
                "query" => Ok(Op::AttentionGrad(attention, AttentionArg::Query)),
                "key" => Ok(Op::AttentionGrad(attention, AttentionArg::Key)),
                "value" => Ok(Op::AttentionGrad(attention, AttentionArg::Value)),
                _ => Err("no such argument".to_owned()),
            }
        }
        "scan" => {
            let scan = line.scans.get(line.integer::<usize>()?).cloned().ok_or("no such loop")?;
            line.expect(",")?;
            Ok(Op::Scan(scan, line.integer()?))
        }
        "incoming" => {
            let name = line.integer()?;
            line.expect(",")?;
            Ok(Op::Incoming { name, ty: line.ty()? })
        }
        "variable" => Ok(Op::Variable(line.integer()?)),
        _ => Err("no such operation".to_owned()),
    }
}

/// What is left of a line. After each step the rest starts with no space.
struct Cursor<'a> {
    rest: &'a str,
    /// The words of the sizes.
    words: &'a [String],
    /// The loops that nodes name by their number.
    scans: &'a [Arc<Scan>],
    attentions: &'a [Arc<Attention>],
}

impl<'a> Cursor<'a> {
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest.trim_start();
        taken
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.advance(end)
    }

    fn eat(&mut self, token: &str) -> bool {
        let there = self.rest.starts_with(token);
        if there {
            self.advance(token.len());
        }
        there
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(format!("expected `{token}`")) }
    }

    fn word(&mut self) -> Parsed<String> {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '\'');
        if word.is_empty() { Err("expected a word".to_owned()) } else { Ok(word.to_owned()) }
    }

    fn integer<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(self.rest.len());
        let value = self.rest[..end].parse().map_err(|_| "expected a whole number".to_owned())?;
        self.advance(end);
        Ok(value)
    }

    fn number(&mut self) -> Parsed<f64> {
        if self.eat("nan:") {
            let bits = self.take_while(|c| c.is_ascii_hexdigit());
            return u64::from_str_radix(bits, 16).map(f64::from_bits).map_err(|_| "expected bits".to_owned());
        }
        let text = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        text.parse().map_err(|_| "expected a number".to_owned())
    }

    fn quoted(&mut self) -> Parsed<String> {
        let mut strings = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let Some(Ok(text)) = strings.next() else { return Err("expected a quoted text".to_owned()) };
        let end = strings.byte_offset();
        self.advance(end);
        Ok(text)
    }

    fn names(&mut self) -> Parsed<Vec<String>> {
        let mut names = Vec::new();
        while self.rest.starts_with('"') {
            names.push(self.quoted()?);
            self.eat(",");
        }
        Ok(names)
    }

    /// A list that a closing bracket ends.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        while !self.rest.starts_with(']') {
            items.push(item(self)?);
            if !self.eat(",") {
                break;
            }
        }
        Ok(items)
    }

    /// The number of a declaration, which is its place.
    fn numbered(&mut self, at: usize) -> Parsed<()> {
        if self.integer::<usize>()? == at { Ok(()) } else { Err("a declaration out of order".to_owned()) }
    }

    fn node_id(&mut self) -> Parsed<NodeId> {
        self.expect("%")?;
        Ok(NodeId(self.integer()?))
    }

    fn host_id(&mut self) -> Parsed<HostId> {
        Ok(HostId(self.integer()?))
    }

    fn next_host_id(&mut self) -> Parsed<HostId> {
        self.expect(",")?;
        self.host_id()
    }

    fn dtype(&mut self) -> Parsed<DType> {
        let word = self.word()?;
        DType::ALL.into_iter().find(|dtype| dtype.as_str() == word).ok_or_else(|| "no such dtype".to_owned())
    }

    fn ty(&mut self) -> Parsed<Ty> {
        let dtype = self.dtype()?;
        self.expect("[")?;
        let dims = self.list(Cursor::dim)?;
        self.expect("]")?;
        Ok(Ty::new(dtype, dims))
    }

    /// `2 * t * (n + 1) // (2) - t + 1`: parentheses stand only around the sides of `//` and `%`, which
    /// bind tightest.
    fn dim(&mut self) -> Parsed<Dim> {
        let overflow = |_: SizeOverflow| "a size that overflows".to_owned();
        let mut sum = Dim::ZERO;
        let mut sign = if self.eat("-") { -1 } else { 1 };
        loop {
            let mut product = Dim::constant(sign);
            loop {
                let factor = self.dim_factor()?;
                product = product.mul(&factor).map_err(overflow)?;
                if !self.eat("*") {
                    break;
                }
            }
            sum = sum.add(&product).map_err(overflow)?;
            sign = if self.eat("+") {
                1
            } else if self.eat("-") {
                -1
            } else {
                return Ok(sum);
            };
        }
    }

    /// A quotient binds tightest, as `Dim::display` writes it.
    fn dim_factor(&mut self) -> Parsed<Dim> {
        let left = self.dim_operand()?;
        let result = if self.eat("//") {
            left.floor_div(&self.dim_operand()?)
        } else if self.eat("%") {
            left.modulo(&self.dim_operand()?)
        } else {
            return Ok(left);
        };
        result.map_err(|_| "a division by zero".to_owned())
    }

    fn dim_operand(&mut self) -> Parsed<Dim> {
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = self.take_while(|c| c.is_ascii_digit());
            return digits.parse().map(Dim::constant).map_err(|_| "a size that overflows".to_owned());
        }
        if self.eat("(") {
            return self.parenthesised_rest();
        }
        let word = self.word()?;
        let numbered = || word.strip_prefix('s').and_then(|digits| digits.parse().ok());
        let known = self.words.iter().position(|known| *known == word).map(|at| at as u32);
        known.or_else(numbered).map(|id| Dim::size(SizeId(id))).ok_or_else(|| "no such size".to_owned())
    }

    fn parenthesised_rest(&mut self) -> Parsed<Dim> {
        let dim = self.dim()?;
        self.expect(")")?;
        Ok(dim)
    }

    fn window_axis(&mut self) -> Parsed<WindowAxis> {
        self.expect("axis")?;
        let axis = self.integer()?;
        self.expect("out")?;
        let out = self.dim()?;
        let taps = if self.eat("taps") {
            Taps::New(self.dim()?)
        } else if self.eat("along") {
            Taps::Shared(self.integer()?)
        } else {
            Taps::None
        };
        let mut field = |name: &str| -> Parsed<i64> {
            self.expect(name)?;
            self.integer()
        };
        let [m, a, d] = [field("m")?, field("a")?, field("d")?];
        self.expect("b")?;
        Ok(WindowAxis { axis, out, taps, m, a, d, b: self.dim()? })
    }

    fn attention(&mut self) -> Parsed<Arc<Attention>> {
        let attention = self.attentions.get(self.integer::<usize>()?).cloned().ok_or("no such attention")?;
        self.expect(",")?;
        Ok(attention)
    }

    fn labels(&mut self) -> Vec<u8> {
        let letters = self.take_while(|c| c.is_ascii_alphabetic());
        letters.bytes().map(|c| if c.is_ascii_lowercase() { c - b'a' } else { c - b'A' + 26 }).collect()
    }
}
