//! A program with all its sizes known, checked.
//!
//! In: a verified program, the values of its sizes, a place for each buffer. Out: a `Bound`, or why it
//! cannot run. Whoever holds a `Bound` knows: every affine address of every step is inside its buffer,
//! what a step writes overlaps nothing else that the step uses, and only writable segments are
//! written. The machine code relies on it. Addresses that depend on data are checked when they load.

use std::sync::Arc;

use smallvec::SmallVec;

use super::memory::Spot;
use crate::ir::{Dim, SizeId};
use crate::kernel::Fault;
use crate::kernel::extent;
use crate::kernel::ir::{
    Access, BufId, Buffer, Carry, Conv, Elem, KernelId, Launch, Matrix, Place, Program, ScalarValue, Scan, Step,
};

/// Why a program cannot run with some sizes.
#[derive(Clone, PartialEq, Debug)]
pub enum BindFault {
    /// A size that is negative or out of range, of the value given or none.
    Size(Dim, Option<i64>),
    /// A mistake of the compiler.
    Fault(Fault),
}

impl From<Fault> for BindFault {
    fn from(fault: Fault) -> BindFault {
        BindFault::Fault(fault)
    }
}

/// A kernel with its arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct BoundLaunch {
    /// Which.
    pub kernel: KernelId,
    /// Its buffers.
    pub bufs: Vec<BufId>,
    /// Its size table.
    pub sizes: Vec<i64>,
    /// The place of its first scalar among all scalars of the program.
    pub scalars: usize,
    /// How many points its grid has.
    pub rows: u64,
    /// How long a row is.
    pub row: u64,
}

/// A strided matrix for each entry of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoundMatrix {
    /// Where.
    pub buf: BufId,
    /// From one row to the next.
    pub row_stride: i64,
    /// From one column to the next.
    pub col_stride: i64,
    /// From one position of each loop of the batch to the next.
    pub batch_strides: SmallVec<[i64; 4]>,
    /// Where the first entry begins.
    pub offset: i64,
}

impl BoundMatrix {
    /// Where the entry at these positions of the batch's loops begins.
    pub fn start(&self, batch: &[usize]) -> i64 {
        let steps = batch.iter().zip(&self.batch_strides).map(|(at, stride)| *at as i64 * stride);
        self.offset + steps.sum::<i64>()
    }
}

/// A convolution with numbers for sizes; `kernel::ir::Conv` says what they are.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the fields of kernel::ir::Conv; `elem` is how wide elements are")]
pub struct BoundConv {
    pub elem: Elem,
    pub batch: Vec<usize>,
    pub m: Vec<usize>,
    pub k: Vec<usize>,
    pub n: usize,
    pub a: BufId,
    pub axes: Vec<BoundPatchAxis>,
    pub b: BufId,
    pub b_steps: Vec<i64>,
    pub c: Option<BufId>,
    pub epilogue: Option<BoundLaunch>,
}

/// One axis of what patches read, with numbers for sizes.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the fields of kernel::ir::PatchAxis")]
pub struct BoundPatchAxis {
    pub size: i64,
    pub stride: i64,
    pub base: i64,
    pub divisor: i64,
    pub steps: Vec<i64>,
}

/// A step with numbers for sizes.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the fields of kernel::ir::Step; `elem` is how wide elements are")]
pub enum BoundStep {
    Loop(BoundLaunch),
    Gemm {
        elem: Elem,
        batch: Vec<usize>,
        dims: [usize; 3],
        a: BoundMatrix,
        b: BoundMatrix,
        c: Option<BoundMatrix>,
        epilogue: Option<BoundLaunch>,
    },
    Conv(BoundConv),
    Segments {
        elem: Elem,
        dims: [usize; 3],
        index: BufId,
        update: BufId,
        out: BufId,
    },
    Copy {
        from: BufId,
        to: BufId,
    },
    Scan(Box<BoundScan>),
}

/// A loop with numbers for sizes.
#[derive(Clone, PartialEq, Debug)]
pub struct BoundScan {
    /// How many iterations.
    pub count: usize,
    /// From the last position to the first.
    pub reversed: bool,
    /// What moves on with each iteration, read or written.
    pub rows: Vec<BoundRow>,
    /// What goes from one iteration to the next.
    pub carries: Vec<Carry>,
    /// The locals of it and of the loops inside: each thread has its own.
    pub locals: Vec<BufId>,
    /// On how many threads it runs.
    pub lanes: usize,
    /// How many words one thread has of its memory.
    pub lane_words: usize,
    /// One iteration.
    pub body: Vec<BoundStep>,
}

