//! What is supposed of sizes, and what follows: a fact is proved, refuted or open.
//!
//! In: facts that hold. Out: a verdict on another, and sizes made simpler by what divides. The prover is sound and
//! incomplete: what it calls proved holds wherever the suppositions do, what it calls refuted holds nowhere there.
//! Every size is zero or more; more is a fact.

use super::dim::{Atom, Monomial, Term, common_factor, without};
use super::{Dim, SizeId, SizeOverflow};

/// Something said of two sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// `k divides p`
    Divides(Dim, Dim),
    /// `a == b`
    Equal(Dim, Dim),
    /// `a != b`
    Differ(Dim, Dim),
    /// `a <= b`
    AtMost(Dim, Dim),
    /// `a < b`
    Below(Dim, Dim),
}

/// What is known of a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// It holds whatever the sizes are.
    Proved,
    /// It holds for no sizes.
    Refuted,
    /// Neither follows.
    Open,
}

/// Facts that hold.
#[derive(Clone, Default, Debug)]
pub struct Facts {
    /// `k divides p`, as `(k, p)`.
    divides: Vec<(Dim, Dim)>,
    /// Each is zero or more.
    nonnegative: Vec<Dim>,
    /// Each is not zero.
    nonzero: Vec<Dim>,
}

/// A moment between two suppositions.
#[derive(Clone, Copy, Debug)]
pub struct Mark([usize; 3]);

/// How many suppositions a proof of an order may add up.
const DEPTH: u32 = 3;

impl Fact {
    /// Both sides, in the order written.
    pub fn sides(&self) -> (&Dim, &Dim) {
        match self {
            Fact::Divides(a, b) | Fact::Equal(a, b) | Fact::Differ(a, b) | Fact::AtMost(a, b) | Fact::Below(a, b) => {
                (a, b)
            }
        }
    }

    /// Whether it orders its sides, or keeps them apart.
    pub fn is_order(&self) -> bool {
        matches!(self, Fact::AtMost(..) | Fact::Below(..) | Fact::Differ(..))
    }

    /// What holds where it does not; of what divides nothing is said.
    pub fn negated(&self) -> Option<Fact> {
        let (a, b) = (self.sides().0.clone(), self.sides().1.clone());
        match self {
            Fact::Divides(..) => None,
            Fact::Equal(..) => Some(Fact::Differ(a, b)),
            Fact::Differ(..) => Some(Fact::Equal(a, b)),
            Fact::AtMost(..) => Some(Fact::Below(b, a)),
            Fact::Below(..) => Some(Fact::AtMost(b, a)),
        }
    }

    /// `<=`
    pub fn sign(&self) -> &'static str {
        match self {
            Fact::Divides(..) => "divides",
            Fact::Equal(..) => "==",
            Fact::Differ(..) => "!=",
            Fact::AtMost(..) => "<=",
            Fact::Below(..) => "<",
        }
    }

    /// The same of other sizes.
    pub fn map(&self, mut with: impl FnMut(&Dim) -> Dim) -> Fact {
        let (a, b) = self.sides();
        let (a, b) = (with(a), with(b));
        match self {
            Fact::Divides(..) => Fact::Divides(a, b),
            Fact::Equal(..) => Fact::Equal(a, b),
            Fact::Differ(..) => Fact::Differ(a, b),
            Fact::AtMost(..) => Fact::AtMost(a, b),
            Fact::Below(..) => Fact::Below(a, b),
        }
    }

    /// Whether it holds of numbers; 0 divides itself alone.
    pub fn holds(&self, sizes: &dyn Fn(SizeId) -> i64) -> Result<bool, SizeOverflow> {
        let (a, b) = self.sides();
        let (a, b) = (a.eval(sizes)?, b.eval(sizes)?);
        Ok(match self {
            Fact::Divides(..) if a == 0 => b == 0,
            Fact::Divides(..) => b.checked_rem(a).ok_or(SizeOverflow)? == 0,
            Fact::Equal(..) => a == b,
            Fact::Differ(..) => a != b,
            Fact::AtMost(..) => a <= b,
            Fact::Below(..) => a < b,
        })
    }
}

