//! The scalar program of a step: learning rates, bias corrections, counts.
//!
//! It runs on the host in f64 before the kernels, once a step, from the step number and the bound
//! sizes; kernels receive its results as f32 arguments. Nothing in it depends on a tensor.

use super::{Dim, SizeId, SizeOverflow, special};

/// A value of the host program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HostId(pub u32);

/// One operation of the host program. A truth value is 0 or 1.
#[derive(Clone, PartialEq, Debug)]
pub enum HostOp {
    /// A number.
    Const(f64),
    /// A bound size, as a number.
    Size(Dim),
    /// The number of the update, from 1; 0 outside of training.
    Step,
    /// How many steps an epoch has.
    StepsPerEpoch,
    /// One operand.
    Unary(HostUnary, HostId),
    /// Two operands.
    Binary(HostBinary, HostId, HostId),
    /// `if a != 0 { b } else { c }`
    Select(HostId, HostId, HostId),
}

/// Functions of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its function")]
pub enum HostUnary {
    Neg,
    Not,
    Abs,
    Sqrt,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Erf,
    Floor,
    Round,
    /// Towards zero.
    Trunc,
    /// The nearest of bfloat16.
    Bf16,
    /// The nearest of binary16.
    F16,
}

/// Functions of two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its function")]
pub enum HostBinary {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Min,
    Max,
    Lt,
    Le,
    Eq,
    Ne,
    And,
    Or,
}

/// The operations in order; an operand comes before its user.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HostProgram {
    /// In order.
    pub ops: Vec<HostOp>,
}

/// What a host program reads.
pub struct HostEnv<'a> {
    /// The number of the update, from 1.
    pub step: u64,
    /// How many steps an epoch has.
    pub steps_per_epoch: u64,
    /// The bound sizes.
    pub sizes: &'a dyn Fn(SizeId) -> i64,
}

impl HostProgram {
    /// Adds an operation, or finds the equal one that is there.
    pub fn push(&mut self, op: HostOp) -> HostId {
        // Programs are short where they are shared (an optimizer's few scalars); look at the recent ones.
        let recent = self.ops.len().saturating_sub(64);
        if let Some(at) = self.ops[recent..].iter().position(|old| *old == op) {
            return HostId((recent + at) as u32);
        }
        self.ops.push(op);
        HostId(self.ops.len() as u32 - 1)
    }

    /// Adds the operations of another program; tells what they are called here, by what they were called there.
    pub fn append(&mut self, other: &HostProgram) -> Vec<HostId> {
        self.append_with(other, |_, _| None)
    }

    /// The same, but for operations that `instead` has something else for.
    pub fn append_with(
        &mut self,
        other: &HostProgram,
        mut instead: impl FnMut(&mut HostProgram, &HostOp) -> Option<HostId>,
    ) -> Vec<HostId> {
        let mut new: Vec<HostId> = Vec::with_capacity(other.ops.len());
        for op in &other.ops {
            if let Some(other) = instead(self, op) {
                new.push(other);
                continue;
            }
            let at = |id: &HostId| new[id.0 as usize];
            let op = match op {
                HostOp::Const(_) | HostOp::Size(_) | HostOp::Step | HostOp::StepsPerEpoch => op.clone(),
                HostOp::Unary(function, x) => HostOp::Unary(*function, at(x)),
                HostOp::Binary(function, x, y) => HostOp::Binary(*function, at(x), at(y)),
                HostOp::Select(c, x, y) => HostOp::Select(at(c), at(x), at(y)),
            };
            new.push(self.push(op));
        }
        new
    }

    /// The value of every operation.
    pub fn run(&self, env: &HostEnv<'_>) -> Result<Vec<f64>, SizeOverflow> {
        let mut values = Vec::with_capacity(self.ops.len());
        self.run_into(env, &mut values)?;
        Ok(values)
    }

    /// The value of every operation, in a vector that is used again.
    pub fn run_into(&self, env: &HostEnv<'_>, values: &mut Vec<f64>) -> Result<(), SizeOverflow> {
        values.clear();
        for op in &self.ops {
            let at = |id: &HostId| values[id.0 as usize];
            let value = match op {
                HostOp::Const(value) => *value,
                HostOp::Size(dim) => dim.eval(env.sizes)? as f64,
                HostOp::Step => env.step as f64,
                HostOp::StepsPerEpoch => env.steps_per_epoch as f64,
                HostOp::Unary(function, a) => function.eval(at(a)),
                HostOp::Binary(function, a, b) => function.eval(at(a), at(b)),
                HostOp::Select(c, a, b) => {
                    if at(c) != 0.0 {
                        at(a)
                    } else {
                        at(b)
                    }
                }
            };
            values.push(value);
        }
        Ok(())
    }
}

impl HostUnary {
    /// The function.
    pub fn eval(self, a: f64) -> f64 {
        match self {
            HostUnary::Neg => -a,
            HostUnary::Not => f64::from(u8::from(a == 0.0)),
            HostUnary::Abs => a.abs(),
            HostUnary::Sqrt => a.sqrt(),
            HostUnary::Exp => a.exp(),
            HostUnary::Log => a.ln(),
            HostUnary::Sin => a.sin(),
            HostUnary::Cos => a.cos(),
            HostUnary::Tanh => a.tanh(),
            HostUnary::Erf => super::scalar::erf(a),
            HostUnary::Floor => a.floor(),
            HostUnary::Round => a.round_ties_even(),
            HostUnary::Trunc => a.trunc(),
            HostUnary::Bf16 => special::bf16(a),
            HostUnary::F16 => special::f16(a),
        }
    }
}

impl HostBinary {
    /// The function.
    pub fn eval(self, a: f64, b: f64) -> f64 {
        let truth = |value: bool| f64::from(u8::from(value));
        match self {
            HostBinary::Add => a + b,
            HostBinary::Sub => a - b,
            HostBinary::Mul => a * b,
            HostBinary::Div => a / b,
            HostBinary::FloorDiv => (a / b).floor(),
            HostBinary::Mod => a - b * (a / b).floor(),
            HostBinary::Pow => a.powf(b),
            // NaN wins, as in the language.
            HostBinary::Min => {
                if a.is_nan() || a < b {
                    a
                } else {
                    b
                }
            }
            HostBinary::Max => {
                if a.is_nan() || a > b {
                    a
                } else {
                    b
                }
            }
            HostBinary::Lt => truth(a < b),
            HostBinary::Le => truth(a <= b),
            HostBinary::Eq => truth(a == b),
            HostBinary::Ne => truth(a != b),
            HostBinary::And => truth(a != 0.0 && b != 0.0),
            HostBinary::Or => truth(a != 0.0 || b != 0.0),
        }
    }
}
