//! What is wrong with the text.
//!
//! One constructor per mistake: in come places and the words of the program, out comes the message, its
//! labels and, where one works, the edit. `syntax::parse` decides which; no sentence stands there.

use std::fmt;

use super::{Code, Diagnostic};
use crate::base::Span;

/// What could have stood at a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wanted {
    /// A sign, a bracket or a keyword, as written.
    Word(&'static str),
    /// A name.
    Name,
    /// An expression.
    Value,
    /// `+`, `|>`, `and` …
    Operator,
    /// A text in quotes.
    Text,
    /// The type of a parameter or a result.
    Type,
    /// `[batch, d]`
    Axes,
    /// `let`, `state`, `param` … or a value.
    Statement,
    /// `epochs = 50`
    Setting,
    /// `model`, `train` …
    Declaration,
    /// Nothing more.
    End,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Wanted::Word(word) => return write!(f, "`{word}`"),
            Wanted::Name => "a name",
            Wanted::Value => "a value",
            Wanted::Operator => "an operator",
            Wanted::Text => "a text in quotes",
            Wanted::Type => "a type",
            Wanted::Axes => "axes in brackets",
            Wanted::Statement => "a statement",
            Wanted::Setting => "a setting",
            Wanted::Declaration => "a declaration",
            Wanted::End => "the end of the file",
        };
        f.write_str(words)
    }
}

// ---- E0101: the text is not what stands here

/// `found` cannot stand here; `wanted` could.
// No edit: what is missed with one sign was tried before, and did not help.
pub fn unexpected(span: Span, found: &str, wanted: &[Wanted]) -> Diagnostic {
    let diagnostic = match found {
        "" => Diagnostic::error(Code::E0101, span, "something is missing here"),
        _ => Diagnostic::error(Code::E0101, span, format!("`{found}` cannot stand here")),
    };
    match alternatives(wanted) {
        Some(words) => diagnostic.here(format!("expected {words}")),
        None => diagnostic,
    }
}

/// `a`, `a or b`, `a, b or c`
fn alternatives(wanted: &[Wanted]) -> Option<String> {
    let words: Vec<String> = wanted.iter().map(Wanted::to_string).collect();
    let (last, others) = words.split_last()?;
    Some(if others.is_empty() { last.clone() } else { format!("{} or {last}", others.join(", ")) })
}

/// A sign or a word is missing between `after` and `before`.
pub fn missing(point: Span, sign: &str, after: &str, before: &str) -> Diagnostic {
    let place = match (after, before) {
        ("", _) => format!("before `{before}`"),
        (_, "") => format!("after `{after}`"),
        _ => format!("between `{after}` and `{before}`"),
    };
    let word = sign.trim();
    Diagnostic::error(Code::E0101, point, format!("`{word}` is missing {place}"))
        .here(format!("expected `{word}` here"))
        .fix(format!("write `{word}` here"), point, sign)
}

/// No value after `after`, such as an operator.
// No edit: the value is its writer's to give.
pub fn missing_value(point: Span, after: &str, before: &str) -> Diagnostic {
    let place = match (after, before) {
        ("", _) => format!("before `{before}`"),
        _ => format!("after `{after}`"),
    };
    Diagnostic::error(Code::E0101, point, format!("a value is missing {place}")).here("expected a value here")
}

/// No type after `:` or `->`.
// No edit: the type is its writer's to give.
pub fn missing_type(point: Span, after: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, point, format!("a type is missing after `{after}`"))
        .here("expected a type here")
        .help("a type is written `[batch, d]`, `logit[..]`, `index(vocab)[batch]`, `axis(i)` or `int`")
}

/// No name where only a name can stand.
// No edit: the name is its writer's to give.
pub fn missing_name(span: Span, after: &str, found: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0101, span, format!("a name is missing after `{after}`"));
    if found.is_empty() {
        return diagnostic.here("expected a name here");
    }
    diagnostic.here(format!("expected a name, found `{found}`"))
}

