//! The arguments of the attribute, and of `#[xray(..)]` inside an annotated function.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, Path, Result, Token, parse_quote};

/// `#[traced_http(name = "..", annotate(..), skip_hosts(..), strict, crate = "..", local(..))]`
pub(crate) struct Options {
    /// Name for the subsegments, in place of the host's.
    pub(crate) name: Option<LitStr>,
    /// Annotations for the subsegments.
    pub(crate) annotations: Vec<(Ident, Expr)>,
    /// Patterns of hosts to which calls are left alone.
    pub(crate) skip_hosts: Vec<LitStr>,
    /// Every call in the table must be of a type that is known.
    pub(crate) strict: bool,
    /// Where the runtime is found.
    pub(crate) runtime: Path,
    /// Names that look like a client's crate and are modules of the user's own.
    pub(crate) local: Vec<Ident>,
}

/// `#[traced(name = "..", err, annotate(..), crate = "..")]`
pub(crate) struct TracedOptions {
    /// Name for the subsegment, in place of the function's.
    pub(crate) name: Option<LitStr>,
    /// Whether an error that is returned is recorded.
    pub(crate) err: bool,
    /// Annotations for the subsegment.
    pub(crate) annotations: Vec<(Ident, Expr)>,
    /// Where the runtime is found.
    pub(crate) runtime: Path,
}

/// `#[xray(skip)]`, `#[xray(trace)]`, `#[xray(name = "..")]`: for the calls in one statement or expression.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) skip: bool,
    pub(crate) trace: bool,
    pub(crate) name: Option<LitStr>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: None,
            annotations: Vec::new(),
            skip_hosts: Vec::new(),
            strict: false,
            runtime: parse_quote!(::xray),
            local: Vec::new(),
        }
    }
}

impl Default for TracedOptions {
    fn default() -> Self {
        Self { name: None, err: false, annotations: Vec::new(), runtime: parse_quote!(::xray) }
    }
}

impl TracedOptions {
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        const KNOWN: &str = "`name = \"..\"`, `err`, `annotate(key = value)`, `crate = \"..\"`";
        let mut options = Self::default();
        for_each_option(arguments, |name, meta| match name {
            "name" => string(meta).map(|value| options.name = Some(value)),
            "crate" => path(meta).map(|value| options.runtime = value),
            "annotate" => list(meta, annotation).map(|annotations| options.annotations = annotations),
            "err" => word(meta).map(|()| options.err = true),
            _ => Err(unknown(meta, KNOWN)),
        })?;
        Ok(options)
    }
}

impl Options {
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        const KNOWN: &str = "`name = \"..\"`, `annotate(key = value)`, `skip_hosts(\"..\")`, `strict`, `crate = \"..\"`, \
            `local(..)`";
        let mut options = Self::default();
        for_each_option(arguments, |name, meta| match name {
            "name" => string(meta).map(|value| options.name = Some(value)),
            "crate" => path(meta).map(|value| options.runtime = value),
            "annotate" => list(meta, annotation).map(|annotations| options.annotations = annotations),
            "skip_hosts" => list(meta, host_pattern).map(|patterns| options.skip_hosts = patterns),
            "strict" => word(meta).map(|()| options.strict = true),
            "local" => list(meta, Ident::parse_any).map(|names| options.local = names),
            _ => Err(unknown(meta, KNOWN)),
        })?;
        Ok(options)
    }
}

impl CallOptions {
    /// Whether the attribute is one of ours.
    pub(crate) fn is_ours(attribute: &Attribute) -> bool {
        attribute.path().is_ident("xray")
    }

