//! Sizes against integers: what the canonical form says is held against the values, on bindings of a fixed seed.

use super::*;

fn s(id: u32) -> Dim {
    Dim::size(SizeId(id))
}

fn c(value: i64) -> Dim {
    Dim::constant(value)
}

/// Numbers of a fixed sequence.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % n
    }

    fn binding(&mut self) -> [i64; 3] {
        [self.below(50), self.below(50), self.below(50)]
    }
}

/// An expression that is evaluated in two ways: as a size, and as integers.
enum Tree {
    Number(i64),
    Size(u32),
    Node(char, Box<Tree>, Box<Tree>),
}

impl Tree {
    fn random(numbers: &mut Numbers, depth: u32, ops: &[char]) -> Tree {
        if depth == 0 || numbers.below(4) == 0 {
            return match numbers.below(3) {
                0 => Tree::Number(numbers.below(9) - 4),
                _ => Tree::Size(numbers.below(3) as u32),
            };
        }
        let op = ops[numbers.below(ops.len() as i64) as usize];
        let left = Tree::random(numbers, depth - 1, ops);
        let right = match op {
            // Divisors of either sign, and now and then a symbol.
            '/' | '%' if numbers.below(4) > 0 => Tree::Number([1, 2, 3, 4, 6, -2, -3][numbers.below(7) as usize]),
            _ => Tree::random(numbers, depth - 1, ops),
        };
        Tree::Node(op, Box::new(left), Box::new(right))
    }

    fn dim(&self) -> Option<Dim> {
        match self {
            Tree::Number(value) => Some(c(*value)),
            Tree::Size(id) => Some(s(*id)),
            Tree::Node(op, a, b) => {
                let (a, b) = (a.dim()?, b.dim()?);
                match op {
                    '+' => a.add(&b),
                    '-' => a.sub(&b),
                    '*' => a.mul(&b),
                    '/' => a.floor_div(&b),
                    _ => a.modulo(&b),
                }
                .ok()
            }
        }
    }

    /// With the floor written out: of the remainder that has the sign of the divisor.
    fn value(&self, sizes: &[i64; 3]) -> Option<i64> {
        match self {
            Tree::Number(value) => Some(*value),
            Tree::Size(id) => Some(sizes[*id as usize]),
            Tree::Node(op, a, b) => {
                let (a, b) = (a.value(sizes)?, b.value(sizes)?);
                let rest = |a: i64, b: i64| Some(((a.checked_rem(b)?) + b) % b);
                match op {
                    '+' => a.checked_add(b),
                    '-' => a.checked_sub(b),
                    '*' => a.checked_mul(b),
                    '/' => Some((a - rest(a, b)?) / b),
                    _ => rest(a, b),
                }
            }
        }
    }
}

#[test]
fn sums_and_products_are_equal_exactly_when_their_values_are() {
    let mut numbers = Numbers(1);
    let (mut equal, mut different) = (0, 0);
    for _ in 0..4000 {
        let left = Tree::random(&mut numbers, 3, &['+', '-', '*']);
        let right = Tree::random(&mut numbers, 3, &['+', '-', '*']);
        let (Some(a), Some(b)) = (left.dim(), right.dim()) else { continue };
        let agree = (0..40).all(|_| {
            let sizes = numbers.binding();
            left.value(&sizes) == right.value(&sizes)
        });
        assert_eq!(a == b, agree, "{a} and {b}");
        *(if agree { &mut equal } else { &mut different }) += 1;
    }
    assert!(equal > 20 && different > 400, "{equal} equal, {different} different");
}

#[test]
fn quotients_and_rests_are_those_of_integers() {
    let mut numbers = Numbers(2);
    let mut compared = 0;
    for _ in 0..4000 {
        let tree = Tree::random(&mut numbers, 4, &['+', '-', '*', '/', '%']);
        let Some(dim) = tree.dim() else { continue };
        for _ in 0..20 {
            let sizes = numbers.binding();
            // A division by zero may be cancelled, as in (n * m) // n.
            let Some(value) = tree.value(&sizes) else { continue };
            assert_eq!(dim.eval(&|id| sizes[id.0 as usize]), Ok(value), "{dim} at {sizes:?}");
            compared += 1;
        }
    }
    assert!(compared > 30_000, "{compared}");
}

