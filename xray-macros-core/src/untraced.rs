//! Finds the calls whose names are in the table and that no attribute covers, for the program `cargo xray`.
//!
//! Walks each body as the attribute does, lists the calls that the attribute would rewrite or leave alone, and
//! discards the rewritten body.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute as SynAttribute, Block, Expr, File, ImplItemConst, ImplItemFn, Item, ItemConst, ItemFn, ItemImpl,
    ItemMacro, ItemMod, ItemStatic, ItemTrait, Meta, Signature, Stmt, TraitItemFn, Type, parse_quote,
};

use crate::body;
use crate::driver::is_attribute;
use crate::found::FoundCall;
use crate::options::{CallOptions, TracedHttpOptions};

/// The name of the attribute that covers a call.
const NAME: &str = "traced_http";

/// A function with calls whose names are in the table, or the initializer of a static or constant.
#[derive(Debug)]
pub struct Body {
    /// The name with the names of the items around it: `Client::get`, `api::fetch`.
    pub name: String,
    /// How the attribute `#[traced_http]` covers the function.
    pub attribute: Attribute,
    /// The calls whose names are in the table. For a function with the attribute, this lists only the calls that the
    /// attribute leaves alone.
    pub calls: Vec<FoundCall>,
}

/// The attribute `#[traced_http]` of a function.
#[derive(Debug)]
pub enum Attribute {
    /// The function has the attribute, or the `impl` block or module around it has it.
    There,
    /// It is missing. It can be written before the token at this position.
    Missing(Span),
    /// It cannot be there, for this reason. The text completes the sentence "The call is not traced, because ..".
    Impossible(String),
}

/// Returns the functions of a source file that contain calls whose names are in the table outside `#[traced_http]`, or
/// calls that the attribute leaves alone, in the order of the file.
///
/// Tests are left out. The spans have positions only if the feature `span-locations` of `proc-macro2` is on.
#[must_use]
pub fn untraced(file: &File) -> Vec<Body> {
    let mut search = Search { names: Vec::new(), cover: Cover::None, macro_call: None, bodies: Vec::new() };
    search.visit_file(file);
    search.bodies
}

/// Returns the items that a call to a macro contains: `cfg_client! { pub mod client; }`. Returns no items if the tokens
/// are something else, or if the call defines a macro.
#[must_use]
pub fn items_in(call: &ItemMacro) -> Vec<Item> {
    // The tokens keep their positions in the file.
    let file = if call.ident.is_none() { syn::parse2::<File>(call.mac.tokens.clone()).ok() } else { None };
    file.map(|file| file.items).unwrap_or_default()
}

/// Returns whether an item is compiled only for tests: it has `#[cfg(test)]`, `#[test]`, `#[tokio::test]` or the like.
#[must_use]
pub fn is_test(attributes: &[SynAttribute]) -> bool {
    attributes.iter().any(|attribute| {
        let name = attribute.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        match &attribute.meta {
            Meta::List(list) if name == "cfg" => requires_test(&list.tokens),
            _ => ["test", "bench", "rstest", "proptest"].contains(&&*name) || name.ends_with("_test"),
        }
    })
}

/// Returns whether a condition is `test`, or `all(..)` with `test` in it.
fn requires_test(condition: &TokenStream) -> bool {
    let mut tokens = condition.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (token, tokens.peek()) {
            (TokenTree::Ident(name), Some(TokenTree::Group(inner))) if name == "all" => {
                return requires_test(&inner.stream());
            }
            (TokenTree::Ident(name), _) if name == "test" => return true,
            _ => {}
        }
    }
    false
}

/// The attributes that cover the functions of an item.
#[derive(Clone)]
enum Cover {
    None,
    /// An attribute with these arguments.
    Attribute(TokenStream),
    /// `#[xray(skip)]`: the user leaves the functions out.
    Skip,
}

struct Search {
    /// The names of the items around the visited item.
    names: Vec<String>,
    cover: Cover,
    /// The name of the macro whose arguments the visited items are, if it may refuse an attribute.
    macro_call: Option<String>,
    bodies: Vec<Body>,
}

impl Search {
    /// Visits an item with the name and the attributes that apply to the functions in it.
    fn within(&mut self, name: String, attributes: &[SynAttribute], visit: impl FnOnce(&mut Self)) {
        if is_test(attributes) {
            return;
        }
        let outer = self.cover.clone();
        self.cover = cover(attributes).unwrap_or_else(|| outer.clone());
        self.names.push(name);
        visit(self);
        self.names.pop();
        self.cover = outer;
    }

