//! The frame around every page: head, navigation and footer.

use axum::http::{HeaderValue, Response, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

use super::state::Console;
use super::{assets, format};

/// The entry of the navigation that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Traces,
    Map,
    Problems,
    Counters,
}

/// A complete page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// The highlighted entry of the navigation.
    pub(super) section: Option<Section>,
    /// The address of a revision number, and its value when the page was rendered. The script asks for the number every
    /// second and updates the page when the number differs.
    pub(super) changes: (&'a str, u64),
    pub(super) content: Markup,
}

impl Page<'_> {
    /// Creates a page that is updated when anything in the store changes.
    pub(super) fn new(title: &str, section: Section, revision: u64, content: Markup) -> Page<'_> {
        Page { title, section: Some(section), changes: ("/changes", revision), content }
    }

    /// Renders the page with the full navigation.
    pub(super) fn render(self, console: &Console) -> Markup {
        let counters = console.store.counters();
        self.document(&html! {
            (self.navigation(Some((counters.rejected, counters.suspicious))))
            // Without the script the button would do nothing, so the script is what shows it.
            button.live type="button" data-live-switch aria-pressed="true" hidden { "Live" }
        })
    }

    /// Renders the HTML document around a navigation and the content.
    fn document(&self, navigation: &Markup) -> Markup {
        let (changes, revision) = self.changes;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (self.title) " · xray-local" }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" href=(assets::ICON.address());
                    link rel="stylesheet" href=(assets::STYLE.address());
                    script src=(assets::SCRIPT.address()) defer {}
                }
                body data-changes=(changes) data-revision=(revision) {
                    // The first stop of the Tab key, so that the keyboard need not pass the navigation on every page.
                    // (WCAG 2.2, 2.4.1.)
                    a.skip href="#main" { "Skip to content" }
                    header.top {
                        a.brand href="/" {
                            svg viewBox="0 0 24 24" aria-hidden="true" {
                                rect.mark width="24" height="24" rx="6" {}
                                path.cut d="M6 7h8v2.2H6zM9 10.9h9v2.2H9zM7 14.8h6V17H7z" {}
                            }
                            "xray" span { "local" }
                        }
                        (navigation)
                    }
                    // With a negative tabindex the skip link can move the focus here. The Tab key does not stop here.
                    main #main tabindex="-1" { (self.content) }
                    footer.foot {
                        span { "xray-local " (env!("CARGO_PKG_VERSION")) }
                        a href="/load" { "Load a file" }
                        span.keys {
                            kbd { "j" } " " kbd { "k" } " move · " kbd { "Enter" } " open · " kbd { "/" } " search · "
                            kbd { "?" } " search help · " kbd { "e" } " next error · " kbd { "E" } " previous error"
                        }
                    }
                }
            }
        }
    }

    /// Renders the links to all pages. `problems` are the numbers of rejected and of suspicious documents, if known.
    fn navigation(&self, problems: Option<(u64, u64)>) -> Markup {
        html! {
            nav aria-label="Pages" {
                (self.entry(Section::Traces, "/", "Traces", None))
                (self.entry(Section::Map, "/map", "Service map", None))
                (self.entry(Section::Problems, "/problems", "Problems", problems))
                (self.entry(Section::Counters, "/counters", "Counters", None))
            }
        }
    }

    /// Renders one entry of the navigation. `problems` are the numbers of rejected and of suspicious documents.
    fn entry(&self, section: Section, address: &str, name: &str, problems: Option<(u64, u64)>) -> Markup {
        let current = (self.section == Some(section)).then_some("page");
        let problems = problems.filter(|(rejected, suspicious)| rejected + suspicious > 0);
        html! {
            a href=(address) aria-current=[current] {
                (name)
                @if let Some((rejected, suspicious)) = problems {
                    span.count.bad[rejected > 0] {
                        (format::count(rejected + suspicious))
                        span.visually-hidden { " rejected or suspicious documents" }
                    }
                }
            }
        }
    }
}

/// Returns the response with a page.
pub(super) fn response(status: StatusCode, page: Markup) -> Response<Vec<u8>> {
    let mut response = Response::new(page.into_string().into_bytes());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Renders a page about a request that was refused before it reached the console.
pub(super) fn refused(title: &str, message: &str) -> Markup {
    let content = html! {
        div.card.empty { h1 { (title) } p { (message) } a href="/load" { "Load another file" } }
    };
    // The server refused the request, so the figures of the store are not at hand.
    let page = Page { title, section: None, changes: ("/changes", 0), content };
    page.document(&page.navigation(None))
}

/// Renders the page for a trace or segment that is not in the store.
pub(super) fn not_found(console: &Console) -> Markup {
    let content = html! {
        div.card.empty {
            h1 { "Not found" }
            p {
                "There is no trace or segment with this ID. It may have been removed to make room for newer ones, \
                 or xray-local was restarted."
            }
            a href="/" { "Show all traces" }
        }
    };
    Page { title: "Not found", section: None, changes: ("/changes", 0), content }.render(console)
}
