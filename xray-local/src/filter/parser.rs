//! Parses a filter expression into a condition.

use serde_json::Value;

use super::expression::{Condition, KEYWORDS, Key, KeyKind, Operand, Operator, PathItem, RootCauseKind, Selector};
use super::lexer::{Token, TokenKind, tokens};
use super::nearest::nearest_keyword;
use super::value::KeyValue;
use super::{FilterError, NamedFilter};

/// The deepest nesting of conditions, which protects the recursive parser's stack.
const MAX_DEPTH: usize = 50;

/// The longest expression, in characters.
const MAX_CHARS: usize = 5000;

/// The most conditions of groups in an expression. Those of all 25 groups of an account are at most 42,000: each has
/// 5,000 characters, and the shortest condition is `ok` with a space.
const MAX_GROUP_CONDITIONS: usize = 50_000;

/// The context of a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Outside of braces.
    Trace,
    /// Inside the braces of `service` or `edge`.
    Braces,
    /// Inside the braces of `rootcause`.
    Path,
}

/// Parses an expression, and returns the condition on a trace. `group.name` and `group.arn` refer to `groups`.
pub(super) fn parse(text: &str, groups: &[NamedFilter]) -> Result<Condition, FilterError> {
    parse_dialect(text, groups, false)
}

/// Like [`parse`], but a text in quotation marks is a condition, too: a name or URL contains it. The search box takes
/// such expressions, X-Ray does not.
pub(super) fn parse_with_texts(text: &str, groups: &[NamedFilter]) -> Result<Condition, FilterError> {
    parse_dialect(text, groups, true)
}

