//! Examines how a variable that holds a future is used.

use std::{iter, mem};

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprForLoop, ExprMethodCall, ExprPath, Item, Local, Macro, Pat, PatIdent, Stmt, StmtMacro};

use crate::attributes::attributes;
use crate::combinators::{
    adds_to_list, counts_items, is_polled_list, is_type_of_polled_list, name_of_combinator, passes_items, repeats,
    wraps_variables,
};
use crate::ends::{Ends, Held};
use crate::macros::{self, Arguments, Role};
use crate::options::CallOptions;
use crate::position::Position;
use crate::spawn::spawn_call;
use crate::syntax::{identifiers, identifiers_in_format_strings, identifiers_in_macro, is_box_pin, peeled, text};

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
        Pat::Ident(name) => accepting_position(&name.ident, local, &init.expr, after, end),
        _ => Position::Elsewhere,
    }
}

/// Returns the position of a future, list or closure in a variable, judged by the uses of the variable in the
/// statements after its `let`. `end` is the position of the value of these statements.
///
/// If the variable holds a closure, the position is that of the futures that the closure returns.
/// `tests/it/shapes/named_futures.rs::in_variables_alone`, `by_its_fields`
fn accepting_position(name: &Ident, local: &Local, initializer: &Expr, statements: &[Stmt], end: Position) -> Position {
    let Some((held, ends)) = Ends::of_initializer(initializer) else { return Position::Elsewhere };
    let mut uses = Uses {
        name,
        held: with_type(held, local),
        ends,
        position: Position::Elsewhere,
        of_macro: Position::Elsewhere,
        all_accept: true,
        left: MAX_SEARCHED,
    };
    uses.visit_statements(statements, end);
    if uses.all_accept { of_held(held) } else { Position::Elsewhere }
}

/// Returns the position of a value whose uses all accept any future.
fn of_held(held: Held) -> Position {
    if held.is_list() { Position::AnyFutures } else { Position::AnyFuture }
}

/// Returns what a variable holds, by the type that its `let` names: `FuturesUnordered<_>` is a list that polls.
fn with_type(held: Held, local: &Local) -> Held {
    match &local.pat {
        Pat::Type(typed) if held == Held::List && is_type_of_polled_list(&typed.ty) => Held::PolledList,
        _ => held,
    }
}

