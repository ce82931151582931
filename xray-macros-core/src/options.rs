//! Parses the arguments of the attributes, and of `#[xray(..)]` inside an annotated function.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, Path, Result, Token, parse_quote};

/// The options of both attributes.
pub(crate) struct CommonOptions {
    /// The name of the subsegments. The default is the host for a call, and the function's name for a function.
    pub(crate) name: Option<LitStr>,
    /// The annotations of the subsegments.
    pub(crate) annotations: Vec<(Ident, Expr)>,
    /// The path of the runtime crate, whose `__private` module the expansion uses.
    pub(crate) runtime: Path,
}

/// `#[traced_http(name = "..", annotate(..), skip_hosts(..), strict, crate = "..", local(..))]`
#[derive(Default)]
pub(crate) struct TracedHttpOptions {
    pub(crate) common: CommonOptions,
    /// Patterns of the hosts whose calls are not traced.
    pub(crate) skip_hosts: Vec<LitStr>,
    /// `true` if a candidate whose type is not traceable is an error.
    pub(crate) strict: bool,
    /// Names of the user's own modules that are also the name of a client's crate.
    pub(crate) local: Vec<Ident>,
    /// `true` if the runtime traces requests of the AWS SDK.
    pub(crate) traces_aws_sdk: bool,
}

/// `#[traced(name = "..", err, annotate(..), crate = "..")]`
#[derive(Default)]
pub(crate) struct TracedOptions {
    pub(crate) common: CommonOptions,
    /// `true` if an error that the function returns is recorded.
    pub(crate) err: bool,
}

/// `#[xray(skip)]`, `#[xray(trace)]`, `#[xray(name = "..")]`: for the calls in one statement or expression.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) skip: bool,
    pub(crate) trace: bool,
    pub(crate) name: Option<LitStr>,
}

impl Default for CommonOptions {
    fn default() -> Self {
        Self { name: None, annotations: Vec::new(), runtime: parse_quote!(::xray) }
    }
}

impl CommonOptions {
    /// Reads an option of both attributes. Returns `None` for any other option.
    fn read(&mut self, name: &str, meta: &Meta) -> Option<Result<()>> {
        match name {
            "name" => Some(string(meta).map(|value| self.name = Some(value))),
            "crate" => Some(path(meta).map(|value| self.runtime = value)),
            "annotate" => Some(list(meta, annotation).map(|annotations| self.annotations = annotations)),
            _ => None,
        }
    }
}

impl TracedHttpOptions {
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        const KNOWN: &str = "`name = \"..\"`, `annotate(key = value)`, `skip_hosts(\"..\")`, `strict`, `crate = \"..\"`, \
            `local(..)`";
        let mut options = Self::default();
        for_each_option(arguments, |name, meta| match (options.common.read(name, meta), name) {
            (Some(read), _) => read,
            (None, "skip_hosts") => list(meta, host_pattern).map(|patterns| options.skip_hosts = patterns),
            (None, "strict") => word(meta).map(|()| options.strict = true),
            (None, "local") => list(meta, Ident::parse_any).map(|names| options.local = names),
            (None, _) => Err(unknown(meta, KNOWN)),
        })?;
        Ok(options)
    }
}

impl TracedOptions {
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        const KNOWN: &str = "`name = \"..\"`, `err`, `annotate(key = value)`, `crate = \"..\"`";
        let mut options = Self::default();
        for_each_option(arguments, |name, meta| match (options.common.read(name, meta), name) {
            (Some(read), _) => read,
            (None, "err") => word(meta).map(|()| options.err = true),
            (None, _) => Err(unknown(meta, KNOWN)),
        })?;
        Ok(options)
    }
}

impl CallOptions {
    /// Returns whether an attribute is `#[xray(..)]` or `#[cfg_attr(condition, xray(..))]`.
    pub(crate) fn is_xray(attribute: &Attribute) -> bool {
        attribute.path().is_ident("xray") || conditional_xray(attribute).is_some()
    }

    /// Returns whether attributes contain `#[xray(skip)]`.
    pub(crate) fn skips(attributes: &[Attribute]) -> bool {
        let mut xray = attributes.iter().filter(|attribute| Self::is_xray(attribute));
        xray.any(|attribute| Self::default().overridden_by(attribute).is_ok_and(|options| options.skip))
    }

