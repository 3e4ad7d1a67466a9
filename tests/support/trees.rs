//! Random syntax trees that some text has: the printer must give that text.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tensa::base::{FileId, Span, Symbol};
use tensa::syntax::ast::{
    Arg, AxisDecl, BinaryOp, Block, Brackets, Data, Def, DefKind, Entry, Expr, ExprKind, File, GradClause, Ident, Item,
    Ix, Let, Made, Number, Param, ParamDef, Scan, Search, Setting, StateVar, Stmt, Target, Train, Type, TypeKind,
    UnaryOp, Unit, Update, UpdateTarget, Use,
};

const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

/// Section words and units are names too, where nothing asks for them.
const NAMES: &[&str] = &[
    "x", "y", "out'", "d''", "_a", "data", "train", "on", "from", "until", "update", "penalty", "steps", "epoch",
    "reversed", "grad", "use", "orx", "lets", "e3", "as",
];

fn name() -> impl Strategy<Value = Ident> {
    select(NAMES).prop_map(|name| Ident { name: Symbol::new(name), span: NOWHERE })
}

fn names(most: usize) -> impl Strategy<Value = Vec<Ident>> {
    vec(name(), 1..=most)
}

fn text() -> impl Strategy<Value = String> {
    select(&["", "a.csv", "h.*.w", "x", "let", "a \"b\" \\ c", "ü\n\t\r\u{1}\u{7f}", "#", "{i}"][..])
        .prop_map(str::to_owned)
}

fn doc() -> impl Strategy<Value = Option<String>> {
    option::weighted(0.2, select(&["what it does", "two\nlines", "a\n\n  b", ""][..]).prop_map(str::to_owned))
}

fn number() -> impl Strategy<Value = Number> {
    let units = [Unit::Epochs, Unit::Steps, Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Degrees];
    let unit = option::weighted(0.2, select(units.to_vec()));
    let whole =
        (0u64..=1 << 53).prop_map(|whole| Number { value: whole as f64, is_int: true, is_percent: false, unit: None });
    let real = any::<f64>().prop_filter_map("a number that can be written", |value| {
        let value = value.abs();
        value.is_finite().then_some(Number { value, is_int: false, is_percent: false, unit: None })
    });
    let percent = (0.0..2.0f64).prop_map(|value| Number { value, is_int: false, is_percent: true, unit: None });
    prop_oneof![
        3 => (whole, unit).prop_map(|(number, unit)| Number { unit, ..number }),
        2 => real,
        1 => percent,
    ]
}

fn at(kind: ExprKind) -> Expr {
    Expr { kind, span: NOWHERE }
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        4 => name().prop_map(|name| ExprKind::Name(name.name)),
        2 => number().prop_map(ExprKind::Number),
        1 => any::<bool>().prop_map(ExprKind::Bool),
        1 => text().prop_map(ExprKind::Str),
        1 => Just(ExprKind::Hole),
    ]
    .prop_map(at)
}

/// Operators of one level, to be written in one row.
const LEVELS: &[&[BinaryOp]] = &[
    &[BinaryOp::Or],
    &[BinaryOp::And],
    &[BinaryOp::Add, BinaryOp::Sub],
    &[BinaryOp::Mul, BinaryOp::Div, BinaryOp::FloorDiv, BinaryOp::Mod],
];

/// Operators that come alone.
const ALONE: &[BinaryOp] = &[
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Eq,
    BinaryOp::Ne,
    BinaryOp::Ge,
    BinaryOp::Gt,
    BinaryOp::Divides,
    BinaryOp::Pow,
];

/// An expression that holds expressions of `inner`.
pub fn expr() -> BoxedStrategy<Expr> {
    leaf().prop_recursive(5, 40, 4, |inner| branch(inner.boxed()).prop_map(at)).boxed()
}