impl Facts {
    /// Takes a fact as given.
    pub fn suppose(&mut self, fact: &Fact) {
        match fact {
            Fact::Divides(k, p) => self.divides.push((k.clone(), p.clone())),
            Fact::Equal(a, b) => {
                self.suppose_nonnegative(a.sub(b));
                self.suppose_nonnegative(b.sub(a));
            }
            Fact::Differ(a, b) => {
                // What is zero or more and not zero is one at least.
                for more in [a.sub(b), b.sub(a)].into_iter().flatten() {
                    if self.is_nonnegative(&more) {
                        self.suppose_nonnegative(more.sub(&Dim::ONE));
                    }
                }
                self.nonzero.extend(a.sub(b).ok());
            }
            Fact::AtMost(a, b) => self.suppose_nonnegative(b.sub(a)),
            Fact::Below(a, b) => self.suppose_nonnegative(b.sub(a).and_then(|left| left.sub(&Dim::ONE))),
        }
    }

    /// How much is supposed so far.
    pub fn mark(&self) -> Mark {
        Mark([self.divides.len(), self.nonnegative.len(), self.nonzero.len()])
    }

    /// Takes back what was supposed between two marks, and nothing that came later.
    pub fn forget(&mut self, Mark(from): Mark, Mark(to): Mark) {
        self.divides.drain(from[0]..to[0]);
        self.nonnegative.drain(from[1]..to[1]);
        self.nonzero.drain(from[2]..to[2]);
    }

    fn suppose_nonnegative(&mut self, dim: Result<Dim, SizeOverflow>) {
        self.nonnegative.extend(dim.ok().filter(|dim| dim.as_const().is_none()));
    }

    /// What follows of a fact.
    pub fn judge(&self, fact: &Fact) -> Truth {
        // An overflow is told where the size is made; here it only proves nothing.
        self.judge_checked(fact).unwrap_or(Truth::Open)
    }

    fn judge_checked(&self, fact: &Fact) -> Result<Truth, SizeOverflow> {
        let (a, b) = fact.sides();
        let (a, b) = (self.reduce(a), self.reduce(b));
        Ok(match fact {
            Fact::Divides(..) => self.judge_divides(&a, &b)?,
            Fact::Equal(..) => self.judge_zero(&a.sub(&b)?)?,
            Fact::Differ(..) => match self.judge_zero(&a.sub(&b)?)? {
                Truth::Proved => Truth::Refuted,
                Truth::Refuted => Truth::Proved,
                Truth::Open => Truth::Open,
            },
            Fact::AtMost(..) => self.judge_order(&b.sub(&a)?)?,
            Fact::Below(..) => self.judge_order(&b.sub(&a)?.sub(&Dim::ONE)?)?,
        })
    }

    fn judge_divides(&self, k: &Dim, p: &Dim) -> Result<Truth, SizeOverflow> {
        if *k == Dim::ZERO {
            return self.judge_zero(p);
        }
        if self.exact(p, k).is_some() {
            return Ok(Truth::Proved);
        }
        // What is known to be a multiple and a number that is none are none.
        let number = p.terms().iter().find(|term| term.0.is_empty()).map_or(0, |term| term.1);
        let misses = k.as_const().is_some_and(|k| number.checked_rem(k).is_some_and(|rest| rest != 0));
        if misses && self.exact(&p.sub(&Dim::constant(number))?, k).is_some() {
            return Ok(Truth::Refuted);
        }
        // 0 < p < k
        let smaller = self.is_nonnegative(&p.sub(&Dim::ONE)?) && self.is_nonnegative(&k.sub(p)?.sub(&Dim::ONE)?);
        Ok(if smaller { Truth::Refuted } else { Truth::Open })
    }

    /// Whether a size is zero.
    fn judge_zero(&self, dim: &Dim) -> Result<Truth, SizeOverflow> {
        if let Some(value) = dim.as_const() {
            return Ok(if value == 0 { Truth::Proved } else { Truth::Refuted });
        }
        let minus = Dim::ZERO.sub(dim)?;
        // 2·n = 2·m + 1 has no solution.
        let constant = dim.terms().iter().find(|term| term.0.is_empty()).map_or(0, |term| term.1);
        let odd = dim.content().is_some_and(|content| constant % content != 0);
        let differs = |other: &Dim| other == dim || *other == minus;
        if odd
            || self.nonzero.iter().map(|other| self.reduce(other)).any(|other| differs(&other))
            || self.is_nonnegative(&dim.sub(&Dim::ONE)?)
            || self.is_nonnegative(&minus.sub(&Dim::ONE)?)
        {
            return Ok(Truth::Refuted);
        }
        let zero = self.is_nonnegative(dim) && self.is_nonnegative(&minus);
        Ok(if zero { Truth::Proved } else { Truth::Open })
    }

    /// Whether a size is zero or more.
    fn judge_order(&self, dim: &Dim) -> Result<Truth, SizeOverflow> {
        if self.is_nonnegative(dim) {
            return Ok(Truth::Proved);
        }
        let below = self.is_nonnegative(&Dim::ZERO.sub(dim)?.sub(&Dim::ONE)?);
        Ok(if below { Truth::Refuted } else { Truth::Open })
    }