    /// These options with those of an attribute further in, which win.
    pub(crate) fn with(&self, attribute: &Attribute) -> Result<Self> {
        let mut options = self.clone();
        let arguments = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            other => {
                let message = "expected `#[xray(skip)]`, `#[xray(trace)]` or `#[xray(name = \"..\")]`";
                return Err(Error::new_spanned(other, message));
            }
        };
        for_each_option(arguments, |name, meta| match name {
            "name" => string(meta).map(|value| options.name = Some(value)),
            "skip" => word(meta).map(|()| options.skip = true),
            "trace" => word(meta).map(|()| options.trace = true),
            _ => Err(unknown(meta, "`skip`, `trace`, `name = \"..\"`")),
        })?;
        Ok(options)
    }
}

/// Reads comma-separated options, each by `read` and at most once. All errors come together.
fn for_each_option(arguments: TokenStream, mut read: impl FnMut(&str, &Meta) -> Result<()>) -> Result<()> {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(arguments)?;
    let mut errors = Errors::default();
    let mut seen = Vec::new();
    for meta in &metas {
        let name = meta.path().to_token_stream().to_string();
        if seen.contains(&name) {
            errors.push(Error::new_spanned(meta.path(), format!("`{name}` stands here twice; keep one")));
        } else if let Err(error) = read(&name, meta) {
            errors.push(error);
        }
        seen.push(name);
    }
    errors.into_result()
}

fn string(meta: &Meta) -> Result<LitStr> {
    match &meta.require_name_value()?.value {
        Expr::Lit(ExprLit { lit: Lit::Str(string), .. }) if !string.value().is_empty() => Ok(string.clone()),
        other => Err(Error::new_spanned(other, "expected a string in quotes that is not empty")),
    }
}

/// An option that stands by itself.
fn word(meta: &Meta) -> Result<()> {
    match meta {
        Meta::Path(_) => Ok(()),
        other => {
            let name = other.path().to_token_stream();
            Err(Error::new_spanned(other, format!("`{name}` takes no value; write `{name}` alone")))
        }
    }
}

/// An option with something in parentheses.
fn list<T>(meta: &Meta, item: fn(ParseStream<'_>) -> Result<T>) -> Result<Vec<T>> {
    let items = meta
        .require_list()?
        .parse_args_with(|input: ParseStream<'_>| Punctuated::<T, Token![,]>::parse_terminated_with(input, item))?;
    if items.is_empty() {
        return Err(Error::new_spanned(meta, "expected something in the parentheses"));
    }
    Ok(items.into_iter().collect())
}

/// `key = value`
fn annotation(input: ParseStream<'_>) -> Result<(Ident, Expr)> {
    let key: Ident = input.call(Ident::parse_any)?;
    if !key.unraw().to_string().is_ascii() {
        return Err(Error::new(key.span(), "the key of an annotation has only ASCII letters, digits and underscores"));
    }
    input.parse::<Token![=]>()?;
    Ok((key, input.parse()?))
}

/// A host, in which `*` stands for any characters and `?` for one.
fn host_pattern(input: ParseStream<'_>) -> Result<LitStr> {
    let pattern: LitStr = input.parse()?;
    let text = pattern.value();
    if text.is_empty() || text.contains(['/', ' ']) || text.contains("://") {
        let message = "expected a host such as \"localhost\" or \"*.example.com\", without scheme or path";
        return Err(Error::new_spanned(pattern, message));
    }
    Ok(pattern)
}

fn path(meta: &Meta) -> Result<Path> {
    let string = string(meta)?;
    string
        .parse_with(Path::parse_mod_style)
        .map_err(|_| Error::new_spanned(string, "expected a path in quotes, such as `crate = \"::my_crate::xray\"`"))
}

fn unknown(meta: &Meta, known: &str) -> Error {
    let name = meta.path().to_token_stream();
    Error::new_spanned(meta.path(), format!("unknown option `{name}`, expected one of: {known}"))
}

/// Errors that are reported together.
#[derive(Default)]
pub(crate) struct Errors {
    combined: Option<Error>,
    count: usize,
}

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        self.count += 1;
        match &mut self.combined {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// What a result holds, or its error for later.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn into_result(self) -> Result<()> {
        self.combined.map_or(Ok(()), Err)
    }
}
