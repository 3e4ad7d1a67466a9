//! Leaves: what has no arguments.

use super::{Dist, Env, Number, Value};
use crate::base::philox::{philox, uniform};
use crate::ir::{DType, HostId, Ty, special};

pub(super) fn infer_given(ty: Option<&Ty>) -> Result<Ty, String> {
    ty.cloned().ok_or_else(|| "an input, parameter or state that is not there".to_owned())
}

pub(super) fn infer_const(number: Number) -> Result<Ty, String> {
    let value = number.value();
    let fits = match number.dtype {
        DType::F32 | DType::F64 => true,
        DType::I32 => value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value),
        // Beyond this an f64 leaves some of them out.
        DType::I64 => value.fract() == 0.0 && value.abs() <= 53f64.exp2(),
        DType::Bool => value == 0.0 || value == 1.0,
    };
    if fits { Ok(Ty::scalar(number.dtype)) } else { Err("a constant that its dtype does not hold".to_owned()) }
}

pub(super) fn infer_scalar(host_ops: usize, id: HostId) -> Result<Ty, String> {
    if (id.0 as usize) < host_ops {
        Ok(Ty::scalar(DType::F32))
    } else {
        Err("a host value that is not there".to_owned())
    }
}

/// The first word of Philox at the counter (linear index, site, step, 0) under the seed.
pub(super) fn eval_random(dist: Dist, site: u32, dims: &[usize], env: &Env<'_>) -> Value {
    let key = [env.seed as u32, (env.seed >> 32) as u32];
    let element = |at: usize| {
        let word = philox([at as u32, site, env.step as u32, 0], key)[0];
        match dist {
            Dist::Uniform => f64::from(uniform(word)),
            Dist::Normal => special::normal(word),
        }
    };
    Value::new(dims, (0..dims.iter().product()).map(element).collect::<Vec<_>>())
}