    // ---- what divides

    /// The size with every quotient that leaves no rest cancelled: `k * (p // k)` is `p` where `k` divides `p`.
    pub fn reduce(&self, dim: &Dim) -> Dim {
        let has_power = !self.nonnegative.is_empty() && dim.has_power();
        if self.divides.is_empty() && !has_power || dim.as_const().is_some() {
            return dim.clone();
        }
        self.reduce_checked(dim).unwrap_or_else(|_| dim.clone())
    }

    /// `b^(n + c)` as a number of factors `b` and a power of what is left: where `n` is 2 at least, `b^n` is
    /// `b · b · b^(n - 2)`, and so is `b · b^(n - 1)`.
    fn power(&self, base: &Dim, exponent: &Dim) -> Result<Dim, SizeOverflow> {
        let whole = || base.power(exponent);
        let terms = exponent.terms();
        let named: Vec<&Term> = terms.iter().filter(|term| !term.0.is_empty()).collect();
        let [(monomial, 1)] = &named[..] else { return whole() };
        let [atom @ Atom::Size(_)] = &monomial[..] else { return whole() };
        let least = self.least(atom, 0).unwrap_or(0);
        let beside = terms.iter().find(|term| term.0.is_empty()).map_or(0, |term| term.1);
        let factors = least.saturating_add(beside);
        if factors < 0 {
            return whole();
        }
        let rest = Dim::atom(atom.clone()).sub(&Dim::constant(least))?;
        base.multiplied(factors)?.mul(&base.power(&rest)?)
    }

    /// A size with its powers written so.
    fn raised_apart(&self, dim: &Dim) -> Dim {
        if !dim.has_power() {
            return dim.clone();
        }
        let product = |(monomial, factor): Term| {
            monomial.iter().try_fold(Dim::constant(factor), |product, atom| match atom {
                Atom::Power(base, exponent) => product.mul(&self.power(base, exponent)?),
                Atom::Size(_) | Atom::FloorDiv(..) => product.mul(&Dim::atom(atom.clone())),
            })
        };
        let sum = dim.terms().into_iter().try_fold(Dim::ZERO, |sum, term| sum.add(&product(term)?));
        sum.unwrap_or_else(|_| dim.clone())
    }

    fn reduce_checked(&self, dim: &Dim) -> Result<Dim, SizeOverflow> {
        let mut sum = Dim::ZERO;
        for (monomial, factor) in dim.terms() {
            let mut product = Dim::constant(factor);
            for atom in monomial {
                let value = match &atom {
                    Atom::Size(_) => Dim::atom(atom),
                    Atom::FloorDiv(p, k) => {
                        let (p, k) = (self.reduce_checked(p)?, self.reduce_checked(k)?);
                        self.rounded_down(&p, &k)?
                    }
                    Atom::Power(base, exponent) => {
                        self.power(&self.reduce_checked(base)?, &self.reduce_checked(exponent)?)?
                    }
                };
                product = product.mul(&value)?;
            }
            sum = sum.add(&product)?;
        }
        // Each round takes one quotient away, and what comes for it has fewer.
        loop {
            let terms = sum.terms();
            let Some((old, new)) = terms.iter().find_map(|term| self.cancelled(term)) else { return Ok(sum) };
            sum = sum.sub(&old)?.add(&new)?;
        }
    }

    /// `p // k`: what is known to leave no rest comes out, whole or term by term.
    fn rounded_down(&self, p: &Dim, k: &Dim) -> Result<Dim, SizeOverflow> {
        if let Some(quotient) = self.exact(p, k) {
            return Ok(quotient);
        }
        let (mut whole, mut rest) = (Dim::ZERO, Dim::ZERO);
        for term in p.terms() {
            let term = Dim::from_terms(vec![term])?;
            match self.exact(&term, k) {
                Some(quotient) => whole = whole.add(&quotient)?,
                None => rest = rest.add(&term)?,
            }
        }
        whole.add(&rest.floor_div(k)?)
    }

    /// `c·m·k·(p // k)` and `c·m·p`, of a term that holds such a quotient without rest.
    fn cancelled(&self, term: &Term) -> Option<(Dim, Dim)> {
        let (monomial, factor) = term;
        monomial.iter().enumerate().find_map(|(at, atom)| {
            let Atom::FloorDiv(p, k) = atom else { return None };
            self.exact(p, k)?;
            let [(divisor, by)] = &k.terms()[..] else { return None };
            let mut others = monomial.clone();
            others.remove(at);
            let others = without(&others, divisor)?;
            let times = factor.div_euclid(*by);
            if times == 0 {
                return None;
            }
            let beside = Dim::from_terms(vec![(others, times)]).ok()?;
            let old = beside.mul(k).ok()?.mul(&Dim::atom(atom.clone())).ok()?;
            Some((old, beside.mul(p).ok()?))
        })
    }

