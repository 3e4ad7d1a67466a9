//! The text form of the syntax tree: valid text of the language.
//!
//! In: a tree. Out: its text in one layout, whatever the layout it was read from: reading it back gives the
//! same tree up to places. Comments are not in the tree and are gone; `##` documentation stays.
//!
//! Layout: two spaces a level, a statement a line, a block on one line when it holds a value alone and fits,
//! a pipe broken before each `|>` when it does not fit. An `Error` node is printed as `<error>`, which is
//! no text of the language: a tree that holds one has been reported.

mod expr;

use std::fmt::Write;

use super::ast::{
    AxisDecl, Block, Data, Def, DefKind, Entry, Expr, File, Ident, Item, Let, Made, Number, Param, ParamDef, Search,
    Setting, StateVar, Stmt, Target, Train, Type, TypeKind, Unit, Update, UpdateTarget, Use,
};
use super::parse::RESERVED;
use expr::Place;

/// The text of a file.
pub fn print(file: &File) -> String {
    let mut printer = Printer { text: String::new(), indent: 0 };
    for (index, item) in file.items.iter().enumerate() {
        let short = |item: &Item| matches!(item, Item::Use(_) | Item::Let(_));
        if index > 0 && !(short(item) && short(&file.items[index - 1])) {
            printer.text.push('\n');
        }
        printer.item(item);
        printer.text.push('\n');
    }
    printer.text
}

/// The text of an expression.
pub fn print_expr(expr: &Expr) -> String {
    let mut printer = Printer { text: String::new(), indent: 0 };
    printer.expr(expr, Place::Open);
    printer.text
}

/// The text of a line of a section.
pub fn print_entry(entry: &Entry) -> String {
    let mut printer = Printer { text: String::new(), indent: 0 };
    printer.entry(entry);
    printer.text
}

/// Lines are kept below this where a pipe or a block can be broken.
const WIDTH: usize = 110;

struct Printer {
    text: String,
    indent: usize,
}