    fn function(&mut self, attributes: &[SynAttribute], signature: &Signature, body: &Block, start: Span) {
        self.within(signature.ident.to_string(), attributes, |search| {
            // The attribute of an `impl` block does not apply to its `const fn`s, and they make no calls.
            if signature.constness.is_none() {
                search.add(signature, body, Attribute::Missing(start));
            }
            search.items_of(|search| visit::visit_block(search, body));
        });
    }

    /// Adds the initializer of a static or constant, whose closures may make calls.
    fn initializer(&mut self, name: String, attributes: &[SynAttribute], value: &Expr) {
        self.within(name, attributes, |search| {
            let body =
                Block { brace_token: syn::token::Brace::default(), stmts: vec![Stmt::Expr(value.clone(), None)] };
            let reason = "it is in no function".to_owned();
            search.items_of(|search| {
                search.add(&parse_quote!(fn initializer()), &body, Attribute::Impossible(reason));
                visit::visit_expr(search, value);
            });
        });
    }

    /// Visits the items in a body. The attribute of the function does not apply to them.
    fn items_of(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.cover, Cover::None);
        visit(self);
        self.cover = outer;
    }

    fn add(&mut self, signature: &Signature, body: &Block, attribute: Attribute) {
        let (arguments, attribute) = match &self.cover {
            Cover::Skip => return,
            Cover::None => (TokenStream::new(), attribute),
            Cover::Attribute(arguments) => (arguments.clone(), Attribute::There),
        };
        // Wrong arguments are reported by the compiler.
        let options = TracedHttpOptions::parse(arguments).unwrap_or_default();
        let (found, refused) = body::search(signature, &mut body.clone(), &options);
        let is_covered = matches!(attribute, Attribute::There);
        let calls: Vec<_> = found.into_iter().filter(|call| !is_covered || call.left_alone.is_some()).collect();
        if calls.is_empty() {
            return;
        }
        let attribute = match (attribute, refused, &self.macro_call) {
            (Attribute::Missing(_), Some(error), _) => Attribute::Impossible(format!("the attribute reports: {error}")),
            (Attribute::Missing(_), None, Some(name)) => {
                Attribute::Impossible(format!("it is in the arguments of `{name}!`, which may not accept attributes"))
            }
            (attribute, ..) => attribute,
        };
        self.bodies.push(Body { name: self.names.join("::"), attribute, calls });
    }
}

/// Returns the coverage that an item's attributes give to the functions in the item, or `None` if the attributes change
/// nothing.
fn cover(attributes: &[SynAttribute]) -> Option<Cover> {
    attributes.iter().find_map(|attribute| {
        if CallOptions::is_xray(attribute) {
            let is_skip = CallOptions::default().overridden_by(attribute).is_ok_and(|options| options.skip);
            return is_skip.then_some(Cover::Skip);
        }
        arguments(attribute).map(Cover::Attribute)
    })
}

/// Returns the arguments of `#[traced_http(..)]`, even behind `#[cfg_attr(.., traced_http(..))]`.
fn arguments(attribute: &SynAttribute) -> Option<TokenStream> {
    if is_attribute(attribute, NAME) {
        return Some(match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        });
    }
    let Meta::List(list) = &attribute.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let mut tokens =
        list.tokens.clone().into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(name) if name == NAME));
    tokens.next()?;
    match tokens.next() {
        Some(TokenTree::Group(arguments)) => Some(arguments.stream()),
        _ => Some(TokenStream::new()),
    }
}

/// Returns the position of an item's first token after its documentation comments.
///
/// There the attribute expands before the item's other attributes, and sees the code as the user wrote it.
fn start(attributes: &[SynAttribute], rest: Span) -> Span {
    let is_documentation = |attribute: &&SynAttribute| attribute.path().is_ident("doc");
    attributes.iter().find(|attribute| !is_documentation(attribute)).map_or(rest, Spanned::span)
}

