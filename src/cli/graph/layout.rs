//! Places for what is drawn: layers from top to bottom, nothing over anything else.
//!
//! In: a drawing and the sizes of its boxes. Out: where each box and group lies, and the ways of the wires. Each
//! group is laid out by itself, innermost first, and is a box to the group around it. A wire enters a group at its
//! top and leaves at its bottom, once for each source. Within a group it runs from rank to rank: between ranks it
//! may go sideways, across a rank it goes straight down in a lane of its own, so it passes no box. How text and
//! wires look is for `svg` to say.
//!
//! The cost is that of a few sweeps over boxes and lanes, whatever their number.

use rustc_hash::{FxHashMap, FxHashSet};

use super::flow::{Drawing, Item, Kind};
use super::ranks::{Link, Node, Ranks, What};

/// A rectangle.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(super) struct Rect {
    /// Of the left edge.
    pub x: f64,
    /// Of the upper edge.
    pub y: f64,
    /// To the right.
    pub width: f64,
    /// Downwards.
    pub height: f64,
}

/// A piece of a wire, from rank to rank or from a border inwards.
pub(super) struct Wire {
    /// From the source on. Between two points it goes straight down, or swings to another x.
    pub points: Vec<(f64, f64)>,
    /// Whether it ends at a box.
    pub arrives: bool,
}

/// Where everything lies.
pub(super) struct Placed {
    /// Of the whole.
    pub width: f64,
    /// Of the whole.
    pub height: f64,
    /// By box.
    pub boxes: Vec<Rect>,
    /// By group.
    pub groups: Vec<Rect>,
    /// In no order.
    pub wires: Vec<Wire>,
}

/// The size of a box, or of the head of a group.
pub(super) type Size = (f64, f64);

/// Free space within the border of a group.
const PADDING: f64 = 14.0;
/// Between ranks: at least, and at most where wires go far to the side.
const GAP: (f64, f64) = (30.0, 76.0);

/// Finds the places.
pub(super) fn place(drawing: &Drawing, boxes: &[Size], heads: &[Size]) -> Placed {
    let nets = nets(drawing);
    let held = drawing.held();
    let root = drawing.groups.len();
    let mut levels: Vec<Level> = (0..=root).map(|_| Level::default()).collect();
    // A group stands behind the one that holds it, so the innermost come first.
    for at in (0..root).rev().chain([root]) {
        let head = heads.get(at).copied();
        levels[at] = level(drawing, &held[at], &nets[at], boxes, head, &levels);
    }
    let mut placed = Placed {
        width: levels[root].width,
        height: levels[root].height,
        boxes: vec![Rect::default(); boxes.len()],
        groups: vec![Rect::default(); root],
        wires: Vec::new(),
    };
    let mut corners = vec![(0.0, 0.0); root + 1];
    for at in [root].into_iter().chain(0..root) {
        let (x, y) = corners[at];
        for (item, rect) in &levels[at].items {
            let moved = Rect { x: rect.x + x, y: rect.y + y, ..*rect };
            match *item {
                Item::Box(at) => placed.boxes[at] = moved,
                Item::Group(at) => {
                    placed.groups[at] = moved;
                    corners[at] = (moved.x, moved.y);
                }
            }
        }
        placed.wires.extend(std::mem::take(&mut levels[at].wires).into_iter().map(|mut wire| {
            wire.points.iter_mut().for_each(|point| *point = (point.0 + x, point.1 + y));
            wire
        }));
    }
    placed
}

/// The end of a connection within a group.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum End {
    /// What the group holds.
    Item(Item),
    /// The border: the upper one at the start of a connection, the lower one at its end.
    Border,
}

/// A connection within a group of what one box makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Net {
    /// The box that makes it.
    source: usize,
    from: End,
    to: End,
}

/// A group laid out, with its corner at 0.
#[derive(Default)]
struct Level {
    width: f64,
    height: f64,
    items: Vec<(Item, Rect)>,
    wires: Vec<Wire>,
    /// Where what a box makes enters, from the left edge.
    entries: FxHashMap<usize, f64>,
    /// Where it leaves.
    exits: FxHashMap<usize, f64>,
}

/// Cuts arrows where they cross borders: by group, at the end those outside of all.
fn nets(drawing: &Drawing) -> Vec<Vec<Net>> {
    let root = drawing.groups.len();
    let mut depth: Vec<usize> = Vec::with_capacity(root);
    for group in &drawing.groups {
        depth.push(group.parent.map_or(1, |parent| depth[parent] + 1));
    }
    let deep = |group: Option<usize>| group.map_or(0, |group| depth[group]);
    let mut nets: Vec<Vec<Net>> = vec![Vec::new(); root + 1];
    let mut known: FxHashSet<(usize, Net)> = FxHashSet::default();
    let mut add = |group: Option<usize>, net: Net| {
        let at = group.unwrap_or(root);
        if known.insert((at, net)) {
            nets[at].push(net);
        }
    };
    for &(source, target) in &drawing.arrows {
        let (mut from, mut to) = (Item::Box(source), Item::Box(target));
        let (mut above, mut below) = (drawing.boxes[source].group, drawing.boxes[target].group);
        // Upwards on the deeper side until both ends lie in one group.
        while above != below {
            if deep(above) >= deep(below) {
                add(above, Net { source, from: End::Item(from), to: End::Border });
                let Some(group) = above else { break };
                (from, above) = (Item::Group(group), drawing.groups[group].parent);
            } else {
                add(below, Net { source, from: End::Border, to: End::Item(to) });
                let Some(group) = below else { break };
                (to, below) = (Item::Group(group), drawing.groups[group].parent);
            }
        }
        add(above, Net { source, from: End::Item(from), to: End::Item(to) });
    }
    nets
}

