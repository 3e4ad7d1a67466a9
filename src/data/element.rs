//! Numbers that are made rather than read: draws, positions, functions of elements.
//!
//! In: nodes of a declaration. Out: their values for all rows of a table. A draw is a function of the seed, its place
//! in the declaration, the row and the element: a column more or a row more changes no other number.

use crate::base::Symbol;
use crate::base::philox::{philox, uniform};
use crate::diag::contents;
use crate::diag::data::Cell;

use super::evaluation::{Evaluation, Value};
use super::spec::{Draw, Function, NodeId, Random};
use super::split::{Purpose, key};
use super::text::Spelling;
use super::transform::{Classes, Form, Values};

impl<'t> Evaluation<'t> {
    /// `random.normal[batch, h: 32]`
    pub fn random(&self, random: &Random) -> Value<'t> {
        let form = form_of(&random.axes);
        let item = form.item();
        let key = key(self.seed, Purpose::Draw);
        let site = site(&random.place);
        let places =
            (0..self.table.rows).flat_map(|row| (0..item).map(move |at| [row as u32, at as u32, site[0], site[1]]));
        let words = places.map(|counter| philox(counter, key));
        let numbers = |of: &dyn Fn([u32; 4]) -> f32| words.clone().map(of).collect();
        let data = match random.draw {
            Draw::Uniform => numbers(&|words| uniform(words[0])),
            Draw::Normal => numbers(&normal),
            Draw::Bernoulli(chance) => numbers(&|words| if f64::from(uniform(words[0])) < chance { 1.0 } else { 0.0 }),
            Draw::Index(axis) => {
                let size = axis.size.unwrap_or(1);
                // 32 random bits times the size: the bias is below the size over 2^32.
                let data = words.map(|words| ((u64::from(words[0]) * size as u64) >> 32) as i32).collect();
                return Value::Classes(Classes {
                    form,
                    data,
                    axis: Some(axis.name),
                    size,
                    names: Vec::new(),
                    spelling: Spelling::Names,
                });
            }
        };
        Value::Numbers(Values { form, data })
    }

    /// `pos(batch)`, `pos(t: 16)`
    pub fn positions(&self, axis: Option<(Symbol, usize)>) -> Value<'t> {
        let form = form_of(axis.as_slice());
        let rows = 0..self.table.rows;
        let data = match axis {
            None => rows.map(|row| row as f32).collect(),
            Some((_, size)) => rows.flat_map(|_| (0..size).map(|at| at as f32)).collect(),
        };
        Value::Numbers(Values { form, data })
    }

    /// A function of every element.
    pub fn function(
        &mut self,
        function: Function,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let mut values = self.numbers(value, operand)?;
        for at in 0..values.data.len() {
            let x = values.data[at];
            let y = function.eval(f64::from(x)) as f32;
            if !y.is_finite() && x.is_finite() {
                let least = values.data.iter().copied().fold(f32::INFINITY, f32::min);
                let one_more = self.log_of_one_more(least, id).filter(|_| function == Function::Log);
                let error = |span, place: Cell<'_>| contents::outside_domain(span, function.word(), place, x, one_more);
                return self.at_value(&values.form, at, id, error);
            }
            values.data[at] = y;
        }
        Some(Value::Numbers(values))
    }
}

fn form_of(axes: &[(Symbol, usize)]) -> Form {
    Form {
        shape: axes.iter().map(|(_, size)| *size).collect(),
        axes: axes.iter().map(|(name, _)| Some(*name)).collect(),
        columns: 1,
    }
}

/// A number with mean 0 and deviation 1, from two words (Box and Muller, 1958).
fn normal(words: [u32; 4]) -> f32 {
    // Half a step away from 0, of which there is no logarithm.
    let chance = (f64::from(words[0]) + 0.5) / 4_294_967_296.0;
    let angle = std::f64::consts::TAU * f64::from(words[1]) / 4_294_967_296.0;
    ((-2.0 * chance.ln()).sqrt() * angle.cos()) as f32
}

/// Two words of a name (FNV-1a, 64 bits).
fn site(name: &str) -> [u32; 2] {
    let hash = hash(name.as_bytes());
    [hash as u32, (hash >> 32) as u32]
}

/// The same number for the same bytes in every version and on every machine (FNV-1a, 64 bits).
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that the authors of the function publish.
    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
