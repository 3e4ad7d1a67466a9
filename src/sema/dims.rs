//! Sizes under unification: which symbols are known to be what.
//!
//! A *rigid* size (the batch, a size of an opaque argument) equals only itself. An *open* one stands
//! for a size that a later use fixes. Two sizes are equal when their difference is zero by what is supposed; an
//! equation is solved when an open size occurs once, with the factor 1 or -1.

use crate::ir::{Dim, Fact, Facts, SizeId, Truth};

/// All sizes of a program.
#[derive(Default)]
pub struct Sizes {
    all: Vec<Size>,
    /// What is supposed where the check stands.
    pub facts: Facts,
}

struct Size {
    name: String,
    solution: Option<Dim>,
    rigid: bool,
}

/// Why two sizes are not one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// They differ whatever the symbols are.
    Refuted,
    /// Nothing known proves or refutes it.
    Open,
}

impl Sizes {
    /// A size that equals only itself.
    pub fn rigid(&mut self, name: impl Into<String>) -> Dim {
        self.add(name.into(), true)
    }

    /// A size that a use will fix.
    pub fn open(&mut self, name: impl Into<String>) -> Dim {
        self.add(name.into(), false)
    }

    fn add(&mut self, name: String, rigid: bool) -> Dim {
        self.all.push(Size { name, solution: None, rigid });
        Dim::size(SizeId(self.all.len() as u32 - 1))
    }

    /// The names by id, for the graph.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|size| size.name.clone()).collect()
    }

    /// The size with everything known put in.
    pub fn resolve(&self, dim: &Dim) -> Dim {
        if dim.as_const().is_some() {
            return dim.clone();
        }
        let known = |id: SizeId| self.all[id.0 as usize].solution.as_ref().map(|solution| self.resolve(solution));
        // A solution never overflows: it was built by checked arithmetic from parts of this size.
        let dim = dim.substitute(&known).unwrap_or_else(|_| dim.clone());
        self.facts.reduce(&dim)
    }

    /// Whether a later use may still fix this size.
    pub fn is_open(&self, dim: &Dim) -> bool {
        self.resolve(dim).sizes().into_iter().any(|id| !self.all[id.0 as usize].rigid)
    }

    /// Makes two sizes equal, solving for an open one where that decides it.
    pub fn unify(&mut self, a: &Dim, b: &Dim) -> Result<(), Mismatch> {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return Ok(());
        }
        let Ok(difference) = a.sub(&b) else { return Err(Mismatch::Refuted) };
        if difference.as_const().is_some() {
            return Err(Mismatch::Refuted);
        }
        // a - b = factor · open + rest = 0, so open = -rest / factor, when the rest is free of it and the quotient whole.
        // Factors of 1 and -1 come first: they decide it whatever the rest is.
        let open: Vec<SizeId> = difference.sizes().into_iter().filter(|id| !self.all[id.0 as usize].rigid).collect();
        let linear: Vec<_> = open.into_iter().filter_map(|id| Some((id, linear(&difference, id)?))).collect();
        let (plain, others): (Vec<_>, Vec<_>) = linear.into_iter().partition(|(_, (factor, _))| factor.abs() == 1);
        for (id, (factor, rest)) in plain.into_iter().chain(others) {
            let solution = rest.mul(&Dim::constant(-factor.signum())).ok();
            let Some(solution) = solution.and_then(|rest| rest.div_exact(&Dim::constant(factor.abs()))) else {
                continue;
            };
            if solution.as_const().is_some_and(|size| size < 0) {
                return Err(Mismatch::Refuted);
            }
            self.all[id.0 as usize].solution = Some(solution);
            return Ok(());
        }
        match self.facts.judge(&Fact::Equal(a, b)) {
            Truth::Proved => Ok(()),
            Truth::Refuted => Err(Mismatch::Refuted),
            Truth::Open => Err(Mismatch::Open),
        }
    }

    /// What follows of a fact from what is known here.
    pub fn judge(&self, fact: &Fact) -> Truth {
        self.facts.judge(&fact.map(|dim| self.resolve(dim)))
    }

    /// Takes a fact as given. An equality that says what a rigid size is puts it in its place.
    pub fn suppose(&mut self, fact: &Fact) {
        let fact = fact.map(|dim| self.resolve(dim));
        if let Fact::Equal(a, b) = &fact
            && self.define(a, b)
        {
            return;
        }
        self.facts.suppose(&fact);
    }

    /// Whether one side is the name of a size that the other is free of, which then stands for it.
    fn define(&mut self, a: &Dim, b: &Dim) -> bool {
        for (name, other) in [(b, a), (a, b)] {
            if let Some(id) = name.as_size().filter(|id| !other.sizes().contains(id)) {
                self.all[id.0 as usize].solution = Some(other.clone());
                return true;
            }
        }
        false
    }

    /// The size in the user's names: `2 * t + 1`; `?` for one that nothing fixed.
    pub fn show(&self, dim: &Dim) -> String {
        let name = |id: SizeId| self.all[id.0 as usize].name.clone();
        self.resolve(dim).display(&name).to_string()
    }
}

/// A size as a number times one of its names, and the rest, which is free of it.
fn linear(dim: &Dim, id: SizeId) -> Option<(i64, Dim)> {
    let rest = dim.substitute(&|other| (other == id).then(|| Dim::constant(0))).ok()?;
    let factor = dim.sub(&rest).ok()?.div_exact(&Dim::size(id))?.as_const()?;
    (factor != 0 && !rest.sizes().contains(&id)).then_some((factor, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_size_is_solved_once() {
        let mut sizes = Sizes::default();
        let (n, batch) = (sizes.open("n"), sizes.rigid("batch"));
        let sum = n.add(&Dim::constant(2)).unwrap();
        assert_eq!(sizes.unify(&sum, &Dim::constant(5)), Ok(()));
        assert_eq!(sizes.resolve(&n), Dim::constant(3));
        assert_eq!(sizes.unify(&n, &Dim::constant(4)), Err(Mismatch::Refuted));
        assert_eq!(sizes.unify(&batch, &Dim::constant(4)), Err(Mismatch::Open));
        // Whole quotients alone decide it where the size has a factor.
        let k = sizes.open("k");
        let triple = k.mul(&Dim::constant(3)).unwrap();
        assert_eq!(sizes.unify(&Dim::constant(10), &triple), Err(Mismatch::Refuted));
        assert_eq!(sizes.unify(&Dim::constant(9), &triple), Ok(()));
        assert_eq!(sizes.resolve(&k), Dim::constant(3));
        let six = sizes.open("m").mul(&Dim::constant(-6)).unwrap();
        let other = batch.mul(&Dim::constant(-12)).unwrap();
        assert_eq!(sizes.unify(&six, &other), Ok(()));
        assert_eq!(sizes.unify(&batch, &batch.add(&Dim::ONE).unwrap()), Err(Mismatch::Refuted));
    }
}
