//! Ranks of nodes: which node lies in which, in what order, and where from left to right.
//!
//! In: nodes and connections, each from an earlier node to a later one. Out: a rank for each node, one more than the
//! highest it hears from; lanes for connections that pass over ranks, which those of one source share; an order within
//! each rank that has few crossings (by barycentres); and places from left to right, close to the neighbours'.

use rustc_hash::FxHashMap;

/// What a node stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// Where a wire comes in from above: in the first rank, which is theirs alone.
    Entry,
    /// A box that belongs to the top.
    Top,
    /// A box.
    Box,
    /// A small box, at whose middle all wires arrive.
    Point,
    /// A group, with places of its own for its wires.
    Group,
    /// A lane of a wire that passes over a rank.
    Lane,
    /// Where a wire goes out below: in the last rank, which is theirs alone.
    Exit,
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// What it stands for.
    pub what: What,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
    /// From the top, from 0.
    pub rank: usize,
    /// Of its middle.
    pub x: f64,
}

/// A connection between neighbouring ranks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The upper node.
    pub from: usize,
    /// Where it leaves, from the node's middle.
    pub leaves: f64,
    /// The lower node.
    pub to: usize,
    /// Where it arrives, from the node's middle.
    pub arrives: f64,
    /// Whether that place is given.
    fixed: bool,
    /// How much it wants to be straight.
    weight: f64,
}

/// Nodes in ranks.
#[derive(Default)]
pub(super) struct Ranks {
    /// What was added, then lanes.
    pub nodes: Vec<Node>,
    /// By rank: its nodes from left to right.
    pub order: Vec<Vec<usize>>,
    /// What connects neighbouring ranks.
    pub links: Vec<Link>,
    /// Source, upper node and place there, lower node and place there.
    connections: Vec<Connection>,
}

struct Connection {
    source: usize,
    from: (usize, f64),
    to: (usize, Option<f64>),
}

/// How often the order within ranks is improved, down and up.
const ORDER_SWEEPS: usize = 4;
/// How often places are improved, down and up.
const PLACE_SWEEPS: usize = 4;
/// The free space between nodes of a rank, half of it on each side.
const SPACE: f64 = 28.0;
/// The width of a lane with its space.
const LANE: f64 = 14.0;
/// How much more a wire of a chain or within a lane wants to be straight than another.
const STRAIGHT: f64 = 8.0;
/// Between wires that arrive at one box, at most.
const SPREAD: f64 = 18.0;

impl Node {
    /// A node that has no place yet.
    pub(super) fn new(what: What, width: f64, height: f64) -> Node {
        Node { what, width, height, rank: 0, x: 0.0 }
    }

    /// Whether wires run through it from edge to edge of its rank.
    pub(super) fn is_lane(&self) -> bool {
        matches!(self.what, What::Lane | What::Entry | What::Exit)
    }

    /// Its width with free space.
    fn room(&self) -> f64 {
        if self.is_lane() { LANE } else { self.width + SPACE }
    }
}

impl Ranks {
    /// Adds a node; those it hears from were added before.
    pub(super) fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Connects two nodes by what `source` makes, at places told from their middles; without a place for the
    /// end, wires that arrive there are spread.
    pub(super) fn connect(&mut self, source: usize, from: (usize, f64), to: (usize, Option<f64>)) {
        debug_assert!(from.0 < to.0, "connections lead onwards");
        self.connections.push(Connection { source, from, to });
    }

    /// Finds ranks, lanes, order and places.
    pub(super) fn arrange(&mut self) {
        self.rank();
        self.lanes();
        self.sort();
        self.spread();
        self.move_sideways();
        self.straighten();
    }

    /// The left and right edge of all.
    pub(super) fn extent(&self) -> (f64, f64) {
        let left = self.nodes.iter().map(|node| node.x - node.width / 2.0).fold(f64::INFINITY, f64::min);
        let right = self.nodes.iter().map(|node| node.x + node.width / 2.0).fold(f64::NEG_INFINITY, f64::max);
        if left <= right { (left, right) } else { (0.0, 0.0) }
    }

    /// By rank: how far a wire goes sideways above it, at most.
    pub(super) fn reaches(&self) -> Vec<f64> {
        let mut reaches: Vec<f64> = vec![0.0; self.order.len()];
        for link in &self.links {
            let aside = self.nodes[link.from].x + link.leaves - self.nodes[link.to].x - link.arrives;
            let reach = &mut reaches[self.nodes[link.to].rank];
            *reach = reach.max(aside.abs());
        }
        reaches
    }

