//! Two values side by side: which number of the one meets which of the other.
//!
//! In: the forms of two operands. Out: the form of the result, and for each of its places the place of either
//! operand within a row. Axes meet by name; where one has no name yet, by place.

use super::transform::Form;

/// How two operands meet.
pub(super) struct Aligned {
    pub form: Form,
    /// For each place of the result in a row: that of the left and that of the right operand.
    pub places: Vec<(usize, usize)>,
}

/// Aligns two forms; none when they do not agree. `joins` allows a result with more axes than either.
pub(super) fn align(a: &Form, b: &Form, joins: bool) -> Option<Aligned> {
    let by_place = a.shape == b.shape && a.axes.iter().zip(&b.axes).all(|(x, y)| x.is_none() || y.is_none() || x == y);
    if by_place {
        let axes = a.axes.iter().zip(&b.axes).map(|(x, y)| x.or(*y)).collect();
        let form = Form { shape: a.shape.clone(), axes, columns: a.columns.max(b.columns) };
        return Some(Aligned { places: (0..form.item()).map(|at| (at, at)).collect(), form });
    }
    // One number a row goes with every number of the row.
    if b.shape.is_empty() {
        return Some(Aligned { places: (0..a.item()).map(|at| (at, 0)).collect(), form: a.clone() });
    }
    if a.shape.is_empty() {
        return Some(Aligned { places: (0..b.item()).map(|at| (0, at)).collect(), form: b.clone() });
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
    let (left, right) = (strides(&form, a)?, strides(&form, b)?);
    let places = (0..form.item()).map(|at| (place(&form, &left, at), place(&form, &right, at)));
    Some(Aligned { places: places.collect(), form })
}

/// For each axis of `form`, how far a step along it goes in `of`: 0 where `of` lacks the axis. None where an axis has
/// another size.
fn strides(form: &Form, of: &Form) -> Option<Vec<usize>> {
    let stride = |axis, size: usize| match of.axes.iter().position(|own| own == axis) {
        None => Some(0),
        Some(at) => (of.shape[at] == size).then(|| of.shape[at + 1..].iter().product()),
    };
    form.axes.iter().zip(&form.shape).map(|(axis, size)| stride(axis, *size)).collect()
}

fn place(form: &Form, strides: &[usize], mut at: usize) -> usize {
    let mut place = 0;
    for (size, stride) in form.shape.iter().zip(strides).rev() {
        place += at % size * stride;
        at /= size;
    }
    place
}
