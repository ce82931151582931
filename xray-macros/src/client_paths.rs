//! Clients that a function names by their paths, checked to be some that the build traces.
//!
//! The macro cannot see features. For each such path it emits a constant that does nothing and compiles only where
//! the runtime knows the client: see `clients` there, and for the versions of reqwest `reqwest_version`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Arm, Block, Expr, ExprCall, FieldValue, FnArg, Ident, Item, Local, Path, PathSegment, Signature, Stmt};

use crate::attributes::{attributes, is_conditional};
use crate::options::Options;

/// Clients of which one feature is enough: the beginning of a path, and the types that are named behind it. Any
/// function behind it counts too.
const CLIENTS: &[(&[&str], &str, &[&str])] = &[
    (&["reqwest", "blocking"], "reqwest_blocking", &["Client", "RequestBuilder", "Request"]),
    (&["ureq"], "ureq", &["Agent", "RequestBuilder", "Request"]),
    (&["isahc"], "isahc", &["HttpClient"]),
    (&["attohttpc"], "attohttpc", &["Session", "RequestBuilder"]),
    (&["awc"], "awc", &["Client", "ClientRequest"]),
];

/// The checks for the clients that a function names.
pub(crate) fn checks(signature: &Signature, block: &Block, options: &Options) -> Vec<Item> {
    let mut named = NamedClients { options, types: Vec::new(), clients: Vec::new() };
    named.visit_signature(signature);
    visit::visit_block(&mut named, block);
    let types = named.types.iter().map(|path| check_version(path, &options.runtime));
    let clients = named.clients.iter().map(|(client, span)| check_feature(client, *span, &options.runtime));
    types.chain(clients).map(Item::Verbatim).collect()
}

/// A constant that compiles where a feature of the client is on.
fn check_feature(client: &str, span: Span, runtime: &Path) -> TokenStream {
    let (client, span) = (Ident::new(client, span), Span::mixed_site().located_at(span));
    // What is called and what it is called with stand where the user names the client, and so does the error.
    quote_spanned! {span=>
        const _: fn() = || {
            use #runtime::__private::clients::#client::{Client, check};
            check(Client)
        };
    }
}

/// A constant that calls a method which only reqwest's type has, and asks the runtime about its result.
fn check_version(path: &Path, runtime: &Path) -> TokenStream {
    let span = Span::mixed_site().located_at(path.span());
    let (kind, probe) = match path.segments[1].ident.to_string().as_str() {
        "Client" => (quote_spanned!(span=> fn() = ||), quote_spanned!(path.span()=> <#path>::builder())),
        "RequestBuilder" => {
            (quote_spanned!(span=> fn(#path) = |__xray_it|), quote_spanned!(span=> __xray_it.build_split()))
        }
        _ => (quote_spanned!(span=> fn(&#path) = |__xray_it|), quote_spanned!(span=> __xray_it.try_clone())),
    };
    quote_spanned! {span=>
        const _: #kind {
            #[allow(unused_imports)]
            use #runtime::__private::reqwest_version::Unrelated as _;
            #runtime::__private::reqwest_version::supported(#probe);
        };
    }
}

/// Finds the paths of clients, wherever they are sure to be compiled.
struct NamedClients<'a> {
    options: &'a Options,
    /// `reqwest::Client`, `RequestBuilder` and `Request`.
    types: Vec<Path>,
    /// The others, and where each is named first.
    clients: Vec<(&'static str, Span)>,
}

impl NamedClients<'_> {
    fn is_reqwest(&self, path: &Path) -> bool {
        let mut segments = path.segments.iter();
        let (Some(first), Some(second)) = (segments.next(), segments.next()) else { return false };
        let (first, arguments, second) = (first.ident.to_string(), &second.arguments, second.ident.to_string());
        // `reqwest`, or one of several versions under a name such as `reqwest_0_12`.
        let version = first.strip_prefix("reqwest");
        version.is_some_and(|version| version.chars().all(|character| "_v0123456789".contains(character)))
            && ["Client", "RequestBuilder", "Request"].contains(&second.as_str())
            // reqwest's own types have no parameters.
            && arguments.is_none()
            && !self.is_local(path)
    }

    fn is_local(&self, path: &Path) -> bool {
        path.segments.first().is_some_and(|first| self.options.local.contains(&first.ident))
    }

    fn add(&mut self, client: &'static str, path: &Path) {
        if !self.is_local(path) && self.clients.iter().all(|(known, _)| *known != client) {
            self.clients.push((client, path.span()));
        }
    }
}

fn is_reqwest_get(path: &Path) -> bool {
    path.segments.iter().map(|segment| segment.ident.to_string()).eq(["reqwest", "get"])
}

/// The client that a path belongs to, and what stands behind that.
fn client_of(path: &Path) -> Option<(&'static str, &'static [&'static str], String)> {
    CLIENTS.iter().find_map(|(prefix, client, types)| {
        let names = path.segments.iter().map(|segment| segment.ident.to_string());
        let is_prefix = names.clone().take(prefix.len()).eq(prefix.iter().copied());
        let next = names.clone().nth(prefix.len())?;
        is_prefix.then_some((*client, *types, next))
    })
}

impl<'ast> Visit<'ast> for NamedClients<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        if self.is_reqwest(path) {
            let segments =
                path.segments.iter().take(2).map(|segment| PathSegment::from(segment.ident.clone())).collect();
            let named = Path { leading_colon: path.leading_colon, segments };
            let text = named.to_token_stream().to_string();
            if self.types.iter().all(|path| path.to_token_stream().to_string() != text) {
                self.types.push(named);
            }
        }
        if let Some((client, types, next)) = client_of(path) {
            if types.contains(&next.as_str()) {
                self.add(client, path);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            match client_of(&function.path) {
                Some((client, ..)) => self.add(client, &function.path),
                None if is_reqwest_get(&function.path) => self.add("reqwest", &function.path),
                None => {}
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

    /// Items in a block may give the name another meaning there than where the check stands.
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

    /// Another function is not this one.
    fn visit_item(&mut self, _: &'ast Item) {}
}
