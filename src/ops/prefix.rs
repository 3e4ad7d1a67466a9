//! Prefixes: each element combined with those before it.

use super::{Cmp, MapOp, Op, ReduceOp, Value, WindowAxis};
use crate::base::bug;
use crate::ir::{DType, Dim, NodeId, Ty};
use crate::ops::Builder;

/// What a prefix is, beside its argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// How it combines.
    pub op: ReduceOp,
    /// Along which axis.
    pub axis: usize,
    /// From the end.
    pub reversed: bool,
    /// Without the element itself.
    pub exclusive: bool,
}

impl Prefix {
    /// As an operation.
    pub fn op(self) -> Op {
        let Prefix { op, axis, reversed, exclusive } = self;
        Op::Prefix { op, axis, reversed, exclusive }
    }

    fn of(self, b: &mut Builder, x: NodeId) -> NodeId {
        b.node(self.op(), &[x])
    }
}

pub(super) fn infer(prefix: Prefix, x: &Ty) -> Result<Ty, String> {
    if !x.dtype.is_float() || prefix.axis >= x.rank() {
        return Err("a prefix along an axis that is not there, or of whole numbers".to_owned());
    }
    Ok(x.clone())
}

pub(super) fn eval(prefix: Prefix, x: &Value, dims: &[usize]) -> Value {
    let Prefix { op, axis, reversed, exclusive } = prefix;
    Value::from_fn(dims, |index| {
        let mut at = index.to_vec();
        let end = index[axis] + usize::from(!exclusive);
        let range = if reversed { dims[axis].min(index[axis] + usize::from(exclusive))..dims[axis] } else { 0..end };
        let element = |place: usize| {
            at[axis] = place;
            x.at(&at)
        };
        range.map(element).fold(op.neutral(), |sum, element| op.combine(sum, element))
    })
}

pub(super) fn grad(b: &mut Builder, prefix: Prefix, x: NodeId, y: NodeId, dy: NodeId) -> NodeId {
    match prefix.op {
        // Element j is in the sum at i where i is in the reversed sum at j.
        ReduceOp::Sum => Prefix { reversed: !prefix.reversed, ..prefix }.of(b, dy),
        ReduceOp::Prod => grad_product(b, prefix, x, dy),
        ReduceOp::Max | ReduceOp::Min => grad_extreme(b, prefix, x, y, dy),
    }
}

/// dx_j = Σ_i dy_i · Π of all others that are in the product at i: along a new axis `j` before that of the prefix,
/// each row has a 1 in place of its own element, and a gradient only where that is in the product.
fn grad_product(b: &mut Builder, prefix: Prefix, x: NodeId, dy: NodeId) -> NodeId {
    let Prefix { axis, .. } = prefix;
    let (square, own) = square(b, x, axis);
    let others = b.expand(x, &square, &[axis]);
    let same = b.cmp(Cmp::Eq, own.left, own.right);
    let one = b.full_like(others, 1.0);
    let others = b.select(same, one, others);
    let products = Prefix { axis: axis + 1, ..prefix }.of(b, others);
    let spread = b.expand(dy, &square, &[axis]);
    let terms = b.mul(products, spread);
    let inside = own.is_in(b, prefix);
    let zero = b.zeros_like(terms);
    let terms = b.select(inside, terms, zero);
    b.sum(terms, &[axis + 1])
}

/// The gradient goes to the first of the elements that are the extreme at `i`; dx_j sums what went to `j`.
fn grad_extreme(b: &mut Builder, prefix: Prefix, x: NodeId, y: NodeId, dy: NodeId) -> NodeId {
    let Prefix { axis, reversed, .. } = prefix;
    let (square, own) = square(b, x, axis);
    let (element, extreme) = (b.expand(x, &square, &[axis + 1]), b.expand(y, &square, &[axis]));
    let equal = b.cmp(Cmp::Eq, element, extreme);
    // A NaN is the extreme wherever it stands.
    let nan = b.cmp(Cmp::Ne, element, element);
    let hit = b.map(MapOp::Or, &[equal, nan]);
    let inside = own.is_in(b, prefix);
    let hit = b.map(MapOp::And, &[hit, inside]);
    // Of several, the first: no hit stands before it among those in the prefix.
    let count = b.cast(hit, DType::F32);
    let before = Prefix { op: ReduceOp::Sum, axis, reversed, exclusive: true }.of(b, count);
    let zero = b.zeros_like(before);
    let none = b.cmp(Cmp::Eq, before, zero);
    let first = b.map(MapOp::And, &[hit, none]);
    let spread = b.expand(dy, &square, &[axis]);
    let zero = b.zeros_like(spread);
    let terms = b.select(first, spread, zero);
    b.sum(terms, &[axis + 1])
}

/// Positions of an element `j` and of a result `i` along the axes `j, i` of a square.
struct Positions {
    left: NodeId,
    right: NodeId,
}

impl Positions {
    /// Whether element `j` is in the prefix at `i`.
    fn is_in(&self, b: &mut Builder, prefix: Prefix) -> NodeId {
        let (before, behind) = if prefix.reversed { (self.right, self.left) } else { (self.left, self.right) };
        b.cmp(if prefix.exclusive { Cmp::Lt } else { Cmp::Le }, before, behind)
    }
}

/// The sizes with the axis twice, and the positions along both.
fn square(b: &mut Builder, x: NodeId, axis: usize) -> (Vec<Dim>, Positions) {
    let mut dims = b.dims(x).to_vec();
    dims.insert(axis, dims[axis].clone());
    let (left, right) = (b.positions(&dims, axis), b.positions(&dims, axis + 1));
    (dims, Positions { left, right })
}

/// A prefix in other operations: by doubling what each element has combined, or, where it is not known how often
/// to double, by a mask over a square.
pub fn prefix_by_definition(b: &mut Builder, prefix: Prefix, x: NodeId) -> NodeId {
    let Prefix { op, axis, reversed, exclusive } = prefix;
    let dims = b.dims(x);
    let map = match op {
        ReduceOp::Sum => MapOp::Add,
        ReduceOp::Prod => MapOp::Mul,
        ReduceOp::Max => MapOp::Max,
        ReduceOp::Min => MapOp::Min,
    };
    let Some(n) = dims[axis].as_const() else {
        let (square, own) = square(b, x, axis);
        let element = b.expand(x, &square, &[axis + 1]);
        let inside = own.is_in(b, prefix);
        let neutral = b.full_like(element, op.neutral());
        let terms = b.select(inside, element, neutral);
        return b.reduce(op, terms, &[axis]);
    };
    // Element i of p_r combines the r elements up to i: p_2r(i) = p_r(i - r) · p_r(i).
    let shift = |b: &mut Builder, x: NodeId, by: i64| {
        let by = Dim::constant(if reversed { by } else { -by });
        b.window(x, vec![WindowAxis::shift(axis, dims[axis].clone(), by)], op.neutral())
    };
    let mut sum = if exclusive { shift(b, x, 1) } else { x };
    let mut reach = 1;
    while reach < n {
        let farther = shift(b, sum, reach);
        sum = b.map(map, &[farther, sum]);
        reach = reach.checked_mul(2).unwrap_or_else(|| bug!("an axis of 2^63 elements"));
    }
    sum
}
