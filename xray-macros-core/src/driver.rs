//! The driver of both attributes: reads the options and the item, applies the attribute to one function or to the
//! functions of an `impl` block or a module, and reports every error at once.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Error, ForeignItemFn, ImplItem, ImplItemFn, Item, ItemFn, ItemImpl, ItemMod, ItemTrait, Result, Signature,
    TraitItem,
};

use crate::attributes::take_xray;
use crate::invisible_groups::{self, Parenthesize, unwrap_blocks};
use crate::nesting::take_too_deep;
use crate::options::{CallOptions, Errors};

/// An attribute with its options: `#[traced_http(..)]` or `#[traced(..)]`.
pub(crate) trait AttributeMacro: Default {
    /// The error messages of the attribute.
    const MESSAGES: Messages;

    /// `true` if the attribute accepts an `impl` block or a module in which it changes no function, because each one
    /// has `#[xray(skip)]` or its own attribute, or is a `const fn`.
    const ACCEPTS_UNCHANGED_CONTAINERS: bool;

    /// Returns the error for an item that contains nothing to trace.
    fn nothing_to_trace(searched: Searched) -> String;

    /// Returns what the error for an item with nothing to trace says about the code of one of its functions.
    fn advice(_block: &Block) -> Option<&'static str> {
        None
    }

    /// Parses the arguments of the attribute.
    fn parse(arguments: TokenStream) -> Result<Self>;

    /// Returns whether the attribute has been applied to a function already.
    fn is_applied(block: &Block) -> bool;

    /// Applies the attribute to one function. `attributes` are the attributes below this one. Returns whether the
    /// function contains anything to trace.
    fn apply(
        &self,
        signature: &Signature,
        block: &mut Block,
        owner: Owner,
        attributes: &[syn::Attribute],
    ) -> Result<bool>;

    /// Returns an error if an option has no effect on a function of an annotated `impl` block or module. It is reported
    /// if there is one for every function.
    fn useless_option(&self, _member: &Signature) -> Option<&'static str> {
        None
    }
}

/// The item that an attribute is written on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Owner {
    /// The function itself.
    Function,
    /// An `impl` block or a module around the function.
    Container,
}

/// The functions of an item that the attribute searched for calls to trace.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Searched {
    /// Every function of the item.
    All,
    /// The functions of an `impl` block or a module, except for functions with `#[xray(skip)]` or their own attribute.
    Remaining,
    /// A function that another attribute has written, and that has a copy of this attribute.
    Generated,
}

/// The names and error messages of an attribute.
pub(crate) struct Messages {
    /// The attribute's own name.
    pub(crate) attribute: &'static str,
    /// The name of the crate's other attribute, which may be on the same item.
    pub(crate) other: &'static str,
    /// The error for a function without a body.
    pub(crate) no_body: &'static str,
    /// The error for an item that is neither a function nor an `impl` block nor a module.
    pub(crate) no_function: &'static str,
    /// The error for a `const fn`.
    pub(crate) const_fn: &'static str,
}

/// Expands an attribute.
///
/// If there are errors, the output is the user's item, unchanged, and the errors. Without the item, an editor would
/// also report every use of the function as an error, and would not complete code inside it.
pub(crate) fn expand<A: AttributeMacro>(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand_with(arguments, item, |attribute: A| attribute)
}

/// Expands an attribute whose options depend on more than its arguments: `complete` adds to them.
pub(crate) fn expand_with<A: AttributeMacro>(
    arguments: TokenStream,
    item: TokenStream,
    complete: impl FnOnce(A) -> A,
) -> TokenStream {
    let (item, mut too_deep) = take_too_deep(item);
    let has_invisible_groups = invisible_groups::are_in(&item);
    let item = if has_invisible_groups { unwrap_blocks(item) } else { item };
    let mut errors = Errors::default();
    let attribute = complete(errors.take(A::parse(arguments)).unwrap_or_default());
    let mut annotated = errors.take(Annotated::parse(item.clone(), &A::MESSAGES));
    if let Some(annotated) = &mut annotated {
        if has_invisible_groups {
            annotated.parenthesize();
        }
        errors.take(annotated.apply(&attribute));
    }
    too_deep.put_back(output(item, annotated, errors, &A::MESSAGES))
}

