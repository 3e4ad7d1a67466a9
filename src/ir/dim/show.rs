//! The text of a size, as the language would have it written: `2 * t + 1`, `(h + 1) // 2`.

use std::fmt;

use super::{Atom, Dim, Monomial, Repr, SizeId, Term};

impl Dim {
    /// The text of the size with names for its atoms: `2 * t + 1`.
    pub fn display<'a>(&'a self, name: &'a dyn Fn(SizeId) -> String) -> impl fmt::Display + 'a {
        DisplayDim { dim: self, name }
    }

    /// Whether the text can stand beside any operator without brackets.
    fn is_one_word(&self) -> bool {
        match &self.0 {
            Repr::Const(value) => *value >= 0,
            Repr::Poly(_) => self.as_size().is_some(),
        }
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
        // The constant term sorts first and reads best last; a minus reads best behind something.
        let mut order: Vec<&Term> = terms.iter().filter(|term| !term.0.is_empty()).collect();
        if let Some(positive) = order.iter().position(|term| term.1 > 0) {
            order[..=positive].rotate_right(1);
        }
        order.extend(terms.iter().filter(|term| term.0.is_empty()));
        for (at, (monomial, factor)) in order.into_iter().enumerate() {
            match (at, *factor < 0) {
                (0, true) => f.write_str("-")?,
                (0, false) => {}
                (_, true) => f.write_str(" - ")?,
                (_, false) => f.write_str(" + ")?,
            }
            self.term(f, monomial, factor.unsigned_abs(), at == 0 && *factor < 0)?;
        }
        Ok(())
    }
}

impl DisplayDim<'_> {
    fn term(&self, f: &mut fmt::Formatter<'_>, monomial: &Monomial, factor: u64, negated: bool) -> fmt::Result {
        // A quotient stands alone without brackets, but not behind a sign that would bind it first.
        let alone = factor == 1 && monomial.len() == 1 && !negated;
        let mut first = true;
        if factor != 1 || monomial.is_empty() {
            write!(f, "{factor}")?;
            first = false;
        }
        for atom in monomial {
            if !std::mem::take(&mut first) {
                f.write_str(" * ")?;
            }
            match atom {
                Atom::Size(id) => f.write_str(&(self.name)(*id))?,
                Atom::Power(b, n) => {
                    self.operand(f, b)?;
                    f.write_str("^")?;
                    self.operand(f, n)?;
                }
                Atom::FloorDiv(a, b) if alone => self.quotient(f, a, b)?,
                Atom::FloorDiv(a, b) => {
                    f.write_str("(")?;
                    self.quotient(f, a, b)?;
                    f.write_str(")")?;
                }
            }
        }
        Ok(())
    }

    fn quotient(&self, f: &mut fmt::Formatter<'_>, a: &Dim, b: &Dim) -> fmt::Result {
        self.operand(f, a)?;
        f.write_str(" // ")?;
        self.operand(f, b)
    }

    fn operand(&self, f: &mut fmt::Formatter<'_>, dim: &Dim) -> fmt::Result {
        let shown = DisplayDim { dim, name: self.name };
        match dim.is_one_word() {
            true => write!(f, "{shown}"),
            false => write!(f, "({shown})"),
        }
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
