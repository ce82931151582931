//! Generates the replacement tokens for each kind of candidate call.
//!
//! A *place* is an expression that names a memory location, such as `request` or `self.request`; any other expression
//! is a *value*. A type is *traceable* for a method if it implements the runtime's `Traceable` for that method. Its
//! *twin* is the type `Traceable::Traced`, whose method of the same name performs the call in a subsegment.
//!
//! The user's call is kept: its dot, name and parentheses have their original positions, so panics and
//! `#[track_caller]` report the line that they reported before (`tests/it/shapes/methods.rs::locations`).
//!
//! The output is kept as `Expr::Verbatim` instead of being parsed again. Procedural macros are usually built without
//! optimization, and parsing would then take most of the expansion's time.

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::token::Brace;
use syn::{Arm, Attribute, Expr, ExprCall, ExprMatch, ExprMethodCall, Ident, LitStr, Pat, Path, Stmt, Token};

use crate::calls;
use crate::candidate::Requirement;
use crate::options::TracedHttpOptions;
use crate::spawn::Spawned;
use crate::syntax::{into_peeled, peeled, span_at};

/// Generates the tokens for one call.
pub(crate) struct Rewriter<'a> {
    pub(crate) options: &'a TracedHttpOptions,
    /// The name of the subsegment, from an attribute in the function.
    pub(crate) name: Option<&'a LitStr>,
    /// Whether the user requires the call to be traced.
    pub(crate) requirement: Requirement,
}

