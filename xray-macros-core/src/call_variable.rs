//! The variables that an expansion declares for calls whose argument is the request.

use proc_macro2::Span;
use quote::quote_spanned;
use syn::{Attribute, Expr, Ident, Path, Stmt};

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
