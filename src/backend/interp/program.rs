//! Whole programs with the kernel interpreter.
//!
//! The contractions are those of the CPU backend, cut into the same blocks: the order of their sums is
//! the one thing that the kernel IR does not state, so a program computes the same bits on both.

use std::sync::Arc;

use super::kernel::{self, Tile, Words};
use crate::backend::bound::{Bound, BoundConv, BoundLaunch, BoundRow, BoundScan, BoundStep};
use crate::backend::cpu::{conv, gemm};
use crate::backend::element::{self, Element};
use crate::backend::memory::{Memory, Spot};
use crate::backend::{Backend, Loaded, Stats};
use crate::kernel::ir::{BufArg, BufId, Elem, Program};
use crate::kernel::{Fault, verify};

/// The interpreter as a backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interp;

impl Backend for Interp {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn compile(&self, program: &Arc<Program>) -> Result<Box<dyn Loaded>, Fault> {
        verify::program(program)?;
        Ok(Box::new(LoadedProgram { program: program.clone() }))
    }

    fn stats(&self) -> Stats {
        Stats::default()
    }
}

struct LoadedProgram {
    program: Arc<Program>,
}

impl Loaded for LoadedProgram {
    fn reserve(&mut self, _: &Bound) {}

    fn lanes(&self) -> usize {
        1
    }

    fn run(&mut self, bound: &Bound, scalars: &[u64], memory: &mut Memory<'_, '_>) {
        let mut spots = bound.spots().to_vec();
        for step in bound.steps() {
            self.step(step, &mut spots, scalars, memory);
        }
    }
}

/// The buffers of a launch in the memory of a step.
struct View<'v, 's, 'a> {
    memory: &'v mut Memory<'s, 'a>,
    spots: Vec<Spot>,
}

impl Words for View<'_, '_, '_> {
    fn get(&self, buf: BufArg, at: usize) -> u32 {
        self.memory.get(self.spots[usize::from(buf.0)], at)
    }
    fn set(&mut self, buf: BufArg, at: usize, word: u32) {
        self.memory.set(self.spots[usize::from(buf.0)], at, word);
    }
}

impl LoadedProgram {
    fn step(&self, step: &BoundStep, spots: &mut [Spot], scalars: &[u64], memory: &mut Memory<'_, '_>) {
        match step {
            BoundStep::Loop(launch) => {
                let whole = kernel::Launch {
                    sizes: &launch.sizes,
                    scalars: &scalars[launch.scalars..],
                    rows: 0..launch.rows,
                    elements: 0..launch.row,
                    tile: None,
                };
                self.launch(launch, &whole, spots, memory);
            }
            BoundStep::Gemm { elem: Elem::Word, .. } => self.gemm::<f32>(step, spots, scalars, memory),
            BoundStep::Gemm { elem: Elem::Wide, .. } => self.gemm::<f64>(step, spots, scalars, memory),
            BoundStep::Conv(conv) => match conv.elem {
                Elem::Word => self.conv::<f32>(conv, spots, scalars, memory),
                Elem::Wide => self.conv::<f64>(conv, spots, scalars, memory),
            },
            BoundStep::Segments { elem, dims, index, update, out } => {
                let spots = [*index, *update, *out].map(|buf| spot(spots, buf));
                match elem {
                    Elem::Word => segments::<f32>(*dims, spots, memory),
                    Elem::Wide => segments::<f64>(*dims, spots, memory),
                }
            }
            BoundStep::Copy { from, to } => {
                let (from, to) = (spot(spots, *from), spot(spots, *to));
                for at in 0..from.len {
                    memory.set(to, at, memory.get(from, at));
                }
            }
            BoundStep::Scan(scan) => self.scan(scan, spots, scalars, memory),
        }
    }

    fn scan(&self, scan: &BoundScan, spots: &mut [Spot], scalars: &[u64], memory: &mut Memory<'_, '_>) {
        for carry in &scan.carries {
            let (from, to) = (spots[carry.first.0 as usize], spots[carry.old.0 as usize]);
            (0..from.len).for_each(|at| memory.set(to, at, memory.get(from, at)));
        }
        for iteration in 0..scan.count {
            let position = if scan.reversed { scan.count - 1 - iteration } else { iteration };
            for &BoundRow { row, of, words } in &scan.rows {
                let whole = spots[of.0 as usize];
                spots[row.0 as usize] = Spot { offset: whole.offset + position * words, len: words, ..whole };
            }
            for step in &scan.body {
                self.step(step, spots, scalars, memory);
            }
            for carry in &scan.carries {
                spots.swap(carry.old.0 as usize, carry.new.0 as usize);
            }
        }
        for carry in &scan.carries {
            let Some(last) = carry.last else { continue };
            let (from, to) = (spots[carry.old.0 as usize], spots[last.0 as usize]);
            (0..from.len).for_each(|at| memory.set(to, at, memory.get(from, at)));
        }
    }

