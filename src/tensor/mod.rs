//! The host tensor at every boundary: loading, transforms, results, files.
//!
//! In: numbers with a shape. Out: an `ndarray` that knows which element type it holds.
//! Axis names are deliberately absent: whoever needs them keeps them beside the tensor, as `Named`
//! does for files. No arithmetic either; that is the compiler's work.

pub mod safetensors;

use half::{bf16, f16};
use ndarray::{ArrayD, IxDyn};

/// Numbers in row-major order with a shape. A truth value travels as `I32`, 0 or 1.
#[derive(Clone, PartialEq, Debug)]
pub enum Tensor {
    /// 64-bit floats.
    F64(ArrayD<f64>),
    /// 32-bit floats.
    F32(ArrayD<f32>),
    /// 16-bit floats of IEEE 754.
    F16(ArrayD<f16>),
    /// 16-bit floats of the range of f32.
    Bf16(ArrayD<bf16>),
    /// 32-bit signed whole numbers: class numbers, positions, truth values.
    I32(ArrayD<i32>),
}

/// Does the same with the array of each element type.
macro_rules! each {
    ($tensor:expr, $array:ident => $body:expr) => {
        match $tensor {
            Tensor::F64($array) => $body,
            Tensor::F32($array) => $body,
            Tensor::F16($array) => $body,
            Tensor::Bf16($array) => $body,
            Tensor::I32($array) => $body,
        }
    };
}

impl Tensor {
    /// Floats in row-major order; none when their number does not fit the shape.
    pub fn from_f32(shape: &[usize], values: Vec<f32>) -> Option<Tensor> {
        shaped(shape, values).map(Tensor::F32)
    }

    /// The same of 64 bits.
    pub fn from_f64(shape: &[usize], values: Vec<f64>) -> Option<Tensor> {
        shaped(shape, values).map(Tensor::F64)
    }

    /// The same of binary16: each the nearest there is.
    pub fn from_f16(shape: &[usize], values: impl IntoIterator<Item = f32>) -> Option<Tensor> {
        shaped(shape, values.into_iter().map(f16::from_f32).collect()).map(Tensor::F16)
    }

    /// The same of bfloat16: each the nearest there is.
    pub fn from_bf16(shape: &[usize], values: impl IntoIterator<Item = f32>) -> Option<Tensor> {
        shaped(shape, values.into_iter().map(bf16::from_f32).collect()).map(Tensor::Bf16)
    }

    /// Whole numbers in row-major order; none when their number does not fit the shape.
    pub fn from_i32(shape: &[usize], values: Vec<i32>) -> Option<Tensor> {
        shaped(shape, values).map(Tensor::I32)
    }

    /// One float without axes.
    pub fn scalar(value: f32) -> Tensor {
        Tensor::F32(ArrayD::from_elem(IxDyn(&[]), value))
    }

    /// The sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        each!(self, array => array.shape())
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        each!(self, array => array.len())
    }

    /// Whether an axis has size 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `f32`, `i32`, …
    pub fn dtype(&self) -> &'static str {
        match self {
            Tensor::F64(_) => "f64",
            Tensor::F32(_) => "f32",
            Tensor::F16(_) => "f16",
            Tensor::Bf16(_) => "bf16",
            Tensor::I32(_) => "i32",
        }
    }

    /// The same with its axes in another order, each once.
    pub fn permuted(self, order: &[usize]) -> Tensor {
        match self {
            Tensor::F64(array) => Tensor::F64(array.permuted_axes(order)),
            Tensor::F32(array) => Tensor::F32(array.permuted_axes(order)),
            Tensor::F16(array) => Tensor::F16(array.permuted_axes(order)),
            Tensor::Bf16(array) => Tensor::Bf16(array.permuted_axes(order)),
            Tensor::I32(array) => Tensor::I32(array.permuted_axes(order)),
        }
    }

    /// The numbers in row-major order, in f64, which has them all; none of whole numbers.
    pub fn floats(&self) -> Option<Vec<f64>> {
        // `iter` follows the logical order, whatever the order in memory.
        Some(match self {
            Tensor::F64(array) => array.iter().copied().collect(),
            Tensor::F32(array) => array.iter().map(|value| f64::from(*value)).collect(),
            Tensor::F16(array) => array.iter().map(|value| value.to_f64()).collect(),
            Tensor::Bf16(array) => array.iter().map(|value| value.to_f64()).collect(),
            Tensor::I32(_) => return None,
        })
    }

    /// The floats of 32 bits.
    pub fn as_f32(&self) -> Option<&ArrayD<f32>> {
        if let Tensor::F32(array) = self { Some(array) } else { None }
    }

    /// The whole numbers.
    pub fn as_i32(&self) -> Option<&ArrayD<i32>> {
        if let Tensor::I32(array) = self { Some(array) } else { None }
    }

    /// The floats in row-major order; none for others or a view in another order.
    pub fn f32_slice(&self) -> Option<&[f32]> {
        self.as_f32().and_then(|array| array.as_slice())
    }

    /// The whole numbers in row-major order; none for floats or a view in another order.
    pub fn i32_slice(&self) -> Option<&[i32]> {
        self.as_i32().and_then(|array| array.as_slice())
    }
}

fn shaped<T>(shape: &[usize], values: Vec<T>) -> Option<ArrayD<T>> {
    ArrayD::from_shape_vec(IxDyn(shape), values).ok()
}

/// A tensor with the names of its axes.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// The numbers.
    pub tensor: Tensor,
    /// One name an axis, outermost first.
    pub axes: Vec<String>,
}
