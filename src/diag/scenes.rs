//! What is wrong with pictures and what belongs to them: files that rows name, masks, boxes, the kinds of boxes.
//!
//! In: facts and places from `data`. Out: diagnostics E0745 … E0747, and those of E0709 and E0733 that speak of records
//! of pictures.

use super::data::{Cell, at, before_step, cut, more, noted};
use super::images::{Shifted, Size, sized};
use super::{Code, Diagnostic};
use crate::base::{Span, Symbol};

// ---- the program text

/// `column("boxes") |> boxes |> resize(64)`, without a picture.
///
/// `place` is the step with its `|>`.
pub fn no_picture_to_follow(span: Span, word: &str, place: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0709,
        span,
        format!("boxes follow the `{word}` of their picture, and there is none here"),
    );
    let told = match place {
        Some(place) => told.fix("leave it out", place, ""),
        // No edit where it is a call around the boxes: which of its words go is not to be seen.
        None => told,
    };
    told.help(
        "put both into a record: `{ img: column(\"file\") |> decode[h, w, c], box: column(\"boxes\") |> boxes } |> …`",
    )
}

/// Boxes of a column that every row has another number of.
pub fn boxes_remain(span: Span) -> Diagnostic {
    let end = Span { start: span.end, ..span };
    Diagnostic::error(Code::E0709, span, "rows have different numbers of boxes").fix(
        "`pad(20)` gives every row 20, of which the last are empty",
        end,
        " |> pad(20)",
    )
}

/// Classes beside boxes that are no lists of the file.
///
/// `classes` is the step that makes classes of lists, where another made them of cells.
// No edit where they are made in another way: the column of the lists is not said.
pub fn kinds_of_no_lists(span: Span, classes: Option<String>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0709, span, "classes beside boxes are one for each box");
    let told = match classes {
        Some(classes) => told.fix(format!("`{classes}` takes them from lists of the file"), span, classes),
        None => told.help("take them from lists of the file: `column(\"labels\") |> vocab[class]`"),
    };
    told.help("what there is one of in a row stands outside of the record")
}

/// `index` on pictures with colours.
///
/// `axis` is where `decode` names the axis of channels.
pub fn index_of_colour(span: Span, channels: usize, axis: Option<Span>) -> Diagnostic {
    let message = format!("`index` takes one number a pixel, and here are {channels} on an axis of their own");
    let message = if channels == 1 { "`index` takes a mask without an axis of channels".to_owned() } else { message };
    let told = Diagnostic::error(Code::E0709, span, message);
    let help = "`decode[h, w]` reads a mask: two axes, and a number for each pixel";
    match axis {
        Some(axis) => told.fix(help, axis, ""),
        None => told.help(help),
    }
}

// ---- files that rows name

/// A pattern that no file has.
///
/// `other` is the pattern with another ending, which some have.
pub fn nothing_matches(span: Option<Span>, pattern: &str, other: Option<&str>) -> Diagnostic {
    let told = at(Code::E0745, span, format!("no picture is called `{pattern}`"))
        .note("`*` stands for any text within a name")
        .note("pictures are files named `.png`, `.jpg`, `.jpeg`, `.bmp`, `.gif` or `.webp`");
    match (other, span) {
        (Some(other), Some(span)) => told.fix(format!("there are `{other}`"), span, format!("\"{other}\"")),
        // No edit: the files may be anywhere.
        _ => told,
    }
}

/// A row whose file has no other of its name in the folder beside.
// No edit: the file is missing in the folder.
pub fn no_sibling(span: Span, path: &str, wanted: &str, near: Option<&str>, others: usize) -> Diagnostic {
    let error = Diagnostic::error(Code::E0745, span, format!("`{path}` has no `{wanted}` beside it"));
    let error = noted(error, more(others, "file"));
    match near {
        Some(near) => error.note(format!("there is `{near}`")),
        None => error.note("a file with the same name and another ending of a picture would do"),
    }
}

