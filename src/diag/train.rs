//! What is wrong with the section of a run.

use super::name::Named;
use super::{Code, Diagnostic, nearest};
use crate::base::{Span, Symbol};

fn did_you_mean(told: Diagnostic, word: &str, span: Span, known: &[&str]) -> Diagnostic {
    match nearest(word, known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None if known.len() > super::ALTERNATIVES => told.help(format!("there is {}", super::name::list(known))),
        None => offered(told, span, known),
    }
}

/// Each of a few names as what may be meant.
fn offered(told: Diagnostic, span: Span, known: &[&str]) -> Diagnostic {
    known.iter().fold(told, |told, known| told.fix(format!("there is `{known}`"), span, *known))
}

/// A setting that `train` does not have.
/// `near` is the setting that may be meant, and `given` whether the section has it anyhow; `line` is all of it, and
/// `argument` the one of the optimizer that it is, with the place there and its words.
pub fn unknown_setting(
    ident: impl Named,
    near: Option<&str>,
    given: bool,
    line: Span,
    argument: Option<(Symbol, Span, String)>,
) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0601, span, format!("`train` has no setting `{name}`")).here("unknown setting");
    match near {
        Some(near) if given => told.fix(format!("`{near}` is set already: leave this line out"), line, ""),
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None => {
            let told = match argument {
                Some((argument, place, words)) => told
                    .fix(format!("write it where it counts: it is the `{argument}` of the optimizer"), place, words)
                    .also(line, ""),
                None => told,
            };
            told.fix(format!("to name a value of your own, write `let {name} = …`"), span.before(), "let ")
        }
    }
}

/// One setting on two lines; `line` is the second as a whole.
pub fn setting_twice(ident: impl Named, first: Span, line: Span) -> Diagnostic {
    Diagnostic::error(Code::E0601, ident.span(), format!("`{}` is set twice", ident.name()))
        .here("set again")
        .label(first, "first set here")
        .fix("leave this one out", line, "")
}

/// Several names on the left of a setting; `apart` is a line for each.
pub fn one_name_per_setting(span: Span, apart: &str) -> Diagnostic {
    Diagnostic::error(Code::E0601, span, "a setting has one name").here("several names").fix(
        "write a line for each",
        span,
        apart,
    )
}

/// A run that lacks what it needs.
pub fn missing_setting(name: &str, span: Span, at: Span) -> Diagnostic {
    let example = match name {
        "loss" => "loss      = cross_entropy(Net(x), y)",
        "optimizer" => "optimizer = Adam(lr = 1e-3)",
        _ => "epochs    = 20",
    };
    Diagnostic::error(Code::E0602, at, format!("this run has no `{name}`"))
        .here(format!("no `{name}` in its section"))
        .fix(format!("add a line: `{example}`"), span.inner_end(), format!("  {example}\n"))
}

/// A setting that an `update` block does not have; `of_section` are those of `train`.
pub fn unknown_update_setting(ident: impl Named, known: &[&str], of_section: &[&str], line: Span) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told =
        Diagnostic::error(Code::E0601, span, format!("an `update` has no setting `{name}`")).here("unknown setting");
    match nearest(name.as_str(), known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None if of_section.contains(&name.as_str()) => {
            told.fix(format!("`{name}` is of the whole run, and stands outside of the `update`"), line, "")
        }
        None => told.help(format!("it has {}", super::name::list(known))),
    }
}

/// A `let` in an `update` block.
///
/// `line` is its text.
pub fn let_in_update(line: &str, span: Span, update: Span) -> Diagnostic {
    Diagnostic::error(Code::E0601, span, "an `update` has settings only")
        .here("a `let`")
        .fix(
            "move it into the section of `train`, where all updates see it",
            update.before(),
            format!("{}\n  ", line.replace('\n', "\n  ")),
        )
        .also(span, "")
}

/// `repeat` or `every` where nothing runs on its own.
pub fn runs_without_loss(setting: &str, span: Span, line: Span) -> Diagnostic {
    Diagnostic::error(Code::E0601, span, format!("`{setting}` is of an `update` with a `loss` of its own"))
        .here("this `update` has no loss")
        .fix("without one it only chooses an optimizer for its parameters, in the step of the whole run", line, "")
}

