//! Generates checks for the clients that a function names: each needs a feature of the runtime, which must be on.
//!
//! A macro cannot read the features of the runtime. So for each path of a client, such as `ureq::get`, it generates a
//! statement that does nothing, and that compiles only if a feature of the client is on. The runtime has the other half
//! of the check, in `private::clients`, and for the versions of reqwest in `private::reqwest_version`. Without the
//! check, a function whose client lacks its feature would not be traced, and its author would not notice.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Expr, ExprCall, FieldValue, FnArg, Ident, Item, Local, Path, PathSegment, Signature, Stmt, UseTree,
};

use crate::attributes::{attributes, is_conditional};
use crate::calls::Client;
use crate::options::TracedHttpOptions;

/// Returns the checks for the clients that a function names. They are statements for the initializer of a static, so
/// they cost nothing at run time.
pub(crate) fn checks(signature: &Signature, block: &Block, options: &TracedHttpOptions) -> Vec<TokenStream> {
    let runtime = &options.common.runtime;
    // The checks are in the body, where `use other as reqwest;` gives the name in the signature another meaning.
    // tests/crates/local-reqwest
    let hidden = block.stmts.iter().flat_map(|statement| match statement {
        Stmt::Item(Item::Use(import)) => renames(&import.tree),
        _ => Vec::new(),
    });
    let mut named = NamedClients { options, hidden: hidden.collect(), types: Vec::new(), clients: Vec::new() };
    named.visit_signature(signature);
    named.hidden.clear();
    visit::visit_block(&mut named, block);
    let types = named.types.iter().map(|(path, kind)| check_version(path, kind, runtime));
    let clients = named.clients.iter().map(|(module, span)| check_feature(module, *span, runtime));
    types.chain(clients).collect()
}

/// Returns the names after `as` in a `use`.
fn renames(import: &UseTree) -> Vec<&Ident> {
    match import {
        UseTree::Path(path) => renames(&path.tree),
        UseTree::Group(group) => group.items.iter().flat_map(renames).collect(),
        UseTree::Rename(renamed) => vec![&renamed.rename],
        _ => Vec::new(),
    }
}

/// Returns a statement that compiles only if a feature of the client is on.
fn check_feature(module: &str, span: Span, runtime: &Path) -> TokenStream {
    // Input:  ureq::get(url)
    // Output: {
    //             use ::xray::__private::clients::ureq::{Client, check};
    //             check(Client);
    //         }
    //
    // If the feature is off, `Client` does not implement the trait that `check` requires, and `check(Client)` is an
    // error. Its tokens have the position of the user's path, so the compiler underlines that path.
    // tests/crates.rs::a_client_without_its_feature_is_an_error
    let (module, span) = (Ident::new(module, span), Span::mixed_site().located_at(span));
    quote_spanned! {span=>
        {
            use #runtime::__private::clients::#module::{Client, check};
            check(Client);
        }
    }
}