/// Returns the rewritten item, or the original item and the errors.
fn output(item: TokenStream, annotated: Option<Annotated>, errors: Errors, messages: &Messages) -> TokenStream {
    match errors.into_result() {
        Ok(()) => match annotated {
            Some(Annotated::Function(function)) => function.into_token_stream(),
            Some(Annotated::Impl(implementation)) => implementation.into_token_stream(),
            Some(Annotated::Module(module)) => module.into_token_stream(),
            None => item,
        },
        Err(error) => {
            let mut output = without_xray(item, messages);
            output.extend(error.into_compile_error());
            output
        }
    }
}

/// An item that the attributes accept.
enum Annotated {
    Function(ItemFn),
    Impl(ItemImpl),
    Module(ItemMod),
}

impl Annotated {
    fn parse(item: TokenStream, messages: &Messages) -> Result<Self> {
        let error = match syn::parse2(item.clone()) {
            Ok(function) => return Ok(Self::Function(function)),
            Err(error) => error,
        };
        let implementation = syn::parse2(item.clone()).map(Self::Impl);
        implementation
            .or_else(|_| syn::parse2(item.clone()).map(Self::Module))
            .map_err(|_| error_for_item(item, error, messages))
    }

    /// Replaces the invisible groups with parentheses.
    fn parenthesize(&mut self) {
        match self {
            Self::Function(function) => Parenthesize.visit_item_fn_mut(function),
            Self::Impl(implementation) => Parenthesize.visit_item_impl_mut(implementation),
            Self::Module(module) => Parenthesize.visit_item_mod_mut(module),
        }
    }

    fn apply<A: AttributeMacro>(&mut self, attribute: &A) -> Result<()> {
        let attributes = match self {
            Self::Function(function) => &function.attrs,
            Self::Impl(implementation) => &implementation.attrs,
            Self::Module(module) => &module.attrs,
        };
        if let Some(second) = attributes.iter().find(|other| is_attribute(other, A::MESSAGES.attribute)) {
            return Err(Error::new_spanned(second, applied_twice(&A::MESSAGES)));
        }
        let other_attribute_follows = attributes.iter().any(|other| is_attribute(other, A::MESSAGES.other));
        let mut members = Members::new(attribute, other_attribute_follows);
        let named = match self {
            Self::Function(function) => {
                if let Some(constness) = &function.sig.constness {
                    return Err(Error::new_spanned(constness, A::MESSAGES.const_fn));
                }
                members.apply(&function.sig, &mut function.block, Owner::Function, &function.attrs);
                members.has_anything |= is_generated(&function.sig);
                if !has_written_braces(&function.block) {
                    members.searched = Searched::Generated;
                }
                function.sig.ident.to_token_stream()
            }
            Self::Impl(implementation) => {
                members.visit_item_impl_mut(implementation);
                implementation.impl_token.to_token_stream()
            }
            Self::Module(module) => {
                members.visit_item_mod_mut(module);
                module.ident.to_token_stream()
            }
        };
        members.finish(&named)
    }
}

/// Returns whether a function is generated by another attribute, which has copied this attribute onto it.
///
/// `#[wasm_bindgen]` above this attribute copies the attribute onto a function that only calls the user's function.
/// `tests.rs::functions_of_other_attributes_are_accepted`
fn is_generated(signature: &Signature) -> bool {
    signature.ident.to_string().starts_with("__")
}

/// Returns whether the braces around a body are in the source. The tokens that an attribute generates have the position
/// of the attribute: the text there is `#[cached]`.
fn has_written_braces(block: &Block) -> bool {
    block.brace_token.span.open().source_text().is_none_or(|text| text == "{")
}

/// Applies an attribute to the functions of an `impl` block or of a module, with its traits and inner modules.
///
/// It does not change items that have the attribute themselves, because their own options apply; items with
/// `#[xray(skip)]`; and `const fn`s, because they may run in the compiler.
struct Members<'a, A> {
    attribute: &'a A,
    /// `true` if an outer item also has the crate's other attribute, which expands later.
    other_attribute_follows: bool,
    searched: Searched,
    /// For each function of an item to which the attribute was applied, the error about a useless option.
    useless_options: Vec<Option<&'static str>>,
    has_anything: bool,
    /// The first advice about a function with nothing to trace.
    advice: Option<&'static str>,
    errors: Errors,
}

