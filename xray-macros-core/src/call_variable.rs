//! The variables that an expansion declares for calls whose argument is the request.

use std::mem;

use proc_macro2::Span;
use quote::quote_spanned;
use syn::{Attribute, Block, Expr, Ident, Path, Stmt};

use crate::divergence::is_unit_or_diverges;
use crate::syntax::{callee_name, span_at};

/// A variable that carries a call from its request to its response.
///
/// The variable is declared at the start of the innermost body around the call: the body of the function, of a closure
/// or of an async block. A block around the call alone would drop the temporaries of the user's statement too early. If
/// the variable were declared outside a closure, the closure would capture it mutably and be `FnMut` instead of `Fn`
/// (`tests/it/shapes/arguments.rs::execute`).
///
/// The type of the variable is the runtime's `CallInProgress<C>`. The compiler infers `C` at the end of the function:
/// `TracedCall` or `UntracedCall`. See `settlement`.
pub(crate) struct CallVariable {
    pub(crate) name: Ident,
    /// The `#[cfg]` attributes around the call. The declaration has these attributes too, because the type parameter of
    /// the variable cannot be inferred if the call is not compiled (`tests/it/shapes/attributes.rs::many`).
    conditions: Vec<Attribute>,
}

impl CallVariable {
    /// Creates the variable for a call. `number` is the number of the call in its
    /// [`Settlement`](crate::settlement::Settlement).
    pub(crate) fn new(number: usize, expression: &Expr, conditions: Vec<Attribute>) -> Self {
        let span = callee_name(expression).map_or_else(Span::mixed_site, |name| span_at(&name));
        Self { name: Ident::new(&format!("__xray_call_{number}"), span), conditions }
    }

    /// Returns the span of the call's name.
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// Returns the statement that declares the variable.
    pub(crate) fn declaration(&self, runtime: &Path) -> Stmt {
        let (name, conditions) = (&self.name, &self.conditions);
        let declaration = quote_spanned! {name.span()=>
            #(#conditions)*
            let mut #name = #runtime::__private::argument::CallInProgress::none();
        };
        Stmt::Expr(Expr::Verbatim(declaration), None)
    }
}

/// Puts the declarations of call variables around the body of an async block.
pub(crate) fn declare_around(block: &mut Block, declarations: Vec<Stmt>) {
    // Input:  async move { body }
    // Output: async move {
    //             let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    //             if true { body } else { loop {} }
    //         }
    //
    // The temporaries of the last expression are dropped before the variable. In a body that begins with the variable,
    // edition 2021 would drop them after it, and the lint `tail_expr_drop_order` would report that. The value of a
    // block in a block keeps its temporaries, the value of an `if` does not. A body without a value needs no `if`.
    // tests/crates/shapes-2021/only_2021.rs
    if declarations.is_empty() || is_unit_or_diverges(block) {
        block.stmts.splice(0..0, declarations);
        return;
    }
    let inner = Block { brace_token: block.brace_token, stmts: mem::replace(&mut block.stmts, declarations) };
    let span = Span::mixed_site();
    let body = quote_spanned!(span=> if true #inner else { loop {} });
    block.stmts.push(Stmt::Expr(Expr::Verbatim(body), None));
}