fn parse_dialect(text: &str, groups: &[NamedFilter], takes_texts: bool) -> Result<Condition, FilterError> {
    if text.chars().nth(MAX_CHARS).is_some() {
        return Err(FilterError::at(MAX_CHARS + 1, format!("the expression has more than {MAX_CHARS} characters")));
    }
    let mut parser = Parser { tokens: tokens(text)?, position: 0, depth: 0, groups, group_conditions: 0, takes_texts };
    if parser.peek().kind == TokenKind::End {
        return Ok(Condition::All(Vec::new()));
    }
    let condition = parser.any(Scope::Trace)?;
    match parser.peek() {
        Token { kind: TokenKind::End, .. } => Ok(condition),
        token => Err(unexpected(token, "a condition, `AND`, `OR` or the end")),
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
    groups: &'a [NamedFilter],
    /// The number of conditions of the groups that the expression has named so far.
    group_conditions: usize,
    /// `true` if a text in quotation marks is a condition.
    takes_texts: bool,
}

impl Parser<'_> {
    /// Parses conditions joined by `OR`.
    fn any(&mut self, scope: Scope) -> Result<Condition, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError::at(
                self.peek().column,
                format!("conditions are nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        let mut conditions = vec![self.all(scope)?];
        while self.take_word("or") {
            conditions.push(self.all(scope)?);
        }
        self.depth -= 1;
        Ok(joined(conditions, Condition::Any))
    }

    /// Parses conditions joined by `AND` or by nothing.
    fn all(&mut self, scope: Scope) -> Result<Condition, FilterError> {
        let mut conditions = vec![self.negated(scope)?];
        loop {
            let has_and = self.take_word("and");
            let begins_another = match &self.peek().kind {
                TokenKind::Word(word) => !word.eq_ignore_ascii_case("or"),
                TokenKind::Symbol(symbol) => matches!(*symbol, "!" | "("),
                TokenKind::Text(_) => self.takes_texts && scope == Scope::Trace,
                _ => false,
            };
            if !has_and && !begins_another {
                return Ok(joined(conditions, Condition::All));
            }
            conditions.push(self.negated(scope)?);
        }
    }

    /// Parses a condition with any number of `!` and `NOT` before it.
    fn negated(&mut self, scope: Scope) -> Result<Condition, FilterError> {
        let mut is_negated = false;
        while self.take_symbol("!") || self.take_word("not") {
            is_negated = !is_negated;
        }
        let condition = self.one(scope)?;
        Ok(if is_negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    /// Parses a single condition, or conditions in parentheses.
    fn one(&mut self, scope: Scope) -> Result<Condition, FilterError> {
        if self.take_symbol("(") {
            let condition = self.any(scope)?;
            self.expect_symbol(")")?;
            return Ok(condition);
        }
        let token = self.next();
        let word = match &token.kind {
            TokenKind::Word(word) => word,
            TokenKind::Text(text) if self.takes_texts && scope == Scope::Trace => {
                return Ok(Condition::Mentions(vec![text.to_lowercase()]));
            }
            _ => return Err(unexpected(&token, "a keyword, `!` or `(`")),
        };
        match word.to_ascii_lowercase().as_str() {
            "service" => self.service(scope, &token),
            "edge" => self.edge(scope, &token),
            "rootcause.json" => self.root_cause_json(scope, &token),
            keyword if keyword.starts_with("rootcause.") => self.root_cause(keyword, scope, &token),
            keyword @ ("group.name" | "group.arn") => self.group(keyword, scope, &token),
            keyword => {
                let key = self.key(keyword, word, scope, &token)?;
                self.comparison(key)
            }
        }
    }

    /// Parses `service("name") { condition }`. The name and the braces are optional.
    fn service(&mut self, scope: Scope, token: &Token) -> Result<Condition, FilterError> {
        check_outside_braces(scope, token, "service")?;
        self.expect_symbol("(")?;
        let selector = if self.peek_symbol(")") { Selector::default() } else { self.selector()? };
        self.expect_symbol(")")?;
        Ok(Condition::Service(selector, Box::new(self.braces(Scope::Braces)?)))
    }

    /// Parses `edge("caller", "callee") { condition }`. The names and the braces are optional.
    fn edge(&mut self, scope: Scope, token: &Token) -> Result<Condition, FilterError> {
        check_outside_braces(scope, token, "edge")?;
        self.expect_symbol("(")?;
        let (mut from, mut to) = (Selector::default(), Selector::default());
        if !self.peek_symbol(")") {
            from = self.selector()?;
            self.expect_symbol(",")?;
            to = self.selector()?;
        }
        self.expect_symbol(")")?;
        Ok(Condition::Edge(from, to, Box::new(self.braces(Scope::Braces)?)))
    }

    /// Parses `rootcause.fault.service { condition }` and its variants. The braces are optional.
    fn root_cause(&mut self, keyword: &str, scope: Scope, token: &Token) -> Result<Condition, FilterError> {
        check_outside_braces(scope, token, "rootcause")?;
        let parts = keyword.strip_prefix("rootcause.").and_then(|parts| parts.split_once('.'));
        let kind = match parts {
            Some(("fault", _)) => RootCauseKind::Fault,
            Some(("error", _)) => RootCauseKind::Error,
            Some(("responsetime", _)) => RootCauseKind::ResponseTime,
            _ => {
                return Err(unexpected(
                    token,
                    "`rootcause.fault.`, `rootcause.error.` or `rootcause.responsetime.` before `service`, `entity` or \
                     `exception`",
                ));
            }
        };
        let item = match parts {
            Some((_, "service")) => PathItem::Service,
            Some((_, "entity")) => PathItem::Entity,
            Some((_, "exception")) if kind != RootCauseKind::ResponseTime => PathItem::Exception,
            _ => return Err(unexpected(token, "`service`, `entity` or `exception` after the last dot")),
        };
        Ok(Condition::RootCause(kind, item, Box::new(self.braces(Scope::Path)?)))
    }

    /// Parses `rootcause.json = #[ .. ]`. A trace must have one of the root causes in the list.
    fn root_cause_json(&mut self, scope: Scope, token: &Token) -> Result<Condition, FilterError> {
        check_outside_braces(scope, token, "rootcause")?;
        self.expect_symbol("=")?;
        let token = self.next();
        let causes = match token.kind {
            TokenKind::Json(Value::Array(causes)) => causes,
            TokenKind::Json(cause @ Value::Object(_)) => vec![cause],
            _ => return Err(unexpected(&token, "`#` and the root cause in JSON, as `GetTraceSummaries` returns it")),
        };
        Ok(joined(causes.into_iter().map(Condition::RootCauseJson).collect(), Condition::Any))
    }

    /// Parses `group.name = "name"` or `group.arn = "arn"`, and returns the condition on the traces of these groups.
    fn group(&mut self, keyword: &str, scope: Scope, token: &Token) -> Result<Condition, FilterError> {
        check_outside_braces(scope, token, "group")?;
        let compared = self.comparison(Key::Name)?;
        let Condition::Compare(_, operator, operand) = compared else {
            return Err(unexpected(self.peek(), "`=` and the name of a group"));
        };
        let of_group = |group: &&NamedFilter| {
            let text = if keyword == "group.arn" { &group.arn } else { &group.name };
            // A trace may belong to several groups. So `group.name != "x"` selects the traces outside the group `x`,
            // not the traces of the other groups.
            let operator = if operator == Operator::NotEqual { Operator::Equal } else { operator };
            KeyValue::Text(text).compares(operator, &operand)
        };
        let named: Vec<_> = self.groups.iter().filter(of_group).map(|group| group.filter.clone()).collect();
        self.group_conditions += named.iter().map(|filter| filter.size).sum::<usize>();
        if self.group_conditions > MAX_GROUP_CONDITIONS {
            let message = format!("the groups in this expression have more than {MAX_GROUP_CONDITIONS} conditions");
            return Err(FilterError::at(token.column, message));
        }
        let groups: Vec<_> = named.into_iter().map(Condition::Group).collect();
        match (groups.is_empty(), operator) {
            (true, Operator::Equal | Operator::NotEqual) => {
                let known: Vec<_> = self.groups.iter().map(|group| format!("`{}`", group.name)).collect();
                let known = if known.is_empty() {
                    "there are no groups".to_owned()
                } else {
                    format!("the groups are {}", known.join(", "))
                };
                Err(FilterError::at(token.column, format!("no group has this {}; {known}", &keyword["group.".len()..])))
            }
            (_, Operator::NotEqual) => Ok(Condition::Not(Box::new(joined(groups, Condition::Any)))),
            _ => Ok(joined(groups, Condition::Any)),
        }
    }

    /// Parses an optional condition in braces.
    fn braces(&mut self, scope: Scope) -> Result<Condition, FilterError> {
        if !self.take_symbol("{") || self.take_symbol("}") {
            return Ok(Condition::All(Vec::new()));
        }
        let condition = self.any(scope)?;
        self.expect_symbol("}")?;
        Ok(condition)
    }

    /// Parses a name or `id(name: "..", type: "..", account.id: "..")`. Each part of `id` is optional.
    fn selector(&mut self) -> Result<Selector, FilterError> {
        let token = self.next();
        let mut selector = Selector::default();
        match &token.kind {
            TokenKind::Text(name) => {
                selector.name = Some(name.clone());
                return Ok(selector);
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("id") => self.expect_symbol("(")?,
            _ => return Err(unexpected(&token, "a service's name in quotation marks, or `id(`")),
        }
        while !self.take_symbol(")") {
            let token = self.next();
            let TokenKind::Word(word) = &token.kind else {
                return Err(unexpected(&token, "`name:`, `type:` or `account.id:`"));
            };
            let part = match word.to_ascii_lowercase().as_str() {
                "name" => &mut selector.name,
                "type" => &mut selector.kind,
                "account.id" => &mut selector.account_id,
                _ => return Err(unexpected(&token, "`name:`, `type:` or `account.id:`")),
            };
            self.expect_symbol(":")?;
            *part = Some(self.text()?);
            if !self.take_symbol(",") && !self.peek_symbol(")") {
                return Err(unexpected(self.peek(), "`,` or `)`"));
            }
        }
        Ok(selector)
    }

    /// Parses a key. `keyword` is its first word in lower case, and `written` is the same word as the user wrote it.
    fn key(&mut self, keyword: &str, written: &str, scope: Scope, token: &Token) -> Result<Key, FilterError> {
        if let Some((_, key)) = KEYWORDS.iter().find(|(known, _)| *known == keyword) {
            return Ok(key.clone());
        }
        let annotation = match written.split_at_checked("annotation".len()) {
            Some((head, "")) if head.eq_ignore_ascii_case("annotation") => Some(self.annotation_key()?),
            Some((head, key)) if head.eq_ignore_ascii_case("annotation") => key.strip_prefix('.').map(str::to_owned),
            _ => None,
        };
        match annotation {
            Some(key) if key.is_empty() => {
                Err(FilterError::at(token.column, "the annotation's key is missing".to_owned()))
            }
            Some(_) if scope == Scope::Path => {
                let message = "annotations belong to segments, not to the path of a root cause; write the condition outside \
                               the braces, after `AND`";
                Err(FilterError::at(token.column, message.to_owned()))
            }
            Some(key) => Ok(Key::Annotation(key)),
            None => Err(unknown_keyword(token.column, keyword, written)),
        }
    }

    /// Parses `[key]`, the form for keys with special characters. Quotation marks around the key are optional.
    fn annotation_key(&mut self) -> Result<String, FilterError> {
        self.expect_symbol("[")?;
        let token = self.next();
        let (TokenKind::Word(key) | TokenKind::Text(key)) = &token.kind else {
            return Err(unexpected(&token, "an annotation's key"));
        };
        self.expect_symbol("]")?;
        Ok(key.clone())
    }

    /// Parses the operator and the value after a key, if there are any.
    fn comparison(&mut self, key: Key) -> Result<Condition, FilterError> {
        let token = self.peek().clone();
        let Some(operator) = operator(&token) else { return Ok(Condition::Set(key)) };
        self.position += 1;
        let operand = self.operand(&key)?;
        if !operator.applies_to(&operand) {
            let message = match operand {
                Operand::Text(_) => "compare a text with `=`, `!=`, `CONTAINS`, `BEGINSWITH` or `ENDSWITH`",
                Operand::Number(_) => "compare a number with `=`, `!=`, `<`, `<=`, `>` or `>=`",
                Operand::Flag(_) => "compare `true` and `false` with `=` or `!=`",
            };
            return Err(FilterError::at(token.column, message.to_owned()));
        }
        Ok(Condition::Compare(key, operator, operand))
    }

    /// Parses a value of the key's type.
    fn operand(&mut self, key: &Key) -> Result<Operand, FilterError> {
        let token = self.next();
        let operand = match &token.kind {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("true") => Some(Operand::Flag(true)),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("false") => Some(Operand::Flag(false)),
            TokenKind::Number(number) => Some(Operand::Number(*number)),
            TokenKind::Text(text) => Some(Operand::Text(text.clone())),
            _ => None,
        };
        let (is_right, wanted) = match (key.kind(), &operand) {
            (KeyKind::Flag, operand) => (matches!(operand, Some(Operand::Flag(_))), "`true` or `false`"),
            (KeyKind::Number, operand) => (matches!(operand, Some(Operand::Number(_))), "a number"),
            (KeyKind::Text, operand) => (matches!(operand, Some(Operand::Text(_))), "a text in quotation marks"),
            (KeyKind::Annotation, operand) => {
                (operand.is_some(), "a text in quotation marks, a number, `true` or `false`")
            }
        };
        operand.filter(|_| is_right).ok_or_else(|| unexpected(&token, wanted))
    }

    fn text(&mut self) -> Result<String, FilterError> {
        let token = self.next();
        match token.kind {
            TokenKind::Text(text) => Ok(text),
            _ => Err(unexpected(&token, "a text in quotation marks")),
        }
    }

    fn peek(&self) -> &Token {
        // The last token is `End`, and `next` may have moved beyond it.
        &self.tokens[self.position.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    fn peek_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek().kind, TokenKind::Symbol(found) if found == symbol)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let is_next = self.peek_symbol(symbol);
        self.position += usize::from(is_next);
        is_next
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), FilterError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(unexpected(self.peek(), &format!("`{symbol}`"))) }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_next = matches!(&self.peek().kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word));
        self.position += usize::from(is_next);
        is_next
    }
}

/// Returns a single condition unchanged. Joins several conditions, or an empty list, with `join`.
fn joined(mut conditions: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => join(conditions),
    }
}

