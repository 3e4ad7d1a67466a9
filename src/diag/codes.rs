//! The register of codes. A code never changes its meaning; a retired one is not used again.
//!
//! Each has a page `explain/<code>.md` whose broken example shows it and whose mended one checks,
//! and a case in `tests/suite`; `tests/tidy.rs` asks for both.

macro_rules! codes {
    ($($code:ident $title:literal)*) => {
        /// A diagnostic's entry in the register.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code in order.
            pub const ALL: &[Code] = &[$(Code::$code),*];

            /// `E0301`
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// What the code says, in general.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// The page for `tensa explain`.
            pub fn page(self) -> &'static str {
                match self { $(Code::$code => include_str!(concat!("explain/", stringify!($code), ".md")),)* }
            }

            /// The code of this text, in any case: `e0301`.
            pub fn parse(text: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
            }
        }
    };
}

// E01 syntax · E02 names · E03 axes and sizes · E04 kinds and values · E05 definitions, parameters
// and state · E06 train settings · E07 data · E08 running · W warnings
codes! {
    E0101 "the text is not what stands here in the language"
    E0102 "a bracket has no partner"
    E0103 "the file is too large or nested too deep"
    E0104 "a text or a number is not written right"
    E0105 "a habit of another language"
    E0106 "a block has not exactly one value, at its end"
    E0107 "operators that need brackets between them"
    E0201 "nothing has this name"
    E0202 "an axis is expected, or no axis has this name"
    E0203 "a name is declared twice"
    E0204 "a value takes the name of an axis"
    E0205 "a top-level let names more than one constant"
    E0206 "an argument the function does not have, or has already"
    E0207 "too many or too few arguments"
    E0208 "`_` stands for nothing here"
    E0209 "not a type of the language"
    E0210 "part of the language, not of this version"
    E0211 "a used file cannot be read"
    E0212 "files use each other in a circle"
    E0301 "an axis has two sizes"
    E0302 "nothing known proves that two sizes agree"
    E0303 "neither operand has all axes of the other"
    E0304 "an argument's axes do not fit the signature"
    E0305 "the tensor does not have this axis"
    E0306 "an axis would stand twice in one tensor"
    E0307 "nothing fixes the size of an axis"
    E0308 "an axis without a name, or a row that nothing binds"
    E0309 "a size that is not a size"
    E0310 "an axis does not split evenly"
    E0311 "the result does not have the declared axes"
    E0312 "a position outside of its axis"
    E0313 "a value of another kind is needed"
    E0314 "an index counts another axis"
    E0315 "a window has a form it cannot have"
    E0316 "a window reads outside of its axis"
    E0320 "the value of a loop has the axis of the loop"
    E0401 "a value of another sort is needed"
    E0402 "another count of values is needed"
    E0403 "this cannot be applied"
    E0404 "a definition uses itself without end"
    E0405 "a fact that a definition needs does not hold"
    E0406 "a derivative of what is no number, or by what it cannot be taken by"
    E0407 "a gradient that a function gives does not fit it"
    E0408 "a gradient that a function gives is not that of its value"
    E0501 "a parameter without a name or outside of a layer"
    E0502 "two parameters with one path"
    E0503 "`:=` on what is no state"
    E0504 "a parameter is never used"
    E0505 "one layer used on two sizes"
    E0506 "no first value for a parameter or state"
    E0507 "a state where nothing can be kept"
    E0508 "a state is never written"
    E0509 "an optimizer's result does not fit its parameter"
    E0510 "a penalty that is not one number of a layer"
    E0520 "a carried value becomes one of another type"
    E0521 "a state is written in a loop"
    E0522 "a generator looks along its sequence"
    E0601 "an unknown or repeated setting"
    E0602 "a run lacks a setting it needs"
    E0603 "a setting has a form it cannot have"
    E0604 "a run names data that is not declared"
    E0605 "lines of a section need each other"
    E0606 "a loss or metric is not one number"
    E0607 "two values are reported under one name"
    E0608 "a run watches what is not reported"
    E0609 "nothing that can be trained has this name"
    E0610 "a loss depends on nothing that it trains"
    E0611 "a search is of no run"
    E0612 "a search varies what it cannot"
    E0613 "a loss has no gradients by single rows"
    E0701 "there is no such source of data"
    E0702 "there is no such transform"
    E0703 "there is no such setting of data"
    E0704 "an argument does not fit"
    E0705 "this part of the language is not supported yet"
    E0706 "the fractions of the split do not fit"
    E0707 "this is not a column"
    E0708 "a setting has a value it does not allow"
    E0709 "a transform does not fit what it is given"
    E0710 "a setting or a column is given twice"
    E0711 "a file cannot be read"
    E0712 "a compressed file is damaged"
    E0713 "a file is not UTF-8"
    E0714 "a file has no rows or no header"
    E0715 "a row is ragged"
    E0716 "the header names a column twice"
    E0717 "the file has no such column"
    E0718 "a cell is not a number"
    E0719 "a cell is missing"
    E0720 "a value is not finite"
    E0721 "a file is not in the IDX format"
    E0722 "the length of an IDX file does not fit its header"
    E0723 "two files do not fit together"
    E0724 "a label is outside its axis"
    E0725 "a class does not occur in the training rows"
    E0726 "a part of the split is empty"
    E0727 "a class has too few rows to be split"
    E0728 "a cell does not say where its row belongs"
    E0729 "the number of classes is not the size of the axis"
    E0730 "the fitted values do not belong to this program"
    E0731 "folders of pictures do not lie as they should"
    E0732 "a picture cannot be read"
    E0733 "the sizes of pictures do not fit"
    E0734 "a change of pictures stands on the wrong side of `train(…)`"
    E0735 "a series is shorter than its windows"
    E0736 "a key stands twice in a table that is looked into"
    E0737 "a key is that of no row"
    E0741 "texts have rows of several lengths"
    E0742 "a long text is not cut into windows, or in two ways"
    E0743 "columns are meant by number and by name"
    E0744 "a tokenizer cannot be read"
    E0745 "a row names a picture that is not there"
    E0746 "a mask has other values than its classes"
    E0747 "boxes or their kinds do not fit"
    E0750 "a file is not in the NumPy format"
    E0751 "the length of a NumPy file does not fit its header"
    E0752 "an array has elements that no column has"
    E0753 "an archive cannot be read"
    E0754 "this build does not read files of this kind"
    E0755 "a Parquet file cannot be read"
    E0801 "a size is negative or too large"
    E0802 "a step needs more memory than there is"
    E0803 "a compiled step does not fit what it runs on"
    E0811 "a program cannot be read"
    E0812 "`--set` names nothing"
    E0813 "`--set` gives a value of another sort"
    E0821 "the loss is not a number"
    E0822 "a file of a run cannot be written"
    E0823 "a file of a run cannot be read"
    E0824 "stored weights do not fit the program"
    E0825 "a class number is outside of its axis"
    E0826 "a run needs rows or columns that are not there"
    E0827 "a program has nothing to run"
    E0828 "a run cannot be continued"
    E0829 "a project cannot be made here"
    E0830 "a file of weights does not fit the layer it is loaded into"
    E0831 "a batch has not the size that the program needs"
    E0832 "no trial of a search came to a value"
    W0201 "a definition hides one of the library"
    W0202 "nothing uses this definition"
    W0203 "nothing uses this let"
    W0401 "a derivative is 0 everywhere"
    W0501 "no gradient reaches a parameter"
    W0601 "nothing trains a parameter or a model"
    W0602 "two updates for one parameter"
    W0603 "a loss takes class numbers for quantities"
    W0701 "a column has one value only"
    W0702 "a file beside pictures is left out"
    W0703 "rows find no partner in a table that is joined"
    W0801 "a sum of products runs element by element"
    W0802 "an attention is not one operation"
}
