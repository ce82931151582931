//! The tokens for each kind of call.
//!
//! The user's call stays whole: its dot, name and parentheses keep their places, so that panics and
//! `#[track_caller]` point where they did. All that is generated has a macro's span at the call, so that no lint
//! speaks of it.

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprCall, ExprMatch, ExprMethodCall, ExprParen, Ident, LitStr, Path, Result, Stmt};

use crate::receiver::{into_peeled, peeled};

/// What the tokens need to know besides the call.
pub(crate) struct Rewriter<'a> {
    /// Where the runtime is found.
    pub(crate) runtime: &'a Path,
    /// Name for the subsegment, in place of the host's.
    pub(crate) name: Option<&'a LitStr>,
}

impl Rewriter<'_> {
    /// A call on a value: the value is exchanged for its traced twin if its type has one.
    pub(crate) fn on_value(&self, call: &mut ExprMethodCall) -> Result<()> {
        let span = span_at(&call.method);
        let (runtime, method, site) = (self.runtime, generated(&call.method), self.site(&call.method));
        let mut exchange: ExprMatch = syn::parse2(quote_spanned! {span=>
            match () {
                __xray_it => {
                    use #runtime::__private::#method::{Known as _, Unknown as _};
                    (&#runtime::__private::Probe(&__xray_it)).__xray_kind().open(__xray_it, #site)
                }
            }
        })?;
        let receiver = mem::replace(&mut *call.receiver, Expr::PLACEHOLDER);
        *exchange.expr = into_peeled(receiver);
        *call.receiver = Expr::Match(exchange);
        Ok(())
    }

    /// A call on a place: the place is asked, which takes the value out only if its type is known.
    ///
    /// Older compilers, 1.85 among them, warn of what follows the arm that is never taken: the variable in that arm
    /// is there to come before the user's code.
    ///
    /// The parentheses are for operators: at the start of a statement, and in a range there, a `match` would be a
    /// statement by itself.
    pub(crate) fn on_place(&self, call: &mut ExprMethodCall) -> Result<Expr> {
        let span = span_at(&call.method);
        let (runtime, method, site) = (self.runtime, generated(&call.method), self.site(&call.method));
        let attributes = mem::take(&mut call.attrs);
        let place = peeled(&call.receiver);
        let mut on_twin = call.clone();
        *on_twin.receiver = syn::parse2(quote_spanned!(span=> __xray_twin))?;
        let mut asked: ExprParen = syn::parse2(quote_spanned! {span=>
            (match {
                use #runtime::__private::#method::{Peek as _, Take as _};
                #place.__xray_ask()
            } {
                #[allow(unreachable_code)]
                #runtime::__private::Ask::Yes(__xray_known) => {
                    let __xray_twin = __xray_known.alive().open(#site);
                    #on_twin
                }
                #[allow(unreachable_code)]
                #runtime::__private::Ask::No(__xray_other) => __xray_other.alive().pass(#call),
            })
        })?;
        asked.attrs = attributes;
        Ok(Expr::Paren(asked))
    }

    /// A call with an argument: that is looked at on its way into the call, and if it is a request, what the call
    /// gives is read as its answer.
    ///
    /// The call is moved into its place, so that calls inside calls take linear time.
    pub(crate) fn on_argument(&self, expression: &mut Expr, slot: &Slot) -> Result<()> {
        let Expr::MethodCall(call) = expression else { return Ok(()) };
        let span = span_at(&call.method);
        let (runtime, method, site) = (self.runtime, generated(&call.method), self.site(&call.method));
        let slot = &slot.name;
        let mut looked_at: ExprCall = syn::parse2(quote_spanned! {span=>
            #runtime::__private::look((), |__xray_it| {
                use #runtime::__private::#method::{NoRequest as _, Request as _};
                (&#runtime::__private::Probe(&*__xray_it)).__xray_kind().enter(__xray_it, #site, &mut #slot)
            })
        })?;
        let mut answered: ExprParen = syn::parse2(quote_spanned! {span=>
            (match () {
                __xray_out => {
                    use #runtime::__private::answer::*;
                    (&&&&&Answered(&__xray_out, &#slot)).__xray_kind().exit(__xray_out, #slot.take())
                }
            })
        })?;
        answered.attrs = mem::take(&mut call.attrs);
        mem::swap(&mut looked_at.args[0], &mut call.args[0]);
        call.args[0] = Expr::Call(looked_at);
        let call = mem::replace(expression, Expr::PLACEHOLDER);
        if let Expr::Match(answer) = &mut *answered.expr {
            *answer.expr = call;
        }
        *expression = Expr::Paren(answered);
        Ok(())
    }

    /// The start of a task or thread: its future or closure is carried in what is current.
    pub(crate) fn on_spawn(&self, call: &mut ExprCall) -> Result<()> {
        let (runtime, span) = (self.runtime, Span::mixed_site().located_at(call.args[0].span()));
        let is_closure = matches!(call.args[0], Expr::Closure(_));
        let carry = Ident::new(if is_closure { "in_current_trace" } else { "future_in_current_trace" }, span);
        let mut carried: ExprCall = syn::parse2(quote_spanned!(span=> #runtime::__private::#carry(())))?;
        mem::swap(&mut carried.args[0], &mut call.args[0]);
        call.args[0] = Expr::Call(carried);
        Ok(())
    }

    /// The description of the call, a constant. Its line is the user's.
    fn site(&self, method: &Ident) -> TokenStream {
        let (span, runtime) = (span_at(method), self.runtime);
        let line = quote_spanned!(method.span()=> ::core::line!());
        let named = self.name.map(|name| quote_spanned!(span=> .named(#name)));
        quote_spanned!(span=> &const { #runtime::__private::Site::new(::core::file!(), #line) #named })
    }
}

/// A variable at the head of a body that holds a call from its request to its answer.
pub(crate) struct Slot {
    name: Ident,
    /// The `#[cfg]` attributes around the call: where that is left out, nothing says what the slot holds.
    conditions: Vec<Attribute>,
}

impl Slot {
    pub(crate) fn new(number: usize, method: &Ident, conditions: Vec<Attribute>) -> Self {
        Self { name: Ident::new(&format!("__xray_slot_{number}"), span_at(method)), conditions }
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

/// Where the user wrote the method, but a macro's.
fn span_at(method: &Ident) -> Span {
    Span::mixed_site().located_at(method.span())
}

fn generated(method: &Ident) -> Ident {
    Ident::new(&method.to_string(), span_at(method))
}
