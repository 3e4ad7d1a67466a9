//! A `tokenizer.json` of Hugging Face whose model is byte pair encoding.
//!
//! In: the text of the file. Out: a `Tokenizer`, which gives the numbers of a text; what the file asks for and is not
//! done here is refused when it is read, so that no text gets other numbers than its author's. Read are the normalizers
//! `Lowercase`, `Prepend`, `Replace`; the pre-tokenizers `ByteLevel`, `Metaspace`, `Whitespace`, `WhitespaceSplit`,
//! `Digits`; sequences of them; added tokens. Whether a text begins and ends with a mark, the program says.

use std::cell::RefCell;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::bpe::{Pieces, letters_of_bytes};
use super::letters;
use super::spelling::Spelling;

/// From a text to the numbers of its pieces.
#[derive(Debug)]
pub(in crate::data) struct Tokenizer {
    pieces: Pieces,
    added: Vec<Added>,
    normalizers: Vec<Normalizer>,
    cuts: Vec<Cut>,
    /// The pieces by number; empty where no piece has one.
    pub names: Vec<String>,
    pub spelling: Spelling,
    /// The marks that a text of its own gets.
    begin: Option<u32>,
    end: Option<u32>,
    /// What fills a row up.
    pub fill: u32,
    /// Words that were cut before.
    known: RefCell<FxHashMap<String, Vec<u32>>>,
}

/// A piece that is looked for before anything else is done.
#[derive(Debug)]
struct Added {
    text: String,
    number: u32,
    /// Whether it is looked for after the normalizers.
    normalized: bool,
    /// Whether it takes the white space beside it.
    left: bool,
    right: bool,
}

#[derive(Debug)]
enum Normalizer {
    Lowercase,
    Prepend(String),
    Replace(String, String),
}

#[derive(Debug)]
enum Cut {
    Bytes { prefix: bool, runs: bool },
    Marks { mark: char, prefix: Prefix, split: bool },
    Words,
    Spaces,
    Digits { each: bool },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Prefix {
    Always,
    First,
    Never,
}

/// The names that marks have where a file does not say which they are.
const BEGINS: [&str; 6] = ["<s>", "[CLS]", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>"];
const ENDS: [&str; 5] = ["</s>", "[SEP]", "<eos>", "<|end_of_text|>", "<|endoftext|>"];
const FILLS: [&str; 3] = ["<pad>", "[PAD]", "<|pad|>"];

/// As many words are kept as have been cut, up to so many.
const MOST_KNOWN: usize = 1 << 16;

/// A part of a text: an added piece, or what pieces are made of.
enum Part {
    Number(u32),
    Text(String),
}

impl Tokenizer {
    /// Reads a file; the error says what is not as it should be.
    pub fn read(text: &str) -> Result<Tokenizer, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let model = json.get("model").filter(|model| model.is_object()).ok_or("it has no `model`")?;
        let pieces = pieces(model)?;
        let added = added(&json)?;
        let mut normalizers = Vec::new();
        each(&json["normalizer"], "normalizers", &mut |step| normalizer(step).map(|step| normalizers.push(step)))?;
        let mut cuts = Vec::new();
        each(&json["pre_tokenizer"], "pretokenizers", &mut |step| cut(step).map(|step| cuts.push(step)))?;

        let numbered = pieces.numbers.iter().map(|(name, number)| (name, *number));
        let numbered: Vec<(&String, u32)> =
            numbered.chain(added.iter().map(|added| (&added.text, added.number))).collect();
        let size = numbered.iter().map(|(_, number)| *number as usize + 1).max().unwrap_or(0);
        // A number far beyond the count is a slip, and would be a table of as many empty rows.
        if size > 2 * numbered.len() + 65_536 || numbered.is_empty() {
            return Err("its pieces are not numbered from 0".to_owned());
        }
        let mut names = vec![String::new(); size];
        numbered.iter().for_each(|(name, number)| names[*number as usize].clone_from(name));
        let by_bytes = cuts.iter().any(|cut| matches!(cut, Cut::Bytes { .. }));
        let by_words = cuts.iter().any(|cut| matches!(cut, Cut::Words | Cut::Spaces));
        let spelling = match (by_bytes, by_words) {
            (true, _) => Spelling::Bytes,
            (false, true) => Spelling::Words,
            (false, false) => Spelling::Spaces,
        };
        let number = |name: &str| numbered.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        let first = |names: &[&str]| names.iter().find_map(|name| number(name));
        let (begin, end) = marks(&json["post_processor"], &number);
        let fill = json["padding"]["pad_id"].as_u64().and_then(|fill| u32::try_from(fill).ok());
        let fill = fill.filter(|fill| (*fill as usize) < size).or_else(|| first(&FILLS)).unwrap_or(0);
        Ok(Tokenizer {
            begin: begin.or_else(|| first(&BEGINS)),
            end: end.or_else(|| first(&ENDS)),
            pieces,
            added,
            normalizers,
            cuts,
            names,
            spelling,
            fill,
            known: RefCell::default(),
        })
    }

    /// The mark that a text begins with, where it has one.
    pub fn begin(&self) -> Option<u32> {
        self.begin
    }

    /// The mark that a text ends with, where it has one.
    pub fn end(&self) -> Option<u32> {
        self.end
    }

    /// The number of a piece.
    pub fn number(&self, piece: &str) -> Option<u32> {
        let added = self.added.iter().find(|added| added.text == piece).map(|added| added.number);
        added.or_else(|| self.pieces.numbers.get(piece).copied())
    }

    /// The numbers of a text; what has none comes back.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        let mut numbers = Vec::new();
        let mut at_start = true;
        for part in self.apart(text, false) {
            match part {
                Part::Number(number) => numbers.push(number),
                Part::Text(text) => {
                    for part in self.apart(&self.normalized(text), true) {
                        match part {
                            Part::Number(number) => numbers.push(number),
                            Part::Text(text) => self.encode_part(&text, at_start, &mut numbers)?,
                        }
                        at_start = false;
                    }
                }
            }
            at_start = false;
        }
        Ok(numbers)
    }

