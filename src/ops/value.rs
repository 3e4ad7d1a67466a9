//! Plain arrays of f64: what the reference computes with. A bool is 0 or 1, an i32 a whole number.

/// An array in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// Outermost first.
    pub dims: Vec<usize>,
    /// As many as the product of the sizes.
    pub data: Vec<f64>,
}

impl Value {
    /// An array of given elements.
    pub fn new(dims: impl Into<Vec<usize>>, data: impl Into<Vec<f64>>) -> Value {
        let value = Value { dims: dims.into(), data: data.into() };
        assert_eq!(value.dims.iter().product::<usize>(), value.data.len(), "elements of an array of {:?}", value.dims);
        value
    }

    /// A number without axes.
    pub fn scalar(value: f64) -> Value {
        Value { dims: Vec::new(), data: vec![value] }
    }

    /// One number everywhere.
    pub fn full(dims: &[usize], value: f64) -> Value {
        Value { dims: dims.to_vec(), data: vec![value; dims.iter().product()] }
    }

    /// An array by a function of the index.
    pub fn from_fn(dims: &[usize], mut element: impl FnMut(&[usize]) -> f64) -> Value {
        let mut data = Vec::with_capacity(dims.iter().product());
        for_each_index(dims, |index| data.push(element(index)));
        Value { dims: dims.to_vec(), data }
    }

    /// The place of an element.
    pub fn offset(&self, index: &[usize]) -> usize {
        debug_assert_eq!(index.len(), self.dims.len());
        index.iter().zip(&self.dims).fold(0, |offset, (at, dim)| offset * dim + at)
    }

    /// An element.
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[self.offset(index)]
    }

    /// How far apart neighbours are along each axis.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.dims.len()];
        for axis in (1..self.dims.len()).rev() {
            strides[axis - 1] = strides[axis] * self.dims[axis];
        }
        strides
    }
}

/// Calls `visit` with every index of an array, the last axis fastest.
pub fn for_each_index(dims: &[usize], mut visit: impl FnMut(&[usize])) {
    if dims.contains(&0) {
        return;
    }
    let mut index = vec![0; dims.len()];
    loop {
        visit(&index);
        let Some(axis) = (0..dims.len()).rev().find(|&axis| index[axis] + 1 < dims[axis]) else { return };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
}
