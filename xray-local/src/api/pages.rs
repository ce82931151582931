//! Pages of lists, and the tokens that lead from one page to the next.

use super::error::ApiError;

/// The prefix of a token. The key of an element follows.
const AFTER: &str = "after:";

/// Returns the elements of a page, and the token of the next page if there is one.
///
/// `elements` must be in the order of their keys. A token holds the key of the last element on the previous page. So no
/// element is skipped or repeated if other elements are added or removed between two requests.
pub(super) fn page<T>(
    elements: impl IntoIterator<Item = (String, T)>,
    token: Option<&str>,
    size: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let after = match token {
        Some(token) => Some(token.strip_prefix(AFTER).ok_or_else(|| ApiError::unknown_token(token))?),
        None => None,
    };
    let mut rest = elements.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
    let (mut elements, mut last) = (Vec::new(), None);
    for (key, element) in rest.by_ref().take(size) {
        last = Some(key);
        elements.push(element);
    }
    let next = last.filter(|_| rest.next().is_some()).map(|key| format!("{AFTER}{key}"));
    Ok((elements, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_although_elements_come_and_go() {
        let keys = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect::<Vec<_>>();
        let (first, token) = page(keys(&["a", "b", "c"]), None, 2).unwrap();
        assert_eq!((first, token.as_deref()), (vec!["a".to_owned(), "b".to_owned()], Some("after:b")));
        let (second, token) = page(keys(&["a", "a2", "c", "d"]), token.as_deref(), 2).unwrap();
        assert_eq!((second, token), (vec!["c".to_owned(), "d".to_owned()], None));
        assert!(page(keys(&["a"]), Some("b"), 2).is_err());
    }
}
