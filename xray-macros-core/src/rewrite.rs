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
//! optimisation, and parsing would then take most of the expansion's time.

mod aws_sdk;

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::token::Brace;
use syn::{Arm, Expr, ExprCall, ExprMatch, ExprMethodCall, Ident, LitStr, Pat, Token};

use crate::arguments::ArgumentUse;
use crate::call_variable::CallVariable;
use crate::calls;
use crate::candidate::Requirement;
use crate::options::TracedHttpOptions;
use crate::position::Position;
use crate::spawn::{Spawned, inner_future_mut};
use crate::syntax::{callee_name, function_name, into_peeled, peeled, span_at, text};

/// Generates the tokens for one call.
pub(crate) struct Rewriter<'a> {
    pub(crate) options: &'a TracedHttpOptions,
    /// The name of the subsegment, from an attribute in the function.
    pub(crate) name: Option<&'a LitStr>,
    /// How strictly the user requires the call to be traced.
    pub(crate) requirement: Requirement,
    /// `true` if the call is recorded with the values of `annotate(..)`.
    pub(crate) is_annotated: bool,
}

impl Rewriter<'_> {
    /// Rewrites a method call whose receiver is a value. A receiver of a traceable type is replaced by its twin.
    pub(crate) fn on_value(&self, call: &mut ExprMethodCall) {
        // Input:  client.get(url).send()
        // Output: ::xray::__private::send::receiver(client.get(url), (&__XRAY_CALL_SITES, ::core::line!()))
        //             .__xray_traced()
        //             .send()
        //
        // If tracing is required (`strict` or `#[xray(trace)]`):
        // Output: ::xray::__private::send::traced(client.get(url), (&__XRAY_CALL_SITES, ::core::line!())).send()
        //
        // * The temporaries of an argument live until the end of the user's statement, like the temporaries of a
        //   receiver. After `let __xray_receiver = cell.borrow().request();` the guard would be dropped before the
        //   call. tests/it/shapes/temporaries.rs::guards_in_a_statement
        // * Method lookup selects the implementation by type. `receiver` returns a `Receiver<send, T>`. Its inherent
        //   `__xray_traced` exists only if `T: Traceable<send>`, and takes precedence. For any other `T` the lookup
        //   finds `UnknownReceiver::__xray_traced`, which returns the value unchanged. See the module documentation of
        //   `xray::__private`.
        // * The arguments of the call are unchanged, so they borrow, move and coerce as before.
        // * If tracing is required, the function `traced` has the bound `Traceable<send>`. For any other type the
        //   compiler reports the `#[diagnostic::on_unimplemented]` message of that trait.
        //   tests/ui/compiler/unknown_types.rs
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        // Around an argument, rustc reports the user's parentheses as unused, and the braces of a block of one
        // expression too, unless the block is in parentheses of the macro. tests/it/lints.rs
        let mut receiver = into_peeled(mem::replace(&mut *call.receiver, Expr::PLACEHOLDER));
        if let Expr::Block(_) = receiver {
            receiver = Expr::Verbatim(quote_spanned!(span=> (#receiver)));
        }
        *call.receiver = if self.may_be_of_aws_sdk(call) {
            self.aws_sdk_value(receiver, span, &site)
        } else if self.requirement == Requirement::Optional {
            Expr::Verbatim(quote_spanned!(span=> #module::receiver(#receiver, #site).__xray_traced()))
        } else {
            Expr::Verbatim(quote_spanned!(span=> #module::traced(#receiver, #site)))
        };
    }

    /// Rewrites a method call whose receiver is a place. The value is moved out of the place only if its type is
    /// traceable.
    pub(crate) fn on_place(&self, call: &mut ExprMethodCall, argument: ArgumentUse) -> Expr {
        // Input:  request.send()
        // Output: (match {
        //             use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        //             request.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
        //         } {
        //             Dispatch::Traced(__xray_twin) => {
        //                 let __xray_twin = __xray_twin.reached();
        //                 __xray_twin.send()
        //             }
        //             Dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(request.send()),
        //         })
        //
        // The place cannot be the argument of a function, as the value in `on_value` is: the argument would move a
        // value that the user's `send(&self)` only borrows. So the place appears twice, once in the type test and once
        // in the call.
        //
        // * Both occurrences are receivers of method calls, so an enclosing closure still captures only the field
        //   `self.request`, not all of `self`. tests/it/shapes/closures.rs::disjoint_fields
        // * `TraceablePlace::__xray_dispatch(self)` exists for traceable types. Lookup tries methods that take `self`
        //   before methods that take `&self`, so `TraceablePlace` has precedence. It moves the value out of the place,
        //   as the client's `send(self)` would.
        // * `UnknownPlace::__xray_dispatch(&self)` exists for every type, including unsized ones. It borrows the place.
        //   tests/it/shapes/methods.rs::unsized_generic
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        let place = peeled(&call.receiver);
        // The uninhabited stand-in for the twin has no two methods of one name, so there is one for each number of
        // arguments.
        let name = if call.args.is_empty() { "__xray_dispatch" } else { "__xray_dispatch_with" };
        let name = Ident::new(name, span);
        let test = quote_spanned! {span=>
            {
                use #module::{TraceablePlace as _, UnknownPlace as _};
                #place.#name(#site)
            }
        };
        if !self.may_be_of_aws_sdk(call) || !matches!(place, Expr::Path(_)) {
            return self.dispatch(call, &test, argument, ExprMethodCall::to_token_stream);
        }
        let place = place.clone();
        let attributes = mem::take(&mut call.attrs);
        let of_http = self.dispatch(call, &test, argument, ExprMethodCall::to_token_stream);
        self.aws_sdk_place(&attributes, &place, &of_http, span, &site)
    }

    /// Rewrites a method call on a client. The client is borrowed to test its type, and is never moved.
    pub(crate) fn on_client(
        &self,
        call: &mut ExprMethodCall,
        is_reference: bool,
        argument: ArgumentUse,
        types: Option<&Ident>,
    ) -> Expr {
        // Input:  client.get(uri)                                           where `client` is a reference
        // Output: (match ::xray::__private::client::Client(&*client).__xray_dispatch(site) {
        //             // The arms `Traced` and `Untraced` as in `on_place`.
        //         })
        //
        // The type test borrows `&*client`, not `&client`. The user's method call auto-dereferences `client`, so an
        // enclosing closure captures only `*client`. With `&client` the closure would capture the variable itself and
        // could not outlive it.
        //
        // A future that is not awaited directly may need the type of the future of `client.request(request)` in another
        // branch or in a list. So the future of a client of an unknown type is replaced by a traced future too:
        // Output: Dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(match client.get(uri) {
        //             __xray_result => ResultOf::of(&__xray_result).__xray_kind().pass(__xray_result, types),
        //         }),
        // tests/it/shapes/named_futures.rs::of_an_unknown_client
        let (span, site) = (span_at(&call.method), self.site(&call.method));
        let module = self.private("client", span);
        let client = peeled(&call.receiver);
        let client = if is_reference { quote_spanned!(span=> *#client) } else { quote_spanned!(span=> #client) };
        let test = quote_spanned!(span=> #module::Client(&#client).__xray_dispatch(#site));
        self.dispatch(call, &test, argument, |call| match types.map(|types| self.types_argument(types, span)) {
            Some(types) => {
                let module = self.private("argument", span);
                quote_spanned! {span=>
                    match #call {
                        __xray_result => {
                            #module::ResultOf::of(&__xray_result).__xray_kind().pass(__xray_result, #types)
                        }
                    }
                }
            }
            None => call.to_token_stream(),
        })
    }

    /// Returns a `match` on the result of a type test. One arm calls the twin, the other makes the user's call. The
    /// type of the test's result makes one arm unreachable.
    ///
    /// A hoisted argument is evaluated once, before the test. `untraced` returns the user's call for the arm
    /// `Untraced`.
    fn dispatch(
        &self,
        call: &mut ExprMethodCall,
        test: &TokenStream,
        argument: ArgumentUse,
        untraced: impl FnOnce(&ExprMethodCall) -> TokenStream,
    ) -> Expr {
        // The test returns `Dispatch<Twin<_>, UnreachableUntraced>` for a traceable type, and
        // `Dispatch<UnreachableTwin, Untraced>` for any other type. The two `Unreachable*` types are uninhabited, so
        // `reached()` on one of them cannot return. The code after it is unreachable, and the borrow checker ignores
        // its moves and borrows. This is what allows the arm `Untraced` to use a place that the test has moved.
        //
        // The unreachable arm still needs the type of the other arm. `UnreachableTwin` has each method of the table
        // that is called on a place or a client, generic in its result; see `runtime_tables::for_each_method`.
        // `UnreachableUntraced::pass` accepts the result of the user's call and returns any type.
        //
        // The parentheses are for a call at the start of a statement, such as `request.send() == 1;`. Without them the
        // `match` would be a complete statement, and `== 1` a syntax error. tests/it/shapes/positions.rs::statements
        //
        // With a hoisted argument:
        // Input:  request.send(encode(body)?)
        // Output: (match encode(body)? { __xray_argument => match .. { .. request.send(__xray_argument) .. } })
        //
        // A scrutinee keeps its temporaries to the end of the statement, as an argument does. An argument in the arms
        // would lose them at the end of its arm. tests/it/shapes/bodies.rs::borrowed_bytes
        let span = span_at(&call.method);
        let dispatch = self.private("Dispatch", span);
        let attributes = mem::take(&mut call.attrs);
        let hoisted = match (argument, call.args.first_mut()) {
            (ArgumentUse::Hoisted, Some(argument)) => {
                let name = Expr::Verbatim(quote_spanned!(span=> __xray_argument));
                Some(mem::replace(argument, name))
            }
            _ => None,
        };
        let mut on_twin = call.clone();
        *on_twin.receiver = Expr::Verbatim(quote_spanned!(span=> __xray_twin));
        // rustc up to 1.85 reports `unreachable_code` on the first expression after the diverging `reached()`. The
        // binding of `__xray_twin` is that expression, and the `allow` covers it. Without the binding, the lint would
        // be reported on the user's argument.
        let untraced = untraced(call);
        let dispatched = quote_spanned! {span=>
            match #test {
                #[allow(unreachable_code)]
                #dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    #on_twin
                }
                #[allow(unreachable_code)]
                #dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(#untraced),
            }
        };
        let dispatched = match hoisted {
            Some(argument) => match_one(argument, Ident::new("__xray_argument", span), dispatched).into_token_stream(),
            None => dispatched,
        };
        Expr::Verbatim(quote_spanned!(span=> #(#attributes)* (#dispatched)))
    }

    /// Rewrites a call whose first argument may be the request. The argument is inspected before it is passed to the
    /// user's method. If it is a request, the result of the call is recorded as the response.
    pub(crate) fn on_argument(
        &self,
        expression: &mut Expr,
        variable: &CallVariable,
        types: &Ident,
        position: Position,
    ) {
        // Input:  client.execute(request).await
        // Output: let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();    at the body's start
        //         ..
        //         (match client.execute(::xray::__private::argument::inspect(
        //             request,
        //             &mut __xray_call_0,
        //             (&__XRAY_CALL_SITES, ::core::line!()),
        //             CallTypes { of: PhantomData, ..__xray_types_0 },
        //         )) {
        //             __xray_result => ResultOf::of(&__xray_result)
        //                 .__xray_kind()
        //                 .finish(__xray_result, &mut __xray_call_0, CallTypes { of: PhantomData, ..__xray_types_0 }),
        //         })
        //         .await
        //
        // Input:  let response = client.execute(request)?;
        // Output: as above, but with `AsValue.finish(..)`, which returns a value of the same type as its argument.
        //
        // * `inspect` returns its first argument, so type inference still takes the argument's type from the parameter
        //   of `execute`. A `conn: &mut Connection` is still reborrowed, not moved:
        //   `1.execute(conn)?; 2.execute(conn)?`. tests/it/shapes/arguments.rs::diesel
        // * The only type test here is whether the result is a future, and only if the user's code requires the type to
        //   be known. The other answers are type parameters of `__xray_types_0`; see `settlement`.
        //   tests/it/shapes/typed.rs
        // * The argument appears once, in its original position, so two-phase borrows such as
        //   `service.call(service.len())` still compile. tests/it/shapes/arguments.rs::inferred
        // * A `match` binds the result, because a `let` would end temporaries too early; see `on_value`.
        // * The user's call is moved into the output. Cloning it at every level would take quadratic time for nested
        //   calls. tests.rs::long_and_deep_code_takes_linear_work_and_little_stack
        let Some(name) = callee_name(expression) else { return };
        let (span, site, call) = (span_at(&name), self.site(&name), &variable.name);
        let (module, types) = (self.private("argument", span), self.types_argument(types, span));
        let (attributes, argument) = match &mut *expression {
            Expr::MethodCall(call) => (&mut call.attrs, &mut call.args[0]),
            Expr::Call(call) => (&mut call.attrs, &mut call.args[0]),
            _ => return,
        };
        // Attributes such as `#[allow(..)]` move to the whole output, because a scrutinee cannot have attributes.
        let attributes = mem::take(attributes);
        if self.requirement != Requirement::Optional {
            let module = self.module(&name);
            *argument = Expr::Verbatim(quote_spanned!(span=> #module::required(#argument)));
        }
        *argument = Expr::Verbatim(quote_spanned!(span=> #module::inspect(#argument, &mut #call, #site, #types)));
        // A method call, `.await` or `?` on the result requires its type to be known where the call is.
        let kind = if position.accepts_any_future() || self.requirement == Requirement::Marked {
            quote_spanned!(span=> #module::ResultOf::of(&__xray_result).__xray_kind())
        } else {
            quote_spanned!(span=> #module::AsValue)
        };
        let finished = quote_spanned!(span=> #kind.finish(__xray_result, &mut #call, #types));
        let user_call = mem::replace(expression, Expr::PLACEHOLDER);
        let finished = match_one(user_call, Ident::new("__xray_result", span), finished);
        *expression = Expr::Verbatim(quote_spanned!(span=> #(#attributes)* (#finished)));
    }

    /// Returns the expression that links the open types of a call.
    fn types_argument(&self, types: &Ident, span: Span) -> TokenStream {
        let (module, phantom) = (self.private("argument", span), self.private("PhantomData", span));
        // Clippy reports a struct base that supplies no field.
        quote_spanned!(span=> #[allow(clippy::needless_update)] #module::CallTypes { of: #phantom, ..#types })
    }

    /// Returns the statement that determines the types of a call that [`on_argument`](Self::on_argument) rewrites.
    pub(crate) fn settle(&self, expression: &Expr, types: &Ident) -> TokenStream {
        // Output:
        // (&&&&&&::xray::__private::execute::settle(&__xray_types_0).__xray_test_argument()).__xray_test_result();
        //
        // For `strict` and `#[xray(trace)]` another line follows, which compiles only if the call is traced:
        // Output: ::xray::__private::settle::require(&__xray_types_0);
        let Some(name) = callee_name(expression) else { return TokenStream::new() };
        let (span, module) = (span_at(&name), self.module(&name));
        let required = (self.requirement != Requirement::Optional).then(|| {
            let settle = self.private("settle", span);
            quote_spanned!(span=> #settle::require(&#types);)
        });
        quote_spanned! {span=>
            (&&&&&&#module::settle(&#types).__xray_test_argument()).__xray_test_result();
            #required
        }
    }

    /// Returns the statement that determines the types of a call on a client of an unknown type, which is not traced.
    pub(crate) fn settle_unknown(&self, call: &ExprMethodCall, types: &Ident) -> TokenStream {
        // Output: ::xray::__private::settle::unknown(&__xray_types_0).__xray_test_argument();
        let span = span_at(&call.method);
        let settle = self.private("settle", span);
        quote_spanned!(span=> #settle::unknown(&#types).__xray_test_argument();)
    }

    /// Rewrites a call to a free function that makes a request, such as `reqwest::get`. The client's own function is
    /// replaced by a traced version.
    pub(crate) fn on_function(&self, call: &mut ExprCall) {
        // Input:  reqwest::get(url)
        // Output: (match reqwest::get {
        //             __xray_callee => {
        //                 ::xray::__private::functions::Callee::of(&__xray_callee)
        //                     .__xray_traced(__xray_callee, (&__XRAY_CALL_SITES, ::core::line!()))
        //             }
        //         })(url)
        //
        // Only the callee is replaced, so the arguments coerce as before. The runtime checks the function's result
        // type, and at run time its crate: a function of a user's module named `reqwest` is called as written.
        // tests/it/functions.rs::modules_of_the_same_name_are_left_alone
        let Some(name) = function_name(call).cloned() else { return };
        let (span, site) = (span_at(&name), self.site(&name));
        let functions = self.private("functions", span);
        let function = &call.func;
        *call.func = Expr::Verbatim(quote_spanned! {span=>
            (match #function {
                __xray_callee => {
                    #functions::Callee::of(&__xray_callee).__xray_traced(__xray_callee, #site)
                }
            })
        });
    }

    /// Rewrites the path of a builder's method, such as `RequestBuilder::send`, in a call or as an argument.
    pub(crate) fn on_method_path(&self, path: &mut Expr) {
        // Input:  RequestBuilder::send
        // Output: (match RequestBuilder::send {
        //             __xray_callee => ::xray::__private::send::callee(&__xray_callee).__xray_traced(
        //                 __xray_callee,
        //                 |__xray_twin| __xray_twin.send(),
        //                 (&__XRAY_CALL_SITES, ::core::line!()),
        //             ),
        //         })
        //
        // The type of the function's first parameter decides. If that type is not traceable, the result is the function
        // itself. The closure is checked after the other arguments, when the type of its parameter is known: the twin,
        // or the uninhabited `UnreachableTwin`, which has every method of the table.
        // tests/it/shapes/builders.rs::methods_by_path
        let Expr::Path(method) = peeled(path) else { return };
        let Some(name) = method.path.segments.last().map(|last| last.ident.clone()) else { return };
        let (span, module, site) = (span_at(&name), self.module(&name), self.site(&name));
        *path = Expr::Verbatim(quote_spanned! {span=>
            (match #path {
                __xray_callee => #module::callee(&__xray_callee)
                    .__xray_traced(__xray_callee, |__xray_twin| __xray_twin.#name(), #site),
            })
        });
    }

    /// Rewrites the argument of a call that spawns a task or thread: the spawned future or closure then runs in the
    /// current trace.
    pub(crate) fn on_spawn(&self, argument: &mut Expr, spawned: Spawned) {
        // Input:  tokio::spawn(async move { .. })
        // Output: tokio::spawn(::xray::__private::future_in_current_trace(async move { .. }))
        //
        // The context is in a variable of the thread and does not follow a task. So the runtime's function takes the
        // trace that is current at the spawn, and polls the future in it. tests/it/shapes/spawned.rs::tasks
        if let Some(future) = inner_future_mut(argument) {
            return self.on_spawn(future, spawned);
        }
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
        // The compiler reports an error about the user's call at the first token of the receiver, which is the first
        // token of this path. tests/ui/compiler/type_error.rs
        let located = self.options.common.runtime.to_token_stream().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        let (runtime, name) = (located.collect::<TokenStream>(), Ident::new(name, span));
        quote_spanned!(span=> #runtime::__private::#name)
    }

    /// Returns the runtime's module for the name of a method or function, such as `::xray::__private::send`. The module
    /// is `any` for a call that is marked with `#[xray(trace)]` and whose name is not in the table.
    fn module(&self, name: &Ident) -> TokenStream {
        let is_in_table = self.requirement != Requirement::Marked || calls::has_module(name);
        let module = if is_in_table { text(name) } else { "any".to_owned() };
        self.private(&module, span_at(name))
    }

    /// Returns an expression for the place of the call, which the runtime converts into a `CallSite`.
    fn site(&self, name: &Ident) -> TokenStream {
        // Input:  #[xray(name = "todos")] client.get(url).send()            with `annotate(..)` on the function
        // Output: (
        //             {
        //                 static __XRAY_NAMED_CALL_SITES: ::xray::__private::CallSites =
        //                     (&__XRAY_CALL_SITES).with_name("todos");
        //                 &__XRAY_NAMED_CALL_SITES
        //             },
        //             ::core::line!(),
        //             &__xray_annotations,
        //         )
        //
        // * `line!()` has the span of the user's method name, so it expands to the line of the call instead of the line
        //   of the attribute.
        // * The receiver of `with_name` is `(&__XRAY_CALL_SITES)` and not `__XRAY_CALL_SITES`, because a user's trait
        //   may implement a method `with_name(self)` for every type. On `__XRAY_CALL_SITES` itself, method lookup would
        //   find the user's by-value method before the inherent `with_name(&self)`. On the reference, lookup finds both
        //   at the first step, and the inherent method takes precedence.
        //   tests/it/shapes/scopes.rs::below_blanket_traits
        let span = span_at(name);
        let line = quote_spanned!(name.span()=> ::core::line!());
        let mut sites = quote_spanned!(span=> &__XRAY_CALL_SITES);
        if let Some(name) = self.name {
            let runtime = &self.options.common.runtime;
            sites = quote_spanned! {span=>
                {
                    static __XRAY_NAMED_CALL_SITES: #runtime::__private::CallSites = (#sites).with_name(#name);
                    &__XRAY_NAMED_CALL_SITES
                }
            };
        }
        if self.is_annotated {
            quote_spanned!(span=> (#sites, #line, &__xray_annotations))
        } else {
            quote_spanned!(span=> (#sites, #line))
        }
    }
}

/// Returns `match value { name => body }`, which binds `value` to `name` without ending the lifetime of its
/// temporaries.
///
/// It is built without `quote!`, because a struct literal in a scrutinee needs parentheses, which only `ExprMatch`
/// writes. `tests/it/shapes/evaluation.rs::struct_literals`
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
