//! Division of sizes.
//!
//! `p // k` takes out of `p` what `k` divides whatever the sizes are; what is left is an opaque atom in a form of its
//! own, so that `(h - 1) // 2 + 1` and `(h + 1) // 2` are one size. `p % k` is written out as `p - k * (p // k)`.

use super::{Atom, Dim, Monomial, Repr, SizeOverflow, Term};

impl Dim {
    /// `self / other` when it leaves no rest whatever the sizes are.
    pub fn div_exact(&self, other: &Dim) -> Option<Dim> {
        let divisor = other.terms();
        let (lead, factor) = lead(&divisor)?;
        let mut rest = self.clone();
        let mut quotient = Dim::ZERO;
        // Each round takes the leading term away and adds smaller ones, as in the division of numbers on paper.
        loop {
            let terms = rest.terms();
            let Some((monomial, value)) = self::lead(&terms) else { return Some(quotient) };
            if value % factor != 0 {
                return None;
            }
            let part = Dim::from_terms(vec![(without(monomial, lead)?, value.checked_div(factor)?)]).ok()?;
            rest = rest.sub(&part.mul(other).ok()?).ok()?;
            quotient = quotient.add(&part).ok()?;
        }
    }

    /// `self // other`, rounded down.
    pub fn floor_div(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        if let (Some(a), Some(b)) = (self.as_const(), other.as_const()) {
            return floor(a, b).map(Dim::constant);
        }
        if *other == Dim::ZERO {
            return Err(SizeOverflow);
        }
        let divisor = other.terms();
        let [(monomial, factor)] = &divisor[..] else {
            return Ok(self.div_exact(other).unwrap_or_else(|| floor_atom(self, other)));
        };
        // p // -k = -p // k
        if *factor < 0 {
            let minus = Dim::constant(-1);
            return self.mul(&minus)?.floor_div(&other.mul(&minus)?);
        }
        let (quotient, rest) = self.split_off(monomial, *factor)?;
        quotient.add(&rest_over(&rest, other)?)
    }

    /// `self % other`, with the sign of `other`.
    pub fn modulo(&self, other: &Dim) -> Result<Dim, SizeOverflow> {
        self.sub(&other.mul(&self.floor_div(other)?)?)
    }

    /// `q` and `r` with `self = factor · monomial · q + r`, where of `r` nothing more can be taken: its factors
    /// beside that monomial are from 0 to below `factor`.
    pub(in crate::ir) fn split_off(&self, monomial: &Monomial, factor: i64) -> Result<(Dim, Dim), SizeOverflow> {
        let (mut quotient, mut rest) = (Vec::new(), Vec::new());
        for (term, value) in self.terms() {
            match without(&term, monomial) {
                Some(other) => {
                    quotient.push((other, value.div_euclid(factor)));
                    rest.push((term, value.rem_euclid(factor)));
                }
                None => rest.push((term, value)),
            }
        }
        Ok((Dim::from_terms(quotient)?, Dim::from_terms(rest)?))
    }

    /// The greatest common divisor of the factors beside names, when there are some.
    pub(in crate::ir) fn content(&self) -> Option<i64> {
        match &self.0 {
            Repr::Const(_) => None,
            Repr::Poly(terms) => {
                let named = terms.iter().filter(|term| !term.0.is_empty());
                Some(named.fold(0, |content, term| gcd(content, term.1)))
            }
        }
    }
}

/// `a // b` of numbers.
pub(super) fn floor(a: i64, b: i64) -> Result<i64, SizeOverflow> {
    if b == 0 {
        return Err(SizeOverflow);
    }
    let quotient = a.checked_div(b).ok_or(SizeOverflow)?;
    let rounds_up = a % b != 0 && (a < 0) != (b < 0);
    Ok(quotient - i64::from(rounds_up))
}

/// What is left of a product without the atoms of another; none when it lacks one.
pub(in crate::ir) fn without(monomial: &Monomial, other: &Monomial) -> Option<Monomial> {
    let mut left = monomial.clone();
    for atom in other {
        let at = left.iter().position(|known| known == atom)?;
        left.remove(at);
    }
    Some(left)
}

/// The term of the highest degree, of equal ones the last.
fn lead(terms: &[Term]) -> Option<(&Monomial, i64)> {
    let lead = terms.iter().max_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)))?;
    Some((&lead.0, lead.1))
}

/// `rest // other` for a rest of `split_off` and a single positive term.
fn rest_over(rest: &Dim, other: &Dim) -> Result<Dim, SizeOverflow> {
    if *rest == Dim::ZERO {
        return Ok(Dim::ZERO);
    }
    let Some(k) = other.as_const() else {
        // g·a // g·b = a // b
        let common = common_factor(&rest.terms(), &other.terms())?;
        if common != Dim::ONE
            && let (Some(rest), Some(other)) = (rest.div_exact(&common), other.div_exact(&common))
        {
            return rest.floor_div(&other);
        }
        return Ok(floor_atom(rest, other));
    };
    if let Some(value) = rest.as_const() {
        return floor(value, k).map(Dim::constant);
    }
    let (constant, others): (Vec<Term>, Vec<Term>) = rest.terms().into_iter().partition(|term| term.0.is_empty());
    // (g·p + c) // (g·k) = (p + c // g) // k
    let content = others.iter().fold(k, |content, term| gcd(content, term.1));
    if content > 1 {
        let others = others.into_iter().map(|(monomial, factor)| (monomial, factor / content)).collect();
        let constant = constant.first().map_or(0, |term| term.1.div_euclid(content));
        return Dim::from_terms(others)?.add(&Dim::constant(constant))?.floor_div(&Dim::constant(k / content));
    }
    // (p // a + r) // k = (p + a·r) // (a·k): one window behind another is one window.
    let mut inner = others.iter().filter_map(|(monomial, factor)| match (&monomial[..], factor) {
        ([Atom::FloorDiv(p, a)], 1) => Some((p, a.as_const().filter(|a| *a > 0)?)),
        _ => None,
    });
    if let (Some((p, a)), None) = (inner.next(), inner.next()) {
        let floor = floor_atom(p, &Dim::constant(a));
        let beside = rest.sub(&floor)?.mul(&Dim::constant(a))?;
        return p.add(&beside)?.floor_div(&Dim::constant(a.checked_mul(k).ok_or(SizeOverflow)?));
    }
    Ok(floor_atom(rest, other))
}

fn floor_atom(p: &Dim, k: &Dim) -> Dim {
    Dim::atom(Atom::FloorDiv(p.clone(), k.clone()))
}

/// The largest positive term that divides all of these.
pub(in crate::ir) fn common_factor(a: &[Term], b: &[Term]) -> Result<Dim, SizeOverflow> {
    let mut terms = a.iter().chain(b);
    let Some((first, factor)) = terms.next() else { return Ok(Dim::ONE) };
    let (mut common, mut content) = (first.clone(), factor.unsigned_abs());
    for (monomial, factor) in terms {
        let mut left = monomial.clone();
        common.retain(|atom| match left.iter().position(|other| other == atom) {
            Some(at) => {
                left.remove(at);
                true
            }
            None => false,
        });
        content = gcd_unsigned(content, factor.unsigned_abs());
    }
    Dim::from_terms(vec![(common, i64::try_from(content).map_err(|_| SizeOverflow)?)])
}

/// The greatest common divisor, positive.
fn gcd(a: i64, b: i64) -> i64 {
    i64::try_from(gcd_unsigned(a.unsigned_abs(), b.unsigned_abs())).unwrap_or(1)
}

fn gcd_unsigned(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd_unsigned(b, a % b) }
}