    /// `p / k`, where it is known to leave no rest.
    pub fn exact(&self, p: &Dim, k: &Dim) -> Option<Dim> {
        if let Some(quotient) = p.div_exact(k) {
            return Some(quotient);
        }
        let divisor = k.terms();
        let [(monomial, factor @ 1..)] = &divisor[..] else { return None };
        let (quotient, rest) = p.split_off(monomial, *factor).ok()?;
        // What both sides share divides itself.
        let shared = common_factor(&rest.terms(), &divisor).ok()?;
        let parts = self.sum_of_divided(&rest.div_exact(&shared)?, &k.div_exact(&shared)?)?;
        quotient.add(&parts).ok()
    }

    /// `p / k` as a sum over suppositions `w` of which `k` is a divisor: `Σ c_i · w_i / k`.
    fn sum_of_divided(&self, p: &Dim, k: &Dim) -> Option<Dim> {
        let mut left = p.clone();
        let mut quotient = Dim::ZERO;
        // The strongest first, so that `n // 2` is `2 * (n // 4)` where 4 divides `n`.
        let divided = |(by, whole): &(Dim, Dim)| Some((self.raised_apart(by).div_exact(k)?, self.raised_apart(whole)));
        let mut known: Vec<(Dim, Dim)> = self.divides.iter().filter_map(divided).collect();
        known.sort_by_key(|(times, _)| *times == Dim::ONE);
        for (times, whole) in known {
            if left == Dim::ZERO {
                break;
            }
            let by = times.mul(k).ok()?;
            let [(monomial, factor @ 1..)] = &by.terms()[..] else { continue };
            // Of the supposition as of `p`, only what is no multiple anyway.
            let Ok((_, rest)) = whole.split_off(monomial, *factor) else { continue };
            if rest == Dim::ZERO {
                continue;
            }
            let over = rest.floor_div(&by).ok()?.mul(&times).ok()?;
            if let Some(part) = left.div_exact(&rest) {
                quotient = quotient.add(&part.mul(&over).ok()?).ok()?;
                left = Dim::ZERO;
                continue;
            }
            let [(monomial, factor)] = &rest.terms()[..] else { continue };
            let of_this = |term: &Term| term.1 % factor == 0 && without(&term.0, monomial).is_some();
            let (here, others): (Vec<Term>, Vec<Term>) = left.terms().into_iter().partition(of_this);
            let part = Dim::from_terms(here).ok()?.div_exact(&rest)?;
            quotient = quotient.add(&part.mul(&over).ok()?).ok()?;
            left = Dim::from_terms(others).ok()?;
        }
        (left == Dim::ZERO).then_some(quotient)
    }

    // ---- order

    /// Whether a size is proved to be zero or more. One that is not proved may be all the same.
    pub fn is_nonnegative(&self, dim: &Dim) -> bool {
        let dim = self.reduce(dim);
        self.nonnegative_within(&dim, DEPTH).unwrap_or(false)
    }