/// Something stands twice or too much.
pub fn superfluous(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, format!("`{found}` is too much here")).fix(
        format!("leave `{found}` out"),
        span,
        "",
    )
}

/// `found` stands where `right` is meant.
pub fn instead(span: Span, found: &str, right: &str, why: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, format!("`{found}` stands where `{right}` is meant")).here(why).fix(
        format!("write `{right}`"),
        span,
        right,
    )
}

/// Why `:` is meant: before a size, a type or the value of a field.
pub const COLON_GIVES: &str = "sizes, types and fields follow `:`";
/// Why `=` is meant: before a value that is given to a name.
pub const EQUALS_GIVES: &str = "the value of a name follows `=`";
/// Why `==` is meant.
pub const EQUALS_COMPARES: &str = "a comparison is written `==`";
/// Why `:=` is meant.
pub const BECOMES_UPDATES: &str = "a state or a carry takes its new value with `:=`";

/// A reserved word where a name is expected.
pub fn reserved_name(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, format!("`{word}` is a word of the language and cannot be a name"))
        .here("expected a name")
        .fix(format!("choose another name, such as `{word}_`"), span, format!("{word}_"))
}

/// A value is named without `let`.
pub fn needs_let(point: Span, name: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, point, format!("`{name}` is named without `let`")).fix(
        "a new name begins with `let`",
        point,
        "let ",
    )
}

/// Text at the top level that begins no declaration. It could be read with one of `words` before it.
// No edit where no word makes it one.
pub fn no_declaration(span: Span, found: &str, words: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0101, span, format!("`{found}` begins no declaration"));
    let told = words
        .iter()
        .fold(told, |told, word| told.fix(format!("begin it with `{word}`"), span.before(), format!("{word} ")));
    told.help(
        "a declaration begins with `use`, `let`, `data`, `model`, `layer`, `fn`, `loss`, `metric`, `optimizer`, `schedule`, \
         `train` or `search`",
    )
}

/// `update` outside a `train`.
// No edit: a program may have several `train` sections, and this one may be written below.
pub fn misplaced_update(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, "`update` stands outside a `train` section")
        .help("an `update` block says how a `train` section updates a model")
}

/// `name in values` outside a `search`; `given` is what stands behind the name, and the first of the values.
// No edit where no value is listed.
pub fn misplaced_variation(span: Span, name: &str, given: Option<(Span, &str)>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0101, span, "`in` gives the values of a search, and this is no `search` section");
    let told = match given {
        Some((values, first)) => {
            told.fix(format!("give it one value: `{name} = {first}`"), values, format!(" = {first}"))
        }
        None => told.help("give one value with `=`"),
    };
    told.help("a `search` section tries several")
}

/// `Dense (64)`
pub fn spaced_bracket(gap: Span, bracket: &str) -> Diagnostic {
    let what = if bracket == "(" { "a call" } else { "an index" };
    Diagnostic::error(Code::E0101, gap, format!("a space stands before the `{bracket}` of {what}"))
        .here(format!("{what} has its bracket right after the name"))
        .fix("leave the space out", gap, "")
}

/// `over = 50` and `epochs` on the next line.
pub fn unit_on_next_line(unit: Span, gap: Span, word: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, unit, format!("the unit `{word}` stands on another line than its number")).fix(
        "write it on the line of the number",
        gap,
        " ",
    )
}

/// `param [a] ~ zeros` as a statement; `gap` stands behind the word.
pub fn param_without_name(span: Span, gap: Span) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, "this `param` has no name")
        .fix("`param w[…] ~ …` names it", gap, " w")
        .help("a `let` names it too")
}

/// `1..2..3`
// No edit: which two of the ends are meant is not to be seen.
pub fn misplaced_range(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0101, span, "a range cannot be part of this expression")
        .help("a range has two ends at most, as in `0..4`, `1..` or `..n`")
}

