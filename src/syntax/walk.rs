//! Walks over the tree: the axes of a type, the expressions within an expression or a block.

use super::ast::{Arg, AxisDecl, Block, Expr, ExprKind, Ix, Let, Stmt, TypeKind};

impl TypeKind {
    /// Visits the axes of a tensor, or of all fields of a record.
    pub fn each_axis<'a>(&'a self, visit: &mut dyn FnMut(&'a AxisDecl)) {
        match self {
            TypeKind::Tensor { axes, .. } => axes.iter().for_each(visit),
            TypeKind::Record(fields) => fields.iter().for_each(|(_, ty)| ty.kind.each_axis(visit)),
            TypeKind::Named(_) | TypeKind::Of(..) | TypeKind::Error => {}
        }
    }
}

impl Expr {
    /// Visits this expression and all within it, statements of blocks included.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match &self.kind {
            ExprKind::Number(_)
            | ExprKind::Bool(_)
            | ExprKind::Str(_)
            | ExprKind::Hole
            | ExprKind::Name(_)
            | ExprKind::Error => {}
            ExprKind::Unary(_, x) | ExprKind::Field(x, _) => x.walk(visit),
            ExprKind::Chain(first, rest) => {
                first.walk(visit);
                rest.iter().for_each(|(_, _, x)| x.walk(visit));
            }
            ExprKind::Range(a, b) => [a, b].into_iter().flatten().for_each(|x| x.walk(visit)),
            ExprKind::Pipe(all) | ExprKind::List(all) => all.iter().for_each(|x| x.walk(visit)),
            ExprKind::Call(callee, args) => {
                callee.walk(visit);
                for arg in args {
                    let (Arg::Value(x) | Arg::Set(_, x) | Arg::Axis(_, x) | Arg::Quoted(_, _, x)) = arg;
                    x.walk(visit);
                }
            }
            ExprKind::Index(base, brackets) => {
                base.walk(visit);
                for ix in brackets.from.iter().chain(brackets.to.iter().flatten()) {
                    match ix {
                        Ix::Row(_) => {}
                        Ix::Value(x) | Ix::Set(_, x) => x.walk(visit),
                        Ix::Axis(_, x, at) => [Some(x), at.as_ref()].into_iter().flatten().for_each(|x| x.walk(visit)),
                    }
                }
            }
            ExprKind::If(condition, then, otherwise) => {
                condition.walk(visit);
                then.walk(visit);
                otherwise.walk(visit);
            }
            ExprKind::Stack { over, body, .. } => {
                over.walk(visit);
                body.walk(visit);
            }
            ExprKind::Scan(scan) => {
                scan.carries.iter().for_each(|(_, x)| x.walk(visit));
                scan.until.iter().for_each(|x| x.walk(visit));
                scan.body.walk(visit);
            }
            ExprKind::Remat(block) | ExprKind::Block(block) => block.walk(visit),
            ExprKind::Param(def) => def.init.walk(visit),
            ExprKind::Record(fields) => fields.iter().for_each(|(_, x)| x.walk(visit)),
        }
    }
}

impl Block {
    /// Visits all expressions of its statements and its value.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        for stmt in &self.stmts {
            match stmt {
                Stmt::Let(Let { value, .. }) | Stmt::Penalty { value, .. } | Stmt::Assign { value, .. } => {
                    value.walk(visit)
                }
                Stmt::State(vars) => vars.iter().for_each(|var| var.init.walk(visit)),
                Stmt::Param(def) => def.init.walk(visit),
                Stmt::Error(_) => {}
            }
        }
        self.value.walk(visit);
    }
}
