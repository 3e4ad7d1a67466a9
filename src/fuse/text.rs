//! The printed form of regions: each with its loops, its nodes and what it writes.

use std::fmt::Write;

use super::{Fused, RegionKind};
use crate::ir::SizeId;

/// The text of a graph in regions.
pub fn print(fused: &Fused) -> String {
    let mut text = String::new();
    let size = |id: SizeId| fused.graph.size_name(id);
    for (at, region) in fused.regions.iter().enumerate() {
        let domain: Vec<String> = region.domain.iter().map(|dim| dim.display(&size).to_string()).collect();
        let kind = match region.kind {
            RegionKind::Rows => "rows".to_owned(),
            RegionKind::Fold { axis } => format!("fold {axis}"),
            RegionKind::Gemm => "gemm".to_owned(),
            RegionKind::Segments => "segments".to_owned(),
            RegionKind::Scan => "scan".to_owned(),
        };
        writeln!(text, "region {at} {kind} [{}]", domain.join(", ")).expect("writing to a string does not fail");
        for &id in &region.nodes {
            let node = fused.graph.node(id);
            let mark = if fused.stored[id.index()] { "store" } else { "     " };
            writeln!(text, "  {mark} {id:?}: {}", crate::ir::text::print_node(&fused.graph, node))
                .expect("writing to a string does not fail");
        }
    }
    for (output, in_place) in fused.graph.outputs.iter().zip(&fused.in_place) {
        let place = if *in_place { " in place" } else { "" };
        writeln!(text, "{:?} = {:?}{place}", output.role, output.node).expect("writing to a string does not fail");
    }
    text
}
