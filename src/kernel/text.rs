//! The text form of kernels and programs, for people and for tests; `parse` reads it back.
//!
//! ```text
//! kernel k0 (read, write; f32; sizes 1) grid [s0] row 64 rowbufs 0 slots 1 {
//!   reduce {
//!     v0 = load b0[64*g0 + i]
//!   } acc {
//!     t0 <- sum v0
//!   }
//!   scalar {
//!     v0 = slot t0
//!     b1[g0] <- v0
//!   }
//! }
//! ```
//! `g0` is the position in the first dim of the grid, `i` in the row, `k` in a fold; `s` sizes, `a`
//! scalar arguments, `b` buffers, `r` scratch rows, `t` slots, `m` buffers of a program, `h` host values. What has
//! elements of 64 bits is named behind `wide`.

use std::fmt::{self, Display, Write};

use super::ir::{
    Access, Affine, Body, BufId, Carry, Coef, Conv, Dst, Elem, Inst, Kernel, Launch, Matrix, PatchAxis, Phase, Place,
    Program, ScalarValue, Scan, Step, Wide,
};
use crate::ir::scalar::ScalarTy;
use crate::ir::{Dim, HostOp, Role, SizeId};

/// The word of an enum whose variants are words: `Un::AsInt` is `asint`.
pub(super) fn word(name: &dyn fmt::Debug) -> String {
    format!("{name:?}").to_lowercase()
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

impl Display for Coef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Coef::Const(value) => write!(f, "{value}"),
            Coef::Size(size) => write!(f, "s{}", size.0),
        }
    }
}

impl Display for Affine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms = Vec::new();
        let mut term = |coef: Coef, position: String| match coef {
            Coef::Const(0) => {}
            Coef::Const(1) => terms.push(position),
            _ => terms.push(format!("{coef}*{position}")),
        };
        for (dim, coef) in self.grid.iter().enumerate() {
            term(*coef, format!("g{dim}"));
        }
        term(self.row, "i".into());
        term(self.fold, "k".into());
        if self.base != Coef::Const(0) || terms.is_empty() {
            terms.insert(0, self.base.to_string());
        }
        f.write_str(&terms.join(" + "))
    }
}

/// The text of a constant: the shortest number that reads back to the same bits.
pub(super) fn constant(bits: u64, ty: ScalarTy) -> String {
    let float = f32::from_bits(bits as u32);
    match ty {
        ScalarTy::F32 if float.is_nan() => format!("nan:{bits:08x}"),
        ScalarTy::F32 => format!("{float:?}"),
        ScalarTy::F64 if f64::from_bits(bits).is_nan() => format!("nan:{bits:016x}"),
        ScalarTy::F64 => format!("{:?}", f64::from_bits(bits)),
        ScalarTy::I32 => (bits as i32).to_string(),
        ScalarTy::I64 => (bits as i64).to_string(),
        ScalarTy::Mask => (bits != 0).to_string(),
    }
}

impl Display for Inst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inst::Const(bits, ty) => write!(f, "const {} {}", word(ty), constant(*bits, *ty)),
            Inst::Arg(arg) => write!(f, "arg a{}", arg.0),
            Inst::Index(at) => write!(f, "index [{at}]"),
            Inst::Un(un, a) => write!(f, "{} v{}", word(un), a.0),
            Inst::Bin(bin, a, b) => write!(f, "{} v{} v{}", word(bin), a.0, b.0),
            Inst::Fma(a, b, c) => write!(f, "fma v{} v{} v{}", a.0, b.0, c.0),
            Inst::Cmp(cc, a, b) => write!(f, "{} v{} v{}", word(cc), a.0, b.0),
            Inst::Sel(mask, a, b) => write!(f, "sel v{} v{} v{}", mask.0, a.0, b.0),
            Inst::Load { buf, at, row, valid } => {
                write!(f, "load b{}[{at}]", buf.0)?;
                if let Some((v, stride)) = row {
                    write!(f, " row v{}*{stride}", v.0)?;
                }
                valid.iter().try_for_each(|v| write!(f, " if v{}", v.0))
            }
            Inst::Row(row) => write!(f, "row r{}", row.0),
            Inst::Slot(slot) => write!(f, "slot t{}", slot.0),
            Inst::Tile => f.write_str("tile"),
        }
    }
}

impl Display for Dst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dst::Buf(buf, at) => write!(f, "b{}[{at}]", buf.0),
            Dst::Row(row) => write!(f, "r{}", row.0),
            Dst::Slot(slot) => write!(f, "t{}", slot.0),
        }
    }
}

