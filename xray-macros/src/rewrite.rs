//! The tokens for each kind of call.
//!
//! The user's call stays whole: its dot, name and parentheses keep their positions, so that panics and
//! `#[track_caller]` report the line that they reported before (`tests/shapes/methods.rs::locations`).
//!
//! The output is not parsed again, but kept as `Expr::Verbatim`. Users build this crate without optimization, where
//! parsing would take longer than all the rest.

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::token::Brace;
use syn::{Arm, Attribute, Expr, ExprCall, ExprMatch, ExprMethodCall, Ident, LitStr, Pat, Path, Stmt, Token};

use crate::calls;
use crate::candidate::Demand;
use crate::options::TracedHttpOptions;
use crate::spawn::Spawned;
use crate::syntax::{into_peeled, peeled, span_at};

/// Writes the tokens for one call.
pub(crate) struct Rewriter<'a> {
    pub(crate) options: &'a TracedHttpOptions,
    /// The name of the subsegment, from an attribute in the function.
    pub(crate) name: Option<&'a LitStr>,
    /// What the user demands of the call.
    pub(crate) demand: Demand,
}

impl Rewriter<'_> {
    /// A call on a value: if the value's type is known, the value is exchanged for its traced twin.
    pub(crate) fn on_value(&self, call: &mut ExprMethodCall) {
        // Input:  client.get(url).send()
        // Output: match client.get(url) {
        //             __xray_it => ::xray::__private::send::receiver(&__xray_it)
        //                 .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!())),
        //         }
        //         .send()
        //
        // With a demand, by `strict` or `#[xray(trace)]`:
        // Output: ::xray::__private::send::open(client.get(url), (&__XRAY_SITE).at(::core::line!())).send()
        //
        // * `match`, because the temporaries in its scrutinee live to the end of the user's statement, as they did.
        //   After `let __xray_it = cell.borrow().request();` the guard would be gone before the call.
        //   tests/shapes/temporaries.rs::guards_in_a_statement
        // * The type decides by the order of method lookup. `receiver(&value)` has a type without a value of its own,
        //   `Receiver<send, T>`. Its inherent `__xray_open` exists only if `T: Traceable<send>` and is found first; the
        //   trait `UnknownReceiver` has one for every `T`, which gives the value back. See the runtime's `private`.
        // * The arguments of the call are not touched, so that they borrow, move and coerce as before.
        // * A demand is a bound on `open`. The compiler then reports an unknown type, in the words of
        //   `#[diagnostic::on_unimplemented]`. tests/ui/compiler/unknown_types.rs
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        let receiver = mem::replace(&mut *call.receiver, Expr::PLACEHOLDER);
        if self.demand != Demand::None {
            *call.receiver = Expr::Verbatim(quote_spanned!(span=> #module::open(#receiver, #site)));
            return;
        }
        let exchanged = quote_spanned! {span=>
            #module::receiver(&__xray_it).__xray_open(__xray_it, #site)
        };
        // Peeled: parentheses that a receiver needs are `unused_parens` in a scrutinee. For the one receiver that needs
        // them there too, a struct literal, syn writes them again. tests/shapes/positions.rs::receivers, tests/lints.rs
        *call.receiver = Expr::Match(match_one(into_peeled(receiver), Ident::new("__xray_it", span), exchanged));
    }

    /// A call on a place: the place is asked for its type, and its value is moved out only if the type is known.
    pub(crate) fn on_place(&self, call: &mut ExprMethodCall) -> Expr {
        // Input:  request.send()
        // Output: (match {
        //             use ::xray::__private::send::{Peek as _, Take as _};
        //             request.__xray_ask((&__XRAY_SITE).at(::core::line!()))
        //         } {
        //             Ask::Yes(__xray_known) => {
        //                 let __xray_twin = __xray_known.alive();
        //                 __xray_twin.send()
        //             }
        //             Ask::No(__xray_other) => __xray_other.alive().pass(request.send()),
        //         })
        //
        // A place cannot be a `match` scrutinee that is bound, as in `on_value`: the binding would move a value whose
        // `send(&self)` only borrows it. So the place stands twice, in the question and in the call.
        //
        // * Both mentions are receivers of method calls on the whole place, so that a closure around them captures the
        //   fields that it captured before, and no variable as a whole. tests/shapes/closures.rs::disjoint_fields
        // * `Take::__xray_ask(self)` exists for known types and is found first, since lookup tries a method by value
        //   before it tries one by reference. It moves the value out, as the client's `send(self)` does.
        // * `Peek::__xray_ask(&self)` exists for every type, also unsized ones, and borrows the place for the question.
        //   tests/shapes/methods.rs::unsized_generic
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        let place = peeled(&call.receiver);
        let question = quote_spanned! {span=>
            {
                use #module::{Peek as _, Take as _};
                #place.__xray_ask(#site)
            }
        };
        self.asked(call, &question)
    }

    /// A call on a client, which is looked at and stays where it is.
    pub(crate) fn on_client(&self, call: &mut ExprMethodCall, is_reference: bool) -> Expr {
        // Input:  client.get(uri)                                           where `client` is a reference
        // Output: (match ::xray::__private::client::Asked(&*client).__xray_client(site) {
        //             .. the two arms of `on_place`
        //         })
        //
        // `*client` and not `client`: the method call dereferences by itself, so that a closure around it captures
        // `*client`. If the question named `client`, the closure would capture the reference itself and could not
        // outlive the variable.
        let (span, site) = (span_at(&call.method), self.site(&call.method));
        let module = self.private("client", span);
        let client = peeled(&call.receiver);
        let client = if is_reference { quote_spanned!(span=> *#client) } else { quote_spanned!(span=> #client) };
        let question = quote_spanned!(span=> #module::Asked(&#client).__xray_client(#site));
        self.asked(call, &question)
    }

    /// Writes a call into two arms, one of which the answer to a question makes unreachable.
    fn asked(&self, call: &mut ExprMethodCall, question: &TokenStream) -> Expr {
        // The answer is `Ask<Twin, Never>` for a known type and `Ask<Nothing, Other>` for any other. `Never` and
        // `Nothing` have no values, so that `alive()` on one of them is a call that cannot return. The compiler knows:
        // what follows is unreachable, and the borrow checker ignores the moves and borrows in it. Only so may the
        // place stand in the arm `No` although the question has moved it.
        //
        // The unreachable arm still must have a type. `Nothing` has every method of the table with a result of any
        // type, and `Never::pass` takes the result of the user's call and gives any type, too.
        //
        // The parentheses are for a call at the start of a statement, `request.send() == 1;`. A `match` there would be
        // a statement of its own, and the rest a syntax error. tests/shapes/positions.rs::statements
        let span = span_at(&call.method);
        let ask = self.private("Ask", span);
        let attributes = mem::take(&mut call.attrs);
        let mut on_twin = call.clone();
        *on_twin.receiver = Expr::Verbatim(quote_spanned!(span=> __xray_twin));
        // rustc up to 1.85 reports `unreachable_code` on the first expression after the diverging `alive()`. Binding
        // `__xray_twin` makes that expression ours, which the `allow` covers, and not the user's argument.
        Expr::Verbatim(quote_spanned! {span=>
            #(#attributes)*
            (match #question {
                #[allow(unreachable_code)]
                #ask::Yes(__xray_known) => {
                    let __xray_twin = __xray_known.alive();
                    #on_twin
                }
                #[allow(unreachable_code)]
                #ask::No(__xray_other) => __xray_other.alive().pass(#call),
            })
        })
    }

    /// A call whose argument may be the request: the argument is looked at on its way into the call. If it is a
    /// request, the result of the call is read as the response.
    pub(crate) fn on_argument(&self, expression: &mut Expr, slot: &Slot) {
        // Input:  client.execute(request)
        // Output: let mut __xray_slot_0 = ::xray::__private::answer::Slot::new();     at the head, see `Slot`
        //         ..
        //         (match client.execute(::xray::__private::look(
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
        // * `look` gives its first argument back, so that the parameter of `execute` still decides the argument's type.
        //   A `conn: &mut Connection` is still reborrowed and not moved: `1.execute(conn)?; 2.execute(conn)?`.
        //   tests/shapes/arguments.rs::diesel
        // * The question is asked in a closure, because the compiler checks closures after all other arguments of a
        //   call. By then the parameter has settled the argument's type. Asked earlier, a type that is still open would
        //   be taken for a request: a lookup on an open type chooses the first rung, and so forces the type.
        //   tests/shapes/inference.rs::a_client_of_another_kind
        // * The argument stands once and is evaluated where it was: `service.call(service.len())` borrows in two
        //   phases. tests/shapes/arguments.rs::inferred
        // * The result is matched, not bound by `let`, for the temporaries: see `on_value`.
        // * The user's call is moved into the output and not cloned. Cloned at each level, calls in calls would take
        //   quadratic time. tests.rs::long_and_deep_code_takes_linear_work_and_little_stack
        let Some(name) = name_of(expression) else { return };
        let (span, module, site, slot) = (span_at(&name), self.module(&name), self.site(&name), &slot.name);
        let (look, answer) = (self.private("look", span), self.private("answer", span));
        let entered = if self.demand == Demand::None {
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
        // Attributes such as `#[allow(..)]` stand on the whole output: in a scrutinee they would be an error.
        let attributes = mem::take(attributes);
        *argument = Expr::Verbatim(quote_spanned!(span=> #look(#argument, &mut #slot, #site, #enter)));
        *expression = Expr::Verbatim(quote_spanned! {span=>
            #(#attributes)*
            (match #expression {
                __xray_out => (&&&&&#answer::Outcome::of(&__xray_out, &#slot).__xray_when())
                    .__xray_how()
                    .exit(__xray_out, &mut #slot),
            })
        });
    }

    /// A function that makes the request itself: if it returns what a client's function of that name returns, it is
    /// exchanged for its traced twin.
    pub(crate) fn on_function(&self, call: &mut ExprCall) {
        // Input:  reqwest::get(url)
        // Output: (match reqwest::get {
        //             __xray_callee => {
        //                 ::xray::__private::functions::Callee::of(&__xray_callee)
        //                     .__xray_open(__xray_callee, (&__XRAY_SITE).at(::core::line!()))
        //             }
        //         })(url)
        //
        // Only the callee is replaced, so that the arguments coerce as before. A module of the user's own that is named
        // `reqwest` passes: tests/functions.rs::modules_of_the_same_name_are_left_alone
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

    /// The start of a task or thread: its future or closure runs in the current trace.
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

    /// Returns the path of an item that only the output names.
    fn private(&self, name: &str, span: Span) -> TokenStream {
        let (runtime, name) = (&self.options.common.runtime, Ident::new(name, span));
        quote_spanned!(span=> #runtime::__private::#name)
    }

    /// Returns the runtime's module for the name of a method or function: `::xray::__private::send`.
    fn module(&self, name: &Ident) -> TokenStream {
        let is_in_table = self.demand != Demand::Marked || calls::has_module(name);
        let module = if is_in_table { name.to_string() } else { "any".to_owned() };
        self.private(&module, span_at(name))
    }

    /// Returns the value that describes the call to the runtime.
    fn site(&self, name: &Ident) -> TokenStream {
        // Input:  #[xray(name = "todos")] client.get(url).send()            with `annotate(..)` on the function
        // Output: {
        //             static __XRAY_NAMED_SITE: ::xray::__private::FunctionSite = (&__XRAY_SITE).with_name("todos");
        //             &__XRAY_NAMED_SITE
        //         }
        //         .at_with(::core::line!(), &__xray_annotations)
        //
        // * `line!()` has the span of the user's method name, so that it is the line of the call and not that of the
        //   attribute.
        // * `(&__XRAY_SITE).at(..)`, not `__XRAY_SITE.at(..)`: a user's trait may give every type a method `at(self)`.
        //   On the static, lookup by value finds that one before our `at(&self)`. On the reference both are found at
        //   the first step, where inherent methods win. tests/shapes/scopes.rs::below_blanket_traits
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
/// It is declared at the head of the nearest body: the function, a closure or an async block. A block around the call
/// would end the temporaries of the user's statement too early. A variable further out would be captured, and turn a
/// closure that is `Fn` into one that is `FnMut` (`tests/shapes/arguments.rs::execute`).
///
/// Its type is `Slot<S>`. The call settles `S`: `Entered` if the argument is a request, `Untouched` if not. So the
/// result can be asked by the slot's type whether it is a response at all.
pub(crate) struct Slot {
    name: Ident,
    /// The `#[cfg]` attributes around the call. If the call is left out of the build, nothing settles the type
    /// parameter, and the declaration must be left out too (`tests/shapes/attributes.rs::many`).
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
            let mut #name = #runtime::__private::answer::Slot::new();
        };
        Stmt::Expr(Expr::Verbatim(declaration), None)
    }
}

/// Returns `match value { name => body }`, which gives a value a name and keeps its temporaries.
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

/// Returns the name of the method or function that is called.
fn name_of(call: &Expr) -> Option<Ident> {
    match call {
        Expr::MethodCall(call) => Some(call.method.clone()),
        Expr::Call(call) => name_of_function(call),
        _ => None,
    }
}

fn name_of_function(call: &ExprCall) -> Option<Ident> {
    match peeled(&call.func) {
        Expr::Path(function) => function.path.segments.last().map(|last| last.ident.clone()),
        other => Some(Ident::new("any", other.span())),
    }
}