/// A row of a buffer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BoundRow {
    /// The row.
    pub row: BufId,
    /// What it is a row of.
    pub of: BufId,
    /// How long it is.
    pub words: usize,
}

/// A program with all its sizes known.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    program: Arc<Program>,
    steps: Vec<BoundStep>,
    spots: Vec<Spot>,
    segments: Vec<usize>,
    written: Vec<bool>,
    scalars: Vec<ScalarValue>,
}

/// The value of a size that counts something.
pub fn count(dim: &Dim, sizes: &dyn Fn(SizeId) -> i64) -> Result<usize, BindFault> {
    match dim.eval(sizes) {
        Ok(value) => usize::try_from(value).map_err(|_| BindFault::Size(dim.clone(), Some(value))),
        Err(_) => Err(BindFault::Size(dim.clone(), None)),
    }
}

/// How many words a buffer has.
pub fn words(buffer: &Buffer, sizes: &dyn Fn(SizeId) -> i64) -> Result<usize, BindFault> {
    let words = count(&buffer.len, sizes)?.checked_mul(buffer.elem.words());
    words.ok_or_else(|| BindFault::Size(buffer.len.clone(), None))
}

fn stride(dim: &Dim, sizes: &dyn Fn(SizeId) -> i64) -> Result<i64, BindFault> {
    dim.eval(sizes).map_err(|_| BindFault::Size(dim.clone(), None))
}

impl Bound {
    /// Evaluates and checks. `spots` says where each buffer lies, a row at position 0, `lanes` on how many threads
    /// the iterations of a loop run, `writable` which segments may be written.
    pub fn new(
        program: &Arc<Program>,
        sizes: &dyn Fn(SizeId) -> i64,
        spots: Vec<Spot>,
        lanes: usize,
        writable: &dyn Fn(usize) -> bool,
    ) -> Result<Bound, BindFault> {
        let even = |(spot, buffer): (&Spot, &Buffer)| spot.offset.is_multiple_of(buffer.elem.words());
        require(spots.iter().zip(&program.buffers).all(even), "an element of 64 bits at an odd word")?;
        let mut segments = Vec::new();
        // Rows and locals lie in other buffers.
        let has_room = |buffer: &Buffer| !matches!(buffer.place, Place::Row(_) | Place::Local);
        for (spot, _) in spots.iter().zip(&program.buffers).filter(|(_, buffer)| has_room(buffer)) {
            if segments.len() <= spot.segment {
                segments.resize(spot.segment + 1, 0);
            }
            segments[spot.segment] = spot.end().max(segments[spot.segment]);
        }
        let written = vec![false; segments.len()];
        let mut binder =
            Binder { program, sizes, spots: &spots, writable, lanes, inside: None, written, scalars: Vec::new() };
        let mut steps = Vec::with_capacity(program.steps.len());
        for step in &program.steps {
            steps.push(binder.step(step)?);
        }
        let (written, scalars) = (binder.written, binder.scalars);
        let program = program.clone();
        Ok(Bound { program, steps, spots, segments, written, scalars })
    }

    /// Whether these are the sizes of this very program.
    pub fn is_of(&self, program: &Arc<Program>) -> bool {
        Arc::ptr_eq(&self.program, program)
    }

    /// The steps in order.
    pub fn steps(&self) -> &[BoundStep] {
        &self.steps
    }

    /// Where a buffer lies.
    pub fn spot(&self, buf: BufId) -> Spot {
        self.spots[buf.0 as usize]
    }

    /// Where all buffers lie.
    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// How wide the elements of each buffer are.
    pub fn elems(&self) -> impl Iterator<Item = Elem> {
        self.program.buffers.iter().map(|buffer| buffer.elem)
    }

    /// How long each segment must be at least.
    pub fn segments(&self) -> &[usize] {
        &self.segments
    }

    /// Which segments a step writes.
    pub fn written(&self) -> &[bool] {
        &self.written
    }

    /// The scalars of all launches, in order.
    pub fn scalars(&self) -> &[ScalarValue] {
        &self.scalars
    }
}

