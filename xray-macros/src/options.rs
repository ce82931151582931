//! The arguments of the attribute, and of `#[xray(..)]` inside an annotated function.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, Path, Result, Token, parse_quote};

/// `#[traced_http(name = "..", crate = "..", local(..))]`
pub(crate) struct Options {
    /// Name for the subsegments, in place of the host's.
    pub(crate) name: Option<LitStr>,
    /// Where the runtime is found.
    pub(crate) runtime: Path,
    /// Names that look like a client's crate and are modules of the user's own.
    pub(crate) local: Vec<Ident>,
}

/// `#[xray(skip)]`, `#[xray(name = "..")]`: for the calls in one statement or expression.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) skip: bool,
    pub(crate) name: Option<LitStr>,
}

impl Default for Options {
    fn default() -> Self {
        Self { name: None, runtime: parse_quote!(::xray), local: Vec::new() }
    }
}

impl Options {
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        for_each_option(arguments, |name, meta| match name {
            "name" => string(meta).map(|value| options.name = Some(value)),
            "crate" => path(meta).map(|value| options.runtime = value),
            "local" => {
                let list = meta.require_list()?;
                let names = list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
                options.local.extend(names);
                Ok(())
            }
            _ => Err(unknown(meta, "`name = \"..\"`, `crate = \"..\"`, `local(..)`")),
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
            other => return Err(Error::new_spanned(other, "expected `#[xray(skip)]` or `#[xray(name = \"..\")]`")),
        };
        for_each_option(arguments, |name, meta| match name {
            "name" => string(meta).map(|value| options.name = Some(value)),
            "skip" if matches!(meta, Meta::Path(_)) => {
                options.skip = true;
                Ok(())
            }
            "skip" => Err(Error::new_spanned(meta, "`skip` takes no value; write `#[xray(skip)]`")),
            _ => Err(unknown(meta, "`skip`, `name = \"..\"`")),
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
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// What a result holds, or its error for later.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn into_result(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
