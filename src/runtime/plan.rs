//! Where the buffers of a step lie in its arena.
//!
//! In: how long each buffer is and from which step to which it is used. Out: an offset for each, such
//! that buffers alive together do not overlap, and how many words it takes. The locals of a loop are planned by
//! themselves, in a buffer that is the loop's memory. Greedy: in the order of
//! the steps, the smallest gap that is large enough. Near-linear in the number of buffers.

use std::collections::{BTreeMap, BTreeSet};

use super::arena::LINE;
use crate::backend::Spot;
use crate::kernel::ir::{BufId, Place, Program, Step};

/// The first and the last step that use a buffer, of the steps that it belongs to.
pub type Life = Option<(usize, usize)>;

/// The life of each buffer that lies in the arena, or in the memory of a loop; a result lives to the end.
pub fn lives(program: &Program) -> Vec<Life> {
    let mut lives: Vec<Life> = vec![None; program.buffers.len()];
    level(program, &program.steps, &|buf| matches!(place(program, buf), Place::Arena | Place::Result(_)), &mut lives);
    for (life, buffer) in lives.iter_mut().zip(&program.buffers) {
        if let Place::Result(_) = buffer.place {
            *life = Some((life.map_or(0, |(first, _)| first), program.steps.len()));
        }
    }
    lives
}

/// The lives of the buffers that belong to some steps, and then of those of the loops among these.
fn level(program: &Program, steps: &[Step], belongs: &dyn Fn(BufId) -> bool, lives: &mut [Life]) {
    for (at, step) in steps.iter().enumerate() {
        step.visit(&mut |buf| {
            let mut buf = buf;
            loop {
                if belongs(buf) {
                    let life = &mut lives[buf.0 as usize];
                    *life = Some(life.map_or((at, at), |(first, _)| (first, at)));
                }
                // Whoever uses a row uses what it is a row of.
                let Place::Row(of) = *place(program, buf) else { break };
                buf = of;
            }
        });
        if let Step::Scan(scan) = step {
            level(program, &scan.body, &|buf| scan.locals.contains(&buf), lives);
            let carried = scan.carries.iter().flat_map(|carry| [carry.old, carry.new]);
            carried.for_each(|buf| lives[buf.0 as usize] = Some((0, scan.body.len())));
        }
    }
}

fn place(program: &Program, buf: BufId) -> &Place {
    &program.buffers[buf.0 as usize].place
}

/// Plans the memory of the loops, so that iterations on so many threads have their own: sets the length of each
/// loop's memory, and gives the offset of each local in it; none when a length is out of range.
pub fn loops(program: &Program, lens: &mut [usize], lives: &[Life], lanes: usize) -> Option<Vec<usize>> {
    let mut offsets = vec![0; lens.len()];
    program.steps.iter().try_for_each(|step| one_loop(step, lens, lives, lanes, &mut offsets))?;
    Some(offsets)
}

/// From the innermost loop on: its memory is a local of the one around it.
fn one_loop(step: &Step, lens: &mut [usize], lives: &[Life], lanes: usize, offsets: &mut [usize]) -> Option<()> {
    let Step::Scan(scan) = step else { return Some(()) };
    let mine = scan.lanes(lanes);
    scan.body.iter().try_for_each(|step| one_loop(step, lens, lives, lanes / mine, offsets))?;
    let own: Vec<usize> = scan.locals.iter().map(|buf| buf.0 as usize).collect();
    let plan = plan(
        &own.iter().map(|&at| lens[at]).collect::<Vec<_>>(),
        &own.iter().map(|&at| lives[at]).collect::<Vec<_>>(),
    )?;
    own.iter().zip(plan.offsets).for_each(|(&at, offset)| offsets[at] = offset);
    lens[scan.memory.0 as usize] = plan.words.checked_mul(mine)?;
    Some(())
}

/// Puts the rows and the locals of loops where what they are in lies: rows at position 0, locals in the part of the
/// first thread.
pub fn inside(program: &Program, offsets: &[usize], spots: &mut [Spot]) {
    program.steps.iter().for_each(|step| inside_loop(program, step, offsets, spots));
}

fn inside_loop(program: &Program, step: &Step, offsets: &[usize], spots: &mut [Spot]) {
    let Step::Scan(scan) = step else { return };
    let memory = spots[scan.memory.0 as usize];
    for local in scan.locals.iter().map(|buf| buf.0 as usize) {
        spots[local] = Spot { segment: memory.segment, offset: memory.offset + offsets[local], len: spots[local].len };
    }
    for &row in scan.rows.iter().chain(&scan.made) {
        let Place::Row(of) = *place(program, row) else { continue };
        let of = spots[of.0 as usize];
        spots[row.0 as usize] = Spot { len: spots[row.0 as usize].len, ..of };
    }
    scan.body.iter().for_each(|step| inside_loop(program, step, offsets, spots));
}

/// Offsets in words, each at a cache line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// For each buffer; 0 for one that needs no room.
    pub offsets: Vec<usize>,
    /// How many words the arena has.
    pub words: usize,
}

