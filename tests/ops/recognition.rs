//! What canon recognises and what opt simplifies, as texts before and after.

use tensa::ir::Graph;
use tensa::ir::text::{parse, print};
use tensa::ops::verify::verify;
use tensa::{canon, opt};

/// The nodes and outputs after a pass.
fn after(pass: fn(&Graph) -> Graph, text: &str) -> String {
    let graph = parse(text).unwrap();
    verify(&graph).unwrap();
    let result = pass(&graph);
    verify(&result).unwrap();
    let lines = print(&result);
    let body: Vec<&str> = lines.lines().filter(|line| line.starts_with(['%', 'o'])).collect();
    body.join("\n")
}

const HEAD: &str = "\
size n
input 0 \"x\": f32[n, 4]
input 1 \"y\": i32[n] below 4
input 2 \"z\": i32[n]
param 0 \"w\": f32[4, 5]
param 1 \"b\": f32[4]
%0: f32[n, 4] = input[0]
%1: f32[4, 5] = param[0]
%2: f32[4] = param[1]
";

fn check(pass: fn(&Graph) -> Graph, before: &str, wanted: &str) {
    let found = after(pass, &format!("{HEAD}{before}"));
    assert_eq!(found.trim(), wanted.trim());
}

#[test]
fn a_matrix_product() {
    check(
        canon::run,
        "
%3: f32[n, 4, 5] = broadcast[0: n, 1: 4, _: 5] %0
%4: f32[n, 4, 5] = broadcast[_: n, 0: 4, 1: 5] %1
%5: f32[n, 4, 5] = mul %3, %4
%6: f32[n, 5] = reduce_sum[1] %5
output value \"\" = %6
",
        "
%0: f32[n, 4] = input[0]
%1: f32[4, 5] = param[0]
%2: f32[n, 5] = contract[ab,bc->ac] %0, %1
output value \"\" = %2
",
    );
}

#[test]
fn factors_outside_of_the_sum_are_pulled_out() {
    // Σ_4 x·b·w·2 / b-free: the vector over the summed axis joins an operand, the scalar goes out.
    check(
        canon::run,
        "
%3: f32[n, 4, 5] = broadcast[0: n, 1: 4, _: 5] %0
%4: f32[n, 4, 5] = broadcast[_: n, 0: 4, 1: 5] %1
%5: f32[n, 4, 5] = broadcast[_: n, 0: 4, _: 5] %2
%6: f32[] = const[2.0]
%7: f32[n, 4, 5] = broadcast[_: n, _: 4, _: 5] %6
%8: f32[n, 4, 5] = mul %3, %7
%9: f32[n, 4, 5] = mul %4, %5
%10: f32[n, 4, 5] = mul %8, %9
%11: f32[n, 5] = reduce_sum[1] %10
output value \"\" = %11
",
        "
%0: f32[n, 4] = input[0]
%1: f32[4, 5] = param[0]
%2: f32[4] = param[1]
%3: f32[] = const[2.0]
%4: f32[n, 4] = broadcast[_: n, 0: 4] %2
%5: f32[n, 4] = mul %0, %4
%6: f32[n, 5] = contract[ab,bc->ac] %5, %1
%7: f32[n, 5] = broadcast[_: n, _: 5] %3
%8: f32[n, 5] = mul %7, %6
output value \"\" = %8
",
    );
}

#[test]
fn an_axis_of_one_operand_is_summed_before() {
    check(
        canon::run,
        "
%3: f32[n, 4, 5] = broadcast[0: n, 1: 4, _: 5] %0
%4: f32[n, 4, 5] = broadcast[_: n, 0: 4, 1: 5] %1
%5: f32[n, 4, 5] = mul %3, %4
%6: f32[n] = reduce_sum[1, 2] %5
output value \"\" = %6
",
        "
%0: f32[n, 4] = input[0]
%1: f32[4, 5] = param[0]
%2: f32[4] = reduce_sum[1] %1
%3: f32[n, 4] = broadcast[_: n, 0: 4] %2
%4: f32[n, 4] = mul %0, %3
%5: f32[n] = reduce_sum[1] %4
output value \"\" = %5
",
    );
}

#[test]
fn a_repeated_axis_counts() {
    check(
        canon::run,
        "
%3: f32[n, 4] = broadcast[_: n, 0: 4] %2
%4: f32[4] = reduce_sum[0] %3
output value \"\" = %4
",
        "
%0: f32[4] = param[1]
%1: f32[] = scalar[0]
%2: f32[4] = broadcast[_: 4] %1
%3: f32[4] = mul %2, %0
output value \"\" = %3
",
    );
}

