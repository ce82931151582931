//! Generates the code at the end of a function that tests the types of the function's calls.
//!
//! The expansion of a call needs two answers: is the argument a request, and how is the response read? Both depend on
//! types, and code after the call may determine these types: `let version: Version = self.execute(request).await?;` for
//! an `execute` that returns any `T`. So the expansion declares a variable whose type parameters represent the answers.
//! It reads them at the end of the function, where every type is known. See the runtime's `private::argument` and
//! `private::settle`.
//!
//! ```text
//! Input:  fn version(&self) -> Result<Version, Error> { body }
//! Output: fn version(&self) -> Result<Version, Error> {
//!             let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
//!             if true { body } else {
//!                 loop {}
//!                 #[allow(unreachable_code)]
//!                 {
//!                     (&&&&&&::xray::__private::execute::settle(&__xray_types_0).__xray_test_argument()).__xray_test_result();
//!                 };
//!             }
//!         }
//! ```
//!
//! * The `else` never runs. The compiler checks its types after the body, including the coercion of the body to the
//!   function's result. `tests/it/shapes/typed.rs::at_the_end`
//! * The borrow checker does not see the code after `loop {}`, because it cannot be reached. So the lifetimes in the
//!   types of a call need not outlive the call. `tests/it/shapes/typed.rs::in_a_loop`
//! * The body is the value of an `if`. If it were the value of a `return` before the tests, a body that never ends,
//!   such as a `loop` without `break`, would make the `return` unreachable, and rustc would warn about the user's code.
//!   `tests/it/lints.rs`
//!
//! In a closure, in an async block, and in a function whose result type contains `impl`, the compiler checks the `else`
//! before it knows the type of the `if`. There the output is `return ({ body }); #[allow(unreachable_code)] { .. }`.
//! `tests/it/shapes/typed.rs::as_a_future`
//!
//! If such a body has no value, because it ends in a `return` for example, the `return` around it would be unreachable.
//! There the output is `let value = { body }; #[allow(unreachable_code)] return value;`. A body with a value stays in
//! the `return`, because a variable would lose the coercion to the result type of the function.
//! `tests/it/shapes/branches.rs::returned_in_arms`

use std::mem;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::token::Brace;
use syn::{Attribute, Block, Expr, ExprAsync, ExprBlock, Path, ReturnType, Stmt};

use crate::divergence::is_unit_or_diverges;
use crate::syntax::{boxed_future_mut, identifiers, tail_mut};

/// The types of the calls in a function, or in a closure that may be coerced to a function pointer.
#[derive(Default)]
pub(crate) struct Settlement {
    calls: Vec<Settled>,
}

/// How the value of a body leaves the code around the body.
#[derive(Clone, Copy)]
enum Leave {
    /// As the value of the last expression.
    AtTheEnd,
    /// By `return`.
    ByReturn,
}

/// The variable whose type has the open types of one call.
struct Settled {
    name: Ident,
    /// The `#[cfg]` attributes around the call.
    conditions: Vec<Attribute>,
    /// The statement that determines the types.
    statement: TokenStream,
}

impl Settlement {
    /// Returns the number of the next call. The names of the call's two variables end in this number: `__xray_types_0`,
    /// `__xray_call_0`.
    pub(crate) fn next_number(&self) -> usize {
        self.calls.len()
    }

    /// Returns the name of the variable for the types of the next call.
    pub(crate) fn next_name(&self, call: Span) -> Ident {
        Ident::new(&format!("__xray_types_{}", self.next_number()), Span::mixed_site().located_at(call))
    }

    pub(crate) fn add(&mut self, name: Ident, conditions: Vec<Attribute>, statement: TokenStream) {
        self.calls.push(Settled { name, conditions, statement });
    }

    /// Puts the declarations, and those of the call variables, before the body of a function, and the statements after
    /// it. With `keeps_last_expression` the last expression of the function remains the last one.
    pub(crate) fn wrap_function(
        self,
        block: &mut Block,
        call_variables: Vec<Stmt>,
        result: &ReturnType,
        keeps_last_expression: bool,
        runtime: &Path,
    ) {
        // The calls before the last expression need the declarations too.
        let is_outside = |statement: &Stmt| identifiers(statement.to_token_stream()).any(|name| self.declares(&name));
        let ends_in_future = keeps_last_expression && !block.stmts.iter().rev().skip(1).any(is_outside);
        match async_block_at_the_end(block) {
            Some(future) if ends_in_future => self.wrap(&mut future.block, Leave::ByReturn, runtime),
            _ if identifiers(result.to_token_stream()).any(|name| name == "impl") => {
                self.wrap(block, Leave::ByReturn, runtime);
            }
            _ => self.wrap(block, Leave::AtTheEnd, runtime),
        }
        // Outside the user's braces; see `call_variable::declare_around`.
        block.stmts.splice(0..0, call_variables);
    }

