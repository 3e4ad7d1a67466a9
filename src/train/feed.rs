//! Batches as the inputs of a step.
//!
//! In: the inputs of a graph, the columns of the data, a batch of a loader or of rows to predict on. Out:
//! numbers that a step borrows, and the values of the symbolic sizes. The memory is kept from batch to
//! batch. Every class number is checked against its axis here, so that a step need not.

use smallvec::SmallVec;

use crate::base::{Symbol, bug};
use crate::data::{Batch, Column, Loader, Target};
use crate::diag::{Diagnostic, run as told, train};
use crate::ir::{DType, Dim, Dims, Graph, SizeId};
use crate::runtime::Input;
use crate::sema::typed::{Asker, Demand};

/// How far from the number of rows in a batch another is looked for that fits.
const MOST_AWAY: i64 = 4096;

/// The inputs of one program.
#[derive(Debug)]
pub(super) struct Feed {
    slots: Vec<Slot>,
    sizes: Vec<i64>,
    /// What must hold of the sizes.
    demands: Vec<Demand>,
}

/// One input.
#[derive(Debug)]
struct Slot {
    name: Symbol,
    dims: Dims,
    /// The sizes of a row.
    item: Vec<usize>,
    /// Which of them each batch says.
    open: Option<usize>,
    /// Whether a batch has one of it, without an axis of rows.
    whole: bool,
    /// For class numbers: the size of their axis.
    below: Option<usize>,
    /// How many numbers the batch has.
    len: usize,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

impl Feed {
    /// For the inputs of a graph; an input that is no column stays empty.
    pub fn new(graph: &Graph, columns: &[Column]) -> Feed {
        let slots = graph.inputs.iter().map(|input| {
            let name = Symbol::new(&input.name);
            let column = columns.iter().find(|column| column.name == name);
            let below = input.below.as_ref().and_then(|dim| dim.as_const()).and_then(|size| usize::try_from(size).ok());
            let numbers = match input.ty.dtype {
                DType::F32 => Numbers::F32(Vec::new()),
                DType::I32 | DType::Bool => Numbers::I32(Vec::new()),
                DType::F64 | DType::I64 => bug!("a column is of 32 bits"),
            };
            let item = column.map_or_else(Vec::new, Column::shape);
            let whole = column.is_some_and(|column| column.whole);
            let open = column.and_then(|column| column.axes.iter().position(|axis| axis.open.is_some()));
            Slot { name, dims: input.ty.dims.clone(), item, open, whole, below, len: 0, numbers }
        });
        Feed { slots: slots.collect(), sizes: vec![0; graph.sizes.len()], demands: Vec::new() }
    }

    /// Holds each batch to what these ask of it.
    pub fn held_to(mut self, demands: &[Demand], askers: &[Asker]) -> Feed {
        self.demands = demands.iter().filter(|demand| askers.contains(&demand.of)).cloned().collect();
        self
    }

    /// The columns to ask a loader for.
    pub fn names(&self) -> Vec<Symbol> {
        self.slots.iter().map(|slot| slot.name).collect()
    }

