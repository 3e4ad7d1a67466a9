//! The settings of a run that are about files and the machine: `checkpoint`, `log`, `init`, `device`, `precision`.
//!
//! In: their lines. Out: plain data of the run, and for `init` a file that gives every parameter and every state of a
//! layer its first value. None of them is a value that other lines may speak of.

use crate::base::{Span, Symbol};
use crate::diag::around as told;
use crate::sema::typed::{Checkpoint, Every, Precision};
use crate::syntax::ast::{self, ExprKind as Ast};

use super::checker::Checker;
use super::section::{Lines, Mode};

/// What this version computes on.
const DEVICES: &[&str] = &["cpu"];

/// What a number of the language may be, in the language; this version has the first two.
const PRECISIONS: &[&str] = &["f32", "bf16", "f16", "f64"];

impl<'a> Checker<'a> {
    /// `every(100 steps, keep = 3)`
    pub(super) fn checkpoint(&mut self, mode: &mut Mode<'a>, lines: &Lines<'a>) -> Option<Checkpoint> {
        let (expr, _) = *lines.settings.get(&Symbol::new("checkpoint"))?;
        let (every, rest) = self.every("checkpoint", expr)?;
        let keep = match rest {
            [] => None,
            [ast::Arg::Set(ident, count)] if ident.name.as_str() == "keep" => {
                let value = self.expr(&mut mode.scope, count);
                let number = self.static_number(&value, count.span)?;
                if number.fract() != 0.0 || !(1.0..9e15).contains(&number) {
                    self.report(crate::diag::train::not_a_count("keep", (number, ""), count.span));
                    return None;
                }
                Some(number as u64)
            }
            _ => {
                self.report(told::every_form("checkpoint", expr.span));
                return None;
            }
        };
        Some(Checkpoint { every, keep })
    }

    /// `every(10 steps)`: after how many steps their losses are reported.
    pub(super) fn log(&mut self, lines: &Lines<'a>) -> Option<u64> {
        let (expr, ident) = *lines.settings.get(&Symbol::new("log"))?;
        match self.every("log", expr)? {
            (Every::Steps(steps), []) => Some(steps),
            (Every::Epochs(_), []) => {
                self.report(told::epochs_are_logged(expr.span, ident.to(expr.span)));
                None
            }
            _ => {
                self.report(told::every_form("log", expr.span));
                None
            }
        }
    }

    /// `every(…)` with what follows its count.
    fn every(&mut self, name: &str, expr: &'a ast::Expr) -> Option<(Every, &'a [ast::Arg])> {
        let Ast::Call(callee, args) = &expr.kind else {
            self.report(told::every_form(name, expr.span));
            return None;
        };
        let (Ast::Name(word), [ast::Arg::Value(count), rest @ ..]) = (&callee.kind, &args[..]) else {
            self.report(told::every_form(name, expr.span));
            return None;
        };
        let Ast::Number(number) = &count.kind else {
            self.report(told::every_form(name, expr.span));
            return None;
        };
        if word.as_str() != "every" {
            self.report(told::every_form(name, expr.span));
            return None;
        }
        let is_count = number.value.fract() == 0.0 && (1.0..9e15).contains(&number.value);
        let make = match number.unit {
            _ if !is_count => {
                let unit = match number.unit {
                    Some(ast::Unit::Steps) => " steps",
                    Some(ast::Unit::Epochs) => " epochs",
                    _ => "",
                };
                self.report(crate::diag::train::not_a_count(name, (number.value, unit), count.span));
                return None;
            }
            Some(ast::Unit::Steps) => Every::Steps,
            Some(ast::Unit::Epochs) => Every::Epochs,
            None => {
                self.report(told::every_what(number.value, count.span));
                return None;
            }
            Some(_) => {
                self.report(told::every_form(name, expr.span));
                return None;
            }
        };
        Some((make(number.value as u64), rest))
    }

    /// `device = cpu`, which is what this version has, and `precision = bf16`.
    pub(super) fn machine(&mut self, lines: &Lines<'a>) -> Precision {
        let word = |expr: &ast::Expr| match &expr.kind {
            Ast::Name(name) => Some(name.as_str()),
            _ => None,
        };
        let setting = |name: &str| lines.settings.get(&Symbol::new(name)).map(|(expr, _)| (word(expr), expr.span));
        let device: Option<(Option<&str>, Span)> = setting("device");
        if let Some((word, span)) = device
            && word.is_none_or(|word| !DEVICES.contains(&word))
        {
            self.report(told::no_such_device(word, span, DEVICES));
        }
        if let Some((word, span)) = setting("precision") {
            match word {
                Some("f32") => {}
                Some("bf16") => return Precision::Bf16,
                Some(other) if PRECISIONS.contains(&other) => self.report(told::precision_later(other, span)),
                _ => self.report(told::no_such_precision(span)),
            }
        }
        Precision::F32
    }
}
