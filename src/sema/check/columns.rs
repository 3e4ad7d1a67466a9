//! The columns of the data as inputs of a run, and what a run may ask of them.
//!
//! In: the facts of the data. Out: typed inputs and the values of their names. An axis of one name is one axis, in whichever
//! columns it stands; one whose size each batch says is a symbol like the batch itself, of which only what the data
//! promises is known.

use crate::base::{Span, Symbol};
use crate::diag::{shape, value as told};
use crate::ir::{Dim, Fact};
use crate::sema::dtype::DType;
use crate::sema::primitive::OfTexts;
use crate::sema::typed::{Axis, ExprKind, Input, Kind, Type};
use crate::sema::value::{AxisArg, Given, Value};
use crate::sema::{ColumnSize, Elements};
use crate::syntax::ast;

use super::checker::{Checker, scalar_type};

impl<'a> Checker<'a> {
    /// The columns of the data as typed inputs, and the values that stand for them.
    pub(super) fn inputs(&mut self, train: &'a ast::Train) -> (Vec<Input>, Vec<(Symbol, Value<'a>)>) {
        let span = train.data.span;
        let Some(columns) = self.facts.columns(train.data.name) else {
            // The data could not be read, and that was told; its names silence what needs them, and so do its axes.
            self.data_unknown = true;
            let names = self.globals.data.get(&train.data.name).into_iter().flat_map(|data| &data.entries);
            let names = names.filter_map(|entry| match entry {
                ast::Entry::Setting(setting) => Some(&setting.names),
                _ => None,
            });
            let names = names.flatten().map(|ident| (ident.name, Value::Error));
            let size = self.sizes.rigid("batch");
            let batch = AxisArg { id: self.axes.add(Some("batch".into()), size.clone()), size, span };
            return (Vec::new(), names.chain([("batch".into(), Value::Axis(batch))]).collect());
        };
        let size = self.sizes.rigid("batch");
        let batch = Axis { id: self.axes.add(Some("batch".into()), size.clone()), size, from: span };
        let mut inputs: Vec<Input> = Vec::new();
        let mut values = Vec::new();
        // A name in the data is one axis, in whichever columns it stands.
        let mut named: Vec<(Symbol, Axis)> = vec![("batch".into(), batch.clone())];
        for (at, column) in columns.into_iter().enumerate() {
            let mut axes: Vec<Axis> = column.batched.then(|| batch.clone()).into_iter().collect();
            let of = inputs.iter().position(|input| Some(input.name) == column.of);
            match of {
                Some(of) if !column.axes.is_empty() => axes.clone_from(&inputs[of].ty.axes),
                _ => {
                    for (name, size) in column.axes {
                        axes.push(self.data_axis(&mut named, column.name, name, size, span));
                    }
                }
            }
            let (dtype, kind) = match column.elements {
                Elements::Floats => (DType::F32, Kind::Plain),
                Elements::Truths => (DType::Bool, Kind::Plain),
                Elements::Counts => (DType::I32, Kind::Plain),
                Elements::Index(name, size) => {
                    let axis = self.data_axis(&mut named, column.name, name, ColumnSize::Known(size), span);
                    (DType::I32, Kind::Index(axis.id))
                }
            };
            let ty = Type { dtype, kind, axes };
            let id = self.push(ExprKind::Input(at), ty.clone(), span);
            if let Some((_, Value::Tensor(of))) = of.and_then(|of| values.get(of)) {
                let what = if dtype == DType::Bool { OfTexts::Present } else { OfTexts::Length };
                self.told_of.push((*of, what, id));
            }
            inputs.push(Input { name: column.name, ty });
            values.push((column.name, Value::Tensor(id)));
        }
        let axis = |(name, axis): (Symbol, Axis)| (name, Value::Axis(AxisArg { id: axis.id, size: axis.size, span }));
        (inputs, named.into_iter().map(axis).chain(values).collect())
    }

    /// An axis of a column: the one of its name, or a new one.
    fn data_axis(
        &mut self,
        named: &mut Vec<(Symbol, Axis)>,
        column: Symbol,
        name: Option<Symbol>,
        size: ColumnSize,
        span: Span,
    ) -> Axis {
        if let Some((name, known)) = named.iter().find(|(known, _)| Some(*known) == name) {
            let fits = match size {
                ColumnSize::Known(size) => self.sizes.unify(&known.size, &size.into()).is_ok(),
                ColumnSize::Open { .. } => known.size.as_const().is_none(),
            };
            if !fits {
                let other = match size {
                    ColumnSize::Known(size) => size.to_string(),
                    ColumnSize::Open { .. } => "one of each batch".to_owned(),
                };
                let sizes = (self.sizes.show(&known.size), other);
                let place = self.named_in_data(name.as_str(), Some(column));
                self.report(shape::data_axis_sizes(*name, column, sizes, (span, place)));
            }
            return known.clone();
        }
        let size = match size {
            ColumnSize::Known(size) => size.into(),
            ColumnSize::Open { longest, most } => self.open_size(name, longest, most),
        };
        let axis = Axis { id: self.axes.add(name, size.clone()), size, from: span };
        named.extend(name.map(|name| (name, axis.clone())));
        axis
    }

    /// A size that each batch says, with what the data promises of it.
    fn open_size(&mut self, name: Option<Symbol>, longest: i64, most: Option<i64>) -> Dim {
        let size = self.sizes.rigid(name.map_or("t", |name| name.as_str()));
        self.sizes.suppose(&Fact::AtMost(1.into(), size.clone()));
        if let Some(most) = most {
            self.sizes.suppose(&Fact::AtMost(size.clone(), most.into()));
        }
        self.longest.extend(size.as_size().map(|id| (id, longest)));
        size
    }

    /// `present(ids)`, `length(ids)`: a column that the data has beside a padded one. All rows of any other column are as
    /// long as its first axis, and all their places are there.
    pub(super) fn of_texts(&mut self, what: OfTexts, args: Vec<Given<'a>>) -> Value<'a> {
        let Some(given) = args.into_iter().next() else { return Value::Error };
        let id = match given.value {
            Value::Tensor(id) => id,
            Value::Error => return Value::Error,
            other => return self.fail(told::expected_rows(other.describe(), given.span)),
        };
        if let Some((_, _, told)) = self.told_of.iter().find(|(of, asked, _)| (*of, *asked) == (id, what)) {
            return Value::Tensor(*told);
        }
        let column = (self.exprs[id.0 as usize].kind.clone(), &self.ty(id).axes[..]);
        let (ExprKind::Input(_), [batch, row, ..]) = column else {
            return self.fail(told::expected_rows(given.value.describe(), given.span));
        };
        if self.axes.show(batch.id) != "batch" {
            return self.fail(told::expected_rows(given.value.describe(), given.span));
        }
        let (batch, row) = (batch.clone(), row.clone());
        let (one, dtype, axes) = match what {
            OfTexts::Present => (self.number(1.0, DType::Bool, given.span), DType::Bool, vec![batch, row]),
            OfTexts::Length => {
                let size = ExprKind::Size(self.sizes.resolve(&row.size));
                let size = self.push(size, scalar_type(DType::F32), given.span);
                (self.as_dtype(size, DType::I32, given.span), DType::I32, vec![batch])
            }
        };
        Value::Tensor(self.push(ExprKind::Expand(one), Type { dtype, kind: Kind::Plain, axes }, given.span))
    }
}
