//! A loop as a step: its body lowered into the program around it.
//!
//! In: a region of all results of a loop. Out: a `Scan`. The body shares kernels and buffers with the program:
//! an equal kernel inside and outside is compiled once.

use rustc_hash::FxHashMap;

use super::Lower;
use crate::base::bug;
use crate::fuse;
use crate::ir::{Dim, Graph, HostId, InputId, ScanArg, Ty};
use crate::kernel::ir::{BufId, Carry, Elem, Place, Scan, Step};
use crate::ops::Op;

impl Lower<'_> {
    /// The loop of a region.
    pub(super) fn scan(&mut self, at: usize) -> Step {
        let fused = self.fused;
        let nodes = &fused.regions[at].nodes;
        let first = fused.graph.node(nodes[0]);
        let Op::Scan(scan, _) = &first.op else { bug!("region {at} is no loop") };
        let mut results: Vec<Option<BufId>> = vec![None; scan.body.outputs.len()];
        for &id in nodes {
            let Op::Scan(_, result) = fused.graph.node(id).op else { bug!("{id:?} is no result of a loop") };
            results[result] = Some(self.buffer(id));
        }
        // The loop's memory belongs to what is around it, its values to the iteration.
        let memory = self.add_value(&[Dim::ZERO], Elem::Word);
        let around = self.locals.replace(Vec::new());
        let (mut rows, mut made) = (Vec::new(), Vec::new());
        let mut carries = Vec::new();
        let mut inputs = Vec::new();
        for (at, &arg) in first.args.iter().enumerate() {
            let ty = &scan.body.inputs[at].ty;
            let from = self.buffer(arg);
            inputs.push(match scan.arg(at) {
                ScanArg::Row => self.row(from, ty, &mut rows),
                ScanArg::Carry(number) => {
                    let [old, new] = [(); 2].map(|()| self.add_value(&ty.dims, Elem::of_dtype(ty.dtype)));
                    carries.push(Carry { first: from, old, new, last: results[number] });
                    old
                }
                ScanArg::Whole => from,
            });
        }
        let mut ends = Vec::new();
        for (at, result) in results.iter().enumerate() {
            ends.push(match carries.get(at) {
                Some(carry) => carry.new,
                None => {
                    let ty = scan.body.ty(scan.output(at));
                    match result {
                        Some(of) => self.row(*of, ty, &mut made),
                        None => self.add_value(&ty.dims, Elem::of_dtype(ty.dtype)),
                    }
                }
            });
        }
        let body = self.body(&scan.body, &inputs, &ends);
        let locals = std::mem::replace(&mut self.locals, around).unwrap_or_default();
        let (count, reversed) = (scan.count.clone(), scan.reversed);
        Step::Scan(Box::new(Scan { count, reversed, rows, made, carries, locals, memory, body }))
    }

    fn row(&mut self, of: BufId, ty: &Ty, rows: &mut Vec<BufId>) -> BufId {
        let row = self.add(&ty.dims, Elem::of_dtype(ty.dtype), Place::Row(of));
        rows.push(row);
        row
    }

    /// The steps of a body, whose inputs and outputs have these buffers.
    fn body(&mut self, body: &Graph, inputs: &[BufId], ends: &[BufId]) -> Vec<Step> {
        let hosts = self.program.host.append(&body.host);
        let fused = fuse::fuse(&on_host(body, &hosts, &self.program.host));
        // Its scalars and those that fusion added.
        self.program.host.clone_from(&fused.graph.host);
        let steps = std::mem::take(&mut self.program.steps);
        let input = |(at, buffer): (usize, &BufId)| (Op::Input(InputId(at as u32)), *buffer);
        let mut inner = Lower {
            fused: &fused,
            free: &fused.free,
            program: std::mem::take(&mut self.program),
            kernels: std::mem::take(&mut self.kernels),
            buffers: FxHashMap::default(),
            memory: inputs.iter().enumerate().map(input).collect(),
            locals: self.locals.take(),
        };
        let outputs = || fused.graph.outputs.iter().map(|output| output.node).zip(ends);
        for (id, end) in outputs() {
            if fused.region_of[id.index()].is_some() {
                inner.buffers.entry(id).or_insert(*end);
            }
        }
        inner.regions();
        for (id, end) in outputs() {
            let from = inner.buffer(id);
            if from != *end {
                inner.program.steps.push(Step::Copy { from, to: *end });
            }
        }
        let Lower { program, kernels, locals, .. } = inner;
        (self.program, self.kernels, self.locals) = (program, kernels, locals);
        std::mem::replace(&mut self.program.steps, steps)
    }
}

/// A body whose scalars are those of the program around it.
fn on_host(body: &Graph, hosts: &[HostId], host: &crate::ir::HostProgram) -> Graph {
    let mut body = body.clone();
    for node in &mut body.nodes {
        if let Op::Scalar(id) = &mut node.op {
            *id = hosts[id.0 as usize];
        }
    }
    body.host = host.clone();
    body
}