struct Binder<'a> {
    program: &'a Program,
    sizes: &'a dyn Fn(SizeId) -> i64,
    spots: &'a [Spot],
    writable: &'a dyn Fn(usize) -> bool,
    /// How many threads the steps have.
    lanes: usize,
    /// In a loop, the buffers of an iteration: what may be written there.
    inside: Option<Vec<BufId>>,
    written: Vec<bool>,
    scalars: Vec<ScalarValue>,
}

impl Binder<'_> {
    fn step(&mut self, step: &Step) -> Result<BoundStep, BindFault> {
        match step {
            Step::Loop(launch) => {
                let bound = self.launch(launch)?;
                self.apart(&self.uses(launch))?;
                Ok(BoundStep::Loop(bound))
            }
            Step::Gemm { batch, dims, a, b, c, epilogue } => {
                let [m, n, k] = self.counts(dims)?;
                let batch = batch.iter().map(|dim| count(dim, self.sizes)).collect::<Result<Vec<_>, _>>()?;
                let entries = batch.iter().try_fold(1usize, |all, size| all.checked_mul(*size));
                let all = entries.and_then(|entries| entries.checked_mul(m.max(1))?.checked_mul(n.max(1)));
                require(all.is_some_and(|all| i64::try_from(all).is_ok()), "a result of 2^63 elements")?;
                let (a, b) = (self.matrix(a)?, self.matrix(b)?);
                self.inside(&a, &batch, [m, k])?;
                self.inside(&b, &batch, [k, n])?;
                let mut uses = vec![(a.buf, false), (b.buf, false)];
                let mut result = None;
                if let Some(c) = c {
                    let c = self.matrix(c)?;
                    self.inside(&c, &batch, [m, n])?;
                    row_major(&c, &batch, [m, n])?;
                    uses.push((c.buf, true));
                    result = Some(c);
                }
                let rows = batch.iter().product::<usize>() * m;
                let epilogue = self.epilogue(epilogue.as_ref(), [rows, n], &mut uses)?;
                self.apart(&uses)?;
                Ok(BoundStep::Gemm { elem: self.elem(a.buf), batch, dims: [m, n, k], a, b, c: result, epilogue })
            }
            Step::Conv(conv) => Ok(BoundStep::Conv(self.conv(conv)?)),
            Step::Segments { dims, index, update, out } => {
                let [updates, rows, row] = self.counts(dims)?;
                let holds = |buf: BufId, factors: [usize; 2]| {
                    factors[0].checked_mul(factors[1]).is_some_and(|len| len <= self.len(buf))
                };
                let fits = holds(*index, [updates, 1]) && holds(*update, [updates, row]) && holds(*out, [rows, row]);
                require(fits, "segments outside of their buffers")?;
                self.apart(&[(*index, false), (*update, false), (*out, true)])?;
                Ok(BoundStep::Segments {
                    elem: self.elem(*out),
                    dims: [updates, rows, row],
                    index: *index,
                    update: *update,
                    out: *out,
                })
            }
            Step::Copy { from, to } => {
                let same = self.spots[from.0 as usize].len == self.spots[to.0 as usize].len;
                require(same, "a copy between different lengths")?;
                self.apart(&[(*from, false), (*to, true)])?;
                Ok(BoundStep::Copy { from: *from, to: *to })
            }
            Step::Scan(scan) => Ok(BoundStep::Scan(Box::new(self.scan(scan)?))),
        }
    }

    /// See Note [Loops].
    fn scan(&mut self, scan: &Scan) -> Result<BoundScan, BindFault> {
        let count = count(&scan.count, self.sizes)?;
        let rows =
            scan.rows.iter().chain(&scan.made).map(|row| self.row(*row, count)).collect::<Result<Vec<_>, _>>()?;
        let made = &rows[scan.rows.len()..];
        let memory = self.spots[scan.memory.0 as usize];
        let lanes = scan.lanes(self.lanes).max(1);
        let lane_words = memory.len / lanes;
        let holds = |local: &BufId| {
            let spot = self.spots[local.0 as usize];
            let inside = memory.offset <= spot.offset && spot.end() <= memory.offset + lane_words;
            spot.len == 0 || spot.segment == memory.segment && inside
        };
        require(scan.locals.iter().all(holds), "a local outside of its loop's memory")?;
        let mut locals = scan.locals.clone();
        scan.body.iter().for_each(|step| inner_locals(step, &mut locals));
        let outside = self.outside(scan, &locals);
        let written = made.iter().map(|row| row.of).chain([scan.memory]);
        let written = written.chain(scan.carries.iter().filter_map(|carry| carry.last)).map(|buf| (buf, true));
        let first = scan.carries.iter().map(|carry| (carry.first, false));
        let read = outside.into_iter().map(|buf| (buf, false));
        self.apart(&written.chain(first).chain(read).collect::<Vec<_>>())?;

        let around = self.inside.replace(scan.locals.iter().chain(&scan.made).copied().collect());
        let lanes_around = self.lanes;
        self.lanes /= lanes;
        for Carry { first, old, new, last } in &scan.carries {
            let len = |buf: BufId| self.spots[buf.0 as usize].len;
            let same = [Some(*old), Some(*new), *last].into_iter().flatten().all(|buf| len(buf) == len(*first));
            require(same, "a carry of different lengths")?;
            self.apart(&[(*old, true), (*new, true)])?;
        }
        // A loop that does nothing has rows that are nowhere.
        let steps = if count > 0 { &scan.body[..] } else { &[] };
        let body = steps.iter().map(|step| self.step(step)).collect::<Result<Vec<_>, _>>()?;
        (self.inside, self.lanes) = (around, lanes_around);
        let (reversed, carries) = (scan.reversed, scan.carries.clone());
        Ok(BoundScan { count, reversed, rows, carries, locals, lanes, lane_words, body })
    }

    fn row(&self, row: BufId, count: usize) -> Result<BoundRow, BindFault> {
        let Place::Row(of) = self.program.buffers[row.0 as usize].place else {
            return Err(Fault("a row of nothing".into()).into());
        };
        let (here, whole) = (self.spots[row.0 as usize], self.spots[of.0 as usize]);
        let starts = (here.segment, here.offset) == (whole.segment, whole.offset);
        let fits = here.len.checked_mul(count).is_some_and(|words| words <= whole.len);
        require(starts && fits, "rows outside of their buffer")?;
        Ok(BoundRow { row, of, words: here.len })
    }

    /// What an iteration reads beside its own rows and locals.
    fn outside(&self, scan: &Scan, locals: &[BufId]) -> Vec<BufId> {
        let mut outside = Vec::new();
        let mut visit = |mut buf: BufId| {
            while !locals.contains(&buf) && !scan.rows.contains(&buf) && !scan.made.contains(&buf) {
                match self.program.buffers[buf.0 as usize].place {
                    Place::Row(of) => buf = of,
                    _ => return outside.push(buf),
                }
            }
        };
        scan.body.iter().for_each(|step| step.visit(&mut visit));
        outside.sort_unstable();
        outside.dedup();
        outside
    }

    fn conv(&mut self, conv: &Conv) -> Result<BoundConv, BindFault> {
        let counts = |dims: &[Dim]| dims.iter().map(|dim| count(dim, self.sizes)).collect::<Result<Vec<_>, _>>();
        let strides = |dims: &[Dim]| dims.iter().map(|dim| stride(dim, self.sizes)).collect::<Result<Vec<_>, _>>();
        let (batch, m, k, n) = (counts(&conv.batch)?, counts(&conv.m)?, counts(&conv.k)?, count(&conv.n, self.sizes)?);
        let loops: Vec<usize> = [&batch[..], &m, &k].concat();
        let points = loops.iter().chain([&n]).try_fold(1usize, |points, size| points.checked_mul((*size).max(1)));
        let fits = points.is_some_and(|points| i64::try_from(points).is_ok());
        require(fits, "a convolution of 2^63 products")?;
        let mut axes = Vec::with_capacity(conv.a.axes.len());
        for axis in &conv.a.axes {
            let [size, step, base] = [&axis.size, &axis.stride, &axis.base].map(|dim| stride(dim, self.sizes));
            let steps = strides(&axis.steps)?;
            axes.push(BoundPatchAxis { size: size?, stride: step?, base: base?, divisor: axis.divisor, steps });
        }
        let in_range = |axis: &BoundPatchAxis| {
            let walks = loops.iter().zip(&axis.steps).map(|(size, step)| i128::from(*step).abs() * (*size as i128));
            axis.size >= 0 && axis.stride >= 0 && walks.sum::<i128>() + i128::from(axis.base).abs() < 1 << 62
        };
        require(axes.iter().all(in_range), "patches out of range")?;
        let reach: i128 = axes.iter().map(|axis| i128::from(axis.stride) * i128::from(axis.size - 1)).sum();
        let is_empty = axes.iter().any(|axis| axis.size == 0);
        let len = |buf: BufId| self.len(buf) as i128;
        require(is_empty || reach < len(conv.a.buf), "patches outside of their buffer")?;
        let b_steps = strides(&conv.b_steps)?;
        let b_loops: Vec<usize> = [&batch[..], &k, &[n]].concat();
        let reach: i128 = b_loops.iter().zip(&b_steps).map(|(n, step)| (*n as i128 - 1) * i128::from(*step)).sum();
        let is_empty = b_loops.contains(&0);
        let forward = b_steps.iter().all(|step| *step >= 0);
        require(forward && (is_empty || reach < len(conv.b)), "a right operand outside of its buffer")?;
        let rows = batch.iter().chain(&m).product::<usize>();
        let mut uses = vec![(conv.a.buf, false), (conv.b, false)];
        if let Some(c) = conv.c {
            require((rows * n) as i128 <= len(c), "a result longer than its buffer")?;
            uses.push((c, true));
        }
        let epilogue = self.epilogue(conv.epilogue.as_ref(), [rows, n], &mut uses)?;
        self.apart(&uses)?;
        let elem = self.elem(conv.b);
        Ok(BoundConv { elem, batch, m, k, n, a: conv.a.buf, axes, b: conv.b, b_steps, c: conv.c, epilogue })
    }

    /// The epilogue of a contraction with so many rows and columns.
    fn epilogue(
        &mut self,
        launch: Option<&Launch>,
        [rows, n]: [usize; 2],
        uses: &mut Vec<(BufId, bool)>,
    ) -> Result<Option<BoundLaunch>, BindFault> {
        let Some(launch) = launch else { return Ok(None) };
        let bound = self.launch(launch)?;
        let fits = bound.rows == rows as u64 && bound.row == n as u64;
        require(fits, "an epilogue of another size than its contraction")?;
        uses.extend(self.uses(launch));
        Ok(Some(bound))
    }

    fn counts<const N: usize>(&self, dims: &[Dim; N]) -> Result<[usize; N], BindFault> {
        let mut counts = [0; N];
        for (value, dim) in counts.iter_mut().zip(dims) {
            *value = count(dim, self.sizes)?;
        }
        let product = counts.iter().try_fold(1usize, |product, count| product.checked_mul((*count).max(1)));
        match product.filter(|product| i64::try_from(*product).is_ok()) {
            Some(_) => Ok(counts),
            None => Err(BindFault::Size(dims[0].clone(), None)),
        }
    }

    fn launch(&mut self, launch: &Launch) -> Result<BoundLaunch, BindFault> {
        let kernel = &self.program.kernels[launch.kernel.0 as usize];
        let sizes = launch.sizes.iter().map(|dim| stride(dim, self.sizes)).collect::<Result<Vec<i64>, _>>()?;
        let lens: Vec<usize> = launch.bufs.iter().map(|buf| self.len(*buf)).collect();
        extent::check(kernel, &sizes, &lens)
            .map_err(|fault| BindFault::Fault(Fault(format!("kernel k{} of {sizes:?}: {fault}", launch.kernel.0))))?;
        let rows = extent::rows(kernel, &sizes).unwrap_or_default();
        let row = extent::coef(kernel.row, &sizes) as u64;
        require(rows.checked_mul(row.max(1)).is_some_and(|n| i64::try_from(n).is_ok()), "too many elements")?;
        let scalars = self.scalars.len();
        self.scalars.extend(launch.scalars.iter().cloned());
        Ok(BoundLaunch { kernel: launch.kernel, bufs: launch.bufs.clone(), sizes, scalars, rows, row })
    }

    /// How many whole elements a buffer has.
    fn len(&self, buf: BufId) -> usize {
        self.spots[buf.0 as usize].len / self.elem(buf).words()
    }

    fn elem(&self, buf: BufId) -> Elem {
        self.program.buffers[buf.0 as usize].elem
    }

    fn uses(&self, launch: &Launch) -> Vec<(BufId, bool)> {
        let kernel = &self.program.kernels[launch.kernel.0 as usize];
        launch.bufs.iter().zip(&kernel.bufs).map(|(buf, access)| (*buf, *access != Access::Read)).collect()
    }

    /// What is written overlaps nothing else and lies where writing is allowed.
    fn apart(&mut self, uses: &[(BufId, bool)]) -> Result<(), BindFault> {
        for (at, (buf, written)) in uses.iter().enumerate() {
            let spot = self.spots[buf.0 as usize];
            if *written && spot.len > 0 {
                let free = self.inside.as_ref().is_none_or(|inside| inside.contains(buf));
                require(free, "a loop writes what is not its own")?;
                require((self.writable)(spot.segment), "a write into what is only read")?;
                self.written[spot.segment] = true;
                let meets = |(_, (other, _)): (usize, &(BufId, bool))| self.spots[other.0 as usize].overlaps(&spot);
                let other = uses.iter().enumerate().filter(|(other, _)| *other != at).any(meets);
                require(!other, "a step writes what it uses under another name")?;
            }
        }
        Ok(())
    }

    fn matrix(&self, matrix: &Matrix) -> Result<BoundMatrix, BindFault> {
        Ok(BoundMatrix {
            buf: matrix.buf,
            row_stride: stride(&matrix.row_stride, self.sizes)?,
            col_stride: stride(&matrix.col_stride, self.sizes)?,
            batch_strides: matrix.batch_strides.iter().map(|dim| stride(dim, self.sizes)).collect::<Result<_, _>>()?,
            offset: stride(&matrix.offset, self.sizes)?,
        })
    }

    /// Every element of a matrix is in its buffer.
    fn inside(&self, matrix: &BoundMatrix, batch: &[usize], [rows, cols]: [usize; 2]) -> Result<(), BindFault> {
        if batch.contains(&0) || rows == 0 || cols == 0 {
            return Ok(());
        }
        let (mut least, mut most) = (i128::from(matrix.offset), i128::from(matrix.offset));
        let entries = matrix.batch_strides.iter().copied().zip(batch.iter().copied());
        for (stride, size) in entries.chain([(matrix.row_stride, rows), (matrix.col_stride, cols)]) {
            let reach = i128::from(stride) * (size as i128 - 1);
            least += reach.min(0);
            most += reach.max(0);
        }
        let len = self.len(matrix.buf) as i128;
        require(least >= 0 && most < len, "a matrix outside of its buffer")
    }
}

