//! A loop of the graph: one body, run for each position of an axis.
//!
//! A `Scan` is the same for all nodes `Op::Scan` that are results of one loop: a node has one result, so a loop
//! with three of them is three nodes with equal scans and arguments, which run as one step. What nobody asks for
//! is no node, and `canon` takes it out of the body.
//!
//! The arguments of such a node, in order: values that are read *row by row* (their first axis is the loop's),
//! the first values of what is *carried* from one iteration to the next, and values that each iteration reads
//! *whole*. The body is a graph of its own with one input for each, without parameters, states and random
//! numbers; its outputs are the new value of each carry, then what is kept of each iteration as a row. Its
//! host program reads sizes. The results, by number, are the last value of each carry, then the rows, stacked
//! along a first axis at the positions they were made for.
//!
//! Without carries the iterations are independent, and may run at once.

use std::hash::{Hash, Hasher};

use super::{Dim, Graph, NodeId, Output, Role, Ty};

/// What a loop does.
#[derive(Clone, Debug)]
pub struct Scan {
    /// How many iterations.
    pub count: Dim,
    /// From the last position to the first.
    pub reversed: bool,
    /// How many arguments are read row by row.
    pub rows: usize,
    /// How many of the next are carried.
    pub carries: usize,
    /// One iteration.
    pub body: Graph,
}

/// What an argument of a scan is to its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanArg {
    /// Its row at the position is the input.
    Row,
    /// The first value of the carry of this number.
    Carry(usize),
    /// The input as it is.
    Whole,
}

impl Scan {
    /// What the argument of a number is.
    pub fn arg(&self, at: usize) -> ScanArg {
        match at {
            _ if at < self.rows => ScanArg::Row,
            _ if at < self.rows + self.carries => ScanArg::Carry(at - self.rows),
            _ => ScanArg::Whole,
        }
    }

    /// The node of the body that an output is.
    pub fn output(&self, at: usize) -> NodeId {
        self.body.outputs[at].node
    }

    /// The type of a result.
    pub fn result_ty(&self, at: usize) -> Ty {
        let ty = self.body.ty(self.output(at));
        match at < self.carries {
            true => ty.clone(),
            false => Ty::new(ty.dtype, [self.count.clone()].into_iter().chain(ty.dims.iter().cloned())),
        }
    }

    /// The outputs of a body, in order.
    pub fn outputs(nodes: impl IntoIterator<Item = NodeId>) -> Vec<Output> {
        let output = |(at, node): (usize, NodeId)| Output { role: Role::Value(at.to_string()), node };
        nodes.into_iter().enumerate().map(output).collect()
    }
}

impl PartialEq for Scan {
    fn eq(&self, other: &Scan) -> bool {
        self.count == other.count
            && (self.reversed, self.rows, self.carries) == (other.reversed, other.rows, other.carries)
            && self.body.computes_as(&other.body)
    }
}

impl Eq for Scan {}

impl Hash for Scan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.count.hash(state);
        (self.reversed, self.rows, self.carries).hash(state);
        self.body.hash_computation(state);
    }
}
