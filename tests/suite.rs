//! Runs `tests/suite/<phase>/*.model`.
//!
//! `TENSA_BLESS=1` (the script `./bless`) rewrites what the cases expect; `TENSA_SUITE=text` runs only the cases
//! whose name holds the text. How a case is written stands in `support/cases.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::cases;

#[test]
fn all_cases() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let bless = std::env::var_os("TENSA_BLESS").is_some();
    let filter = std::env::var("TENSA_SUITE").unwrap_or_default();
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    let mut failures = String::new();
    let mut count = 0;
    for path in cases::files(&suite) {
        let home = path.strip_prefix(&suite).unwrap_or(&path).display().to_string();
        let mut right = Vec::new();
        for case in cases::read(&path) {
            if let Some(other) = homes.insert(case.name.clone(), home.clone()) {
                failures.push_str(&format!("{home}: the case `{}` is in {other} too\n", case.name));
            }
            count += 1;
            let verdict = if case.name.contains(&filter) { case.check() } else { Ok(()) };
            right.push(match &verdict {
                Ok(()) => case.text(),
                Err((_, right)) => right.clone(),
            });
            if let Err((difference, _)) = verdict
                && !bless
            {
                failures.push_str(&format!("{home}: {}\n{difference}", case.name));
            }
        }
        if bless {
            cases::write(&path, &right);
        }
    }
    assert!(
        failures.is_empty(),
        "\n{failures}`./bless suite` writes what is; read the difference before you commit it"
    );
    assert!(count > 0, "no cases under {}", suite.display());
}
