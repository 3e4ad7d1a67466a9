//! Regions to loop nests: a program of kernels over buffers.
//!
//! In: a graph in regions. Out: a `Program`. Each region becomes one step; equal kernels are one. What a
//! region computes once for a row, and what it needs a pass over the row for, is for `rows`; how an
//! element is computed, for `value`; the operands of a matrix product, for `gemm`; the body of a loop, for `scan`. `collapse` joins loops
//! that one stride walks. Offsets in memory come when sizes are bound.

mod collapse;
mod gemm;
mod launch;
mod rows;
mod scan;
mod value;

use rustc_hash::FxHashMap;

use super::ir::{BufId, Buffer, Elem, Kernel, KernelId, Launch, Place, Program, Step};
use crate::base::bug;
use crate::fuse::free::Free;
use crate::fuse::{Fused, RegionKind};
use crate::ir::{Dim, NodeId, Role};
use crate::ops::Op;

/// Lowers a graph in regions.
pub fn lower(fused: &Fused) -> Program {
    let mut cx = Lower {
        fused,
        free: &fused.free,
        program: Program { host: fused.graph.host.clone(), sizes: fused.graph.sizes.clone(), ..Program::default() },
        kernels: FxHashMap::default(),
        buffers: FxHashMap::default(),
        memory: FxHashMap::default(),
        locals: None,
    };
    cx.place_outputs();
    cx.regions();
    cx.copy_outputs();
    cx.program
}

/// The lowering of one program.
struct Lower<'a> {
    fused: &'a Fused,
    /// Nodes that no region computes.
    free: &'a Free,
    program: Program,
    kernels: FxHashMap<Kernel, KernelId>,
    /// Buffers of computed nodes.
    buffers: FxHashMap<NodeId, BufId>,
    /// Buffers of inputs, parameters and states.
    memory: FxHashMap<Op, BufId>,
    /// In the body of a loop, the buffers of an iteration so far.
    locals: Option<Vec<BufId>>,
}

impl<'a> Lower<'a> {
    /// A step for each region.
    fn regions(&mut self) {
        for (at, region) in self.fused.regions.iter().enumerate() {
            let step = match region.kind {
                RegionKind::Rows => Step::Loop(self.rows(at)),
                RegionKind::Fold { .. } => Step::Loop(self.fold(at)),
                RegionKind::Gemm => self.contraction(at),
                RegionKind::Segments => self.segments(at),
                RegionKind::Scan => self.scan(at),
            };
            self.program.steps.push(step);
        }
    }

    /// The buffer of a value that is in memory: stored by a region, or there before the step.
    fn buffer(&mut self, id: NodeId) -> BufId {
        let graph = &self.fused.graph;
        let node = graph.node(id);
        let place = match &node.op {
            Op::Input(input) => Place::Input(*input),
            Op::Param(param) => Place::Param(*param),
            Op::State(state) => Place::State(*state),
            _ => {
                if !self.fused.stored[id.index()] {
                    bug!("{id:?} is read from memory and not stored");
                }
                if let Some(&known) = self.buffers.get(&id) {
                    return known;
                }
                let ty = graph.ty(id);
                let buffer = self.add_value(&ty.dims, Elem::of_dtype(ty.dtype));
                self.buffers.insert(id, buffer);
                return buffer;
            }
        };
        if let Some(&known) = self.memory.get(&node.op) {
            return known;
        }
        let buffer = self.add_buffer(id, place);
        self.memory.insert(node.op.clone(), buffer);
        buffer
    }

    /// A buffer for what is computed: in the arena, or in the memory of the loop whose body this is.
    fn add_value(&mut self, dims: &[Dim], elem: Elem) -> BufId {
        let place = if self.locals.is_some() { Place::Local } else { Place::Arena };
        let buffer = self.add(dims, elem, place);
        if let Some(locals) = &mut self.locals {
            locals.push(buffer);
        }
        buffer
    }

    fn add_buffer(&mut self, id: NodeId, place: Place) -> BufId {
        let fused = self.fused;
        let ty = fused.graph.ty(id);
        self.add(&ty.dims, Elem::of_dtype(ty.dtype), place)
    }

    fn add(&mut self, dims: &[Dim], elem: Elem, place: Place) -> BufId {
        let len = Dim::product(dims).unwrap_or_else(|_| bug!("a value without a 64-bit length"));
        self.program.buffers.push(Buffer { len, elem, place });
        BufId(self.program.buffers.len() as u32 - 1)
    }

    /// Gives outputs that a region computes the memory they end in.
    fn place_outputs(&mut self) {
        let fused = self.fused;
        for (output, in_place) in fused.graph.outputs.iter().zip(&fused.in_place) {
            let id = output.node;
            if fused.region_of[id.index()].is_none() || self.buffers.contains_key(&id) {
                continue;
            }
            let place = match (&output.role, in_place) {
                (Role::NewParam(param), true) if self.may_overwrite(id, &Op::Param(*param)) => Place::Param(*param),
                (Role::NewState(state), true) if self.may_overwrite(id, &Op::State(*state)) => Place::State(*state),
                (Role::NewParam(_) | Role::NewState(_), _) => continue,
                (role, _) => Place::Result(role.clone()),
            };
            let buffer = match place {
                Place::Param(param) => self.memory_buffer(id, Op::Param(param), place),
                Place::State(state) => self.memory_buffer(id, Op::State(state), place),
                _ => self.add_buffer(id, place),
            };
            self.buffers.insert(id, buffer);
        }
    }

    fn memory_buffer(&mut self, id: NodeId, op: Op, place: Place) -> BufId {
        if let Some(&known) = self.memory.get(&op) {
            return known;
        }
        let buffer = self.add_buffer(id, place);
        self.memory.insert(op, buffer);
        buffer
    }

    /// Outputs that are not where they should be: copied at the end, when nothing reads the old value.
    fn copy_outputs(&mut self) {
        for output in &self.fused.graph.outputs {
            let graph = &self.fused.graph;
            let (op, place) = match output.role {
                Role::NewParam(param) => (Some(Op::Param(param)), Place::Param(param)),
                Role::NewState(state) => (Some(Op::State(state)), Place::State(state)),
                ref role => (None, Place::Result(role.clone())),
            };
            let from = self.buffer(output.node);
            if self.program.buffers[from.0 as usize].place == place {
                continue;
            }
            let to = match op {
                // Unchanged: it stays where it is.
                Some(op) if graph.node(output.node).op == op => continue,
                Some(op) => self.memory_buffer(output.node, op, place),
                None => self.add_buffer(output.node, place),
            };
            self.program.steps.push(Step::Copy { from, to });
        }
    }

    /// `ScatterAdd` in its legal form.
    fn segments(&mut self, at: usize) -> Step {
        let id = self.fused.regions[at].nodes[0];
        let graph = &self.fused.graph;
        let node = graph.node(id);
        let (index, update) = (node.args[0], node.args[1]);
        let updates = &graph.ty(update).dims;
        let dims = [updates[0].clone(), node.ty.dims[0].clone(), updates[1].clone()];
        let (index, update, out) = (self.buffer(index), self.buffer(update), self.buffer(id));
        Step::Segments { dims, index, update, out }
    }

    /// Adds a kernel, or finds the equal one.
    fn launch(&mut self, (kernel, mut launch): (Kernel, Launch)) -> Launch {
        let next = KernelId(self.program.kernels.len() as u32);
        launch.kernel = *self.kernels.entry(kernel.clone()).or_insert_with(|| {
            self.program.kernels.push(kernel);
            next
        });
        launch
    }
}
