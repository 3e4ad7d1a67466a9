//! What is wrong with a search.

use super::name::Named;
use super::{Code, Diagnostic, nearest};
use crate::base::{Span, Symbol};

/// A search of a model and data that no `train` brings together; `runs` as `Net on Iris`.
pub fn no_such_run(span: Span, runs: &[String]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0611, span, "a search tries a run of the program, and this is none")
        .here("no `train` of this model on this data");
    match runs {
        [only] => told.fix(format!("the run is `{only}`"), span, only.as_str()),
        [] => told.help("write a `train` section first; a search says what to vary in it"),
        runs => runs.iter().fold(told, |told, run| told.fix(format!("there is the run `{run}`"), span, run.as_str())),
    }
}

/// Two searches of one run.
///
/// `lines` are those of the second that the first lacks.
pub fn searched_twice(lines: String, span: Span, first: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0611, span, "this run has a search already")
        .here("a second one")
        .label(first, "the first one");
    match lines.is_empty() {
        true => told.fix("all that it varies the first varies as well: leave it out", span, ""),
        false => told
            .fix("a search varies several names at once: write the lines of this one into the first", span, "")
            .also(first.inner_end(), lines),
    }
}

/// A setting that `search` does not have; `value` is its text, and with `of_the_run` it is one of a run, of which `value` is
/// to be tried.
pub fn unknown_search_setting(
    ident: impl Named,
    known: &[&str],
    (value, line): (&str, Span),
    of_the_run: bool,
) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told =
        Diagnostic::error(Code::E0601, span, format!("a `search` has no setting `{name}`")).here("unknown setting");
    match nearest(name.as_str(), known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None if of_the_run => {
            let varied = format!("{name} in [{value}]");
            told.fix(format!("a search tries several: `{name} in [{value}, …]`"), line, varied)
        }
        None => told.help(format!(
            "to vary it, write `{name} in [{value}, …]`; other settings are those of the `train` section, and a search has {}",
            super::name::list(known)
        )),
    }
}

/// What is no line of a search.
///
/// `line` is its text.
pub fn let_in_search(line: String, span: Span, search: Span) -> Diagnostic {
    Diagnostic::error(Code::E0601, span, "a `search` has settings and what it varies only")
        .here("neither of them")
        .fix("write it at the top of the program", search.before(), line)
        .also(span, "")
}

/// A name that is varied twice; `line` is the second one.
pub fn varied_twice(name: &str, span: Span, first: Span, line: Span) -> Diagnostic {
    Diagnostic::error(Code::E0601, span, format!("`{name}` is varied twice"))
        .here("varied again")
        .label(first, "first varied here")
        .fix("leave this one out", line, "")
}

/// A search that lacks what it needs.
pub fn missing_in_search(what: &str, span: Span, at: Span) -> Diagnostic {
    let (message, label, line) = match what {
        "goal" => ("this search has no `goal`", "no `goal` in its section", "goal   = min(valid.loss)"),
        "trials" => ("this search has no `trials`", "does not say how many runs to try", "trials = 20"),
        _ => ("this search varies nothing", "no line `name in …`", "epochs in [10, 20]"),
    };
    Diagnostic::error(Code::E0602, at, message).here(label).fix(
        format!("add a line: `{line}`"),
        span.inner_end(),
        format!("  {line}\n"),
    )
}

/// `x in …` of what is neither a constant nor a setting; `of_model` is the model that has a parameter of the name.
/// `value` is the place and text of the one value of an argument of this name in the run, and `top` where a `let` may stand.
pub fn nothing_to_vary(
    ident: impl Named,
    of_model: Option<Symbol>,
    known: &[&str],
    value: Option<(Span, String)>,
    top: Span,
) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0612, span, format!("there is no `{name}` that a search could vary"))
        .here("neither a `let` at the top of the program nor a setting of the run");
    if let Some(model) = of_model {
        return told.fix(
            format!("a parameter is said with its model: `{model}.{name}`"),
            span,
            format!("{model}.{name}"),
        );
    }
    match nearest(name.as_str(), known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None => match value {
            Some((place, value)) => {
                let text = format!("write `let {name} = {value}` at the top, and `{name}` where its value stands now");
                told.fix(text, top.before(), format!("let {name} = {value}\n")).also(place, name.as_str())
            }
            None => told.help(format!("write `let {name} = …` at the top, and `{name}` where its value stands now")),
        },
    }
}

/// `Net.width in …` of a parameter that is not there, or has no value in the program.
/// `known` are those that have one.
pub fn no_parameter_to_vary(model: Symbol, ident: impl Named, known: &[&str]) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0612, span, format!("`{model}` has no parameter `{name}` with a default"))
        .here("not in its first brackets, or without a value");
    if let Some(near) = nearest(name.as_str(), known.iter().copied()) {
        return told.fix(format!("did you mean `{near}`?"), span, near);
    }
    // No edit where it has none at all: the program does not say what a new parameter should do.
    known
        .iter()
        .take(super::ALTERNATIVES)
        .fold(told, |told, known| told.fix(format!("it has `{known}`"), span, *known))
        .help(format!("a definition of this file has one as in `model {model}({name} = 64)(…)`"))
}

/// `Net.body.width in …`
///
/// `value` is what stands there in the program, with its text and whether that is a constant of the program.
pub fn too_deep(ident: impl Named, span: Span, value: Option<(Span, String, bool)>, top: Span) -> Diagnostic {
    let name = ident.name();
    let told = Diagnostic::error(Code::E0612, span, "a search varies defaults of definitions, and this is further in")
        .here("not of the form `Net.width`");
    let (place, value) = match value {
        Some((_, constant, true)) => return told.fix(format!("its value is `{constant}`: vary that"), span, constant),
        Some((place, value, false)) => (Some(place), value),
        None => (None, "…".to_owned()),
    };
    if let Some(place) = place {
        let text =
            format!("write `let {name} = {value}` at the top, `{name}` where its value stands now, and vary that");
        return told
            .fix(text, top.before(), format!("let {name} = {value}\n"))
            .also(place, name.as_str())
            .also(span, name.as_str());
    }
    told.help(format!("write `let {name} = …` at the top, `{name}` where its value stands now, and vary that"))
}

