//! Clients that a function names by their paths, checked to be some that the build traces.
//!
//! The macro cannot see features. For each such path it emits a statement that does nothing and compiles only where
//! the runtime knows the client: see `clients` there, and for the versions of reqwest `reqwest_version`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
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

/// The checks for the clients that a function names: statements for a body that is evaluated by the compiler.
pub(crate) fn checks(signature: &Signature, block: &Block, options: &Options) -> Vec<TokenStream> {
    let mut named = NamedClients { options, types: Vec::new(), clients: Vec::new() };
    named.visit_signature(signature);
    visit::visit_block(&mut named, block);
    let types = named.types.iter().map(|(path, kind)| check_version(path, kind, &options.runtime));
    let clients = named.clients.iter().map(|(client, span)| check_feature(client, *span, &options.runtime));
    types.chain(clients).collect()
}

/// Compiles where a feature of the client is on.
fn check_feature(client: &str, span: Span, runtime: &Path) -> TokenStream {
    let (client, span) = (Ident::new(client, span), Span::mixed_site().located_at(span));
    // What is called and what it is called with stand where the user names the client, and so does the error.
    quote_spanned! {span=>
        {
            use #runtime::__private::clients::#client::{Client, check};
            check(Client);
        }
    }
}

/// Names a method which only reqwest's type has, and asks the runtime about its result.
fn check_version(path: &Path, kind: &str, runtime: &Path) -> TokenStream {
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

/// Finds the paths of clients, wherever they are sure to be compiled.
struct NamedClients<'a> {
    options: &'a Options,
    /// `reqwest::Client`, `RequestBuilder` and `Request`, each with its kind.
    types: Vec<(Path, &'static str)>,
    /// The others, and where each is named first.
    clients: Vec<(&'static str, Span)>,
}

impl NamedClients<'_> {
    fn is_local(&self, path: &Path) -> bool {
        path.segments.first().is_some_and(|first| self.options.local.contains(&first.ident))
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

    fn add(&mut self, client: &'static str, path: &Path) {
        if !self.is_local(path) && self.clients.iter().all(|(known, _)| *known != client) {
            self.clients.push((client, path.span()));
        }
    }
}

/// The names of a path that has several. Each is a text made anew, so that they are asked for once.
fn names(path: &Path) -> Option<Vec<String>> {
    (path.segments.len() > 1).then(|| path.segments.iter().map(|segment| segment.ident.to_string()).collect())
}

/// Which of reqwest's types a path begins with, of any version of it: `reqwest`, or one of several under a name such
/// as `reqwest_0_12`.
fn reqwest_type(path: &Path, names: &[String]) -> Option<&'static str> {
    let version = names[0].strip_prefix("reqwest")?;
    let kind = ["Client", "RequestBuilder", "Request"].into_iter().find(|kind| names[1] == *kind)?;
    let is_version = version.chars().all(|character| "_v0123456789".contains(character));
    // reqwest's own types have no parameters.
    (is_version && path.segments[1].arguments.is_none()).then_some(kind)
}

/// The client that a path belongs to, and what stands behind that.
fn client_of(names: &[String]) -> Option<(&'static str, &'static [&'static str], &str)> {
    CLIENTS.iter().find_map(|(prefix, client, types)| {
        let (begin, rest) = names.split_at_checked(prefix.len())?;
        let next = rest.first()?;
        (begin == *prefix).then_some((*client, *types, next.as_str()))
    })
}

impl<'ast> Visit<'ast> for NamedClients<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(names) = names(path) {
            if let Some(kind) = reqwest_type(path, &names) {
                self.add_type(path, kind);
            }
            match client_of(&names) {
                Some((client, types, next)) if types.contains(&next) => self.add(client, path),
                _ => {}
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            if let Some(names) = names(&function.path) {
                match client_of(&names) {
                    Some((client, ..)) => self.add(client, &function.path),
                    None if names == ["reqwest", "get"] => self.add("reqwest", &function.path),
                    None => {}
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
