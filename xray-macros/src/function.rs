//! The annotated function: what the attribute may stand on, and what comes out.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Error, ForeignItemFn, Item, ItemFn, Result, Stmt};

use crate::body;
use crate::client_paths;
use crate::options::Options;

/// Expands the attribute. Whatever is wrong, the user's function comes out too, so that an editor and the rest
/// of the program go on with it.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (options, wrong_options) = match Options::parse(arguments) {
        Ok(options) => (options, None),
        Err(error) => (Options::default(), Some(error)),
    };
    let (mut output, wrong_function) = match parse(item.clone()) {
        Ok(mut function) => {
            let result = rewrite(&mut function, &options);
            (function.into_token_stream(), result.err())
        }
        Err(error) => (item, Some(error)),
    };
    let errors = [wrong_options, wrong_function].into_iter().flatten();
    output.extend(errors.map(Error::into_compile_error));
    output
}

fn rewrite(function: &mut ItemFn, options: &Options) -> Result<()> {
    let checks = client_paths::checks(function, options);
    body::rewrite(function, options)?;
    function.block.stmts.splice(0..0, checks.into_iter().map(Stmt::Item));
    Ok(())
}

fn parse(item: TokenStream) -> Result<ItemFn> {
    let function: ItemFn = syn::parse2(item.clone()).map_err(|error| explain(item, error))?;
    match &function.sig.constness {
        Some(constness) => Err(Error::new_spanned(constness, "a `const fn` cannot make HTTP calls; remove `const`")),
        None => Ok(function),
    }
}

/// Says what is wrong with an item that is no function with a body.
fn explain(item: TokenStream, error: Error) -> Error {
    if let Ok(function) = syn::parse2::<ForeignItemFn>(item.clone()) {
        return Error::new_spanned(function.sig, "a function without a body makes no calls; annotate one with a body");
    }
    match syn::parse2::<Item>(item) {
        Ok(Item::Verbatim(_)) | Err(_) => error,
        Ok(item) => {
            Error::new_spanned(item, "expected a function: `#[traced_http]` stands on each `fn` that makes calls")
        }
    }
}
