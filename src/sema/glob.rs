//! Globs over the paths of parameters: `Multi.body.**`, `**.b`, `h.*.w`.
//!
//! `*` stands for one part of a path or for any text within one, `**` for any number of parts.

/// Whether a path is one that a glob means.
pub fn matches(glob: &str, path: &str) -> bool {
    captures(glob, path).is_some()
}

/// What the stars of a glob stand for in a path, in order; none when it does not mean the path.
pub fn captures(glob: &str, path: &str) -> Option<Vec<String>> {
    let (glob, path): (Vec<&str>, Vec<&str>) = (glob.split('.').collect(), path.split('.').collect());
    let mut found = Vec::new();
    parts(&glob, &path, &mut found).then_some(found)
}

fn parts(glob: &[&str], path: &[&str], found: &mut Vec<String>) -> bool {
    let before = found.len();
    let matched = match (glob, path) {
        ([], path) => path.is_empty(),
        (["**", rest @ ..], path) => (0..=path.len()).any(|skipped| {
            found.truncate(before);
            found.push(path[..skipped].join("."));
            parts(rest, &path[skipped..], found)
        }),
        ([_, ..], []) => false,
        ([one, rest @ ..], [part, path @ ..]) => within(one, part, found) && parts(rest, path, found),
    };
    if !matched {
        found.truncate(before);
    }
    matched
}

fn within(glob: &str, part: &str, found: &mut Vec<String>) -> bool {
    let Some((before, after)) = glob.split_once('*') else { return glob == part };
    let Some(rest) = part.strip_prefix(before) else { return false };
    let known = found.len();
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    for end in ends {
        found.truncate(known);
        found.push(rest[..end].to_owned());
        if within(after, &rest[end..], found) {
            return true;
        }
    }
    found.truncate(known);
    false
}

#[cfg(test)]
mod tests {
    use super::{captures, matches};

    #[test]
    fn stars_stand_for_parts() {
        let path = "Multi.body.Dense.1.w";
        for glob in ["**", "Multi.**", "**.w", "Multi.body.**", "Multi.*.Dense.*.w", "**.Dense.**", "**.De*e.1.w", path]
        {
            assert!(matches(glob, path), "{glob}");
        }
        for glob in ["*", "Multi", "**.b", "body.**", "Multi.*.w", "Multi.body", "", "Mult.**"] {
            assert!(!matches(glob, path), "{glob}");
        }
    }

    #[test]
    fn captures_are_what_stars_stand_for() {
        assert_eq!(captures("**.q.*", "h.3.attn.q.w"), Some(vec!["h.3.attn".to_owned(), "w".to_owned()]));
        assert_eq!(captures("h.*.w", "h.12.w"), Some(vec!["12".to_owned()]));
        assert_eq!(captures("h.l*r.w", "h.layer.w"), Some(vec!["aye".to_owned()]));
        assert_eq!(captures("**", ""), Some(vec![String::new()]));
    }
}
