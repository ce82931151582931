//! Examines how a variable that holds a future is used.

use std::mem;

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprForLoop, ExprMethodCall, ExprPath, Item, Local, Macro, Pat, PatIdent, Stmt, StmtMacro};

use crate::attributes::attributes;
use crate::combinators::{adds_to_list, repeats, wraps_variables};
use crate::conditions::first_tail;
use crate::ends::Ends;
use crate::macros::{self, Arguments, Role};
use crate::options::CallOptions;
use crate::position::Position;
use crate::spawn::spawn_call;
use crate::syntax::{function_name, identifiers, identifiers_in_format_strings, identifiers_in_macro, peeled, text};

/// The number of expressions that are searched. A future is usually used a few lines after its call, and a function
/// with thousands of variables must not be searched as a whole for each of them.
/// `tests.rs::long_and_deep_code_takes_linear_work_and_little_stack`
const MAX_SEARCHED: usize = 1000;

/// Returns the position of the initializer of a `let`, which `after` follows.
pub(crate) fn position_of_local(local: &Local, after: &[Stmt], end: Position) -> Position {
    let (Some(init), None) = (&local.init, Position::of_local(local)) else {
        return Position::of_local(local).unwrap_or_default();
    };
    let name = match &local.pat {
        Pat::Type(typed) => &typed.pat,
        other => other,
    };
    match name {
        Pat::Ident(name) if accept_any_future(&name.ident, &init.expr, after, end) => Position::AnyFuture,
        _ => Position::Elsewhere,
    }
}

/// Returns whether a future in a variable may have any type, judged by the uses of the variable in the statements after
/// its `let`. `end` is the position of the value of these statements.
///
/// If the variable holds a closure, the question is about the futures that the closure returns.
/// `tests/it/shapes/named_futures.rs::in_variables_alone`, `by_its_fields`
fn accept_any_future(name: &Ident, initializer: &Expr, statements: &[Stmt], end: Position) -> bool {
    let Some(ends) = Ends::of_initializer(initializer) else { return false };
    let holds_closure = matches!(peeled(initializer), Expr::Closure(_));
    let mut uses = Uses {
        name,
        holds_closure,
        ends,
        position: Position::Elsewhere,
        of_macro: Position::Elsewhere,
        all_accept: true,
        left: MAX_SEARCHED,
    };
    uses.visit_statements(statements, end);
    uses.all_accept
}

struct Uses<'a> {
    name: &'a Ident,
    /// `true` if the variable holds a closure, and `false` for a future or a list.
    holds_closure: bool,
    /// What the values of the variable, or the items of its list, end in.
    ends: Ends,
    /// The position of the expression visited next.
    position: Position,
    /// The position of the macro call that is visited next.
    of_macro: Position,
    /// `true` if each use so far accepts a future of any type.
    all_accept: bool,
    /// The number of expressions that may still be visited.
    left: usize,
}

