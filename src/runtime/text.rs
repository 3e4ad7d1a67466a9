//! The text form of a plan: where each buffer of a step lies, and while which steps.

use std::fmt::Write;

use super::plan::{lives, loops, plan};
use crate::backend::bound::words;
use crate::ir::SizeId;
use crate::kernel::ir::{Place, Program};

/// The plan of a program for these sizes, by `SizeId`; none when a size is negative or out of range.
///
/// One line a buffer: its name in the kernels' text, its place, its bytes; in the arena also its first byte
/// and the steps from first use to last.
pub fn print(program: &Program, sizes: &[i64]) -> Option<String> {
    let size = |id: SizeId| sizes.get(id.0 as usize).copied().unwrap_or(-1);
    let mut lens = program.buffers.iter().map(|buffer| words(buffer, &size).ok()).collect::<Option<Vec<usize>>>()?;
    let lives = lives(program);
    let locals = loops(program, &mut lens, &lives, 1)?;
    let in_arena = |place: &Place| matches!(place, Place::Arena | Place::Result(_));
    let arena: Vec<_> =
        lives.iter().zip(&program.buffers).map(|(life, b)| in_arena(&b.place).then_some(*life)?).collect();
    let plan = plan(&lens, &arena)?;
    let mut text = String::new();
    for (at, (buffer, len)) in program.buffers.iter().zip(&lens).enumerate() {
        let place = match &buffer.place {
            Place::Arena => "arena".to_owned(),
            Place::Input(id) => format!("input {}", id.0),
            Place::Param(id) => format!("param {}", id.0),
            Place::State(id) => format!("state {}", id.0),
            Place::Result(_) => "result".to_owned(),
            Place::Row(of) => format!("row b{}", of.0),
            Place::Local => "local".to_owned(),
        };
        write!(text, "b{at} {place} bytes {}", 4 * len).expect("writing to a string does not fail");
        if let Some((first, last)) = lives[at] {
            let offset = if in_arena(&buffer.place) { plan.offsets[at] } else { locals[at] };
            write!(text, " at {} steps {first}..{last}", 4 * offset).expect("as above");
        }
        text.push('\n');
    }
    // A size that nothing depends on was solved before.
    let open = |at: usize| program.buffers.iter().any(|buffer| buffer.len.sizes().contains(&SizeId(at as u32)));
    let given = program.sizes.iter().zip(sizes).enumerate().filter(|(at, _)| open(*at));
    let given: Vec<String> = given.map(|(_, (name, size))| format!("{name} = {size}")).collect();
    writeln!(text, "arena bytes {} for {}", 4 * plan.words, given.join(", ")).expect("as above");
    Some(text)
}