#[test]
fn a_sum_of_a_product_is_taken_apart_where_nobody_else_reads_it() {
    let product = "%3: f32[n, 5] = contract[ab,bc->ac] %0, %1\n%4: f32[n] = reduce_sum[1] %3\noutput value \"\" = %4\n";
    check(
        canon::run,
        product,
        "
%0: f32[n, 4] = input[0]
%1: f32[4, 5] = param[0]
%2: f32[4] = reduce_sum[1] %1
%3: f32[n, 4] = broadcast[_: n, 0: 4] %2
%4: f32[n, 4] = mul %0, %3
%5: f32[n] = reduce_sum[1] %4
output value \"\" = %5
",
    );
    let read_twice = format!("{product}output value \"too\" = %3\n");
    let wanted = "
%0: f32[n, 4] = input[0]
%1: f32[4, 5] = param[0]
%2: f32[n, 5] = contract[ab,bc->ac] %0, %1
%3: f32[n] = reduce_sum[1] %2
output value \"\" = %3
output value \"too\" = %2
";
    check(canon::run, &read_twice, wanted);
    check(opt::run, &read_twice, wanted);
}

#[test]
fn the_largest_of_a_repeated_value_unless_there_may_be_none() {
    let largest = |dims: &str| {
        let n = dims.split(',').next().unwrap();
        format!(
            "
%3: f32[{dims}] = broadcast[_: {n}, 0: 4] %2
%4: f32[4] = reduce_max[0] %3
output value \"\" = %4
"
        )
    };
    check(canon::run, &largest("7, 4"), "%0: f32[4] = param[1]\noutput value \"\" = %0");
    for kept in ["n, 4", "0, 4"] {
        assert!(after(canon::run, &format!("{HEAD}{}", largest(kept))).contains("reduce_max"));
    }
}

#[test]
fn log_sum_exp_plain_and_shifted() {
    let wanted = "
%0: f32[n, 4] = input[0]
%1: f32[n] = log_sum_exp[1] %0
output value \"\" = %1
";
    check(
        canon::run,
        "
%3: f32[n, 4] = exp %0
%4: f32[n] = reduce_sum[1] %3
%5: f32[n] = log %4
output value \"\" = %5
",
        wanted,
    );
    check(
        canon::run,
        "
%3: f32[n] = reduce_max[1] %0
%4: f32[n] = stop_gradient %3
%5: f32[n, 4] = broadcast[0: n, _: 4] %4
%6: f32[n, 4] = sub %0, %5
%7: f32[n, 4] = exp %6
%8: f32[n] = reduce_sum[1] %7
%9: f32[n] = log %8
%10: f32[n] = add %9, %4
output value \"\" = %10
",
        wanted,
    );
}

#[test]
fn a_masked_sum_is_a_pick_where_the_index_is_in_range() {
    let masked = |input: u32| {
        format!(
            "
%3: i32[n] = input[{input}]
%4: i32[n, 4] = broadcast[0: n, _: 4] %3
%5: i32[4] = iota[4]
%6: i32[n, 4] = broadcast[_: n, 0: 4] %5
%7: bool[n, 4] = eq %6, %4
%8: f32[] = const[0.0]
%9: f32[n, 4] = broadcast[_: n, _: 4] %8
%10: f32[n, 4] = select %7, %0, %9
%11: f32[n] = reduce_sum[1] %10
output value \"\" = %11
"
        )
    };
    let picked = "
%0: f32[n, 4] = input[0]
%1: i32[n] = input[1]
%2: f32[n] = pick[1] %0, %1
output value \"\" = %2
";
    check(canon::run, &masked(1), picked);
    assert!(!after(canon::run, &format!("{HEAD}{}", masked(2))).contains("pick"));
}

#[test]
fn scalar_work_is_done_before_it_is_repeated() {
    check(
        opt::run,
        "
%3: f32[n, 4] = broadcast[_: n, 0: 4] %2
%4: f32[n, 4] = exp %3
%5: f32[] = const[1.0]
%6: f32[n, 4] = broadcast[_: n, _: 4] %5
%7: f32[n, 4] = add %4, %6
%8: f32[n, 4] = mul %7, %0
output value \"\" = %8
",
        "
%0: f32[n, 4] = input[0]
%1: f32[4] = param[1]
%2: f32[4] = exp %1
%3: f32[] = const[1.0]
%4: f32[4] = broadcast[_: 4] %3
%5: f32[4] = add %2, %4
%6: f32[n, 4] = broadcast[_: n, 0: 4] %5
%7: f32[n, 4] = mul %6, %0
output value \"\" = %7
",
    );
}

