//! The driver of both attributes: reads the options and the item, applies the attribute to one function or to the
//! functions of an `impl` block, and reports every error at once.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::VisitMut;
use syn::{Block, Error, ForeignItemFn, ImplItem, Item, ItemFn, ItemImpl, Result, Signature};

use crate::attributes::take_ours;
use crate::nesting::take_too_deep;
use crate::options::{CallOptions, Errors};

/// An attribute with its options: `#[traced_http(..)]` or `#[traced(..)]`.
pub(crate) trait Attribute: Default {
    /// The error messages of the attribute.
    const WORDING: Wording;

    /// Whether the attribute accepts an `impl` block in which it changes no function, because each one has
    /// `#[xray(skip)]` or its own attribute, or is a `const fn`.
    const ACCEPTS_ONLY_SKIPPED: bool;

    /// Returns the error for an item that contains nothing to trace.
    fn nothing_to_trace() -> String;

    /// Parses the arguments of the attribute.
    fn parse(arguments: TokenStream) -> Result<Self>;

    /// Applies the attribute to one function. Returns whether the function contains anything to trace.
    fn apply(&self, signature: &Signature, block: &mut Block, owner: Owner) -> Result<bool>;
}

/// The item that an attribute is written on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Owner {
    /// The function itself.
    Function,
    /// The `impl` block around the function.
    Impl,
}

/// The names and error messages of an attribute.
pub(crate) struct Wording {
    /// The attribute's own name.
    pub(crate) attribute: &'static str,
    /// The name of the crate's other attribute, which may be on the same item.
    pub(crate) other: &'static str,
    /// The error for a function without a body.
    pub(crate) no_body: &'static str,
    /// The error for an item that is neither a function nor an `impl` block.
    pub(crate) no_function: &'static str,
    /// The error for a `const fn`.
    pub(crate) const_fn: &'static str,
}

/// Expands an attribute.
///
/// If there are errors, the output is the user's item, unchanged, and the errors. Without the item, an editor would also
/// report every use of the function as an error, and would not complete code inside it.
pub(crate) fn expand<A: Attribute>(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (item, mut too_deep) = take_too_deep(item);
    let mut errors = Errors::default();
    let attribute: A = errors.take(A::parse(arguments)).unwrap_or_default();
    let mut annotated = errors.take(Annotated::parse(item.clone(), &A::WORDING));
    if let Some(annotated) = &mut annotated {
        errors.take(annotated.apply(&attribute));
    }
    too_deep.put_back(output(item, annotated, errors, &A::WORDING))
}

/// Returns the rewritten item, or the original item and the errors.
fn output(item: TokenStream, annotated: Option<Annotated>, errors: Errors, wording: &Wording) -> TokenStream {
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

/// An item that the attributes accept.
enum Annotated {
    Function(ItemFn),
    Impl(ItemImpl),
}

impl Annotated {
    fn parse(item: TokenStream, wording: &Wording) -> Result<Self> {
        match syn::parse2::<ItemFn>(item.clone()) {
            Ok(function) => Ok(Self::Function(function)),
            Err(error) => syn::parse2(item.clone()).map(Self::Impl).map_err(|_| explain(item, error, wording)),
        }
    }

    fn apply<A: Attribute>(&mut self, attribute: &A) -> Result<()> {
        let (has_anything, named) = match self {
            Self::Function(function) => {
                if let Some(constness) = &function.sig.constness {
                    return Err(Error::new_spanned(constness, A::WORDING.const_fn));
                }
                let has_anything = attribute.apply(&function.sig, &mut function.block, Owner::Function)?;
                (has_anything, function.sig.ident.to_token_stream())
            }
            Self::Impl(implementation) => {
                (apply_to_methods(attribute, implementation)?, implementation.impl_token.to_token_stream())
            }
        };
        if has_anything { Ok(()) } else { Err(Error::new_spanned(named, A::nothing_to_trace())) }
    }
}

/// Applies an attribute to the functions of an `impl` block. It does not change functions that have the attribute
/// themselves, because their own options apply; functions with `#[xray(skip)]`; and `const fn`s, because they may run in
/// the compiler. Returns whether the block contains anything to trace.
fn apply_to_methods<A: Attribute>(attribute: &A, implementation: &mut ItemImpl) -> Result<bool> {
    let mut errors = Errors::default();
    let mut has_anything = false;
    let is_needed_again = implementation.attrs.iter().any(|other| is_attribute(other, A::WORDING.other));
    for item in &mut implementation.items {
        let ImplItem::Fn(method) = item else { continue };
        has_anything |= A::ACCEPTS_ONLY_SKIPPED;
        let is_skipped = errors.take(take_skip(&mut method.attrs, &A::WORDING, is_needed_again)).unwrap_or(true);
        let has_own = method.attrs.iter().any(|own| is_attribute(own, A::WORDING.attribute));
        if is_skipped || has_own || method.sig.constness.is_some() {
            continue;
        }
        let applied = attribute.apply(&method.sig, &mut method.block, Owner::Impl);
        has_anything |= errors.take(applied).unwrap_or_default();
    }
    errors.into_result().map(|()| has_anything)
}

/// Returns whether a method of an `impl` block has `#[xray(skip)]`, and removes it.
///
/// `#[xray(skip)]` applies to both attributes of this crate. If the block has the other one too, which expands later, the
/// method keeps it: `tests.rs::options_that_the_other_attribute_needs_are_kept_for_it`.
fn take_skip(attributes: &mut Vec<syn::Attribute>, wording: &Wording, is_needed_again: bool) -> Result<bool> {
    let mut options = CallOptions::default();
    for attribute in take_ours(attributes) {
        options = options.with(&attribute)?;
        if options.trace || options.name.is_some() {
            let message = format!(
                "a method of an annotated `impl` accepts only `#[xray(skip)]`; for other options, put `#[{}(..)]` on \
                 the method",
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

/// Returns whether an attribute is the one with this name. Only the last segment of its path is compared: users write
/// `#[xray::traced]`, `#[traced]` after a `use`, or a path through their own crate.
fn is_attribute(attribute: &syn::Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == name)
}

/// Returns the item without the `#[xray(..)]` attributes inside it.
///
/// The compiler has no attribute `xray`. If one were left, the compiler would report "cannot find attribute" in addition
/// to the actual error. If the item also has the crate's other attribute, which expands later, they are kept for it.
fn without_ours(item: TokenStream, wording: &Wording) -> TokenStream {
    struct WithoutOurs;
    impl VisitMut for WithoutOurs {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
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

/// Returns the error for an item that is neither a function with a body nor an `impl` block.
fn explain(item: TokenStream, error: Error, wording: &Wording) -> Error {
    // syn parses `fn f();`, a function of a trait without a body, as an item of an `extern` block.
    if let Ok(function) = syn::parse2::<ForeignItemFn>(item.clone()) {
        return Error::new_spanned(function.sig, wording.no_body);
    }
    match syn::parse2::<Item>(item) {
        // Incomplete code, as in an editor: syn's own error has the position.
        Ok(Item::Verbatim(_)) | Err(_) => error,
        Ok(other) => Error::new(keyword(&other), wording.no_function),
    }
}

/// Returns the span of an item's keyword, such as `struct`: the first word after attributes and visibility.
fn keyword(item: &Item) -> Span {
    let words = item.to_token_stream().into_iter().filter(|token| matches!(token, TokenTree::Ident(_)));
    words.skip_while(|word| word.to_string() == "pub").map(|word| word.span()).next().unwrap_or_else(Span::call_site)
}
