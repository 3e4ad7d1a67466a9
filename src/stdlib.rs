//! The standard library: its files, which are part of the program, and their trees, which are made once.

use std::sync::LazyLock;

use crate::base::FileId;
use crate::syntax::{ast, parse};

/// The files of the standard library, in the binary.
pub(crate) const STD: &[(&str, &str)] = &[
    ("<std>/activations.model", include_str!("../stdlib/activations.model")),
    ("<std>/boxes.model", include_str!("../stdlib/boxes.model")),
    ("<std>/functions.model", include_str!("../stdlib/functions.model")),
    ("<std>/init.model", include_str!("../stdlib/init.model")),
    ("<std>/layers/attention.model", include_str!("../stdlib/layers/attention.model")),
    ("<std>/layers/conv.model", include_str!("../stdlib/layers/conv.model")),
    ("<std>/layers/dense.model", include_str!("../stdlib/layers/dense.model")),
    ("<std>/layers/embedding.model", include_str!("../stdlib/layers/embedding.model")),
    ("<std>/layers/gated.model", include_str!("../stdlib/layers/gated.model")),
    ("<std>/layers/norm.model", include_str!("../stdlib/layers/norm.model")),
    ("<std>/layers/pool.model", include_str!("../stdlib/layers/pool.model")),
    ("<std>/layers/positions.model", include_str!("../stdlib/layers/positions.model")),
    ("<std>/layers/recurrent.model", include_str!("../stdlib/layers/recurrent.model")),
    ("<std>/layers/residual.model", include_str!("../stdlib/layers/residual.model")),
    ("<std>/losses.model", include_str!("../stdlib/losses.model")),
    ("<std>/metrics.model", include_str!("../stdlib/metrics.model")),
    ("<std>/optimizers.model", include_str!("../stdlib/optimizers.model")),
    ("<std>/schedules.model", include_str!("../stdlib/schedules.model")),
    ("<std>/sequences.model", include_str!("../stdlib/sequences.model")),
    ("<std>/vectors.model", include_str!("../stdlib/vectors.model")),
];

/// The trees of the standard library; every session adds its files first, so the ids are the same.
pub(crate) static STD_TREES: LazyLock<Vec<ast::File>> = LazyLock::new(|| {
    let parsed = STD.iter().enumerate().map(|(at, (name, text))| {
        let (tree, diagnostics) = parse::parse(FileId(at as u32), text);
        assert!(diagnostics.is_empty(), "{name} does not parse: {diagnostics:?}");
        tree
    });
    parsed.collect()
});