/// Plans buffers of these lengths; none when the sum is out of range.
pub fn plan(lens: &[usize], lives: &[Life]) -> Option<Plan> {
    let most = (usize::MAX / 8) as u128;
    if lens.iter().map(|len| *len as u128 + LINE as u128).sum::<u128>() > most {
        return None;
    }
    let mut births: Vec<(usize, usize)> = Vec::new();
    for (buf, (len, life)) in lens.iter().zip(lives).enumerate() {
        if let (Some((first, _)), true) = (life, *len > 0) {
            births.push((*first, buf));
        }
    }
    // The longest first among those that begin together: it is the hardest to place.
    births.sort_by_key(|&(first, buf)| (first, std::cmp::Reverse(lens[buf]), buf));
    let mut deaths: Vec<(usize, usize)> = births.iter().filter_map(|&(_, buf)| Some((lives[buf]?.1, buf))).collect();
    deaths.sort_unstable();
    let mut deaths = deaths.into_iter().peekable();
    let mut gaps = Gaps::default();
    let mut plan = Plan { offsets: vec![0; lens.len()], words: 0 };
    for (first, buf) in births {
        while let Some((_, dead)) = deaths.next_if(|&(last, _)| last < first) {
            gaps.give_back(plan.offsets[dead], lens[dead].next_multiple_of(LINE));
        }
        plan.offsets[buf] = gaps.take(lens[buf].next_multiple_of(LINE));
    }
    plan.words = gaps.end;
    Some(plan)
}

/// The unused parts below `end`, by place and by size.
#[derive(Default)]
struct Gaps {
    by_place: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
    end: usize,
}

impl Gaps {
    fn take(&mut self, len: usize) -> usize {
        if let Some(&(size, place)) = self.by_size.range((len, 0)..).next() {
            self.remove(place, size);
            if size > len {
                self.insert(place + len, size - len);
            }
            return place;
        }
        // None is large enough: a gap at the end grows, else a new part begins there.
        let last = self.by_place.last_key_value().map(|(place, size)| (*place, *size));
        let place = match last {
            Some((place, size)) if place + size == self.end => {
                self.remove(place, size);
                place
            }
            _ => self.end,
        };
        self.end = place + len;
        place
    }

    fn give_back(&mut self, mut place: usize, mut size: usize) {
        if let Some((&before, &length)) = self.by_place.range(..place).next_back()
            && before + length == place
        {
            self.remove(before, length);
            (place, size) = (before, size + length);
        }
        if let Some(&length) = self.by_place.get(&(place + size)) {
            self.remove(place + size, length);
            size += length;
        }
        self.insert(place, size);
    }

    fn insert(&mut self, place: usize, size: usize) {
        self.by_place.insert(place, size);
        self.by_size.insert((size, place));
    }

    fn remove(&mut self, place: usize, size: usize) {
        self.by_place.remove(&place);
        self.by_size.remove(&(size, place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::philox::philox;

    #[test]
    fn buffers_alive_together_are_apart_and_room_is_used_again() {
        for seed in 0..200 {
            let word = |at: u32, what: u32| philox([at, what, 0, 0], [seed, 0])[0] as usize;
            let count = 1 + word(0, 9) % 40;
            let lens: Vec<usize> = (0..count as u32).map(|at| word(at, 0) % 500).collect();
            let life = |at: u32| {
                let first = word(at, 1) % 30;
                (word(at, 3) % 8 > 0).then_some((first, first + word(at, 2) % 6))
            };
            let lives: Vec<Life> = (0..count as u32).map(life).collect();
            let plan = plan(&lens, &lives).unwrap();
            for a in 0..count {
                let Some((first, last)) = lives[a] else { continue };
                assert_eq!(plan.offsets[a] % LINE, 0);
                assert!(plan.offsets[a] + lens[a] <= plan.words);
                for b in 0..a {
                    let Some((other_first, other_last)) = lives[b] else { continue };
                    let together = first.max(other_first) <= last.min(other_last);
                    let (start, end) = (plan.offsets[a].max(plan.offsets[b]), plan.offsets[a] + lens[a]);
                    assert!(!together || start >= end.min(plan.offsets[b] + lens[b]), "{seed}: {a} and {b}");
                }
            }
            let alive = |at: usize| {
                let there = |life: &Life| life.is_some_and(|(first, last)| first <= at && at <= last);
                let rounded =
                    lens.iter().zip(&lives).filter(|(_, life)| there(life)).map(|(len, _)| len.next_multiple_of(LINE));
                rounded.sum::<usize>()
            };
            let least = (0..40).map(alive).max().unwrap();
            assert!(plan.words <= 2 * least, "{seed}: {} words for {least}", plan.words);
        }
    }

    #[test]
    fn many_buffers_are_planned_in_near_linear_time() {
        let lens = vec![100; 100_000];
        let lives: Vec<Life> = (0..100_000).map(|at| Some((at, at + 5))).collect();
        let start = std::time::Instant::now();
        assert_eq!(plan(&lens, &lives).unwrap().words, 6 * 112);
        assert!(start.elapsed().as_secs() < 2);
    }
}