struct Uses<'a> {
    name: &'a Ident,
    held: Held,
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

    fn adds_item(&self, call: &ExprMethodCall) -> bool {
        self.held.is_list() && adds_to_list(&text(&call.method)) && self.is_variable(&call.receiver)
    }

    /// Notes a further value of the variable, or a further item of its list. All of them have one type.
    fn add_value(&mut self, value: &Expr) {
        match Ends::of(value).and_then(|ends| self.ends.clone().with(ends)) {
            Some(ends) => self.ends = ends,
            None => self.all_accept = false,
        }
    }

    fn visit_at(&mut self, expression: &Expr, position: Position) {
        self.position = position;
        self.visit_expr(expression);
    }

    /// Returns whether another variable accepts any future. The search counts towards the limit of this one.
    fn accepts_any_future(&mut self, name: &Pat, held: Held, statements: &[Stmt], end: Position) -> bool {
        let Pat::Ident(name) = name else { return false };
        let mut uses = Uses {
            name: &name.ident,
            held,
            ends: self.ends.clone(),
            position: Position::Elsewhere,
            of_macro: Position::Elsewhere,
            all_accept: true,
            left: self.left,
        };
        uses.visit_statements(statements, end);
        (self.left, self.ends) = (uses.left, uses.ends);
        uses.all_accept
    }

    /// Returns whether an expression is the variable and its use accepts a value of any type in this position.
    fn accepts(&self, position: Position) -> bool {
        let is_list_accepted = matches!(position, Position::AnyFuture | Position::AnyFutures);
        match self.held {
            Held::Future | Held::Closure => position.accepts_any_future(),
            // `map` and `next` of a list pass on the futures themselves.
            // tests/it/shapes/combined.rs::passed_by_a_list
            Held::List => is_list_accepted,
            Held::PolledList => is_list_accepted || position.accepts_any_future(),
        }
    }

    /// Visits the receiver or an argument of a call. `repeats` is `true` if the callee calls closures repeatedly, and
    /// polls their futures.
    fn visit_argument(&mut self, argument: &Expr, otherwise: Position, repeats: bool) {
        let place = match peeled(argument) {
            Expr::Reference(reference) => &*reference.expr,
            _ => argument,
        };
        let is_closure = self.held == Held::Closure && self.is_variable(place);
        let of_closure = if repeats { Position::AnyFuture } else { Position::Elsewhere };
        self.visit_at(argument, if is_closure { of_closure } else { otherwise });
    }

    /// Returns what another variable holds whose initializer wraps this variable.
    fn held_by(&self, local: &Local, initializer: &Expr) -> Held {
        let held = match peeled(initializer) {
            Expr::Call(call) if !is_box_pin(&call.func) => Held::Future,
            _ if is_polled_list(initializer) => Held::PolledList,
            Expr::MethodCall(call) if passes_items(call) => Held::List,
            _ if self.held == Held::Closure => Held::Future,
            _ => self.held,
        };
        with_type(held, local)
    }

    fn visit_statements(&mut self, statements: &[Stmt], end: Position) {
        for (index, statement) in statements.iter().enumerate() {
            match statement {
                Stmt::Local(local) => {
                    self.visit_local_before(local, &statements[index + 1..], end);
                    if binds(&local.pat, self.name) {
                        return;
                    }
                }
                Stmt::Expr(value, None) => self.visit_at(value, end),
                Stmt::Expr(value, Some(_)) => self.visit_at(value, Position::of_statement(value)),
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
            let held = self.held_by(local, &init.expr);
            if self.accepts_any_future(name, held, after, end) {
                position = of_held(held);
            }
        }
        self.visit_at(&init.expr, position);
        init.diverge.iter().for_each(|(_, diverge)| self.visit_expr(diverge));
    }

    /// Visits a loop, whose items may be the futures in the variable.
    fn visit_loop(&mut self, for_loop: &ExprForLoop) {
        let is_variable = self.is_variable(list_in(&for_loop.expr));
        let body = &for_loop.body.stmts;
        let is_known = is_variable && self.accepts_any_future(&for_loop.pat, Held::Future, body, Position::Elsewhere);
        self.visit_at(&for_loop.expr, if is_known { Position::AnyFutures } else { Position::Elsewhere });
        if !binds(&for_loop.pat, self.name) {
            self.visit_block(&for_loop.body);
        }
    }

    fn visit_call_of_method(&mut self, call: &ExprMethodCall, position: Position) {
        let name = text(&call.method);
        let is_counted = counts_items(&name) && self.held == Held::List && self.is_variable(&call.receiver);
        let of_receiver = if is_counted { Position::AnyFutures } else { position.of_receiver(call, &name) };
        self.visit_argument(&call.receiver, of_receiver, repeats(&name));
        let of_arguments = position.of_arguments_of_method(call, &name);
        call.args.iter().for_each(|argument| self.visit_argument(argument, of_arguments, repeats(&name)));
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
                self.all_accept = self.accepts(position) || !self.is_variable(expression);
            }
            Expr::Paren(inner) => self.visit_at(&inner.expr, position),
            Expr::Group(inner) => self.visit_at(&inner.expr, position),
            // A shared reference cannot be used to poll a future, so a method of the future is called, or its type is
            // named.
            Expr::Reference(inner) if inner.mutability.is_none() => self.visit_at(&inner.expr, Position::Elsewhere),
            Expr::Reference(inner) => self.visit_at(&inner.expr, position),
            Expr::Await(awaited) => self.visit_at(&awaited.base, position.of_awaited()),
            Expr::MethodCall(call) if self.adds_item(call) => {
                call.args.iter().for_each(|argument| self.add_value(argument));
                call.args.iter().for_each(|argument| self.visit_expr(argument));
            }
            Expr::MethodCall(call) => self.visit_call_of_method(call, position),
            Expr::ForLoop(for_loop) => self.visit_loop(for_loop),
            Expr::Let(condition) => {
                let position = Position::of_matched(&condition.expr, iter::once(&*condition.pat));
                self.visit_at(&condition.expr, position);
            }
            Expr::Match(choice) => {
                let position = Position::of_matched(&choice.expr, choice.arms.iter().map(|arm| &arm.pat));
                self.visit_at(&choice.expr, position);
                choice.arms.iter().for_each(|arm| self.visit_arm(arm));
            }
            Expr::Call(call) => {
                // If the variable holds a closure, its call has the position of the future.
                self.visit_at(&call.func, position);
                let (of_arguments, repeats) = (position.of_arguments(call), repeats(&name_of_combinator(call)));
                call.args.iter().for_each(|argument| self.visit_argument(argument, of_arguments, repeats));
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
