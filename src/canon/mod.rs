//! Recognition before autodiff: contractions, log-sum-exp, picks.