/// Lays out what one group holds; `head` is the size of its label, which the outermost has not.
fn level(
    drawing: &Drawing,
    held: &[Item],
    nets: &[Net],
    boxes: &[Size],
    head: Option<Size>,
    levels: &[Level],
) -> Level {
    let mut ranks = Ranks::default();
    let mut entries: FxHashMap<usize, usize> = FxHashMap::default();
    let mut exits: FxHashMap<usize, usize> = FxHashMap::default();
    for net in nets.iter().filter(|net| net.from == End::Border) {
        entries.entry(net.source).or_insert_with(|| ranks.add(Node::new(What::Entry, 0.0, 0.0)));
    }
    let mut node_of: FxHashMap<Item, usize> = FxHashMap::default();
    for &item in held {
        let (what, (width, height)) = match item {
            Item::Box(at) => match drawing.boxes[at].kind {
                Kind::Input => (What::Top, boxes[at]),
                Kind::Join => (What::Point, boxes[at]),
                Kind::Layer | Kind::Output => (What::Box, boxes[at]),
            },
            Item::Group(at) => (What::Group, (levels[at].width, levels[at].height)),
        };
        node_of.insert(item, ranks.add(Node::new(what, width, height)));
    }
    for net in nets.iter().filter(|net| net.to == End::Border) {
        exits.entry(net.source).or_insert_with(|| ranks.add(Node::new(What::Exit, 0.0, 0.0)));
    }
    for net in nets {
        // A port lies where the group's own layout has it, told from its middle.
        let port = |item: Item, ports: fn(&Level) -> &FxHashMap<usize, f64>| match item {
            Item::Group(at) => ports(&levels[at]).get(&net.source).map(|x| x - levels[at].width / 2.0),
            Item::Box(_) => None,
        };
        let (from, leaves) = match net.from {
            End::Item(item) => (node_of[&item], port(item, |level| &level.exits)),
            End::Border => (entries[&net.source], None),
        };
        let (to, arrives) = match net.to {
            End::Item(item) => (node_of[&item], port(item, |level| &level.entries)),
            End::Border => (exits[&net.source], None),
        };
        ranks.connect(net.source, (from, leaves.unwrap_or(0.0)), (to, arrives));
    }
    ranks.arrange();
    finish(ranks, &node_of, [&entries, &exits], head)
}

/// Gives ranks their heights and wires their points.
fn finish(
    ranks: Ranks,
    node_of: &FxHashMap<Item, usize>,
    [entries, exits]: [&FxHashMap<usize, usize>; 2],
    head: Option<Size>,
) -> Level {
    let (left, right) = ranks.extent();
    let padding = if head.is_some() { PADDING } else { 0.0 };
    // The head has the left half to itself where it can, since wires come in from the middle.
    let least = head.map_or(0.0, |(width, _)| width * if entries.is_empty() { 1.0 } else { 2.0 });
    let width = (right - left).max(least) + 2.0 * padding;
    let shift = (width - (left + right)) / 2.0;
    let x = |node: usize| ranks.nodes[node].x + shift;

    // The upper and lower edge of each rank.
    let mut edges: Vec<(f64, f64)> = Vec::with_capacity(ranks.order.len());
    let reaches = ranks.reaches();
    let head_height = head.map_or(0.0, |(_, height)| height);
    let mut y = 0.0;
    for (at, rank) in ranks.order.iter().enumerate() {
        let height = rank.iter().map(|&node| ranks.nodes[node].height).fold(0.0, f64::max);
        if at == 0 {
            let of_entries = !entries.is_empty();
            edges.push(if of_entries { (0.0, head_height) } else { (head_height, head_height + height) });
        } else {
            let top = y + (GAP.0 + 0.12 * reaches[at]).min(GAP.1);
            edges.push((top, top + height));
        }
        y = edges[at].1;
    }
    let height = if exits.is_empty() { y + padding } else { y };

    let rect = |node: usize| {
        let Node { width, height, rank, .. } = ranks.nodes[node];
        let (top, bottom) = edges[rank];
        Rect { x: x(node) - width / 2.0, y: (top + bottom - height) / 2.0, width, height }
    };
    let wire = |link: &Link| {
        let (from, to) = (&ranks.nodes[link.from], &ranks.nodes[link.to]);
        let (start, end) = (x(link.from) + link.leaves, x(link.to) + link.arrives);
        // A bend is as high as its rank, so that its wires meet.
        let lower = if from.is_lane() { edges[from.rank].1 } else { rect(link.from).y + from.height };
        let upper = if to.is_lane() { edges[to.rank].0 } else { rect(link.to).y };
        let mut points = Vec::with_capacity(5);
        if from.is_lane() {
            points.push((start, edges[from.rank].0));
        }
        points.extend([(start, lower), (start, edges[from.rank].1), (end, edges[to.rank].0), (end, upper)]);
        points.dedup();
        Wire { points, arrives: matches!(to.what, What::Box | What::Top | What::Point) }
    };
    let ports = |ports: &FxHashMap<usize, usize>| ports.iter().map(|(&source, &node)| (source, x(node))).collect();
    Level {
        width,
        height,
        items: node_of.iter().map(|(&item, &node)| (item, rect(node))).collect(),
        wires: ranks.links.iter().map(wire).collect(),
        entries: ports(entries),
        exits: ports(exits),
    }
}