/// A cell that names a picture that is not there.
// No edit: the folder that has the files may be anywhere.
pub fn no_such_picture(
    span: Span,
    cell: Cell<'_>,
    (path, folder): (&str, Option<&str>),
    near: Option<&str>,
    others: usize,
) -> Diagnostic {
    let message = format!("column `{}` names `{path}` in {cell}, and there is no such picture", cell.column);
    let error = noted(Diagnostic::error(Code::E0745, span, message), more(others, "row"));
    match (near, folder) {
        (Some(near), _) => error.note(format!("there is `{near}`")),
        (None, Some(folder)) => error.note(format!("`{folder}` starts from the folder of the program")),
        (None, None) => error.help("`decode[h, w, c](folder = \"photos\")` says where the files of a column lie"),
    }
}

/// A cell that names no file at all.
///
/// `text` is what the cell says, which stands for nothing; `steps` is where a step on the rows may follow.
// No edit where the source takes no steps on its rows: the name is missing in the file.
pub fn no_picture_named(span: Span, cell: Cell<'_>, text: &str, steps: Option<Span>) -> Diagnostic {
    let column = cell.column;
    let told = Diagnostic::error(Code::E0719, span, format!("column `{column}` names no picture in {cell}"));
    // Where columns have numbers, those are their names.
    let column = if column.parse::<usize>().is_ok() { column.to_owned() } else { format!("\"{column}\"") };
    match steps {
        Some(steps) => {
            let filter = format!(" |> filter(column({column}) != \"{text}\")");
            told.fix(format!("`{}` behind the source leaves such rows out", filter.trim_start()), steps, filter)
        }
        None => told,
    }
}

/// Two files of one name where one is looked for.
// No edit: which of the files is meant, only who made them can say.
pub fn several_pictures(span: Span, path: &str, first: &str, second: &str) -> Diagnostic {
    let message = format!("`{path}` could be `{first}` or `{second}`");
    Diagnostic::error(Code::E0745, span, message).help("keep one of them in the folder")
}

// ---- masks

/// The `index` that makes classes of pixels.
#[derive(Clone, Debug)]
pub struct ClassesAt {
    /// Where it stands.
    pub span: Span,
    /// The axis with its size.
    pub axis: Option<(Span, Symbol)>,
    /// The stage before it.
    pub piped: Option<Span>,
    /// The step right behind `decode`, where others stand between.
    pub first: Option<Shifted>,
}

impl ClassesAt {
    /// Two classes of any greys.
    fn above(&self, told: Diagnostic, least: u8, why: &str) -> Diagnostic {
        match self.piped {
            Some(before) => told.fix(format!("`_ > {least}` {why}"), before.after(), format!(" |> _ > {least}")),
            None => told,
        }
    }
}

/// The most classes that a mask of two is rather missing than that it is drawn in shades of grey, which go up to 255.
const SHADES: f32 = 32.0;

fn placed((row, column): (usize, usize)) -> String {
    format!("in row {row}, column {column}")
}

/// A pixel that is no class.
// No edit where there are no such classes: what a number below 0 means is not to be seen.
pub fn no_class(at: &ClassesAt, path: &str, (value, place): (f32, (usize, usize)), size: Option<usize>) -> Diagnostic {
    let classes = size.map_or("a class number".to_owned(), |size| format!("one of {size} classes"));
    let file = if path.is_empty() { "a mask".to_owned() } else { format!("the mask `{path}`") };
    let message = format!("{file} has {value} {}, which is not {classes}", placed(place));
    let error = Diagnostic::error(Code::E0746, at.span, message);
    if value.fract() != 0.0 {
        let help = "`index` comes before `resize`, which takes the nearest pixel of a mask and mixes those of others";
        return match &at.first {
            Some(Shifted { from, to: Some((to, words)) }) => error.fix(help, *to, words.as_str()).also(*from, ""),
            Some(Shifted { to: None, .. }) | None => error.help(help),
        };
    }
    if value < 0.0 {
        return error.help("classes count from 0");
    }
    let more = |error: Diagnostic, size: usize| match at.axis {
        Some((axis, name)) => {
            let (last, words) = (size - 1, format!("{name}: {}", value + 1.0));
            error.fix(format!("classes count from 0 to {last}; up to {value} they are `{words}`"), axis, words)
        }
        None => error,
    };
    match size {
        Some(2) if value > SHADES => at.above(error, 127, "makes two classes of any greys"),
        Some(size) => more(error, size),
        None => error,
    }
}

