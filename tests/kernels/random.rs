//! Random kernels that hold what `kernel::verify` asks, with data that fits them.

use tensa::base::philox::philox;
use tensa::ir::scalar::{Bin, Cc, Comb, MASK, ScalarTy, Un};
use tensa::kernel::ir::{
    Access, Affine, Body, BufArg, Coef, Dst, Elem, Inst, Kernel, Phase, RowBuf, ScalarArg, SizeArg, Slot, V, Wide,
};

/// A stream of random numbers.
pub struct Rng {
    key: u32,
    at: u32,
    /// Only ordinary numbers: in a sum with an infinity the order of the rest does not show.
    tame: bool,
}

impl Rng {
    pub fn new(key: u32) -> Rng {
        Rng { key, at: 0, tame: key % 2 == 1 }
    }

    pub fn word(&mut self) -> u32 {
        self.at += 1;
        philox([self.at, 0, 0, 0], [self.key, 0x5eed])[0]
    }

    /// In `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.word() as usize % n
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Ordinary numbers and every kind of odd one.
    pub fn float(&mut self) -> u32 {
        let odd = [
            0.0f32,
            -0.0,
            1.0,
            -1.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            f32::MIN_POSITIVE,
            1e-45,
            -1e-42,
            f32::MAX,
            f32::MIN,
            16_777_216.0,
            0.5,
            2.5,
            -2_147_483_904.0,
            4e9,
        ];
        if self.tame {
            return (self.word() as i32 as f32 * 5e-10).to_bits();
        }
        match self.below(4) {
            0 => self.pick(&odd).to_bits(),
            1 => self.word(),
            _ => ((self.word() as i32 as f32) * 1e-9).to_bits(),
        }
    }
}

impl Rng {
    /// The words of an element: of a wide one, an f32 widened, or any bits at all.
    pub fn element(&mut self, elem: Elem) -> Vec<u32> {
        let word = self.float();
        if elem == Elem::Word {
            return vec![word];
        }
        let low = self.word();
        let bits = match self.below(8) {
            0 if !self.tame => u64::from(low) | u64::from(word) << 32,
            1 => f64::from(f32::from_bits(word)).to_bits() ^ u64::from(low & 0xffff),
            _ => f64::from(f32::from_bits(word)).to_bits(),
        };
        vec![bits as u32, (bits >> 32) as u32]
    }
}

/// A kernel and what it runs on.
pub struct Case {
    pub kernel: Kernel,
    pub sizes: Vec<i64>,
    pub scalars: Vec<u64>,
    pub bufs: Vec<Vec<u32>>,
    /// Which buffers hold integers: their bits must agree even where they look like a NaN.
    pub ints: Vec<bool>,
}

/// A random case. `large` ones are worth several threads; in `wide` ones values and memory may have 64 bits.
pub fn case(seed: u32, large: bool, wide: bool) -> Case {
    let mut make = Make::new(Rng::new(seed), large, wide);
    make.phases();
    make.finish()
}

struct Make {
    rng: Rng,
    kernel: Kernel,
    sizes: Vec<i64>,
    grid: Vec<i64>,
    row: i64,
    lens: Vec<i64>,
    ints: Vec<bool>,
    wide: bool,
    rows_written: u16,
    slots_written: u16,
    // Of the body that is made.
    body: Body,
    types: Vec<ScalarTy>,
    over: Option<i64>,
    scalar_phase: bool,
}