/// The locals of the loops in a step.
fn inner_locals(step: &Step, locals: &mut Vec<BufId>) {
    let Step::Scan(scan) = step else { return };
    locals.extend(&scan.locals);
    scan.body.iter().for_each(|step| inner_locals(step, locals));
}

/// The rows of a result lie one after the other and apart, and so do the entries of each loop of the batch.
fn row_major(c: &BoundMatrix, batch: &[usize], [rows, cols]: [usize; 2]) -> Result<(), BindFault> {
    // Strides of nothing are free.
    if batch.contains(&0) || rows == 0 || cols == 0 {
        return Ok(());
    }
    let contiguous = cols <= 1 || c.col_stride == 1;
    let mut whole = cols as i128;
    let mut apart = true;
    let loops = batch.iter().copied().zip(c.batch_strides.iter().copied());
    for (size, stride) in loops.chain([(rows, c.row_stride)]).collect::<Vec<_>>().into_iter().rev() {
        apart &= stride >= 0 && (size <= 1 || i128::from(stride) >= whole);
        whole += i128::from(stride) * (size as i128 - 1);
    }
    require(contiguous && apart, "a result that is not row-major")
}

fn require(holds: bool, what: &str) -> Result<(), BindFault> {
    if holds { Ok(()) } else { Err(BindFault::Fault(Fault(what.into()))) }
}

// Note [Loops]
//
// Two iterations of a loop may run at once, and machine code trusts this check, so it must make sure that what one
// of them writes no other touches. Inside, only locals and made rows are written (`inside`). Each thread has locals of
// its own, in its part of the memory. Rows of one buffer at different positions are apart, since each lies in its
// own `words`; and the buffers that rows are made in overlap nothing that the body reads from outside, nor each
// other (`apart` of the whole loop). What one iteration reads as a row of a buffer in which it makes rows is at its
// own position: two rows of one buffer have one length, or the loop would not be legal, which `apart` of the step that
// uses both tells.
