//! Sizes as polynomials with integer coefficients, in a canonical form: equal sizes compare equal.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

/// A size that is not a number yet: the batch, or one that is still to be solved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SizeId(pub u32);

/// What a polynomial is over.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Atom {
    /// A named size.
    Size(SizeId),
    /// `p // k`, rounded down; opaque.
    FloorDiv(Dim, Dim),
    /// `p % k`; opaque.
    Mod(Dim, Dim),
}

/// A product of atoms, sorted, repeated for powers.
type Monomial = SmallVec<[Atom; 2]>;

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
    Poly(Arc<Vec<(Monomial, i64)>>),
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

    fn atom(atom: Atom) -> Dim {
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

    fn terms(&self) -> Vec<(Monomial, i64)> {
        match &self.0 {
            Repr::Const(0) => Vec::new(),
            Repr::Const(value) => vec![(Monomial::new(), *value)],
            Repr::Poly(terms) => terms.to_vec(),
        }
    }

    fn from_terms(mut terms: Vec<(Monomial, i64)>) -> Result<Dim, SizeOverflow> {
        terms.sort_by(|a, b| a.0.cmp(&b.0));
        let mut merged: Vec<(Monomial, i64)> = Vec::with_capacity(terms.len());
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

    /// `self / other` when it leaves no rest whatever the sizes are: a common factor of every term.
    pub fn div_exact(&self, other: &Dim) -> Option<Dim> {
        if *other == Dim::ONE {
            return Some(self.clone());
        }
        let divisor = other.terms();
        let [(monomial, factor)] = &divisor[..] else {
            return (self == other && !divisor.is_empty()).then_some(Dim::ONE);
        };
        let mut quotient = Vec::new();
        for (mut term, value) in self.terms() {
            if value % factor != 0 {
                return None;
            }
            for atom in monomial {
                let at = term.iter().position(|other| other == atom)?;
                term.remove(at);
            }
            quotient.push((term, value / factor));
        }
        Dim::from_terms(quotient).ok()
    }

    /// `self // other`, rounded down.
    pub fn floor_div(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        match (self.as_const(), other.as_const()) {
            (_, Some(0)) => Err(SizeOverflow),
            (Some(a), Some(b)) => {
                let quotient = a.checked_div(b).ok_or(SizeOverflow)?;
                let rounds_up = a % b != 0 && (a < 0) != (b < 0);
                Ok(Dim::constant(quotient - i64::from(rounds_up)))
            }
            _ => Ok(match self.div_exact(other) {
                Some(quotient) => quotient,
                None => Dim::atom(Atom::FloorDiv(self.clone(), other.clone())),
            }),
        }
    }

    /// `self % other`, with the sign of `other`.
    pub fn modulo(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        match (self.as_const(), other.as_const()) {
            (_, Some(0)) => Err(SizeOverflow),
            (Some(a), Some(b)) => {
                let rest = a.checked_rem(b).ok_or(SizeOverflow)?;
                Ok(Dim::constant(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }))
            }
            _ if self.div_exact(other).is_some() => Ok(Dim::ZERO),
            _ => Ok(Dim::atom(Atom::Mod(self.clone(), other.clone()))),
        }
    }

    /// Whether it is proved to be zero or more whatever its sizes are, which are so themselves. One that is not
    /// proved may be all the same.
    pub fn is_nonnegative(&self) -> bool {
        let terms = self.terms();
        let floor = |atom: &Atom| match atom {
            Atom::FloorDiv(p, k) => Some((p.clone(), k.as_const().filter(|k| *k > 0)?)),
            Atom::Size(_) | Atom::Mod(..) => None,
        };
        let known = |atom: &Atom| match atom {
            Atom::Size(_) => true,
            Atom::Mod(_, k) => k.as_const().is_some_and(|k| k > 0),
            Atom::FloorDiv(..) => floor(atom).is_some_and(|(p, _)| p.is_nonnegative()),
        };
        if terms.iter().all(|(monomial, factor)| *factor >= 0 && monomial.iter().all(known)) {
            return true;
        }
        // c·(p // k) is at least c·p / k for a c below zero, and at least c·(p - k + 1) / k for one above; so
        // k times the whole is at least k·rest + c·p, or k·rest + c·(p - k + 1).
        let bound = |monomial: &Monomial, factor: i64| -> Option<Dim> {
            let [atom] = &monomial[..] else { return None };
            let (p, k) = floor(atom)?;
            let term = Dim::from_terms(vec![(monomial.clone(), factor)]).ok()?;
            let rest = self.sub(&term).ok()?.mul(&Dim::constant(k)).ok()?;
            let p = if factor < 0 { p } else { p.add(&Dim::constant(1 - k)).ok()? };
            rest.add(&p.mul(&Dim::constant(factor)).ok()?).ok()
        };
        let lower = terms.iter().find_map(|(monomial, factor)| bound(monomial, *factor));
        lower.is_some_and(|lower| lower.is_nonnegative())
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
                Atom::FloorDiv(a, b) | Atom::Mod(a, b) => {
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
                    Atom::Mod(a, b) => a.substitute(with)?.modulo(&b.substitute(with)?)?,
                };
                product = product.mul(&value)?;
            }
            sum = sum.add(&product)?;
        }
        Ok(sum)
    }

    /// The number when every size is known.
    pub fn eval(&self, sizes: &dyn Fn(SizeId) -> i64) -> Result<i64, SizeOverflow> {
        match &self.0 {
            Repr::Const(value) => Ok(*value),
            Repr::Poly(_) => {
                let known = self.substitute(&|id| Some(Dim::constant(sizes(id))))?;
                known.as_const().ok_or(SizeOverflow)
            }
        }
    }

    /// The text of the size with names for its atoms: `2 * t + 1`.
    pub fn display<'a>(&'a self, name: &'a dyn Fn(SizeId) -> String) -> impl fmt::Display + 'a {
        DisplayDim { dim: self, name }
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

struct DisplayDim<'a> {
    dim: &'a Dim,
    name: &'a dyn Fn(SizeId) -> String,
}