/// Returns the operator that a token stands for.
fn operator(token: &Token) -> Option<Operator> {
    match &token.kind {
        TokenKind::Symbol("=") => Some(Operator::Equal),
        TokenKind::Symbol("!=") => Some(Operator::NotEqual),
        TokenKind::Symbol("<") => Some(Operator::Less),
        TokenKind::Symbol("<=") => Some(Operator::LessOrEqual),
        TokenKind::Symbol(">") => Some(Operator::Greater),
        TokenKind::Symbol(">=") => Some(Operator::GreaterOrEqual),
        TokenKind::Word(word) => match word.to_ascii_lowercase().as_str() {
            "contains" => Some(Operator::Contains),
            "beginswith" => Some(Operator::BeginsWith),
            "endswith" => Some(Operator::EndsWith),
            _ => None,
        },
        _ => None,
    }
}

/// Returns an error if the keyword is inside braces.
fn check_outside_braces(scope: Scope, token: &Token, keyword: &str) -> Result<(), FilterError> {
    match scope {
        Scope::Trace => Ok(()),
        Scope::Braces | Scope::Path => {
            let message = format!("`{keyword}` is not allowed in braces; write it outside them, after `AND`");
            Err(FilterError::at(token.column, message))
        }
    }
}

/// Returns the error for an unknown keyword, with the most similar keyword if there is one.
fn unknown_keyword(column: usize, keyword: &str, written: &str) -> FilterError {
    if keyword.starts_with("group.") {
        return FilterError::at(column, format!("`{written}` is not a keyword; write `group.name` or `group.arn`"));
    }
    let suggestion = nearest_keyword(keyword);
    let hint = match suggestion {
        Some(known) => format!("did you mean `{known}`?"),
        None => "put a text to compare with in quotation marks".to_owned(),
    };
    FilterError { suggestion, ..FilterError::at(column, format!("`{written}` is not a keyword; {hint}")) }
}

/// Returns the error for a token that is not allowed at its position.
fn unexpected(token: &Token, wanted: &str) -> FilterError {
    let found = match &token.kind {
        TokenKind::Word(word) => format!("`{word}`"),
        TokenKind::Text(text) => format!("\"{text}\""),
        TokenKind::Number(number) => format!("`{number}`"),
        TokenKind::Symbol(symbol) => format!("`{symbol}`"),
        TokenKind::Json(_) => "JSON".to_owned(),
        TokenKind::End => "the end of the expression".to_owned(),
    };
    FilterError::at(token.column, format!("expected {wanted}, found {found}"))
}
