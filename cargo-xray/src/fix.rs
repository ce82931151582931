//! Writes the attribute into a source file.

use std::ops::Range;

/// The places in a file at which the attribute is written.
pub(crate) struct Insertions {
    attribute: String,
    /// Bytes from the beginning of the file.
    places: Vec<usize>,
}

impl Insertions {
    pub(crate) fn new(attribute: &str) -> Self {
        Self { attribute: attribute.to_owned(), places: Vec::new() }
    }

    /// Adds the place before which the attribute is written: the first token of a function after its documentation.
    pub(crate) fn add(&mut self, place: usize) {
        self.places.push(place);
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the text with the attribute on a line of its own at each place, indented as the line below. If something
    /// else precedes the place on its line, the attribute is written on that line.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut places = self.places.clone();
        places.sort_unstable();
        let mut output = String::with_capacity(text.len() + places.len() * (self.attribute.len() + 8));
        let mut written = 0;
        for place in places {
            output.push_str(&text[written..place]);
            output.push_str(&self.attribute);
            match indentation(text, place) {
                Some(indentation) => {
                    output.push_str(line_end(&text[place..]));
                    output.push_str(&text[indentation]);
                }
                None => output.push(' '),
            }
            written = place;
        }
        output.push_str(&text[written..]);
        output
    }
}

/// Returns the white space at the start of the line that contains the position, or `None` if other text precedes the
/// position.
fn indentation(text: &str, place: usize) -> Option<Range<usize>> {
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let start = text[..place].rfind('\n').map_or(first, |end| end + 1);
    text[start..place].trim().is_empty().then_some(start..place)
}

/// Returns how the first line of a text ends.
fn line_end(text: &str) -> &'static str {
    let end = text.find('\n').unwrap_or_default();
    if text[..end].ends_with('\r') { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str, before: &[&str]) -> String {
        let mut insertions = Insertions::new("#[a]");
        for before in before {
            insertions.add(text.find(before).unwrap());
        }
        insertions.apply(text)
    }

    #[test]
    fn the_attribute_has_the_indentation_and_the_line_end_of_its_function() {
        assert_eq!(fixed("fn f() {}\nfn g() {}\n", &["fn g", "fn f"]), "#[a]\nfn f() {}\n#[a]\nfn g() {}\n");
        assert_eq!(fixed("mod m {\n\tpub fn f() {}\n}", &["pub fn"]), "mod m {\n\t#[a]\n\tpub fn f() {}\n}");
        assert_eq!(fixed("/// F.\r\n  fn f() {}\r\n", &["fn"]), "/// F.\r\n  #[a]\r\n  fn f() {}\r\n");
        assert_eq!(fixed("\u{feff}fn f() {}", &["fn"]), "\u{feff}#[a]\nfn f() {}");
        assert_eq!(fixed("impl S { fn f() {} }", &["fn"]), "impl S { #[a] fn f() {} }");
    }
}
