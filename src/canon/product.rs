//! A product seen through views: the factors of a value, each with a label for each of its axes.
//!
//! In: a node and a label for each of its axes. Out: factors that are no product themselves. Axes that
//! only a broadcast made are in no factor. A window of a product is a product of windows; see Note [Windows
//! of products].

use smallvec::SmallVec;

use crate::ir::{Dim, NodeId};
use crate::ops::Builder;
use crate::ops::{MapOp, Op, Taps, WindowAxis, place_in_result, tap_in_result};

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
#[derive(Clone, Debug, Default)]
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
    pub fn take_apart(&mut self, b: &mut Builder, node: NodeId, labels: &[Label], open: bool) {
        let (node, labels) = behind_views(b, node, labels);
        let args = b.graph.node(node).args.clone();
        let op = b.graph.node(node).op.clone();
        match &op {
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
            Op::Window { axes, fill } if fill.value() == 0.0 => {
                if !self.take_window_apart(b, args[0], axes, &labels, open) {
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

    /// Takes apart what a window reads and puts the window on the factors; false, and nothing happens, where
    /// that gains nothing. See Note [Windows of products].
    fn take_window_apart(
        &mut self,
        b: &mut Builder,
        source: NodeId,
        axes: &[WindowAxis],
        labels: &[Label],
        open: bool,
    ) -> bool {
        let dims = b.dims(source);
        if self.sizes.len() + axes.len() > MAX_LABELS {
            return false;
        }
        let mut trial = self.clone();
        // An axis that moves has a label of its own in the source.
        let mut inner: SmallVec<[Label; 6]> = SmallVec::new();
        let mut moved: Vec<(Label, &WindowAxis)> = Vec::new();
        for (at, dim) in dims.iter().enumerate() {
            match axes.iter().find(|axis| axis.axis == at) {
                Some(axis) => {
                    let label = trial.sizes.len() as Label;
                    trial.sizes.push(dim.clone());
                    moved.push((label, axis));
                    inner.push(label);
                }
                None => inner.push(labels[place_in_result(axes, at)]),
            }
        }
        // Taps that the window makes would repeat the products of a contraction.
        let open = open && !axes.iter().any(|axis| matches!(axis.taps, Taps::New(_)));
        let (known, divisors) = (trial.factors.len(), trial.divisors.len());
        trial.take_apart(b, source, &inner, open);
        let owners =
            |label: Label| trial.factors[known..].iter().filter(|factor| factor.labels.contains(&label)).count();
        let divides = |label: Label| trial.divisors[divisors..].iter().any(|factor| factor.labels.contains(&label));
        let is_split = trial.factors.len() > known + 1;
        if !is_split || moved.iter().any(|&(label, _)| owners(label) != 1 || divides(label)) {
            return false;
        }
        for at in known..trial.factors.len() {
            let Some(factor) = windowed(b, &trial.factors[at], axes, &moved, labels, &trial.sizes) else {
                return false;
            };
            trial.factors[at] = factor;
        }
        *self = trial;
        true
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

/// A factor of what a window reads as a factor of the window; none where no window says it.
fn windowed(
    b: &mut Builder,
    factor: &Factor,
    axes: &[WindowAxis],
    moved: &[(Label, &WindowAxis)],
    labels: &[Label],
    sizes: &[Dim],
) -> Option<Factor> {
    let mut own: Vec<WindowAxis> = Vec::new();
    let mut result: SmallVec<[Label; 6]> = SmallVec::new();
    for (at, &label) in factor.labels.iter().enumerate() {
        let Some(&(_, axis)) = moved.iter().find(|(other, _)| *other == label) else {
            result.push(label);
            continue;
        };
        result.push(labels[place_in_result(axes, axis.axis)]);
        let taps = match tap_in_result(axes, axis) {
            None => Taps::None,
            Some(tap) => match factor.labels.iter().position(|other| *other == labels[tap]) {
                Some(with) => Taps::Shared(with),
                None => {
                    result.push(labels[tap]);
                    Taps::New(sizes[usize::from(labels[tap])].clone())
                }
            },
        };
        own.push(WindowAxis { axis: at, taps, ..axis.clone() });
    }
    // Two axes with one new tap between them would name it twice.
    if result.iter().enumerate().any(|(at, label)| result[..at].contains(label)) {
        return None;
    }
    let node = if own.is_empty() { factor.node } else { b.window(factor.node, own, 0.0) };
    Some(Factor { node, labels: result, place: factor.place })
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

// Note [Windows of products]
//
// The gradient by the input of a convolution y = Σ_{k,c} W(x)[o, k, c] · f[k, c, n] comes out of the rules as
//
//     dx[i, c] = Σ_k W'(Σ_n dy[o, n] · f[k, c, n])[i, k, c]
//
// where W' is the relation of W asked for `o` along the taps that are there. `o` is an axis of dy alone. So
// the window is one of dy, its tap `k` meets that of `f`, and the sum over it joins the contraction's:
//
//     dx[i, c] = Σ_{k,n} W'(dy)[i, k, n] · f[k, c, n]
//
// a convolution again, with no flipped kernel and no scatter. It holds where each axis that moves is one
// factor's alone: outside that factor is 0, and so is the product. An axis of two factors would have the
// elements of the product computed once for each tap. So would a contraction under a window with taps of its
// own, a convolution that is pooled: it stays as it is.
