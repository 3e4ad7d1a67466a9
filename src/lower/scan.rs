//! Loops: which expressions belong to the body of one, and the body as a graph of its own.
//!
//! The checker leaves the expressions of a block among all others. Those belong to the body that depend on a row or
//! on a carry of it; a random draw of the block has a row for each position, too. What the body reads of the rest is
//! lowered before it, and comes in as a row, a first value or whole. So a parameter in a loop is one parameter, and
//! what does not depend on the loop is not in it.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::{Graph, Input, InputId, NodeId, Scan, Ty};
use crate::ops::{Builder, Op};
use crate::sema::typed::{self, ExprId, ExprKind};

use super::expr::{Lowered, Lowering, Reads, sizes};

impl Lowering<'_> {
    /// What must be lowered before an expression, in the graph it is lowered to.
    pub(super) fn parts(&mut self, id: ExprId, visit: &mut dyn FnMut(ExprId)) {
        let expr = self.typed(id);
        let ExprKind::Scan { scan, .. } = &expr.kind else {
            expr.kind.for_each_part(visit);
            return;
        };
        let reads = self.reads(scan);
        reads.rows.iter().for_each(|(_, x)| visit(*x));
        reads.wholes.iter().for_each(|whole| visit(*whole));
        scan.carries.iter().for_each(|(first, _)| visit(*first));
    }

    /// A value of a loop, stacked.
    pub(super) fn scan(&mut self, id: ExprId) -> NodeId {
        let ExprKind::Scan { scan, row, count, .. } = &self.typed(id).kind else {
            crate::base::bug!("{id:?} is no value of a loop")
        };
        if !self.loops.contains_key(&scan.id) {
            let lowered = self.body(scan, count);
            self.loops.insert(scan.id, lowered);
        }
        let Lowered { scan, args } = &self.loops[&scan.id];
        let (op, args) = (Op::Scan(scan.clone(), scan.carries + row), args.clone());
        self.builder.node(op, &args)
    }

    fn body(&mut self, scan: &typed::Scan, count: &crate::ir::Dim) -> Lowered {
        let origin = self.builder.origin;
        let reads = self.reads(scan);
        let mut args = Vec::new();
        let mut inputs: Vec<(ExprId, Ty)> = Vec::new();
        for &(row, x) in &reads.rows {
            let ExprKind::Row { axis, .. } = self.typed(row).kind else { continue };
            let at = self.position(x, axis);
            let rank = self.typed(x).ty.axes.len();
            let perm: Vec<usize> = [at].into_iter().chain((0..rank).filter(|&other| other != at)).collect();
            args.push(self.builder.permute(self.node(x), &perm));
            inputs.push((row, self.ty_of(row)));
        }
        for &draw in &reads.draws {
            let ExprKind::Random(dist, site) = self.typed(draw).kind else { continue };
            let dims = [count.clone()].into_iter().chain(sizes(&self.typed(draw).ty.axes)).collect();
            args.push(self.builder.node(Op::Random { dist, site, dims }, &[]));
            inputs.push((draw, self.ty_of(draw)));
        }
        let rows = args.len();
        let carried: FxHashMap<usize, ExprId> = self.carries_of(scan);
        for (at, (first, _)) in scan.carries.iter().enumerate() {
            args.push(self.node(*first));
            inputs.push((carried.get(&at).copied().unwrap_or(*first), self.ty_of(*first)));
        }
        for &whole in &reads.wholes {
            args.push(self.node(whole));
            inputs.push((whole, self.ty_of(whole)));
        }

        let graph = Graph { sizes: self.builder.graph.sizes.clone(), ..Graph::default() };
        let outside = self.enter(Builder::new(graph));
        for (at, (expr, ty)) in inputs.into_iter().enumerate() {
            self.builder.graph.inputs.push(Input { name: String::new(), ty, below: None });
            let node = self.builder.node(Op::Input(InputId(at as u32)), &[]);
            // A first value that nothing in the body reads stands for its carry alone.
            if at < rows || at >= rows + scan.carries.len() || carried.contains_key(&(at - rows)) {
                self.give(expr, node);
            }
        }
        let ends: Vec<ExprId> = scan.carries.iter().map(|(_, new)| *new).chain(scan.rows.iter().copied()).collect();
        let ends: Vec<NodeId> = ends.into_iter().map(|end| self.root(end)).collect();
        self.builder.graph.outputs = Scan::outputs(ends);
        let body = self.leave(outside);
        self.builder.origin = origin;
        let (reversed, carries) = (scan.reversed, scan.carries.len());
        Lowered { scan: Arc::new(Scan { count: count.clone(), reversed, rows, carries, body }), args }
    }

    fn ty_of(&self, id: ExprId) -> Ty {
        let ty = &self.typed(id).ty;
        Ty::new(ty.dtype.carrier(), sizes(&ty.axes))
    }

    /// The expressions that stand for the carries, by number.
    fn carries_of(&self, scan: &typed::Scan) -> FxHashMap<usize, ExprId> {
        let mut found = FxHashMap::default();
        self.walk(scan, &mut |id, kind| {
            if let ExprKind::Carry { scan: of, at } = kind
                && *of == scan.id
            {
                found.insert(*at, id);
            }
        });
        found
    }

    /// What a body reads from outside.
    pub(super) fn reads(&mut self, scan: &typed::Scan) -> Arc<Reads> {
        if let Some(known) = self.reads.get(&scan.id) {
            return known.clone();
        }
        let depends = self.depends(scan);
        let mut reads = Reads::default();
        let mut seen: FxHashSet<ExprId> = FxHashSet::default();
        let mut stack: Vec<ExprId> =
            scan.rows.iter().chain(scan.carries.iter().map(|(_, new)| new)).rev().copied().collect();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            let expr = self.typed(id);
            match &expr.kind {
                ExprKind::Row { scan: of, x, .. } if *of == scan.id => reads.rows.push((id, *x)),
                ExprKind::Carry { scan: of, .. } if *of == scan.id => {}
                ExprKind::Random(..) if id >= scan.start => reads.draws.push(id),
                ExprKind::Const(_) => {}
                _ if !depends.contains(&id) => reads.wholes.push(id),
                _ => self.parts(id, &mut |part| stack.push(part)),
            }
        }
        let reads = Arc::new(reads);
        self.reads.insert(scan.id, reads.clone());
        reads
    }

    /// Which expressions depend on what a loop brings.
    fn depends(&self, scan: &typed::Scan) -> FxHashSet<ExprId> {
        let mut ids = Vec::new();
        self.walk(scan, &mut |id, _| ids.push(id));
        ids.sort_unstable();
        let mut depends: FxHashSet<ExprId> = FxHashSet::default();
        for id in ids {
            let kind = &self.typed(id).kind;
            let mut does = match kind {
                ExprKind::Row { scan: of, .. } | ExprKind::Carry { scan: of, .. } => *of == scan.id,
                ExprKind::Random(..) => true,
                _ => false,
            };
            kind.for_each_part(|part| does |= depends.contains(&part));
            if does {
                depends.insert(id);
            }
        }
        depends
    }

    /// Visits the expressions of a block that its values need, in no order.
    fn walk(&self, scan: &typed::Scan, visit: &mut dyn FnMut(ExprId, &ExprKind)) {
        let mut seen: FxHashSet<ExprId> = FxHashSet::default();
        let mut stack: Vec<ExprId> = scan.rows.iter().chain(scan.carries.iter().map(|(_, new)| new)).copied().collect();
        while let Some(id) = stack.pop() {
            // What is older than the block depends on nothing in it.
            if id < scan.start || !seen.insert(id) {
                continue;
            }
            let kind = &self.typed(id).kind;
            visit(id, kind);
            kind.for_each_part(|part| stack.push(part));
        }
    }
}
