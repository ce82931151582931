"""Puts all mutations of a crate behind switches.

`a + b` becomes `(if crate::is_mutated(7) { a - b } else { a + b })`, where 7 is the number of the mutation in the list of
`cargo mutants`. The crate is compiled once, and the environment variable `XRAY_MUTATION` says which mutation is made. With
`XRAY_REACHED`, the path of a file, the program writes to it the numbers of the switches that it reaches.
"""

import json
import re
import subprocess
from collections import defaultdict

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

SWITCH = b"""
#[doc(hidden)]
#[allow(warnings, clippy::all, clippy::pedantic)]
pub fn is_mutated(number: usize) -> bool {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::OnceLock;
    static SELECTED: OnceLock<(usize, Option<std::ffi::OsString>)> = OnceLock::new();
    static REACHED: [AtomicBool; 16384] = [const { AtomicBool::new(false) }; 16384];
    let (selected, path) = SELECTED.get_or_init(|| {
        let selected = std::env::var("XRAY_MUTATION").ok().and_then(|text| text.parse().ok());
        (selected.unwrap_or(0), std::env::var_os("XRAY_REACHED"))
    });
    if let Some(path) = path {
        if !REACHED[number].swap(true, Ordering::Relaxed) {
            use std::io::Write as _;
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            let _ = file.and_then(|mut file| file.write_all(format!("{number}\\n").as_bytes()));
        }
    }
    *selected == number
}
"""

# Each piece of code that may not compile stands between two comments, which lead from an error of the compiler to the mutations
# that may cause it. A piece is the code of one mutation, or the expression or the function around several.
COMMENT = re.compile(rb"/\*(<|>)(one|expression|function) ([\d ]+)\*/")


def marked(kind, numbers, code):
    label = b"%s %s*/" % (kind, b" ".join(b"%d" % number for number in numbers))
    return b"/*<" + label + code + b"/*>" + label


class Mutation:
    """A mutation of the list of `cargo mutants`."""

    def __init__(self, number, listed, source):
        self.number, self.name, self.genre = number, listed["name"], listed["genre"]
        self.replacement = listed["replacement"].encode()
        self.start, self.end = (source.offset(listed["span"][side]) for side in ("start", "end"))

    def is_on(self):
        return b"crate::is_mutated(%d)" % self.number

    def code(self, code):
        return marked(b"one", [self.number], code)


