//! Whether a space stands between two pieces of a line.

use crate::syntax::parse::{Piece, Role};

/// The white space between two neighbours on one line.
pub(super) fn between(left: &Piece, right: &Piece) -> &'static str {
    match (left.role, right.role) {
        // A `-` with a gap behind it at the start of a line would go on with the line above.
        (Role::Minus, _) => "",
        (_, Role::Comment) => "  ",
        (_, Role::Comma | Role::Colon | Role::Dot | Role::OpenTight | Role::Between | Role::From | Role::Power) => "",
        (Role::Dot | Role::Between | Role::UpTo | Role::Power, _) => "",
        (Role::Open | Role::OpenTight, Role::Close) => "",
        (Role::OpenBlock | Role::OpenBody | Role::OpenSection, Role::Close) => "",
        (Role::Open | Role::OpenTight, _) if left.text != "{" => "",
        (_, Role::Close) if right.text != "}" => "",
        _ => " ",
    }
}

impl Role {
    /// Whether it opens a bracket.
    pub(super) fn opens(self) -> bool {
        matches!(self, Role::Open | Role::OpenTight) || self.holds_lines()
    }

    /// Whether it opens what holds statements or the lines of a section.
    pub(super) fn holds_lines(self) -> bool {
        matches!(self, Role::OpenBlock | Role::OpenBody | Role::OpenSection)
    }
}