impl fmt::Display for DisplayDim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repr::Poly(terms) = &self.dim.0 else {
            return write!(f, "{}", self.dim.as_const().unwrap_or_default());
        };
        // The constant term sorts first and reads best last.
        let constant_last =
            terms.iter().filter(|term| !term.0.is_empty()).chain(terms.iter().filter(|term| term.0.is_empty()));
        for (at, (monomial, factor)) in constant_last.enumerate() {
            match (at, *factor < 0) {
                (0, true) => f.write_str("-")?,
                (0, false) => {}
                (_, true) => f.write_str(" - ")?,
                (_, false) => f.write_str(" + ")?,
            }
            let mut first = true;
            if factor.unsigned_abs() != 1 || monomial.is_empty() {
                write!(f, "{}", factor.unsigned_abs())?;
                first = false;
            }
            for atom in monomial {
                if !std::mem::take(&mut first) {
                    f.write_str(" * ")?;
                }
                let part = |dim: &Dim| DisplayDim { dim, name: self.name }.to_string();
                match atom {
                    Atom::Size(id) => f.write_str(&(self.name)(*id))?,
                    Atom::FloorDiv(a, b) => write!(f, "({}) // ({})", part(a), part(b))?,
                    Atom::Mod(a, b) => write!(f, "({}) % ({})", part(a), part(b))?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display(&|id| format!("s{}", id.0)))
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(id: u32) -> Dim {
        Dim::size(SizeId(id))
    }

    #[test]
    fn equal_sizes_are_equal_values() {
        let n = s(0);
        let one = Dim::ONE;
        assert_eq!(n.add(&one).unwrap(), one.add(&n).unwrap());
        assert_eq!(n.add(&one).unwrap().sub(&one).unwrap(), n);
        assert_eq!(n.mul(&s(1)).unwrap(), s(1).mul(&n).unwrap());
        assert_eq!(n.sub(&n).unwrap(), Dim::ZERO);
        assert_eq!(n.mul(&s(1)).unwrap().div_exact(&n).unwrap(), s(1));
    }

    #[test]
    fn window_size_of_a_padded_convolution() {
        // (h + 2 - 3) // 2 + 1 for h = 28 and h = 27
        let out = s(0).add(&Dim::constant(-1)).unwrap().floor_div(&Dim::constant(2)).unwrap().add(&Dim::ONE).unwrap();
        assert_eq!(out.eval(&|_| 28), Ok(14));
        assert_eq!(out.eval(&|_| 27), Ok(14));
    }

    #[test]
    fn the_last_place_of_a_window_is_inside() {
        // h - 1 - (2 * ((h - 3) // 2) + 2) is 0 or 1 for every h.
        let floor = s(0).add(&Dim::constant(-3)).unwrap().floor_div(&Dim::constant(2)).unwrap();
        let last = floor.mul(&Dim::constant(2)).unwrap().add(&Dim::constant(2)).unwrap();
        let left = s(0).sub(&Dim::ONE).unwrap().sub(&last).unwrap();
        assert!(left.is_nonnegative());
        assert!(!left.sub(&Dim::ONE).unwrap().is_nonnegative());
        assert!(!s(0).sub(&Dim::ONE).unwrap().is_nonnegative());
    }

    #[test]
    fn overflow_is_an_error() {
        assert_eq!(Dim::constant(i64::MAX).add(&Dim::ONE), Err(SizeOverflow));
        assert_eq!(Dim::constant(1 << 40).mul(&Dim::constant(1 << 40)), Err(SizeOverflow));
        assert_eq!(s(0).mul(&s(0)).unwrap().eval(&|_| 1 << 40), Err(SizeOverflow));
    }
}
