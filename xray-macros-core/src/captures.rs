//! Finds whether a closure names a variable of the function around it.
//!
//! A closure that names no such variable may be coerced to a function pointer. So the expansion of the calls in it must
//! not name a variable of the function either.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Expr, ExprClosure, ExprForLoop, ExprIf, ExprLet, ExprPath, ExprWhile, Item, Local, Macro, Pat, PatIdent,
};

use crate::syntax::identifiers_in_format_strings;
use crate::variables::Variables;

/// The number of expressions that are searched. The walk asks about each closure, so the search of nested closures must
/// not visit all of the code at each level. `tests.rs::long_and_deep_code_takes_linear_work_and_little_stack`
const MAX_SEARCHED: usize = 1000;

/// Functions and methods whose parameter is a closure of any type, and never a function pointer: those of `Iterator`,
/// `Option`, `Result`, `Future` and `Stream`. Functions whose names begin with `retry` or `spawn` count too.
const TAKE_ANY_CLOSURE: &[&str] = &[
    "all",
    "and_then",
    "any",
    "filter",
    "filter_map",
    "find_map",
    "flat_map",
    "fold",
    "for_each",
    "for_each_concurrent",
    "get_or_insert_with",
    "is_some_and",
    "map",
    "map_err",
    "map_ok",
    "map_or",
    "map_or_else",
    "or_else",
    "or_insert_with",
    "then",
    "try_fold",
    "try_for_each",
    "try_for_each_concurrent",
    "unwrap_or_else",
];

/// Returns whether a function or method takes a closure of any type, judged by its name.
pub(crate) fn takes_any_closure(name: &str) -> bool {
    TAKE_ANY_CLOSURE.contains(&name) || name.starts_with("retry") || name.starts_with("spawn")
}

/// Returns whether a closure names a variable that is declared outside it. A closure of more than [`MAX_SEARCHED`]
/// expressions is assumed to name such a variable. `tests/it/shapes/typed.rs::function_pointers`
pub(crate) fn names_a_variable(closure: &ExprClosure, variables: &Variables) -> bool {
    let mut names = Names { outer: variables, own: Vec::new(), found: false, left: MAX_SEARCHED };
    names.visit_expr_closure(closure);
    names.found
}

struct Names<'a> {
    /// The variables of the function.
    outer: &'a Variables,
    /// The variables that the closure declares, and that are in scope. They may hide variables of the function.
    own: Vec<Ident>,
    found: bool,
    /// The number of expressions that may still be visited.
    left: usize,
}

