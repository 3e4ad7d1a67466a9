//! What is wrong with pictures: how they lie in folders, what is in their files, what is asked of them.
//!
//! In: facts and places from `data`. Out: diagnostics E0731 … E0734 and W0702, and those of E0704, E0706 and
//! E0709 that speak of pictures. A message about a file names it as it is found.

use super::data::{at, before_step, list, more, noted};
use super::{ALTERNATIVES, Code, Diagnostic, Severity};
use crate::base::Span;

/// Height and width as people read them.
pub(super) type Size = (usize, usize);

pub(super) fn sized((h, w): Size) -> String {
    format!("{h} × {w}")
}

// ---- the program text

/// `flip` beside `train(…)`.
pub fn random_outside_train(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0734,
        span,
        format!("`{word}` changes a picture at random, which is for training rows alone"),
    )
    .fix("put it into `train(…)`", span.before(), "train(")
    .also(span.after(), ")")
}

/// `train(normalize)`
///
/// `left_out` is the step with the `|>` that goes with it, none when it stands there alone; `whole` is the call of `train`.
pub fn fixed_inside_train(
    span: Span,
    word: &str,
    known: &[&str],
    (left_out, whole): (Option<Span>, Span),
    step: &str,
) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0734,
        span,
        format!("`{word}` is no random change, and `train(…)` leaves it out where a model is evaluated"),
    );
    let help = format!("put `|> {word}` outside of `train(…)`");
    let told = match left_out {
        None => told.fix(help, whole, step),
        // The first step stays before the others.
        Some(place) if place.start == span.start => {
            told.fix(help, whole.before(), format!("{step} |> ")).also(place, "")
        }
        Some(place) => told.fix(help, whole.after(), format!(" |> {step}")).also(place, ""),
    };
    told.help(format!("inside stand {}", list(known.iter().copied())))
}

/// `rotate(15)`
pub fn angle_without_unit(span: Span, of: &str, value: f64) -> Diagnostic {
    Diagnostic::error(Code::E0704, span, format!("`{of}` takes an angle, as in `{of}(15 deg)`")).fix(
        format!("write `{value} deg`"),
        span,
        format!("{value} deg"),
    )
}

/// `by_folder` over a table.
pub fn by_folder_of_files(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0704, span, "`by_folder` splits folders of pictures, and this source is none")
        .fix("make parts of the rows: `random(train = 80%, test = 20%)`", span, "random(train = 80%, test = 20%)")
        .help("`files(test = …)` takes a part from a file, `by_column(…)` from a column")
}

/// `column("image") + column("age")`
// No edit: what a picture and another column make together is computed in a model, in an expression that is not to be seen.
pub fn picture_arithmetic(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, "pictures have arithmetic with numbers alone, as in `_ / 255`")
}

/// `resize(64, 64) |> decode[h, w, c]`
// No edit where the steps before it are no steps of pictures, or it is a call around them.
pub fn decode_comes_first(span: Span, moved: Option<Shifted>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0709, span, "`decode` reads the file, so it comes first");
    match moved {
        Some(Shifted { from, to: Some((to, words)) }) => told.fix("put it first", to, words).also(from, ""),
        Some(Shifted { from, to: None }) => told.fix("one stands first already: leave this one out", from, ""),
        None => told.help("`column(\"image\") |> decode[h, w, c] |> …`"),
    }
}

/// A step that moves within its pipe.
#[derive(Clone, Debug)]
pub struct Shifted {
    /// Where it stands, with its `|>`.
    pub from: Span,
    /// The place to stand at, and the words of it there; none where a step like it stands there.
    pub to: Option<(Span, String)>,
}

/// `columns("image", "label")`
///
/// `alone` are the columns of pictures, and `place` is where all of them stand.
pub fn picture_among_columns<'a>(
    span: Span,
    place: Span,
    axes: &str,
    alone: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let told = Diagnostic::error(Code::E0709, span, "pictures do not stand side by side with other columns");
    alone.take(ALTERNATIVES).fold(told, |told, name| {
        told.fix(format!("`column(\"{name}\")` gives them alone"), place, format!("column{axes}(\"{name}\")"))
    })
}

