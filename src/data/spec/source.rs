//! The source of a declaration: `csv("iris.csv")`, `idx(images = "…", labels = "…")`, `images("…")`.

use crate::diag::{arrays, data};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print::print_expr;

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::{Arrays, Format, Source, SourceFile, names};

impl Source {
    /// Files as they are.
    pub fn of(format: Format, files: Vec<SourceFile>) -> Source {
        Source { format, files, tables: Vec::new(), steps: Vec::new() }
    }
}

impl Reader<'_> {
    /// The source and its table steps; none when something is wrong, and reported.
    pub fn source(&mut self, expr: &Expr) -> Option<Source> {
        if let ExprKind::Error = expr.kind {
            return None;
        }
        if let ExprKind::Pipe(stages) = &expr.kind {
            let (source, steps) = stages.split_first()?;
            let mut source = self.source(source)?;
            // What a condition may name depends on it.
            self.format = Some(source.format);
            steps.iter().try_for_each(|step| self.table_step(step, &mut source))?;
            return Some(source);
        }
        let Some(call) = Call::of(expr) else {
            self.not_a_source(expr);
            return None;
        };
        if let Some(brackets) = call.brackets_span {
            self.diagnostics.push(data::argument_surplus(brackets, call.word, "no brackets", Some(brackets)));
            return None;
        }
        match call.word {
            "csv" => self.table(&call, b',', true),
            "tsv" => self.table(&call, b'\t', false),
            "jsonl" => self.one_file(&call, Format::Json),
            "text" => self.one_file(&call, Format::Text(None)),
            "lines" => self.one_file(&call, Format::Lines),
            "idx" => self.files_by_column(&call, Format::Arrays(Arrays::Idx)),
            "npy" => self.files_by_column(&call, Format::Arrays(Arrays::Npy)),
            "pairs" => self.files_by_column(&call, Format::Pairs),
            "npz" => self.one_file(&call, Format::Arrays(Arrays::Npz)),
            "images" => self.images(&call),
            "files" => self.files_of(&call),
            "synthetic" => self.synthetic(&call),
            "tables" => self.graph(&call),
            "parquet" if cfg!(feature = "parquet") => self.one_file(&call, Format::Parquet),
            "parquet" => {
                self.diagnostics.push(arrays::no_parquet(call.word_span));
                None
            }
            word => {
                self.diagnostics.push(data::unknown_source(call.word_span, word, names::SOURCES));
                None
            }
        }
    }

    fn table(&mut self, call: &Call<'_>, separator: u8, quotes: bool) -> Option<Source> {
        const WANTED: &str = "the path of one file in quotes";
        let known: &[&str] = if quotes { &["sep"] } else { &[] };
        let args = Arguments::sort(call, known, &mut self.diagnostics);
        let path = args.one(WANTED, &mut self.diagnostics)?;
        let separator = match args.named("sep") {
            None => separator,
            Some(value) => match self.constants.text(value).as_deref().map(str::as_bytes) {
                Some(&[byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => byte,
                _ => {
                    let wanted = "one ASCII character as `sep`, as in `sep = \";\"`";
                    self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                    return None;
                }
            },
        };
        let Some(file) = self.file(String::new(), path) else {
            self.wrong_path(path, call.word, WANTED);
            return None;
        };
        Some(Source::of(Format::Table { separator, quotes, header: true }, vec![file]))
    }

    /// `jsonl("scenes.jsonl")`, `text("shakespeare.txt")`
    fn one_file(&mut self, call: &Call<'_>, format: Format) -> Option<Source> {
        const WANTED: &str = "the path of one file in quotes";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let path = args.one(WANTED, &mut self.diagnostics)?;
        let Some(file) = self.file(String::new(), path) else {
            self.wrong_path(path, call.word, WANTED);
            return None;
        };
        Some(Source::of(format, vec![file]))
    }

    /// `idx(images = "images.gz", labels = "labels.gz")`, `npy("x.npy")`, `pairs(de = "train.de", en = "train.en")`
    fn files_by_column(&mut self, call: &Call<'_>, format: Format) -> Option<Source> {
        let has_stems = format == Format::Arrays(Arrays::Npy);
        let wanted = match format {
            Format::Pairs => "named files, as in `pairs(de = \"train.de\", en = \"train.en\")`",
            _ if has_stems => "files, as in `npy(\"x.npy\")` or `npy(x = \"1.npy\", y = \"2.npy\")`",
            _ => "named files, as in `idx(images = \"images.gz\", labels = \"labels.gz\")`",
        };
        let mut files: Vec<SourceFile> = Vec::new();
        for arg in call.args {
            let file = match arg {
                Arg::Set(name, path) => self.file(name.name.as_str().to_owned(), path),
                Arg::Value(path) if has_stems => self.file(String::new(), path).map(|file| {
                    let name = file.path.rsplit('/').next().unwrap_or_default();
                    let column = name.split_once(".npy").map_or(name, |(stem, _)| stem).to_owned();
                    SourceFile { column, ..file }
                }),
                Arg::Value(_) | Arg::Axis(..) | Arg::Quoted(..) => None,
            };
            let span = match arg {
                Arg::Set(_, value) | Arg::Value(value) | Arg::Axis(_, value) | Arg::Quoted(_, _, value) => value.span,
            };
            let Some(file) = file else {
                let unnamed = call.args.iter().filter_map(|arg| match arg {
                    Arg::Value(path) => self.file(String::new(), path).map(|file| (path.span, file.path)),
                    _ => None,
                });
                let named = call.args.iter().filter_map(|arg| match arg {
                    Arg::Set(name, _) => Some(name.name.as_str().to_owned()),
                    _ => None,
                });
                let mut taken: Vec<String> = named.collect();
                let mut edits = Vec::new();
                for (span, path) in unnamed {
                    let name = free(&stem(&path), &taken);
                    edits.push((span.before(), format!("{name} = ")));
                    taken.push(name);
                }
                self.diagnostics.push(data::files_unnamed(span, call.word, wanted, edits));
                return None;
            };
            if files.iter().any(|other| other.column == file.column) {
                let taken: Vec<String> = files.iter().map(|file| file.column.clone()).collect();
                let other = free(&file.column, &taken);
                let (span, named) = match arg {
                    Arg::Set(name, _) => (name.span.to(span), (name.span, other.clone(), &*other)),
                    _ => (span, (span.before(), format!("{other} = "), &*other)),
                };
                self.diagnostics.push(data::file_twice(span, call.word, &file.column, named));
                return None;
            }
            files.push(file);
        }
        if files.is_empty() {
            self.diagnostics.push(data::wrong_argument(call.span, call.word, wanted));
            return None;
        }
        Some(Source::of(format, files))
    }

    /// Tells of what stands where a path in quotes is wanted: `rows.csv`, without them.
    pub fn wrong_path(&mut self, path: &Expr, of: &str, wanted: &str) {
        self.diagnostics.push(match &path.kind {
            ExprKind::Name(_) | ExprKind::Field(..) => data::unquoted(path.span, of, wanted, &print_expr(path)),
            _ => data::wrong_argument(path.span, of, wanted),
        });
    }

    /// The file of a path in quotes.
    pub fn file(&self, column: String, path: &Expr) -> Option<SourceFile> {
        let text = self.constants.text(path)?;
        Some(SourceFile { column, path: text, span: Some(path.span) })
    }
}

/// A name for the column of a file: its own, as far as that is a word of the language.
fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let word: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    match word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => word,
        false => format!("file_{word}"),
    }
}

/// The name, or with the first number behind it that makes it another than those.
fn free(name: &str, taken: &[String]) -> String {
    let mut free = name.to_owned();
    let mut number = 1;
    while taken.contains(&free) {
        number += 1;
        free = format!("{name}_{number}");
    }
    free
}