    fn declares(&self, name: &Ident) -> bool {
        self.calls.iter().any(|call| call.name == *name)
    }

    fn wrap(self, block: &mut Block, leave: Leave, runtime: &Path) {
        let Some(first) = self.calls.first() else { return };
        let span = first.name.span();
        let declarations = self.calls.iter().map(|Settled { name, conditions, .. }| {
            quote_spanned! {name.span()=>
                #(#conditions)*
                let #name = #runtime::__private::argument::CallTypes::new();
            }
        });
        let statements = self.calls.iter().map(|Settled { name, conditions, statement }| match conditions.as_slice() {
            [] => statement.clone(),
            conditions => quote_spanned!(name.span()=> #(#conditions)* { #statement }),
        });
        // The braces are the user's. Their position has the user's edition, which decides when the temporaries of the
        // last expression are dropped. tests/it/shapes/temporaries.rs::a_guard_in_an_argument_at_the_end
        let inner = Block { brace_token: block.brace_token, stmts: mem::take(&mut block.stmts) };
        let statements = quote_spanned! {span=>
            #[allow(unreachable_code)]
            {
                #(#statements)*
            };
        };
        let body = match leave {
            Leave::AtTheEnd => quote_spanned! {span=>
                #(#declarations)*
                if true #inner else {
                    loop {}
                    #statements
                }
            },
            // A block without a value would make the `return` around it unreachable.
            // tests/it/shapes/branches.rs::returned_in_arms
            Leave::ByReturn if is_unit_or_diverges(&inner) => {
                let value = Ident::new("__xray_value", Span::mixed_site().located_at(span));
                quote_spanned! {span=>
                    #(#declarations)*
                    let #value = #inner;
                    #[allow(unreachable_code)]
                    return #value;
                    #statements
                }
            }
            // rustc reports the braces of one expression after `return` as unused, but not the parentheses of a macro.
            // tests/it/lints.rs
            Leave::ByReturn => quote_spanned! {span=>
                #(#declarations)*
                return (#inner);
                #statements
            },
        };
        block.stmts.push(Stmt::Expr(Expr::Verbatim(body), None));
    }

    /// Like [`wrap`](Self::wrap), for the body of a closure.
    pub(crate) fn wrap_closure(self, body: &mut Expr, runtime: &Path) {
        if self.calls.is_empty() {
            return;
        }
        self.wrap(as_block(body), Leave::ByReturn, runtime);
    }
}

/// Turns the body of a closure into a block, unless it is a block already.
pub(crate) fn as_block(body: &mut Expr) -> &mut Block {
    // A block in a block would have unused braces. tests/it/lints.rs
    if !matches!(body, Expr::Block(block) if block.label.is_none() && block.attrs.is_empty()) {
        let stmts = vec![Stmt::Expr(mem::replace(body, Expr::PLACEHOLDER), None)];
        let block = Block { brace_token: Brace::default(), stmts };
        *body = Expr::Block(ExprBlock { attrs: Vec::new(), label: None, block });
    }
    match body {
        Expr::Block(block) => &mut block.block,
        _ => unreachable!("the body is a block"),
    }
}

/// Returns the async block at the end of a function that other attributes look for there.
///
/// `#[async_trait]` turns an `async fn` into such a function, and fixes the type of the block's output. An attribute
/// below, such as `#[instrument]` of `tracing`, recognises the function by its last expression. So that expression is
/// kept, and the types are determined at the end of the block.
/// `tests.rs::an_async_block_stays_at_the_end_above_other_attributes`
fn async_block_at_the_end(block: &mut Block) -> Option<&mut ExprAsync> {
    let tail = tail_mut(block)?;
    match tail {
        Expr::Async(block) => Some(block),
        Expr::Call(_) | Expr::MethodCall(_) => match boxed_future_mut(tail)? {
            Expr::Async(block) => Some(block),
            _ => None,
        },
        _ => None,
    }
}