fn body(f: &mut fmt::Formatter<'_>, body: &Body) -> fmt::Result {
    f.write_str(" {\n")?;
    for (at, inst) in body.insts.iter().enumerate() {
        writeln!(f, "    v{at} = {inst}")?;
    }
    for (dst, v) in &body.stores {
        writeln!(f, "    {dst} <- v{}", v.0)?;
    }
    f.write_str("  }")
}

impl Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Map(map) => {
                f.write_str("  map")?;
                body(f, map)?;
            }
            Phase::Reduce { body: reduced, acc } => {
                f.write_str("  reduce")?;
                body(f, reduced)?;
                f.write_str(" acc {\n")?;
                for (comb, v, slot) in acc {
                    writeln!(f, "    t{} <- {} v{}", slot.0, word(comb), v.0)?;
                }
                f.write_str("  }")?;
            }
            Phase::Fold { over, body: folded, acc } => {
                write!(f, "  fold {over}")?;
                body(f, folded)?;
                f.write_str(" acc {\n")?;
                for (comb, v, dst) in acc {
                    writeln!(f, "    {dst} <- {} v{}", word(comb), v.0)?;
                }
                f.write_str("  }")?;
            }
            Phase::Scalar(scalar) => {
                f.write_str("  scalar")?;
                body(f, scalar)?;
            }
        }
        f.write_char('\n')
    }
}

/// `b0, b2, r0, t1, tile`
impl Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bufs = self.bufs.iter().map(|buf| format!("b{}", buf.0));
        let rows = self.rows.iter().map(|row| format!("r{}", row.0));
        let slots = self.slots.iter().map(|slot| format!("t{}", slot.0));
        f.write_str(&list(bufs.chain(rows).chain(slots).chain(self.tile.then(|| "tile".to_owned()))))
    }
}

/// The text of a kernel, without its name: `(read, write; f32; sizes 1) grid [s0] row 64 … { … }`.
impl Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bufs = list(self.bufs.iter().map(|access| match access {
            Access::Read => "read",
            Access::Write => "write",
            Access::Update => "update",
        }));
        let scalars = list(self.scalars.iter().map(|ty| word(ty)));
        write!(f, "({bufs}; {scalars}; sizes {}) grid [{}] row {}", self.sizes, list(&self.grid), self.row)?;
        write!(f, " rowbufs {} slots {}", self.rowbufs, self.slots)?;
        if !self.wide.is_empty() {
            write!(f, " wide [{}]", self.wide)?;
        }
        f.write_str(" {\n")?;
        self.phases.iter().try_for_each(|phase| write!(f, "{phase}"))?;
        f.write_str("}\n")
    }
}

/// Text with the names of a program's sizes.
struct Named<'a> {
    program: &'a Program,
}