impl<'a, A: AttributeMacro> Members<'a, A> {
    fn new(attribute: &'a A, other_attribute_follows: bool) -> Self {
        Self {
            attribute,
            other_attribute_follows,
            searched: Searched::All,
            useless_options: Vec::new(),
            has_anything: false,
            advice: None,
            errors: Errors::default(),
        }
    }

    fn apply(&mut self, signature: &Signature, block: &mut Block, owner: Owner, attributes: &[syn::Attribute]) {
        let applied = if A::is_applied(block) {
            Err(Error::new_spanned(&signature.ident, applied_twice(&A::MESSAGES)))
        } else {
            self.attribute.apply(signature, block, owner, attributes)
        };
        self.has_anything |= self.errors.take(applied).unwrap_or_default();
        if !self.has_anything {
            self.advice = self.advice.or_else(|| A::advice(block));
        }
    }

    /// Applies the attribute to a function that is a part of an item.
    fn apply_to_member(&mut self, attributes: &mut Vec<syn::Attribute>, signature: &Signature, block: &mut Block) {
        self.has_anything |= A::ACCEPTS_UNCHANGED_CONTAINERS;
        if !self.take_exclusion(attributes) && signature.constness.is_none() {
            self.useless_options.push(self.attribute.useless_option(signature));
            self.apply(signature, block, Owner::Container, attributes);
        }
    }

    /// Applies the attribute to an item that is a part of a module.
    fn apply_to_item(&mut self, item: &mut Item) {
        let attributes = match item {
            Item::Fn(ItemFn { attrs, sig, block, .. }) => return self.apply_to_member(attrs, sig, block),
            Item::Impl(implementation) => &mut implementation.attrs,
            Item::Trait(declared) => &mut declared.attrs,
            Item::Mod(module) => &mut module.attrs,
            _ => return,
        };
        let other_attribute_follows = self.other_attribute_follows;
        self.other_attribute_follows |= attributes.iter().any(|other| is_attribute(other, A::MESSAGES.other));
        if !self.take_exclusion(attributes) {
            self.visit_item_mut(item);
        }
        self.other_attribute_follows = other_attribute_follows;
    }

    /// Returns whether an item is excluded, because it has `#[xray(skip)]` or the attribute itself. Removes
    /// `#[xray(skip)]`, reports an error about it, and records in `searched` that not every function is searched.
    fn take_exclusion(&mut self, attributes: &mut Vec<syn::Attribute>) -> bool {
        let skip = take_skip(attributes, &A::MESSAGES, self.other_attribute_follows);
        let is_skipped = self.errors.take(skip).unwrap_or(true);
        let is_excluded = is_skipped || attributes.iter().any(|own| is_attribute(own, A::MESSAGES.attribute));
        if is_excluded {
            self.searched = Searched::Remaining;
        }
        is_excluded
    }

    /// Returns the errors, which are about the item with this name.
    fn finish(mut self, named: &TokenStream) -> Result<()> {
        if self.errors.count() == 0 && !self.has_anything {
            let message = A::nothing_to_trace(self.searched) + self.advice.unwrap_or_default();
            self.errors.push(Error::new_spanned(named, message));
        }
        if let Some(Some(message)) = self.useless_options.iter().copied().reduce(Option::and) {
            self.errors.push(Error::new_spanned(named, message));
        }
        self.errors.into_result()
    }
}

impl<A: AttributeMacro> VisitMut for Members<'_, A> {
    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        let Some((_, items)) = &mut module.content else {
            let message = format!(
                "the attribute cannot read the file of the module `{}`; put `#[{}]` on the functions in that file",
                module.ident,
                A::MESSAGES.attribute
            );
            return self.errors.push(Error::new_spanned(module, message));
        };
        for item in items {
            self.apply_to_item(item);
        }
    }

    fn visit_item_impl_mut(&mut self, implementation: &mut ItemImpl) {
        for item in &mut implementation.items {
            let ImplItem::Fn(ImplItemFn { attrs, sig, block, .. }) = item else { continue };
            self.apply_to_member(attrs, sig, block);
        }
    }

    fn visit_item_trait_mut(&mut self, declared: &mut ItemTrait) {
        for item in &mut declared.items {
            let TraitItem::Fn(method) = item else { continue };
            if let Some(block) = &mut method.default {
                self.apply_to_member(&mut method.attrs, &method.sig, block);
            }
        }
    }
}