    fn nonnegative_within(&self, dim: &Dim, depth: u32) -> Result<bool, SizeOverflow> {
        if let Some(value) = dim.as_const() {
            return Ok(value >= 0);
        }
        if self
            .raised(dim, depth)?
            .terms()
            .iter()
            .all(|(monomial, factor)| *factor >= 0 && monomial.iter().all(|atom| self.least(atom, depth).is_some()))
        {
            return Ok(true);
        }
        if depth == 0 {
            return Ok(false);
        }
        // Behind a quotient: k·(p // k) is at most p and more than p - k.
        for term in dim.terms() {
            if let Some(bound) = self.without_quotient(dim, &term, depth - 1)?
                && self.nonnegative_within(&bound, depth - 1)?
            {
                return Ok(true);
            }
        }
        // b·dim = (b·dim - c·a) + c·a, with a ≥ 0 supposed: as it is, and so that a term of dim below 0 goes.
        for known in &self.nonnegative {
            let known = self.reduce(known);
            let mut weights = vec![(1, 1)];
            for (monomial, factor) in dim.terms().into_iter().filter(|term| term.1 < 0) {
                let there = known.terms().into_iter().find(|term| term.0 == monomial).map_or(0, |term| term.1);
                if there < 0 {
                    let (b, c) = (there.checked_neg().ok_or(SizeOverflow)?, factor.checked_neg().ok_or(SizeOverflow)?);
                    weights.push((b, c));
                }
            }
            for (b, c) in weights {
                let left = dim.mul(&Dim::constant(b))?.sub(&known.mul(&Dim::constant(c))?)?;
                if self.nonnegative_within(&left, depth - 1)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A size that is zero or more only where `dim` is, without the quotient of this term.
    fn without_quotient(&self, dim: &Dim, (monomial, factor): &Term, depth: u32) -> Result<Option<Dim>, SizeOverflow> {
        let floors = monomial.iter().enumerate().filter_map(|(at, atom)| match atom {
            Atom::FloorDiv(p, k) => Some((at, p, k)),
            Atom::Size(_) | Atom::Power(..) => None,
        });
        for (at, p, k) in floors {
            let mut beside = monomial.clone();
            beside.remove(at);
            let positive = match k.as_const() {
                Some(k) => k > 0,
                None => self.nonnegative_within(&k.sub(&Dim::ONE)?, depth)?,
            };
            // The factor beside the quotient, times k where it is none of its divisors.
            let (scale, beside) = match (&k.terms()[..], k.as_const()) {
                (_, Some(_)) => (k.clone(), Dim::from_terms(vec![(beside, *factor)])?),
                ([(divisor, 1)], None) => match without(&beside, divisor) {
                    Some(others) => (Dim::ONE, Dim::from_terms(vec![(others, *factor)])?),
                    None => continue,
                },
                _ => continue,
            };
            let (known, sign) = match beside.terms().first() {
                Some((others, factor)) => (others.iter().all(|atom| self.least(atom, depth).is_some()), *factor),
                None => continue,
            };
            if !positive || !known {
                continue;
            }
            let bound = if sign < 0 { p.clone() } else { p.sub(k)?.add(&Dim::ONE)? };
            let term = Dim::from_terms(vec![(monomial.clone(), *factor)])?;
            return Ok(Some(dim.sub(&term)?.mul(&scale)?.add(&beside.mul(&bound)?)?));
        }
        Ok(None)
    }

    /// The size with each atom written as its least value and what it has above.
    fn raised(&self, dim: &Dim, depth: u32) -> Result<Dim, SizeOverflow> {
        let mut sum = Dim::ZERO;
        for (monomial, factor) in dim.terms() {
            let mut product = Dim::constant(factor);
            for atom in monomial {
                let least = self.least(&atom, depth).unwrap_or(0);
                product = product.mul(&Dim::atom(atom).add(&Dim::constant(least))?)?;
            }
            sum = sum.add(&product)?;
        }
        Ok(sum)
    }

    /// The greatest number that an atom is known to reach, when it is zero or more. A supposition may speak of the very
    /// atom, so questions asked on the way count against the depth.
    fn least(&self, atom: &Atom, depth: u32) -> Option<i64> {
        match atom {
            Atom::Size(_) => {
                let single: Monomial = std::iter::once(atom.clone()).collect();
                // c·atom + d ≥ 0
                let bounds = self.nonnegative.iter().filter_map(|known| match &known.terms()[..] {
                    [(none, d), (monomial, c)] if none.is_empty() && *monomial == single && *c > 0 => {
                        Some(-(d.div_euclid(*c)))
                    }
                    _ => None,
                });
                Some(bounds.max().unwrap_or(0).max(0))
            }
            // A base of one or more gives no less; the exponent is zero or more.
            Atom::Power(base, _) => match base.as_const() {
                Some(base) => (base > 0).then_some(1),
                None if depth == 0 => None,
                None => {
                    let at_least = |least: i64| self.nonnegative_within(&base.sub(&Dim::constant(least))?, depth - 1);
                    [1, 0].into_iter().find(|&least| at_least(least).unwrap_or(false))
                }
            },
            Atom::FloorDiv(..) if depth == 0 => None,
            Atom::FloorDiv(p, k) => {
                let positive = |dim: Result<Dim, SizeOverflow>| {
                    dim.and_then(|dim| self.nonnegative_within(&dim, depth - 1)).unwrap_or(false)
                };
                if !positive(k.sub(&Dim::ONE)) {
                    return None;
                }
                // What divides a size that is not zero is at most that size.
                let whole = self.exact(p, k).is_some() && positive(p.sub(&Dim::ONE));
                if whole || positive(p.sub(k)) {
                    return Some(1);
                }
                positive(Ok(p.clone())).then_some(0)
            }
        }
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
