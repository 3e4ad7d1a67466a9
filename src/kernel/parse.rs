//! Reads the text form of kernels and programs (`text`), for tests and tools.
//!
//! A recursive descent over tokens. It checks the form only; `verify` says whether the result holds.

use super::ir::{
    Access, Affine, Body, BufArg, BufId, Buffer, Carry, Coef, Conv, Dst, Elem, Inst, Kernel, KernelId, Launch, Matrix,
    PatchAxis, Patches, Phase, Place, Program, RowBuf, ScalarArg, ScalarValue, Scan, SizeArg, Slot, Step, V, Wide,
};
use super::lex::{Token, tokens};
use super::text::word;
use super::verify::Fault;
use crate::ir::host::{HostBinary, HostUnary};
use crate::ir::scalar::{Bin, Cc, Comb, MASK, ScalarTy, Un, narrow};
use crate::ir::{Dim, HostId, HostOp, InputId, ParamId, Role, SizeId, StateId};
use crate::ops::ConvRole;

/// Reads a kernel: the text of its `Display`.
pub fn kernel(text: &str) -> Result<Kernel, Fault> {
    let mut parser = Parser::new(text)?;
    let kernel = parser.kernel()?;
    parser.end()?;
    Ok(kernel)
}

/// Reads a program: the text of its `Display`.
pub fn program(text: &str) -> Result<Program, Fault> {
    let mut parser = Parser::new(text)?;
    let program = parser.program()?;
    parser.end()?;
    Ok(program)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    sizes: Vec<String>,
}

type Parse<T> = Result<T, Fault>;

impl Parser {
    fn new(text: &str) -> Parse<Parser> {
        Ok(Parser { tokens: tokens(text)?, at: 0, sizes: Vec::new() })
    }

    fn fault<T>(&self, wanted: &str) -> Parse<T> {
        match self.tokens.get(self.at) {
            Some((place, found)) => Err(Fault(format!("byte {place}: wanted {wanted}, found {found:?}"))),
            None => Err(Fault(format!("at the end: wanted {wanted}"))),
        }
    }

    fn end(&self) -> Parse<()> {
        if self.at == self.tokens.len() { Ok(()) } else { self.fault("the end") }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(there);
        there
    }

    fn sign(&mut self, sign: &'static str) -> Parse<()> {
        if self.take(sign) { Ok(()) } else { self.fault(sign) }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.at += usize::from(there);
        there
    }

    fn keyword(&mut self, word: &str) -> Parse<()> {
        if self.take_word(word) { Ok(()) } else { self.fault(word) }
    }

    fn word(&mut self) -> Parse<String> {
        match self.peek() {
            Some(Token::Word(found)) => {
                let found = found.clone();
                self.at += 1;
                Ok(found)
            }
            _ => self.fault("a word"),
        }
    }

    fn text(&mut self) -> Parse<String> {
        match self.peek() {
            Some(Token::Text(found)) => {
                let found = found.clone();
                self.at += 1;
                Ok(found)
            }
            _ => self.fault("a quoted text"),
        }
    }

    /// A number with an optional minus.
    fn number<T: std::str::FromStr>(&mut self) -> Parse<T> {
        let sign = if self.take("-") { "-" } else { "" };
        match self.word()?.replacen("", sign, 1).parse() {
            Ok(number) => Ok(number),
            Err(_) => {
                self.at -= 1;
                self.fault("a number")
            }
        }
    }

    /// A letter and a number: `v3`.
    fn id<T: std::str::FromStr>(&mut self, letter: char) -> Parse<T> {
        let found = self.word()?;
        match found.strip_prefix(letter).and_then(|digits| digits.parse().ok()) {
            Some(id) => Ok(id),
            None => {
                self.at -= 1;
                self.fault(&format!("{letter} and a number"))
            }
        }
    }