#[test]
fn rules_that_would_hide_a_nan_do_not_fire() {
    let before = "
%3: f32[] = const[0.0]
%4: f32[n, 4] = broadcast[_: n, _: 4] %3
%5: f32[n, 4] = mul %0, %4
%6: f32[n, 4] = sub %0, %0
%7: f32[n, 4] = exp %0
%8: f32[n, 4] = log %7
%9: f32[n, 4] = add %5, %6
%10: f32[n, 4] = add %9, %8
output value \"\" = %10
";
    let text = after(opt::run, &format!("{HEAD}{before}"));
    for kept in ["mul", "sub", "exp", "log"] {
        assert!(text.contains(kept), "{text}");
    }
}

#[test]
fn small_powers_and_chains_of_views() {
    check(
        opt::run,
        "
%3: f32[] = const[3.0]
%4: f32[n, 4] = broadcast[_: n, _: 4] %3
%5: f32[n, 4] = pow %0, %4
%6: f32[4, n] = permute[1, 0] %5
%7: f32[n, 4] = permute[1, 0] %6
%8: f32[4 * n] = reshape[4 * n] %7
%9: f32[n, 2, 2] = reshape[n, 2, 2] %8
%10: f32[n, 2, 2] = neg %9
%11: f32[n, 2, 2] = neg %10
output value \"\" = %11
",
        "
%0: f32[n, 4] = input[0]
%1: f32[n, 4] = mul %0, %0
%2: f32[n, 4] = mul %1, %0
%3: f32[n, 2, 2] = reshape[n, 2, 2] %2
output value \"\" = %3
",
    );
}

#[test]
fn what_depends_on_the_host_alone_is_computed_there() {
    check(
        opt::run,
        "
host 0 = size n
%3: f32[] = const[1.0]
%4: f32[] = scalar[0]
%5: f32[] = div %3, %4
%6: f32[] = neg %5
%7: f32[n, 4] = broadcast[_: n, _: 4] %6
%8: f32[n, 4] = mul %0, %7
output value \"\" = %8
",
        "
%0: f32[n, 4] = input[0]
%1: f32[] = scalar[3]
%2: f32[n, 4] = broadcast[_: n, _: 4] %1
%3: f32[n, 4] = mul %0, %2
output value \"\" = %3
",
    );
}

#[test]
fn constants_are_computed() {
    check(
        opt::run,
        "
%3: f32[] = const[3.0]
%4: f32[] = sqrt %3
%5: f32[] = mul %4, %4
%6: f32[4] = broadcast[_: 4] %5
%7: bool[4] = lt %6, %6
%8: f32[4] = select %7, %6, %2
output value \"\" = %8
",
        "
%0: f32[4] = param[1]
output value \"\" = %0
",
    );
}

#[test]
fn a_mean_of_squared_distances_to_the_mean_is_a_variance() {
    let written = |divisor: &str| {
        format!(
            "
%3: f32[4] = reduce_sum[0] %0
%4: f32[] = scalar[0]
%5: f32[4] = broadcast[_: 4] %4
%6: f32[4] = div %3, %5
%7: f32[n, 4] = broadcast[_: n, 0: 4] %6
%8: f32[n, 4] = sub %0, %7
%9: f32[] = const[2.0]
%10: f32[n, 4] = broadcast[_: n, _: 4] %9
%11: f32[n, 4] = pow %8, %10
%12: f32[4] = reduce_sum[0] %11
%13: f32[] = scalar[1]
%14: f32[4] = broadcast[_: 4] %13
%15: f32[4] = div %12, {divisor}
output value \"\" = %15
"
        )
    };
    let head = HEAD.replace("size n\n", "size n\nhost 0 = size n\nhost 1 = size 4 * n\n");
    let check = |text: &str, wanted: bool| {
        let found = after(canon::run, &format!("{head}{text}"));
        assert_eq!(found.contains("variance[0] %0"), wanted, "{found}");
    };
    check(&written("%5"), true);
    // Divided by another count it is none.
    check(&written("%14"), false);
}