/// An `update` of what is not there.
pub fn no_such_target(text: &str, span: Span, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0609, span, format!("nothing in this run is called `{text}`"))
        .here("no parameter stands under this name");
    match nearest(text, known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None => offered(told, span, &known[..known.len().min(super::ALTERNATIVES)])
            .help("`tensa summary --params` lists the paths of all parameters"),
    }
}

/// A glob that means no parameter.
pub fn no_parameter_called(glob: &str, span: Span, paths: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0609, span, format!("no parameter has a path like `{glob}`"))
        .here("means no parameter");
    // A part of the glob that no path has is the one that is misspelt.
    let parts: Vec<&str> = paths.iter().flat_map(|path| path.split('.')).collect();
    let wrong = glob.split('.').find(|part| !part.contains('*') && !parts.contains(part));
    match wrong.and_then(|wrong| Some((wrong, nearest(wrong, parts.iter().copied())?))) {
        Some((wrong, near)) => {
            let mended = glob.split('.').map(|part| if part == wrong { near } else { part });
            let mended = mended.collect::<Vec<_>>().join(".");
            told.fix(format!("did you mean `{mended}`?"), span, format!("\"{mended}\""))
        }
        None if paths.is_empty() => told.help("`tensa summary --params` lists the paths of all parameters"),
        None => {
            // Where all but the last part is right, each last part that there is may be meant.
            let above = match glob.rsplit_once('.') {
                Some((above, last)) if above.chars().all(|c| c == '*') && !parts.contains(&last) => Some(above),
                _ => None,
            };
            let mut known: Vec<String> = match above {
                Some(above) => paths
                    .iter()
                    .filter_map(|path| path.rsplit('.').next())
                    .map(|last| format!("{above}.{last}"))
                    .collect(),
                None => paths.iter().map(|path| (*path).to_owned()).collect(),
            };
            let mut seen = Vec::new();
            known.retain(|path| {
                !seen.contains(path) && {
                    seen.push(path.clone());
                    true
                }
            });
            known
                .iter()
                .take(super::ALTERNATIVES)
                .fold(told, |told, path| told.fix(format!("there is `{path}`"), span, format!("\"{path}\"")))
        }
    }
}

/// A loss that depends on none of the parameters that it trains.
///
/// `stopped` is what to leave out for it to depend on more, and `applied` another model that it applies, and the one to.
pub fn loss_without_target(
    target: Option<&str>,
    example: &str,
    span: Span,
    stopped: Option<Vec<Span>>,
    applied: Option<(Symbol, Span)>,
) -> Diagnostic {
    let told = match target {
        Some(target) => {
            Diagnostic::error(Code::E0610, span, format!("the loss of this update does not depend on `{target}`"))
        }
        None => Diagnostic::error(Code::E0610, span, "the loss does not depend on any parameter that it trains"),
    };
    let told = told
        .here("its gradient is zero everywhere")
        .note(format!("it should depend on `{example}`, outside of `stop_gradient` and `freeze`"));
    if let Some(stopped) = stopped.as_deref() {
        return told.fix_all("leave out the `stop_gradient`", stopped.iter().map(|part| (*part, "")));
    }
    match (applied, target) {
        (Some((other, place)), Some(target)) => {
            told.fix(format!("apply `{target}` instead of `{other}`"), place, target)
        }
        // No edit: the program does not say how a loss that reads no model should measure its predictions.
        _ => told,
    }
}

/// A loss that subtracts or multiplies the numbers of classes, which it names at `column`.
// No edit where a definition names them: it may be of use for quantities too.
pub fn counts_with_classes(axis: &str, span: Span, column: Option<Span>) -> Diagnostic {
    let told =
        Diagnostic::warning(Code::W0603, span, format!("this loss takes class numbers of `{axis}` for quantities"))
            .here("to it, class 4 is twice as much as class 2")
            .help(format!("for classes there is `cross_entropy(z, y)`, with `z` a score for each `{axis}`"));
    match column {
        Some(column) => told.wrap("if their order is meant, say so: `f32(…)`", "f32", (column, false)),
        None => told.help("if their order is meant, say so: `f32(…)`"),
    }
}

