//! The annotated function: what the attribute may stand on, and what comes out.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Error, ForeignItemFn, Item, ItemFn, Result, Stmt};

use crate::attributes::take_ours;
use crate::body;
use crate::client_paths;
use crate::options::{Errors, Options};

/// Expands the attribute. Whatever is wrong, the user's function comes out as it was, so that an editor and the
/// rest of the program go on with it.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = errors.take(Options::parse(arguments)).unwrap_or_default();
    let function = errors.take(parse(item.clone()).and_then(|function| rewrite(function, &options)));
    match errors.into_result() {
        Ok(()) => function.into_token_stream(),
        Err(error) => {
            let mut output = without_ours(item);
            output.extend(error.into_compile_error());
            output
        }
    }
}

fn rewrite(mut function: ItemFn, options: &Options) -> Result<ItemFn> {
    let checks = client_paths::checks(&function, options);
    body::rewrite(&mut function, options)?;
    function.block.stmts.splice(0..0, checks.into_iter().map(Stmt::Item));
    Ok(function)
}

fn parse(item: TokenStream) -> Result<ItemFn> {
    let function: ItemFn = syn::parse2(item.clone()).map_err(|error| explain(item, error))?;
    match &function.sig.constness {
        Some(constness) => Err(Error::new_spanned(constness, "a `const fn` cannot make HTTP calls; remove `const`")),
        None => Ok(function),
    }
}

/// The item without `#[xray(..)]`, which the compiler would not know.
fn without_ours(item: TokenStream) -> TokenStream {
    struct WithoutOurs;
    impl VisitMut for WithoutOurs {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
            take_ours(attributes);
        }
    }
    let Ok(mut function) = syn::parse2::<ItemFn>(item.clone()) else { return item };
    WithoutOurs.visit_item_fn_mut(&mut function);
    function.into_token_stream()
}

/// Says what is wrong with an item that is no function with a body.
fn explain(item: TokenStream, error: Error) -> Error {
    if let Ok(function) = syn::parse2::<ForeignItemFn>(item.clone()) {
        return Error::new_spanned(function.sig, "a function without a body makes no calls; annotate one with a body");
    }
    match syn::parse2::<Item>(item) {
        Ok(Item::Verbatim(_)) | Err(_) => error,
        Ok(other) => {
            let message = "expected a function: `#[traced_http]` stands on each `fn` that makes calls";
            Error::new(keyword(&other), message)
        }
    }
}

/// Where it says what an item is: its first word after attributes and visibility.
fn keyword(item: &Item) -> Span {
    let words = item.to_token_stream().into_iter().filter(|token| matches!(token, TokenTree::Ident(_)));
    words.skip_while(|word| word.to_string() == "pub").map(|word| word.span()).next().unwrap_or_else(Span::call_site)
}
