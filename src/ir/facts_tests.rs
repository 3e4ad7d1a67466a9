//! The prover against integers: what it calls proved must hold, and what it calls refuted must fail, wherever the
//! suppositions hold. Bindings are of a fixed seed.

use super::*;

fn s(id: u32) -> Dim {
    Dim::size(SizeId(id))
}

fn c(value: i64) -> Dim {
    Dim::constant(value)
}

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % n
    }

    /// A size over three names, with quotients by small numbers and by names.
    fn dim(&mut self, depth: u32) -> Dim {
        if depth == 0 {
            return if self.below(3) == 0 { c(self.below(7)) } else { s(self.below(3) as u32) };
        }
        let (a, b) = (self.dim(depth - 1), self.dim(depth - 1));
        let made = match self.below(6) {
            0 => a.add(&b),
            1 => a.sub(&b),
            2 => a.mul(&b),
            3 => a.floor_div(&c(1 + self.below(4))),
            4 => a.floor_div(&b),
            _ => return a,
        };
        made.unwrap_or(Dim::ONE)
    }

    fn fact(&mut self, depth: u32) -> Fact {
        let (a, b) = (self.dim(depth), self.dim(depth));
        match self.below(8) {
            0 => Fact::Equal(a, b),
            1 => Fact::Differ(a, b),
            2 => Fact::AtMost(a, b),
            3 => Fact::Below(a, b),
            4 => Fact::Divides(s(self.below(3) as u32), b),
            5 => Fact::Divides(c(2 + self.below(3)), b),
            _ => Fact::Divides(a, b),
        }
    }
}

/// Sizes up to a bound, small so that suppositions often hold of them.
fn bindings() -> Vec<[i64; 3]> {
    let mut all = Vec::new();
    for x in 0..10 {
        for y in 0..10 {
            all.extend((0..10).map(|z| [x, y, z]));
        }
    }
    all
}

#[test]
fn verdicts_are_true_of_all_numbers() {
    let mut numbers = Numbers(11);
    let bindings = bindings();
    assert_eq!(bindings.len(), 1000);
    let (mut proved, mut refuted) = (0, 0);
    for _ in 0..6_000 {
        let supposed: Vec<Fact> = (0..numbers.below(4)).map(|_| numbers.fact(1)).collect();
        let fact = numbers.fact(2);
        let mut facts = Facts::default();
        supposed.iter().for_each(|fact| facts.suppose(fact));
        let truth = facts.judge(&fact);
        if truth == Truth::Open {
            continue;
        }
        let mut met = false;
        for sizes in &bindings {
            let size = |id: SizeId| sizes[id.0 as usize];
            if !supposed.iter().all(|fact| fact.holds(&size) == Ok(true)) {
                continue;
            }
            // Nothing is said of a quotient by zero.
            let Ok(holds) = fact.holds(&size) else { continue };
            met = true;
            assert_eq!(holds, truth == Truth::Proved, "{fact:?} is {truth:?} under {supposed:?}, at {sizes:?}");
        }
        if met {
            *(if truth == Truth::Proved { &mut proved } else { &mut refuted }) += 1;
        }
    }
    assert!(proved > 300 && refuted > 150, "{proved} proved, {refuted} refuted");
}

#[test]
fn a_size_made_simpler_is_the_same_size() {
    let mut numbers = Numbers(12);
    let mut simpler = 0;
    for _ in 0..6_000 {
        let supposed: Vec<Fact> = (0..1 + numbers.below(2))
            .map(|_| Fact::Divides(if numbers.below(2) == 0 { s(0) } else { c(2 + numbers.below(3)) }, numbers.dim(1)))
            .collect();
        let mut facts = Facts::default();
        supposed.iter().for_each(|fact| facts.suppose(fact));
        let (a, b) = (numbers.dim(2), if numbers.below(2) == 0 { s(0) } else { c(2) });
        let Ok(dim) = a.floor_div(&b).and_then(|quotient| quotient.mul(&b)) else { continue };
        let reduced = facts.reduce(&dim);
        if reduced == dim {
            continue;
        }
        simpler += 1;
        for sizes in bindings() {
            let size = |id: SizeId| sizes[id.0 as usize];
            if !supposed.iter().all(|fact| fact.holds(&size) == Ok(true)) {
                continue;
            }
            if let (Ok(before), Ok(after)) = (dim.eval(&size), reduced.eval(&size)) {
                assert_eq!(before, after, "{dim} became {reduced} under {supposed:?}, at {sizes:?}");
            }
        }
    }
    assert!(simpler > 30, "{simpler}");
}

