//! Sizes as polynomials with integer coefficients, in a canonical form: equal polynomials compare equal.
//!
//! Here are the sum and the product; `divide` has what divides, `power` what is raised, `show` the text. What is supposed of sizes, and what
//! follows from it, stands in `ir/facts.rs`: a size by itself knows nothing.

mod divide;
mod power;
mod show;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use smallvec::SmallVec;

pub(super) use divide::{common_factor, without};

/// A size that is not a number yet: the batch, or one that is still to be solved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SizeId(pub u32);

/// What a polynomial is over.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Atom {
    /// A named size.
    Size(SizeId),
    /// `p // k`, rounded down; opaque. A rest needs no atom: `p % k` is `p - k * (p // k)`.
    FloorDiv(Dim, Dim),
    /// `b^n` of a size that is not a number; opaque but for what `power` says.
    Power(Dim, Dim),
}

/// A product of atoms, sorted, repeated for powers.
pub(super) type Monomial = SmallVec<[Atom; 2]>;

/// A product of atoms with its factor.
pub(super) type Term = (Monomial, i64);

/// A size: a sum of integer multiples of products of atoms.
///
/// Terms are sorted by monomial and none has the coefficient zero, so equality is equality of sizes
/// (up to what is opaque).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim(Repr);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Const(i64),
    /// At least one term with a non-empty monomial.
    Poly(Arc<Vec<Term>>),
}

/// A size outside of i64, or a division by zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SizeOverflow;

impl Dim {
    /// The size zero.
    pub const ZERO: Dim = Dim(Repr::Const(0));
    /// The size one.
    pub const ONE: Dim = Dim(Repr::Const(1));

    /// A known size.
    pub fn constant(value: i64) -> Dim {
        Dim(Repr::Const(value))
    }

    /// A named size.
    pub fn size(id: SizeId) -> Dim {
        Dim::atom(Atom::Size(id))
    }

    pub(super) fn atom(atom: Atom) -> Dim {
        let mut monomial = Monomial::new();
        monomial.push(atom);
        Dim(Repr::Poly(Arc::new(vec![(monomial, 1)])))
    }

    /// The number, when it is one.
    pub fn as_const(&self) -> Option<i64> {
        match self.0 {
            Repr::Const(value) => Some(value),
            Repr::Poly(_) => None,
        }
    }

    /// The one size this is the name of, when it is just that.
    pub fn as_size(&self) -> Option<SizeId> {
        match &self.0 {
            Repr::Poly(terms) => match (terms.len(), &terms[0].0[..], terms[0].1) {
                (1, [Atom::Size(id)], 1) => Some(*id),
                _ => None,
            },
            Repr::Const(_) => None,
        }
    }

    pub(super) fn terms(&self) -> Vec<Term> {
        match &self.0 {
            Repr::Const(0) => Vec::new(),
            Repr::Const(value) => vec![(Monomial::new(), *value)],
            Repr::Poly(terms) => terms.to_vec(),
        }
    }

    pub(super) fn from_terms(mut terms: Vec<Term>) -> Result<Dim, SizeOverflow> {
        terms.sort_by(|a, b| a.0.cmp(&b.0));
        let mut merged: Vec<Term> = Vec::with_capacity(terms.len());
        for (monomial, factor) in terms {
            match merged.last_mut() {
                Some(last) if last.0 == monomial => last.1 = last.1.checked_add(factor).ok_or(SizeOverflow)?,
                _ => merged.push((monomial, factor)),
            }
        }
        merged.retain(|term| term.1 != 0);
        Ok(match &merged[..] {
            [] => Dim::ZERO,
            [(monomial, factor)] if monomial.is_empty() => Dim::constant(*factor),
            _ => Dim(Repr::Poly(Arc::new(merged))),
        })
    }

    /// `self + other`
    pub fn add(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        if let (Repr::Const(a), Repr::Const(b)) = (&self.0, &other.0) {
            return a.checked_add(*b).map(Dim::constant).ok_or(SizeOverflow);
        }
        let mut terms = self.terms();
        terms.extend(other.terms());
        Dim::from_terms(terms)
    }

    /// `self - other`
    pub fn sub(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        self.add(&other.mul(&Dim::constant(-1))?)
    }

    /// `self * other`
    pub fn mul(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        if let (Repr::Const(a), Repr::Const(b)) = (&self.0, &other.0) {
            return a.checked_mul(*b).map(Dim::constant).ok_or(SizeOverflow);
        }
        let mut terms = Vec::new();
        for (left, a) in self.terms() {
            for (right, b) in other.terms() {
                let mut monomial = left.clone();
                monomial.extend(right);
                monomial.sort();
                terms.push((monomial, a.checked_mul(b).ok_or(SizeOverflow)?));
            }
        }
        Dim::from_terms(terms)
    }

    /// The sizes it depends on, each once.
    pub fn sizes(&self) -> Vec<SizeId> {
        let mut found = Vec::new();
        self.visit_sizes(&mut |id| {
            if !found.contains(&id) {
                found.push(id);
            }
        });
        found
    }

    fn visit_sizes(&self, visit: &mut dyn FnMut(SizeId)) {
        let Repr::Poly(terms) = &self.0 else { return };
        for atom in terms.iter().flat_map(|(monomial, _)| monomial) {
            match atom {
                Atom::Size(id) => visit(*id),
                Atom::FloorDiv(a, b) | Atom::Power(a, b) => {
                    a.visit_sizes(visit);
                    b.visit_sizes(visit);
                }
            }
        }
    }

    /// The polynomial with each size replaced; `None` keeps it.
    pub fn substitute(&self, with: &dyn Fn(SizeId) -> Option<Dim>) -> Result<Dim, SizeOverflow> {
        let Repr::Poly(terms) = &self.0 else { return Ok(self.clone()) };
        let mut sum = Dim::ZERO;
        for (monomial, factor) in terms.iter() {
            let mut product = Dim::constant(*factor);
            for atom in monomial {
                let value = match atom {
                    Atom::Size(id) => with(*id).unwrap_or_else(|| Dim::size(*id)),
                    Atom::FloorDiv(a, b) => a.substitute(with)?.floor_div(&b.substitute(with)?)?,
                    Atom::Power(b, n) => b.substitute(with)?.power(&n.substitute(with)?)?,
                };
                product = product.mul(&value)?;
            }
            sum = sum.add(&product)?;
        }
        Ok(sum)
    }

    /// The number when every size is known.
    pub fn eval(&self, sizes: &dyn Fn(SizeId) -> i64) -> Result<i64, SizeOverflow> {
        let Repr::Poly(terms) = &self.0 else { return self.as_const().ok_or(SizeOverflow) };
        terms.iter().try_fold(0i64, |sum, (monomial, factor)| {
            let product = monomial.iter().try_fold(*factor, |product, atom| {
                let value = match atom {
                    Atom::Size(id) => sizes(*id),
                    Atom::FloorDiv(a, b) => divide::floor(a.eval(sizes)?, b.eval(sizes)?)?,
                    Atom::Power(b, n) => power::raise(b.eval(sizes)?, n.eval(sizes)?)?,
                };
                product.checked_mul(value).ok_or(SizeOverflow)
            });
            sum.checked_add(product?).ok_or(SizeOverflow)
        })
    }

    /// The product of several sizes.
    pub fn product<'a>(dims: impl IntoIterator<Item = &'a Dim>) -> Result<Dim, SizeOverflow> {
        dims.into_iter().try_fold(Dim::ONE, |product, dim| product.mul(dim))
    }
}

impl From<i64> for Dim {
    fn from(value: i64) -> Dim {
        Dim::constant(value)
    }
}
