//! Print, parse and print again; and what the verifier finds.

use tensa::autodiff;
use tensa::ir::host::{HostBinary, HostUnary};
use tensa::ir::text::{parse, print};
use tensa::ir::{
    DType, Dim, Graph, HostId, HostOp, Input, InputId, NodeId, Output, Param, ParamId, Role, SizeId, State, StateId, Ty,
};
use tensa::ops::Builder;
use tensa::ops::verify::verify;
use tensa::ops::{MapOp, Number, Op};

use crate::support::graphs::random_graph;

fn round_trip(graph: &Graph) {
    let text = print(graph);
    let parsed = parse(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert_eq!(print(&parsed), text);
    verify(&parsed).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert_eq!(parsed.nodes.len(), graph.nodes.len());
    for (parsed, node) in parsed.nodes.iter().zip(&graph.nodes) {
        assert_eq!((&parsed.op, &parsed.args, &parsed.ty), (&node.op, &node.args, &node.ty));
    }
    assert_eq!((&parsed.inputs, &parsed.outputs), (&graph.inputs, &graph.outputs));
}

#[test]
fn random_graphs_round_trip() {
    for seed in 0..300 {
        let (graph, _) = random_graph(seed);
        round_trip(&graph);
        round_trip(&autodiff::gradients(&graph));
    }
}

#[test]
fn what_is_around_the_nodes_round_trips() {
    let mut graph = Graph { sizes: ["t", "t", "s1", "a b", "d'"].map(str::to_owned).to_vec(), ..Graph::default() };
    let size = |id| Dim::size(SizeId(id));
    let odd = size(0).mul(&size(1)).unwrap().sub(&Dim::constant(3)).unwrap();
    let odd = odd.floor_div(&Dim::constant(2)).unwrap().mul(&size(4)).unwrap().modulo(&size(3)).unwrap();
    let odd = odd.mul(&Dim::constant(-2)).unwrap().add(&Dim::ONE).unwrap();
    let ty = Ty::new(DType::F32, [odd.clone(), size(2)]);
    graph.inputs.push(Input { name: "a \"b\"\n".to_owned(), ty: Ty::scalar(DType::I32), below: Some(odd.clone()) });
    graph.params.push(Param { path: "Net.w".to_owned(), ty: ty.clone(), axes: vec!["i".to_owned(), "o".to_owned()] });
    graph.states.push(State { path: "s".to_owned(), ty, axes: Vec::new() });
    for op in
        [HostOp::Const(0.1), HostOp::Const(f64::NEG_INFINITY), HostOp::Size(odd), HostOp::Step, HostOp::StepsPerEpoch]
    {
        graph.host.ops.push(op);
    }
    graph.host.ops.push(HostOp::Unary(HostUnary::Cos, HostId(0)));
    graph.host.ops.push(HostOp::Binary(HostBinary::FloorDiv, HostId(0), HostId(5)));
    graph.host.ops.push(HostOp::Select(HostId(1), HostId(2), HostId(3)));
    let mut b = Builder::new(graph);
    let p = b.node(Op::Param(ParamId(0)), &[]);
    let s = b.node(Op::State(StateId(0)), &[]);
    let sum = b.map(MapOp::Add, &[p, s]);
    for number in [f64::NAN, f64::from_bits(f64::NAN.to_bits() | 5), -0.0, 1e-300, 0.1, f64::INFINITY] {
        b.f32(number);
    }
    b.constant(Number::i32(-7));
    b.constant(Number::bool(true));
    let scalar = b.scalar(HostId(7));
    for (role, node) in [
        (Role::Loss, scalar),
        (Role::Metric("a".to_owned()), scalar),
        (Role::Predict(String::new()), sum),
        (Role::Grad(ParamId(0)), sum),
        (Role::NewParam(ParamId(0)), sum),
        (Role::NewState(StateId(0)), sum),
        (Role::Value("%".to_owned()), sum),
    ] {
        b.graph.outputs.push(Output { role, node });
    }
    round_trip(&b.finish());
}

#[test]
fn a_graph_reads_well() {
    let text = "\
size batch
input 0 \"x\": f32[batch, 4]
input 1 \"y\": i32[batch] below 3
param 0 \"Net.w\": f32[4, 3] \"in\", \"class\"
%0: f32[batch, 4] = input[0]
%1: f32[4, 3] = param[0]
%2: f32[batch, 3] = contract[ab,bc->ac] %0, %1
%3: f32[batch] = log_sum_exp[1] %2
%4: i32[batch] = input[1]
%5: f32[batch] = pick[1] %2, %4
%6: f32[batch] = sub %3, %5
%7: f32[] = reduce_sum[0] %6
output loss = %7
";
    let graph = parse(text).unwrap();
    verify(&graph).unwrap();
    assert_eq!(print(&graph), text);
}

#[test]
fn mistakes_in_a_text_name_their_line() {
    for (text, line) in [
        ("%0: f32[] = const[1]\n%2: f32[] = const[1]", "line 2"),
        ("%0: f32[] = nothing[1]", "line 1"),
        ("size n\n\n%0: i32[m] = iota[m]", "line 3"),
        ("%0: f32[] = const[1] and more", "line 1"),
        ("output best = %0", "line 1"),
        ("host 0 = add 1", "line 1"),
        ("%0: f32[] = const[", "line 1"),
        ("input 0 \"x: f32[]", "line 1"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(line), "{error}");
    }
}

/// A small graph that is right.
fn sound() -> Graph {
    parse(
        "\
size n
host 0 = const 2.0
host 1 = neg 0
input 0 \"x\": f32[n, 4]
param 0 \"w\": f32[4]
state 0 \"s\": f32[]
%0: f32[n, 4] = input[0]
%1: f32[4] = param[0]
%2: f32[n, 4] = broadcast[_: n, 0: 4] %1
%3: f32[n, 4] = mul %0, %2
%4: f32[] = reduce_sum[0, 1] %3
%5: f32[] = scalar[1]
%6: f32[] = add %4, %5
output loss = %6
output grad 0 = %1
output new_state 0 = %6
",
    )
    .unwrap()
}

#[test]
fn the_verifier_rejects_broken_graphs() {
    verify(&sound()).unwrap();
    type Break = (&'static str, fn(&mut Graph));
    let breaks: [Break; 20] = [
        ("argument after its user", |g| g.nodes[3].args[0] = NodeId(4)),
        ("argument that is itself", |g| g.nodes[3].args[0] = NodeId(3)),
        ("argument out of range", |g| g.nodes[3].args[0] = NodeId(99)),
        ("too few arguments", |g| g.nodes[3].args.truncate(1)),
        ("wrong type", |g| g.nodes[4].ty = Ty::new(DType::F32, [Dim::ONE])),
        ("wrong dtype", |g| g.nodes[3].ty.dtype = DType::I32),
        ("input that is not there", |g| g.nodes[0].op = Op::Input(InputId(1))),
        ("param that is not there", |g| g.params.clear()),
        ("host value that is not there", |g| g.host.ops.clear()),
        ("host operand after its user", |g| g.host.ops[1] = HostOp::Unary(HostUnary::Neg, HostId(1))),
        ("size that is not there", |g| g.sizes.clear()),
        ("size of the host that is not there", |g| g.host.ops[0] = HostOp::Size(Dim::size(SizeId(4)))),
        ("output that is not there", |g| g.outputs[0].node = NodeId(50)),
        ("loss with axes", |g| g.outputs[0].node = NodeId(1)),
        ("gradient of another type", |g| g.outputs[1].node = NodeId(0)),
        ("state of another type", |g| g.outputs[2].node = NodeId(1)),
        ("gradient of no parameter", |g| g.outputs[1].role = Role::Grad(ParamId(3))),
        ("role twice", |g| g.outputs[2].role = Role::Loss),
        ("reduction of an axis that is not there", |g| {
            g.nodes[4].op = Op::Reduce(tensa::ops::ReduceOp::Sum, vec![0, 2])
        }),
        ("constant that its dtype does not hold", |g| g.nodes[5].op = Op::Const(Number::new(DType::Bool, 2.0))),
    ];
    for (what, change) in breaks {
        let mut graph = sound();
        change(&mut graph);
        assert!(verify(&graph).is_err(), "{what} is accepted");
    }
}
