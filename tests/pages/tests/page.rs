//! Reads a page as GitHub does: its blocks of code, its tables, and the code in its sentences.

use std::fs;
use std::ops::Range;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A fenced block of code.
pub(crate) struct Block {
    /// The page and the line of the block, for messages.
    pub(crate) place: String,
    /// The first word after the opening fence, such as `rust` or `json`.
    pub(crate) language: String,
    pub(crate) text: String,
}

/// A cell of a table: its whole text, and the parts of it in `backticks`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) codes: Vec<String>,
}

/// The rows of a table. The first one is the header.
pub(crate) type Table = Vec<Vec<Cell>>;

pub(crate) struct Page {
    /// The path below the root of the repository.
    pub(crate) path: String,
    /// The page without the blocks of code.
    pub(crate) prose: String,
    pub(crate) blocks: Vec<Block>,
    pub(crate) tables: Vec<Table>,
    /// The parts in `backticks`, outside tables.
    pub(crate) codes: Vec<String>,
}

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Reads the pages for users: the front pages of the library and of `xray-local`, `COMPARE.md`, and every page in
/// `docs/`.
pub(crate) fn all() -> Vec<Page> {
    let files = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut paths: Vec<_> = pages.map(|path| format!("docs/{}", path.file_name().unwrap().to_string_lossy())).collect();
    paths.extend(["COMPARE.md", "README.md", "xray-local/README.md"].map(str::to_owned));
    paths.sort();
    paths.into_iter().map(read).collect()
}

/// Reads one page.
pub(crate) fn read(path: impl Into<String>) -> Page {
    let path = path.into();
    let text = fs::read_to_string(root().join(&path)).unwrap();
    let mut page = Page { path, prose: text.clone(), blocks: vec![], tables: vec![], codes: vec![] };
    let mut block: Option<Block> = None;
    let mut cell: Option<Cell> = None;
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => block = Some(page.block(&text, &kind, range)),
            Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
            Event::Start(Tag::Table(_)) => page.tables.push(vec![]),
            Event::Start(Tag::TableHead | Tag::TableRow) => page.tables.last_mut().unwrap().push(vec![]),
            Event::Start(Tag::TableCell) => cell = Some(Cell::default()),
            Event::End(TagEnd::TableCell) => {
                page.tables.last_mut().unwrap().last_mut().unwrap().extend(cell.take());
            }
            Event::Text(text) | Event::Code(text) if block.is_some() => block.as_mut().unwrap().text.push_str(&text),
            Event::Text(text) => cell.iter_mut().for_each(|cell| cell.text.push_str(&text)),
            Event::Code(code) => match &mut cell {
                Some(cell) => {
                    cell.text.push_str(&code);
                    cell.codes.push(code.into_string());
                }
                None => page.codes.push(code.into_string()),
            },
            Event::SoftBreak | Event::HardBreak => cell.iter_mut().for_each(|cell| cell.text.push(' ')),
            _ => {}
        }
    }
    page
}

impl Page {
    /// Begins a block, and blanks it out in the prose.
    fn block(&mut self, text: &str, kind: &CodeBlockKind<'_>, range: Range<usize>) -> Block {
        let blank: String =
            text[range.clone()].chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect();
        let before = self.prose.len() - (text.len() - range.start);
        self.prose.replace_range(before..before + range.len(), &blank);
        let line = text[..range.start].lines().count() + 1;
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split(',').next().unwrap_or_default().to_owned(),
            CodeBlockKind::Indented => String::new(),
        };
        Block { place: format!("{}:{line}", self.path), language, text: String::new() }
    }

    /// Returns the table whose header begins with this text.
    pub(crate) fn table(&self, first_header: &str) -> &Table {
        let table = self.tables.iter().find(|table| table[0][0].text == first_header);
        table.unwrap_or_else(|| panic!("{} has no table with the column {first_header:?}", self.path))
    }

    /// Returns every part in `backticks`, those in tables included.
    pub(crate) fn all_codes(&self) -> impl Iterator<Item = &String> {
        let in_tables = self.tables.iter().flatten().flatten().flat_map(|cell| &cell.codes);
        self.codes.iter().chain(in_tables)
    }
}