impl Printer {
    // ---- text

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.indent));
    }

    fn column(&self) -> usize {
        self.text.len() - self.text.rfind('\n').map_or(0, |at| at + 1)
    }

    fn list<T>(&mut self, members: &[T], mut each: impl FnMut(&mut Printer, &T)) {
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            each(self, member);
        }
    }

    /// The text that `print` would add here. Each part is printed once, and moved if it must stand deeper:
    /// printing it again at every level would take exponential time.
    fn aside(&self, print: impl FnOnce(&mut Printer)) -> String {
        let mut aside = Printer { text: String::new(), indent: self.indent };
        print(&mut aside);
        aside.text
    }

    /// Whether a text fits the line from here.
    fn fits(&self, text: &str) -> bool {
        !text.contains('\n') && self.column() + text.len() <= WIDTH
    }

    fn lines<T>(&mut self, members: &[T], mut each: impl FnMut(&mut Printer, &T)) {
        self.indent += 1;
        for member in members {
            self.line();
            each(self, member);
        }
        self.indent -= 1;
    }

    // ---- declarations

    fn item(&mut self, item: &Item) {
        match item {
            Item::Use(found) => self.use_item(found),
            Item::Let(found) => self.let_line(found),
            Item::Def(def) => self.def(def),
            Item::Data(data) => self.data(data),
            Item::Train(train) => self.train(train),
            Item::Search(search) => self.search(search),
            Item::Error(_) => self.put("<error>"),
        }
    }

    fn doc(&mut self, doc: Option<&String>) {
        let Some(doc) = doc else { return };
        for line in doc.split('\n') {
            self.put("##");
            if !line.is_empty() {
                self.put(" ");
            }
            self.put(line);
            self.line();
        }
    }

    fn use_item(&mut self, found: &Use) {
        self.put("use ");
        self.quoted(&found.path);
        if let Some(alias) = found.alias {
            self.put(" as ");
            self.ident(alias);
        }
    }

    fn let_line(&mut self, found: &Let) {
        self.doc(found.doc.as_ref());
        self.put("let ");
        match &found.target {
            Target::Names(names) => self.list(names, |p, name| p.ident(*name)),
            Target::Fields(names) => {
                self.put("{ ");
                self.list(names, |p, name| p.ident(*name));
                self.put(" }");
            }
        }
        self.put(" = ");
        self.expr(&found.value, Place::Open);
    }

    fn def(&mut self, def: &Def) {
        self.doc(def.doc.as_ref());
        self.put(match def.kind {
            DefKind::Model => "model ",
            DefKind::Layer => "layer ",
            DefKind::Fn => "fn ",
            DefKind::Loss => "loss ",
            DefKind::Metric => "metric ",
            DefKind::Optimizer => "optimizer ",
            DefKind::Schedule => "schedule ",
        });
        self.ident(def.name);
        if !def.axes.is_empty() {
            self.put("[");
            self.list(&def.axes, |p, axis| p.ident(*axis));
            self.put("]");
        }
        for params in def.config.iter().chain([&def.inputs]) {
            self.put("(");
            self.list(params, Printer::param);
            self.put(")");
        }
        if let Some(result) = &def.result {
            self.put(" -> ");
            self.ty(result);
        }
        if !def.facts.is_empty() {
            self.put(" where ");
            self.list(&def.facts, |p, fact| p.expr(fact, Place::Open));
        }
        // One line for a short definition that is only a value.
        let value = self.aside(|p| p.expr(&def.body.value, Place::Open));
        if def.body.stmts.is_empty() && def.facts.is_empty() && self.fits(&value) {
            self.put(" = ");
            self.put(&value);
        } else {
            self.put(" ");
            self.long_block(&def.body.stmts, &value);
        }
        if let Some(grad) = &def.grad {
            self.put(" grad(");
            self.ident(grad.dy);
            self.put(") ");
            match (&grad.body.stmts[..], &grad.body.value.kind) {
                ([], super::ast::ExprKind::Record(_)) => self.expr(&grad.body.value, Place::Open),
                _ => self.block(&grad.body),
            }
        }
    }

    fn param(&mut self, param: &Param) {
        self.ident(param.name);
        if let Some(ty) = &param.ty {
            self.put(": ");
            self.ty(ty);
        }
        if let Some(default) = &param.default {
            self.put(" = ");
            self.expr(default, Place::Inside);
        }
    }

    fn data(&mut self, data: &Data) {
        self.doc(data.doc.as_ref());
        self.put("data ");
        self.ident(data.name);
        self.put(" = ");
        self.expr(&data.source, Place::Open);
        self.section(&data.entries);
    }

    fn train(&mut self, train: &Train) {
        self.doc(train.doc.as_ref());
        self.put("train ");
        self.list(&train.models, Printer::made);
        self.put(" on ");
        self.ident(train.data);
        self.section(&train.entries);
    }

    fn made(&mut self, made: &Made) {
        if let Some(name) = made.name {
            self.ident(name);
            self.put(" = ");
        }
        self.expr(&made.value, Place::Open);
    }

    fn search(&mut self, search: &Search) {
        self.put("search ");
        self.expr(&search.model, Place::Open);
        self.put(" on ");
        self.ident(search.data);
        self.section(&search.entries);
    }

    fn section(&mut self, entries: &[Entry]) {
        self.put(" {");
        self.lines(entries, Printer::entry);
        self.line();
        self.put("}");
    }

    fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Let(found) => self.let_line(found),
            Entry::Setting(Setting { names, value, .. }) => {
                self.list(names, |p, name| p.ident(*name));
                self.put(" = ");
                self.expr(value, Place::Open);
            }
            Entry::Update(Update { targets, entries, .. }) => {
                self.put("update ");
                self.list(targets, |p, target| match target {
                    UpdateTarget::Path(path) => p.path(path),
                    UpdateTarget::Glob(glob, _) => p.quoted(glob),
                });
                self.section(entries);
            }
            Entry::Varied { name, over } => {
                self.path(name);
                self.put(" in ");
                self.expr(over, Place::Open);
            }
            Entry::Error(_) => self.put("<error>"),
        }
    }

    fn path(&mut self, path: &[Ident]) {
        for (index, name) in path.iter().enumerate() {
            if index > 0 {
                self.put(".");
            }
            self.ident(*name);
        }
    }

    // ---- types

    fn ty(&mut self, ty: &Type) {
        match &ty.kind {
            TypeKind::Tensor { prefix, of, axes } => {
                if let Some(prefix) = prefix {
                    self.ident(*prefix);
                }
                self.of(*of);
                self.axes(axes);
            }
            TypeKind::Named(word) => self.ident(*word),
            TypeKind::Of(word, of) => {
                self.ident(*word);
                self.of(Some(*of));
            }
            TypeKind::Record(fields) => {
                self.put("{ ");
                self.list(fields, |p, (name, ty)| {
                    p.ident(*name);
                    p.put(": ");
                    p.ty(ty);
                });
                self.put(" }");
            }
            TypeKind::Error => self.put("<error>"),
        }
    }

    fn of(&mut self, of: Option<Ident>) {
        if let Some(of) = of {
            self.put("(");
            self.ident(of);
            self.put(")");
        }
    }

    fn axes(&mut self, axes: &[AxisDecl]) {
        self.put("[");
        self.list(axes, Printer::axis);
        self.put("]");
    }

    fn axis(&mut self, axis: &AxisDecl) {
        match axis {
            AxisDecl::Row(_) => self.put(".."),
            AxisDecl::Axis { name, size } => {
                self.ident(*name);
                if let Some(size) = size {
                    self.put(": ");
                    self.expr(size, Place::Stage);
                }
            }
        }
    }

    // ---- blocks

    /// On one line when it is a value alone and fits.
    fn block(&mut self, block: &Block) {
        let value = self.aside(|p| p.expr(&block.value, Place::Open));
        if block.stmts.is_empty() && self.fits(&value) {
            self.put("{ ");
            self.put(&value);
            self.put(" }");
        } else {
            self.long_block(&block.stmts, &value);
        }
    }

    fn long_block(&mut self, stmts: &[Stmt], value: &str) {
        self.put("{");
        self.lines(stmts, Printer::stmt);
        self.lines(&[deeper(value)], |p, value| p.put(value));
        self.line();
        self.put("}");
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(found) => self.let_line(found),
            Stmt::State(vars) => {
                self.put("state ");
                self.list(vars, |p, StateVar { name, dtype, axes, init, .. }| {
                    p.ident(*name);
                    p.dtype(*dtype);
                    if let Some(axes) = axes {
                        p.axes(axes);
                    }
                    p.put(" = ");
                    p.expr(init, Place::Open);
                });
            }
            Stmt::Param(param) => self.param_def(param),
            Stmt::Penalty { name, value } => {
                self.put("penalty ");
                self.ident(*name);
                self.put(" = ");
                self.expr(value, Place::Open);
            }
            Stmt::Assign { name, value } => {
                self.ident(*name);
                self.put(" := ");
                self.expr(value, Place::Open);
            }
            Stmt::Error(_) => self.put("<error>"),
        }
    }

    fn param_def(&mut self, param: &ParamDef) {
        self.put("param ");
        if let Some(name) = param.name {
            self.ident(name);
        }
        self.dtype(param.dtype);
        self.axes(&param.axes);
        self.put(" ~ ");
        self.expr(&param.init, Place::Primary);
    }

    /// `: bf16` of a parameter or a state.
    fn dtype(&mut self, word: Option<Ident>) {
        if let Some(word) = word {
            self.put(": ");
            self.ident(word);
        }
    }

    // ---- words

    fn ident(&mut self, ident: Ident) {
        self.put(ident.name.as_str());
    }

    /// The key of a record: quoted where it is no name.
    fn key(&mut self, name: Ident) {
        if is_name(name.name.as_str()) { self.ident(name) } else { self.quoted(name.name.as_str()) }
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.put("\\\""),
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\t' => self.put("\\t"),
                '\r' => self.put("\\r"),
                c if c.is_control() => {
                    let _ = write!(self.text, "\\u{{{:x}}}", u32::from(c));
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    fn number(&mut self, number: &Number) {
        if number.is_percent {
            self.text.push_str(&hundredfold(number.value));
            self.put("%");
        } else if number.is_int {
            let _ = write!(self.text, "{}", number.value);
        } else {
            let _ = write!(self.text, "{:?}", number.value);
        }
        self.put(match number.unit {
            None => "",
            Some(Unit::Epochs) => " epochs",
            Some(Unit::Steps) => " steps",
            Some(Unit::Seconds) => " seconds",
            Some(Unit::Minutes) => " minutes",
            Some(Unit::Hours) => " hours",
            Some(Unit::Degrees) => " deg",
        });
    }
}

/// A text one level deeper. Texts in quotes hold no new lines, so all are the layout's.
fn deeper(text: &str) -> String {
    text.replace('\n', "\n  ")
}

/// The shortest digits of `100 * value`, by moving the point: no rounding.
fn hundredfold(value: f64) -> String {
    let digits = format!("{value}");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let fraction = format!("{fraction:0<2}");
    let (moved, rest) = fraction.split_at(2);
    let whole = format!("{whole}{moved}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

/// Whether a text can stand without quotes where a name does.
pub fn is_name(text: &str) -> bool {
    let word = text.trim_end_matches('\'');
    let mut letters = word.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && word != "_" && letters.all(|c| c.is_ascii_alphanumeric() || c == '_') && !RESERVED.contains(&text)
}