    /// Items between commas up to a closing sign.
    fn list<T>(&mut self, close: &'static str, mut item: impl FnMut(&mut Parser) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        while !self.take(close) {
            if !items.is_empty() {
                self.sign(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn exactly<T, const N: usize>(&self, items: Vec<T>) -> Parse<[T; N]> {
        match items.try_into() {
            Ok(items) => Ok(items),
            Err(_) => self.fault(&format!("{N} items before this")),
        }
    }

    fn kernel(&mut self) -> Parse<Kernel> {
        self.sign("(")?;
        let bufs = self.list(";", |p| match &p.word()?[..] {
            "read" => Ok(Access::Read),
            "write" => Ok(Access::Write),
            "update" => Ok(Access::Update),
            _ => p.fault("an access before this"),
        })?;
        let scalars = self.list(";", Parser::ty)?;
        self.keyword("sizes")?;
        let sizes = self.number()?;
        self.sign(")")?;
        self.keyword("grid")?;
        self.sign("[")?;
        let grid = self.list("]", Parser::coef)?;
        self.keyword("row")?;
        let row = self.coef()?;
        self.keyword("rowbufs")?;
        let rowbufs = self.number()?;
        self.keyword("slots")?;
        let slots = self.number()?;
        let wide = if self.take_word("wide") { self.wide()? } else { Wide::default() };
        self.sign("{")?;
        let mut phases = Vec::new();
        while !self.take("}") {
            phases.push(self.phase(grid.len())?);
        }
        Ok(Kernel { grid, row, phases, rowbufs, slots, bufs, scalars, sizes, wide })
    }

    fn wide(&mut self) -> Parse<Wide> {
        self.sign("[")?;
        let mut wide = Wide::default();
        self.list("]", |p| {
            match p.peek() {
                Some(Token::Word(found)) if found.starts_with('b') => wide.bufs.push(BufArg(p.id('b')?)),
                Some(Token::Word(found)) if found.starts_with('r') => wide.rows.push(RowBuf(p.id('r')?)),
                Some(Token::Word(found)) if found == "tile" => wide.tile = p.take_word("tile"),
                _ => wide.slots.push(Slot(p.id('t')?)),
            }
            Ok(())
        })?;
        Ok(wide)
    }

    fn ty(&mut self) -> Parse<ScalarTy> {
        let name = self.word()?;
        let found = ScalarTy::ALL.iter().find(|ty| word(ty) == name);
        found.map_or_else(|| self.fault("a type before this"), |ty| Ok(*ty))
    }

    fn coef(&mut self) -> Parse<Coef> {
        match self.peek() {
            Some(Token::Word(found)) if found.starts_with('s') => Ok(Coef::Size(SizeArg(self.id('s')?))),
            _ => Ok(Coef::Const(self.number()?)),
        }
    }

    fn phase(&mut self, dims: usize) -> Parse<Phase> {
        match &self.word()?[..] {
            "map" => Ok(Phase::Map(self.body(dims)?)),
            "scalar" => Ok(Phase::Scalar(self.body(dims)?)),
            "reduce" => {
                let body = self.body(dims)?;
                let acc = self.acc(|p| Ok(Slot(p.id('t')?)))?;
                Ok(Phase::Reduce { body, acc })
            }
            "fold" => {
                let over = self.coef()?;
                let body = self.body(dims)?;
                let acc = self.acc(|p| p.dst(dims))?;
                Ok(Phase::Fold { over, body, acc })
            }
            _ => self.fault("a phase before this"),
        }
    }

    fn acc<D>(&mut self, mut dst: impl FnMut(&mut Parser) -> Parse<D>) -> Parse<Vec<(Comb, V, D)>> {
        self.keyword("acc")?;
        self.sign("{")?;
        let mut acc = Vec::new();
        while !self.take("}") {
            let dst = dst(self)?;
            self.sign("<-")?;
            let name = self.word()?;
            let comb = Comb::ALL.iter().find(|comb| word(comb) == name);
            let Some(comb) = comb else { return self.fault("a combination before this") };
            acc.push((*comb, self.v()?, dst));
        }
        Ok(acc)
    }

    fn v(&mut self) -> Parse<V> {
        Ok(V(self.id('v')?))
    }

    fn body(&mut self, dims: usize) -> Parse<Body> {
        self.sign("{")?;
        let mut body = Body::default();
        while !self.take("}") {
            if matches!(self.peek(), Some(Token::Word(found)) if found.starts_with('v')) {
                let at: usize = self.id('v')?;
                if at != body.insts.len() {
                    return self.fault("instructions in order before this");
                }
                self.sign("=")?;
                body.insts.push(self.inst(dims)?);
            } else {
                let dst = self.dst(dims)?;
                self.sign("<-")?;
                body.stores.push((dst, self.v()?));
            }
        }
        Ok(body)
    }

    fn dst(&mut self, dims: usize) -> Parse<Dst> {
        match self.peek() {
            Some(Token::Word(found)) if found.starts_with('r') => Ok(Dst::Row(RowBuf(self.id('r')?))),
            Some(Token::Word(found)) if found.starts_with('t') => Ok(Dst::Slot(Slot(self.id('t')?))),
            _ => {
                let buf = BufArg(self.id('b')?);
                Ok(Dst::Buf(buf, self.address(dims)?))
            }
        }
    }

    fn address(&mut self, dims: usize) -> Parse<Affine> {
        self.sign("[")?;
        let zero = Coef::Const(0);
        let mut at = Affine { base: zero, grid: vec![zero; dims], row: zero, fold: zero };
        loop {
            let position = |found: &str| found.starts_with(['g', 'i', 'k']);
            let bare = matches!(self.peek(), Some(Token::Word(found)) if position(found));
            let coef = if bare { Coef::Const(1) } else { self.coef()? };
            if bare || self.take("*") {
                match &self.word()?[..] {
                    "i" => at.row = coef,
                    "k" => at.fold = coef,
                    found => match found.strip_prefix('g').and_then(|dim| dim.parse::<usize>().ok()) {
                        Some(dim) if dim < dims => at.grid[dim] = coef,
                        _ => return self.fault("a position before this"),
                    },
                }
            } else {
                at.base = coef;
            }
            if !self.take("+") {
                break;
            }
        }
        self.sign("]")?;
        Ok(at)
    }

    fn inst(&mut self, dims: usize) -> Parse<Inst> {
        let name = self.word()?;
        if let Some(un) = Un::ALL.iter().find(|un| word(un) == name) {
            return Ok(Inst::Un(*un, self.v()?));
        }
        if let Some(bin) = Bin::ALL.iter().find(|bin| word(bin) == name) {
            return Ok(Inst::Bin(*bin, self.v()?, self.v()?));
        }
        if let Some(cc) = Cc::ALL.iter().find(|cc| word(cc) == name) {
            return Ok(Inst::Cmp(*cc, self.v()?, self.v()?));
        }
        match &name[..] {
            "const" => {
                let ty = self.ty()?;
                Ok(Inst::Const(self.constant(ty)?, ty))
            }
            "arg" => Ok(Inst::Arg(ScalarArg(self.id('a')?))),
            "index" => Ok(Inst::Index(self.address(dims)?)),
            "fma" => Ok(Inst::Fma(self.v()?, self.v()?, self.v()?)),
            "sel" => Ok(Inst::Sel(self.v()?, self.v()?, self.v()?)),
            "load" => {
                let buf = BufArg(self.id('b')?);
                let at = self.address(dims)?;
                let mut row = None;
                if self.take_word("row") {
                    let v = self.v()?;
                    self.sign("*")?;
                    row = Some((v, self.coef()?));
                }
                let valid = if self.take_word("if") { Some(self.v()?) } else { None };
                Ok(Inst::Load { buf, at, row, valid })
            }
            "row" => Ok(Inst::Row(RowBuf(self.id('r')?))),
            "slot" => Ok(Inst::Slot(Slot(self.id('t')?))),
            "tile" => Ok(Inst::Tile),
            _ => self.fault("an instruction before this"),
        }
    }

    fn constant(&mut self, ty: ScalarTy) -> Parse<u64> {
        match ty {
            ScalarTy::F32 | ScalarTy::F64 if self.take_word("nan") => {
                self.sign(":")?;
                let digits = self.word()?;
                u64::from_str_radix(&digits, 16).or_else(|_| self.fault("bits before this"))
            }
            ScalarTy::F32 => Ok(narrow(self.number()?)),
            ScalarTy::F64 => Ok(self.number::<f64>()?.to_bits()),
            ScalarTy::I32 => Ok(u64::from(self.number::<i32>()? as u32)),
            ScalarTy::I64 => Ok(self.number::<i64>()? as u64),
            ScalarTy::Mask if self.take_word("true") => Ok(MASK[1]),
            ScalarTy::Mask => self.keyword("false").map(|()| MASK[0]),
        }
    }

    fn program(&mut self) -> Parse<Program> {
        let mut program = Program::default();
        self.keyword("sizes")?;
        self.sign("[")?;
        program.sizes = self.list("]", Parser::word)?;
        self.sizes.clone_from(&program.sizes);
        while self.take_word("host") {
            self.in_order('h', program.host.ops.len())?;
            self.sign("=")?;
            program.host.ops.push(self.host()?);
        }
        while self.take_word("buffer") {
            self.in_order('m', program.buffers.len())?;
            self.sign("[")?;
            let len = self.dim()?;
            self.sign("]")?;
            let elem = if self.take_word("wide") { Elem::Wide } else { Elem::Word };
            program.buffers.push(Buffer { len, elem, place: self.place()? });
        }
        while self.take_word("kernel") {
            self.in_order('k', program.kernels.len())?;
            program.kernels.push(self.kernel()?);
        }
        while self.take_word("step") {
            program.steps.push(self.step()?);
        }
        Ok(program)
    }

    fn in_order(&mut self, letter: char, at: usize) -> Parse<()> {
        let id: usize = self.id(letter)?;
        if id == at { Ok(()) } else { self.fault("definitions in order before this") }
    }

    fn h(&mut self) -> Parse<HostId> {
        Ok(HostId(self.id('h')?))
    }

    fn m(&mut self) -> Parse<BufId> {
        Ok(BufId(self.id('m')?))
    }

    fn host(&mut self) -> Parse<HostOp> {
        use HostBinary as B;
        use HostUnary as U;
        const UNARY: [U; 12] =
            [U::Neg, U::Not, U::Abs, U::Sqrt, U::Exp, U::Log, U::Sin, U::Cos, U::Tanh, U::Erf, U::Floor, U::Round];
        const BINARY: [B; 15] = [
            B::Add,
            B::Sub,
            B::Mul,
            B::Div,
            B::FloorDiv,
            B::Mod,
            B::Pow,
            B::Min,
            B::Max,
            B::Lt,
            B::Le,
            B::Eq,
            B::Ne,
            B::And,
            B::Or,
        ];
        let name = self.word()?;
        if let Some(function) = UNARY.iter().find(|function| word(function) == name) {
            return Ok(HostOp::Unary(*function, self.h()?));
        }
        if let Some(function) = BINARY.iter().find(|function| word(function) == name) {
            return Ok(HostOp::Binary(*function, self.h()?, self.h()?));
        }
        match &name[..] {
            "const" => Ok(HostOp::Const(self.number()?)),
            "size" => Ok(HostOp::Size(self.dim()?)),
            "step" => Ok(HostOp::Step),
            "steps_per_epoch" => Ok(HostOp::StepsPerEpoch),
            "select" => Ok(HostOp::Select(self.h()?, self.h()?, self.h()?)),
            _ => self.fault("a host operation before this"),
        }
    }

    fn place(&mut self) -> Parse<Place> {
        match &self.word()?[..] {
            "arena" => Ok(Place::Arena),
            "input" => Ok(Place::Input(InputId(self.number()?))),
            "param" => Ok(Place::Param(ParamId(self.number()?))),
            "state" => Ok(Place::State(StateId(self.number()?))),
            "result" => Ok(Place::Result(self.role()?)),
            "row" => Ok(Place::Row(self.m()?)),
            "local" => Ok(Place::Local),
            _ => self.fault("a place before this"),
        }
    }

    fn role(&mut self) -> Parse<Role> {
        match &self.word()?[..] {
            "loss" => Ok(Role::Loss),
            "metric" => Ok(Role::Metric(self.text()?)),
            "predict" => Ok(Role::Predict(self.text()?)),
            "grad" => Ok(Role::Grad(ParamId(self.number()?))),
            "new_param" => Ok(Role::NewParam(ParamId(self.number()?))),
            "new_state" => Ok(Role::NewState(StateId(self.number()?))),
            "least" => Ok(Role::Least(self.number()?)),
            "most" => Ok(Role::Most(self.number()?)),
            "value" => Ok(Role::Value(self.text()?)),
            _ => self.fault("a role before this"),
        }
    }

    fn step(&mut self) -> Parse<Step> {
        match &self.word()?[..] {
            "loop" => Ok(Step::Loop(self.launch()?)),
            "gemm" => {
                let mut batch = self.dims()?;
                let dims = batch.split_off(batch.len().saturating_sub(3));
                let dims = self.exactly(dims)?;
                self.keyword("a")?;
                let a = self.matrix()?;
                self.keyword("b")?;
                let b = self.matrix()?;
                let c = if self.take_word("c") { Some(self.matrix()?) } else { None };
                let epilogue = if self.take_word("then") { Some(self.launch()?) } else { None };
                Ok(Step::Gemm { batch, dims, a, b, c, epilogue })
            }
            "conv" => Ok(Step::Conv(Box::new(self.conv()?))),
            "segments" => {
                let dims = self.dims()?;
                let dims = self.exactly(dims)?;
                self.keyword("index")?;
                let index = self.m()?;
                self.keyword("update")?;
                let update = self.m()?;
                self.keyword("out")?;
                Ok(Step::Segments { dims, index, update, out: self.m()? })
            }
            "copy" => {
                let from = self.m()?;
                self.keyword("to")?;
                Ok(Step::Copy { from, to: self.m()? })
            }
            "scan" => Ok(Step::Scan(Box::new(self.scan()?))),
            _ => self.fault("a step before this"),
        }
    }

    fn scan(&mut self) -> Parse<Scan> {
        let count = self.dims()?;
        let [count] = self.exactly(count)?;
        let reversed = self.take_word("reversed");
        self.keyword("rows")?;
        let rows = self.ms()?;
        self.keyword("made")?;
        let made = self.ms()?;
        let mut carries = Vec::new();
        while self.take_word("carry") {
            carries.push(match self.ms()?[..] {
                [first, old, new] => Carry { first, old, new, last: None },
                [first, old, new, last] => Carry { first, old, new, last: Some(last) },
                _ => return self.fault("three or four buffers before this"),
            });
        }
        self.keyword("locals")?;
        let locals = self.ms()?;
        self.keyword("memory")?;
        let memory = self.m()?;
        self.sign("{")?;
        let mut body = Vec::new();
        while self.take_word("step") {
            body.push(self.step()?);
        }
        self.sign("}")?;
        Ok(Scan { count, reversed, rows, made, carries, locals, memory, body })
    }

    fn ms(&mut self) -> Parse<Vec<BufId>> {
        self.sign("[")?;
        self.list("]", Parser::m)
    }

    fn matrix(&mut self) -> Parse<Matrix> {
        let buf = self.m()?;
        let mut strides = self.dims()?;
        let batch_strides = strides.split_off(strides.len().min(2));
        let [row_stride, col_stride] = self.exactly(strides)?;
        let mut offset = Dim::ZERO;
        if self.take_word("from") {
            let from = self.dims()?;
            [offset] = self.exactly(from)?;
        }
        Ok(Matrix { buf, row_stride, col_stride, batch_strides, offset })
    }

    fn conv(&mut self) -> Parse<Conv> {
        let role = match &self.word()?[..] {
            "fwd" => ConvRole::Forward,
            "dx" => ConvRole::InputGradient,
            "dw" => ConvRole::WeightGradient,
            _ => return self.fault("a role before this"),
        };
        let mut loops = |name: &str| {
            self.keyword(name)?;
            self.dims()
        };
        let [batch, m, k, n] = [loops("batch")?, loops("m")?, loops("k")?, loops("n")?];
        let [n] = self.exactly(n)?;
        self.keyword("a")?;
        let mut a = Patches { buf: self.m()?, axes: Vec::new() };
        while self.take_word("axis") {
            let numbers = self.dims()?;
            let [size, stride, base, divisor] = self.exactly(numbers)?;
            let Some(divisor) = divisor.as_const() else { return self.fault("a divisor before this") };
            self.keyword("steps")?;
            a.axes.push(PatchAxis { size, stride, base, divisor, steps: self.dims()? });
        }
        self.keyword("b")?;
        let b = self.m()?;
        self.keyword("steps")?;
        let b_steps = self.dims()?;
        let c = if self.take_word("c") { Some(self.m()?) } else { None };
        let epilogue = if self.take_word("then") { Some(self.launch()?) } else { None };
        Ok(Conv { role, batch, m, k, n, a, b, b_steps, c, epilogue })
    }

    fn launch(&mut self) -> Parse<Launch> {
        let kernel = KernelId(self.id('k')?);
        self.sign("(")?;
        let bufs = self.list(";", Parser::m)?;
        let scalars = self.list(";", |p| {
            Ok(match &p.word()?[..] {
                "seed" => ScalarValue::Seed,
                "seed_high" => ScalarValue::SeedHigh,
                "step" => ScalarValue::Step,
                "word" => ScalarValue::Word(p.number()?),
                "wide" => ScalarValue::HostWide(p.h()?),
                _ => {
                    p.at -= 1;
                    ScalarValue::Host(p.h()?)
                }
            })
        })?;
        let sizes = self.list(")", Parser::dim)?;
        Ok(Launch { kernel, bufs, scalars, sizes })
    }

    fn dims(&mut self) -> Parse<Vec<Dim>> {
        self.sign("[")?;
        self.list("]", Parser::dim)
    }

    /// A size, as `Dim::display` writes it: a sum of products; `//` and `%` bind tightest.
    fn dim(&mut self) -> Parse<Dim> {
        let mut sum = self.product()?;
        loop {
            let next = if self.take("+") {
                let term = self.product()?;
                sum.add(&term)
            } else if self.take("-") {
                let term = self.product()?;
                sum.sub(&term)
            } else {
                return Ok(sum);
            };
            sum = next.or_else(|_| self.fault("a size in range before this"))?;
        }
    }

    fn product(&mut self) -> Parse<Dim> {
        let negative = self.take("-");
        let mut product = self.quotient()?;
        while self.take("*") {
            let factor = self.quotient()?;
            product = product.mul(&factor).or_else(|_| self.fault("a size in range before this"))?;
        }
        if negative {
            product = Dim::ZERO.sub(&product).or_else(|_| self.fault("a size in range before this"))?;
        }
        Ok(product)
    }

    fn quotient(&mut self) -> Parse<Dim> {
        let first = self.atom()?;
        let result = if self.take("//") {
            let second = self.atom()?;
            first.floor_div(&second)
        } else if self.take("%") {
            let second = self.atom()?;
            first.modulo(&second)
        } else {
            return Ok(first);
        };
        result.or_else(|_| self.fault("a size in range before this"))
    }

    fn atom(&mut self) -> Parse<Dim> {
        if self.take("(") {
            let dim = self.dim()?;
            self.sign(")")?;
            return Ok(dim);
        }
        let name = self.word()?;
        if let Some(at) = self.sizes.iter().position(|size| *size == name) {
            return Ok(Dim::size(SizeId(at as u32)));
        }
        match name.parse() {
            Ok(value) => Ok(Dim::constant(value)),
            Err(_) => {
                self.at -= 1;
                self.fault("a size")
            }
        }
    }
}