impl Rewriter<'_> {
    /// Rewrites a method call whose receiver is a value. A receiver of a traceable type is replaced by its twin.
    pub(crate) fn on_value(&self, call: &mut ExprMethodCall) {
        // Input:  client.get(url).send()
        // Output: match client.get(url) {
        //             __xray_it => ::xray::__private::send::receiver(&__xray_it)
        //                 .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!())),
        //         }
        //         .send()
        //
        // If tracing is required (`strict` or `#[xray(trace)]`):
        // Output: ::xray::__private::send::open(client.get(url), (&__XRAY_SITE).at(::core::line!())).send()
        //
        // * A `match` keeps the temporaries of its scrutinee alive until the end of the user's statement. A `let` does
        //   not: after `let __xray_it = cell.borrow().request();` the guard would be dropped before the call.
        //   tests/it/shapes/temporaries.rs::guards_in_a_statement
        // * Method lookup selects the implementation by type. `receiver(&value)` returns a zero-sized value of type
        //   `Receiver<send, T>`. Its inherent `__xray_open` exists only if `T: Traceable<send>`, and takes precedence.
        //   For any other `T` the lookup finds `UnknownReceiver::__xray_open`, which returns the value unchanged. See
        //   the module documentation of `xray::__private`.
        // * The arguments of the call are unchanged, so they borrow, move and coerce as before.
        // * If tracing is required, the function `open` has the bound `Traceable<send>`. For any other type the compiler
        //   reports the `#[diagnostic::on_unimplemented]` message of that trait. tests/ui/compiler/unknown_types.rs
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        let receiver = mem::replace(&mut *call.receiver, Expr::PLACEHOLDER);
        if self.requirement != Requirement::Optional {
            *call.receiver = Expr::Verbatim(quote_spanned!(span=> #module::open(#receiver, #site)));
            return;
        }
        let exchanged = quote_spanned! {span=>
            #module::receiver(&__xray_it).__xray_open(__xray_it, #site)
        };
        // Strip the parentheses: around a scrutinee they would trigger the lint `unused_parens`. A struct literal needs
        // them there, and for it syn adds them back. tests/it/shapes/positions.rs::receivers, tests/it/lints.rs
        *call.receiver = Expr::Match(match_one(into_peeled(receiver), Ident::new("__xray_it", span), exchanged));
    }

    /// Rewrites a method call whose receiver is a place. The value is moved out of the place only if its type is
    /// traceable.
    pub(crate) fn on_place(&self, call: &mut ExprMethodCall) -> Expr {
        // Input:  request.send()
        // Output: (match {
        //             use ::xray::__private::send::{Peek as _, Take as _};
        //             request.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
        //         } {
        //             Dispatch::Traced(__xray_twin) => {
        //                 let __xray_twin = __xray_twin.reached();
        //                 __xray_twin.send()
        //             }
        //             Dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(request.send()),
        //         })
        //
        // The `match` of `on_value` cannot be used here: its binding would move a value that the user's `send(&self)`
        // only borrows. So the place appears twice, once in the type test and once in the call.
        //
        // * Both occurrences are receivers of method calls, so an enclosing closure still captures only the field
        //   `self.request`, not all of `self`. tests/it/shapes/closures.rs::disjoint_fields
        // * `Take::__xray_dispatch(self)` exists for traceable types. Lookup tries methods that take `self` before those
        //   that take `&self`, so `Take` has precedence. It moves the value out of the place, as the client's
        //   `send(self)` would.
        // * `Peek::__xray_dispatch(&self)` exists for every type, including unsized ones. It borrows the place.
        //   tests/it/shapes/methods.rs::unsized_generic
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        let place = peeled(&call.receiver);
        let test = quote_spanned! {span=>
            {
                use #module::{Peek as _, Take as _};
                #place.__xray_dispatch(#site)
            }
        };
        self.dispatch(call, &test)
    }

    /// Rewrites a method call on a client. The client is borrowed to test its type, and is never moved.
    pub(crate) fn on_client(&self, call: &mut ExprMethodCall, is_reference: bool) -> Expr {
        // Input:  client.get(uri)                                           where `client` is a reference
        // Output: (match ::xray::__private::client::Client(&*client).__xray_client(site) {
        //             // The arms `Traced` and `Untraced` as in `on_place`.
        //         })
        //
        // The type test borrows `&*client`, not `&client`. The user's method call auto-dereferences `client`, so an
        // enclosing closure captures only `*client`. With `&client` the closure would capture the variable itself and
        // could not outlive it.
        let (span, site) = (span_at(&call.method), self.site(&call.method));
        let module = self.private("client", span);
        let client = peeled(&call.receiver);
        let client = if is_reference { quote_spanned!(span=> *#client) } else { quote_spanned!(span=> #client) };
        let test = quote_spanned!(span=> #module::Client(&#client).__xray_client(#site));
        self.dispatch(call, &test)
    }

    /// Returns a `match` on the result of a type test. One arm calls the twin, the other makes the user's call. The type
    /// of the test's result makes one arm unreachable.
    fn dispatch(&self, call: &mut ExprMethodCall, test: &TokenStream) -> Expr {
        // The test returns `Dispatch<Twin<_>, UnreachableUntraced>` for a traceable type, and
        // `Dispatch<UnreachableTwin, Untraced>` for any other type. The two `Unreachable*` types are uninhabited, so
        // `reached()` on one of them cannot return. The code after it is unreachable, and the borrow checker ignores its
        // moves and borrows. This is what allows the arm `Untraced` to use a place that the test has moved.
        //
        // The unreachable arm still needs the type of the other arm. `UnreachableTwin` has each method of the table that
        // is called on a place or a client, generic in its result; see `runtime_tables::for_each_method`.
        // `UnreachableUntraced::pass` accepts the result of the user's call and returns any type.
        //
        // The parentheses are for a call at the start of a statement, such as `request.send() == 1;`. Without them the
        // `match` would be a complete statement, and `== 1` a syntax error. tests/it/shapes/positions.rs::statements
        let span = span_at(&call.method);
        let dispatch = self.private("Dispatch", span);
        let attributes = mem::take(&mut call.attrs);
        let mut on_twin = call.clone();
        *on_twin.receiver = Expr::Verbatim(quote_spanned!(span=> __xray_twin));
        // rustc up to 1.85 reports `unreachable_code` on the first expression after the diverging `reached()`. The
        // binding of `__xray_twin` is that expression, and the `allow` covers it. Without the binding, the lint would be
        // reported on the user's argument.
        Expr::Verbatim(quote_spanned! {span=>
            #(#attributes)*
            (match #test {
                #[allow(unreachable_code)]
                #dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    #on_twin
                }
                #[allow(unreachable_code)]
                #dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(#call),
            })
        })
    }

    /// Rewrites a call whose first argument may be the request. The argument is inspected before it is passed to the
    /// user's method. If it is a request, the result of the call is recorded as the response.
    pub(crate) fn on_argument(&self, expression: &mut Expr, slot: &Slot) {
        // Input:  client.execute(request)
        // Output: let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();    at the body's start, see `Slot`
        //         ..
        //         (match client.execute(::xray::__private::inspect(
        //             request,
        //             &mut __xray_slot_0,
        //             (&__XRAY_SITE).at(::core::line!()),
        //             |__xray_it, __xray_slot, __xray_site| ::xray::__private::execute::argument(__xray_it)
        //                 .__xray_enter(__xray_it, __xray_slot, __xray_site),
        //         )) {
        //             __xray_out => (&&&&&Outcome::of(&__xray_out, &__xray_slot_0).__xray_when())
        //                 .__xray_how()
        //                 .exit(__xray_out, &mut __xray_slot_0),
        //         })
        //
        // * `inspect` returns its first argument, so type inference still takes the argument's type from the parameter
        //   of `execute`. A `conn: &mut Connection` is still reborrowed, not moved: `1.execute(conn)?; 2.execute(conn)?`.
        //   tests/it/shapes/arguments.rs::diesel
        // * The type test is in a closure, because the compiler checks closures after all other arguments of a call. By
        //   then the argument's type is inferred from the parameter of `execute`. Before, method lookup would select the
        //   implementation for requests, and the argument would have to be a request.
        //   tests/it/shapes/inference.rs::a_client_of_another_kind
        // * The argument appears once, in its original position, so two-phase borrows such as
        //   `service.call(service.len())` still compile. tests/it/shapes/arguments.rs::inferred
        // * A `match` binds the result, because a `let` would end temporaries too early; see `on_value`.
        // * The user's call is moved into the output. Cloning it at every level would take quadratic time for nested
        //   calls. tests.rs::long_and_deep_code_takes_linear_work_and_little_stack
        let Some(name) = name_of(expression) else { return };
        let (span, module, site, slot) = (span_at(&name), self.module(&name), self.site(&name), &slot.name);
        let (inspect, outcome) = (self.private("inspect", span), self.private("outcome", span));
        let entered = if self.requirement == Requirement::Optional {
            quote_spanned!(span=> #module::argument(__xray_it).__xray_enter(__xray_it, __xray_slot, __xray_site))
        } else {
            quote_spanned!(span=> #module::enter(__xray_it, __xray_slot, __xray_site))
        };
        let enter = quote_spanned!(span=> |__xray_it, __xray_slot, __xray_site| #entered);
        let (attributes, argument) = match &mut *expression {
            Expr::MethodCall(call) => (&mut call.attrs, &mut call.args[0]),
            Expr::Call(call) => (&mut call.attrs, &mut call.args[0]),
            _ => return,
        };
        // Attributes such as `#[allow(..)]` move to the whole output, because a scrutinee cannot have attributes.
        let attributes = mem::take(attributes);
        *argument = Expr::Verbatim(quote_spanned!(span=> #inspect(#argument, &mut #slot, #site, #enter)));
        *expression = Expr::Verbatim(quote_spanned! {span=>
            #(#attributes)*
            (match #expression {
                __xray_out => (&&&&&#outcome::Outcome::of(&__xray_out, &#slot).__xray_when())
                    .__xray_how()
                    .exit(__xray_out, &mut #slot),
            })
        });
    }

    /// Rewrites a call of a free function that makes a request, such as `reqwest::get`. The client's own function is
    /// replaced by a traced version.
    pub(crate) fn on_function(&self, call: &mut ExprCall) {
        // Input:  reqwest::get(url)
        // Output: (match reqwest::get {
        //             __xray_callee => {
        //                 ::xray::__private::functions::Callee::of(&__xray_callee)
        //                     .__xray_open(__xray_callee, (&__XRAY_SITE).at(::core::line!()))
        //             }
        //         })(url)
        //
        // Only the callee is replaced, so the arguments coerce as before. The runtime checks the function's result type,
        // and at run time its crate: a function of a user's module named `reqwest` is called as written.
        // tests/it/functions.rs::modules_of_the_same_name_are_left_alone
        let Some(name) = name_of_function(call) else { return };
        let (span, site) = (span_at(&name), self.site(&name));
        let functions = self.private("functions", span);
        let function = &call.func;
        *call.func = Expr::Verbatim(quote_spanned! {span=>
            (match #function {
                __xray_callee => {
                    #functions::Callee::of(&__xray_callee).__xray_open(__xray_callee, #site)
                }
            })
        });
    }

    /// Rewrites the argument of a call that spawns a task or thread: the spawned future or closure then runs in the
    /// current trace.
    pub(crate) fn on_spawn(&self, argument: &mut Expr, spawned: Spawned) {
        // Input:  tokio::spawn(async move { .. })
        // Output: tokio::spawn(::xray::__private::future_in_current_trace(async move { .. }))
        let carry = match spawned {
            Spawned::Closure => "in_current_trace",
            Spawned::Future => "future_in_current_trace",
        };
        let span = Span::mixed_site().located_at(argument.span());
        let carry = self.private(carry, span);
        *argument = Expr::Verbatim(quote_spanned!(span=> #carry(#argument)));
    }

    /// Returns the path of an item in the runtime's `__private` module.
    fn private(&self, name: &str, span: Span) -> TokenStream {
        let (runtime, name) = (&self.options.common.runtime, Ident::new(name, span));
        quote_spanned!(span=> #runtime::__private::#name)
    }

    /// Returns the runtime's module for the name of a method or function, such as `::xray::__private::send`. The module
    /// is `any` for a call that is marked with `#[xray(trace)]` and whose name is not in the table.
    fn module(&self, name: &Ident) -> TokenStream {
        let is_in_table = self.requirement != Requirement::Marked || calls::has_module(name);
        let module = if is_in_table { name.to_string() } else { "any".to_owned() };
        self.private(&module, span_at(name))
    }

    /// Returns an expression of the runtime's type `CallSite` for the call.
    fn site(&self, name: &Ident) -> TokenStream {
        // Input:  #[xray(name = "todos")] client.get(url).send()            with `annotate(..)` on the function
        // Output: {
        //             static __XRAY_NAMED_SITE: ::xray::__private::FunctionSite = (&__XRAY_SITE).with_name("todos");
        //             &__XRAY_NAMED_SITE
        //         }
        //         .at_with(::core::line!(), &__xray_annotations)
        //
        // * `line!()` has the span of the user's method name, so it expands to the line of the call and not to that of
        //   the attribute.
        // * The receiver of `at` is `(&__XRAY_SITE)` and not `__XRAY_SITE`, because a user's trait may implement a method
        //   `at(self)` for every type. On `__XRAY_SITE` itself, method lookup would find the user's by-value method
        //   before the inherent `at(&self)`. On the reference, lookup finds both at the first step, and the inherent
        //   method takes precedence. tests/it/shapes/scopes.rs::below_blanket_traits
        let span = span_at(name);
        let line = quote_spanned!(name.span()=> ::core::line!());
        let mut site = quote_spanned!(span=> (&__XRAY_SITE));
        if let Some(name) = self.name {
            let runtime = &self.options.common.runtime;
            site = quote_spanned! {span=>
                {
                    static __XRAY_NAMED_SITE: #runtime::__private::FunctionSite = #site.with_name(#name);
                    &__XRAY_NAMED_SITE
                }
            };
        }
        if self.options.common.annotations.is_empty() {
            quote_spanned!(span=> #site.at(#line))
        } else {
            quote_spanned!(span=> #site.at_with(#line, &__xray_annotations))
        }
    }
}

/// A variable that carries a call from its request to its response.
///
/// It is declared at the start of the innermost body around the call: of the function, a closure or an async block. A
/// block around the call alone would drop the temporaries of the user's statement too early. If the variable were
/// declared outside a closure, the closure would capture it mutably and be `FnMut` instead of `Fn`
/// (`tests/it/shapes/arguments.rs::execute`).
///
/// Its type is `Slot<S>`. The compiler infers `S` from the call: `Entered` if the argument is a request, `Untouched` if
/// not. The type of the slot then selects how the result of the call is processed.
pub(crate) struct Slot {
    name: Ident,
    /// The `#[cfg]` attributes around the call. If the call is not compiled, the type parameter of the slot cannot be
    /// inferred, so the declaration has the attributes too (`tests/it/shapes/attributes.rs::many`).
    conditions: Vec<Attribute>,
}

impl Slot {
    pub(crate) fn new(number: usize, expression: &Expr, conditions: Vec<Attribute>) -> Self {
        let span = name_of(expression).map_or_else(Span::mixed_site, |name| span_at(&name));
        Self { name: Ident::new(&format!("__xray_slot_{number}"), span), conditions }
    }

    pub(crate) fn declaration(&self, runtime: &Path) -> Stmt {
        let (name, conditions) = (&self.name, &self.conditions);
        let declaration = quote_spanned! {name.span()=>
            #(#conditions)*
            let mut #name = #runtime::__private::outcome::Slot::new();
        };
        Stmt::Expr(Expr::Verbatim(declaration), None)
    }
}

/// Returns `match value { name => body }`, which binds `value` to `name` without ending the lifetime of its temporaries.
fn match_one(value: Expr, name: Ident, body: TokenStream) -> ExprMatch {
    let span = name.span();
    let arm = Arm {
        attrs: Vec::new(),
        pat: Pat::Verbatim(name.into_token_stream()),
        fat_arrow_token: Token![=>](span),
        body: Box::new(Expr::Verbatim(body)),
        comma: None,
    };
    ExprMatch {
        attrs: Vec::new(),
        match_token: Token![match](span),
        expr: Box::new(value),
        brace_token: Brace(span),
        arms: vec![arm],
    }
}

/// Returns the name of the called method or function, or `any` if the callee is not a path, as in `(self.post)(request)`.
fn name_of(call: &Expr) -> Option<Ident> {
    match call {
        Expr::MethodCall(call) => Some(call.method.clone()),
        Expr::Call(call) => name_of_function(call),
        _ => None,
    }
}

/// Returns the last name in the path of the callee, or `any` if the callee is not a path.
fn name_of_function(call: &ExprCall) -> Option<Ident> {
    match peeled(&call.func) {
        Expr::Path(function) => function.path.segments.last().map(|last| last.ident.clone()),
        other => Some(Ident::new("any", other.span())),
    }
}
