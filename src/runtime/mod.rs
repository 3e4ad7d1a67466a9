//! A compiled program bound to sizes and memory, and one step of it.
//!
//! `state` parameters and states · `bind` sizes known at run time · `plan` where buffers lie in the arena
//! · `arena` aligned words · `step` runs · `text` shows a plan. Everything that depends on sizes is made when a tuple of sizes
//! is seen first; a step of known sizes makes no memory of its own. Nothing here knows files, clocks or epochs.

pub mod arena;
pub mod bind;
pub mod plan;
pub mod state;
pub mod step;
pub mod text;

pub use arena::Words;
pub use bind::{Binding, MemoryUse};
pub use state::Store;
pub use step::{Env, Executable, Input, Results};