#[test]
fn a_size_put_into_another_is_its_value_there() {
    let mut numbers = Numbers(3);
    for _ in 0..500 {
        let (tree, part) = (
            Tree::random(&mut numbers, 3, &['+', '-', '*', '/', '%']),
            Tree::random(&mut numbers, 2, &['+', '-', '*']),
        );
        let (Some(dim), Some(with)) = (tree.dim(), part.dim()) else { continue };
        let Ok(whole) = dim.substitute(&|id| (id.0 == 0).then(|| with.clone())) else { continue };
        for _ in 0..20 {
            let [_, y, z] = numbers.binding();
            let Some(x) = part.value(&[7, y, z]).filter(|_| !with.sizes().contains(&SizeId(0))) else { continue };
            let Some(value) = tree.value(&[x, y, z]) else { continue };
            assert_eq!(whole.eval(&|id| [7, y, z][id.0 as usize]), Ok(value), "{dim} with {with}");
        }
    }
}

#[test]
fn spellings_of_one_size_are_one() {
    let (n, m, h) = (s(0), s(1), s(2));
    let one = Dim::ONE;
    assert_eq!(n.add(&one), one.add(&n));
    assert_eq!(n.mul(&m), m.mul(&n));
    assert_eq!(n.sub(&n), Ok(Dim::ZERO));
    assert_eq!(n.mul(&m).unwrap().div_exact(&n), Some(m.clone()));
    assert_eq!(n.mul(&c(2)).unwrap().floor_div(&c(2)), Ok(n.clone()));
    // (h + 2 - 3) // 2 + 1 = (h + 1) // 2
    let window = h.add(&c(-1)).unwrap().floor_div(&c(2)).unwrap().add(&one).unwrap();
    assert_eq!(window, h.add(&one).unwrap().floor_div(&c(2)).unwrap());
    // A window behind a window: ((h + 1) // 2 + 1) // 2 = (h + 3) // 4
    let twice = window.add(&one).unwrap().floor_div(&c(2)).unwrap();
    assert_eq!(twice, h.add(&c(3)).unwrap().floor_div(&c(4)).unwrap());
    // (2n + 1) // 4 = n // 2, and 2n + 1 is odd
    let odd = n.mul(&c(2)).unwrap().add(&one).unwrap();
    assert_eq!(odd.floor_div(&c(4)), n.floor_div(&c(2)));
    assert_eq!(odd.modulo(&c(2)), Ok(one));
    // (n + m)·(n - m) / (n - m)
    let (sum, difference) = (n.add(&m).unwrap(), n.sub(&m).unwrap());
    assert_eq!(sum.mul(&difference).unwrap().div_exact(&difference), Some(sum));
    // 2 · (n // 2) is not n.
    assert_ne!(n.floor_div(&c(2)).unwrap().mul(&c(2)), Ok(n));
}

#[test]
fn texts_are_the_languages() {
    let (n, m) = (s(0), s(1));
    let name = |id: SizeId| ["n", "m", "h"][id.0 as usize].to_owned();
    let half = n.add(&Dim::ONE).unwrap().floor_div(&c(2)).unwrap();
    let shown = |dim: Dim| dim.display(&name).to_string();
    assert_eq!(shown(half.clone()), "(n + 1) // 2");
    assert_eq!(shown(half.mul(&c(3)).unwrap().sub(&m).unwrap()), "3 * ((n + 1) // 2) - m");
    assert_eq!(shown(m.sub(&n).unwrap().sub(&Dim::ONE).unwrap()), "m - n - 1");
    assert_eq!(shown(n.floor_div(&m).unwrap().mul(&c(-1)).unwrap()), "-(n // m)");
}

#[test]
fn overflow_is_an_error() {
    assert_eq!(c(i64::MAX).add(&Dim::ONE), Err(SizeOverflow));
    assert_eq!(c(1 << 40).mul(&c(1 << 40)), Err(SizeOverflow));
    assert_eq!(s(0).mul(&s(0)).unwrap().eval(&|_| 1 << 40), Err(SizeOverflow));
    assert_eq!(s(0).floor_div(&s(1)).unwrap().eval(&|_| 0), Err(SizeOverflow));
}