    fn encode_part(&self, text: &str, at_start: bool, numbers: &mut Vec<u32>) -> Result<(), String> {
        for word in self.words(text, at_start) {
            if let Some(known) = self.known.borrow().get(&word) {
                numbers.extend(known);
                continue;
            }
            let pieces = self.pieces.of_word(&word)?;
            numbers.extend(&pieces);
            let mut known = self.known.borrow_mut();
            if known.len() < MOST_KNOWN {
                known.insert(word, pieces);
            }
        }
        Ok(())
    }

    fn normalized(&self, mut text: String) -> String {
        for step in &self.normalizers {
            match step {
                Normalizer::Lowercase => text = text.chars().flat_map(char::to_lowercase).collect(),
                Normalizer::Prepend(prefix) if !text.is_empty() => text.insert_str(0, prefix),
                Normalizer::Prepend(_) => {}
                Normalizer::Replace(old, new) => text = text.replace(old, new),
            }
        }
        text
    }

    /// Takes the added pieces out of a text: where several begin at a place, the longest.
    fn apart(&self, text: &str, normalized: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < text.len() {
            let here = &text[at..];
            let fits = |added: &&Added| added.normalized == normalized && here.starts_with(&added.text);
            let found = self.added.iter().filter(fits).max_by_key(|added| added.text.len());
            let Some(added) = found else {
                at += here.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let before = if added.left { text[start..at].trim_end() } else { &text[start..at] };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Number(added.number));
            at += added.text.len();
            if added.right {
                at = text.len() - text[at..].trim_start().len();
            }
            start = at;
        }
        if start < text.len() {
            parts.push(Part::Text(text[start..].to_owned()));
        }
        parts
    }

    /// The words that pieces are made of.
    fn words(&self, text: &str, at_start: bool) -> Vec<String> {
        let mut words = vec![text.to_owned()];
        for cut in &self.cuts {
            let mut made = Vec::new();
            for (at, word) in words.into_iter().enumerate() {
                cut.apply(&word, at_start && at == 0, &mut made);
            }
            words = made;
        }
        words
    }
}

impl Cut {
    fn apply(&self, word: &str, at_start: bool, made: &mut Vec<String>) {
        let own = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect::<Vec<_>>();
        match self {
            Cut::Bytes { prefix, runs } => {
                let word = if *prefix && !word.starts_with(' ') { format!(" {word}") } else { word.to_owned() };
                let parts = if *runs { letters::runs(&word) } else { vec![&word[..]] };
                made.extend(parts.into_iter().map(letters_of_bytes));
            }
            Cut::Marks { mark, prefix, split } => {
                let mut word = word.replace(' ', &mark.to_string());
                let wanted = *prefix == Prefix::Always || *prefix == Prefix::First && at_start;
                if wanted && !word.starts_with(*mark) {
                    word.insert(0, *mark);
                }
                made.extend(if *split { own(letters::from_marks(&word, *mark)) } else { vec![word] });
            }
            Cut::Words => made.extend(own(letters::words(word))),
            Cut::Spaces => made.extend(word.split_whitespace().map(str::to_owned)),
            Cut::Digits { each } => made.extend(own(letters::digits(word, *each))),
        }
    }
}

/// The steps of a part of the file, which may be a sequence.
fn each(json: &Json, list: &str, take: &mut dyn FnMut(&Json) -> Result<(), String>) -> Result<(), String> {
    match json["type"].as_str() {
        None => Ok(()),
        Some("Sequence") => json[list].as_array().into_iter().flatten().try_for_each(|step| each(step, list, take)),
        Some(_) => take(json),
    }
}

