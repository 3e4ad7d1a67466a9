//! The host tensor at every boundary: loading, transforms, results, files.
