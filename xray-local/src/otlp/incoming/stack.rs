//! Reads stack traces in the text formats of several programming languages.

/// The most exceptions of one stack trace, and the most frames of one exception. A text of 200 kB could hold ten
/// thousand exceptions or frames.
const MAX_EXCEPTIONS: usize = 20;
const MAX_FRAMES: usize = 200;

/// An exception that has no id yet.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Exception {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) is_remote: bool,
    /// The frames, innermost first: function, file and line.
    pub(super) stack: Vec<(String, String, u32)>,
    /// `true` if the next exception in the list caused this one.
    pub(super) is_caused_by_next: bool,
}

/// Returns an exception with its stack, followed by the exceptions that caused it. Stacks are read for Java, PHP,
/// Python, JavaScript, .NET and Go, and left out for other languages.
pub(super) fn exceptions(exception: Exception, trace: &str, language: &str) -> Vec<Exception> {
    let mut found = vec![exception];
    // The first line repeats the type and the message.
    let lines = trace.lines().skip(1);
    match language {
        // The SDK for PHP writes stack traces in the format of Java.
        "java" | "php" => java(lines, &mut found),
        "python" => python(trace, &mut found),
        "javascript" | "nodejs" | "webjs" => {
            lines.filter_map(javascript_frame).for_each(|frame| push(&mut found, frame));
        }
        "dotnet" => lines.filter_map(dotnet_frame).for_each(|frame| push(&mut found, frame)),
        "go" => go(lines, &mut found),
        _ => {}
    }
    found
}

type Frame = (String, String, u32);

fn push(found: &mut [Exception], frame: Frame) {
    if let Some(exception) = found.last_mut().filter(|exception| exception.stack.len() < MAX_FRAMES) {
        exception.stack.push(frame);
    }
}

/// Adds the exception that caused the last exception. Returns `false` if there are [`MAX_EXCEPTIONS`] already.
fn push_cause(found: &mut Vec<Exception>, kind: &str, message: String) -> bool {
    if found.len() == MAX_EXCEPTIONS {
        return false;
    }
    let is_remote = found.last_mut().is_some_and(|effect| {
        effect.is_caused_by_next = true;
        effect.is_remote
    });
    found.push(Exception { kind: kind.to_owned(), message, is_remote, ..Exception::default() });
    true
}

/// Reads `\tat module/package.Class.method(File.java:12)` and `Caused by: package.Type: message`.
fn java<'a>(lines: impl Iterator<Item = &'a str>, found: &mut Vec<Exception>) {
    let mut is_message = false;
    for line in lines {
        if let Some(frame) = java_frame(line) {
            is_message = false;
            push(found, frame);
        } else if let Some(cause) = line.strip_prefix("Caused by: ") {
            let (kind, message) = cause.split_once(": ").unwrap_or((cause.trim_end_matches(':'), ""));
            if !push_cause(found, kind, message.to_owned()) {
                return;
            }
            is_message = true;
        } else if let (true, Some(exception)) = (is_message, found.last_mut()) {
            // A message may have several lines.
            exception.message.push_str(line);
        }
    }
}

fn java_frame(line: &str) -> Option<Frame> {
    let (label, place) = line.strip_prefix("\tat ")?.strip_suffix(')')?.split_once('(')?;
    let (path, number) = place.split_once(':').unwrap_or((place, ""));
    let label = label.split_once('/').map_or(label, |(_, label)| label);
    Some((label.to_owned(), path.to_owned(), number.parse().unwrap_or_default()))
}

