//! Parameters and states as files hold them, and as the memory of a run does.
//!
//! In memory a tensor is words of 32 bits: two for an f64, the low one first, and one for a float of 16 bits, as the f32
//! that it is. A file holds each in its own width.

use crate::ir;
use crate::sema::dtype::DType;
use crate::tensor::Tensor;

/// Words as a tensor; none when there are not as many as the shape says.
pub(super) fn tensor(dtype: DType, shape: &[usize], words: &[u32]) -> Option<Tensor> {
    let floats = || words.iter().map(|word| f32::from_bits(*word));
    match dtype {
        DType::F64 => Tensor::from_f64(shape, wide(words).map(f64::from_bits).collect()),
        DType::F32 => Tensor::from_f32(shape, floats().collect()),
        DType::F16 => Tensor::from_f16(shape, floats()),
        DType::Bf16 => Tensor::from_bf16(shape, floats()),
        DType::I64 | DType::I32 | DType::I8 | DType::U8 | DType::Bool => {
            Tensor::from_i32(shape, words.iter().map(|word| *word as i32).collect())
        }
    }
}

/// The floats of a tensor in row-major order as words of a dtype, each the nearest that it has; none of whole numbers.
pub(super) fn words(dtype: DType, tensor: &Tensor) -> Option<Vec<u32>> {
    if let (DType::F32, Some(floats)) = (dtype, tensor.as_f32()) {
        return Some(floats.iter().map(|value| value.to_bits()).collect());
    }
    let floats = tensor.floats()?;
    Some(match dtype {
        DType::F64 => floats.iter().flat_map(|value| halves(value.to_bits())).collect(),
        _ => floats.iter().map(|value| (dtype.nearest(*value) as f32).to_bits()).collect(),
    })
}

/// Words as numbers of f64, which has all but the largest of i64.
pub(super) fn numbers(dtype: DType, words: &[u32]) -> Vec<f64> {
    match dtype.carrier() {
        ir::DType::F64 => wide(words).map(f64::from_bits).collect(),
        ir::DType::F32 => words.iter().map(|word| f64::from(f32::from_bits(*word))).collect(),
        ir::DType::I64 => wide(words).map(|bits| bits as i64 as f64).collect(),
        ir::DType::I32 | ir::DType::Bool => words.iter().map(|word| f64::from(*word as i32)).collect(),
    }
}

/// Pairs of words.
fn wide(words: &[u32]) -> impl Iterator<Item = u64> {
    words.as_chunks::<2>().0.iter().map(|[low, high]| u64::from(*low) | u64::from(*high) << 32)
}

fn halves(bits: u64) -> [u32; 2] {
    [bits as u32, (bits >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_goes_to_a_file_and_back() {
        for (dtype, values) in [
            (DType::F64, [0.1, -1e300, f64::MIN_POSITIVE]),
            (DType::F32, [f64::from(0.1f32), -2.5, 0.0]),
            (DType::F16, [0.5, -65504.0, 5.960_464_477_539_063e-8]),
            (DType::Bf16, [0.5, -3.0e38, 1.0]),
        ] {
            let values = values.map(|value| dtype.nearest(value)).to_vec();
            let given = words(dtype, &Tensor::from_f64(&[3], values.clone()).unwrap()).unwrap();
            let tensor = tensor(dtype, &[3], &given).unwrap();
            assert_eq!((tensor.dtype(), tensor.floats().unwrap()), (dtype.as_str(), values));
            assert_eq!(words(dtype, &tensor).unwrap(), given);
        }
    }
}