/// A character without meaning.
// No edit where it is to be seen: how its writer would spell it is not.
pub fn unknown_character(span: Span, found: &str) -> Diagnostic {
    let told = Diagnostic::error(Code::E0101, span, format!("`{}` is no sign of the language", found.escape_debug()));
    match found.chars().next() {
        Some(letter) if letter.is_alphabetic() => told.help(LETTERS),
        Some(hidden) if hidden.is_control() => told.fix("leave it out", span, ""),
        _ => told,
    }
}

/// A letter of another alphabet that is spelt `name`, at all its places.
pub fn letter_with_name(places: &[Span], found: &str, name: &str) -> Diagnostic {
    Diagnostic::error(Code::E0101, places[0], format!("`{found}` is no sign of the language"))
        .help(LETTERS)
        .fix_all(format!("write `{name}`"), places.iter().map(|place| (*place, name)))
}

const LETTERS: &str = "names are made of the letters a-z and A-Z, digits and `_`";

// ---- E0102: brackets

/// `opener` is open at `point`, where it should be closed by inserting `insert`.
pub fn unclosed(point: Span, opener: Span, open: &str, close: &str, insert: &str) -> Diagnostic {
    Diagnostic::error(Code::E0102, point, format!("`{open}` is not closed"))
        .here(format!("expected `{close}` here"))
        .label(opener, "opened here")
        .fix(format!("write `{close}` here"), point, insert)
}

/// A closing bracket without its partner, which is missing at `point`; `insert` brings it.
pub fn unopened(point: Span, closer: Span, open: &str, close: &str, insert: &str) -> Diagnostic {
    Diagnostic::error(Code::E0102, point, format!("`{open}` is missing before `{close}`"))
        .here(format!("expected `{open}` here"))
        .label(closer, "closes nothing")
        .fix(format!("write `{open}` here"), point, insert)
}

/// A closing bracket too much.
pub fn extra_closer(closer: Span, close: &str) -> Diagnostic {
    Diagnostic::error(Code::E0102, closer, format!("`{close}` closes nothing")).fix(
        format!("leave `{close}` out"),
        closer,
        "",
    )
}

/// `(` closed by `]`.
pub fn wrong_closer(closer: Span, found: &str, opener: Span, open: &str, close: &str) -> Diagnostic {
    Diagnostic::error(Code::E0102, closer, format!("`{open}` is closed by `{found}`"))
        .here(format!("expected `{close}`"))
        .label(opener, "opened here")
        .fix(format!("write `{close}`"), closer, close)
}

// ---- E0103: limits

/// A file of too many bytes.
// No edit: where to cut it is its writer's to say (`syntax::the_largest_text_is_read_and_a_larger_refused`).
pub fn too_large(start: Span, bytes: usize, most: usize) -> Diagnostic {
    Diagnostic::error(Code::E0103, start, format!("the file has {bytes} bytes; the most that is read is {most}"))
        .help("split it and bring the parts in with `use`")
}

/// Nesting beyond the limit.
// No edit: which of the levels are to have a name is its writer's to say.
pub fn too_deep(span: Span, found: &str, most: u32) -> Diagnostic {
    Diagnostic::error(Code::E0103, span, format!("the text nests deeper than {most} levels at this `{found}`"))
        .help("name the inner parts with `let`")
}

/// A text that takes too long to read.
// No edit: where to cut it is its writer's to say (`syntax::endless_texts_are_read_or_refused`).
pub fn too_much(start: Span) -> Diagnostic {
    Diagnostic::error(Code::E0103, start, "the text is too long or nests too deep to be read")
        .help("split it into several declarations or files")
}

// ---- E0104: literals

/// A string that its line ends.
pub fn unfinished_text(text: Span, end: Span) -> Diagnostic {
    Diagnostic::error(Code::E0104, text, "this text has no closing quote")
        .here("a text ends on the line it begins on")
        .fix("close it with `\"`", end, "\"")
}