/// A run without anything to train; `freeze` is the line that says so.
// No edit where the layers themselves are frozen: which of them to train is not to be seen.
pub fn nothing_trained(span: Span, freeze: Option<Span>) -> Diagnostic {
    let told = Diagnostic::warning(Code::W0601, span, "every parameter of this run is frozen, so it trains nothing")
        .here("stays as it is");
    let told = match freeze {
        Some(line) => told.fix("leave `freeze` out to train all of it", line, ""),
        None => told,
    };
    told.help("the run computes losses and metrics only; leave a layer out of `freeze` to train it")
}

/// A model that no loss uses; `surplus` is what names it in the head, with its comma.
// No edit where the run has no other.
pub fn model_in_no_loss(name: Symbol, span: Span, surplus: Option<Span>) -> Diagnostic {
    let told =
        Diagnostic::warning(Code::W0601, span, format!("no loss of this run uses `{name}`, so nothing trains it"))
            .here("named here and not used in a loss");
    match surplus {
        Some(surplus) => told.fix("leave it out, or use it in a loss", surplus, ""),
        None => told,
    }
}

/// Parameters that no optimizer is for; `end` closes the section of the run, whose `train … on` names `data`.
pub fn nothing_updates(paths: &[&str], data: Span, end: Span) -> Diagnostic {
    let first = &paths[..paths.len().min(3)];
    let rest = match paths.len() - first.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let verb = if paths.len() == 1 { "is" } else { "are" };
    let quoted: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
    Diagnostic::warning(Code::W0601, data, format!("{}{rest} {verb} not updated in this run", super::name::list(first)))
        .here("no optimizer is for them")
        .fix("give the run an `optimizer`, which is for the rest", end, "  optimizer = Adam(lr = 1e-3)\n")
        .fix("say that they stay", end, format!("  freeze = [{}]\n", quoted.join(", ")))
}

/// An `update` whose parameters are all chosen for by a later one; `block` is its text.
pub fn update_taken(target: &str, block: &str, span: Span, by: Span) -> Diagnostic {
    Diagnostic::warning(Code::W0602, span, format!("this `update` of `{target}` has no effect"))
        .here("the last `update` that names a parameter wins")
        .label(by, "this one names all of them too")
        .fix("put the general one first", span, "")
        .also(by.after(), format!("\n  {block}"))
}

/// A parameter that two losses move in one step.
// No edit: whether the two losses are one task is not to be seen.
pub fn updated_twice(path: &str, first: Span, second: Span) -> Diagnostic {
    Diagnostic::warning(Code::W0602, second, format!("`{path}` is updated twice in each step, by two optimizers"))
        .here("updated again")
        .label(first, "updated here")
        .help("if both losses are one task, add them up in one `loss`")
}

/// A setting that is not what it must be. An example that names nothing of the program is one to go on from.
pub fn setting_form(name: &str, example: &str, span: Span) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0603, span, format!("`{name}` is not of a form it can have")).here("not understood");
    told.fix(
        format!("write it as in `{example}`"),
        span,
        example.strip_prefix(&format!("{name} = ")).unwrap_or(example),
    )
}

/// A count that is none, with its unit as it stands behind the number.
pub fn not_a_count(name: &str, (value, unit): (f64, &str), span: Span) -> Diagnostic {
    let nearest = value.round().clamp(1.0, f64::from(u16::MAX));
    Diagnostic::error(Code::E0603, span, format!("`{name}` is a count, and {value} is none"))
        .here("not a whole number in range")
        .fix(format!("the nearest is {nearest}{unit}"), span, format!("{nearest}{unit}"))
}

/// `diverged` of what should grow.
pub fn diverges_upwards(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("`diverged` watches what should fall, and `{name}` should rise"))
        .here("grows when all is well")
        .fix("watch the loss: `train.loss`", span, "train.loss")
}

