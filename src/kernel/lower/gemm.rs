//! Contractions: operands as strided matrices, and the elementwise work on the result as an epilogue.

use super::Lower;
use super::value::RegionCx;
use crate::base::bug;
use crate::fuse::cluster::identity;
use crate::fuse::view::{Place, resolve, strides};
use crate::ir::{Dim, NodeId};
use crate::kernel::ir::{Matrix, Step};
use crate::ops::Op;

impl<'a> Lower<'a> {
    /// A region of a contraction: `[b] m k · [b] k n`, then what runs on its tile.
    pub(super) fn gemm(&mut self, at: usize) -> Step {
        let region = &self.fused.regions[at];
        // Elementwise work that the product took in may stand before it.
        let contracts = |&&id: &&NodeId| matches!(self.fused.graph.node(id).op, Op::Contract { .. });
        let Some(&product) = region.nodes.iter().find(contracts) else { bug!("region {at} has no contraction") };
        let node = self.fused.graph.node(product).clone();
        let Op::Contract { a, b, out } = &node.op else { bug!("{:?} is no contraction", node.op) };
        let size = |label: u8| -> Option<Dim> {
            let in_side = |labels: &[u8], arg: NodeId| {
                labels.iter().position(|other| *other == label).map(|at| self.fused.graph.ty(arg).dims[at].clone())
            };
            in_side(a, node.args[0]).or_else(|| in_side(b, node.args[1]))
        };
        let is_in = |labels: &[u8], label: u8| labels.contains(&label);
        let labels: Vec<u8> = a.iter().chain(b).copied().collect();
        let find = |test: &dyn Fn(u8) -> bool| labels.iter().copied().find(|&label| test(label));
        let batch = find(&|label| is_in(a, label) && is_in(b, label) && is_in(out, label));
        let m = find(&|label| is_in(a, label) && !is_in(b, label));
        let n = find(&|label| is_in(b, label) && !is_in(a, label));
        let k = find(&|label| !is_in(out, label));
        let extent = |label: Option<u8>| label.and_then(size).unwrap_or(Dim::ONE);
        let dims = [extent(batch), extent(m), extent(n), extent(k)];

        let left = self.matrix(node.args[0], a, [m, k, batch]);
        let right = self.matrix(node.args[1], b, [k, n, batch]);
        let rows = dims[1].mul(&dims[2]).unwrap_or_else(|_| bug!("a result of 2^63 elements"));
        let c = self.fused.stored[product.index()].then(|| Matrix {
            buf: self.buffer(product),
            row_stride: dims[2].clone(),
            col_stride: Dim::ONE,
            batch_stride: rows,
        });
        let epilogue = (region.nodes.len() > 1).then(|| {
            let domain = vec![dims[0].clone(), dims[1].clone(), dims[2].clone()];
            let pad = domain.len() - region.domain.len();
            // A batch without rows is a batch of single rows: the missing axis is the middle one.
            if pad == 1 && batch.is_some() {
                bug!("a contraction with a batch and no rows is not legal");
            }
            let mut cx = RegionCx::new(self, at, domain, pad);
            cx.tile = Some(product);
            cx.epilogue_stores();
            let draft = cx.draft;
            self.launch(draft.finish())
        });
        Step::Gemm { dims, a: left, b: right, c, epilogue }
    }

    /// An operand as a matrix: the strides of its roles (row, column, batch).
    fn matrix(&mut self, id: NodeId, labels: &[u8], roles: [Option<u8>; 3]) -> Matrix {
        let graph = &self.fused.graph;
        let region_of = &self.fused.region_of;
        let read = resolve(graph, id, identity(labels.len()), &|id| region_of[id.index()].is_some());
        let Ok(read) = read else { bug!("an index of {id:?} overflows") };
        let Place::Axes(place) = &read.place else { bug!("{id:?} is no matrix in memory") };
        let own = strides(&graph.ty(read.node).dims).unwrap_or_else(|_| bug!("an index of {id:?} overflows"));
        // How far one step along an axis of the operand goes in memory.
        let stride = |axis: usize| -> Dim {
            let steps = place.iter().zip(&own).flat_map(|(index, stride)| {
                let terms = index.terms.iter().filter(move |(term, _)| *term == axis);
                terms.filter_map(move |(_, factor)| factor.mul(stride).ok())
            });
            steps.fold(Dim::ZERO, |sum, step| sum.add(&step).unwrap_or_else(|_| bug!("a stride overflows")))
        };
        let of = |label: Option<u8>| match label.and_then(|label| labels.iter().position(|other| *other == label)) {
            Some(axis) => stride(axis),
            None => Dim::ZERO,
        };
        let (row_stride, col_stride, batch_stride) = (of(roles[0]), of(roles[1]), of(roles[2]));
        Matrix { buf: self.buffer(read.node), row_stride, col_stride, batch_stride }
    }
}

impl RegionCx<'_, '_> {
    /// Stores what an epilogue computes; the plain product is stored by the contraction itself.
    fn epilogue_stores(&mut self) {
        let product = self.tile;
        let stored = |cx: &Self, id: NodeId| Some(id) != product && cx.lower.fused.stored[id.index()];
        let nodes: Vec<NodeId> = self.region.nodes.iter().copied().filter(|&id| stored(self, id)).collect();
        self.store_nodes(nodes);
    }
}
