//! Random loops: a body of random work over rows, carries and wholes.

use std::sync::Arc;

use tensa::ir::{DType, Graph, Input, InputId, NodeId, Scan, Ty};
use tensa::ops::{Builder, Op};

use super::{Kind, Maker, Rng};

impl Maker {
    /// A loop along the first axis of a value; all its results are further values.
    pub(super) fn scan(&mut self, x: NodeId) {
        let depth = if let Kind::Body(depth) = self.kind { depth } else { 0 };
        let Some(count) = self.b.dims(x).first().cloned() else { return };
        let along = |b: &Builder, y: &NodeId| b.dims(*y).first() == Some(&count);
        let fitting: Vec<NodeId> = self.floats.iter().copied().filter(|y| along(&self.b, y)).collect();
        let mut args = vec![x];
        if self.rng.chance(50) {
            args.push(fitting[self.rng.below(fitting.len())]);
        }
        let rows = args.len();
        let carries = self.rng.below(3);
        let small = |b: &Builder, y: &NodeId| b.rank(*y) <= 2;
        let smalls: Vec<NodeId> = self.floats.iter().copied().filter(|y| small(&self.b, y)).collect();
        let carries = if smalls.is_empty() { 0 } else { carries };
        for _ in 0..if smalls.is_empty() { 0 } else { carries + self.rng.below(3) } {
            args.push(smalls[self.rng.below(smalls.len())]);
        }

        let graph = Graph { sizes: self.b.graph.sizes.clone(), ..Graph::default() };
        let rng = Rng::new(self.rng.word());
        let kind = Kind::Body(depth + 1);
        let (b, batch) = (Builder::new(graph), self.batch);
        let mut inner = Maker { rng, batch, kind, b, floats: Vec::new(), leaves: Vec::new() };
        for (at, &arg) in args.iter().enumerate() {
            let skip = usize::from(at < rows);
            let ty = Ty::new(DType::F32, self.b.dims(arg).into_iter().skip(skip));
            inner.b.graph.inputs.push(Input { name: format!("a{at}"), ty, below: None });
            let node = inner.b.node(Op::Input(InputId(at as u32)), &[]);
            inner.floats.push(node);
        }
        let own = inner.floats.clone();
        for _ in 0..2 + inner.rng.below(8) {
            inner.step();
        }
        let mut ends = Vec::new();
        for &carry in &own[rows..][..carries] {
            ends.push(inner.next(carry));
        }
        for _ in 0..usize::from(carries == 0) + inner.rng.below(3) {
            let row = inner.any();
            ends.push(if inner.b.rank(row) <= 3 { row } else { own[0] });
        }
        inner.b.graph.outputs = Scan::outputs(ends);
        let reversed = self.rng.chance(40);
        let scan = Arc::new(Scan { count, reversed, rows, carries, body: inner.b.finish() });
        for result in 0..scan.body.outputs.len() {
            let result = self.b.node(Op::Scan(scan.clone(), result), &args);
            let tamed = self.tame(result);
            self.floats.push(if self.rng.chance(50) { result } else { tamed });
        }
    }

    /// The new value of a carry: a sum that grows, or something of it.
    fn next(&mut self, carry: NodeId) -> NodeId {
        let dims = self.b.dims(carry);
        let x = self.any();
        let mut term = self.tame(x);
        if self.b.dims(term) != dims {
            let axes: Vec<usize> = (0..self.b.rank(term)).collect();
            term = self.b.sum(term, &axes);
            term = self.tame(term);
            term = self.b.splat(term, &dims);
        }
        match self.rng.below(4) {
            0 => carry,
            1 => {
                let product = self.b.mul(carry, term);
                self.tame(product)
            }
            2 => {
                let sum = self.b.add(term, carry);
                self.tame(sum)
            }
            _ => self.b.add(carry, term),
        }
    }
}
