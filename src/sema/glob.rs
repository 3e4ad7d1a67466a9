//! Globs over the paths of parameters: `Multi.body.**`, `**.b`, `h.*.w`.
//!
//! `*` stands for one part of a path or for any text within one, `**` for any number of parts.

/// Whether a path is one that a glob means.
pub fn matches(glob: &str, path: &str) -> bool {
    let (glob, path): (Vec<&str>, Vec<&str>) = (glob.split('.').collect(), path.split('.').collect());
    parts(&glob, &path)
}

fn parts(glob: &[&str], path: &[&str]) -> bool {
    match (glob, path) {
        ([], path) => path.is_empty(),
        (["**", rest @ ..], path) => (0..=path.len()).any(|skipped| parts(rest, &path[skipped..])),
        ([_, ..], []) => false,
        ([one, rest @ ..], [part, path @ ..]) => part_matches(one.as_bytes(), part.as_bytes()) && parts(rest, path),
    }
}

fn part_matches(glob: &[u8], part: &[u8]) -> bool {
    match (glob, part) {
        ([], part) => part.is_empty(),
        ([b'*', rest @ ..], part) => (0..=part.len()).any(|skipped| part_matches(rest, &part[skipped..])),
        ([one, rest @ ..], [byte, part @ ..]) => one == byte && part_matches(rest, part),
        ([_, ..], []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_parts() {
        let path = "Multi.body.Dense.1.w";
        for glob in ["**", "Multi.**", "**.w", "Multi.body.**", "Multi.*.Dense.*.w", "**.Dense.**", "**.De*e.1.w", path] {
            assert!(matches(glob, path), "{glob}");
        }
        for glob in ["*", "Multi", "**.b", "body.**", "Multi.*.w", "Multi.body", "", "Mult.**"] {
            assert!(!matches(glob, path), "{glob}");
        }
    }
}