class Source:
    """A file, and the mutations of its nodes."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.root = PARSER.parse(text).root_node
        self.lines = text.split(b"\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.mutations = defaultdict(list)

    def offset(self, place):
        """Returns the byte of a place, whose column counts characters."""
        line = self.lines[place["line"] - 1].decode()
        return self.starts[place["line"] - 1] + len(line[: place["column"] - 1].encode())

    def add(self, mutation):
        """Adds a mutation. Returns why there is no place for a switch, if there is none."""
        node = place(self.root.descendant_for_byte_range(mutation.start, mutation.end), mutation)
        if node is None:
            return "no place for a switch"
        if is_constant(node):
            return "in a constant"
        self.mutations[key(node)].append(mutation)
        return None

    def with_switches(self, excluded):
        """Returns the text with the switches of all mutations whose numbers are not in `excluded`."""

        def rewrite(node):
            parts, position = [], node.start_byte
            for child in node.children:
                parts += [self.text[position : child.start_byte], rewrite(child)]
                position = child.end_byte
            code = b"".join(parts) + self.text[position : node.end_byte]
            mutations = [mutation for mutation in self.mutations.get(key(node), []) if mutation.number not in excluded]
            return REWRITES[mutations[0].genre](self.text, node, code, mutations) if mutations else code

        return rewrite(self.root)


def key(node):
    return node.start_byte, node.end_byte, node.type


def ancestors(node):
    while node is not None:
        yield node
        node = node.parent


def nearest(node, kind):
    return next((ancestor for ancestor in ancestors(node) if ancestor.type == kind), None)


def place(node, mutation):
    """Returns the node that the switch of a mutation replaces, or `None`."""
    match mutation.genre:
        case "FnValue":
            return nearest(node, "function_item").child_by_field_name("body")
        case "BinaryOperator":
            return node.parent if node.parent.type in ("binary_expression", "compound_assignment_expr") else None
        case "UnaryOperator":
            unary = nearest(node, "unary_expression")
            return unary if unary and unary.start_byte == mutation.start else None
        case "MatchArm" | "MatchArmGuard":
            pattern = nearest(node, "match_arm").child_by_field_name("pattern")
            condition = pattern.child_by_field_name("condition")
            # A guard with `let` is no expression that a switch can be part of.
            is_let = condition is not None and condition.type in ("let_condition", "let_chain")
            return None if is_let else condition or pattern
        case "StructField":
            return nearest(node, "struct_expression")
    return None


def is_constant(node):
    """Returns whether the code of a node is evaluated by the compiler, which cannot call the switch."""
    for ancestor in ancestors(node):
        if ancestor.type in ("const_item", "static_item", "const_block", "macro_definition", "token_tree", "array_type"):
            return True
        if ancestor.type == "function_item":
            return any(child.type == "function_modifiers" and b"const" in child.text for child in ancestor.children)
    return False


def choice(mutations, code, changed):
    """Returns an expression: the changed code of the mutation that is made, or `code`."""
    branches = (b"if " + each.is_on() + b" { " + each.code(changed(each)) + b" } else " for each in mutations)
    return b"".join(branches) + b"{ " + code + b" }"


def expression(mutations, code):
    return marked(b"expression", [mutation.number for mutation in mutations], code)


def early_returns(_, __, code, mutations):
    returns = b"".join(b" if " + each.is_on() + b" { " + each.code(b"return " + each.replacement) + b"; }" for each in mutations)
    return b"{" + marked(b"function", [mutation.number for mutation in mutations], returns + code[1:-1]) + b"}"


def other_operator(text, node, code, mutations):
    operator = node.child_by_field_name("operator")
    before, after = text[node.start_byte : operator.start_byte], text[operator.end_byte : node.end_byte]
    chosen = choice(mutations, code, lambda mutation: before + mutation.replacement + after)
    is_statement = node.type == "compound_assignment_expr" and node.parent.type == "expression_statement"
    return expression(mutations, b"{ " + chosen + b" }" if is_statement else b"(" + chosen + b")")


def no_operator(text, node, code, mutations):
    return expression(mutations, b"(" + choice(mutations, code, lambda _: text[node.start_byte + 1 : node.end_byte]) + b")")


def other_guard(_, node, code, mutations):
    """An arm that is left out gets a guard that is never true."""
    if node.type == "match_pattern":
        is_off = mutations[0].code(b"!" + mutations[0].is_on())
        return code + b" if " + expression(mutations, is_off)
    for each in mutations:
        if each.replacement == b"true":
            code = each.is_on() + b" || (" + code + b")"
        else:
            code = b"!" + each.is_on() + b" && (" + code + b")"
    return expression(mutations, b"(" + code + b")")


def no_field(text, node, code, mutations):
    def without(mutation):
        rest = re.sub(rb"^\s*,", b"", text[mutation.end : node.end_byte])
        return text[node.start_byte : mutation.start] + rest

    return expression(mutations, b"(" + choice(mutations, code, without) + b")")


REWRITES = {
    "FnValue": early_returns,
    "BinaryOperator": other_operator,
    "UnaryOperator": no_operator,
    "MatchArm": other_guard,
    "MatchArmGuard": other_guard,
    "StructField": no_field,
}


class Crate:
    """A crate in a clone of the repository, with the switches of its mutations."""

    def __init__(self, clone, root, listed, excluded):
        """`root` is the path of the crate's `lib.rs`, and `listed` the list of `cargo mutants --list --json`. `excluded` are the
        mutations that are known not to compile, and why.
        """
        self.clone, self.root = clone, root
        self.sources, self.mutations = {}, {}
        self.excluded = {int(number): reason for number, reason in excluded.items()}
        for number, each in enumerate(listed, 1):
            source = self.source(each["file"])
            self.mutations[number] = mutation = Mutation(number, each, source)
            reason = source.add(mutation)
            if reason:
                self.excluded[number] = reason
        self.source(root)

    def source(self, path):
        if path not in self.sources:
            committed = ["git", "-C", self.clone, "show", f"HEAD:{path}"]
            self.sources[path] = Source(path, subprocess.run(committed, check=True, capture_output=True).stdout)
        return self.sources[path]

    def write(self):
        """Writes the files with their switches. Returns their texts."""
        texts = {path: source.with_switches(self.excluded) for path, source in self.sources.items()}
        texts[self.root] += SWITCH
        for path, text in texts.items():
            file = self.clone / path
            # A file that does not change keeps its time, so that cargo need not compile it.
            if file.read_bytes() != text:
                file.write_bytes(text)
        return texts

    def compile(self, command):
        """Excludes the mutations that do not compile, until `command` succeeds. Returns the messages of cargo, which the command
        prints as JSON.
        """
        while True:
            texts = self.write()
            run = subprocess.run(command, cwd=self.clone, capture_output=True, text=True)
            messages = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
            if run.returncode == 0:
                return messages
            errors = [each["message"] for each in messages if each["reason"] == "compiler-message"]
            errors = [error for error in errors if error["level"] == "error"]
            causes = Causes(texts)
            found = {number: error["message"] for error in errors for number in causes.of(error)}
            if not found:
                raise SystemExit("no mutation is found to cause this:\n" + "\n".join(error["rendered"] for error in errors))
            print(f"{len(found)} mutations do not compile", flush=True)
            self.excluded |= found


class Causes:
    """Finds the mutations that may cause an error of the compiler."""

    def __init__(self, texts):
        self.texts, self.marks = texts, {}

    def of(self, error):
        """Returns the numbers of the smallest group of mutations around a place that the error names."""
        places = sorted(error["spans"], key=lambda span: not span["is_primary"])
        places = [(path, span) for span in places for path, span in self.expansions(span)]
        for kind in (b"one", b"expression", b"function"):
            for path, span in places:
                around = [mark for mark in self.marks_of(path) if mark[0] == kind and self.is_near(mark, span)]
                if around:
                    return min(around, key=lambda mark: mark[2] - mark[1])[3]
        for path, span in places:
            numbers = self.arms_around(path, span)
            if numbers:
                return numbers
        return []

    def expansions(self, span):
        while span:
            path = next((path for path in self.texts if span["file_name"].endswith(path)), None)
            if path:
                yield path, span
            span = (span.get("expansion") or {}).get("span")

    @staticmethod
    def is_near(mark, span):
        kind, start, end, _ = mark
        is_inside = start <= span["byte_start"] and span["byte_end"] <= end
        # The span may be an expression of which the mutation is a part.
        is_part = kind == b"one" and span["byte_start"] <= start and end <= span["byte_end"] < span["byte_start"] + 400
        return is_inside or is_part

    def marks_of(self, path):
        """Returns kind, start, end and numbers of each marked piece of a file."""
        if path not in self.marks:
            marks, opened = [], []
            for comment in COMMENT.finditer(self.texts[path]):
                side, kind, numbers = comment.groups()
                if side == b"<":
                    opened.append(comment.start())
                else:
                    marks.append((kind, opened.pop(), comment.end(), [int(number) for number in numbers.split()]))
            self.marks[path] = marks
        return self.marks[path]

    def arms_around(self, path, span):
        """Returns the mutations in the patterns of the nearest `match`, which with their guards may not be exhaustive."""
        start, end = span["byte_start"], max(span["byte_start"], span["byte_end"] - 1)
        root = PARSER.parse(self.texts[path]).root_node
        for ancestor in ancestors(root.descendant_for_byte_range(start, end)):
            if ancestor.type != "match_expression":
                continue
            arms = [arm for arm in ancestor.child_by_field_name("body").children if arm.type == "match_arm"]
            patterns = [(arm.start_byte, arm.child_by_field_name("value").start_byte) for arm in arms]
            inside = [mark[3] for mark in self.marks_of(path) for start, end in patterns
                      if mark[0] == b"one" and start <= mark[1] and mark[2] <= end]
            if inside:
                return [number for numbers in inside for number in numbers]
        return []
