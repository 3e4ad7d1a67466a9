//! Training, evaluation, prediction, and what a run leaves behind.
//!
//! In: a checked program, its graphs, its data, a backend. Out: trained weights, reported values, a run
//! folder. `feed` batches as inputs of a step · `checks` what a program checks as it runs · `model` parameters, states, their first
//! values · `evaluate` one split · `predict` rows · `run` the loop · `watch` the best value so far · `stop` when it ends early ·
//! `event` what a run tells · `checkpoint` tensors as files · `load` first values out of files · `folder` the run folder. Nothing
//! here draws progress or reads arguments: `cli` does. Reports and event files of other tools are deliberately absent.

mod checkpoint;
mod checks;
mod evaluate;
mod event;
mod feed;
mod folder;
mod load;
mod model;
mod predict;
mod run;
mod stop;
mod watch;
mod words;

pub use checkpoint::{Position, Sum};
pub use evaluate::Evaluator;
pub use event::{Ended, Event, Report, Start, Table, TableAxis, Watch};
pub use folder::{Ending, Recorded, RunFolder, newest};
pub use load::{Loaded, read_loads};
pub use model::Model;
pub use predict::{Field, Meaning, Predictor};
pub use run::{Control, End, Job, run};
pub use stop::Seen;
pub use watch::Best;
