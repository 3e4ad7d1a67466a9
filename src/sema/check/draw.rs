//! What stands for the open sizes and numbers of a signature where a gradient is tried.
//!
//! In: a seed. Out: small sizes and numbers, and a list of the tensors that were made of them. It knows nothing of what
//! they are for, and does not look whether they fit.

use crate::base::philox::philox;
use crate::ir::Dim;
use crate::sema::clause::Drawn;
use crate::sema::dtype::DType;
use crate::sema::typed::ExprKind;

/// Sizes and numbers for one elaboration, and the tensors that were made for it.
#[derive(Default)]
pub(super) struct Draw {
    seed: u32,
    counter: u32,
    /// The largest size.
    most: i64,
    /// Those that can change a little.
    pub(super) variables: Vec<Drawn>,
    /// The others.
    pub(super) inputs: Vec<Drawn>,
}

impl Draw {
    /// A draw of its own for each seed, of sizes up to `most`.
    pub(super) fn new(seed: u32, most: i64) -> Draw {
        Draw { seed, most, ..Draw::default() }
    }

    fn word(&mut self) -> u32 {
        self.counter += 1;
        philox([self.counter, 0, 0, 0], [self.seed, 0])[0]
    }

    /// A size of an axis. One place would hide what is summed along it.
    pub(super) fn size(&mut self) -> Dim {
        Dim::constant(2 + i64::from(self.word()) % (self.most - 1))
    }

    /// A whole number that is no size: how often, how many.
    pub(super) fn count(&mut self) -> Dim {
        Dim::constant(1 + i64::from(self.word()) % (self.most - 1))
    }

    /// A number between 0.25 and 0.75, which is a rate, a slope and a scale.
    pub(super) fn number(&mut self) -> f64 {
        0.25 + 0.5 * f64::from(self.word()) / f64::from(u32::MAX)
    }

    /// Yes or no.
    pub(super) fn truth(&mut self) -> bool {
        self.word().is_multiple_of(2)
    }

    /// What stands for a tensor: a parameter where it can change a little, else an input.
    pub(super) fn tensor(&mut self, drawn: Drawn) -> ExprKind {
        let (list, kind): (_, fn(usize) -> ExprKind) = match drawn.ty.dtype {
            DType::F64 | DType::F32 | DType::F16 | DType::Bf16 => (&mut self.variables, ExprKind::Param),
            DType::I64 | DType::I32 | DType::I8 | DType::U8 | DType::Bool => (&mut self.inputs, ExprKind::Input),
        };
        list.push(drawn);
        kind(list.len() - 1)
    }

    /// How many elements the tensors have together.
    pub(super) fn elements(&self) -> i64 {
        let count = |drawn: &Drawn| {
            let sizes = drawn.ty.axes.iter().map(|axis| axis.size.as_const().unwrap_or(1));
            sizes.fold(1_i64, i64::saturating_mul)
        };
        self.variables.iter().chain(&self.inputs).map(count).fold(0, i64::saturating_add)
    }
}