impl Names<'_> {
    fn is_outer(&self, name: &Ident) -> bool {
        self.outer.contains(name) && !self.own.contains(name)
    }

    /// Visits code whose variables end with it.
    fn in_scope(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = self.own.len();
        visit(self);
        self.own.truncate(before);
    }

    fn declare(&mut self, pattern: &Pat) {
        struct Declared<'a>(&'a mut Vec<Ident>);
        impl<'ast> Visit<'ast> for Declared<'_> {
            fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
                self.0.push(pattern.ident.clone());
                visit::visit_pat_ident(self, pattern);
            }

            // The guard of an arm declares its variables when it is visited.
            fn visit_expr(&mut self, _: &'ast Expr) {}
        }
        Declared(&mut self.own).visit_pat(pattern);
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        self.left = self.left.saturating_sub(1);
        self.found |= self.left == 0;
        if !self.found {
            visit::visit_expr(self, expression);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        self.found |= path.path.get_ident().is_some_and(|name| self.is_outer(name));
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let formatted = identifiers_in_format_strings(&call.tokens);
        let mut names = variables_in(&call.tokens).into_iter().chain(formatted);
        self.found |= names.any(|name| self.is_outer(&name));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.in_scope(|names| {
            closure.inputs.iter().for_each(|input| names.declare(input));
            names.visit_expr(&closure.body);
        });
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.in_scope(|names| visit::visit_block(names, block));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        // The initializer is visited first: `let url = format!("{url}/")` names the variable of the function.
        visit::visit_local(self, local);
        self.declare(&local.pat);
    }

    fn visit_expr_let(&mut self, condition: &'ast ExprLet) {
        visit::visit_expr_let(self, condition);
        self.declare(&condition.pat);
    }

    fn visit_expr_if(&mut self, conditional: &'ast ExprIf) {
        self.in_scope(|names| {
            names.visit_expr(&conditional.cond);
            names.visit_block(&conditional.then_branch);
        });
        conditional.else_branch.iter().for_each(|(_, otherwise)| self.visit_expr(otherwise));
    }

    fn visit_expr_while(&mut self, while_loop: &'ast ExprWhile) {
        self.in_scope(|names| visit::visit_expr_while(names, while_loop));
    }

    fn visit_expr_for_loop(&mut self, for_loop: &'ast ExprForLoop) {
        self.visit_expr(&for_loop.expr);
        self.in_scope(|names| {
            names.declare(&for_loop.pat);
            names.visit_block(&for_loop.body);
        });
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.in_scope(|names| {
            names.declare(&arm.pat);
            visit::visit_arm(names, arm);
        });
    }

    // An item cannot name the variables of a function.
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Returns the identifiers in the tokens of a macro that may be variables: not the field in `user.name` and in
/// `User { name: other }`, nor the segments of a path.
fn variables_in(tokens: &TokenStream) -> Vec<Ident> {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    let is_punct = |index: Option<usize>, character: char| {
        let token = index.and_then(|index| tokens.get(index));
        matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
    };
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(variables_in(&group.stream())),
            TokenTree::Ident(name) => {
                let (before, before_that) = (index.checked_sub(1), index.checked_sub(2));
                // `..name` is a range, and `::name` is a path.
                let is_field = is_punct(before, '.') && !is_punct(before_that, '.');
                let is_in_path = is_punct(before, ':') && is_punct(before_that, ':');
                if !is_field && !is_in_path && !is_punct(Some(index + 1), ':') {
                    found.push(name.clone());
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::{FnArg, parse_quote};

    use super::*;

    /// Returns whether a closure names one of the variables `url`, `count` and `self` of the function around it.
    fn names(closure: TokenStream) -> bool {
        let mut variables = Variables::default();
        let parameters: [FnArg; 3] = [parse_quote!(self), parse_quote!(url: &str), parse_quote!(count: u8)];
        variables.declare_function_parameters(&parse_quote!(fn f(#(#parameters),*)));
        names_a_variable(&syn::parse2(closure).unwrap(), &variables)
    }

    #[test]
    fn a_variable_of_the_function_is_found() {
        for closure in [
            quote!(|a| a.get(url)),
            quote!(|a| a.get(&self.url)),
            quote!(|a| {
                let url = format!("{url}/");
                a.get(url)
            }),
            quote!(|a| {
                let url = url.len();
                url
            }),
            quote!(|a| {
                {
                    let url = a;
                }
                url
            }),
            quote!(|a| if let Some(url) = a { url } else { url }),
            quote!(|a| match a {
                Some(url) => url,
                None => count,
            }),
            quote!(|a| match a {
                Some(b) if b == url => b,
                _ => 0,
            }),
            quote!(|a| {
                for url in url {
                    a(url)
                }
            }),
            quote!(|a| a.map(|url| url) + url),
            quote!(|a| println!("{url}")),
            quote!(|a| println!("{}", url)),
            quote!(|a| println!("{:?}", 0..count)),
            quote!(|a| println!("{:?}", a[count..])),
            quote!(|a| println!("{}", b(url))),
            quote!(|a| println!("{:?}", User { name: url })),
            quote!(|a| {
                while let Some(b) = a() {
                    b(url)
                }
            }),
            quote!(|a| User { url }),
        ] {
            assert!(names(closure.clone()), "{closure}");
        }
    }

    #[test]
    fn a_variable_of_the_closure_is_not_one_of_the_function() {
        for closure in [
            quote!(|a, url| a.get(url)),
            quote!(|a| {
                let url = a;
                url
            }),
            quote!(|a| {
                let Some(url) = a else { return 0 };
                url
            }),
            quote!(|a| if let Some(url) = a { url } else { 0 }),
            quote!(|a| {
                while let Some(url) = a() {
                    println!("{url}")
                }
            }),
            quote!(|a| match a {
                Some(url) => url,
                None => 0,
            }),
            quote!(|a| match a {
                Some(url) if url == 0 => url,
                _ => 0,
            }),
            quote!(|a| {
                for url in a {
                    a(url)
                }
            }),
            quote!(|a| a.map(|url| url)),
            quote!(|a| println!("{}", a.url)),
            quote!(|a| println!("{:?}", User { url: a })),
            quote!(|a| println!("{}", url::Url::parse(a))),
            quote!(|a| println!("{}", crate::url(a))),
            quote!(|a| User { url: a.url }),
            quote!(|a| {
                fn f(url: u8) -> u8 {
                    url
                }
                f(a)
            }),
        ] {
            assert!(!names(closure.clone()), "{closure}");
        }
    }
}