fn branch(inner: BoxedStrategy<Expr>) -> BoxedStrategy<ExprKind> {
    let one = || inner.clone();
    let boxed = || inner.clone().prop_map(Box::new);
    let row =
        (boxed(), select(LEVELS), vec((any::<prop::sample::Index>(), one()), 1..4)).prop_map(|(first, ops, rest)| {
            let rest = rest.into_iter().map(|(op, operand)| (ops[op.index(ops.len())], NOWHERE, operand));
            ExprKind::Chain(first, rest.collect())
        });
    let alone = (boxed(), select(ALONE), one()).prop_map(|(a, op, b)| ExprKind::Chain(a, vec![(op, NOWHERE, b)]));
    let unary =
        (any::<bool>(), boxed()).prop_map(|(neg, x)| ExprKind::Unary(if neg { UnaryOp::Neg } else { UnaryOp::Not }, x));
    let range = (option::of(boxed()), option::of(boxed()))
        .prop_filter_map("one end at least", |(a, b)| (a.is_some() || b.is_some()).then_some(ExprKind::Range(a, b)));
    let keyed = prop_oneof![name(), text().prop_map(|text| Ident { name: Symbol::new(&text), span: NOWHERE })];
    let over = || (boxed(), block(inner.clone()));
    prop_oneof![
        row,
        alone,
        unary,
        range,
        vec(one(), 2..4).prop_map(ExprKind::Pipe),
        (boxed(), vec(arg(inner.clone()), 0..3)).prop_map(|(f, args)| ExprKind::Call(f, args)),
        (boxed(), brackets(inner.clone())).prop_map(|(x, brackets)| ExprKind::Index(x, brackets)),
        (boxed(), name()).prop_map(|(x, field)| ExprKind::Field(x, field)),
        (boxed(), block(one()), block(one())).prop_map(|(c, a, b)| ExprKind::If(c, a, b)),
        (option::of(name()), over()).prop_map(|(var, (over, body))| ExprKind::Stack { var, over, body }),
        scan(one()).prop_map(|scan| ExprKind::Scan(Box::new(scan))),
        block(one()).prop_map(ExprKind::Remat),
        (any::<bool>(), param_def(one())).prop_map(|(is_named, param)| ExprKind::Param(match is_named {
            true => param,
            false => ParamDef { name: None, dtype: None, ..param },
        })),
        vec((keyed, one()), 1..3).prop_map(ExprKind::Record),
        vec(one(), 0..3).prop_map(ExprKind::List),
        block(one()).prop_map(ExprKind::Block),
    ]
    .boxed()
}