/// Returns a statement that compiles only if the feature of a type's version of reqwest is on.
fn check_version(path: &Path, kind: &str, runtime: &Path) -> TokenStream {
    // Input:  client: &reqwest::Client
    // Output: {
    //             use ::xray::__private::reqwest_version::Unrelated as _;
    //             ::xray::__private::reqwest_version::client(<reqwest::Client>::builder);
    //         }
    //
    // For reqwest's `Client`, `builder` is reqwest's own function, and the type of its result identifies the version.
    // For a user's type of that name, `builder` is a function of the trait `Unrelated`, whose result passes every
    // check. tests/crates.rs::a_module_that_is_named_reqwest_is_left_alone
    let span = Span::mixed_site().located_at(path.span());
    let (check, method) = match kind {
        "Client" => ("client", "builder"),
        "RequestBuilder" => ("request_builder", "build_split"),
        _ => ("request", "try_clone"),
    };
    let (check, method) = (Ident::new(check, span), Ident::new(method, path.span()));
    let method = quote_spanned!(path.span()=> <#path>::#method);
    quote_spanned! {span=>
        {
            #[allow(unused_imports)]
            use #runtime::__private::reqwest_version::Unrelated as _;
            #runtime::__private::reqwest_version::#check(#method);
        }
    }
}

/// Finds the paths of clients. Paths under a `#[cfg]` are left out: the check is at the start of the function, outside
/// the condition, and the path of a crate that exists only under the condition would not resolve there.
struct NamedClients<'a> {
    options: &'a TracedHttpOptions,
    /// The names whose paths are not checked.
    hidden: Vec<&'a Ident>,
    /// `reqwest::Client`, `RequestBuilder` and `Request`, each with its kind.
    types: Vec<(Path, &'static str)>,
    /// The modules of the other clients, each with the position of its first path in the function.
    clients: Vec<(&'static str, Span)>,
}

impl NamedClients<'_> {
    fn is_local(&self, path: &Path) -> bool {
        let is_local = |name| self.options.local.contains(name) || self.hidden.contains(&name);
        path.segments.first().is_some_and(|first| is_local(&first.ident))
    }

    fn add_type(&mut self, path: &Path, kind: &'static str) {
        if self.is_local(path) {
            return;
        }
        let is_same = |known: &Path| {
            known.segments[0].ident == path.segments[0].ident
                && known.leading_colon.is_some() == path.leading_colon.is_some()
        };
        if self.types.iter().any(|(known, its_kind)| *its_kind == kind && is_same(known)) {
            return;
        }
        let segments = path.segments.iter().take(2).map(|segment| PathSegment::from(segment.ident.clone())).collect();
        self.types.push((Path { leading_colon: path.leading_colon, segments }, kind));
    }

    fn add(&mut self, client: &Client, path: &Path) {
        if !self.is_local(path) && self.clients.iter().all(|(known, _)| *known != client.module) {
            self.clients.push((client.module, path.span()));
        }
    }
}

/// Returns the segments of a path, or `None` if there is only one.
fn names(path: &Path) -> Option<Vec<String>> {
    (path.segments.len() > 1).then(|| path.segments.iter().map(|segment| segment.ident.to_string()).collect())
}

/// Returns the type of reqwest that a path begins with. The crate may be named `reqwest`, or have a version in its name
/// such as `reqwest_0_12`.
fn reqwest_type(path: &Path, names: &[String]) -> Option<&'static str> {
    let version = names[0].strip_prefix("reqwest")?;
    let kind = ["Client", "RequestBuilder", "Request"].into_iter().find(|kind| names[1] == *kind)?;
    let is_version = version.chars().all(|character| "_v0123456789".contains(character));
    // reqwest's own types have no parameters.
    (is_version && path.segments[1].arguments.is_none()).then_some(kind)
}

