//! Form bodies and queries: `name=value` pairs, percent-encoded.

use std::collections::BTreeSet;

use percent_encoding::percent_decode;

/// Name and value, decoded.
pub(crate) type Pair = (String, String);

/// A query and a form body, read together.
#[derive(Default)]
pub(crate) struct Form {
    /// In the order they came.
    pub(crate) pairs: Vec<Pair>,
    /// The first thing wrong with it. Kept, not raised, because which protocol shall say it is known only
    /// from the pairs.
    pub(crate) problem: Option<Problem>,
}

/// What can be wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// This parameter's name or value is not UTF-8.
    NotUtf8(String),
    /// This parameter is there twice.
    Twice(String),
    /// There are more pairs than the limit.
    TooMany(usize),
}

impl Form {
    /// Reads the query, then the body, up to `limit` pairs in all.
    pub(crate) fn read(query: &[u8], body: &[u8], limit: usize) -> Self {
        let mut form = Self::default();
        let pieces = query.split(|byte| *byte == b'&').chain(body.split(|byte| *byte == b'&'));
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            if form.pairs.len() == limit {
                form.problem.get_or_insert(Problem::TooMany(limit));
                break;
            }
            form.push(piece);
        }
        if let Some(name) = form.twice() {
            form.problem.get_or_insert(Problem::Twice(name));
        }
        form
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        get(&self.pairs, name)
    }

    fn push(&mut self, piece: &[u8]) {
        let equals = piece.iter().position(|byte| *byte == b'=').unwrap_or(piece.len());
        let (name, name_is_text) = decoded(&piece[..equals]);
        let (value, value_is_text) = decoded(piece.get(equals + 1..).unwrap_or_default());
        if !(name_is_text && value_is_text) {
            self.problem.get_or_insert_with(|| Problem::NotUtf8(name.clone()));
        }
        self.pairs.push((name, value));
    }

    fn twice(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        // Names are read without the blanks that a client leaves at their end, so they are compared without them.
        let mut names = self.pairs.iter().map(|(name, _)| name.trim_end());
        names.find(|name| !seen.insert(*name)).map(str::to_owned)
    }
}

/// The value of the first pair with this name.
pub(crate) fn get<'a>(pairs: &'a [Pair], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The text, and whether it was UTF-8 as it came.
fn decoded(bytes: &[u8]) -> (String, bool) {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    match String::from_utf8(percent_decode(&spaced).collect()) {
        Ok(text) => (text, true),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let form = Form::read(b"a=1&&b", b"c=x+y%2Bz%E6%B6%88&d=&e=f=g&%41=%zz", 99);
        let wanted = [("a", "1"), ("b", ""), ("c", "x y+z消"), ("d", ""), ("e", "f=g"), ("A", "%zz")];
        let wanted: Vec<Pair> = wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(form.pairs, wanted);
        assert_eq!(form.problem, None);
    }

    #[test]
    fn what_is_wrong_is_kept_beside_what_could_be_read() {
        let form = Form::read(b"Action=X", b"body=%ff", 99);
        assert_eq!(form.problem, Some(Problem::NotUtf8("body".into())));
        assert_eq!(form.get("Action"), Some("X"));
        assert_eq!(Form::read(b"a=1", b"a=1", 99).problem, Some(Problem::Twice("a".into())));
        assert_eq!(Form::read(b"a=1", b"a%09=1", 99).problem, Some(Problem::Twice("a".into())));
        let form = Form::read(b"a=1&b=2&c=3", b"", 2);
        assert_eq!((form.problem, form.pairs.len()), (Some(Problem::TooMany(2)), 2));
    }

    proptest! {
        // Names end in no blank: two that differ in such an end alone are one name given twice.
        #[test]
        fn what_is_encoded_is_decoded(pairs in prop::collection::btree_map(".{0,7}\\S", ".{0,8}", 0..8)) {
            let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let form = Form::read(b"", encoded.as_bytes(), 99);
            prop_assert_eq!(form.problem, None);
            prop_assert_eq!(form.pairs, pairs.into_iter().collect::<Vec<_>>());
        }
    }
}
