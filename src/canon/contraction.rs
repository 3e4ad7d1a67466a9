//! Sums of products become contractions.
//!
//! The sum of a product over labels, whatever order and views it was written in, goes into a normal
//! form. `S` are the summed labels:
//!
//! 0. `Σ_j f_j = f_0` for a label `j` of size 1.
//! 1. `Σ_S c = |S|·c` for a summed label that no factor has.
//! 2. `Σ_S f·g = f·Σ_S g` for a factor without summed labels: it is multiplied outside.
//! 3. `Σ_{j,k} f_jk·g_k = Σ_k (Σ_j f_jk)·g_k` for a summed label that one factor alone has.
//! 4. Factors whose labels are all in another's are multiplied into it, element by element.
//! 5. What is left are factors that each have labels of their own: pairs of them are contracted.
//!
//! So a `Contract` has an own label on either side and one that is summed: a matrix product. What
//! has not (outer products, row sums, products with a vector) is elementwise work and reductions, which
//! fuse.

use smallvec::SmallVec;

use super::product::{Factor, Label, Product, Set, set};
use crate::base::bug;
use crate::ir::{Dim, NodeId};
use crate::ops::Builder;

/// The sum of `x` along axes. `open` says whether a contraction that `x` is may be taken apart.
pub(super) fn of_sum(b: &mut Builder, x: NodeId, axes: &[usize], open: bool) -> NodeId {
    let labels: SmallVec<[Label; 6]> = (0..b.rank(x) as Label).collect();
    let summed: SmallVec<[Label; 6]> = axes.iter().map(|&axis| axis as Label).collect();
    let mut product = Product::new(b.dims(x).to_vec(), set(&summed));
    product.take_apart(b, x, &labels, open);
    let kept: SmallVec<[Label; 6]> = labels.iter().copied().filter(|label| !summed.contains(label)).collect();
    emit(b, product, &kept, x)
}

/// A contraction, with views taken into its labels.
pub(super) fn of_contraction(b: &mut Builder, [left, right, out]: [&[u8]; 3], args: &[NodeId]) -> NodeId {
    let mut sizes = vec![Dim::ONE; 1 + usize::from(left.iter().chain(right).copied().max().unwrap_or(0))];
    for (labels, &arg) in [left, right].iter().zip(args) {
        for (label, dim) in labels.iter().zip(b.dims(arg)) {
            sizes[usize::from(*label)] = dim;
        }
    }
    let summed = (set(left) | set(right)) & !set(out);
    let mut product = Product::new(sizes, summed);
    product.push_behind_views(b, args[0], left);
    product.push_behind_views(b, args[1], right);
    emit(b, product, out, args[0])
}

/// Builds the sum of a product, with its axes in the order of `kept` and the dtype of `like`.
fn emit(b: &mut Builder, product: Product, kept: &[Label], like: NodeId) -> NodeId {
    let Product { factors, divisors, negative, mut summed, sizes, .. } = product;
    // 0. A sum over one place is what stands there.
    let is_one = |label: &usize| sizes[*label].as_const() == Some(1);
    let ones = (0..sizes.len()).filter(is_one).fold(0, |all, label| all | 1 << label) & summed;
    summed &= !ones;
    let factors: Vec<Factor> = factors.into_iter().map(|factor| without(b, factor, ones)).collect();
    let covered = factors.iter().fold(0, |all, factor| all | factor.set());
    let mut sum = Sum { b, sizes, summed: summed & covered, kept, groups: Vec::new(), outer: Vec::new(), like };
    // 1. A summed label that no factor has counts.
    let repeats: Vec<Dim> =
        (0..sum.sizes.len()).filter(|&l| (summed & !covered) >> l & 1 == 1).map(|l| sum.sizes[l].clone()).collect();
    if !repeats.is_empty() {
        let count = Dim::product(&repeats).unwrap_or_else(|_| bug!("the size of a sum overflows"));
        let node = sum.b.size_of(like, &count);
        sum.outer.push(Factor { node, labels: SmallVec::new(), place: factors.len() });
    }
    sum.groups = factors.into_iter().map(Group::of).collect();
    sum.run();
    let mut result = sum.product_of_outer();
    for divisor in divisors {
        let labels = ordered(result.set() | divisor.set(), kept);
        let [above, below] = [&result, &divisor].map(|factor| place(sum.b, factor, &labels, &sum.sizes));
        result = Factor { node: sum.b.div(above, below), labels, place: result.place };
    }
    if negative {
        result.node = sum.b.neg(result.node);
    }
    place(sum.b, &result, kept, &sum.sizes)
}