/// `diverged` with a limit that every value is over.
pub fn diverged_at_once(times: f64, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("`diverged` needs a multiple of the least value, and this is {times}"))
        .here("not a number above 1")
        .fix("four times the least is usual: `4`", span, "4")
}

/// A limit at or below zero.
pub fn clip_not_positive(value: f64, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("a limit for gradients is above zero, and this is {value}"))
        .here("not above zero")
        .fix("1 is usual", span, "1.0")
}

/// A decay that is no share.
pub fn not_a_decay(value: f64, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("the share that `ema` keeps lies from 0 up to 1, and this is {value}"))
        .here("not a share below 1")
        .fix("write it as in `ema = 0.999`; the closer to 1, the slower it follows", span, "0.999")
}

/// A spread below zero.
pub fn noise_negative(value: f64, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("`noise` is a spread, from 0 on, and this is {value}"))
        .here("below zero")
        .fix("it counts in lengths of the limit, of which 1.1 is usual", span, "1.1")
}

/// Gradients of single rows of a loss that keeps what it sees of a batch.
///
/// `norm` is the clip with the same limit over the whole batch, and `is_batch_norm` whether a `BatchNorm` stands at `loss`.
pub fn rows_share_state(state: &str, clip: Span, loss: Span, norm: String, is_batch_norm: bool) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0613, clip, format!("this loss has no gradients by single rows: it writes `{state}`"))
            .here("looks at each row on its own")
            .label(loss, "what this keeps is of all rows of a batch");
    let told = match is_batch_norm {
        true => told.fix("take a layer that keeps nothing: `LayerNorm`", loss, "LayerNorm"),
        false => told,
    };
    told.fix(format!("or clip the gradient of the whole batch: `{norm}`"), clip, norm)
}

/// Gradients of single rows where there are none.
pub fn no_rows(clip: Span, data: Span, norm: String) -> Diagnostic {
    Diagnostic::error(Code::E0613, clip, "this data has no rows whose gradients could be told apart")
        .here("looks at each row on its own")
        .label(data, "each column of it is one whole")
        .fix(format!("clip the gradient as a whole: `{norm}`"), clip, norm)
}

/// Two lengths of one run, each as a place and its whole line.
pub fn epochs_and_steps((epochs, of_epochs): (Span, Span), (steps, of_steps): (Span, Span)) -> Diagnostic {
    Diagnostic::error(Code::E0603, steps, "a run is so many epochs or so many steps, not both")
        .here("steps")
        .label(epochs, "epochs")
        .fix("count epochs: leave `steps` out", of_steps, "")
        .fix("count steps: leave `epochs` out", of_epochs, "")
}

/// Data that is not declared.
pub fn unknown_data(ident: impl Named, known: &[&str]) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0604, span, format!("no `data` is called `{name}`")).here("not declared");
    // No edit where there is none at all: which file the rows stand in, the program does not say.
    did_you_mean(told, name.as_str(), span, known)
}

/// Lines that need each other.
// No edit: what the name should mean besides itself stands nowhere.
pub fn circular(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0605, span, format!("`{name}` needs itself")).here("needed to find its own value")
}

/// A loss that is no scalar.
pub fn loss_not_scalar(actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0606, span, "the loss is one number")
        .here(format!("this is `{actual}`"))
        .fix("take the mean: `mean(…)`", span.before(), "mean(")
        .also(span.after(), ")")
}

/// A metric that is neither a scalar nor a table.
pub fn metric_not_scalar(name: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0606, span, format!("the metric `{name}` is one number, or a table of at most two axes"))
        .here(format!("this is `{actual}`"))
        .fix("take the mean: `mean(…)`", span.before(), "mean(")
        .also(span.after(), ")")
}

/// Two values reported under one name. `naming` gives each metric a name of its own; `again` is the second with what
/// stands before it, if both are the same.
pub fn metric_name_taken(name: &str, span: Span, again: Option<Span>, naming: Vec<(Span, String)>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0607, span, format!("another value is reported as `{name}`")).here("the same name");
    if let Some(again) = again {
        return told.fix("it is the same value: leave it out", again, "");
    }
    told.fix_all("name them in a record: `metrics = { first: …, second: … }`", naming)
}