impl Uses<'_> {
    fn is_variable(&self, expression: &Expr) -> bool {
        matches!(peeled(expression), Expr::Path(path) if path.path.is_ident(self.name))
    }

    fn names_variable(&self, expression: &Expr) -> bool {
        identifiers(expression.to_token_stream()).any(|name| name == *self.name)
    }

    /// Notes a further value of the variable, or a further item of its list. All of them have one type.
    fn add_value(&mut self, value: &Expr) {
        match Ends::of(value).and_then(|ends| self.ends.with(ends)) {
            Some(ends) => self.ends = ends,
            None => self.all_accept = false,
        }
    }

    fn visit_at(&mut self, expression: &Expr, position: Position) {
        self.position = position;
        self.visit_expr(expression);
    }

    /// Returns whether another variable accepts any future. The search counts towards the limit of this one.
    fn accepts_any_future(&mut self, name: &Pat, statements: &[Stmt], end: Position) -> bool {
        let Pat::Ident(name) = name else { return false };
        let mut uses = Uses {
            name: &name.ident,
            holds_closure: self.holds_closure,
            ends: self.ends,
            position: Position::Elsewhere,
            of_macro: Position::Elsewhere,
            all_accept: true,
            left: self.left,
        };
        uses.visit_statements(statements, end);
        (self.left, self.ends) = (uses.left, uses.ends);
        uses.all_accept
    }

    /// Returns the position of the arguments of a function. `otherwise` is the position of futures and lists.
    fn of_arguments(&self, otherwise: Position, function: &str) -> Position {
        if self.holds_closure && repeats(function) { Position::AnyFuture } else { otherwise }
    }

    fn visit_statements(&mut self, statements: &[Stmt], end: Position) {
        let first_tail = first_tail(statements);
        for (index, statement) in statements.iter().enumerate() {
            match statement {
                Stmt::Local(local) => {
                    self.visit_local_before(local, &statements[index + 1..], end);
                    if binds(&local.pat, self.name) {
                        return;
                    }
                }
                Stmt::Expr(value, None) if index >= first_tail => self.visit_at(value, end),
                other => self.visit_stmt(other),
            }
        }
    }

    /// Visits the initializer of a `let`, which may put the variable into another one:
    /// `let both = join(first, second);`
    fn visit_local_before(&mut self, local: &Local, after: &[Stmt], end: Position) {
        let Some(init) = &local.init else { return };
        let mut position = Position::of_local(local).unwrap_or_default();
        if Position::of_local(local).is_none() && wraps_variables(&init.expr) {
            let name = if let Pat::Type(typed) = &local.pat { &typed.pat } else { &local.pat };
            if self.accepts_any_future(name, after, end) {
                position = Position::AnyFuture;
            }
        }
        self.visit_at(&init.expr, position);
        init.diverge.iter().for_each(|(_, diverge)| self.visit_expr(diverge));
    }

    /// Visits a loop, whose items may be the futures in the variable.
    fn visit_loop(&mut self, for_loop: &ExprForLoop) {
        let is_item = self.is_variable(list_in(&for_loop.expr));
        let is_known = is_item && self.accepts_any_future(&for_loop.pat, &for_loop.body.stmts, Position::Elsewhere);
        self.visit_at(&for_loop.expr, if is_known { Position::AnyFutures } else { Position::Elsewhere });
        if !binds(&for_loop.pat, self.name) {
            self.visit_block(&for_loop.body);
        }
    }

    fn visit_call_of_method(&mut self, call: &ExprMethodCall, position: Position) {
        let name = text(&call.method);
        self.visit_at(&call.receiver, position.of_receiver(call, &name));
        for argument in &call.args {
            self.visit_at(argument, self.of_arguments(position.of_arguments_for(&name), &name));
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        let position = mem::take(&mut self.position);
        self.left = self.left.saturating_sub(1);
        self.all_accept &= self.left > 0;
        // A call with `#[xray(skip)]` is not replaced.
        self.all_accept &= !CallOptions::skips(attributes(expression)) || !self.names_variable(expression);
        if !self.all_accept {
            return;
        }
        match expression {
            Expr::Path(_) => {
                let is_known = position.accepts_any_future() || position == Position::AnyFutures;
                self.all_accept = is_known || !self.is_variable(expression);
            }
            Expr::Paren(inner) => self.visit_at(&inner.expr, position),
            Expr::Group(inner) => self.visit_at(&inner.expr, position),
            // A shared reference cannot be used to poll a future, so a method of the future is called, or its type is
            // named.
            Expr::Reference(inner) if inner.mutability.is_none() => self.visit_at(&inner.expr, Position::Elsewhere),
            Expr::Reference(inner) => self.visit_at(&inner.expr, position),
            Expr::Await(awaited) => self.visit_at(&awaited.base, Position::Awaited),
            Expr::MethodCall(call) if adds_to_list(&text(&call.method)) && self.is_variable(&call.receiver) => {
                call.args.iter().for_each(|argument| self.add_value(argument));
                call.args.iter().for_each(|argument| self.visit_expr(argument));
            }
            Expr::MethodCall(call) => self.visit_call_of_method(call, position),
            Expr::ForLoop(for_loop) => self.visit_loop(for_loop),
            Expr::Call(call) => {
                // If the variable holds a closure, its call has the position of the future.
                self.visit_at(&call.func, position);
                let name = function_name(call).map(text).unwrap_or_default();
                let of_arguments = self.of_arguments(position.of_arguments(call), &name);
                call.args.iter().for_each(|argument| self.visit_at(argument, of_arguments));
            }
            // A value that is assigned later must be replaced too, because the variable has one type.
            Expr::Assign(assignment) if self.is_variable(&assignment.left) => {
                // The parser attaches the attributes of an assignment to its left side.
                self.all_accept = !CallOptions::skips(attributes(&assignment.left));
                self.add_value(&assignment.right);
                self.visit_expr(&assignment.right);
            }
            Expr::Macro(call) => {
                self.of_macro = position;
                self.visit_macro(&call.mac);
            }
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_stmt_macro(&mut self, statement: &'ast StmtMacro) {
        self.of_macro = Position::of_macro_statement(statement);
        self.visit_macro(&statement.mac);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.visit_statements(&block.stmts, Position::Elsewhere);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if identifiers(call.tokens.clone()).any(|name| name == *self.name) {
            self.all_accept &= !macros::is_opaque(call) && macros::walk(self, &mut call.clone());
        }
        // `println!("{future}")` takes a reference to the variable, and calls a method of the future.
        self.all_accept &= !identifiers_in_format_strings(&call.tokens).contains(self.name);
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}

impl Arguments for Uses<'_> {
    fn expression(&mut self, expression: &mut Expr, role: Role) {
        // An element of a list is in a position of its own: `wraps_variables` does not look into `vec![..]`.
        let of_macro = if role == Role::Element { Position::Elsewhere } else { self.of_macro };
        self.visit_at(expression, role.position(of_macro));
    }

    fn statements(&mut self, block: &mut Block, _: Role) {
        self.visit_block(block);
    }
}

/// Returns whether a variable is used only as the argument of calls that spawn it: `tokio::spawn(job)`.
pub(crate) fn is_only_spawned(name: &Ident, after: &[Stmt]) -> bool {
    struct Spawns<'a> {
        name: &'a Ident,
        uses: usize,
        spawned: usize,
        /// The number of expressions that may still be visited. If it reaches 0, the rest of the code may use the
        /// variable, so the result is `false`.
        left: usize,
    }
    impl<'ast> Visit<'ast> for Spawns<'_> {
        fn visit_expr(&mut self, expression: &'ast Expr) {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return;
            }
            let is_variable =
                |argument: &&Expr| matches!(peeled(argument), Expr::Path(path) if path.path.is_ident(self.name));
            let arguments = spawn_call(expression).map(|(_, arguments)| arguments.iter());
            self.spawned += arguments.into_iter().flatten().filter(is_variable).count();
            visit::visit_expr(self, expression);
        }

        fn visit_expr_path(&mut self, path: &'ast ExprPath) {
            self.uses += usize::from(path.path.is_ident(self.name));
        }

        fn visit_macro(&mut self, call: &'ast Macro) {
            self.uses += identifiers_in_macro(&call.tokens).filter(|name| name == self.name).count();
        }
    }
    let mut spawns = Spawns { name, uses: 0, spawned: 0, left: MAX_SEARCHED };
    for statement in after {
        spawns.visit_stmt(statement);
        if matches!(statement, Stmt::Local(local) if binds(&local.pat, name)) {
            break;
        }
    }
    spawns.left > 0 && spawns.uses > 0 && spawns.uses == spawns.spawned
}

/// Returns the list whose items a loop takes: `list` for `list.into_iter()` and `&mut list`.
fn list_in(expression: &Expr) -> &Expr {
    match peeled(expression) {
        Expr::MethodCall(call) => list_in(&call.receiver),
        Expr::Reference(reference) => list_in(&reference.expr),
        other => other,
    }
}

/// Returns whether a pattern declares a variable of this name.
fn binds(pattern: &Pat, name: &Ident) -> bool {
    struct Binds<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Binds<'_> {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.1 |= pattern.ident == *self.0;
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut binds = Binds(name, false);
    binds.visit_pat(pattern);
    binds.1
}