/// `"\q"`
pub fn bad_escape(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error(Code::E0104, span, format!("`{found}` is no escape"))
        .fix("a backslash itself is written `\\\\`", span.before(), "\\")
        .help("`\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and `\\u{1F600}` are escapes")
}

/// `3abc`, `1.`, `.5`
// No edit where what follows the digits is no unit.
pub fn bad_number(span: Span, found: &str, right: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0104, span, format!("`{found}` is no number"));
    match right {
        Some(right) => diagnostic.fix(format!("write `{right}`"), span, right),
        None => diagnostic.help("numbers are written `64`, `10_000`, `0.5` or `1e-3`"),
    }
}

/// A number that a 64-bit float cannot hold.
// No edit: the largest number there is would be another than the one that is meant.
pub fn huge_number(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error(Code::E0104, span, format!("`{found}` is too large to be held exactly"))
        .help("whole numbers go up to 9007199254740992, others to 1.7e308")
}

// ---- E0105: habits of other languages

/// An operator of another language and ours.
pub fn foreign_sign(span: Span, found: &str, ours: &str) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, format!("`{found}` is written `{}` here", ours.trim())).fix(
        format!("write `{}`", ours.trim()),
        span,
        ours,
    )
}

/// A sign of another language that has no single counterpart.
// No edit: what is written in its place has another form, and names what the sign leaves open.
pub fn foreign(span: Span, found: &str, advice: &str) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, format!("`{found}` is not part of the language")).help(advice)
}

/// `total += x`, where `total` is a state; `row` is `x` where it needs brackets.
pub fn foreign_update(span: Span, found: &str, state: &str, row: Option<Span>) -> Diagnostic {
    let sign = found.trim_end_matches('=');
    let told = Diagnostic::error(Code::E0105, span, format!("`{found}` is not part of the language")).fix(
        format!("write `{state} := {state} {sign} …`"),
        span,
        format!(":= {state} {sign}"),
    );
    match row {
        Some(row) => told.also(row.before(), "(").also(row.after(), ")"),
        None => told,
    }
}

/// `*/`, where no comment ends.
pub fn end_of_comment(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, "`*/` ends no comment here").fix(
        "leave it out: a comment begins with `#` and ends with its line",
        span,
        "",
    )
}

/// A `;` at the end of a line.
pub fn semicolon(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, "`;` is not part of the language").fix(
        "leave it out: a statement ends where the next begins",
        span,
        "",
    )
}

/// `'text'`
pub fn single_quotes(span: Span, right: &str) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, "a text stands in double quotes").fix(format!("write `{right}`"), span, right)
}

/// `// note`
pub fn foreign_comment(span: Span, found: &str, right: &str) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, format!("`{found}` begins no comment here")).fix(
        "a comment begins with `#`",
        span,
        right,
    )
}

/// `x[0:5]`
// No edit: which axis is meant is not to be seen.
pub fn slice(colon: Span) -> Diagnostic {
    Diagnostic::error(Code::E0105, colon, "a slice names its axis and is written with `..`")
        .help("write `x[t = 0..5]` for the first five along axis `t`, `x[t = 1..]` for all but the first")
}

/// `return x`
pub fn return_value(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, "`return` is not part of the language").fix(
        "leave it out: the last value of a block is its result",
        span,
        "",
    )
}

/// What a word that begins a statement elsewhere is called here.
pub fn advice_for(word: &str) -> Option<&'static str> {
    Some(match word {
        "def" | "function" | "func" | "fun" => {
            "a function is written `fn name(x: [..]) -> [..] = …`, a layer `layer Name(config)(x: [..]) { … }`"
        }
        "class" | "struct" => {
            "a layer is written `layer Name(config)(x: [.., i]) -> [.., out] { … }`, a model `model Name(x: [batch, d]) { … }`"
        }
        "import" => "the library is always there; another file of definitions comes in with `use \"blocks.model\"`",
        "for" | "while" => {
            "repetition is `stack i in 0..4 { … }` for layers and `scan t from h = … { … }` along an axis"
        }
        "lambda" => {
            "`_` is the value so far: a stage or an argument that holds `_` is a function of it, as in `x |> _ * 2`"
        }
        "elif" => "write `else if`",
        "const" | "var" | "val" => "write `let`",
        "with" | "try" | "async" | "yield" | "assert" | "raise" | "pass" | "del" | "global" => {
            "a program is a set of declarations; see docs/language.md"
        }
        _ => return None,
    })
}

