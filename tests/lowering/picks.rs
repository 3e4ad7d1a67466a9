//! Picks by an index from rows of each kind of element.

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::graph::Given;
use tensa::canon;
use tensa::ir::{DType, Dim, Graph, Output, Role, Ty};
use tensa::ops::{Builder, Cmp, Number, Value};
use tensa::opt;

use super::random_graphs::{check, program};
use crate::ops::gradients::input;

#[test]
fn rows_of_each_kind_of_element() {
    for dtype in DType::ALL {
        // A row that is stored, and one that is computed where it is picked from.
        for computed in [false, true] {
            let mut given = Given::default();
            let mut b = Builder::new(Graph::default());
            let ty = |dtype, dims: &[i64]| Ty::new(dtype, dims.iter().map(|dim| Dim::constant(*dim)));
            let element = |at: &[usize]| match dtype {
                DType::F32 | DType::F64 => 0.5 - at[0] as f64 * at[1] as f64,
                DType::I32 | DType::I64 => (7 * at[0] + 5 * at[1]) as f64 - 20.0,
                DType::Bool => f64::from(u8::from((at[0] + at[1]).is_multiple_of(3))),
            };
            let x = Value::from_fn(&[9, 6], element);
            let mut x = input(&mut b, &mut given, ty(dtype, &[9, 6]), x);
            if computed {
                let positions = b.positions(&[Dim::constant(9), Dim::constant(6)], 1);
                let three = b.full(&[Dim::constant(9), Dim::constant(6)], Number::i32(3));
                let first = b.cmp(Cmp::Lt, positions, three);
                let reversed = input(
                    &mut b,
                    &mut given,
                    ty(dtype, &[9, 6]),
                    Value::from_fn(&[9, 6], |at| element(&[8 - at[0], at[1]])),
                );
                x = b.select(first, x, reversed);
            }
            let index = Value::from_fn(&[9], |at| (at[0] * 4 % 6) as f64);
            let index = input(&mut b, &mut given, ty(DType::I32, &[9]), index);
            let picked = b.pick(x, 1, index);
            let picked = b.cast(picked, DType::F32);
            b.graph.outputs.push(Output { role: Role::Value("y".to_owned()), node: picked });
            let graph = opt::run(&canon::run(&b.finish()));
            let what = format!("{dtype:?} computed {computed}");
            check(&what, &graph, given, &program(&what, &graph), &Cpu::new(2).unwrap());
        }
    }
}
