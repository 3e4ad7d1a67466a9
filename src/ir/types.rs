//! What a value of the graph is: a dtype and ordered sizes.

use std::fmt;

use smallvec::SmallVec;

use super::Dim;

/// The type of an element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DType {
    /// 32-bit float; the f64 interpreter computes these in f64.
    F32,
    /// 64-bit float.
    F64,
    /// 32-bit signed integer: indices and positions.
    I32,
    /// 64-bit signed integer; it is stored, compared and converted, and nothing else.
    I64,
    /// True or false; 0 or 1 in memory, 32 bits wide.
    Bool,
}

impl DType {
    /// Every one.
    pub const ALL: [DType; 5] = [DType::F32, DType::F64, DType::I32, DType::I64, DType::Bool];

    /// `f32`
    pub fn as_str(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::Bool => "bool",
        }
    }

    /// Bytes of an element in memory.
    pub fn bytes(self) -> i64 {
        match self {
            DType::F32 | DType::I32 | DType::Bool => 4,
            DType::F64 | DType::I64 => 8,
        }
    }

    /// Whether it is a float: what has a gradient.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Whether it is a whole number.
    pub fn is_int(self) -> bool {
        matches!(self, DType::I32 | DType::I64)
    }
}

/// Ordered sizes; a scalar has none.
pub type Dims = SmallVec<[Dim; 4]>;

/// The type of a node.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ty {
    /// Of each element.
    pub dtype: DType,
    /// Outermost first.
    pub dims: Dims,
}

impl Ty {
    /// A tensor type.
    pub fn new(dtype: DType, dims: impl IntoIterator<Item = Dim>) -> Ty {
        Ty { dtype, dims: dims.into_iter().collect() }
    }

    /// A type without axes.
    pub fn scalar(dtype: DType) -> Ty {
        Ty::new(dtype, [])
    }

    /// How many axes.
    pub fn rank(&self) -> usize {
        self.dims.len()
    }
}

impl fmt::Debug for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.dtype.as_str())?;
        for (at, dim) in self.dims.iter().enumerate() {
            write!(f, "{}{dim:?}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str("]")
    }
}
