//! The annotated function: what the attribute may stand on, and what comes out.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Block, Error, ForeignItemFn, ImplItem, Item, ItemFn, ItemImpl, Result, Signature};

use crate::attributes::take_ours;
use crate::body::{self, Found};
use crate::calls;
use crate::client_paths;
use crate::head;
use crate::nesting::take_too_deep;
use crate::options::{CallOptions, Errors, Options};

/// Expands the attribute. Whatever is wrong, the user's function comes out as it was, so that an editor and the
/// rest of the program go on with it.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (item, mut too_deep) = take_too_deep(item);
    let expanded = expand_parsed(arguments, item);
    too_deep.put_back(expanded)
}

fn expand_parsed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = errors.take(Options::parse(arguments)).unwrap_or_default();
    let mut annotated = errors.take(Annotated::parse(item.clone(), &WORDING));
    if let Some(annotated) = &mut annotated {
        errors.take(annotated.rewrite(&options));
    }
    output(item, annotated, errors, &WORDING)
}

/// What an attribute says of the places where it stands.
pub(crate) struct Wording {
    /// Its own name.
    pub(crate) attribute: &'static str,
    /// The attribute that may stand beside it.
    pub(crate) other: &'static str,
    /// On a function that has no body.
    pub(crate) no_body: &'static str,
    /// On what is no function.
    pub(crate) no_function: &'static str,
}

const WORDING: Wording = Wording {
    attribute: "traced_http",
    other: "traced",
    no_body: "a function without a body makes no calls; annotate one with a body",
    no_function: "expected a function: `#[traced_http]` stands on each `fn` that makes calls, or on an `impl`",
};

/// What comes out: what the annotated item became, or the item as it was with the errors.
pub(crate) fn output(
    item: TokenStream,
    annotated: Option<Annotated>,
    errors: Errors,
    wording: &Wording,
) -> TokenStream {
    match errors.into_result() {
        Ok(()) => match annotated {
            Some(Annotated::Function(function)) => function.into_token_stream(),
            Some(Annotated::Impl(implementation)) => implementation.into_token_stream(),
            None => item,
        },
        Err(error) => {
            let mut output = without_ours(item, wording);
            output.extend(error.into_compile_error());
            output
        }
    }
}

/// What the attribute may stand on.
pub(crate) enum Annotated {
    Function(ItemFn),
    Impl(ItemImpl),
}

impl Annotated {
    pub(crate) fn parse(item: TokenStream, wording: &Wording) -> Result<Self> {
        match syn::parse2::<ItemFn>(item.clone()) {
            Ok(function) => Ok(Self::Function(function)),
            Err(error) => syn::parse2(item.clone()).map(Self::Impl).map_err(|_| explain(item, error, wording)),
        }
    }

    /// The functions in it that make calls: of an `impl` block those that have neither this attribute themselves nor
    /// `#[xray(skip)]`, and are no `const fn`.
    fn rewrite(&mut self, options: &Options) -> Result<()> {
        let (found, named) = match self {
            Self::Function(function) => {
                if let Some(constness) = &function.sig.constness {
                    let message = "a `const fn` cannot make HTTP calls; remove `const`";
                    return Err(Error::new_spanned(constness, message));
                }
                (rewrite(&function.sig, &mut function.block, options)?, function.sig.ident.to_token_stream())
            }
            Self::Impl(implementation) => {
                (rewrite_methods(implementation, options)?, implementation.impl_token.to_token_stream())
            }
        };
        if found.has_candidate || found.has_unknown_macro {
            return Ok(());
        }
        let message = format!(
            "no HTTP call in here: looked for {}, and not inside macros; annotate the function that calls",
            calls::EXAMPLES
        );
        Err(Error::new_spanned(named, message))
    }
}

fn rewrite_methods(implementation: &mut ItemImpl, options: &Options) -> Result<Found> {
    let mut errors = Errors::default();
    let mut all = Found { has_candidate: false, has_unknown_macro: false };
    let is_needed_again = implementation.attrs.iter().any(|attribute| is_attribute(attribute, WORDING.other));
    for item in &mut implementation.items {
        let ImplItem::Fn(method) = item else { continue };
        let is_skipped = errors.take(is_skipped(&mut method.attrs, &WORDING, is_needed_again)).unwrap_or(true);
        let has_own = method.attrs.iter().any(|attribute| is_attribute(attribute, WORDING.attribute));
        if is_skipped || has_own || method.sig.constness.is_some() {
            continue;
        }
        if let Some(found) = errors.take(rewrite(&method.sig, &mut method.block, options)) {
            all.has_candidate |= found.has_candidate;
            all.has_unknown_macro |= found.has_unknown_macro;
        }
    }
    errors.into_result().map(|()| all)
}

/// Whether a method of an `impl` block is to be left alone, by a `#[xray(skip)]` on it, which is taken off unless
/// the block's other attribute needs it.
pub(crate) fn is_skipped(attributes: &mut Vec<Attribute>, wording: &Wording, is_needed_again: bool) -> Result<bool> {
    let mut options = CallOptions::default();
    for attribute in take_ours(attributes) {
        options = options.with(&attribute)?;
        if options.trace || options.name.is_some() {
            let message = format!(
                "on a method of an annotated `impl` only `#[xray(skip)]` stands; put `#[{}(..)]` on the method for \
                 options of its own",
                wording.attribute
            );
            return Err(Error::new_spanned(attribute, message));
        }
        if is_needed_again {
            attributes.push(attribute);
        }
    }
    Ok(options.skip)
}

/// Whether this is one of the crate's attributes, by its last name.
pub(crate) fn is_attribute(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == name)
}

fn rewrite(signature: &Signature, block: &mut Block, options: &Options) -> Result<Found> {
    let checks = client_paths::checks(signature, block, options);
    let found = body::rewrite(signature, block, options)?;
    let declarations = head::declarations(signature, options, &checks, found.has_candidate);
    block.stmts.splice(0..0, declarations);
    Ok(found)
}

/// The item without `#[xray(..)]`, which the compiler would not know; an attribute that is yet to expand does.
fn without_ours(item: TokenStream, wording: &Wording) -> TokenStream {
    struct WithoutOurs;
    impl VisitMut for WithoutOurs {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
            take_ours(attributes);
        }
    }
    let Ok(mut item) = syn::parse2::<Item>(item.clone()) else { return item };
    let attributes = match &item {
        Item::Fn(function) => &function.attrs[..],
        Item::Impl(implementation) => &implementation.attrs,
        _ => &[],
    };
    if !attributes.iter().any(|attribute| is_attribute(attribute, wording.other)) {
        WithoutOurs.visit_item_mut(&mut item);
    }
    item.into_token_stream()
}

/// Says what is wrong with an item that is no function with a body.
fn explain(item: TokenStream, error: Error, wording: &Wording) -> Error {
    if let Ok(function) = syn::parse2::<ForeignItemFn>(item.clone()) {
        return Error::new_spanned(function.sig, wording.no_body);
    }
    match syn::parse2::<Item>(item) {
        Ok(Item::Verbatim(_)) | Err(_) => error,
        Ok(other) => Error::new(keyword(&other), wording.no_function),
    }
}

/// Where it says what an item is: its first word after attributes and visibility.
fn keyword(item: &Item) -> Span {
    let words = item.to_token_stream().into_iter().filter(|token| matches!(token, TokenTree::Ident(_)));
    words.skip_while(|word| word.to_string() == "pub").map(|word| word.span()).next().unwrap_or_else(Span::call_site)
}
