//! The text of one `data` declaration as its tree: only the forms that the tests of `data` need.

use tensa::base::{FileId, Span, Symbol};
use tensa::syntax::ast::*;

struct Parser<'t> {
    text: &'t str,
    file: FileId,
    at: usize,
}

/// Panics on anything it does not know: the text is the test's own.
pub fn parse(text: &str, file: FileId) -> Data {
    let mut parser = Parser { text, file, at: 0 };
    parser.want("data");
    let name = parser.ident().expect("a name");
    parser.want("=");
    let source = parser.expr();
    parser.want("{");
    let mut entries = Vec::new();
    while !parser.eat("}") {
        let start = parser.start();
        let is_let = parser.eat("let ");
        let mut names = vec![parser.ident().unwrap_or_else(|| panic!("a name at {}", parser.rest()))];
        while parser.eat(",") {
            names.push(parser.ident().expect("a name"));
        }
        parser.want("=");
        let value = parser.expr();
        let span = parser.span(start);
        entries.push(if is_let {
            Entry::Let(Let { target: Target::Names(names), value, doc: None, span })
        } else {
            Entry::Setting(Setting { names, value, span })
        });
    }
    Data { name, source, entries, doc: None, span: parser.span(0) }
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn start(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.file, start, self.at)
    }

    fn eat(&mut self, token: &str) -> bool {
        self.start();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn want(&mut self, token: &str) {
        assert!(self.eat(token), "`{token}` at `{}`", self.rest());
    }

    fn ident(&mut self) -> Option<Ident> {
        let start = self.start();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let name = Symbol::new(&rest[..end]);
        self.at += end;
        Some(Ident { name, span: self.span(start) })
    }

    fn made(&self, start: usize, kind: ExprKind) -> Expr {
        Expr { kind, span: self.span(start) }
    }

    fn expr(&mut self) -> Expr {
        let start = self.start();
        let mut stages = vec![self.chain(0)];
        while self.eat("|>") {
            stages.push(self.chain(0));
        }
        match stages.len() {
            1 => stages.remove(0),
            _ => self.made(start, ExprKind::Pipe(stages)),
        }
    }

    fn chain(&mut self, level: usize) -> Expr {
        const LEVELS: &[&[(&str, BinaryOp)]] = &[
            &[("==", BinaryOp::Eq)],
            &[("+", BinaryOp::Add), ("- ", BinaryOp::Sub)],
            &[("*", BinaryOp::Mul), ("//", BinaryOp::FloorDiv), ("/", BinaryOp::Div)],
            &[("^", BinaryOp::Pow)],
        ];
        let Some(ops) = LEVELS.get(level) else { return self.unary() };
        let start = self.start();
        let first = self.chain(level + 1);
        let mut rest = Vec::new();
        'more: loop {
            for (sign, op) in *ops {
                let at = self.start();
                if self.eat(sign) {
                    let span = self.span(at);
                    rest.push((*op, span, self.chain(level + 1)));
                    continue 'more;
                }
            }
            break;
        }
        match (rest.is_empty(), level) {
            (false, _) => self.made(start, ExprKind::Chain(Box::new(first), rest)),
            (true, 0) if self.rest().starts_with("..") => {
                self.want("..");
                let last = self.unary();
                self.made(start, ExprKind::Range(Some(Box::new(first)), Some(Box::new(last))))
            }
            (true, _) => first,
        }
    }

    fn unary(&mut self) -> Expr {
        let start = self.start();
        if self.eat("-") {
            let operand = self.unary();
            return self.made(start, ExprKind::Unary(UnaryOp::Neg, Box::new(operand)));
        }
        let mut value = self.atom();
        loop {
            if self.rest().starts_with('(') {
                self.want("(");
                let mut args = Vec::new();
                while !self.eat(")") {
                    args.push(self.arg());
                    self.eat(",");
                }
                value = self.made(start, ExprKind::Call(Box::new(value), args));
            } else if self.rest().starts_with('[') {
                let at = self.start();
                self.want("[");
                let mut from = Vec::new();
                while !self.eat("]") {
                    from.push(match self.arg() {
                        Arg::Axis(name, size) => Ix::Axis(name, size, None),
                        Arg::Set(name, value) => Ix::Set(name, value),
                        Arg::Value(value) => Ix::Value(value),
                        Arg::Quoted(..) => unreachable!("this parser makes none"),
                    });
                    self.eat(",");
                }
                let brackets = Brackets { from, to: None, span: self.span(at) };
                value = self.made(start, ExprKind::Index(Box::new(value), brackets));
            } else {
                return value;
            }
        }
    }

    fn arg(&mut self) -> Arg {
        let start = self.start();
        if let Some(name) = self.ident() {
            if self.eat(":") {
                return Arg::Axis(name, self.expr());
            }
            if !self.rest().trim_start().starts_with("==") && self.eat("=") {
                return Arg::Set(name, self.expr());
            }
        }
        self.at = start;
        Arg::Value(self.expr())
    }

    fn atom(&mut self) -> Expr {
        let start = self.start();
        if self.eat("(") {
            let inner = self.expr();
            self.want(")");
            return inner;
        }
        if self.eat("\"") {
            let end = self.rest().find('"').expect("an end of the string");
            let text = self.rest()[..end].replace("\\t", "\t");
            self.at += end + 1;
            return self.made(start, ExprKind::Str(text));
        }
        if self.eat("{") {
            let name = self.ident().expect("a field");
            self.want(":");
            let value = self.expr();
            self.want("}");
            return self.made(start, ExprKind::Record(vec![(name, value)]));
        }
        if let Some(name) = self.ident() {
            let kind = match name.name.as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                "_" => ExprKind::Hole,
                _ => ExprKind::Name(name.name),
            };
            return self.made(start, kind);
        }
        let rest = self.rest();
        let mut end = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
        if rest[end..].starts_with('.') && !rest[end..].starts_with("..") {
            let tail = &rest[end + 1..];
            end += 1 + tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        }
        assert!(end > 0, "a value at `{rest}`");
        let digits = rest[..end].replace('_', "");
        let number: f64 = digits.parse().expect("a number");
        self.at += end;
        let is_percent = self.rest().starts_with('%');
        self.at += usize::from(is_percent);
        let unit = self.rest().starts_with(" epochs").then_some(Unit::Epochs);
        self.at += if unit.is_some() { " epochs".len() } else { 0 };
        let value = if is_percent { number / 100.0 } else { number };
        let is_int = !digits.contains('.') && !is_percent;
        self.made(start, ExprKind::Number(Number { value, is_int, is_percent, unit }))
    }
}