/// Reads `  File "shop.py", line 12, in checkout`, from the last line to the first. Python writes the innermost frame
/// last, and writes a cause before the exception that it led to.
fn python(trace: &str, found: &mut Vec<Exception>) {
    const HANDLING: &str = "During handling of the above exception, another exception occurred:";
    const CAUSED: &str = "The above exception was the direct cause of the following exception:";

    let lines: Vec<&str> = trace.split('\n').collect();
    let mut rest = &lines[..lines.len().saturating_sub(1)];
    while let Some((line, before)) = rest.split_last() {
        rest = before;
        if let Some(frame) = python_frame(line) {
            push(found, frame);
        } else if line.starts_with(HANDLING) || line.starts_with(CAUSED) {
            // The message of the other exception comes after its innermost frame and before an empty line. A line of
            // source and a line of marks may follow the frame.
            let Some(frame) = rest.iter().rposition(|line| python_frame(line).is_some()) else { return };
            let source = usize::from(rest.get(frame + 1).is_some_and(|line| line.starts_with("    ")));
            let marks = rest[(frame + 1 + source).min(rest.len())..].iter().take_while(|line| is_mark(line)).count();
            let message = rest[(frame + 1 + source + marks).min(rest.len())..].join("\n");
            let (kind, message) = message.split_once(':').unwrap_or((&message, ""));
            if !push_cause(found, kind.trim(), message.trim().to_owned()) {
                return;
            }
            rest = &rest[..=frame];
        }
    }
}

fn python_frame(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("  File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let (number, label) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some((label.to_owned(), path.to_owned(), number.trim().parse().unwrap_or_default()))
}

/// Returns whether a line marks a part of the source line above: `    ~~^~~`.
fn is_mark(line: &str) -> bool {
    line.starts_with("    ") && line.trim().bytes().all(|byte| matches!(byte, b'~' | b'^'))
}

/// Reads `    at checkout (/srv/shop.js:12:3)` and `    at /srv/shop.js:12:3`.
fn javascript_frame(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("    at ")?;
    let (label, place) = match rest.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
        Some((label, place)) => (label.trim_end(), place),
        None => ("", rest),
    };
    let mut parts = place.rsplitn(3, ':');
    let (column, number, path) = (parts.next(), parts.next(), parts.next());
    let number = column.and(number).and_then(|number| number.parse().ok());
    match (number, path) {
        (Some(number), Some(path)) => Some((label.to_owned(), path.to_owned(), number)),
        _ => Some((label.to_owned(), place.to_owned(), 0)),
    }
}

/// Reads `   at Shop.Checkout(Cart cart) in /srv/Shop.cs:line 12` and `   at Shop.Checkout(Cart cart)`.
fn dotnet_frame(line: &str) -> Option<Frame> {
    let rest = line.trim().strip_prefix("at ")?;
    let Some((label, place)) = rest.split_once(" in ") else {
        let end = rest.rfind(')')?;
        return Some((rest[..=end].to_owned(), String::new(), 0));
    };
    let (path, number) = place.rsplit_once(':').unwrap_or((place, ""));
    let number = number.trim_start_matches("line").trim().parse().unwrap_or_default();
    Some((label.to_owned(), path.to_owned(), number))
}

