//! What sort of value a text plainly is, before anything is known of its names.

use super::ast::{Expr, ExprKind, UnaryOp};

/// `a number`, `a text`, …; none where only the check knows.
pub fn sort(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Number(_) => Some("a number"),
        ExprKind::Unary(UnaryOp::Neg, operand) => sort(operand),
        ExprKind::Bool(_) => Some("true or false"),
        ExprKind::Str(_) => Some("a text"),
        ExprKind::List(_) => Some("a list"),
        ExprKind::Record(_) => Some("a record"),
        _ => None,
    }
}
