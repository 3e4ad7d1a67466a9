//! Powers of sizes.
//!
//! `b^(n + k)` is written as `b^k · b^n`, and `b^(n + m)` as `b^n · b^m`, so that equal powers are one product. An exponent
//! with something taken away stays whole in its atom: `b^(n - 1)` is a size only where something says that `n` is 1 at
//! least, and what follows of that stands in `ir/facts.rs`.

use super::{Atom, Dim, Repr, SizeOverflow, Term};

/// The most factors that the power of a multiple, `b^(3 * n)`, is written out as.
const FACTORS: i64 = 8;

impl Dim {
    /// `self^exponent`; the exponent is zero or more wherever the size is asked for.
    pub fn power(&self, exponent: &Dim) -> Result<Dim, SizeOverflow> {
        if let (Some(base), Some(exponent)) = (self.as_const(), exponent.as_const()) {
            return raise(base, exponent).map(Dim::constant);
        }
        if *self == Dim::ONE {
            return Ok(Dim::ONE);
        }
        let terms = exponent.terms();
        let beside = terms.iter().filter(|term| !term.0.is_empty()).map(|term| term.1);
        // A quotient may be below zero, and a power of it no size.
        let is_plain =
            |(monomial, times): &Term| *times >= 0 && monomial.iter().all(|atom| matches!(atom, Atom::Size(_)));
        if !terms.iter().all(is_plain) || beside.fold(0, i64::saturating_add) > FACTORS {
            return Ok(Dim::atom(Atom::Power(self.clone(), exponent.clone())));
        }
        let mut product = Dim::ONE;
        for (monomial, times) in terms {
            if monomial.is_empty() {
                product = product.mul(&self.multiplied(times)?)?;
                continue;
            }
            let part = Dim::from_terms(vec![(monomial, 1)])?;
            product = product.mul(&Dim::atom(Atom::Power(self.clone(), part)).multiplied(times)?)?;
        }
        Ok(product)
    }

    /// `self · self · …`
    pub(in crate::ir) fn multiplied(&self, times: i64) -> Result<Dim, SizeOverflow> {
        if let Some(base) = self.as_const() {
            return raise(base, times).map(Dim::constant);
        }
        // Each factor doubles the terms of a sum.
        if times > FACTORS {
            return Err(SizeOverflow);
        }
        (0..times).try_fold(Dim::ONE, |product, _| product.mul(self))
    }

    /// Whether a power is anywhere in it.
    pub(in crate::ir) fn has_power(&self) -> bool {
        let Repr::Poly(terms) = &self.0 else { return false };
        terms.iter().flat_map(|(monomial, _)| monomial).any(|atom| match atom {
            Atom::Size(_) => false,
            Atom::FloorDiv(a, b) => a.has_power() || b.has_power(),
            Atom::Power(..) => true,
        })
    }
}

/// `base^exponent` of numbers.
pub(super) fn raise(base: i64, exponent: i64) -> Result<i64, SizeOverflow> {
    u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent)).ok_or(SizeOverflow)
}
