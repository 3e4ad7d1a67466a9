//! The kernel interpreter: one launch, instruction by instruction.
//!
//! In: a verified kernel, its sizes and scalars, the words of its buffers. Out: the words it writes.
//! It is the meaning of the kernel IR in code, with the order of reductions that `kernel::ir` states;
//! an address out of range panics here, since it is a mistake of the compiler.

use std::ops::Range;

use crate::ir::scalar::{self, Comb, ScalarTy};
use crate::kernel::extent::coef;
use crate::kernel::ir::{Affine, Body, BufArg, Dst, Elem, Inst, Kernel, Phase, V};
use crate::kernel::verify::type_of;

/// The buffers of a launch, by argument.
pub trait Words {
    /// A word.
    fn get(&self, buf: BufArg, at: usize) -> u32;
    /// Writes a word.
    fn set(&mut self, buf: BufArg, at: usize, word: u32);
}

/// Buffers that are vectors of their own.
impl Words for [Vec<u32>] {
    fn get(&self, buf: BufArg, at: usize) -> u32 {
        self[usize::from(buf.0)][at]
    }
    fn set(&mut self, buf: BufArg, at: usize, word: u32) {
        self[usize::from(buf.0)][at] = word;
    }
}

/// The finished tile of a contraction: a block of the grid and of the row.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'a> {
    /// Row-major.
    pub words: &'a [u32],
    /// From one row to the next, in elements.
    pub stride: usize,
}

/// What of a launch runs, with which arguments.
pub struct Launch<'a> {
    /// The size table.
    pub sizes: &'a [i64],
    /// The scalar arguments.
    pub scalars: &'a [u64],
    /// The points of the flattened grid.
    pub rows: Range<u64>,
    /// The elements of the row; all of them unless the kernel is elementwise.
    pub elements: Range<u64>,
    /// For an epilogue: the results for exactly these rows and elements.
    pub tile: Option<Tile<'a>>,
}

impl<'a> Launch<'a> {
    /// All of a kernel.
    pub fn whole(kernel: &Kernel, sizes: &'a [i64], scalars: &'a [u64]) -> Launch<'a> {
        let rows = crate::kernel::extent::rows(kernel, sizes).expect("sizes in range");
        let row = coef(kernel.row, sizes) as u64;
        Launch { sizes, scalars, rows: 0..rows, elements: 0..row, tile: None }
    }
}

/// Runs a launch.
pub fn run(kernel: &Kernel, launch: &Launch<'_>, words: &mut (impl Words + ?Sized)) {
    let row = coef(kernel.row, launch.sizes) as usize;
    let mut state = State {
        kernel,
        launch,
        words,
        index: vec![0; kernel.grid.len()],
        point: 0,
        scratch: vec![vec![0; row]; usize::from(kernel.rowbufs)],
        slots: vec![0; usize::from(kernel.slots)],
        values: Vec::new(),
    };
    for point in launch.rows.clone() {
        let mut rest = point;
        for (index, size) in state.index.iter_mut().zip(&kernel.grid).rev() {
            let size = coef(*size, launch.sizes) as u64;
            *index = (rest % size) as i64;
            rest /= size;
        }
        state.point = point;
        for phase in &kernel.phases {
            state.phase(phase);
        }
    }
}

/// The order in which the elements of a row are combined, whatever computes it: 4 accumulators of 16
/// lanes, folded pairwise.
pub struct Accumulators {
    comb: Comb,
    ty: ScalarTy,
    lanes: [[u64; 16]; 4],
}

impl Accumulators {
    /// All neutral, for values of a type.
    pub fn new(comb: Comb, ty: ScalarTy) -> Accumulators {
        Accumulators { comb, ty, lanes: [[comb.neutral(ty); 16]; 4] }
    }

    /// Takes element `i` of the row.
    pub fn push(&mut self, i: usize, value: u64) {
        let lane = &mut self.lanes[i / 16 % 4][i % 16];
        *lane = self.comb.eval(self.ty, *lane, value);
    }

    /// The result.
    pub fn finish(&self) -> u64 {
        let combine = |a: u64, b: u64| self.comb.eval(self.ty, a, b);
        let [a, b, c, d] = self.lanes;
        let mut lanes: Vec<u64> = (0..16).map(|i| combine(combine(a[i], b[i]), combine(c[i], d[i]))).collect();
        while lanes.len() > 1 {
            let half = lanes.len() / 2;
            lanes = (0..half).map(|i| combine(lanes[i], lanes[i + half])).collect();
        }
        lanes[0]
    }
}

/// The bits of an element, whose words are `words`.
fn element(elem: Elem, at: usize, words: impl Fn(usize) -> u32) -> u64 {
    match elem {
        Elem::Word => u64::from(words(at)),
        Elem::Wide => u64::from(words(2 * at)) | u64::from(words(2 * at + 1)) << 32,
    }
}

struct State<'a, W: ?Sized> {
    kernel: &'a Kernel,
    launch: &'a Launch<'a>,
    words: &'a mut W,
    /// The position in each dim of the grid, and in the flattened grid.
    index: Vec<i64>,
    point: u64,
    scratch: Vec<Vec<u64>>,
    slots: Vec<u64>,
    /// Of the body that runs.
    values: Vec<u64>,
}