/// A split that no run has.
pub fn unknown_split(word: &str, span: Span, known: &[&str]) -> Diagnostic {
    did_you_mean(
        Diagnostic::error(Code::E0608, span, format!("`{word}` is not a split")).here("unknown split"),
        word,
        span,
        known,
    )
}

/// A value that is not reported.
pub fn unknown_watched(ident: impl Named, known: &[&str]) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0608, span, format!("no value is reported as `{name}`")).here("not reported");
    did_you_mean(told, name.as_str(), span, known)
}

/// A table where one number is watched.
///
/// `known` are the numbers that it may watch instead.
pub fn watched_table(ident: impl Named, actual: &str, known: &[&str]) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0606, span, format!("a run watches one number, and `{name}` is a table"))
        .here(format!("this is `{actual}`"));
    match known {
        [] => told.help("watch a number made of it: a second metric"),
        known => known
            .iter()
            .take(super::ALTERNATIVES)
            .fold(told, |told, known| told.fix(format!("watch a number: `{known}`"), span, *known)),
    }
}

/// A program that cannot be read.
pub fn cannot_read(name: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::without_place(Code::E0811, format!("cannot read `{name}`: {error}"))
}

/// A program that is no text.
pub fn not_utf8(name: &str, at: usize) -> Diagnostic {
    Diagnostic::without_place(Code::E0811, format!("`{name}` is not UTF-8 text: byte {at} begins no character"))
}

/// `--set` of what nothing is called; names of the program are likelier meant than settings.
pub fn nothing_to_set(name: &str, own: &[&str], settings: &[&str]) -> Diagnostic {
    let told = Diagnostic::without_place(
        Code::E0812,
        format!("nothing in the program is called `{name}`, so `--set` cannot set it"),
    );
    match nearest(name, own.iter().copied()).or_else(|| nearest(name, settings.iter().copied())) {
        Some(near) => told.help(format!("did you mean `{near}`?")),
        None => {
            told.help("it sets a top-level `let`, a setting of `train`, or a parameter with a default: `Net.width`")
        }
    }
}

/// `--set` without a value.
pub fn set_without_value(name: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0812, format!("`--set {name}=` gives `{name}` no value"))
        .help(format!("write the value behind the `=`: `--set {name}=64`"))
}

/// `--set` of a number to what is no number, and the like.
// No edit: the value stands on the command line (`cli::modules::set_fits_the_value_that_was_there`).
pub fn set_another_sort(name: &str, was: &str, given: &str, set: Span, declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0813, set, format!("`{name}` is {was} in the program, and `--set` gives it {given}"))
        .here(format!("this is {given}"))
        .label(declared, format!("this is {was}"))
}

/// A size that is out of range when the sizes are bound; `formula` with the names of the sizes,
/// `value` when there is one, `given` as `batch = 31, t = 5`.
pub fn size_out_of_range(formula: &str, value: Option<i64>, given: &str) -> Diagnostic {
    let message = match value {
        Some(value) => format!("the size `{formula}` is {value}"),
        None => format!("the size `{formula}` is too large"),
    };
    let diagnostic = Diagnostic::without_place(Code::E0801, message);
    if given.is_empty() { diagnostic } else { diagnostic.note(format!("known here: {given}")) }
}

/// A step that needs more memory than the system gives.
pub fn out_of_memory(bytes: u64, given: &str) -> Diagnostic {
    let diagnostic = Diagnostic::without_place(
        Code::E0802,
        format!("a step needs {:.1} MiB, which the system does not give", bytes as f64 / f64::from(1 << 20)),
    );
    let diagnostic = if given.is_empty() { diagnostic } else { diagnostic.note(format!("known here: {given}")) };
    diagnostic.help("make the batch smaller; most of a step's memory grows with it")
}

/// A contradiction that is a mistake of the compiler.
pub fn broken_step(fault: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0803, "the compiled step does not fit what it runs on")
        .note(fault)
        .help("this is a mistake in tensa: please report it with the program")
}
