//! First values out of a file: `load(…)` of a layer, `init` of a run.
//!
//! In: the call or the line. Out: the layer, or the parameters and states of the run, with the file that gives their
//! first values, and where words go that would mend it. The file is read when the run begins.

use std::rc::Rc;

use crate::base::{Span, Symbol};
use crate::diag::{name, value as told};
use crate::sema::load::{Load, LoadWords};
use crate::sema::typed::Owner;
use crate::sema::value::{Callee, Function, Scope, Value};
use crate::syntax::ast::{self, ExprKind as Ast};

use super::builtin::PrimitiveCall;
use super::checker::Checker;
use super::section::Lines;

impl<'a> Checker<'a> {
    /// `load("base.safetensors", layer)`: the layer with first values out of a file.
    pub(super) fn load(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let mut in_order = Vec::new();
        let (mut names, mut except) = (Vec::new(), Vec::new());
        let (mut names_end, mut except_end, mut renames) = (None, None, Vec::new());
        for given in call.args {
            match (given.name.map(|ident| ident.name.as_str()), given.value) {
                (None, value) => in_order.push((value, given.span)),
                (_, Value::Error) => return Value::Error,
                (Some("names"), Value::Record(fields)) => {
                    names_end = Some(given.span.inner_end());
                    if let Some(ast::Expr { kind: ast::ExprKind::Record(fields), .. }) = self.expr_at(given.span) {
                        renames.extend(fields.iter().map(|(_, name)| name.span));
                    }
                    for (key, name) in fields {
                        let Value::Str(name) = name else {
                            return self.fail(told::expected("a text", name.describe(), given.span));
                        };
                        names.push((key.to_string(), name.to_owned()));
                    }
                }
                (Some("except"), Value::List(items)) => {
                    except_end = Some(given.span.inner_end());
                    for item in items {
                        let Value::Str(item) = item else {
                            return self.fail(told::expected("a text", item.describe(), given.span));
                        };
                        except.push(item.to_owned());
                    }
                }
                (Some("names"), other) => return self.fail(told::expected("a record", other.describe(), given.span)),
                (Some("except"), other) => return self.fail(told::expected("a list", other.describe(), given.span)),
                (Some(_), _) => {
                    let Some(ident) = given.name else { return Value::Error };
                    return self.fail(name::unknown_argument("load".into(), ident, &["names", "except"]));
                }
            }
        }
        let count = in_order.len();
        let Ok([(file, span), (layer, layer_span)]) = <[_; 2]>::try_from(in_order) else {
            return self.fail(told::primitive_arguments("load", (2, 2), count, call.f.span.to(call.span)));
        };
        let file = match file {
            Value::Str(file) => file.to_owned(),
            Value::Error => return Value::Error,
            other => return self.fail(told::expected("a text", other.describe(), span)),
        };
        let layer = match layer {
            Value::Function(f) if f.config.is_none() && self.takes_config(&f) => {
                self.make(scope, &f, Vec::new(), layer_span)
            }
            other => other,
        };
        match layer {
            Value::Function(f) => match &f.callee {
                Callee::Instance(def, path) => {
                    let (below, layer) = (path.to_string(), def.name.name);
                    let words =
                        LoadWords::Call { end: call.span.inner_end(), names: names_end, renames, except: except_end };
                    let load = Load { file, below, layer, names, except, span, words };
                    Value::Function(Rc::new(Function { load: Some(Rc::new(load)), ..(*f).clone() }))
                }
                _ => self.fail(self.no_layer(&Value::Function(f), layer_span, None)),
            },
            Value::Error => Value::Error,
            other => self.fail(self.no_layer(&other, layer_span, None)),
        }
    }

    /// `init = "weights.safetensors"`: the file stands for whatever `load` gives single layers, since it holds a whole
    /// run.
    pub(super) fn init(&mut self, lines: &Lines<'a>, train: &ast::Train) {
        let Some(&(expr, name)) = lines.settings.get(&Symbol::new("init")) else { return };
        let Ast::Str(file) = &expr.kind else {
            self.report(crate::diag::train::setting_form("init", "init = \"weights.safetensors\"", expr.span));
            return;
        };
        let load = Load {
            file: file.to_string(),
            below: String::new(),
            layer: "".into(),
            names: Vec::new(),
            except: Vec::new(),
            span: expr.span,
            words: model_loaded(train, name.to(expr.span)),
        };
        self.store.loads = vec![load];
        self.store.params.iter_mut().for_each(|param| param.load = Some(0));
        for state in &mut self.store.states {
            // What follows a layer begins where the layer does.
            let follows = state.path.starts_with("ema/") || state.path.starts_with("ema(");
            state.load = (state.owner == Owner::Layer && !follows).then_some(0);
        }
    }
}

/// How the one model of a run would be loaded instead of the whole run, by its `init` line.
fn model_loaded(train: &ast::Train, line: Span) -> LoadWords {
    let ([made], true) = (&train.models[..], train.span.holds(line)) else { return LoadWords::Nowhere };
    let is_bare = matches!(made.value.kind, Ast::Name(_) | Ast::Field(..));
    let name = made.bound().filter(|_| made.name.is_none()).map_or(String::new(), |name| format!("{name} = "));
    let close = if is_bare { "()" } else { "" };
    LoadWords::Run { model: made.value.span, open: format!("{name}load("), close, line }
}