    fn launch(&self, launch: &BoundLaunch, part: &kernel::Launch<'_>, spots: &[Spot], memory: &mut Memory<'_, '_>) {
        let spots = launch.bufs.iter().map(|buf| spot(spots, *buf)).collect();
        let kernel = &self.program.kernels[launch.kernel.0 as usize];
        kernel::run(kernel, part, &mut View { memory, spots });
    }

    fn conv<T: Element>(&self, conv: &BoundConv, spots: &[Spot], scalars: &[u64], memory: &mut Memory<'_, '_>) {
        let [source, right] = [conv.a, conv.b].map(|buf| copy::<T>(spot(spots, buf), memory));
        let cut = conv::cut(conv);
        let mut tile = vec![T::ZERO; cut.tile_elements(conv)];
        let mut packed = vec![T::ZERO; cut.patch_elements()];
        for number in 0..cut.blocks() {
            let block = cut.block(conv, number);
            conv::multiply(conv, &cut, &block, [&source, &right], &mut tile, &mut packed);
            for (at, elements) in tile.chunks(conv.n.max(1)).take(block.len()).enumerate() {
                let row = cut.row(conv, &block, at);
                if let Some(c) = conv.c {
                    for (col, element) in elements.iter().enumerate() {
                        element::set(memory, spot(spots, c), row * conv.n + col, *element);
                    }
                }
                if let Some(launch) = &conv.epilogue {
                    let part = kernel::Launch {
                        sizes: &launch.sizes,
                        scalars: &scalars[launch.scalars..],
                        rows: row as u64..row as u64 + 1,
                        elements: 0..conv.n as u64,
                        tile: Some(Tile { words: &element::words(elements), stride: conv.n }),
                    };
                    self.launch(launch, &part, spots, memory);
                }
            }
        }
    }

    fn gemm<T: Element>(&self, step: &BoundStep, spots: &[Spot], scalars: &[u64], memory: &mut Memory<'_, '_>) {
        let BoundStep::Gemm { batch, dims: [m, n, k], a, b, c, epilogue, .. } = step else { return };
        let (m, n, k, c, epilogue) = (*m, *n, *k, c.as_ref(), epilogue.as_ref());
        let [left, right] = [a.buf, b.buf].map(|buf| copy::<T>(spot(spots, buf), memory));
        let whole_rows =
            epilogue.is_some_and(|launch| !self.program.kernels[launch.kernel.0 as usize].is_elementwise());
        let cut = gemm::cut(batch, [m, n, k], b, whole_rows);
        for block in cut.blocks() {
            let block = cut.block(block);
            // A block without an epilogue goes straight to `c`, with the stride of `c`: the stride of
            // the result may decide the order of a sum.
            let direct = c.filter(|_| epilogue.is_none());
            let stride = direct.map_or(block.cols.len(), |c| c.row_stride as usize);
            let mut tile = vec![T::ZERO; stride * block.rows.len()];
            gemm::multiply(&mut tile, stride, &block, k, (&left, a), (&right, b), false);
            if let Some(c) = c {
                let spot = spot(spots, c.buf);
                for (at, row) in block.rows.clone().enumerate() {
                    let start = c.start(&block.batch) + row as i64 * c.row_stride;
                    for (col, element) in block.cols.clone().zip(&tile[at * stride..]) {
                        element::set(memory, spot, start as usize + col, *element);
                    }
                }
            }
            if let Some(launch) = epilogue {
                let first = (block.entry * m + block.rows.start) as u64;
                let part = kernel::Launch {
                    sizes: &launch.sizes,
                    scalars: &scalars[launch.scalars..],
                    rows: first..first + block.rows.len() as u64,
                    elements: block.cols.start as u64..block.cols.end as u64,
                    tile: Some(Tile { words: &element::words(&tile), stride }),
                };
                self.launch(launch, &part, spots, memory);
            }
        }
    }
}

fn spot(spots: &[Spot], buf: BufId) -> Spot {
    spots[buf.0 as usize]
}

/// The elements of a buffer.
fn copy<T: Element>(spot: Spot, memory: &Memory<'_, '_>) -> Vec<T> {
    (0..spot.len / T::ELEM.words()).map(|at| element::get(memory, spot, at)).collect()
}

/// Rows of updates, each added where its index says.
fn segments<T: Element>(
    [updates, rows, row]: [usize; 3],
    [index, update, out]: [Spot; 3],
    memory: &mut Memory<'_, '_>,
) {
    for at in 0..rows * row {
        element::set(memory, out, at, T::ZERO);
    }
    for j in 0..updates {
        let target = memory.get(index, j) as usize;
        assert!(target < rows, "an index in range");
        for i in 0..row {
            let mut sum: T = element::get(memory, out, target * row + i);
            sum += element::get(memory, update, j * row + i);
            element::set(memory, out, target * row + i, sum);
        }
    }
}
