//! The host tensor at every boundary: loading, transforms, results, files.
//!
//! In: numbers with a shape. Out: an `ndarray` that knows which of the two element types it holds.
//! Axis names are deliberately absent: whoever needs them keeps them beside the tensor, as `Named`
//! does for files. No arithmetic either; that is the compiler's work.

pub mod safetensors;

use ndarray::{ArrayD, IxDyn};

/// Numbers in row-major order with a shape. A truth value travels as `I32`, 0 or 1.
#[derive(Clone, PartialEq, Debug)]
pub enum Tensor {
    /// 32-bit floats.
    F32(ArrayD<f32>),
    /// 32-bit signed whole numbers: class numbers, positions, truth values.
    I32(ArrayD<i32>),
}

impl Tensor {
    /// Floats in row-major order; none when their number does not fit the shape.
    pub fn from_f32(shape: &[usize], values: Vec<f32>) -> Option<Tensor> {
        ArrayD::from_shape_vec(IxDyn(shape), values).ok().map(Tensor::F32)
    }

    /// Whole numbers in row-major order; none when their number does not fit the shape.
    pub fn from_i32(shape: &[usize], values: Vec<i32>) -> Option<Tensor> {
        ArrayD::from_shape_vec(IxDyn(shape), values).ok().map(Tensor::I32)
    }

    /// One float without axes.
    pub fn scalar(value: f32) -> Tensor {
        Tensor::F32(ArrayD::from_elem(IxDyn(&[]), value))
    }

    /// The sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Tensor::F32(array) => array.shape(),
            Tensor::I32(array) => array.shape(),
        }
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        match self {
            Tensor::F32(array) => array.len(),
            Tensor::I32(array) => array.len(),
        }
    }

    /// Whether an axis has size 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `f32` or `i32`.
    pub fn dtype(&self) -> &'static str {
        match self {
            Tensor::F32(_) => "f32",
            Tensor::I32(_) => "i32",
        }
    }

    /// The floats.
    pub fn as_f32(&self) -> Option<&ArrayD<f32>> {
        match self {
            Tensor::F32(array) => Some(array),
            Tensor::I32(_) => None,
        }
    }

    /// The whole numbers.
    pub fn as_i32(&self) -> Option<&ArrayD<i32>> {
        match self {
            Tensor::F32(_) => None,
            Tensor::I32(array) => Some(array),
        }
    }

    /// The floats in row-major order; none for whole numbers or a view in another order.
    pub fn f32_slice(&self) -> Option<&[f32]> {
        self.as_f32().and_then(|array| array.as_slice())
    }

    /// The whole numbers in row-major order; none for floats or a view in another order.
    pub fn i32_slice(&self) -> Option<&[i32]> {
        self.as_i32().and_then(|array| array.as_slice())
    }
}

/// A tensor with the names of its axes.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// The numbers.
    pub tensor: Tensor,
    /// One name an axis, outermost first.
    pub axes: Vec<String>,
}
