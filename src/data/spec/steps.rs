//! Table steps: `csv("a.csv") |> join(csv("b.csv"), on = "id") |> filter(column("open") == 1)`.
//!
//! In: the stages behind a source. Out: the source with its steps. The condition of a filter is a node like those of
//! the columns.

use crate::diag::data;
use crate::syntax::ast::{Expr, ExprKind, UnaryOp};

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::gives::Gives;
use super::{Source, TableStep, names};

impl Reader<'_> {
    /// A source with one step more; none when the step is wrong, and reported.
    pub fn table_step(&mut self, step: &Expr, source: &mut Source) -> Option<()> {
        let Some(call) = Call::of(step) else {
            let is_condition = matches!(step.kind, ExprKind::Chain(..) | ExprKind::Unary(UnaryOp::Not, _));
            self.diagnostics.push(data::not_a_table_step(step.span, is_condition));
            return None;
        };
        if !names::TABLE_STEPS.contains(&call.word) {
            let error = data::unknown_transform(call.word_span, call.word, names::TABLE_STEPS);
            self.diagnostics.push(error);
            return None;
        }
        if !source.format.is_table() {
            let wanted = "a table, as `csv`, `tsv` and `jsonl` read it, before it";
            self.diagnostics.push(data::wrong_argument(call.span, call.word, wanted));
            return None;
        }
        let step = match call.word {
            "join" => self.join(&call)?,
            _ => self.filter(&call)?,
        };
        source.steps.push(step);
        Some(())
    }

    /// `join(csv("items.csv"), on = "item_id")`
    fn join(&mut self, call: &Call<'_>) -> Option<TableStep> {
        const WANTED: &str = "a table and the column both have: `join(csv(\"items.csv\"), on = \"item_id\")`";
        let args = Arguments::sort(call, &["on"], &mut self.diagnostics);
        let table = args.one(WANTED, &mut self.diagnostics)?;
        let Some(on) = args.named("on") else {
            self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
            return None;
        };
        let on = self.raw_column(on, call.word)?;
        let source = self.source(table)?;
        if !source.format.is_table() || !source.steps.is_empty() {
            self.diagnostics.push(data::wrong_argument(table.span, call.word, WANTED));
            return None;
        }
        Some(TableStep::Join { source: Box::new(source), on, span: call.span })
    }

    /// `filter(column("open") == 1)`
    fn filter(&mut self, call: &Call<'_>) -> Option<TableStep> {
        const WANTED: &str = "a condition on the columns, as in `filter(column(\"open\") == 1)`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let condition = args.one(WANTED, &mut self.diagnostics)?;
        let node = self.value(condition, None);
        match self.gives(node) {
            Gives::Numbers | Gives::Cells => Some(TableStep::Filter(node)),
            Gives::Error => None,
            Gives::Constant
            | Gives::Classes
            | Gives::Pictures
            | Gives::Masks
            | Gives::Boxes
            | Gives::Kinds
            | Gives::Record
            | Gives::Words
            | Gives::Sets
            | Gives::Texts
            | Gives::Padded
            | Gives::Truths
            | Gives::Windows => {
                self.diagnostics.push(data::wrong_argument(condition.span, call.word, WANTED));
                None
            }
        }
    }
}
