//! A product seen through views: the factors of a value, each with a label for each of its axes.
//!
//! In: a node and a label for each of its axes. Out: factors that are no product themselves. Axes that
//! only a broadcast made are in no factor.

use smallvec::SmallVec;

use crate::ir::{Dim, NodeId};
use crate::ops::Builder;
use crate::ops::{MapOp, Op};

/// The label of an axis; equal labels are the same index.
pub type Label = u8;

/// A set of labels, one bit each.
pub type Set = u64;

/// As many products are taken apart before the rest counts as one factor; it bounds the work.
const MAX_SPLITS: usize = 16;
const MAX_LABELS: usize = crate::ops::MAX_LABELS as usize;

/// A factor of a product.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its value.
    pub node: NodeId,
    /// A label for each of its axes.
    pub labels: SmallVec<[Label; 6]>,
    /// Its place among the factors: products are multiplied in this order.
    pub place: usize,
}

impl Factor {
    /// Its labels as a set.
    pub fn set(&self) -> Set {
        set(&self.labels)
    }
}

/// A sum of a product: over the labels in `summed`.
#[derive(Debug, Default)]
pub struct Product {
    /// Multiplied.
    pub factors: Vec<Factor>,
    /// Divided by; none depends on a summed label.
    pub divisors: Vec<Factor>,
    /// Whether it is the negative of that.
    pub negative: bool,
    /// Which labels are summed.
    pub summed: Set,
    /// The size of each label.
    pub sizes: Vec<Dim>,
    splits: usize,
}

/// The labels as a set.
pub fn set(labels: &[Label]) -> Set {
    labels.iter().fold(0, |set, label| set | 1 << label)
}

impl Product {
    /// No factors yet, over labels of these sizes.
    pub fn new(sizes: Vec<Dim>, summed: Set) -> Product {
        Product { sizes, summed, ..Product::default() }
    }

    /// Takes a value apart into factors. `open` says whether a contraction is one too: its labels join,
    /// and it is not computed as such any more.
    pub fn take_apart(&mut self, b: &Builder, node: NodeId, labels: &[Label], open: bool) {
        let (node, labels) = behind_views(b, node, labels);
        let args = &b.graph.node(node).args;
        match &b.graph.node(node).op {
            Op::Map(MapOp::Mul) if self.may_split() => {
                self.take_apart(b, args[0], &labels, false);
                self.take_apart(b, args[1], &labels, false);
            }
            Op::Map(MapOp::Neg) => {
                self.negative = !self.negative;
                self.take_apart(b, args[0], &labels, open);
            }
            Op::Map(MapOp::Div) => {
                // Σ a / d = (Σ a) / d where d does not depend on what is summed.
                let (divisor, its_labels) = behind_views(b, args[1], &labels);
                if set(&its_labels) & self.summed == 0 && self.may_split() {
                    self.divisors.push(Factor { node: divisor, labels: its_labels, place: 0 });
                    self.take_apart(b, args[0], &labels, false);
                } else {
                    self.push(node, labels);
                }
            }
            Op::Contract { a, b: other, out } if open => {
                let mut names = [None; MAX_LABELS];
                for (name, &label) in out.iter().zip(&labels) {
                    names[usize::from(*name)] = Some(label);
                }
                let own = a.iter().filter(|name| !out.contains(name)).count();
                if self.sizes.len() + own > MAX_LABELS {
                    return self.push(node, labels);
                }
                for (at, name) in a.iter().enumerate().filter(|(_, name)| !out.contains(name)) {
                    let label = self.sizes.len() as Label;
                    self.sizes.push(b.ty(args[0]).dims[at].clone());
                    self.summed |= 1 << label;
                    names[usize::from(*name)] = Some(label);
                }
                for (arg, its_names) in args.iter().zip([a, other]) {
                    let its_labels: SmallVec<[Label; 6]> =
                        its_names.iter().filter_map(|&name| names[usize::from(name)]).collect();
                    let (arg, its_labels) = behind_views(b, *arg, &its_labels);
                    self.push(arg, its_labels);
                }
            }
            _ => self.push(node, labels),
        }
    }

    /// Adds a factor as it is, but for views.
    pub fn push_behind_views(&mut self, b: &Builder, node: NodeId, labels: &[Label]) {
        let (node, labels) = behind_views(b, node, labels);
        self.push(node, labels);
    }

    fn push(&mut self, node: NodeId, labels: SmallVec<[Label; 6]>) {
        self.factors.push(Factor { node, labels, place: self.factors.len() });
    }

    fn may_split(&mut self) -> bool {
        self.splits += 1;
        self.splits <= MAX_SPLITS
    }
}

/// What a value is behind permutations and broadcasts.
fn behind_views(b: &Builder, mut node: NodeId, labels: &[Label]) -> (NodeId, SmallVec<[Label; 6]>) {
    let mut labels: SmallVec<[Label; 6]> = labels.into();
    loop {
        let inner = &b.graph.node(node);
        labels = match &inner.op {
            Op::Permute(perm) => {
                let mut before = labels.clone();
                for (at, &axis) in perm.iter().enumerate() {
                    before[axis] = labels[at];
                }
                before
            }
            Op::Broadcast { dims: _, axes } => {
                labels.iter().zip(axes).filter(|(_, axis)| axis.is_some()).map(|(label, _)| *label).collect()
            }
            _ => return (node, labels),
        };
        node = inner.args[0];
    }
}
