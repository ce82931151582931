//! Splits a filter expression into tokens.

use serde_json::Value;

use super::FilterError;

/// A token, and the column at which it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) column: usize,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword with its dots, such as `http.url`, or an unquoted key in `annotation[..]`.
    Word(String),
    Text(String),
    Number(f64),
    /// A JSON value, written after a `#`.
    Json(Value),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `!`, `(`, `)`, `{`, `}`, `[`, `]`, `,`, `:`
    Symbol(&'static str),
    End,
}

/// The symbols. A longer symbol comes before its own prefix, so that `!=` is not read as `!`.
const SYMBOLS: [&str; 15] = ["!=", "<=", ">=", "=", "<", ">", "!", "(", ")", "{", "}", "[", "]", ",", ":"];

/// Returns the tokens of an expression, followed by [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::<Token>::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        if character.is_whitespace() {
            at += 1;
            continue;
        }
        let rest = &characters[at..];
        // In brackets is the key of an annotation, which may start with a digit, as in `annotation[2fa]`.
        let is_key = matches!(tokens.last(), Some(Token { kind: TokenKind::Symbol("["), .. }));
        let (kind, length) = if is_word(character) && (is_key || !character.is_ascii_digit()) {
            word(rest)
        } else if character == '"' || character == '\'' {
            quoted(rest, at)?
        } else if character == '#' {
            json(&rest[1..], at)?
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| starts_with(rest, symbol)) {
            (TokenKind::Symbol(symbol), symbol.len())
        } else {
            number(rest, at)?
        };
        tokens.push(Token { column: at + 1, kind });
        at += length;
    }
    tokens.push(Token { column: at + 1, kind: TokenKind::End });
    Ok(tokens)
}

fn starts_with(characters: &[char], symbol: &str) -> bool {
    characters.len() >= symbol.len() && symbol.chars().zip(characters).all(|(wanted, found)| wanted == *found)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Reads a word.
fn word(characters: &[char]) -> (TokenKind, usize) {
    let length = characters.iter().take_while(|character| is_word(**character) || **character == '.').count();
    (TokenKind::Word(characters[..length].iter().collect()), length)
}

/// Reads a text in quotation marks. A backslash escapes the next character.
fn quoted(characters: &[char], at: usize) -> Result<(TokenKind, usize), FilterError> {
    let mut text = String::new();
    let mut rest = characters.iter().enumerate().skip(1);
    while let Some((index, &character)) = rest.next() {
        match character {
            _ if character == characters[0] => return Ok((TokenKind::Text(text), index + 1)),
            '\\' => text.extend(rest.next().map(|(_, escaped)| *escaped)),
            _ => text.push(character),
        }
    }
    Err(FilterError::at(at + 1, format!("the text that starts here has no closing {}", characters[0])))
}

/// Reads JSON after a `#`.
fn json(characters: &[char], at: usize) -> Result<(TokenKind, usize), FilterError> {
    let text: String = characters.iter().collect();
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let value = match values.next() {
        Some(Ok(value)) => value,
        Some(Err(error)) => return Err(FilterError::at(at + 1, format!("`#` is not followed by JSON: {error}"))),
        None => return Err(FilterError::at(at + 1, "`#` is not followed by JSON".to_owned())),
    };
    let length = text[..values.byte_offset()].chars().count();
    Ok((TokenKind::Json(value), 1 + length))
}

/// Reads a number.
fn number(characters: &[char], at: usize) -> Result<(TokenKind, usize), FilterError> {
    let is_part = |character: &char| character.is_ascii_alphanumeric() || ['.', '+', '-'].contains(character);
    let digits: String = characters.iter().take_while(|character| is_part(character)).collect();
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((TokenKind::Number(number), digits.len())),
        _ if digits.is_empty() => Err(FilterError::at(at + 1, format!("`{}` is not allowed here", characters[0]))),
        _ => Err(FilterError::at(at + 1, format!("`{digits}` is not a number"))),
    }
}