impl Make {
    fn new(mut rng: Rng, large: bool, wide: bool) -> Make {
        let rows =
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 60, 63, 64, 65, 67, 70, 128, 131, 200];
        let row = if large { rng.pick(&[37, 700, 5000]) } else { rng.pick(&rows) };
        let dims = rng.below(4);
        let grid = (0..dims).map(|dim| if large && dim == 0 { 23 } else { rng.below(5) as i64 }).map(|n| n.max(1));
        let mut grid: Vec<i64> = grid.collect();
        if rng.one_in(40) && dims > 0 {
            grid[0] = 0;
        }
        let tys = [ScalarTy::F32, ScalarTy::I32, ScalarTy::F64, ScalarTy::I64];
        let tys = if wide { &tys[..] } else { &tys[..2] };
        let scalars = (0..rng.below(3)).map(|_| rng.pick(tys)).collect();
        let kernel = Kernel {
            grid: Vec::new(),
            row: Coef::Const(0),
            phases: Vec::new(),
            rowbufs: 0,
            slots: 0,
            bufs: Vec::new(),
            scalars,
            sizes: 0,
            wide: Wide::default(),
        };
        let mut make = Make {
            rng,
            kernel,
            sizes: Vec::new(),
            grid,
            row,
            lens: Vec::new(),
            ints: Vec::new(),
            wide,
            rows_written: 0,
            slots_written: 0,
            body: Body::default(),
            types: Vec::new(),
            over: None,
            scalar_phase: false,
        };
        make.kernel.grid = make.grid.clone().into_iter().map(|size| make.coef(size)).collect();
        make.kernel.row = make.coef(row);
        make
    }

    /// A number, known or in the size table.
    fn coef(&mut self, value: i64) -> Coef {
        if self.rng.one_in(2) {
            return Coef::Const(value);
        }
        if let Some(at) = self.sizes.iter().position(|size| *size == value) {
            return Coef::Size(SizeArg(at as u16));
        }
        self.sizes.push(value);
        Coef::Size(SizeArg(self.sizes.len() as u16 - 1))
    }

    fn phases(&mut self) {
        let mut elementwise = self.rng.one_in(2);
        for _ in 0..1 + self.rng.below(3) {
            match self.rng.below(if elementwise { 2 } else { 5 }) {
                0 => self.map(elementwise),
                1 => self.fold(elementwise),
                2 | 3 => self.reduce(),
                _ => self.scalar(),
            }
            elementwise &= self.kernel.slots == 0 && self.kernel.rowbufs == 0;
        }
        if self.kernel.slots > 0 {
            self.show_slots();
        }
    }

    /// A last phase that stores every slot, so that none is computed unseen.
    fn show_slots(&mut self) {
        self.begin(None, true);
        for slot in 0..self.kernel.slots {
            let v = self.slot(Slot(slot));
            let at = self.dense(false);
            let buf = self.buffer_of(Access::Write, self.most(&at) + 1, Elem::of(self.types[v.0 as usize]));
            self.body.stores.push((Dst::Buf(buf, at), v));
        }
        let body = std::mem::take(&mut self.body);
        self.kernel.phases.push(Phase::Scalar(body));
    }

    fn begin(&mut self, over: Option<i64>, scalar_phase: bool) {
        self.body = Body::default();
        self.types = Vec::new();
        self.over = over;
        self.scalar_phase = scalar_phase;
    }

    fn map(&mut self, elementwise: bool) {
        self.begin(None, false);
        let update = self.rng.one_in(4).then(|| self.update());
        self.instructions();
        if let Some((buf, at)) = update {
            let v = self.storable(buf);
            self.body.stores.push((Dst::Buf(buf, at), v));
        }
        for _ in 0..1 + self.rng.below(2) {
            let dst = self.element_dst(elementwise, None);
            self.store(dst);
        }
        let body = std::mem::take(&mut self.body);
        self.written(&body);
        self.kernel.phases.push(Phase::Map(body));
    }

    fn reduce(&mut self) {
        self.begin(None, false);
        self.instructions();
        if self.rng.one_in(2) {
            let dst = self.element_dst(false, None);
            self.store(dst);
        }
        let mut acc = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            let (comb, ty) = self.comb();
            let v = self.value(ty);
            acc.push((comb, v, self.new_slot(ty)));
        }
        let body = std::mem::take(&mut self.body);
        self.written(&body);
        self.slots_written = self.kernel.slots;
        self.kernel.phases.push(Phase::Reduce { body, acc });
    }

    fn fold(&mut self, elementwise: bool) {
        let over = self.rng.pick(&[0, 1, 2, 3, 5, 9]);
        self.begin(Some(over), false);
        self.instructions();
        let mut acc = Vec::new();
        for _ in 0..1 + self.rng.below(2) {
            let (comb, ty) = self.comb();
            let v = self.value(ty);
            let dst = self.element_dst(elementwise, Some(Elem::of(ty)));
            if let Dst::Buf(buf, _) = dst {
                self.ints[usize::from(buf.0)] = !ty.is_float();
            }
            acc.push((comb, v, dst));
        }
        let body = std::mem::take(&mut self.body);
        if acc.iter().any(|(_, _, dst)| matches!(dst, Dst::Row(_))) {
            self.rows_written = self.kernel.rowbufs;
        }
        let over = self.coef(over);
        self.kernel.phases.push(Phase::Fold { over, body, acc });
    }

    fn scalar(&mut self) {
        self.begin(None, true);
        self.instructions();
        if self.rng.one_in(2) {
            let at = self.dense(false);
            let buf = self.buffer(Access::Write, self.most(&at) + 1);
            self.store(Dst::Buf(buf, at));
        }
        let ty = self.stored(None);
        let v = self.value(ty);
        let slot = self.new_slot(ty);
        self.body.stores.push((Dst::Slot(slot), v));
        let body = std::mem::take(&mut self.body);
        self.slots_written = self.kernel.slots;
        self.kernel.phases.push(Phase::Scalar(body));
    }

    fn written(&mut self, body: &Body) {
        if body.stores.iter().any(|(dst, _)| matches!(dst, Dst::Row(_))) {
            self.rows_written = self.kernel.rowbufs;
        }
    }

    fn buffer(&mut self, access: Access, len: i64) -> BufArg {
        let elem = self.elem();
        self.buffer_of(access, len, elem)
    }

    fn buffer_of(&mut self, access: Access, len: i64, elem: Elem) -> BufArg {
        let buf = BufArg(self.kernel.bufs.len() as u16);
        self.kernel.bufs.push(access);
        if elem == Elem::Wide {
            self.kernel.wide.bufs.push(buf);
        }
        self.lens.push(len.max(0));
        self.ints.push(false);
        buf
    }

    /// How wide something is, if the case may have what is wide.
    fn elem(&mut self) -> Elem {
        if self.wide && self.rng.one_in(2) { Elem::Wide } else { Elem::Word }
    }

    /// The type of a value that is stored in memory of some width, or of any.
    fn stored(&mut self, elem: Option<Elem>) -> ScalarTy {
        let elem = elem.unwrap_or_else(|| self.elem());
        match elem {
            Elem::Word => self.rng.pick(&[ScalarTy::F32, ScalarTy::F32, ScalarTy::I32]),
            Elem::Wide => self.rng.pick(&[ScalarTy::F64, ScalarTy::F64, ScalarTy::I64]),
        }
    }

    /// One of the types that fit, wide ones only where they may be.
    fn fitting(&mut self, fits: impl Fn(ScalarTy) -> bool) -> Option<ScalarTy> {
        let all = ScalarTy::ALL.iter().copied().filter(|ty| (self.wide || !ty.is_wide()) && fits(*ty));
        let all: Vec<ScalarTy> = all.collect();
        (!all.is_empty()).then(|| self.rng.pick(&all))
    }

    fn comb(&mut self) -> (Comb, ScalarTy) {
        let comb = self.rng.pick(Comb::ALL);
        (comb, self.fitting(|ty| comb.takes(ty)).expect("a type for each"))
    }

    fn new_slot(&mut self, ty: ScalarTy) -> Slot {
        let slot = Slot(self.kernel.slots);
        self.kernel.slots += 1;
        if ty.is_wide() {
            self.kernel.wide.slots.push(slot);
        }
        slot
    }

    fn slot(&mut self, slot: Slot) -> V {
        self.push(Inst::Slot(slot), self.kernel.wide.slot(slot).ty())
    }

    fn update(&mut self) -> (BufArg, Affine) {
        let at = self.dense(true);
        let buf = self.buffer(Access::Update, self.most(&at) + 1);
        self.load_of(Inst::Load { buf, at: at.clone(), row: None, valid: None });
        (buf, at)
    }

    fn element_dst(&mut self, elementwise: bool, elem: Option<Elem>) -> Dst {
        let elem = elem.unwrap_or_else(|| self.elem());
        if !elementwise && self.rng.one_in(3) {
            let row = RowBuf(self.kernel.rowbufs);
            self.kernel.rowbufs += 1;
            if elem == Elem::Wide {
                self.kernel.wide.rows.push(row);
            }
            return Dst::Row(row);
        }
        let at = self.dense(true);
        let len = self.most(&at) + 1 + self.rng.below(3) as i64;
        Dst::Buf(self.buffer_of(Access::Write, len, elem), at)
    }

    fn store(&mut self, dst: Dst) {
        let v = match dst {
            Dst::Buf(buf, _) => self.storable(buf),
            Dst::Row(row) => {
                let ty = self.stored(Some(self.kernel.wide.row(row)));
                self.value(ty)
            }
            Dst::Slot(_) => unreachable!("a slot is made with its value"),
        };
        self.body.stores.push((dst, v));
    }

    fn storable(&mut self, buf: BufArg) -> V {
        let ty = self.stored(Some(self.kernel.wide.buf(buf)));
        self.ints[usize::from(buf.0)] = !ty.is_float();
        self.value(ty)
    }

    /// An address that no two points share: the axes in a random order, each with the product of those
    /// inside it as its stride.
    fn dense(&mut self, with_row: bool) -> Affine {
        let dims = self.grid.len();
        let mut axes: Vec<usize> = (0..dims + usize::from(with_row)).collect();
        if self.rng.one_in(3) {
            for at in (1..axes.len()).rev() {
                let other = self.rng.below(at + 1);
                axes.swap(at, other);
            }
        }
        let mut strides = vec![0; dims + 1];
        let mut product = 1;
        for axis in axes.iter().rev() {
            strides[*axis] = product;
            product *= if *axis == dims { self.row.max(1) } else { self.grid[*axis].max(1) };
        }
        let base = self.rng.pick(&[0, 0, 3]);
        self.affine(base, &strides, 0)
    }

    fn affine(&mut self, base: i64, strides: &[i64], fold: i64) -> Affine {
        let dims = self.grid.len();
        Affine {
            base: self.coef(base),
            grid: strides[..dims].iter().map(|stride| self.coef(*stride)).collect(),
            // Whether a row is contiguous is often known.
            row: if self.rng.one_in(4) { self.coef(strides[dims]) } else { Coef::Const(strides[dims]) },
            fold: if fold == 0 { Coef::Const(0) } else { self.coef(fold) },
        }
    }

    fn number(&self, coef: Coef) -> i64 {
        match coef {
            Coef::Const(value) => value,
            Coef::Size(size) => self.sizes[usize::from(size.0)],
        }
    }

    /// The largest address.
    fn most(&self, at: &Affine) -> i64 {
        let (_, most) = self.reach(at);
        most
    }

    fn reach(&self, at: &Affine) -> (i64, i64) {
        let (mut least, mut most) = (self.number(at.base), self.number(at.base));
        let row = if self.scalar_phase { 1 } else { self.row };
        let axes = at.grid.iter().copied().zip(self.grid.iter().copied());
        for (stride, size) in axes.chain([(at.row, row), (at.fold, self.over.unwrap_or(1))]) {
            let reach = self.number(stride) * (size - 1).max(0);
            least += reach.min(0);
            most += reach.max(0);
        }
        (least, most)
    }

    /// A random address, contiguous more often than not.
    fn any_affine(&mut self) -> Affine {
        let mut strides: Vec<i64> = (0..self.grid.len()).map(|_| self.rng.pick(&[0, 1, 7, 70, -3])).collect();
        strides.push(self.rng.pick(&[0, 0, 1, 1, 1, 1, 2, 5, -1, -2]));
        let fold = if self.over.is_some() { self.rng.pick(&[0, 1, 4, -2, 70]) } else { 0 };
        let mut at = self.affine(0, &strides, fold);
        let (least, _) = self.reach(&at);
        let more = self.rng.below(3) as i64;
        at.base = self.coef(more - least);
        at
    }

    fn push(&mut self, inst: Inst, ty: ScalarTy) -> V {
        self.body.insts.push(inst);
        self.types.push(ty);
        V(self.types.len() as u32 - 1)
    }

    fn f32(&mut self, bits: u32) -> V {
        self.push(Inst::Const(u64::from(bits), ScalarTy::F32), ScalarTy::F32)
    }

    fn i32(&mut self, value: i32) -> V {
        self.push(Inst::Const(u64::from(value as u32), ScalarTy::I32), ScalarTy::I32)
    }

    /// A value of a type, made if there is none.
    fn value(&mut self, ty: ScalarTy) -> V {
        let there: Vec<u32> = (0..self.types.len() as u32).filter(|at| self.types[*at as usize] == ty).collect();
        if !there.is_empty() && !self.rng.one_in(12) {
            // Late values stand on more.
            let from = there.len() / 2 * self.rng.below(2);
            return V(there[from + self.rng.below(there.len() - from)]);
        }
        let bits = match ty {
            ScalarTy::F32 => u64::from(self.rng.float()),
            ScalarTy::I32 => u64::from(self.rng.pick(&[0, 1, -1, 7, i32::MAX, i32::MIN, 0x3f80_0000]) as u32),
            ScalarTy::Mask => self.rng.pick(&MASK),
            ScalarTy::F64 => match self.rng.element(Elem::Wide)[..] {
                [low, high] => u64::from(low) | u64::from(high) << 32,
                _ => unreachable!("two words"),
            },
            ScalarTy::I64 => self.rng.pick(&[0, 1, -1, 1 << 40, i64::MAX, i64::MIN]) as u64,
        };
        self.push(Inst::Const(bits, ty), ty)
    }

    fn load(&mut self, valid: Option<V>) -> V {
        let at = self.any_affine();
        let len = self.most(&at) + 1 + self.rng.below(3) as i64;
        let buf = self.buffer(Access::Read, len);
        self.load_of(Inst::Load { buf, at, row: None, valid })
    }

    fn load_of(&mut self, load: Inst) -> V {
        let Inst::Load { buf, .. } = load else { unreachable!("a load") };
        let ty = self.kernel.wide.buf(buf).ty();
        self.push(load, ty)
    }

    /// The bits of a float whose NaNs are taken out: what a NaN's bits are is left open.
    fn bits(&mut self, un: Un, ty: ScalarTy) -> V {
        let x = self.value(ty);
        let number = self.push(Inst::Cmp(Cc::Eq, x, x), ScalarTy::Mask);
        let one = if ty == ScalarTy::F64 { 1f64.to_bits() } else { u64::from(1f32.to_bits()) };
        let one = self.push(Inst::Const(one, ty), ty);
        let x = self.push(Inst::Sel(number, x, one), ty);
        self.push(Inst::Un(un, x), un.ty(ty).expect("bits of a float"))
    }

    fn instructions(&mut self) {
        self.load(None);
        for _ in 0..self.rng.below(24) {
            self.instruction();
        }
    }

    fn instruction(&mut self) {
        let (i, m) = (ScalarTy::I32, ScalarTy::Mask);
        match self.rng.below(20) {
            0 | 1 => {
                self.load(None);
            }
            2 => {
                let valid = self.value(m);
                self.load(Some(valid));
            }
            3 => self.window(),
            4 => self.chosen(),
            5 => {
                let at = self.any_affine();
                self.push(Inst::Index(at), i);
            }
            6 if !self.kernel.scalars.is_empty() => {
                let arg = self.rng.below(self.kernel.scalars.len());
                self.push(Inst::Arg(ScalarArg(arg as u16)), self.kernel.scalars[arg]);
            }
            7 if self.rows_written > 0 && !self.scalar_phase => {
                let row = self.rng.below(self.rows_written.into());
                let row = RowBuf(row as u16);
                self.push(Inst::Row(row), self.kernel.wide.row(row).ty());
            }
            7 | 8 if self.slots_written > 0 => {
                let slot = self.rng.below(self.slots_written.into());
                self.slot(Slot(slot as u16));
            }
            9 => {
                let f = self.fitting(ScalarTy::is_float).expect("a float");
                let (a, b, c) = (self.value(f), self.value(f), self.value(f));
                self.push(Inst::Fma(a, b, c), f);
            }
            10 | 11 => {
                let ty = self.fitting(|ty| ty != m).expect("a number");
                let (cc, a, b) = (self.rng.pick(Cc::ALL), self.value(ty), self.value(ty));
                self.push(Inst::Cmp(cc, a, b), m);
            }
            12 => {
                let ty = self.fitting(|_| true).expect("a type");
                let (mask, a, b) = (self.value(m), self.value(ty), self.value(ty));
                self.push(Inst::Sel(mask, a, b), ty);
            }
            13..=15 => {
                let un = self.rng.pick(Un::ALL);
                let wide = self.wide;
                let allowed = |ty: ScalarTy| un.ty(ty).filter(|result| wide || !result.is_wide());
                match (un, self.fitting(|ty| allowed(ty).is_some())) {
                    (Un::AsInt | Un::AsI64, Some(ty)) => drop(self.bits(un, ty)),
                    (_, Some(ty)) => {
                        let a = self.value(ty);
                        self.push(Inst::Un(un, a), un.ty(ty).expect("a type that fits"));
                    }
                    (_, None) => {}
                }
            }
            _ => {
                let bin = self.rng.pick(Bin::ALL);
                let Some(ty) = self.fitting(|ty| bin.ty(ty, ty).is_some()) else { return };
                let a = self.value(ty);
                let b = match bin {
                    Bin::Shl | Bin::Shr => {
                        let by = self.rng.below(32) as i32;
                        self.i32(by)
                    }
                    Bin::Min | Bin::Max if ty == ScalarTy::F32 && self.rng.one_in(2) => {
                        let limit = self.rng.pick(&[0.0, -0.0, 0.0, -0.0, 0.3, f32::NAN, f32::INFINITY]);
                        self.f32(limit.to_bits())
                    }
                    _ => self.value(ty),
                };
                let (a, b) = if self.rng.one_in(2) && !matches!(bin, Bin::Shl | Bin::Shr) { (b, a) } else { (a, b) };
                self.push(Inst::Bin(bin, a, b), ty);
            }
        }
    }

    /// A masked load as a window makes it: the mask says whether the address is in the buffer.
    fn window(&mut self) {
        let mut at = self.any_affine();
        let (least, most) = self.reach(&at);
        let shift = self.rng.below(6) as i64;
        at.base = self.coef(self.number(at.base) - least - shift);
        let len = (most - least - self.rng.below(6) as i64).max(1);
        let index = self.push(Inst::Index(at.clone()), ScalarTy::I32);
        let (zero, end) = (self.i32(0), self.i32(len as i32));
        let low = self.push(Inst::Cmp(Cc::Le, zero, index), ScalarTy::Mask);
        let high = self.push(Inst::Cmp(Cc::Lt, index, end), ScalarTy::Mask);
        let valid = Some(self.push(Inst::Bin(Bin::And, low, high), ScalarTy::Mask));
        let buf = self.buffer(Access::Read, len);
        self.load_of(Inst::Load { buf, at, row: None, valid });
    }

    /// A load of a row that data chooses, one of four.
    fn chosen(&mut self) {
        let at = self.any_affine();
        let stride = self.rng.pick(&[1, 9, 200]);
        let index = if self.rng.one_in(2) {
            // The same for the whole row, as an embedding has it.
            let mut strides = vec![1; self.grid.len()];
            strides.push(0);
            let at = self.affine(0, &strides, 0);
            self.push(Inst::Index(at), ScalarTy::I32)
        } else {
            self.value(ScalarTy::I32)
        };
        let three = self.i32(3);
        let index = self.push(Inst::Bin(Bin::And, index, three), ScalarTy::I32);
        let len = self.most(&at) + 3 * stride + 1;
        let buf = self.buffer(Access::Read, len);
        let stride = self.coef(stride);
        let valid = if self.rng.one_in(3) { Some(self.value(ScalarTy::Mask)) } else { None };
        self.load_of(Inst::Load { buf, at, row: Some((index, stride)), valid });
    }

    fn finish(mut self) -> Case {
        self.kernel.sizes = self.sizes.len() as u16;
        let mut bufs = Vec::new();
        for (at, len) in self.lens.iter().enumerate() {
            let elem = self.kernel.wide.buf(BufArg(at as u16));
            bufs.push((0..*len).flat_map(|_| self.rng.element(elem)).collect());
        }
        let mut scalars = Vec::new();
        for ty in &self.kernel.scalars {
            scalars.push(match self.rng.element(Elem::of(*ty))[..] {
                [low, high] => u64::from(low) | u64::from(high) << 32,
                [word, ..] => u64::from(word),
                [] => unreachable!("an element has words"),
            });
        }
        Case { kernel: self.kernel, sizes: self.sizes, scalars, bufs, ints: self.ints }
    }
}
