//! Two values side by side: which number of the one meets which of the other.
//!
//! In: the forms of two operands. Out: the form of the result, and how the places of a row of it lie in either operand.
//! Axes meet by name; where one has no name yet, by place.

use super::transform::Form;

/// How two operands meet.
pub(super) struct Aligned {
    pub form: Form,
    pub left: Places,
    pub right: Places,
}

/// Where an operand has what stands at a place of the result.
pub(super) struct Places {
    /// For each axis of the result its size, and how far a step along it goes in the operand: 0 where it lacks the axis.
    steps: Vec<(usize, usize)>,
}

impl Places {
    /// The place in a row of the operand.
    pub fn of(&self, mut at: usize) -> usize {
        let mut place = 0;
        for &(size, step) in self.steps.iter().rev() {
            place += at % size * step;
            at /= size;
        }
        place
    }
}

/// Aligns two forms; none when they do not agree. `joins` allows a result with more axes than either.
pub(super) fn align(a: &Form, b: &Form, joins: bool) -> Option<Aligned> {
    let by_place = a.shape == b.shape && a.axes.iter().zip(&b.axes).all(|(x, y)| x.is_none() || y.is_none() || x == y);
    if by_place {
        let axes = a.axes.iter().zip(&b.axes).map(|(x, y)| x.or(*y)).collect();
        let form = Form { shape: a.shape.clone(), axes, columns: a.columns.max(b.columns) };
        return Some(Aligned { left: all(&form), right: all(&form), form });
    }
    // One number a row goes with every number of the row.
    if b.shape.is_empty() {
        return Some(Aligned { form: a.clone(), left: all(a), right: Places { steps: Vec::new() } });
    }
    if a.shape.is_empty() {
        return Some(Aligned { form: b.clone(), left: Places { steps: Vec::new() }, right: all(b) });
    }
    if a.axes.iter().chain(&b.axes).any(Option::is_none) {
        return None;
    }
    let holds = |all: &Form, some: &Form| some.axes.iter().all(|axis| all.axes.contains(axis));
    let mut form = if !holds(a, b) && holds(b, a) { b.clone() } else { a.clone() };
    if !holds(a, b) && !holds(b, a) {
        if !joins {
            return None;
        }
        for (axis, size) in b.axes.iter().zip(&b.shape).filter(|(axis, _)| !a.axes.contains(axis)) {
            form.axes.push(*axis);
            form.shape.push(*size);
        }
        form.columns = 1;
    }
    Some(Aligned { left: places(&form, a)?, right: places(&form, b)?, form })
}

/// Every place of a form as it is.
fn all(form: &Form) -> Places {
    let step = |at: usize| form.shape[at + 1..].iter().product();
    Places { steps: (0..form.shape.len()).map(|at| (form.shape[at], step(at))).collect() }
}

/// None where an axis has another size.
fn places(form: &Form, of: &Form) -> Option<Places> {
    let step = |axis, size: usize| match of.axes.iter().position(|own| own == axis) {
        None => Some((size, 0)),
        Some(at) => (of.shape[at] == size).then(|| (size, of.shape[at + 1..].iter().product())),
    };
    let steps: Option<Vec<(usize, usize)>> =
        form.axes.iter().zip(&form.shape).map(|(axis, size)| step(axis, *size)).collect();
    steps.map(|steps| Places { steps })
}