    /// Takes a batch of the loader, which gives the columns of `names`; tells how many rows it has.
    pub fn load(&mut self, loader: &Loader<'_>, epoch: u64, index: usize) -> Result<usize, Diagnostic> {
        let rows = loader.rows_of(epoch, index);
        if loader.has_open_axes() {
            let sizes = loader.open_sizes(epoch, index);
            for (slot, size) in self.slots.iter_mut().zip(sizes) {
                if let (Some(open), Some(size)) = (slot.open, size) {
                    slot.item[open] = size;
                }
            }
        }
        let mut targets: SmallVec<[Target<'_>; 8]> = SmallVec::new();
        for slot in &mut self.slots {
            slot.len = if slot.whole { 1 } else { rows } * slot.item.iter().product::<usize>();
            targets.push(match &mut slot.numbers {
                Numbers::F32(numbers) => Target::F32(room(numbers, slot.len)),
                Numbers::I32(numbers) => Target::I32(room(numbers, slot.len)),
            });
        }
        let written = loader.write(epoch, index, &mut targets).map_err(|told| *told)?;
        drop(targets);
        if written != Some(rows) {
            return Err(train::broken_step("a batch does not fit the inputs of the step"));
        }
        self.bind(rows)?;
        Ok(rows)
    }

    /// Takes a batch of rows; a column that is not wanted may be missing.
    pub fn set(&mut self, batch: &Batch, wanted: &[bool]) -> Result<(), Diagnostic> {
        for (slot, wanted) in self.slots.iter_mut().zip(wanted) {
            slot.len = 0;
            let Some((_, tensor)) = batch.columns.iter().find(|(name, _)| *name == slot.name) else {
                if *wanted {
                    return Err(told::column_not_given(slot.name.as_str()));
                }
                continue;
            };
            slot.len = tensor.len();
            if let Some(open) = slot.open {
                slot.item[open] = tensor.shape().get(open + 1).copied().unwrap_or(0);
            }
            let fits = match (&mut slot.numbers, tensor.f32_slice(), tensor.i32_slice()) {
                (Numbers::F32(numbers), Some(given), _) => {
                    room(numbers, given.len()).copy_from_slice(given);
                    true
                }
                (Numbers::I32(numbers), _, Some(given)) => {
                    room(numbers, given.len()).copy_from_slice(given);
                    true
                }
                (Numbers::F32(_) | Numbers::I32(_), _, _) => false,
            };
            if !fits {
                return Err(train::broken_step("a column is of another element type than its input"));
            }
        }
        self.bind(batch.rows)
    }

    /// The inputs by `InputId`.
    pub fn inputs(&self) -> SmallVec<[Input<'_>; 8]> {
        let mut inputs = SmallVec::new();
        for slot in &self.slots {
            inputs.push(match &slot.numbers {
                Numbers::F32(numbers) => Input::F32(&numbers[..slot.len]),
                Numbers::I32(numbers) => Input::I32(&numbers[..slot.len]),
            });
        }
        inputs
    }

    /// The sizes by `SizeId`.
    pub fn sizes(&self) -> &[i64] {
        &self.sizes
    }

    /// The nearest number of rows with which all holds that is asked of a batch.
    fn fitting_batch(&self, rows: i64) -> Option<i64> {
        let id = self.slots.iter().find(|slot| !slot.whole).and_then(|slot| slot.dims.first()?.as_size())?;
        let holds = |rows: &i64| {
            let size = |of: SizeId| if of == id { *rows } else { self.sizes[of.0 as usize] };
            self.demands.iter().all(|demand| demand.fact.holds(&size) == Ok(true))
        };
        (1..=MOST_AWAY).flat_map(|away| [rows + away, rows - away]).filter(|rows| *rows > 0).find(holds)
    }

    /// Reads the sizes off the batch and checks its class numbers.
    fn bind(&mut self, rows: usize) -> Result<(), Diagnostic> {
        for slot in &self.slots {
            let actual = (!slot.whole).then_some(&rows).into_iter().chain(&slot.item);
            for (dim, size) in slot.dims.iter().zip(actual) {
                if let Some(id) = dim.as_size() {
                    self.sizes[id.0 as usize] = *size as i64;
                }
            }
            if let (Numbers::I32(numbers), Some(below)) = (&slot.numbers, slot.below) {
                let outside = |number: &i32| usize::try_from(*number).map_or(true, |number| number >= below);
                if let Some(at) = numbers[..slot.len].iter().position(outside) {
                    let row = at / slot.item.iter().product::<usize>().max(1) + 1;
                    return Err(told::index_outside(slot.name.as_str(), numbers[at].into(), row, below));
                }
            }
        }
        let size = |id: SizeId| self.sizes[id.0 as usize];
        for Demand { fact, shown, of, span, batch } in &self.demands {
            // A size too large to count is told by the step that would need it.
            if fact.holds(&size) == Ok(false) {
                let number = |dim: &Dim| dim.eval(&size).map_or_else(|_| "?".to_owned(), |value| value.to_string());
                let (left, right) = fact.sides();
                let here = format!("{} {} {}", number(left), fact.sign(), number(right));
                let mend = batch.and_then(|(written, place)| match written == rows as i64 {
                    true => self.fitting_batch(written).map(|number| (place, told::BatchMend::Number(number))),
                    // A last batch may be smaller.
                    false => {
                        (*of == Asker::Step && written > rows as i64).then_some((place, told::BatchMend::DropLast))
                    }
                });
                return Err(told::batch_breaks(shown, &here, rows, *span, mend));
            }
        }
        Ok(())
    }
}

/// The first `len` numbers, which are made when there are fewer.
fn room<T: Copy + Default>(numbers: &mut Vec<T>, len: usize) -> &mut [T] {
    if numbers.len() < len {
        numbers.resize(len, T::default());
    }
    &mut numbers[..len]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;
    use crate::ir::{Input, Ty};
    use crate::tensor::Tensor;

    /// A class number outside of its axis is told (E0825) before a step could read by it.
    #[test]
    fn class_numbers_are_held_to_their_axis() {
        let input = Input {
            name: "y".to_owned(),
            ty: Ty::new(DType::I32, [Dim::size(SizeId(0))]),
            below: Some(Dim::constant(3)),
        };
        let graph = Graph { inputs: vec![input], sizes: vec!["batch".to_owned()], ..Graph::default() };
        let mut feed = Feed::new(&graph, &[]);
        for (numbers, outside) in
            [(vec![0, 2, 1], None), (vec![0, 3], Some(Code::E0825)), (vec![-1], Some(Code::E0825))]
        {
            let rows = numbers.len();
            let tensor = Tensor::I32(ndarray::Array1::from(numbers).into_dyn());
            let batch = Batch { rows, columns: vec![(Symbol::new("y"), tensor)] };
            let told = feed.set(&batch, &[true]);
            assert_eq!(told.err().map(|told| told.code), outside);
        }
    }
}
