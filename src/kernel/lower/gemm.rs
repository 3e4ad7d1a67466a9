//! Contractions: operands as strided matrices or as patches of a window, and the elementwise work on the
//! result as an epilogue.

use super::Lower;
use super::value::RegionCx;
use crate::base::bug;
use crate::fuse::operand::{self, Roles};
use crate::ir::{Dim, NodeId};
use crate::kernel::ir::{Conv, Elem, Launch, Matrix, PatchAxis, Patches, Step};
use crate::ops::{ConvRole, Op, conv_role};

impl<'a> Lower<'a> {
    /// A region of a contraction, then what runs on its tile.
    pub(super) fn contraction(&mut self, at: usize) -> Step {
        let fused = self.fused;
        let region = &fused.regions[at];
        // Elementwise work that the product took in may stand before it.
        let contracts = |&&id: &&NodeId| matches!(fused.graph.node(id).op, Op::Contract { .. });
        let Some(&product) = region.nodes.iter().find(contracts) else { bug!("region {at} has no contraction") };
        let stop = |id: NodeId| fused.region_of[id.index()].is_some();
        let left = operand::matrix(&fused.graph, product, 0, &stop);
        let epilogue = (region.nodes.len() > 1).then(|| self.epilogue(at, product));
        match left {
            Some(left) => self.gemm(product, left, epilogue),
            None => Step::Conv(Box::new(self.conv(product, epilogue))),
        }
    }

    fn gemm(&mut self, product: NodeId, left: operand::Matrix, epilogue: Option<Launch>) -> Step {
        let fused = self.fused;
        let stop = |id: NodeId| fused.region_of[id.index()].is_some();
        let Some(right) = operand::matrix(&fused.graph, product, 1, &stop) else {
            bug!("the right operand of {product:?} is no matrix in memory")
        };
        let [batch, m, k, n] = self.loops(product);
        let [m, k, n] = [m, k, n].map(|dims| whole(&dims));
        // The result is contiguous.
        let mut strides: Vec<Dim> = Vec::new();
        let mut entry = m.mul(&n).unwrap_or_else(|_| bug!("a result of 2^63 elements"));
        for size in batch.iter().rev() {
            strides.insert(0, entry.clone());
            entry = entry.mul(size).unwrap_or_else(|_| bug!("a result of 2^63 elements"));
        }
        let c = fused.stored[product.index()].then(|| Matrix {
            buf: self.buffer(product),
            row_stride: n.clone(),
            col_stride: Dim::ONE,
            batch_strides: strides,
            offset: Dim::ZERO,
        });
        let [a, b] = [left, right].map(|matrix| Matrix {
            buf: self.buffer(matrix.node),
            row_stride: matrix.row,
            col_stride: matrix.col,
            batch_strides: matrix.batch,
            offset: matrix.offset,
        });
        Step::Gemm { batch, dims: [m, n, k], a, b, c, epilogue }
    }

    fn conv(&mut self, product: NodeId, epilogue: Option<Launch>) -> Conv {
        let fused = self.fused;
        let stop = |id: NodeId| fused.region_of[id.index()].is_some();
        let Some(patches) = operand::patches(&fused.graph, product, &stop) else {
            bug!("the left operand of {product:?} is neither a matrix in memory nor patches of one")
        };
        let right = fused.graph.node(product).args[1];
        let Some((b, b_steps)) = operand::steps_from_start(&fused.graph, right, &stop) else {
            bug!("the right operand of {product:?} is not in memory")
        };
        let [batch, m, k, n] = self.loops(product);
        let loops = batch.len() + m.len() + k.len();
        let axes = patches.axes.into_iter().map(|axis| {
            let mut steps = vec![Dim::ZERO; loops];
            axis.index.terms.into_iter().for_each(|(at, factor)| steps[at] = factor);
            PatchAxis { size: axis.size, stride: axis.stride, base: axis.index.base, divisor: axis.divisor, steps }
        });
        Conv {
            // A window without taps that is no matrix, a stride, reads as a convolution of size 1 does.
            role: conv_role(&fused.graph, product).unwrap_or(ConvRole::Forward),
            a: Patches { axes: axes.collect(), buf: self.buffer(patches.node) },
            b: self.buffer(b),
            b_steps,
            c: fused.stored[product.index()].then(|| self.buffer(product)),
            n: whole(&n),
            batch,
            m,
            k,
            epilogue,
        }
    }

    /// The sizes of a legal contraction in each role: batch, m, k, n.
    fn loops(&self, product: NodeId) -> [Vec<Dim>; 4] {
        let graph = &self.fused.graph;
        let node = graph.node(product);
        let Roles { batch, m, k: _ } = operand::roles(&node.op);
        let left = &graph.ty(node.args[0]).dims;
        let n = &node.ty.dims[batch + m..];
        [&left[..batch], &left[batch..batch + m], &left[batch + m..], n].map(<[Dim]>::to_vec)
    }

    /// What runs on the finished tile: its points are the rows of the result.
    fn epilogue(&mut self, at: usize, product: NodeId) -> Launch {
        let mut cx = RegionCx::new(self, at, self.fused.regions[at].domain.clone());
        cx.tile = Some(product);
        cx.draft.tile(Elem::of_dtype(cx.lower.fused.graph.ty(product).dtype));
        // The plain product is stored by the contraction itself.
        let stored = |cx: &RegionCx<'_, '_>, id: NodeId| id != product && cx.lower.fused.stored[id.index()];
        let nodes: Vec<NodeId> = cx.region.nodes.iter().copied().filter(|&id| stored(&cx, id)).collect();
        cx.store_nodes(nodes);
        let draft = cx.draft;
        self.launch(draft.finish())
    }
}

fn whole(dims: &[Dim]) -> Dim {
    Dim::product(dims).unwrap_or_else(|_| bug!("a contraction of 2^63 elements"))
}