/// `flip` on what has no height and width.
// No edit: which of the axes of an array are height and width, and whether it has such, only its file can say.
pub fn no_picture(span: Span, transform: &str, shape: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0709,
        span,
        format!("`{transform}` takes pictures, height × width or height × width × channels; an item here is {shape}"),
    )
}

/// Three means for one channel.
// No edit where it is a call around the pictures: they stand among the numbers.
pub fn channel_count(span: Span, is_stage: bool, given: usize, channels: usize) -> Diagnostic {
    let channels = if channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") };
    let message = format!("`normalize` is given {given} means, and a picture has {channels}");
    let told = Diagnostic::error(Code::E0709, span, message);
    let told = match is_stage {
        true => told.fix("without numbers it takes those of the training rows", span, "normalize"),
        false => told,
    };
    told.help("give one mean and deviation for all channels, or one for each")
}

/// `grayscale` of pictures that are not of colour.
// No edit: what each of two channels shows, and so what grey is made of them, only their file can say.
pub fn no_colour(span: Span, channels: usize) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`grayscale` takes 1, 3 or 4 channels, and a picture has {channels}"))
}

// ---- folders

/// A folder in which nothing is found that could be read.
// No edit: the pictures may lie anywhere.
pub fn no_pictures(span: Option<Span>, folder: &str) -> Diagnostic {
    at(Code::E0731, span, format!("`{folder}` holds no pictures"))
        .note("pictures are files named `.png`, `.jpg`, `.jpeg`, `.bmp`, `.gif` or `.webp`")
}

/// Pictures that lie where the folders of the classes should.
///
/// `labels` is what asks for classes, where nothing reads them.
// No edit where classes are read, or there are no pictures: the folders of the classes are missing.
pub fn no_classes(span: Option<Span>, folder: &str, loose: usize, labels: Option<Span>) -> Diagnostic {
    let error = at(Code::E0731, span, format!("`{folder}` has no folders, and `labels = folder` makes them classes"));
    let error = error.help(format!("put the pictures of a class into a folder of its name: `{folder}/cat/1.png`"));
    match labels {
        Some(labels) if loose > 0 => error.fix("without `labels = folder` the pictures have no classes", labels, ""),
        _ if loose > 0 => error.help("without `labels = folder` the pictures have no classes"),
        _ => error,
    }
}

/// A folder of a class without a picture.
// No edit: the pictures are missing in the folder.
pub fn empty_class(span: Option<Span>, folder: &str, class: &str) -> Diagnostic {
    at(Code::E0731, span, format!("class `{class}` is empty: `{folder}` holds no pictures"))
        .help("put pictures into it, or delete it")
        .note("pictures are files named `.png`, `.jpg`, `.jpeg`, `.bmp`, `.gif` or `.webp`")
}

/// Folders named `train` and `test` that are taken for classes.
///
/// `split` is what says so, and where.
// No edit where the folder is no main source: what its split would be is not said.
pub fn parts_as_classes(span: Option<Span>, folder: &str, split: Option<(Span, &str)>) -> Diagnostic {
    let told = at(Code::E0731, span, format!("`{folder}` has a folder for each part of a split, not for each class"));
    let help = "`split = by_folder` makes them the parts";
    match split {
        Some((place, words)) => told.fix(help, place, words),
        None => told.help(help),
    }
}

/// `by_folder` without `train`.
pub fn no_training_folder(span: Option<Span>, folder: &str, split: Span) -> Diagnostic {
    at(Code::E0731, span, format!("`{folder}` has no folder `train`"))
        .help("`split = by_folder` takes the parts from the folders `train`, `valid` and `test`")
        .fix(
            "`split = random(train = 80%, test = 20%)` makes parts of one folder",
            split,
            "random(train = 80%, test = 20%)",
        )
}

