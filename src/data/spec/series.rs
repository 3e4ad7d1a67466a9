//! Windows of a series: `window[t](56, at = 0, stride = 1, by = column("store"))`.
//!
//! In: the call. Out: a `Window`. That all windows of a declaration have one stride and one `by` is checked here, since
//! together they say which rows there are.

use crate::base::Span;
use crate::diag::{data, table};
use crate::syntax::ast::{Arg, ExprKind};
use crate::syntax::print::print_expr;

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::{ClassAxis, NodeKind, Spec, Transform, Window, WindowAxis};

/// More rows than any file has.
const MOST_ROWS: usize = 1 << 24;

impl Reader<'_> {
    /// `window(24, ahead = 1)`: the rows behind a window of 24.
    pub fn window(&mut self, call: &Call<'_>, axis: Option<ClassAxis>) -> Option<Transform> {
        const WANTED: &str = "how many rows, as in `window[t](24)`";
        const OTHERS: &[&str] = &["at", "ahead", "stride", "by"];
        let args = Arguments::sort(call, OTHERS, &mut self.diagnostics);
        let rows = args.one(WANTED, &mut self.diagnostics)?;
        let is_literal = matches!(rows.kind, ExprKind::Number(_)) && axis.is_none_or(|axis| axis.size.is_none());
        let place = rows.span;
        let Some(mut rows) = self.constants.count(rows).filter(|rows| *rows <= MOST_ROWS) else {
            self.diagnostics.push(data::wrong_argument(rows.span, call.word, WANTED));
            return None;
        };
        let said = is_literal.then_some((rows, place));
        let mut at = 0;
        if let Some(value) = args.named("at") {
            let found =
                self.constants.number(value).filter(|at| *at >= 0.0 && at.fract() == 0.0 && *at <= MOST_ROWS as f64);
            let Some(found) = found else {
                let wanted = "a number of rows from 0 as `at`";
                self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                return None;
            };
            at = found as usize;
        }
        let mut named = axis.map_or(WindowAxis::Open, |axis| WindowAxis::Named(axis.name));
        if let Some(value) = args.named("ahead") {
            let Some(ahead) = self.constants.count(value).filter(|ahead| *ahead <= MOST_ROWS) else {
                let wanted = "a number of rows above 0 as `ahead`";
                self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                return None;
            };
            at += rows;
            rows = ahead;
            if ahead == 1 && axis.is_none() {
                named = WindowAxis::None;
            }
        }
        if let Some(axis) = axis.filter(|axis| axis.size.is_some_and(|size| size != rows)) {
            let wanted = format!("`{}: {rows}` or `{}` in brackets: so many rows has a window", axis.name, axis.name);
            self.diagnostics.push(data::wrong_argument(axis.span, call.word, &wanted));
            return None;
        }
        let mut stride = None;
        if let Some(value) = args.named("stride") {
            stride = self.constants.count(value).filter(|stride| *stride <= MOST_ROWS);
            if stride.is_none() {
                let wanted = "a number of rows above 0 as `stride`";
                self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                return None;
            }
        }
        let by = match args.named("by") {
            Some(by) => Some(self.raw_column(by, call.word)?),
            None => None,
        };
        Some(Transform::Window(Window { axis: named, rows, said, at, stride, by }))
    }

    /// Reports windows of one declaration that do not go together.
    pub fn check_windows(&mut self) {
        let mut first: Option<(Window, Span)> = None;
        let mut told = None;
        for id in 0..self.count() {
            let node = self.node(super::NodeId(id));
            let NodeKind::Apply(_, Transform::Window(window), _) = &node.kind else { continue };
            match &mut first {
                None => first = Some((window.clone(), node.span)),
                Some((known, span)) => {
                    let by = |window: &Window| window.by.as_ref().map(|by| by.first.clone());
                    if by(known) != by(window) {
                        let words = self.as_the_first("by", *span, node.span);
                        told.get_or_insert(table::windows_differ(node.span, "by", *span, words));
                    }
                    match (known.stride, window.stride) {
                        (Some(one), Some(other)) if one != other => {
                            let words = self.as_the_first("stride", *span, node.span);
                            told.get_or_insert(table::windows_differ(node.span, "stride", *span, words));
                        }
                        (None, Some(stride)) => known.stride = Some(stride),
                        (_, _) => {}
                    }
                }
            }
        }
        if let Some(told) = told {
            self.diagnostics.push(told);
        }
    }

    /// The words that give the window at a place the argument of the first, or that take it away.
    fn as_the_first(&self, argument: &str, first: Span, place: Span) -> (Span, String) {
        let given = |call: &Call<'_>| {
            call.args.iter().enumerate().find_map(|(at, arg)| match arg {
                Arg::Set(name, value) if name.name.as_str() == argument => Some((at, print_expr(value), value.span)),
                _ => None,
            })
        };
        let call = |place: Span| self.expr_at(place).and_then(Call::of);
        let Some(own) = call(place) else { return (place.after(), String::new()) };
        let end = place.inner_end();
        match (call(first).and_then(|call| given(&call)), given(&own)) {
            (Some((_, value, _)), Some((_, _, span))) => (span, value),
            (Some((_, value, _)), None) => (end, format!(", {argument} = {value}")),
            (None, Some((at, ..))) => (own.surplus(at).unwrap_or(end), String::new()),
            (None, None) => (end, String::new()),
        }
    }
}

impl Spec {
    /// The windows among some nodes.
    pub fn windows(&self, of: &[super::NodeId]) -> Vec<&Window> {
        let nodes = self.reachable(of.iter().copied());
        let windows = nodes.into_iter().filter_map(|id| match &self.node(id).kind {
            NodeKind::Apply(_, Transform::Window(window), _) => Some(window),
            _ => None,
        });
        windows.collect()
    }
}