fn pieces(model: &Json) -> Result<Pieces, String> {
    match model["type"].as_str() {
        Some("BPE") => {}
        // Files of early versions do not name the kind, which the merges show.
        None if model["merges"].is_array() => {}
        kind => return Err(format!("its model is of the type `{}`", kind.unwrap_or("none"))),
    }
    if model["dropout"].as_f64().is_some_and(|rate| rate > 0.0) {
        return Err("its model drops merges at random".to_owned());
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if model[key].as_str().is_some_and(|text| !text.is_empty()) {
            return Err(format!("its model has a `{key}`"));
        }
    }
    let vocab = model["vocab"].as_object().ok_or("its model has no `vocab`")?;
    let mut numbers = FxHashMap::default();
    for (piece, number) in vocab {
        let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
        numbers.insert(piece.clone(), number.ok_or_else(|| format!("`{piece}` has no number"))?);
    }
    let mut merges = FxHashMap::default();
    for (rank, merge) in model["merges"].as_array().ok_or("its model has no `merges`")?.iter().enumerate() {
        let pair = match merge {
            Json::String(both) => both.split_once(' '),
            _ => merge[0].as_str().zip(merge[1].as_str()),
        };
        let (left, right) = pair.ok_or_else(|| format!("{merge} is no merge of two pieces"))?;
        let number = |piece: &str| numbers.get(piece).copied().ok_or_else(|| format!("no piece `{piece}` for a merge"));
        let made = number(&format!("{left}{right}"))?;
        merges.insert((number(left)?, number(right)?), (rank as u32, made));
    }
    let flag = |key: &str| model[key].as_bool().unwrap_or(false);
    Ok(Pieces {
        unknown: model["unk_token"].as_str().and_then(|piece| numbers.get(piece).copied()),
        fuse_unknown: flag("fuse_unk"),
        by_byte: flag("byte_fallback"),
        whole_first: flag("ignore_merges"),
        numbers,
        merges,
    })
}

fn added(json: &Json) -> Result<Vec<Added>, String> {
    let mut all = Vec::new();
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        let text = token["content"].as_str().filter(|text| !text.is_empty());
        let number = token["id"].as_u64().and_then(|number| u32::try_from(number).ok());
        let (Some(text), Some(number)) = (text, number) else { return Err("an added token has no number".to_owned()) };
        let flag = |key: &str| token[key].as_bool().unwrap_or(false);
        if flag("single_word") {
            return Err(format!("`{text}` is looked for as a whole word"));
        }
        all.push(Added {
            text: text.to_owned(),
            number,
            normalized: flag("normalized"),
            left: flag("lstrip"),
            right: flag("rstrip"),
        });
    }
    Ok(all)
}

fn normalizer(step: &Json) -> Result<Normalizer, String> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let read = match step["type"].as_str().unwrap_or_default() {
        "Lowercase" => Some(Normalizer::Lowercase),
        "Prepend" => text(&step["prepend"]).map(Normalizer::Prepend),
        "Replace" => {
            text(&step["pattern"]["String"]).zip(text(&step["content"])).map(|(a, b)| Normalizer::Replace(a, b))
        }
        _ => None,
    };
    read.ok_or_else(|| {
        format!("its normalizer `{}`", step["type"].as_str().unwrap_or_default()) + " is not one of those read"
    })
}

fn cut(step: &Json) -> Result<Cut, String> {
    let flag = |key: &str, default: bool| step[key].as_bool().unwrap_or(default);
    let kind = step["type"].as_str().unwrap_or_default();
    let read = match kind {
        "ByteLevel" => Some(Cut::Bytes { prefix: flag("add_prefix_space", true), runs: flag("use_regex", true) }),
        "Metaspace" => {
            let prefix = match (step["prepend_scheme"].as_str(), flag("add_prefix_space", true)) {
                (Some("first"), _) => Prefix::First,
                (Some("never"), _) | (None, false) => Prefix::Never,
                (_, _) => Prefix::Always,
            };
            let mark = step["replacement"].as_str().and_then(|text| text.chars().next()).unwrap_or('▁');
            Some(Cut::Marks { mark, prefix, split: flag("split", true) })
        }
        "Whitespace" => Some(Cut::Words),
        "WhitespaceSplit" => Some(Cut::Spaces),
        "Digits" => Some(Cut::Digits { each: flag("individual_digits", false) }),
        _ => None,
    };
    read.ok_or_else(|| format!("its pre-tokenizer `{kind}` is not one of those read"))
}

/// The marks that the last step of a tokenizer puts around one text.
fn marks(step: &Json, number: &dyn Fn(&str) -> Option<u32>) -> (Option<u32>, Option<u32>) {
    let paired = |key: &str| step[key][0].as_str().and_then(number);
    match step["type"].as_str() {
        Some("TemplateProcessing") => {
            let items = step["single"].as_array().map_or(&[][..], Vec::as_slice);
            let text = items.iter().position(|item| item.get("Sequence").is_some()).unwrap_or(items.len());
            let special = |item: &Json| number(item["SpecialToken"]["id"].as_str()?);
            (items[..text].iter().find_map(special), items[text..].iter().find_map(special))
        }
        Some("RobertaProcessing" | "BertProcessing") => (paired("cls"), paired("sep")),
        Some("Sequence") => {
            let steps = step["processors"].as_array().into_iter().flatten().map(|step| marks(step, number));
            steps.fold((None, None), |(begin, end), (a, b)| (begin.or(a), end.or(b)))
        }
        _ => (None, None),
    }
}
