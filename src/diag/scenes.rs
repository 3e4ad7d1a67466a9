//! What is wrong with pictures and what belongs to them: files that rows name, masks, boxes, the kinds of boxes.
//!
//! In: facts and places from `data`. Out: diagnostics E0745 … E0747, and those of E0709 and E0733 that speak of records
//! of pictures.

use super::data::{Cell, at, cut, more, noted};
use super::images::{Size, sized};
use super::{Code, Diagnostic};
use crate::base::Span;

// ---- the program text

/// `column("boxes") |> boxes |> resize(64)`, without a picture.
pub fn no_picture_to_follow(span: Span, word: &str, boxes: Span) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0709,
        span,
        format!("boxes follow the `{word}` of their picture, and there is none here"),
    );
    super::name::leave_out(told, Some(boxes), span).help(
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
pub fn kinds_of_no_lists(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, "classes beside boxes are one for each box")
        .help("take them from lists of the file: `column(\"labels\") |> vocab[class]`")
        .help("what there is one of in a row stands outside of the record")
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
pub fn no_picture_named(span: Span, cell: Cell<'_>) -> Diagnostic {
    Diagnostic::error(Code::E0719, span, format!("column `{}` names no picture in {cell}", cell.column))
        .help("`filter(column(\"…\") != \"\")` behind the source leaves such rows out")
}

/// Two files of one name where one is looked for.
pub fn several_pictures(span: Span, path: &str, first: &str, second: &str) -> Diagnostic {
    let message = format!("`{path}` could be `{first}` or `{second}`");
    Diagnostic::error(Code::E0745, span, message).help("keep one of them in the folder")
}

// ---- masks

fn placed((row, column): (usize, usize)) -> String {
    format!("in row {row}, column {column}")
}

/// A pixel that is no class.
pub fn no_class(span: Span, path: &str, (value, place): (f32, (usize, usize)), size: Option<usize>) -> Diagnostic {
    let classes = size.map_or("a class number".to_owned(), |size| format!("one of {size} classes"));
    let file = if path.is_empty() { "a mask".to_owned() } else { format!("the mask `{path}`") };
    let message = format!("{file} has {value} {}, which is not {classes}", placed(place));
    let error = Diagnostic::error(Code::E0746, span, message);
    if value.fract() != 0.0 {
        return error
            .help("`index` comes before `resize`, which takes the nearest pixel of a mask and mixes those of others");
    }
    match size {
        Some(2) => error.help("`decode[h, w](…) > 127 |> index[class: 2]` makes two classes of any greys"),
        Some(size) if value >= 0.0 => {
            let (last, needed) = (size - 1, value + 1.0);
            error.help(format!("classes count from 0 to {last}; up to {value} they are {needed}"))
        }
        Some(_) | None => error,
    }
}

/// 0, 1 and 255 in a mask of two classes.
pub fn black_white_and_one(span: Span, path: &str, place: (usize, usize)) -> Diagnostic {
    let message = format!("the mask `{path}` has 255 {} and 1 elsewhere", placed(place));
    Diagnostic::error(Code::E0746, span, message).help("a mask of two classes has 0 and 1, or 0 and 255")
}

/// A mask in colours.
// No edit: which class a colour means, only who drew the mask can say.
pub fn coloured_mask(span: Option<Span>, path: &str, colour: [u8; 3], place: (usize, usize)) -> Diagnostic {
    let [red, green, blue] = colour;
    let message = format!("the mask `{path}` has the colour ({red}, {green}, {blue}) {}", placed(place));
    at(Code::E0746, span, message).help("save it in greys, or with a palette whose places are the classes")
}

/// A mask that is cropped with its picture and has another size.
pub fn sizes_beside(span: Span, picture: (&str, Size), mask: (&str, Size)) -> Diagnostic {
    let message = format!(
        "`{}` is {}, and `{}` beside it {}: a crop would take different parts",
        picture.0,
        sized(picture.1),
        mask.0,
        sized(mask.1)
    );
    let (h, w) = picture.1;
    Diagnostic::error(Code::E0733, span, message).fix(
        format!("`|> resize({h}, {w})` before it gives both one size"),
        span.before(),
        format!("resize({h}, {w}) |> "),
    )
}

// ---- boxes

/// A cell that is no list of boxes.
pub fn no_boxes(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    let message = format!("`{}` in column `{}`, {cell}, is no list of boxes", cut(text), cell.column);
    Diagnostic::error(Code::E0747, span, message)
        .help("a row has a list of lists of four numbers: `[[x0, y0, x1, y1], [x0, y0, x1, y1]]`")
}

/// A box whose right edge is left of its left one.
pub fn box_inside_out(span: Span, cell: Cell<'_>, edges: [f64; 4]) -> Diagnostic {
    let [left, top, right, bottom] = edges;
    let why = match right < left {
        true => format!("its right edge {right} left of its left edge {left}"),
        false => format!("its lower edge {bottom} above its upper edge {top}"),
    };
    Diagnostic::error(Code::E0747, span, format!("a box in column `{}`, {cell}, has {why}", cell.column)).help(
        "a box is its left, upper, right and lower edge, in pixels of its picture; width and height are not edges",
    )
}

/// More boxes than `pad` has room for.
pub fn more_boxes(span: Span, cell: Cell<'_>, found: usize, room: usize) -> Diagnostic {
    Diagnostic::error(Code::E0747, span, format!("{cell} has {found} boxes, and `pad({room})` has room for {room}"))
        .fix(format!("`pad({found})` holds the boxes of every row"), span, format!("pad({found})"))
}

/// A cell that is no list, beside one that is.
pub fn no_list(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    let message = format!("`{}` in column `{}`, {cell}, is no list of words", cut(text), cell.column);
    Diagnostic::error(Code::E0747, span, message).help("beside boxes a row has a list, with a word for each box")
}

/// Another number of kinds than of boxes.
pub fn kinds_and_boxes(span: Span, cell: Cell<'_>, kinds: usize, boxes: usize) -> Diagnostic {
    let plural = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let (kinds, boxes) = (plural(kinds, "kind", "kinds"), plural(boxes, "box", "boxes"));
    let message = format!("column `{}` has {kinds} in {cell}, which has {boxes}", cell.column);
    Diagnostic::error(Code::E0747, span, message).help("each box has one kind, in the same order")
}
