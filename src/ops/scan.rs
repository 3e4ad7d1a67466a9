//! Loops. Their gradient is taken for all results at once, which is for `autodiff::scan`.

use super::values::{bound, value_of};
use super::{Env, Value};
use crate::ir::host::HostEnv;
use crate::ir::{Scan, ScanArg, SizeOverflow, Ty};

pub(super) fn infer(scan: &Scan, result: usize, args: &[&Ty]) -> Result<Ty, String> {
    let body = &scan.body;
    if args.len() != body.inputs.len() || scan.rows + scan.carries > args.len() {
        return Err(format!("{} arguments for a body with {} inputs", args.len(), body.inputs.len()));
    }
    for (at, (arg, input)) in args.iter().zip(&body.inputs).enumerate() {
        let fits = match scan.arg(at) {
            ScanArg::Row => {
                arg.dtype == input.ty.dtype
                    && arg.dims.first() == Some(&scan.count)
                    && arg.dims[1..] == input.ty.dims[..]
            }
            ScanArg::Carry(_) | ScanArg::Whole => **arg == input.ty,
        };
        if !fits {
            return Err(format!(
                "argument {at} of a loop of {:?} is a {arg:?}, its body takes {:?}",
                scan.count, input.ty
            ));
        }
    }
    if result >= body.outputs.len() || scan.carries > body.outputs.len() {
        return Err(format!("result {result} of {}", body.outputs.len()));
    }
    for at in 0..scan.carries {
        let (new, old) = (body.ty(scan.output(at)), &body.inputs[scan.rows + at].ty);
        if new != old {
            return Err(format!("carry {at} is a {old:?} and becomes a {new:?}"));
        }
    }
    Ok(scan.result_ty(result))
}

pub(super) fn eval(scan: &Scan, result: usize, args: &[&Value], env: &Env<'_>) -> Result<Value, SizeOverflow> {
    let count = scan.count.eval(env.sizes)?.max(0) as usize;
    let body = &scan.body;
    let host_env = HostEnv { step: env.step, steps_per_epoch: 0, sizes: env.sizes };
    let host = body.host.run(&host_env)?;
    let mut carried: Vec<Value> = args[scan.rows..][..scan.carries].iter().map(|first| (*first).clone()).collect();
    let mut stacked: Vec<Vec<f64>> = vec![Vec::new(); count];
    for step in 0..count {
        let position = if scan.reversed { count - 1 - step } else { step };
        let input = |(at, arg): (usize, &&Value)| match scan.arg(at) {
            ScanArg::Row => row(arg, position),
            ScanArg::Carry(number) => carried[number].clone(),
            ScanArg::Whole => (*arg).clone(),
        };
        let inputs: Vec<Value> = args.iter().enumerate().map(input).collect();
        let values = iterate(scan, &Env { inputs: &inputs, params: &[], states: &[], host: &host, ..*env })?;
        carried = (0..scan.carries).map(|at| values[scan.output(at).index()].clone()).collect();
        stacked[position] = values[scan.output(result).index()].data.clone();
    }
    if result < scan.carries {
        return Ok(carried.swap_remove(result));
    }
    let dims = bound(&scan.result_ty(result), env)?;
    Ok(Value::new(dims, stacked.concat()))
}

/// The values of the body's nodes in one iteration.
fn iterate(scan: &Scan, env: &Env<'_>) -> Result<Vec<Value>, SizeOverflow> {
    let mut values: Vec<Option<Value>> = Vec::with_capacity(scan.body.nodes.len());
    for (id, node) in scan.body.ids().zip(&scan.body.nodes) {
        let value = value_of(&scan.body, id, &values, bound(&node.ty, env)?, env)?;
        values.push(Some(value));
    }
    Ok(values.into_iter().flatten().collect())
}

fn row(value: &Value, position: usize) -> Value {
    let dims = &value.dims[1..];
    let len: usize = dims.iter().product();
    Value::new(dims, value.data[position * len..][..len].to_vec())
}
