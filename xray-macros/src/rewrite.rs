//! The tokens for each kind of call.
//!
//! The user's call stays whole: its dot, name and parentheses keep their places, so that panics and
//! `#[track_caller]` point where they did. All that is generated has a macro's span at the call, so that no lint
//! speaks of it. It is not parsed again: in a debug build of this crate, which is what users have, that would take
//! longer than all the rest.

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::token::Brace;
use syn::{Arm, Attribute, Expr, ExprCall, ExprMatch, ExprMethodCall, Ident, LitStr, Pat, Path, Stmt, Token};

use crate::calls::{self, Spawned};
use crate::candidate::Demand;
use crate::options::Options;
use crate::receiver::{into_peeled, peeled};

/// What the tokens need to know besides the call.
pub(crate) struct Rewriter<'a> {
    pub(crate) options: &'a Options,
    /// Name for the subsegment, from an attribute in the function.
    pub(crate) name: Option<&'a LitStr>,
    /// What the user says of the call.
    pub(crate) demand: Demand,
}

impl Rewriter<'_> {
    /// A call on a value: the value is exchanged for its traced twin if its type has one.
    pub(crate) fn on_value(&self, call: &mut ExprMethodCall) {
        let (span, module, site) = (span_at(&call.method), self.module(&call.method), self.site(&call.method));
        let receiver = mem::replace(&mut *call.receiver, Expr::PLACEHOLDER);
        if self.demand != Demand::None {
            *call.receiver = Expr::Verbatim(quote_spanned!(span=> #module::open(#receiver, #site)));
            return;
        }
        let exchanged = quote_spanned! {span=>
            #module::receiver(&__xray_it).__xray_open(__xray_it, #site)
        };
        *call.receiver = Expr::Match(match_one(into_peeled(receiver), Ident::new("__xray_it", span), exchanged));
    }

    /// A call on a place: the place is asked, which takes the value out only if its type is known.
    pub(crate) fn on_place(&self, call: &mut ExprMethodCall) -> Expr {
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

    /// A call on a client, which stays where it is.
    ///
    /// What is behind a reference is asked as the call itself reaches it, so that a closure captures the same.
    pub(crate) fn on_client(&self, call: &mut ExprMethodCall, is_reference: bool) -> Expr {
        let (span, site) = (span_at(&call.method), self.site(&call.method));
        let module = self.private("client", span);
        let client = peeled(&call.receiver);
        let client = if is_reference { quote_spanned!(span=> *#client) } else { quote_spanned!(span=> #client) };
        let question = quote_spanned!(span=> #module::Asked(&#client).__xray_client(#site));
        self.asked(call, &question)
    }

    /// A call that stands in two arms, of which the answer to a question says which is dead.
    ///
    /// Older compilers, 1.85 among them, warn of what follows the arm that is never taken: the variable in that arm
    /// is there to come before the user's code.
    ///
    /// The parentheses are for operators: at the start of a statement, and in a range there, a `match` would be a
    /// statement by itself.
    fn asked(&self, call: &mut ExprMethodCall, question: &TokenStream) -> Expr {
        let span = span_at(&call.method);
        let ask = self.private("Ask", span);
        let attributes = mem::take(&mut call.attrs);
        let mut on_twin = call.clone();
        *on_twin.receiver = Expr::Verbatim(quote_spanned!(span=> __xray_twin));
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

    /// A call with an argument: that is looked at on its way into the call, and if it is a request, what the call
    /// gives is read as its answer.
    ///
    /// The call is moved into its place, so that calls inside calls take linear time.
    pub(crate) fn on_argument(&self, expression: &mut Expr, slot: &Slot) {
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
        let attributes = mem::take(attributes);
        *argument = Expr::Verbatim(quote_spanned!(span=> #look(#argument, &mut #slot, #site, #enter)));
        *expression = Expr::Verbatim(quote_spanned! {span=>
            #(#attributes)*
            (match #expression {
                __xray_out => (&#answer::Outcome::of(&__xray_out, &#slot).__xray_when())
                    .__xray_how()
                    .exit(__xray_out, &mut #slot),
            })
        });
    }

    /// A function that makes the request itself: it is exchanged for its traced twin if it gives what a client's
    /// function of that name gives.
    pub(crate) fn on_function(&self, call: &mut ExprCall) {
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

    /// The start of a task or thread: its future or closure is carried in what is current.
    pub(crate) fn on_spawn(&self, argument: &mut Expr, spawned: Spawned) {
        let carry = match spawned {
            Spawned::Closure => "in_current_trace",
            Spawned::Future => "future_in_current_trace",
        };
        let span = Span::mixed_site().located_at(argument.span());
        let carry = self.private(carry, span);
        *argument = Expr::Verbatim(quote_spanned!(span=> #carry(#argument)));
    }

    /// The path of something that only the output names.
    fn private(&self, name: &str, span: Span) -> TokenStream {
        let (runtime, name) = (&self.options.runtime, Ident::new(name, span));
        quote_spanned!(span=> #runtime::__private::#name)
    }

    /// The module of a method's or function's name.
    fn module(&self, name: &Ident) -> TokenStream {
        let is_in_table = self.demand != Demand::Marked || calls::has_module(name);
        let module = if is_in_table { name.to_string() } else { "any".to_owned() };
        self.private(&module, span_at(name))
    }

    /// The description of the call. Its line is the user's.
    fn site(&self, name: &Ident) -> TokenStream {
        let span = span_at(name);
        let line = quote_spanned!(name.span()=> ::core::line!());
        // By a reference no method is found that the user's code gives to every type.
        let mut place = quote_spanned!(span=> (&__XRAY_PLACE));
        if let Some(name) = self.name {
            let runtime = &self.options.runtime;
            place = quote_spanned! {span=>
                {
                    static __XRAY_PART: #runtime::__private::Place = #place.part(#name);
                    &__XRAY_PART
                }
            };
        }
        if self.options.annotations.is_empty() {
            quote_spanned!(span=> #place.at(#line))
        } else {
            quote_spanned!(span=> #place.at_with(#line, &__xray_annotations))
        }
    }
}

/// A variable at the head of a body that holds a call from its request to its answer.
pub(crate) struct Slot {
    name: Ident,
    /// The `#[cfg]` attributes around the call: where that is left out, nothing says what the slot holds.
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

/// `match value { name => body }`: a value under a name, whose temporaries live on.
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

/// The name of the method or function that is called.
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

/// Where the user wrote a name, but a macro's.
fn span_at(name: &Ident) -> Span {
    Span::mixed_site().located_at(name.span())
}