    /// One more than the highest it hears from.
    fn rank(&mut self) {
        let first = usize::from(self.nodes.iter().any(|node| node.what == What::Entry));
        for node in self.nodes.iter_mut().filter(|node| node.what != What::Entry) {
            node.rank = first;
        }
        // Nodes come in the order of the flow.
        self.connections.sort_by_key(|connection| connection.from.0);
        for connection in &self.connections {
            let above = self.nodes[connection.from.0].rank + 1;
            let below = &mut self.nodes[connection.to.0].rank;
            *below = above.max(*below);
        }
        // What hears from nothing stands right above what it speaks to.
        let mut next: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut hears = vec![false; self.nodes.len()];
        for connection in &self.connections {
            let rank = self.nodes[connection.to.0].rank;
            let known = &mut next[connection.from.0];
            *known = Some(known.map_or(rank, |known| known.min(rank)));
            hears[connection.to.0] = true;
        }
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            if let (What::Box | What::Point | What::Group, false, Some(next)) = (node.what, hears[at], next[at]) {
                node.rank = next - 1;
            }
        }
        let inner = self.nodes.iter().filter(|node| node.what != What::Exit);
        let last = inner.map(|node| node.rank + 1).max().unwrap_or(0);
        for node in self.nodes.iter_mut().filter(|node| node.what == What::Exit) {
            node.rank = last;
        }
        let ranks = self.nodes.iter().map(|node| node.rank + 1).max().unwrap_or(0);
        self.order = vec![Vec::new(); ranks];
    }

    /// Cuts connections into links of neighbouring ranks.
    fn lanes(&mut self) {
        // The lowest lane of a source so far: it passes by all ranks above.
        let mut lanes: FxHashMap<(usize, usize), Vec<usize>> = FxHashMap::default();
        for connection in std::mem::take(&mut self.connections) {
            let Connection { source, from: (from, leaves), to: (to, arrives) } = connection;
            let (top, bottom) = (self.nodes[from].rank, self.nodes[to].rank);
            let lane = lanes.entry((source, from)).or_default();
            while top + lane.len() + 1 < bottom {
                let (above, at) = lane.last().map_or((from, leaves), |&above| (above, 0.0));
                self.nodes.push(Node { rank: top + lane.len() + 1, ..Node::new(What::Lane, 0.0, 0.0) });
                let below = self.nodes.len() - 1;
                lane.push(below);
                self.links.push(Link { from: above, leaves: at, to: below, arrives: 0.0, fixed: true, weight: 1.0 });
            }
            let (above, at) = match (bottom - top).checked_sub(2) {
                Some(passed) => (lane[passed], 0.0),
                None => (from, leaves),
            };
            let fixed = arrives.is_some();
            self.links.push(Link { from: above, leaves: at, to, arrives: arrives.unwrap_or(0.0), fixed, weight: 1.0 });
        }
        for (at, node) in self.nodes.iter().enumerate() {
            self.order[node.rank].push(at);
        }
    }

    /// By node: its links to the rank above, or below.
    fn neighbours(&self, above: bool) -> Vec<Vec<usize>> {
        let mut links = vec![Vec::new(); self.nodes.len()];
        for (at, link) in self.links.iter().enumerate() {
            links[if above { link.to } else { link.from }].push(at);
        }
        links
    }

    /// Orders each rank by the middle of its neighbours' places, down and up.
    fn sort(&mut self) {
        let both = [self.neighbours(true), self.neighbours(false)];
        let mut place = vec![0.0; self.nodes.len()];
        let number = |rank: &[usize], place: &mut [f64]| {
            rank.iter().enumerate().for_each(|(at, &node)| place[node] = at as f64);
        };
        self.order.iter().for_each(|rank| number(rank, &mut place));
        for sweep in 0..2 * ORDER_SWEEPS {
            let above = sweep % 2 == 0;
            let ranks: Vec<usize> = match above {
                true => (1..self.order.len()).collect(),
                false => (0..self.order.len().saturating_sub(1)).rev().collect(),
            };
            for rank in ranks {
                let middle = |node: usize| {
                    let links = &both[usize::from(!above)][node];
                    let other = |link: &usize| match above {
                        true => place[self.links[*link].from],
                        false => place[self.links[*link].to],
                    };
                    match links.len() {
                        0 => place[node],
                        n => links.iter().map(other).sum::<f64>() / n as f64,
                    }
                };
                let mut keyed: Vec<(f64, usize)> = self.order[rank].iter().map(|&node| (middle(node), node)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.order[rank] = keyed.into_iter().map(|(_, node)| node).collect();
                number(&self.order[rank], &mut place);
            }
        }
        // From here on, the place of a node is its number in its rank.
        for (node, place) in self.nodes.iter_mut().zip(place) {
            node.x = place;
        }
    }

    /// Spreads the wires that arrive at a box, in the order in which they come from above.
    fn spread(&mut self) {
        for (at, mut links) in self.neighbours(true).into_iter().enumerate() {
            let node = self.nodes[at];
            if node.what != What::Box || links.len() < 2 {
                continue;
            }
            links.sort_by(|&a, &b| self.nodes[self.links[a].from].x.total_cmp(&self.nodes[self.links[b].from].x));
            let step = SPREAD.min((node.width - SPREAD) / links.len() as f64);
            let middle = (links.len() - 1) as f64 / 2.0;
            for (place, link) in links.into_iter().enumerate() {
                if !self.links[link].fixed {
                    self.links[link].arrives = (place as f64 - middle) * step;
                }
            }
        }
    }

    /// Moves nodes below and above what they are connected to, as far as the order lets them.
    fn move_sideways(&mut self) {
        let both = [self.neighbours(true), self.neighbours(false)];
        let [above, below] = &both;
        for link in &mut self.links {
            let chain = below[link.from].len() == 1 && above[link.to].len() == 1;
            let lane = self.nodes[link.from].is_lane() && self.nodes[link.to].is_lane();
            link.weight = if chain || lane { STRAIGHT } else { 1.0 };
        }
        for rank in &self.order {
            let mut x = 0.0;
            for &node in rank {
                let room = self.nodes[node].room();
                self.nodes[node].x = x + room / 2.0;
                x += room;
            }
        }
        for sweep in 0..=2 * PLACE_SWEEPS {
            // The last sweeps look both ways.
            let sides: &[usize] = match sweep {
                sweep if sweep + 2 > 2 * PLACE_SWEEPS => &[0, 1],
                sweep if sweep % 2 == 0 => &[0],
                _ => &[1],
            };
            let ranks = 0..self.order.len();
            let ranks: Vec<usize> = if sweep % 2 == 0 { ranks.collect() } else { ranks.rev().collect() };
            for rank in ranks {
                let wishes: Vec<(f64, f64)> = self.order[rank]
                    .iter()
                    .map(|&node| self.wish(node, sides.iter().flat_map(|&side| &both[side][node])))
                    .collect();
                self.fit(rank, &wishes);
            }
        }
    }

    /// Lets a wire that arrives at a box alone do so right below where it comes from, when that is near its middle.
    fn straighten(&mut self) {
        for (at, links) in self.neighbours(true).into_iter().enumerate() {
            let node = self.nodes[at];
            if let (What::Box | What::Top, &[link]) = (node.what, &links[..]) {
                let link = &mut self.links[link];
                let aside = self.nodes[link.from].x + link.leaves - node.x;
                if !link.fixed && aside.abs() <= node.width / 4.0 {
                    link.arrives = aside;
                }
            }
        }
    }

    /// Where a node would like to be for the sake of some links, and how much.
    fn wish<'l>(&self, node: usize, links: impl Iterator<Item = &'l usize>) -> (f64, f64) {
        let (mut sum, mut weights) = (0.0, 0.0);
        for &link in links {
            let link = &self.links[link];
            let (other, place) = match link.to == node {
                true => (link.from, link.leaves - link.arrives),
                false => (link.to, link.arrives - link.leaves),
            };
            sum += link.weight * (self.nodes[other].x + place);
            weights += link.weight;
        }
        if weights > 0.0 { (sum / weights, weights) } else { (self.nodes[node].x, 0.01) }
    }

    /// Puts the nodes of a rank as close to their wishes as their order and room let them: least squares, by
    /// pooling neighbours that push each other.
    fn fit(&mut self, rank: usize, wishes: &[(f64, f64)]) {
        // Blocks of nodes that touch: where the first would start, how much it weighs, and how many there are.
        let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(wishes.len());
        let mut starts = Vec::with_capacity(wishes.len());
        let mut start = 0.0;
        for (&node, &(wish, weight)) in self.order[rank].iter().zip(wishes) {
            let room = self.nodes[node].room();
            starts.push(start + room / 2.0);
            // Without the room of those before, every node of a block has one place.
            let mut block = (wish - start - room / 2.0, weight, 1);
            start += room;
            while let Some(before) = blocks.pop_if(|before| before.0 > block.0) {
                let weight = before.1 + block.1;
                block = ((before.0 * before.1 + block.0 * block.1) / weight, weight, before.2 + block.2);
            }
            blocks.push(block);
        }
        let mut nodes = self.order[rank].iter().zip(starts);
        for (place, _, count) in blocks {
            for (&node, start) in nodes.by_ref().take(count) {
                self.nodes[node].x = place + start;
            }
        }
    }
}