fn arg(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Arg> {
    prop_oneof![
        inner.clone().prop_map(Arg::Value),
        (name(), inner.clone()).prop_map(|(name, value)| Arg::Set(name, value)),
        (name(), inner.clone()).prop_map(|(name, value)| Arg::Axis(name, value)),
        (text(), inner).prop_map(|(key, value)| Arg::Quoted(key, NOWHERE, value)),
    ]
}

fn brackets(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Brackets> {
    let place = prop_oneof![
        Just(Ix::Row(NOWHERE)),
        inner.clone().prop_map(Ix::Value),
        (name(), inner.clone()).prop_map(|(name, value)| Ix::Set(name, value)),
        (name(), inner.clone(), option::of(inner)).prop_map(|(name, size, value)| Ix::Axis(name, size, value)),
    ]
    .boxed();
    let to = option::of(vec(place.clone(), 1..3));
    (vec(place, 0..3), to).prop_map(|(from, to)| Brackets { from, to, span: NOWHERE })
}

fn axis(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = AxisDecl> {
    prop_oneof![1 => Just(AxisDecl::Row(NOWHERE)), 3 => named_axis(inner)]
}

fn named_axis(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = AxisDecl> {
    (name(), option::of(inner)).prop_map(|(name, size)| AxisDecl::Axis { name, size })
}

fn param_def(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = ParamDef> {
    (name(), option::of(name()), vec(axis(inner.clone()), 0..3), inner).prop_map(|(name, dtype, axes, init)| ParamDef {
        name: Some(name),
        dtype,
        axes,
        init: Box::new(init),
        span: NOWHERE,
    })
}

fn scan(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Scan> {
    let carries = vec((name(), inner.clone()), 0..3);
    (named_axis(inner.clone()), any::<bool>(), carries, option::of(inner.clone()), block(inner))
        .prop_map(|(axis, reversed, carries, until, body)| Scan { axis, reversed, carries, until, body })
}

fn let_line(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Let> {
    let target = prop_oneof![names(3).prop_map(Target::Names), names(2).prop_map(Target::Fields)];
    (target, inner, doc()).prop_map(|(target, value, doc)| Let { target, value, doc, span: NOWHERE })
}

fn block(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Block> {
    let state = (name(), option::of(name()), option::of(vec(axis(inner.clone()), 0..3)), inner.clone());
    let stmt = prop_oneof![
        let_line(inner.clone()).prop_map(Stmt::Let),
        vec(state.prop_map(|(name, dtype, axes, init)| StateVar { name, dtype, axes, init, statement: NOWHERE }), 1..3)
            .prop_map(Stmt::State),
        param_def(inner.clone()).prop_map(Stmt::Param),
        (name(), inner.clone()).prop_map(|(name, value)| Stmt::Penalty { name, value }),
        (name(), inner.clone()).prop_map(|(name, value)| Stmt::Assign { name, value }),
    ];
    (vec(stmt, 0..3), inner).prop_map(|(stmts, value)| Block { stmts, value: Box::new(value), span: NOWHERE })
}

fn ty() -> impl Strategy<Value = Type> {
    let prefix = option::of((name(), option::of(name())));
    let tensor = (prefix, vec(axis(expr()), 0..3)).prop_map(|(prefix, axes)| {
        let (prefix, of) = prefix.map_or((None, None), |(word, of)| (Some(word), of));
        TypeKind::Tensor { prefix, of, axes }
    });
    let flat = prop_oneof![
        3 => tensor,
        1 => name().prop_map(TypeKind::Named),
        1 => (name(), name()).prop_map(|(word, of)| TypeKind::Of(word, of)),
    ];
    let ty = |kind| Type { kind, span: NOWHERE };
    flat.prop_map(ty)
        .prop_recursive(2, 6, 3, move |inner| vec((name(), inner), 1..3).prop_map(TypeKind::Record).prop_map(ty))
}

fn param() -> impl Strategy<Value = Param> {
    (name(), option::of(ty()), option::of(expr())).prop_map(|(name, ty, default)| Param {
        name,
        ty,
        default,
        span: NOWHERE,
    })
}

fn def() -> impl Strategy<Value = Def> {
    let kinds = [
        DefKind::Model,
        DefKind::Layer,
        DefKind::Fn,
        DefKind::Loss,
        DefKind::Metric,
        DefKind::Optimizer,
        DefKind::Schedule,
    ];
    let head = (select(kinds.to_vec()), name(), vec(name(), 0..3), doc());
    let lists = (option::of(vec(param(), 0..3)), vec(param(), 0..3));
    let grad = option::of((name(), block(expr())).prop_map(|(dy, body)| GradClause { dy, body, span: NOWHERE }));
    let tail = (option::of(ty()), vec(expr(), 0..3), block(expr()), grad);
    (head, lists, tail).prop_map(|((kind, name, axes, doc), (config, inputs), (result, facts, body, grad))| Def {
        kind,
        name,
        axes,
        config,
        inputs,
        result,
        head: NOWHERE,
        facts,
        body,
        grad,
        doc,
        span: NOWHERE,
    })
}

fn settings() -> impl Strategy<Value = Vec<Entry>> {
    let setting = (names(2), expr()).prop_map(|(names, value)| Entry::Setting(Setting { names, value, span: NOWHERE }));
    vec(prop_oneof![3 => setting, 1 => let_line(expr()).prop_map(Entry::Let)], 0..4)
}

fn train() -> impl Strategy<Value = Train> {
    let made = (option::of(name()), expr()).prop_map(|(name, value)| Made { name, value });
    let target =
        prop_oneof![names(3).prop_map(UpdateTarget::Path), text().prop_map(|glob| UpdateTarget::Glob(glob, NOWHERE))];
    let update =
        (vec(target, 1..3), settings()).prop_map(|(targets, entries)| Update { targets, entries, span: NOWHERE });
    (vec(made, 1..3), name(), settings(), vec(update.prop_map(Entry::Update), 0..2), doc()).prop_map(
        |(models, data, mut entries, updates, doc)| {
            entries.extend(updates);
            Train { models, data, entries, doc, span: NOWHERE }
        },
    )
}

fn search() -> impl Strategy<Value = Search> {
    let varied = (names(2), expr()).prop_map(|(name, over)| Entry::Varied { name, over });
    (expr(), name(), vec(varied, 0..3), settings()).prop_map(|(model, data, mut entries, settings)| {
        entries.extend(settings);
        Search { model, data, entries, span: NOWHERE }
    })
}

/// A file of a few declarations.
pub fn file() -> impl Strategy<Value = File> {
    let data = (name(), expr(), settings(), doc()).prop_map(|(name, source, entries, doc)| Data {
        name,
        source,
        entries,
        doc,
        span: NOWHERE,
    });
    let use_item =
        (text(), option::of(name())).prop_map(|(path, alias)| Use { path, path_span: NOWHERE, alias, span: NOWHERE });
    let item = prop_oneof![
        1 => use_item.prop_map(Item::Use),
        2 => let_line(expr()).prop_map(Item::Let),
        4 => def().prop_map(Item::Def),
        1 => data.prop_map(Item::Data),
        1 => train().prop_map(Item::Train),
        1 => search().prop_map(Item::Search),
    ];
    vec(item, 1..4).prop_map(|items| File { items })
}
