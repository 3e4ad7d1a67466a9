//! The smallest thing that runs a kernel program: each buffer a segment of its own, sizes bound, scalars
//! computed. What is not written before it is read shows as NaN.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use tensa::backend::interp::graph::Given;
use tensa::backend::{Backend, BindFault, Bound, Memory, Segment, Spot, bound};
use tensa::ir::host::HostEnv;
use tensa::ir::{DType, Graph, Role, SizeId};
use tensa::kernel::ir::{Place, Program, ScalarValue};
use tensa::ops::{Op, Value};
use tensa::runtime::plan;

/// A NaN that nobody computes.
const UNWRITTEN: u32 = 0x7fc0_dead;

/// An element as words of memory, the lower half first.
pub fn word(value: f64, dtype: DType) -> SmallVec<[u32; 2]> {
    let both = |bits: u64| smallvec![bits as u32, (bits >> 32) as u32];
    match dtype {
        DType::F32 => smallvec![(value as f32).to_bits()],
        DType::I32 => smallvec![value as i32 as u32],
        DType::F64 => both(value.to_bits()),
        DType::I64 => both(value as i64 as u64),
        DType::Bool => smallvec![u32::from(value != 0.0)],
    }
}

/// A word of memory as an element of 32 bits.
pub fn element(word: u32, dtype: DType) -> f64 {
    elements(&[word], dtype)[0]
}

/// Words of memory as elements.
pub fn elements(words: &[u32], dtype: DType) -> Vec<f64> {
    let number = |words: &[u32]| match *words {
        [word] => match dtype {
            DType::F32 => f64::from(f32::from_bits(word)),
            DType::I32 => f64::from(word as i32),
            DType::Bool => f64::from(word),
            DType::F64 | DType::I64 => panic!("half of an element"),
        },
        [low, high] if dtype == DType::F64 => f64::from_bits(u64::from(low) | u64::from(high) << 32),
        [low, high] => (u64::from(low) | u64::from(high) << 32) as i64 as f64,
        _ => panic!("no element"),
    };
    words.chunks(dtype.bytes() as usize / 4).map(number).collect()
}

/// What a program is given, as the dtypes of its graph hold it.
pub fn held(graph: &Graph, mut given: Given) -> Given {
    let types = graph.inputs.iter().map(|input| &input.ty).chain(graph.params.iter().map(|param| &param.ty));
    let types = types.chain(graph.states.iter().map(|state| &state.ty));
    let values = given.inputs.iter_mut().chain(&mut given.params).chain(&mut given.states);
    for (value, ty) in values.zip(types) {
        let data = elements(&words(value, ty.dtype), ty.dtype);
        *value = Value::new(value.dims.clone(), data);
    }
    given
}

/// What a program is given, as f32 holds it.
pub fn rounded(mut given: Given) -> Given {
    for value in given.inputs.iter_mut().chain(&mut given.params).chain(&mut given.states) {
        *value = Value::new(value.dims.clone(), value.data.iter().map(|x| f64::from(*x as f32)).collect::<Vec<_>>());
    }
    given
}

fn words(value: &Value, dtype: DType) -> Vec<u32> {
    value.data.iter().flat_map(|x| word(*x, dtype)).collect()
}

/// The words of every output of a graph, from its program on a backend.
pub fn run(
    graph: &Graph,
    program: &Arc<Program>,
    backend: &dyn Backend,
    given: &Given,
) -> Result<Vec<(Role, Vec<u32>)>, BindFault> {
    let sizes = |id: SizeId| given.sizes[id.0 as usize];
    let mut memory: Vec<Vec<u32>> = Vec::new();
    let mut spots = Vec::new();
    let mut loaded = backend.compile(program).expect("a program that compiles");
    let mut lens = program.buffers.iter().map(|b| bound::words(b, &sizes)).collect::<Result<Vec<_>, _>>()?;
    let lives = plan::lives(program);
    let locals = plan::loops(program, &mut lens, &lives, loaded.lanes()).expect("memory for loops");
    for (segment, (buffer, len)) in program.buffers.iter().zip(lens).enumerate() {
        memory.push(match &buffer.place {
            Place::Input(id) => words(&given.inputs[id.index()], graph.inputs[id.index()].ty.dtype),
            Place::Param(id) => words(&given.params[id.index()], graph.params[id.index()].ty.dtype),
            Place::State(id) => words(&given.states[id.index()], graph.states[id.index()].ty.dtype),
            Place::Arena | Place::Result(_) | Place::Row(_) | Place::Local => vec![UNWRITTEN; len],
        });
        assert_eq!(memory[segment].len(), len, "buffer m{segment}");
        spots.push(Spot { segment, offset: 0, len });
    }
    let places: Vec<Place> = program.buffers.iter().map(|buffer| buffer.place.clone()).collect();
    let writable = |segment: usize| !matches!(places[segment], Place::Input(_));
    plan::inside(program, &locals, &mut spots);
    let bound = Bound::new(program, &sizes, spots, loaded.lanes(), &writable)?;

    let env = HostEnv { step: given.step, steps_per_epoch: given.steps_per_epoch, sizes: &sizes };
    let host = program.host.run(&env).expect("sizes in range");
    let scalars: Vec<u64> = bound
        .scalars()
        .iter()
        .map(|scalar| match scalar {
            ScalarValue::Host(id) => u64::from((host[id.0 as usize] as f32).to_bits()),
            ScalarValue::HostWide(id) => host[id.0 as usize].to_bits(),
            ScalarValue::Seed => u64::from(given.seed as u32),
            ScalarValue::SeedHigh => given.seed >> 32,
            ScalarValue::Step => u64::from(given.step as u32),
            ScalarValue::Word(word) => u64::from(*word),
        })
        .collect();
    loaded.reserve(&bound);
    let mut segments: Vec<Segment<'_>> = memory.iter_mut().map(|words| Segment::Write(words)).collect();
    loaded.run(&bound, &scalars, &mut Memory::new(&mut segments));

    let find = |wanted: &Place| places.iter().position(|place| place == wanted).map(|at| memory[at].clone());
    let results = graph.outputs.iter().map(|output| {
        let known = match &output.role {
            Role::NewParam(id) => find(&Place::Param(*id))
                .or_else(|| Some(words(&given.params[id.index()], graph.params[id.index()].ty.dtype))),
            Role::NewState(id) => find(&Place::State(*id))
                .or_else(|| Some(words(&given.states[id.index()], graph.states[id.index()].ty.dtype))),
            role => find(&Place::Result(role.clone())),
        };
        let unchanged = matches!(graph.node(output.node).op, Op::Param(_) | Op::State(_));
        let known = known.unwrap_or_else(|| panic!("{:?} has no memory, unchanged: {unchanged}", output.role));
        (output.role.clone(), known)
    });
    Ok(results.collect())
}