/// A factor without axes of size 1.
fn without(b: &mut Builder, factor: Factor, ones: Set) -> Factor {
    let (labels, dims): (SmallVec<[Label; 6]>, Vec<Dim>) =
        factor.labels.iter().copied().zip(b.dims(factor.node)).filter(|(label, _)| ones >> label & 1 == 0).unzip();
    Factor { node: b.reshape(factor.node, &dims), labels, place: factor.place }
}

/// Factors that are multiplied element by element before they are summed.
struct Group {
    /// In order of their places.
    members: Vec<Factor>,
    set: Set,
}

impl Group {
    fn of(factor: Factor) -> Group {
        Group { set: factor.set(), members: vec![factor] }
    }
}

/// A sum of products on the way to its normal form.
struct Sum<'a> {
    b: &'a mut Builder,
    sizes: Vec<Dim>,
    summed: Set,
    kept: &'a [Label],
    /// What is still to be summed.
    groups: Vec<Group>,
    /// What is multiplied outside of the sum.
    outer: Vec<Factor>,
    /// A value of the dtype of the sum.
    like: NodeId,
}

impl Sum<'_> {
    /// Until nothing is left to be summed. Each step removes a label or a group.
    fn run(&mut self) {
        loop {
            self.move_outside();
            if self.groups.is_empty() {
                return;
            }
            if !self.sum_lone_labels() && !self.absorb() {
                self.contract_a_pair();
            }
        }
    }

    /// 2. Groups without a summed label.
    fn move_outside(&mut self) {
        let (inside, outside) = self.groups.drain(..).partition(|group| group.set & self.summed != 0);
        self.groups = inside;
        self.outer.extend(Vec::from_iter::<Vec<Group>>(outside).into_iter().flat_map(|group| group.members));
    }

    /// 3. Summed labels that one group alone has.
    fn sum_lone_labels(&mut self) -> bool {
        for at in 0..self.groups.len() {
            let lone = self.groups[at].set & self.summed & !self.set_of_others(&[at]);
            if lone != 0 {
                let factor = self.multiplied(at);
                let axes: Vec<usize> =
                    (0..factor.labels.len()).filter(|&axis| lone >> factor.labels[axis] & 1 == 1).collect();
                let node = self.b.sum(factor.node, &axes);
                let labels = factor.labels.iter().copied().filter(|label| lone >> label & 1 == 0).collect();
                self.groups[at] = Group::of(Factor { node, labels, place: factor.place });
                return true;
            }
        }
        false
    }

    /// 4. A group whose labels are all in another's.
    fn absorb(&mut self) -> bool {
        let pairs = (0..self.groups.len()).flat_map(|into| (0..self.groups.len()).map(move |from| (from, into)));
        let within =
            |&(from, into): &(usize, usize)| from != into && self.groups[from].set & !self.groups[into].set == 0;
        let Some((from, into)) = pairs.into_iter().find(within) else { return false };
        self.merge(from, into);
        true
    }

    fn merge(&mut self, from: usize, into: usize) {
        let moved = std::mem::take(&mut self.groups[from].members);
        let set = self.groups[from].set;
        let group = &mut self.groups[into];
        group.members.extend(moved);
        group.members.sort_by_key(|factor| factor.place);
        group.set |= set;
        self.groups.remove(from);
    }

    /// 5. The first pair that shares a summed label which no other group has. Where each shared label
    ///    is in three or more, the first two are multiplied out.
    fn contract_a_pair(&mut self) {
        let n = self.groups.len();
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        let shared =
            |i: usize, j: usize| self.groups[i].set & self.groups[j].set & self.summed & !self.set_of_others(&[i, j]);
        let Some((i, j, over)) = pairs.map(|(i, j)| (i, j, shared(i, j))).find(|(_, _, over)| *over != 0) else {
            return self.merge(1, 0);
        };
        let [left, right] = [self.multiplied(i), self.multiplied(j)];
        let out = ordered((left.set() | right.set()) & !over, self.kept);
        let node = self.b.contract((left.node, &left.labels), (right.node, &right.labels), &out);
        self.groups.remove(j);
        self.groups[i] = Group::of(Factor { node, labels: out, place: left.place.min(right.place) });
    }

    fn set_of_others(&self, but: &[usize]) -> Set {
        let others = self.groups.iter().enumerate().filter(|(at, _)| !but.contains(at));
        others.fold(0, |all, (_, group)| all | group.set)
    }

    /// The product of a group, laid out as a member that has all labels: one in the order in which the
    /// product was written, so that a product of a value and its own transpose stays as it is; else the first.
    fn multiplied(&mut self, at: usize) -> Factor {
        let group = &self.groups[at];
        let whole = || group.members.iter().filter(|member| member.set() == group.set);
        let whole = whole().find(|member| member.labels.is_sorted()).or_else(|| whole().next());
        let labels = whole.map_or_else(|| ordered(group.set, self.kept), |member| member.labels.clone());
        let members = group.members.clone();
        let factor = |node| Factor { node, labels: labels.clone(), place: members[0].place };
        let placed: Vec<NodeId> = members.iter().map(|member| place(self.b, member, &labels, &self.sizes)).collect();
        let product = placed.into_iter().reduce(|product, next| self.b.mul(product, next));
        factor(product.unwrap_or_else(|| bug!("a group of no factors")))
    }

    /// The product of what stands outside: small factors first, so that scalars are multiplied once.
    fn product_of_outer(&mut self) -> Factor {
        let mut outer = std::mem::take(&mut self.outer);
        outer.sort_by_key(|factor| (factor.labels.len(), factor.place));
        let mut product: Option<Factor> = None;
        for factor in outer {
            product = Some(match product {
                None => factor,
                Some(product) => {
                    let labels = ordered(product.set() | factor.set(), self.kept);
                    let [a, b] = [&product, &factor].map(|factor| place(self.b, factor, &labels, &self.sizes));
                    Factor { node: self.b.mul(a, b), labels, place: product.place }
                }
            });
        }
        product.unwrap_or_else(|| Factor { node: self.b.number_of(self.like, 1.0), labels: SmallVec::new(), place: 0 })
    }
}

/// The labels of a set: those of the result in its order, then the others.
fn ordered(set: Set, kept: &[Label]) -> SmallVec<[Label; 6]> {
    let inside = kept.iter().copied().filter(|label| set >> label & 1 == 1);
    let others = (0..Set::BITS as Label).filter(|label| set >> label & 1 == 1 && !kept.contains(label));
    inside.chain(others).collect()
}

/// A factor with its axes in the order of `labels`, repeated along those it has not.
fn place(b: &mut Builder, factor: &Factor, labels: &[Label], sizes: &[Dim]) -> NodeId {
    let at = |label: Label| factor.labels.iter().position(|own| *own == label);
    let perm: Vec<usize> = labels.iter().filter_map(|&label| at(label)).collect();
    let moved = b.permute(factor.node, &perm);
    let dims: Vec<Dim> = labels.iter().map(|&label| sizes[usize::from(label)].clone()).collect();
    let there: Vec<usize> = (0..labels.len()).filter(|&axis| at(labels[axis]).is_some()).collect();
    b.place(moved, &dims, &there)
}