impl Named<'_> {
    fn dim(&self, dim: &Dim) -> String {
        let name = |id: SizeId| self.program.sizes.get(id.0 as usize).cloned().unwrap_or(format!("s{}", id.0));
        dim.display(&name).to_string()
    }

    fn dims<'d>(&self, dims: impl IntoIterator<Item = &'d Dim>) -> String {
        list(dims.into_iter().map(|dim| self.dim(dim)))
    }

    fn matrix(&self, matrix: &Matrix) -> String {
        let strides = self.dims([&matrix.row_stride, &matrix.col_stride].into_iter().chain(&matrix.batch_strides));
        let from = match matrix.offset == Dim::ZERO {
            true => String::new(),
            false => format!(" from [{}]", self.dim(&matrix.offset)),
        };
        format!("m{} [{strides}]{from}", matrix.buf.0)
    }

    fn launch(&self, launch: &Launch) -> String {
        let bufs = list(launch.bufs.iter().map(|buf| format!("m{}", buf.0)));
        let scalars = list(launch.scalars.iter().map(|value| match value {
            ScalarValue::Host(id) => format!("h{}", id.0),
            ScalarValue::HostWide(id) => format!("wide h{}", id.0),
            ScalarValue::Seed => "seed".into(),
            ScalarValue::SeedHigh => "seed_high".into(),
            ScalarValue::Step => "step".into(),
            ScalarValue::Word(word) => format!("word {word}"),
        }));
        format!("k{} ({bufs}; {scalars}; {})", launch.kernel.0, self.dims(&launch.sizes))
    }

    fn step(&self, step: &Step) -> String {
        match step {
            Step::Loop(launch) => format!("loop {}", self.launch(launch)),
            Step::Gemm { batch, dims, a, b, c, epilogue } => {
                let mut text =
                    format!("gemm [{}] a {} b {}", self.dims(batch.iter().chain(dims)), self.matrix(a), self.matrix(b));
                if let Some(c) = c {
                    text += &format!(" c {}", self.matrix(c));
                }
                if let Some(epilogue) = epilogue {
                    text += &format!(" then {}", self.launch(epilogue));
                }
                text
            }
            Step::Conv(conv) => self.conv(conv),
            Step::Segments { dims, index, update, out } => {
                format!("segments [{}] index m{} update m{} out m{}", self.dims(dims), index.0, update.0, out.0)
            }
            Step::Copy { from, to } => format!("copy m{} to m{}", from.0, to.0),
            Step::Scan(scan) => self.scan(scan),
        }
    }

    fn scan(&self, scan: &Scan) -> String {
        let bufs = |bufs: &[BufId]| list(bufs.iter().map(|buf| format!("m{}", buf.0)));
        let reversed = if scan.reversed { " reversed" } else { "" };
        let mut text = format!("scan [{}]{reversed} rows [{}]", self.dim(&scan.count), bufs(&scan.rows));
        text += &format!(" made [{}]", bufs(&scan.made));
        for Carry { first, old, new, last } in &scan.carries {
            let all: Vec<BufId> = [Some(*first), Some(*old), Some(*new), *last].into_iter().flatten().collect();
            text += &format!(" carry [{}]", bufs(&all));
        }
        text += &format!(" locals [{}] memory m{} {{\n", bufs(&scan.locals), scan.memory.0);
        for step in &scan.body {
            text += &format!("step {}\n", self.step(step));
        }
        text + "}"
    }

    fn conv(&self, conv: &Conv) -> String {
        let Conv { role, batch, m, k, n, a, b, b_steps, c, epilogue } = conv;
        let loops = [("batch", batch), ("m", m), ("k", k)].map(|(name, dims)| format!("{name} [{}]", self.dims(dims)));
        let mut text = format!("conv {} {} n [{}] a m{}", role.as_str(), loops.join(" "), self.dim(n), a.buf.0);
        for PatchAxis { size, stride, base, divisor, steps } in &a.axes {
            let divisor = Dim::constant(*divisor);
            text += &format!(" axis [{}] steps [{}]", self.dims([size, stride, base, &divisor]), self.dims(steps));
        }
        text += &format!(" b m{} steps [{}]", b.0, self.dims(b_steps));
        if let Some(c) = c {
            text += &format!(" c m{}", c.0);
        }
        if let Some(epilogue) = epilogue {
            text += &format!(" then {}", self.launch(epilogue));
        }
        text
    }

    fn host(&self, op: &HostOp) -> String {
        match op {
            HostOp::Const(value) => format!("const {value:?}"),
            HostOp::Size(dim) => format!("size {}", self.dim(dim)),
            HostOp::Step => "step".into(),
            HostOp::StepsPerEpoch => "steps_per_epoch".into(),
            HostOp::Unary(function, a) => format!("{} h{}", word(function), a.0),
            HostOp::Binary(function, a, b) => format!("{} h{} h{}", word(function), a.0, b.0),
            HostOp::Select(c, a, b) => format!("select h{} h{} h{}", c.0, a.0, b.0),
        }
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Arena => "arena".into(),
        Place::Input(id) => format!("input {}", id.0),
        Place::Param(id) => format!("param {}", id.0),
        Place::State(id) => format!("state {}", id.0),
        Place::Result(role) => format!("result {}", self::role(role)),
        Place::Row(of) => format!("row m{}", of.0),
        Place::Local => "local".into(),
    }
}

fn role(role: &Role) -> String {
    match role {
        Role::Loss => "loss".into(),
        Role::Metric(name) => format!("metric {name:?}"),
        Role::Predict(name) => format!("predict {name:?}"),
        Role::Grad(id) => format!("grad {}", id.0),
        Role::NewParam(id) => format!("new_param {}", id.0),
        Role::NewState(id) => format!("new_state {}", id.0),
        Role::Least(check) => format!("least {check}"),
        Role::Most(check) => format!("most {check}"),
        Role::Value(name) => format!("value {name:?}"),
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Named { program: self };
        writeln!(f, "sizes [{}]", self.sizes.join(", "))?;
        for (at, op) in self.host.ops.iter().enumerate() {
            writeln!(f, "host h{at} = {}", named.host(op))?;
        }
        for (at, buffer) in self.buffers.iter().enumerate() {
            let wide = if buffer.elem == Elem::Wide { "wide " } else { "" };
            writeln!(f, "buffer m{at} [{}] {wide}{}", named.dim(&buffer.len), place(&buffer.place))?;
        }
        for (at, kernel) in self.kernels.iter().enumerate() {
            write!(f, "kernel k{at} {kernel}")?;
        }
        for step in &self.steps {
            writeln!(f, "step {}", named.step(step))?;
        }
        Ok(())
    }
}