/// `by_folder(valid = 10%)` beside a folder `valid`.
///
/// `mended` is the split without the share.
pub fn share_and_folder(span: Span, folder: &str, part: &str, mended: String) -> Diagnostic {
    Diagnostic::error(Code::E0706, span, format!("`{part}` is a share here and the folder `{folder}/{part}` as well"))
        .fix(format!("take the folder: `{mended}`"), span, mended)
        .help("or rename the folder, and the share is one of the folder `train`")
}

/// A file or folder that is no picture of a class.
// No edit: what lies in the folder is not said by the program.
pub fn left_out(span: Option<Span>, path: &str, why: &str, others: usize) -> Diagnostic {
    let warning =
        Diagnostic { severity: Severity::Warning, ..at(Code::W0702, span, format!("`{path}` is left out: {why}")) };
    noted(warning, more(others, "file")).help("move it out of the folder of the pictures")
}

// ---- files

/// A picture that does not decode.
// No edit: the fault is in the file.
pub fn damaged(span: Option<Span>, path: &str, why: &str) -> Diagnostic {
    at(Code::E0732, span, format!("cannot read the picture `{path}`: {why}")).help("save it again, or delete it")
}

/// A picture that says it is larger than any that is read.
pub fn too_large(span: Option<Span>, path: &str, size: Size, limit: usize) -> Diagnostic {
    let millions = limit / 1_000_000;
    at(
        Code::E0732,
        span,
        format!("the picture `{path}` has {} pixels; at most {millions} million are read", sized(size)),
    )
    .help("save it smaller")
}

/// What stands in `train(…)` and is no change.
// No edit where it is no angle: which of the changes is meant is not to be seen.
pub fn not_a_change(span: Span, is_angle: bool, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0702, span, "this is no change of a picture");
    match is_angle {
        true => told.fix("`rotate` turns by an angle", span.before(), "rotate(").also(span.after(), ")"),
        false => told.help(format!("there are {}", list(known.iter().copied()))),
    }
}

/// Two pictures of different sizes where one is needed.
pub fn sizes_differ(span: Span, first: (&str, Size), other: (&str, Size), others: usize) -> Diagnostic {
    let (size, other_size) = (sized(first.1), sized(other.1));
    let error = Diagnostic::error(
        Code::E0733,
        span,
        format!("pictures have different sizes: `{}` is {size}, `{}` is {other_size}", first.0, other.0),
    );
    let (h, w) = first.1;
    noted(error, more(others, "picture")).fix(
        format!("`|> resize({h}, {w})` gives all one size"),
        span.after(),
        format!(" |> resize({h}, {w})"),
    )
}

/// A step that gives another size in training than otherwise.
pub fn training_size(span: Span, train: Size, otherwise: Size) -> Diagnostic {
    let (h, w) = train;
    let message = format!("a picture is {} while training and {} otherwise", sized(train), sized(otherwise));
    Diagnostic::error(Code::E0733, span, message)
        .fix(
            format!("`|> resize({h}, {w})` after it gives both one size"),
            span.after(),
            format!(" |> resize({h}, {w})"),
        )
        .fix(
            format!("so does `|> crop({h}, {w})`, which keeps the middle"),
            span.after(),
            format!(" |> crop({h}, {w})"),
        )
}

/// `crop(64, 64)` of 48 × 48.
pub fn smaller_than_crop((span, value): (Span, Span), path: &str, size: Size, crop: Size) -> Diagnostic {
    let (h, w) = (crop.0.max(size.0), crop.1.max(size.1));
    let of = if path.is_empty() { "a picture".to_owned() } else { format!("`{path}`") };
    let message = format!("{of} is {}, smaller than the crop of {}", sized(size), sized(crop));
    let (told, step) = (Diagnostic::error(Code::E0733, span, message), format!("resize({h}, {w})"));
    before_step(told, format!("`|> {step}` before it makes it large enough"), &step, (span, value))
}

/// A file that has another size than when the sizes were looked at.
// No edit: the file changes while the program runs (`data::picture_files::a_picture_that_changes_is_told`).
pub fn size_changed(span: Option<Span>, path: &str) -> Diagnostic {
    at(Code::E0733, span, format!("the picture `{path}` has changed while the program runs"))
}
