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
    E0801 "a size is negative or too large"
    E0802 "a step needs more memory than there is"
    E0803 "a compiled step does not fit what it runs on"
}