/// Reads pairs of lines: `main.checkout(0x1)`, and `\t/srv/shop.go:12 +0x1d`.
fn go<'a>(lines: impl Iterator<Item = &'a str>, found: &mut [Exception]) {
    let mut label = None;
    for line in lines.filter(|line| !line.starts_with("goroutine ")) {
        match (line.strip_prefix('\t'), label.take()) {
            (Some(place), Some(label)) => {
                let place = place.split(' ').next().unwrap_or_default();
                let (path, number) = place.rsplit_once(':').unwrap_or((place, ""));
                push(found, (label, path.to_owned(), number.parse().unwrap_or_default()));
            }
            _ => label = Some(line.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(language: &str, trace: &str) -> Vec<Exception> {
        exceptions(Exception { kind: "First".to_owned(), ..Exception::default() }, trace, language)
    }

    fn stack(exception: &Exception) -> Vec<(&str, &str, u32)> {
        exception.stack.iter().map(|(label, path, line)| (label.as_str(), path.as_str(), *line)).collect()
    }

    #[test]
    fn a_trace_of_python_has_the_innermost_frame_first() {
        let trace = "Traceback (most recent call last):\n  File \"/srv/a.py\", line 3, in inner\n    1 / 0\n    ~~^~~\n\
                     ZeroDivisionError: division by zero\n\n\
                     During handling of the above exception, another exception occurred:\n\n\
                     Traceback (most recent call last):\n  File \"/srv/a.py\", line 9, in <module>\n    outer()\n  \
                     File \"/srv/a.py\", line 5, in outer\n    raise ValueError(\"no\")\nValueError: no\n";
        let [outer, inner] = &read("python", trace)[..] else { panic!() };
        assert_eq!(stack(outer), [("outer", "/srv/a.py", 5), ("<module>", "/srv/a.py", 9)]);
        assert!(outer.is_caused_by_next);
        assert_eq!((inner.kind.as_str(), inner.message.as_str()), ("ZeroDivisionError", "division by zero"));
        assert_eq!(stack(inner), [("inner", "/srv/a.py", 3)]);
    }

    #[test]
    fn a_trace_of_java_has_its_causes() {
        let trace = "java.lang.IllegalStateException: no\n\tat app//com.shop.Cart.pay(Cart.java:12)\n\tat java.base/java.lang.Thread.run(Native Method)\n\
                     Caused by: java.io.IOException: closed\nby peer\n\tat com.shop.Net.send(Net.java:7)\n\t... 2 more\n";
        let [first, cause] = &read("java", trace)[..] else { panic!() };
        assert_eq!(
            stack(first),
            [("/com.shop.Cart.pay", "Cart.java", 12), ("java.lang.Thread.run", "Native Method", 0)]
        );
        assert_eq!((cause.kind.as_str(), cause.message.as_str()), ("java.io.IOException", "closedby peer"));
        assert_eq!(stack(cause), [("com.shop.Net.send", "Net.java", 7)]);
    }

    #[test]
    fn frames_of_other_languages_are_read() {
        let trace = "Error: no\n    at pay (/srv/cart.js:12:3)\n    at node:internal/main:5:1\n    at <anonymous>\n";
        let [exception] = &read("nodejs", trace)[..] else { panic!() };
        let frames = [("pay", "/srv/cart.js", 12), ("", "node:internal/main", 5), ("", "<anonymous>", 0)];
        assert_eq!(stack(exception), frames);
        let trace = "Shop.Failed: no\n   at Shop.Pay(Cart cart) in C:\\srv\\Cart.cs:line 12\n   at Shop.Main()\n";
        let [exception] = &read("dotnet", trace)[..] else { panic!() };
        assert_eq!(stack(exception), [("Shop.Pay(Cart cart)", "C:\\srv\\Cart.cs", 12), ("Shop.Main()", "", 0)]);
        let trace =
            "no\ngoroutine 1 [running]:\nmain.pay(0x1)\n\t/srv/cart.go:12 +0x1d\nmain.main()\n\t/srv/main.go:3 +0x2\n";
        let [exception] = &read("go", trace)[..] else { panic!() };
        assert_eq!(stack(exception), [("main.pay(0x1)", "/srv/cart.go", 12), ("main.main()", "/srv/main.go", 3)]);
    }

    #[test]
    fn any_text_is_read_within_the_limits() {
        for language in ["java", "python", "nodejs", "dotnet", "go", "rust", ""] {
            for trace in [
                "",
                "\n",
                "\n\n",
                "  File \"",
                "Caused by: ",
                "During handling of the above exception, another exception occurred:\n\n",
            ] {
                assert!(!read(language, trace).is_empty(), "{language} {trace}");
            }
            let frames = "  File \"a\", line 1, in b\n\tat a(b:1)\n    at a (b:1:1)\n".repeat(5_000);
            let causes = "Caused by: a: b\n\tat a(b:1)\n".repeat(5_000);
            for exceptions in [read(language, &frames), read(language, &causes)] {
                assert!(exceptions.len() <= MAX_EXCEPTIONS);
                assert!(exceptions.iter().all(|exception| exception.stack.len() <= MAX_FRAMES));
            }
        }
    }
}