fn applied_twice(messages: &Messages) -> String {
    format!("`#[{}]` applies to this item twice; remove one of the attributes", messages.attribute)
}

/// Returns whether a part of an annotated item has `#[xray(skip)]`, and removes it.
///
/// `#[xray(skip)]` applies to both attributes of this crate. If the item has the other one too, which expands later,
/// the part keeps it: `tests.rs::options_that_the_other_attribute_needs_are_kept_for_it`.
fn take_skip(attributes: &mut Vec<syn::Attribute>, messages: &Messages, other_attribute_follows: bool) -> Result<bool> {
    let mut options = CallOptions::default();
    for attribute in take_xray(attributes) {
        options = options.overridden_by(&attribute)?;
        if options.trace || options.name.is_some() {
            let message = format!(
                "here only `#[xray(skip)]` is accepted; for other options of a function, put `#[{}(..)]` on the function",
                messages.attribute
            );
            return Err(Error::new_spanned(attribute, message));
        }
        if other_attribute_follows {
            attributes.push(attribute);
        }
    }
    Ok(options.skip)
}

/// Returns whether an attribute is the one with this name. Only the last segment of its path is compared: users write
/// `#[xray::traced]`, `#[traced]` after a `use`, or a path through their own crate.
pub(crate) fn is_attribute(attribute: &syn::Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == name)
}

/// Returns the item without the `#[xray(..)]` attributes inside it.
///
/// The compiler has no attribute `xray`. If one were left, the compiler would report "cannot find attribute" in
/// addition to the actual error. An item that has an attribute of this crate keeps them, because that attribute expands
/// later.
fn without_xray(item: TokenStream, messages: &Messages) -> TokenStream {
    struct WithoutXray<'a>(&'a Messages);
    impl WithoutXray<'_> {
        fn expands_later(&self, attributes: &[syn::Attribute]) -> bool {
            let Messages { attribute: one, other, .. } = self.0;
            attributes.iter().any(|attribute| is_attribute(attribute, one) || is_attribute(attribute, other))
        }
    }
    impl VisitMut for WithoutXray<'_> {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
            take_xray(attributes);
        }

        fn visit_item_mut(&mut self, item: &mut Item) {
            let attributes = match item {
                Item::Fn(function) => &function.attrs[..],
                Item::Impl(implementation) => &implementation.attrs,
                Item::Mod(module) => &module.attrs,
                _ => &[],
            };
            if !self.expands_later(attributes) {
                visit_mut::visit_item_mut(self, item);
            }
        }

        fn visit_impl_item_fn_mut(&mut self, method: &mut ImplItemFn) {
            if !self.expands_later(&method.attrs) {
                visit_mut::visit_impl_item_fn_mut(self, method);
            }
        }
    }
    let Ok(mut item) = syn::parse2::<Item>(item.clone()) else { return item };
    WithoutXray(messages).visit_item_mut(&mut item);
    item.into_token_stream()
}

/// Returns the error for an item that is neither a function with a body, nor an `impl` block, nor a module.
fn error_for_item(item: TokenStream, error: Error, messages: &Messages) -> Error {
    // syn parses `fn f();`, a function of a trait without a body, as an item of an `extern` block.
    if let Ok(function) = syn::parse2::<ForeignItemFn>(item.clone()) {
        return Error::new_spanned(function.sig, messages.no_body);
    }
    match syn::parse2::<Item>(item) {
        // Incomplete code, as in an editor: syn's own error has the position.
        Ok(Item::Verbatim(_)) | Err(_) => error,
        Ok(other) => Error::new(keyword(&other), messages.no_function),
    }
}

/// Returns the span of an item's keyword, such as `struct`: the first word after attributes and visibility.
fn keyword(item: &Item) -> Span {
    let words = item.to_token_stream().into_iter().filter(|token| matches!(token, TokenTree::Ident(_)));
    words.skip_while(|word| word.to_string() == "pub").map(|word| word.span()).next().unwrap_or_else(Span::call_site)
}
