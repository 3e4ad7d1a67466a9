//! The dtypes of the language, and what becomes of two that meet.
//!
//! In memory and in kernels there are fewer (`ir::DType`): an element of a narrow dtype is carried by the next wider one
//! and holds only values that the narrow one has, because whatever computes it rounds it (`check/cast.rs`). So a bf16 tensor
//! has the numbers of bfloat16, and takes the memory of f32 while a step runs; files hold it in two bytes.
//!
//! **Numbers of a program take the dtype of what they meet**: `0.5 * x` is of the dtype of `x`. Two tensors of different
//! floats give the narrowest float that holds both (`bf16` and `f16` give `f32`). Whole numbers and truths compute as f32,
//! `i64` as f64, and next to a float as that float, or as the first of f32 and f64 where it holds fewer.
//! **What loses nothing happens by itself**: a signature that asks for f64 takes f32; one that asks for bf16 does not.

use crate::ir;
use crate::ir::special::{bf16, f16};

/// The type of an element, as the language names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DType {
    /// 64-bit float, IEEE 754 binary64.
    F64,
    /// 32-bit float, IEEE 754 binary32: what there is without a word.
    F32,
    /// 16-bit float, IEEE 754 binary16: 11 significant bits, at most 65504.
    F16,
    /// 16-bit float of the range of f32: 8 significant bits.
    Bf16,
    /// 64-bit signed whole number.
    I64,
    /// 32-bit signed whole number.
    I32,
    /// 8-bit signed whole number.
    I8,
    /// 8-bit unsigned whole number.
    U8,
    /// True or false.
    Bool,
}

impl DType {
    /// Every one.
    pub const ALL: [DType; 9] =
        [DType::F64, DType::F32, DType::F16, DType::Bf16, DType::I64, DType::I32, DType::I8, DType::U8, DType::Bool];

    /// The dtype of a word before brackets.
    pub fn parse(word: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|dtype| dtype.as_str() == word)
    }

    /// `f32`
    pub fn as_str(self) -> &'static str {
        match self {
            DType::F64 => "f64",
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::Bf16 => "bf16",
            DType::I64 => "i64",
            DType::I32 => "i32",
            DType::I8 => "i8",
            DType::U8 => "u8",
            DType::Bool => "bool",
        }
    }

    /// What carries it in the graph.
    pub fn carrier(self) -> ir::DType {
        match self {
            DType::F64 => ir::DType::F64,
            DType::F32 | DType::F16 | DType::Bf16 => ir::DType::F32,
            DType::I64 => ir::DType::I64,
            DType::I32 | DType::I8 | DType::U8 => ir::DType::I32,
            DType::Bool => ir::DType::Bool,
        }
    }

    /// How many bytes an element has in memory while a step runs.
    pub fn bytes(self) -> i64 {
        self.carrier().bytes()
    }

    /// Whether it is a float: what has a gradient.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F64 | DType::F32 | DType::F16 | DType::Bf16)
    }

    /// Whether it is a whole number.
    pub fn is_int(self) -> bool {
        matches!(self, DType::I64 | DType::I32 | DType::I8 | DType::U8)
    }

    /// The float in which a tensor of it is computed with, gradients and sums of it too: f32 or f64.
    pub fn computed(self) -> DType {
        match self {
            DType::F64 | DType::I64 => DType::F64,
            DType::F32 | DType::F16 | DType::Bf16 | DType::I32 | DType::I8 | DType::U8 | DType::Bool => DType::F32,
        }
    }

    /// Whether it has every value of another.
    pub fn holds(self, other: DType) -> bool {
        // A float has the whole numbers of so many bits, a whole number those of so many and perhaps a sign.
        let bits = |dtype: DType| match dtype {
            DType::F64 => 53,
            DType::F32 => 24,
            DType::F16 => 11,
            DType::Bf16 => 8,
            DType::I64 => 63,
            DType::I32 => 31,
            DType::I8 => 7,
            DType::U8 => 8,
            DType::Bool => 1,
        };
        let signed = |dtype: DType| !matches!(dtype, DType::U8 | DType::Bool);
        match (self.is_float(), other.is_float()) {
            (true, true) => {
                self == other || self == DType::F64 || self == DType::F32 && matches!(other, DType::F16 | DType::Bf16)
            }
            (true, false) => bits(self) >= bits(other),
            (false, true) => false,
            (false, false) => bits(self) >= bits(other) && (signed(self) || !signed(other)),
        }
    }

    /// A number as it has it: the nearest float, ties to even, and the whole number towards zero, the nearest there is.
    pub fn nearest(self, value: f64) -> f64 {
        match self {
            DType::F64 => value,
            DType::F32 => f64::from(value as f32),
            DType::F16 => f16(value),
            DType::Bf16 => bf16(value),
            // `as` cuts towards zero, saturates and takes NaN to 0.
            DType::I64 => (value as i64) as f64,
            DType::I32 => f64::from(value as i32),
            DType::I8 => f64::from(value as i8),
            DType::U8 => f64::from(value as u8),
            DType::Bool => f64::from(u8::from(value != 0.0)),
        }
    }

    /// The float in which two tensors compute.
    pub fn met(self, other: DType) -> DType {
        match (self.is_float(), other.is_float()) {
            (true, true) if self.holds(other) => self,
            (true, true) if other.holds(self) => other,
            (true, true) => DType::F32,
            (true, false) if self.holds(other) => self,
            (false, true) if other.holds(self) => other,
            // An i32 has more digits than f32; it computes as f32 all the same, as it does by itself.
            (true, false) => self.met(other.computed()),
            (false, true) => other.met(self.computed()),
            (false, false) => self.computed().met(other.computed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_another_takes_it_in() {
        for a in DType::ALL {
            assert!(a.holds(a), "{a:?}");
            for b in DType::ALL {
                let met = a.met(b);
                assert_eq!(met, b.met(a), "{a:?} {b:?}");
                assert!(met.is_float());
                // Nothing is lost but digits of whole numbers, and of those only where f32 or f64 is all there is.
                for one in [a, b] {
                    let is_cut = one.is_int() && !met.holds(one);
                    assert!(met.holds(one) || is_cut && met == one.computed().met(met), "{a:?} {b:?} {met:?}");
                }
            }
        }
        assert_eq!(DType::F16.met(DType::Bf16), DType::F32);
        assert_eq!(DType::Bf16.met(DType::U8), DType::Bf16);
        assert_eq!(DType::F16.met(DType::I32), DType::F32);
        assert_eq!(DType::F32.met(DType::I64), DType::F64);
        assert!(!DType::I8.holds(DType::U8) && DType::I32.holds(DType::U8) && !DType::U8.holds(DType::I8));
    }
}