/// 0, 1 and 255 in a mask of two classes.
// No edit where it is a call around the mask: no step goes before it.
pub fn black_white_and_one(at: &ClassesAt, path: &str, place: (usize, usize)) -> Diagnostic {
    let message = format!("the mask `{path}` has 255 {} and 1 elsewhere", placed(place));
    let told = Diagnostic::error(Code::E0746, at.span, message).help("a mask of two classes has 0 and 1, or 0 and 255");
    at.above(at.above(told, 127, "takes 1 for black"), 0, "takes 1 for white")
}

/// A mask in colours.
// No edit: which class a colour means, only who drew the mask can say.
pub fn coloured_mask(span: Option<Span>, path: &str, colour: [u8; 3], place: (usize, usize)) -> Diagnostic {
    let [red, green, blue] = colour;
    let message = format!("the mask `{path}` has the colour ({red}, {green}, {blue}) {}", placed(place));
    at(Code::E0746, span, message).help("save it in greys, or with a palette whose places are the classes")
}

/// A mask that is cropped with its picture and has another size.
pub fn sizes_beside((span, value): (Span, Span), picture: (&str, Size), mask: (&str, Size)) -> Diagnostic {
    let message = format!(
        "`{}` is {}, and `{}` beside it {}: a crop would take different parts",
        picture.0,
        sized(picture.1),
        mask.0,
        sized(mask.1)
    );
    let (h, w) = picture.1;
    let (told, step) = (Diagnostic::error(Code::E0733, span, message), format!("resize({h}, {w})"));
    before_step(told, format!("`|> {step}` before it gives both one size"), &step, (span, value))
}

// ---- boxes

/// A cell that is no list of boxes.
// No edit: what the cell was to be, only its file can say.
pub fn no_boxes(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    let message = format!("`{}` in column `{}`, {cell}, is no list of boxes", cut(text), cell.column);
    Diagnostic::error(Code::E0747, span, message)
        .help("a row has a list of lists of four numbers: `[[x0, y0, x1, y1], [x0, y0, x1, y1]]`")
}

/// A box whose right edge is left of its left one.
///
/// `sizes` is where it can be said that a box has its sizes instead.
// No edit where that is said, or the numbers are no sizes either: the box is wrong in its file.
pub fn box_inside_out(span: Span, cell: Cell<'_>, edges: [f64; 4], sizes: Option<Span>) -> Diagnostic {
    let [left, top, right, bottom] = edges;
    let why = match right < left {
        true => format!("its right edge {right} left of its left edge {left}"),
        false => format!("its lower edge {bottom} above its upper edge {top}"),
    };
    let told = Diagnostic::error(Code::E0747, span, format!("a box in column `{}`, {cell}, has {why}", cell.column));
    let told = match sizes {
        Some(place) => {
            told.fix("where width and height stand there, say so: `given = sizes`", place, "(given = sizes)")
        }
        None => told,
    };
    told.help("a box is its left, upper, right and lower edge, in pixels of its picture")
}

/// More boxes than `pad` has room for.
// No edit where the boxes are its argument.
pub fn more_boxes((span, is_stage): (Span, bool), cell: Cell<'_>, found: usize, room: usize) -> Diagnostic {
    let message = format!("{cell} has {found} boxes, and `pad({room})` has room for {room}");
    let (told, step) = (Diagnostic::error(Code::E0747, span, message), format!("pad({found})"));
    let text = format!("`{step}` holds the boxes of every row");
    if is_stage { told.fix(text, span, step) } else { told.help(text) }
}

/// A cell that is no list, beside one that is.
// No edit: the list is missing in the file.
pub fn no_list(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    let message = format!("`{}` in column `{}`, {cell}, is no list of words", cut(text), cell.column);
    Diagnostic::error(Code::E0747, span, message).help("beside boxes a row has a list, with a word for each box")
}

/// Another number of kinds than of boxes.
// No edit: which box lacks its kind, only the file can say.
pub fn kinds_and_boxes(span: Span, cell: Cell<'_>, kinds: usize, boxes: usize) -> Diagnostic {
    let plural = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let (kinds, boxes) = (plural(kinds, "kind", "kinds"), plural(boxes, "box", "boxes"));
    let message = format!("column `{}` has {kinds} in {cell}, which has {boxes}", cell.column);
    Diagnostic::error(Code::E0747, span, message).help("each box has one kind, in the same order")
}