impl<W: Words + ?Sized> State<'_, W> {
    fn phase(&mut self, phase: &Phase) {
        let elements = self.launch.elements.start as usize..self.launch.elements.end as usize;
        match phase {
            Phase::Map(body) => {
                let types = self.types(body);
                for i in elements {
                    self.body(body, &types, i, 0);
                    self.stores(body, i);
                }
            }
            Phase::Reduce { body, acc } => {
                let types = self.types(body);
                let mut sums: Vec<Accumulators> =
                    acc.iter().map(|(comb, v, _)| Accumulators::new(*comb, types[v.0 as usize])).collect();
                for i in elements {
                    self.body(body, &types, i, 0);
                    self.stores(body, i);
                    for (sum, (_, v, _)) in sums.iter_mut().zip(acc) {
                        sum.push(i, self.value(*v));
                    }
                }
                for (sum, (_, _, slot)) in sums.iter().zip(acc) {
                    self.slots[usize::from(slot.0)] = sum.finish();
                }
            }
            Phase::Fold { over, body, acc } => {
                let (types, over) = (self.types(body), coef(*over, self.launch.sizes));
                for i in elements {
                    let mut sums: Vec<u64> = acc.iter().map(|(comb, v, _)| comb.neutral(types[v.0 as usize])).collect();
                    for k in 0..over {
                        self.body(body, &types, i, k);
                        for (sum, (comb, v, _)) in sums.iter_mut().zip(acc) {
                            *sum = comb.eval(types[v.0 as usize], *sum, self.value(*v));
                        }
                    }
                    for (sum, (_, _, dst)) in sums.iter().zip(acc) {
                        self.store(dst, *sum, i);
                    }
                }
            }
            Phase::Scalar(body) => {
                let types = self.types(body);
                self.body(body, &types, 0, 0);
                self.stores(body, 0);
            }
        }
    }

    fn types(&self, body: &Body) -> Vec<ScalarTy> {
        let mut types = Vec::new();
        for inst in &body.insts {
            types.push(type_of(inst, &types, &self.kernel.scalars, &self.kernel.wide).expect("a verified kernel"));
        }
        types
    }

    fn value(&self, v: V) -> u64 {
        self.values[v.0 as usize]
    }

    fn element(&self, at: &Affine, i: usize, k: i64) -> i64 {
        let value = |c| coef(c, self.launch.sizes);
        let grid: i64 = at.grid.iter().zip(&self.index).map(|(stride, index)| value(*stride) * index).sum();
        value(at.base) + grid + value(at.row) * i as i64 + value(at.fold) * k
    }

    fn body(&mut self, body: &Body, types: &[ScalarTy], i: usize, k: i64) {
        self.values.clear();
        for inst in &body.insts {
            let value = self.inst(inst, types, i, k);
            self.values.push(value);
        }
    }

    fn inst(&self, inst: &Inst, types: &[ScalarTy], i: usize, k: i64) -> u64 {
        let ty = |v: &V| types[v.0 as usize];
        match inst {
            Inst::Const(bits, _) => *bits,
            Inst::Arg(arg) => self.launch.scalars[usize::from(arg.0)],
            Inst::Index(at) => u64::from(self.element(at, i, k) as u32),
            Inst::Un(un, a) => un.eval(ty(a), self.value(*a)),
            Inst::Bin(bin, a, b) => bin.eval(ty(a), self.value(*a), self.value(*b)),
            Inst::Fma(a, b, c) => scalar::fma(ty(a), self.value(*a), self.value(*b), self.value(*c)),
            Inst::Cmp(cc, a, b) => cc.eval(ty(a), self.value(*a), self.value(*b)),
            Inst::Sel(mask, a, b) => self.value(if self.value(*mask) != 0 { *a } else { *b }),
            Inst::Load { buf, at, row, valid } => {
                if valid.is_some_and(|valid| self.value(valid) == 0) {
                    return 0;
                }
                let chosen =
                    row.map_or(0, |(v, stride)| i64::from(self.value(v) as i32) * coef(stride, self.launch.sizes));
                let at = usize::try_from(self.element(at, i, k) + chosen).expect("an address in range");
                element(self.kernel.wide.buf(*buf), at, |word| self.words.get(*buf, word))
            }
            Inst::Row(row) => self.scratch[usize::from(row.0)][i],
            Inst::Slot(slot) => self.slots[usize::from(slot.0)],
            Inst::Tile => {
                let tile = self.launch.tile.expect("a tile for an epilogue");
                let (row, col) = (self.point - self.launch.rows.start, i - self.launch.elements.start as usize);
                element(self.kernel.wide.tile(), row as usize * tile.stride + col, |word| tile.words[word])
            }
        }
    }

    fn stores(&mut self, body: &Body, i: usize) {
        for (dst, v) in &body.stores {
            self.store(dst, self.value(*v), i);
        }
    }

    fn store(&mut self, dst: &Dst, value: u64, i: usize) {
        match dst {
            Dst::Buf(buf, at) => {
                let at = usize::try_from(self.element(at, i, 0)).expect("an address in range");
                match self.kernel.wide.buf(*buf) {
                    Elem::Word => self.words.set(*buf, at, value as u32),
                    Elem::Wide => {
                        self.words.set(*buf, 2 * at, value as u32);
                        self.words.set(*buf, 2 * at + 1, (value >> 32) as u32);
                    }
                }
            }
            Dst::Row(row) => self.scratch[usize::from(row.0)][i] = value,
            Dst::Slot(slot) => self.slots[usize::from(slot.0)] = value,
        }
    }
}
