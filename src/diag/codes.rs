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
    E0102 "a bracket is not closed"
    E0103 "the file is too large or nested too deep"
    E0104 "a string or a number is not finished"
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
    W0701 "a column has one value only"
}
