//! Native code: CLIF for loop nests, the `gemm` crate for contractions.