/// A statement that begins with a word of another language.
// No edit where what it begins has another form here.
pub fn foreign_word(span: Span, word: &str, advice: &str) -> Diagnostic {
    let told = Diagnostic::error(Code::E0105, span, format!("`{word}` is not part of the language"));
    match word {
        "elif" => told.fix(advice, span, "else if"),
        "const" | "var" | "val" => told.fix(advice, span, "let"),
        _ => told.help(advice),
    }
}

/// `let a, b = x, y`; `lines` give each name its value, in the place of all behind the first name.
pub fn several_values(comma: Span, behind: Span, lines: &str) -> Diagnostic {
    Diagnostic::error(Code::E0105, comma, "several values stand behind one `=`")
        .here("a `let` has one value, which may be a list")
        .fix("write one `let` for each", behind, lines)
}

/// `if c: x else: y`, `a if c else b`, `c ? a : b`; `right` is the whole as it is written here.
// No edit where one of the three parts is not there.
pub fn foreign_if(span: Span, right: Option<(Span, String)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0105, span, "an `if` is written with braces");
    let advice = "write `if c { a } else { b }`";
    match right {
        Some((whole, right)) => told.fix(advice, whole, right),
        None => told.help(advice),
    }
}

// ---- E0106: blocks

/// A value that nothing uses, before the end of a block; `stage` is the call that follows, where one does.
// No edit where no call follows: what the value is for is not to be seen.
pub fn unused_value(span: Span, stage: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0106, span, "this value is not used").here("a block has one value, at its end");
    let told = match stage {
        Some(stage) => told.fix("hand it on with `|>`", stage, "|> "),
        None => told,
    };
    told.help("give it a name with `let`, or join it with what follows")
}

/// A block that ends with a statement.
// No edit where nothing in it has a name.
pub fn no_value(point: Span, insert: Option<(Span, String, &str)>) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0106, point, "this block has no value").here("its value stands last");
    match insert {
        Some((place, text, name)) => diagnostic.fix(format!("end the block with `{name}`"), place, text),
        None => diagnostic.help("end the block with the value it is for"),
    }
}

/// An `if` alone, or with its second block but no `else` before it.
// No edit where there is no second block: its value is its writer's to give.
pub fn if_without_else(point: Span, head: Span, has_block: bool) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0106, point, "this `if` has no `else`")
        .here("expected `else { … }` here")
        .label(head, "an `if` is a value, so both ways need one");
    if has_block { diagnostic.fix("write `else` here", point, " else") } else { diagnostic }
}

// ---- E0107: operators

/// `a < b < c`; `between` is what stands before this sign.
pub fn chained_comparison(second: Span, op: &str, between: &str) -> Diagnostic {
    Diagnostic::error(Code::E0107, second, format!("comparisons do not chain; this `{op}` is the second")).fix(
        "write `a < b and b < c`",
        second.before(),
        format!("and {between} "),
    )
}

/// A further sign of the same chain, which the same edit parts.
pub fn chained_further(told: Diagnostic, sign: Span, between: &str) -> Diagnostic {
    told.also(sign.before(), format!("and {between} "))
}

/// `a + not b`
pub fn loose_not(span: Span, operand: Span) -> Diagnostic {
    Diagnostic::error(Code::E0107, span, "`not` binds looser than the operator before it")
        .fix("put it in brackets", span.before(), "(")
        .also(operand.after(), ")")
}