/// `Net.width in …` where the run makes `Net(width = 64)`.
pub fn given_by_the_run(ident: impl Named, given: Span, alone: bool) -> Diagnostic {
    let name = ident.name();
    let message = format!("the run gives `{name}` itself, so its default counts for nothing");
    let told =
        Diagnostic::error(Code::E0612, ident.span(), message).here("varies the default").label(given, "given here");
    let help = format!("leave it out there, or write `let {name} = …` at the top and vary that");
    if alone { told.fix(help, given, "") } else { told.help(help) }
}

/// Values of another sort than the one in the program.
pub fn varied_sort(
    name: &str,
    (was, is): (&str, &str),
    text: &str,
    span: Span,
    declared: Span,
    unquoted: Option<&str>,
) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0612,
        span,
        format!("`{name}` is {was} in the program, and the search tries `{text}`"),
    )
    .here(format!("this is {is}"))
    .label(declared, format!("this is {was}"));
    match unquoted {
        Some(number) => told.fix(format!("without quotes it is a number: `{number}`"), span, number),
        // No edit: which values of the sort are worth a trial, a value of another sort does not say.
        None => told.help(format!("try values of the same sort: {was}")),
    }
}

/// `x in …` of a form it cannot have, with its text; `list` is how its values are written.
pub fn over_form(text: &str, span: Span, list: Option<String>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0603, span, format!("`{text}` says no values to choose from")).here("not understood");
    if let Some(list) = list {
        return told.fix(format!("write a list: `{list}`"), span, list);
    }
    told.help("write a list, `[64, 128]`, whole numbers, `1..6`, `uniform(0, 0.5)` or `log_uniform(1e-4, 1e-2)`")
}

/// An empty list; `around` is a list of values around the one in the program.
pub fn empty_list(span: Span, around: Option<String>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0603, span, "there is no value in this list to choose").here("is empty");
    match around {
        Some(around) => told.fix(format!("list some, such as those around the value it has: `{around}`"), span, around),
        // No edit: of what is no number, the other values that there may be are not known.
        None => told.help("list the values to try, as in `[64, 128]`"),
    }
}

/// Limits with nothing between them; `mended` is what has something.
pub fn over_nothing(text: &str, span: Span, mended: Option<(&str, String)>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0603, span, format!("there is no value in `{text}` to choose")).here("is empty");
    match mended {
        Some((why, mended)) => told.fix(format!("{why}: `{mended}`"), span, mended),
        // No edit: limits that no number reaches, or that are turned round and not whole, say nothing of what lies between.
        None => told.help("the lower limit comes first, and both are finite; those of `1..6` are whole"),
    }
}

/// `log_uniform(0, 1)`
pub fn log_of_zero(low: f64, span: Span, word: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("`log_uniform` tries orders of magnitude, and {low} has none"))
        .here("not above 0")
        .fix(
            "begin with the smallest value that makes a difference, as in `log_uniform(1e-4, 1e-2)`, or use `uniform`",
            word,
            "uniform",
        )
}

/// A grid over what has no end of values.
pub fn no_grid(name: &str, low: f64, high: f64, span: Span, method: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("a grid tries every value, and of `{name}` there is no end of them"))
        .here("not a list")
        .fix(format!("list some, `{name} in [{low}, {high}]`, or write `method = random`"), method, "random")
}

/// A method that there is not.
pub fn no_such_method(word: &str, span: Span) -> Diagnostic {
    let known = ["grid", "random", "tpe"];
    let told = Diagnostic::error(Code::E0603, span, "this is no method of search").here("unknown");
    match nearest(word, known) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None => told.fix(
            format!("there is {}; a search is random if it does not say", super::name::list(&known)),
            span,
            "random",
        ),
    }
}

/// A search that chooses by the test rows.
pub fn goal_on_test(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, "a search must not choose by the test rows")
        .here("what is chosen by them, they can no longer judge")
        .fix(format!("choose by `valid.{name}`"), span, format!("valid.{name}"))
}

/// A search in a program that has none.
pub fn nothing_to_search(program: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0827, format!("`{program}` has no `search`"))
        .help("`tensa explain E0611` shows one; `tensa run` trains without a search")
}

/// A search of which no run came to a value.
// No edit: what ended the runs is told of the first one (`cli::search::trials_that_fail_are_left_out`).
pub fn no_trial_worked(trials: usize, why: Option<&str>, span: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0832, span, format!("none of {trials} trials came to a value"))
        .here("nothing to choose from");
    match why {
        Some(why) => told.note(format!("the first one: {why}")),
        None => told,
    }
    .help("try the program with one of the values: `tensa run` with `--set`")
}

/// A trial that was taken down with values that the search does not have.
pub fn foreign_trial(run: &std::path::Path, trial: u64) -> Diagnostic {
    Diagnostic::without_place(
        Code::E0828,
        format!("trial {trial} in `{}` has values that its search does not try", run.display()),
    )
    .help("begin again: `tensa search` with the program")
}

/// A folder that is none of a search.
pub fn no_search_here(run: &std::path::Path) -> Diagnostic {
    Diagnostic::without_place(Code::E0828, format!("`{}` is not the folder of a search", run.display()))
        .help("a search prints its folder when it begins: `runs/iris-search-1`")
}