fn name_of(of: &Type) -> String {
    match of {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        Type::Reference(reference) => name_of(&reference.elem),
        other => other.to_token_stream().to_string(),
    }
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.within(module.ident.to_string(), &module.attrs, |search| visit::visit_item_mod(search, module));
    }

    fn visit_item_macro(&mut self, call: &'ast ItemMacro) {
        // The pattern of a macro such as `define_api! { fn get() { .. } }` may be `fn $name:ident`, which refuses an
        // attribute before `fn`. The macros named `cfg_..` that many crates define take any items.
        let name = call.mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let outer = self.macro_call.clone();
        if !name.starts_with("cfg_") {
            self.macro_call = Some(name);
        }
        for item in &items_in(call) {
            self.visit_item(item);
        }
        self.macro_call = outer;
    }

    fn visit_item_impl(&mut self, implementation: &'ast ItemImpl) {
        let name = name_of(&implementation.self_ty);
        self.within(name, &implementation.attrs, |search| visit::visit_item_impl(search, implementation));
    }

    fn visit_item_trait(&mut self, declared: &'ast ItemTrait) {
        self.within(declared.ident.to_string(), &declared.attrs, |search| visit::visit_item_trait(search, declared));
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let start = start(&function.attrs, first(&function.vis, &function.sig));
        self.function(&function.attrs, &function.sig, &function.block, start);
    }

    fn visit_impl_item_fn(&mut self, method: &'ast ImplItemFn) {
        let start = start(&method.attrs, first(&method.vis, &method.sig));
        self.function(&method.attrs, &method.sig, &method.block, start);
    }

    fn visit_trait_item_fn(&mut self, method: &'ast TraitItemFn) {
        if let Some(body) = &method.default {
            self.function(&method.attrs, &method.sig, body, start(&method.attrs, method.sig.span()));
        }
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        self.initializer(item.ident.to_string(), &item.attrs, &item.expr);
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.initializer(item.ident.to_string(), &item.attrs, &item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'ast ImplItemConst) {
        self.initializer(item.ident.to_string(), &item.attrs, &item.expr);
    }
}