    /// Returns these options, overridden by those of an attribute on an inner expression.
    pub(crate) fn overridden_by(&self, attribute: &Attribute) -> Result<Self> {
        let mut options = self.clone();
        let arguments = match conditional_xray(attribute).as_ref().unwrap_or(&attribute.meta) {
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

/// Returns the `xray(..)` of `#[cfg_attr(condition, xray(..))]`.
//
// A macro cannot evaluate the condition, and assumes that it is true. Below `#[cfg_attr(feature = "x-ray",
// traced_http)]` the condition is true whenever the attribute runs.
fn conditional_xray(attribute: &Attribute) -> Option<Meta> {
    let list = attribute.meta.require_list().ok().filter(|list| list.path.is_ident("cfg_attr"))?;
    let mut metas = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?.into_iter();
    let (_condition, xray, end) = (metas.next(), metas.next(), metas.next());
    xray.filter(|xray| xray.path().is_ident("xray") && end.is_none())
}

/// Reads comma-separated options with `read`. Each option may appear once. Reports all errors together.
fn for_each_option(arguments: TokenStream, mut read: impl FnMut(&str, &Meta) -> Result<()>) -> Result<()> {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(arguments)?;
    let mut errors = Errors::default();
    let mut seen = Vec::new();
    for meta in &metas {
        let name = meta.path().to_token_stream().to_string();
        if seen.contains(&name) {
            errors.push(Error::new_spanned(meta.path(), format!("duplicate option `{name}`; keep one")));
        } else if let Err(error) = read(&name, meta) {
            errors.push(error);
        }
        seen.push(name);
    }
    errors.into_result()
}

/// Reads `name = "string"`.
fn string(meta: &Meta) -> Result<LitStr> {
    match &meta.require_name_value()?.value {
        Expr::Lit(ExprLit { lit: Lit::Str(string), .. }) if !string.value().is_empty() => Ok(string.clone()),
        other => Err(Error::new_spanned(other, "expected a non-empty string in quotes")),
    }
}

/// Reads `name`, an option without a value.
fn word(meta: &Meta) -> Result<()> {
    match meta {
        Meta::Path(_) => Ok(()),
        other => {
            let name = other.path().to_token_stream();
            Err(Error::new_spanned(other, format!("`{name}` takes no value; write `{name}` alone")))
        }
    }
}

/// Reads `name(item, item)`.
fn list<T>(meta: &Meta, item: fn(ParseStream<'_>) -> Result<T>) -> Result<Vec<T>> {
    let items = meta
        .require_list()?
        .parse_args_with(|input: ParseStream<'_>| Punctuated::<T, Token![,]>::parse_terminated_with(input, item))?;
    if items.is_empty() {
        return Err(Error::new_spanned(meta, "expected at least one item in the parentheses"));
    }
    Ok(items.into_iter().collect())
}

/// Reads `key = value`.
fn annotation(input: ParseStream<'_>) -> Result<(Ident, Expr)> {
    let key: Ident = input.call(Ident::parse_any)?;
    // Rust allows a name such as `größe`. X-Ray does not allow it as the key of an annotation.
    if !key.unraw().to_string().is_ascii() {
        return Err(Error::new(
            key.span(),
            "the key of an annotation may contain only ASCII letters, digits and underscores",
        ));
    }
    input.parse::<Token![=]>()?;
    Ok((key, input.parse()?))
}

/// Reads the pattern of a host, in which `*` matches any characters and `?` matches one.
fn host_pattern(input: ParseStream<'_>) -> Result<LitStr> {
    let pattern: LitStr = input.parse()?;
    let text = pattern.value();
    // A pattern that is a URL would never match a host, so reject it.
    if text.is_empty() || text.contains(['/', ' ']) {
        let message = "expected a host such as \"localhost\" or \"*.example.com\", without scheme or path";
        return Err(Error::new_spanned(pattern, message));
    }
    Ok(pattern)
}

/// Reads `name = "some::path"`.
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

/// Collects errors, so that the compiler reports all of them at once.
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

    /// Returns the value of a result, or stores its error and returns `None`.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns all errors combined into one.
    pub(crate) fn into_result(self) -> Result<()> {
        self.combined.map_or(Ok(()), Err)
    }
}
