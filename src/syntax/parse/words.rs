//! What pest expected, in words a newcomer knows.

use super::grammar::Rule;
use crate::diag::syntax::Wanted;

/// How many alternatives a message names.
const MOST: usize = 4;

/// The words for the rules that would have gone on, most telling first.
pub(super) fn wanted(rules: &[Rule]) -> Vec<Wanted> {
    let mut words: Vec<Wanted> = rules.iter().filter_map(|rule| word(*rule)).collect();
    words.sort();
    words.dedup();
    // After a value an operator can always stand; it is worth saying only when nothing else can.
    if words.len() > 1 {
        words.retain(|word| *word != Wanted::Operator);
    }
    words.truncate(MOST);
    words
}

/// Whether a name could have stood there.
pub(super) fn asks_for_name(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| matches!(word(*rule), Some(Wanted::Name)))
}

/// The words for one rule; none for a rule that goes without saying.
fn word(rule: Rule) -> Option<Wanted> {
    Some(match rule {
        Rule::comma => Wanted::Word(","),
        Rule::equals => Wanted::Word("="),
        Rule::colon => Wanted::Word(":"),
        Rule::becomes => Wanted::Word(":="),
        Rule::tilde => Wanted::Word("~"),
        Rule::arrow | Rule::result => Wanted::Word("->"),
        Rule::row | Rule::dots => Wanted::Word(".."),
        Rule::open_paren | Rule::params | Rule::of => Wanted::Word("("),
        Rule::close_paren => Wanted::Word(")"),
        Rule::open_square => Wanted::Word("["),
        Rule::close_square => Wanted::Word("]"),
        Rule::open_brace | Rule::block | Rule::section => Wanted::Word("{"),
        Rule::close_brace => Wanted::Word("}"),
        Rule::kw_let => Wanted::Word("let"),
        Rule::kw_state => Wanted::Word("state"),
        Rule::kw_if => Wanted::Word("if"),
        Rule::kw_else => Wanted::Word("else"),
        Rule::kw_stack => Wanted::Word("stack"),
        Rule::kw_scan => Wanted::Word("scan"),
        Rule::kw_in => Wanted::Word("in"),
        Rule::kw_where | Rule::facts => Wanted::Word("where"),
        Rule::kw_param => Wanted::Word("param"),
        Rule::kw_not => Wanted::Word("not"),
        Rule::kw_as => Wanted::Word("as"),
        Rule::kw_on => Wanted::Word("on"),
        Rule::kw_update => Wanted::Word("update"),
        Rule::kw_penalty => Wanted::Word("penalty"),
        Rule::kw_reversed => Wanted::Word("reversed"),
        Rule::kw_from => Wanted::Word("from"),
        Rule::kw_until => Wanted::Word("until"),
        Rule::kw_remat => Wanted::Word("remat"),
        Rule::kw_grad | Rule::grad_clause => Wanted::Word("grad"),
        Rule::ident | Rule::names | Rule::fields | Rule::path | Rule::named_axis => Wanted::Name,
        Rule::expr
        | Rule::primary
        | Rule::prefix
        | Rule::from_start
        | Rule::name
        | Rule::number
        | Rule::numeral
        | Rule::boolean
        | Rule::hole
        | Rule::paren
        | Rule::list
        | Rule::record
        | Rule::if_else
        | Rule::stack
        | Rule::scan
        | Rule::remat
        | Rule::param
        | Rule::named
        | Rule::quoted
        | Rule::named_place
        | Rule::places
        | Rule::made
        | Rule::until => Wanted::Value,
        Rule::infix | Rule::to_end | Rule::call | Rule::index | Rule::field => Wanted::Operator,
        Rule::string => Wanted::Text,
        Rule::ty | Rule::record_type => Wanted::Type,
        Rule::axes | Rule::axis_params => Wanted::Axes,
        Rule::let_line | Rule::state | Rule::penalty | Rule::assign | Rule::state_var => Wanted::Statement,
        Rule::setting | Rule::varied | Rule::update => Wanted::Setting,
        Rule::use_item | Rule::def | Rule::def_word | Rule::data | Rule::train | Rule::search => Wanted::Declaration,
        Rule::kw_use | Rule::kw_data | Rule::kw_train | Rule::kw_search => Wanted::Declaration,
        Rule::EOI => Wanted::End,
        Rule::parameter | Rule::member | Rule::field_type | Rule::carry => Wanted::Name,
        // White space, parts of words and recovery.
        Rule::WHITESPACE
        | Rule::COMMENT
        | Rule::gap
        | Rule::blank
        | Rule::more
        | Rule::edge
        | Rule::reserved
        | Rule::percent
        | Rule::unit
        | Rule::file
        | Rule::lone_expr
        | Rule::item
        | Rule::axis
        | Rule::statement
        | Rule::operand
        | Rule::joint
        | Rule::glued_minus
        | Rule::arg
        | Rule::place
        | Rule::atom
        | Rule::lost => return None,
    })
}