impl<'ast> Visit<'ast> for NamedClients<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(names) = names(path) {
            if let Some(kind) = reqwest_type(path, &names) {
                self.add_type(path, kind);
            }
            match Client::of(&names) {
                Some((client, [next, ..])) if client.types.contains(&next.as_str()) => self.add(client, path),
                _ => {}
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            if let Some(names) = names(&function.path) {
                match Client::of(&names) {
                    Some((client, rest)) if client.has_other_functions || client.shape_of(rest).is_some() => {
                        self.add(client, &function.path);
                    }
                    _ => {}
                }
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_fn_arg(&mut self, parameter: &'ast FnArg) {
        let attributes = match parameter {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(typed) => &typed.attrs,
        };
        if !is_conditional(attributes) {
            visit::visit_fn_arg(self, parameter);
        }
    }

    // An item in a block, such as a `use`, may give the client's name another meaning than it has at the start of the
    // function, where the check is.
    fn visit_block(&mut self, block: &'ast Block) {
        if !block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(_))) {
            visit::visit_block(self, block);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if !is_conditional(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        if !is_conditional(attributes(expression)) {
            visit::visit_expr(self, expression);
        }
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        if !is_conditional(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_field_value(&mut self, field: &'ast FieldValue) {
        if !is_conditional(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    // Nested functions are not traced by the attribute.
    fn visit_item(&mut self, _: &'ast Item) {}
}

#[cfg(test)]
mod tests {
    use syn::ItemFn;

    use super::*;

    /// Returns the checks for a function: the module of a client, or the checked function of a type of reqwest.
    fn checked(function: &str) -> Vec<String> {
        let function: ItemFn = syn::parse_str(function).unwrap();
        let options = TracedHttpOptions { local: vec![syn::parse_str("mine").unwrap()], ..Default::default() };
        let checks = checks(&function.sig, &function.block, &options);
        let names = checks.into_iter().map(|check| {
            let check = check.to_string().replace(' ', "");
            match check.split_once("clients::") {
                Some((_, rest)) => rest.split_once("::").unwrap().0.to_owned(),
                None => check.split_once('<').unwrap().1.split_once(");").unwrap().0.to_owned(),
            }
        });
        names.collect()
    }

    #[track_caller]
    fn check(cases: &[(&str, &[&str])]) {
        for (function, expected) in cases {
            assert_eq!(checked(function), *expected, "{function}");
        }
    }

    #[test]
    fn each_client_that_a_function_names_is_checked_once() {
        check(&[
            ("fn f() { ureq::get(u); ureq::post(u); }", &["ureq"]),
            ("fn f() { ureq::get(u); awc::Client::new(); }", &["ureq", "awc"]),
            ("fn f(a: ureq::Agent) {}", &["ureq"]),
            ("fn f(a: awc::Client) {}", &["awc"]),
            ("fn f(a: awc::Other) {}", &[]),
            ("fn f() { other::get(u); get(u) }", &[]),
            ("fn f() { mine::get(u) }", &[]),
        ]);
    }

    #[test]
    fn each_type_of_reqwest_that_a_function_names_is_checked_once_a_name() {
        let checks: &[&str] = &["reqwest::Client>::builder", "reqwest::Request>::try_clone"];
        check(&[
            ("fn f(a: reqwest::Client, b: reqwest::Request, c: &reqwest::Client) {}", checks),
            (
                "fn f(a: reqwest::Client, b: ::reqwest::Client) {}",
                &["reqwest::Client>::builder", "::reqwest::Client>::builder"],
            ),
            (
                "fn f(a: reqwest::Client, b: reqwest_0_12::Client) {}",
                &["reqwest::Client>::builder", "reqwest_0_12::Client>::builder"],
            ),
            ("fn f(a: reqwest::RequestBuilder) {}", &["reqwest::RequestBuilder>::build_split"]),
            ("fn f(a: reqwest_middleware::Client) {}", &[]),
        ]);
    }

    #[test]
    fn a_client_under_a_condition_is_not_checked() {
        check(&[
            ("fn f(#[cfg(a)] b: awc::Client) {}", &[]),
            ("fn f(#[other] b: awc::Client) {}", &["awc"]),
            ("fn f() { #[cfg(a)] let b = ureq::get(u); }", &[]),
            ("fn f() { #[other] let b = ureq::get(u); }", &["ureq"]),
            ("fn f() { #[cfg(a)] ureq::get(u); }", &[]),
            ("fn f() { match a { #[cfg(a)] b => ureq::get(u), _ => c } }", &[]),
            ("fn f() { match a { b => ureq::get(u), _ => c } }", &["ureq"]),
            ("fn f() { S { #[cfg(a)] b: ureq::get(u) } }", &[]),
            ("fn f() { S { b: ureq::get(u) } }", &["ureq"]),
        ]);
    }

    #[test]
    fn a_name_that_an_item_may_give_another_meaning_is_not_checked() {
        check(&[
            ("fn f(a: awc::Client) { use other as awc; }", &[]),
            ("fn f(a: awc::Client) { use other::{b, c as awc}; }", &[]),
            ("fn f(a: awc::Client) { use other::b; }", &["awc"]),
            ("fn f() { { ureq::get(u) } }", &["ureq"]),
            ("fn f() { { use other as ureq; ureq::get(u) } }", &[]),
            ("fn f() { use other::b; ureq::get(u) }", &["ureq"]),
            ("fn f() { fn g() { ureq::get(u) } }", &[]),
        ]);
    }
}