/// Returns the position of a function's first token after its attributes.
fn first(visibility: &syn::Visibility, signature: &Signature) -> Span {
    let tokens = visibility.to_token_stream().into_iter().next();
    tokens.map_or_else(|| signature.span(), |token| token.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_listed_with_their_positions_and_with_why_they_are_left_alone() {
        let source = "
            async fn bare() { (client.get(url)).send().await?.text().await; reqwest::get(url).await }
            #[traced_http]
            async fn covered() { client.get(url).send().await; client.request(1).await; assert!(ping().send() == 1); }
        ";
        let bodies = untraced(&syn::parse_file(source).unwrap());
        let mut found = Vec::new();
        for body in &bodies {
            for call in &body.calls {
                let texts = [call.span, call.name].map(|span| span.source_text().unwrap());
                found.push((body.name.as_str(), texts, call.left_alone));
            }
        }
        assert_eq!(
            found,
            [
                ("bare", ["(client.get(url)).send()".to_owned(), "send".to_owned()], None),
                ("bare", ["reqwest::get(url)".to_owned(), "reqwest".to_owned()], None),
                (
                    "covered",
                    ["client.request(1)".to_owned(), "request".to_owned()],
                    Some("the syntax of its argument shows that it is not a request")
                ),
                (
                    "covered",
                    ["ping().send() == 1".to_owned(), "ping".to_owned()],
                    Some("its macro prints its arguments as they are written")
                ),
            ]
        );
    }

    #[test]
    fn a_chain_that_begins_with_another_crate_is_not_listed() {
        let lists = |call: &str| {
            let source = format!("fn f() {{ {call}; }}");
            !untraced(&syn::parse_file(&source).unwrap()).is_empty()
        };
        for call in [
            "sqlx::query(text).execute(pool)",
            "sqlx::query!(text).execute(pool)",
            "sqlx::query(text).bind(a).execute(pool)",
            "lambda_runtime::Runtime::new(handler).send()",
            "Runtime::new(handler).send()",
        ] {
            assert!(!lists(call), "{call}");
        }
        for call in [
            "query(text).execute(pool)",
            "Runtime::other(handler).send()",
            "Runtime(a).send()",
            "query!(text).execute(pool)",
            "client.execute(request)",
        ] {
            assert!(lists(call), "{call}");
        }
    }

    #[test]
    fn bodies_are_named_by_the_items_around_them() {
        let source = "
            mod api {
                impl Client<u8> { fn a() { c().send() } const B: fn() = || c().send(); }
                impl Other for &Client { fn c() { c().send() } }
                trait Calls { fn d() { c().send() } fn e(); }
                static F: Lazy = Lazy::new(|| c().send());
                const G: Lazy = Lazy::new(|| { fn h() { c().send() } });
                #[cfg(test)] mod tests { fn i() { c().send() } }
            }
            #[traced_http] fn j() { c().send(); fn k() { c().send() } }
            #[xray(skip)] mod l { fn m() { c().send() } }
            const fn n() { c().send() }
        ";
        let bodies = untraced(&syn::parse_file(source).unwrap());
        let found: Vec<_> =
            bodies.iter().map(|body| (&*body.name, matches!(body.attribute, Attribute::Missing(_)))).collect();
        assert_eq!(
            found,
            [
                ("api::Client::a", true),
                ("api::Client::B", false),
                ("api::Client::c", true),
                ("api::Calls::d", true),
                ("api::F", false),
                ("api::G::h", true),
                ("j::k", true),
            ]
        );
    }

    #[test]
    fn the_attribute_is_written_below_the_documentation_and_above_other_attributes() {
        for (function, expected) in [
            ("fn f() { c().send() }", "fn"),
            ("pub fn f() { c().send() }", "pub"),
            ("/// Text.\nasync fn f() { c().send() }", "async"),
            ("/// Text.\n#[inline] fn f() { c().send() }", "#"),
            ("#[inline] /** Text. */ fn f() { c().send() }", "#"),
        ] {
            let bodies = untraced(&syn::parse_file(function).unwrap());
            let Attribute::Missing(start) = bodies[0].attribute else { panic!("it is missing") };
            let text = start.source_text().unwrap();
            assert!(text.starts_with(expected), "{function}: {text}");
        }
    }

    #[test]
    fn only_macros_that_take_any_items_accept_the_attribute() {
        let source = "
            cfg_net! { fn a() { client.get(url).send(); } }
            define_api! { fn b() { client.get(url).send(); } #[traced_http] fn c() { v[0].send(); } }
            fn d() { client.get(url).send(); }
        ";
        let bodies = untraced(&syn::parse_file(source).unwrap());
        let found: Vec<_> = bodies.iter().map(|Body { name, attribute, .. }| (name.as_str(), attribute)).collect();
        assert!(
            matches!(
                found[..],
                [
                    ("a", Attribute::Missing(_)),
                    ("b", Attribute::Impossible(_)),
                    ("c", Attribute::There),
                    ("d", Attribute::Missing(_))
                ]
            ),
            "{found:?}"
        );
    }

    #[test]
    fn items_that_only_tests_compile_are_recognised() {
        let of = |attributes: &str| {
            let item: ItemFn = syn::parse_str(&format!("{attributes} fn f() {{}}")).unwrap();
            is_test(&item.attrs)
        };
        for attributes in [
            "#[test]",
            "#[tokio::test]",
            "#[rstest]",
            "#[wasm_bindgen_test]",
            "#[bench]",
            "#[cfg(test)]",
            "#[cfg(all(unix, test))]",
            "#[cfg(all(any(unix, windows), test))]",
        ] {
            assert!(of(attributes), "{attributes}");
        }
        for attributes in [
            "",
            "#[allow(test)]",
            "#[cfg(all(not(test), unix))]",
            "#[cfg(not(test))]",
            "#[cfg(any(test, unix))]",
            "#[cfg(feature = \"test\")]",
            "#[inline]",
            "#[latest]",
        ] {
            assert!(!of(attributes), "{attributes}");
        }
    }

    #[test]
    fn an_attribute_behind_a_condition_covers_with_its_arguments() {
        let of = |attribute: &str| {
            let item: ItemFn = syn::parse_str(&format!("{attribute} fn f() {{}}")).unwrap();
            arguments(&item.attrs[0]).map(|arguments| arguments.to_string())
        };
        assert_eq!(of("#[xray::traced_http(local(reqwest))]").as_deref(), Some("local (reqwest)"));
        assert_eq!(of("#[cfg_attr(feature = \"x\", xray::traced_http(strict))]").as_deref(), Some("strict"));
        assert_eq!(of("#[cfg_attr(unix, traced_http)]").as_deref(), Some(""));
        assert_eq!(of("#[cfg_attr(unix, inline)]"), None);
        assert_eq!(of("#[traced]"), None);
    }
}
