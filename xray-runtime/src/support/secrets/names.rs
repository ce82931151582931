//! Names that suggest a secret.

/// The names whose values are secret, in lower case with `_` between words.
pub(crate) const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "jwt",
    "bearer",
    "authorization",
    "auth_header",
    "credential",
    "cookie",
    "api_key",
    "apikey",
    "access_key",
    "account_key",
    "private_key",
    "signing_key",
    "encryption_key",
    "client_key",
    "session_id",
    "sessionid",
    "jsessionid",
    "phpsessid",
    "otp",
    "cvv",
    "url_query",
];

/// Returns whether a name contains one of the listed names as whole words: `db.password`, `X-Api-Key` and `accessToken`
/// match, `passwordless` and `author` do not. With `plural`, `tokens` also matches.
pub(crate) fn suggests_secret<N: AsRef<str>>(name: &str, listed: &[N], plural: bool) -> bool {
    let name = snake_case(name);
    listed.iter().any(|listed| {
        let listed = listed.as_ref();
        name.match_indices(listed).any(|(start, _)| {
            let before = &name[..start];
            let after = &name[start + listed.len()..];
            let after = if plural { after.strip_prefix('s').unwrap_or(after) } else { after };
            !listed.is_empty()
                && (before.is_empty() || before.ends_with('_'))
                && (after.is_empty() || after.starts_with('_'))
        })
    })
}

/// Returns a name in lower case with `_` between words: `X-Api-Key`, `xApiKey` and `XAPIKey` become `x_api_key`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut characters = name.chars().peekable();
    let (mut was_upper, mut was_lower) = (false, false);
    while let Some(character) = characters.next() {
        // Digits separate words: `oauth2token` has the word `token`.
        if !character.is_alphabetic() {
            (was_upper, was_lower) = (false, false);
            if !snake.ends_with('_') {
                snake.push('_');
            }
            continue;
        }
        let is_upper = character.is_uppercase();
        let begins_word =
            is_upper && (was_lower || was_upper && characters.peek().is_some_and(|next| next.is_lowercase()));
        if begins_word {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
        (was_upper, was_lower) = (is_upper, !is_upper);
    }
    snake.truncate(snake.trim_end_matches('_').len());
    snake
}