#[test]
fn verdicts_on_powers_are_true_of_all_numbers() {
    let mut numbers = Numbers(13);
    let bindings = bindings();
    let (mut proved, mut refuted) = (0, 0);
    for _ in 0..4_000 {
        let power = |numbers: &mut Numbers| {
            let base = if numbers.below(3) == 0 { s(2) } else { c(2 + numbers.below(2)) };
            let exponent = s(numbers.below(2) as u32).add(&c(numbers.below(4) - 1)).unwrap_or(Dim::ONE);
            base.power(&exponent).unwrap_or(Dim::ONE)
        };
        let side = |numbers: &mut Numbers| match numbers.below(3) {
            0 => numbers.dim(1),
            1 => power(numbers),
            _ => power(numbers).mul(&numbers.dim(1)).unwrap_or(Dim::ONE),
        };
        let fact = |numbers: &mut Numbers| {
            let (a, b) = (side(numbers), side(numbers));
            match numbers.below(5) {
                0 => Fact::AtMost(c(numbers.below(4)), s(numbers.below(3) as u32)),
                1 => Fact::Equal(a, b),
                2 => Fact::AtMost(a, b),
                _ => Fact::Divides(a, b),
            }
        };
        let supposed: Vec<Fact> = (0..1 + numbers.below(3)).map(|_| fact(&mut numbers)).collect();
        let asked = fact(&mut numbers);
        let mut facts = Facts::default();
        supposed.iter().for_each(|fact| facts.suppose(fact));
        let truth = facts.judge(&asked);
        if truth == Truth::Open {
            continue;
        }
        let mut met = false;
        for sizes in &bindings {
            let size = |id: SizeId| sizes[id.0 as usize];
            if !supposed.iter().all(|fact| fact.holds(&size) == Ok(true)) {
                continue;
            }
            let Ok(holds) = asked.holds(&size) else { continue };
            met = true;
            assert_eq!(holds, truth == Truth::Proved, "{asked:?} is {truth:?} under {supposed:?}, at {sizes:?}");
        }
        if met {
            *(if truth == Truth::Proved { &mut proved } else { &mut refuted }) += 1;
        }
    }
    assert!(proved > 100 && refuted > 20, "{proved} proved, {refuted} refuted");
}

#[test]
fn powers_are_products() {
    let (n, m, h) = (s(0), s(1), s(2));
    let two = c(2);
    let power = two.power(&n).unwrap();
    assert_eq!(two.power(&n.add(&c(3)).unwrap()).unwrap(), power.mul(&c(8)).unwrap());
    assert_eq!(two.power(&n.add(&m).unwrap()).unwrap(), power.mul(&two.power(&m).unwrap()).unwrap());
    let mut facts = Facts::default();
    facts.suppose(&Fact::Divides(power.clone(), h.clone()));
    assert_eq!(facts.judge(&Fact::AtMost(Dim::ONE, power.clone())), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Divides(two.clone(), h.clone())), Truth::Open);
    facts.suppose(&Fact::Differ(n.clone(), Dim::ZERO));
    assert_eq!(facts.judge(&Fact::Divides(two.clone(), h.clone())), Truth::Proved);
    let less = two.power(&n.sub(&Dim::ONE).unwrap()).unwrap();
    assert_eq!(facts.judge(&Fact::Equal(less.mul(&two).unwrap(), power)), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Divides(less, h.floor_div(&two).unwrap())), Truth::Proved);
}

#[test]
fn what_divides_cancels() {
    let (d, heads, n) = (s(0), s(1), s(2));
    let mut facts = Facts::default();
    let joined = heads.mul(&d.floor_div(&heads).unwrap()).unwrap();
    assert_eq!(facts.judge(&Fact::Equal(joined.clone(), d.clone())), Truth::Open);
    facts.suppose(&Fact::Divides(heads.clone(), d.clone()));
    assert_eq!(facts.reduce(&joined), d);
    assert_eq!(facts.judge(&Fact::Divides(heads.clone(), d.mul(&n).unwrap())), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Divides(heads.clone(), d.add(&heads.mul(&c(3)).unwrap()).unwrap())), Truth::Proved);
    assert_eq!(facts.reduce(&d.modulo(&heads).unwrap()), Dim::ZERO);
    // 4 divides n, so 2 does, and n // 2 is even.
    facts.suppose(&Fact::Divides(c(4), n.clone()));
    assert_eq!(facts.judge(&Fact::Divides(c(2), n.clone())), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Divides(c(2), n.floor_div(&c(2)).unwrap())), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Divides(c(4), n.add(&Dim::ONE).unwrap())), Truth::Refuted);
}

#[test]
fn the_last_place_of_a_window_is_inside() {
    // h - 1 - (2 * ((h - 3) // 2) + 2) is 0 or 1 for every h.
    let floor = s(0).add(&c(-3)).unwrap().floor_div(&c(2)).unwrap();
    let last = floor.mul(&c(2)).unwrap().add(&c(2)).unwrap();
    let left = s(0).sub(&Dim::ONE).unwrap().sub(&last).unwrap();
    let facts = Facts::default();
    assert!(facts.is_nonnegative(&left));
    assert!(!facts.is_nonnegative(&left.sub(&Dim::ONE).unwrap()));
    assert!(!facts.is_nonnegative(&s(0).sub(&Dim::ONE).unwrap()));
}

#[test]
fn orders_add_up() {
    let (n, m) = (s(0), s(1));
    let mut facts = Facts::default();
    facts.suppose(&Fact::AtMost(c(3), n.clone()));
    facts.suppose(&Fact::Below(n.clone(), m.clone()));
    assert_eq!(facts.judge(&Fact::AtMost(c(4), m.clone())), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Equal(n.clone(), m.clone())), Truth::Refuted);
    assert_eq!(facts.judge(&Fact::Differ(n.clone(), m.clone())), Truth::Proved);
    assert_eq!(facts.judge(&Fact::Divides(m, n)), Truth::Refuted);
}
