//! The text form of a plan: where each buffer of a step lies, and while which steps.

use std::fmt::Write;

use super::plan::{lives, plan};
use crate::backend::bound::count;
use crate::ir::SizeId;
use crate::kernel::ir::{Place, Program};

/// The plan of a program for these sizes, by `SizeId`; none when a size is negative or out of range.
///
/// One line a buffer: its name in the kernels' text, its place, its bytes; in the arena also its first byte
/// and the steps from first use to last.
pub fn print(program: &Program, sizes: &[i64]) -> Option<String> {
    let size = |id: SizeId| sizes.get(id.0 as usize).copied().unwrap_or(-1);
    let lens = program.buffers.iter().map(|buffer| count(&buffer.len, &size).ok()).collect::<Option<Vec<usize>>>()?;
    let lives = lives(program);
    let plan = plan(&lens, &lives)?;
    let mut text = String::new();
    for (at, (buffer, len)) in program.buffers.iter().zip(&lens).enumerate() {
        let place = match &buffer.place {
            Place::Arena => "arena".to_owned(),
            Place::Input(id) => format!("input {}", id.0),
            Place::Param(id) => format!("param {}", id.0),
            Place::State(id) => format!("state {}", id.0),
            Place::Result(_) => "result".to_owned(),
        };
        write!(text, "b{at} {place} bytes {}", 4 * len).expect("writing to a string does not fail");
        if let Some((first, last)) = lives[at] {
            write!(text, " at {} steps {first}..{last}", 4 * plan.offsets[at]).expect("as above");
        }
        text.push('\n');
    }
    let given: Vec<String> = program.sizes.iter().zip(sizes).map(|(name, size)| format!("{name} = {size}")).collect();
    writeln!(text, "arena bytes {} for {}", 4 * plan.words, given.join(", ")).expect("as above");
    Some(text)
}
