//! What all pages have in common.

use maud::{DOCTYPE, Markup, html};

use super::state::Console;
use super::{assets, format};

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Traces,
    Map,
    Problems,
    Counters,
}

/// A whole page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) section: Option<Section>,
    /// What tells the script that the page's live part has changed: an address, and the number there by now.
    pub(super) changes: (&'a str, u64),
    pub(super) content: Markup,
}

impl Page<'_> {
    /// With a title, in a section; its live part changes with whatever comes.
    pub(super) fn new(title: &str, section: Section, revision: u64, content: Markup) -> Page<'_> {
        Page { title, section: Some(section), changes: ("/changes", revision), content }
    }

    pub(super) fn render(self, console: &Console) -> Markup {
        let counters = console.store.counters();
        self.around(&html! {
            nav aria-label="Pages" {
                (self.entry(Section::Traces, "/", "Traces", None))
                (self.entry(Section::Map, "/map", "Service map", None))
                (self.entry(Section::Problems, "/problems", "Problems", Some((counters.rejected, counters.suspicious))))
                (self.entry(Section::Counters, "/counters", "Counters", None))
            }
            button.live type="button" data-live-switch aria-pressed="true" hidden { "Live" }
        })
    }

    fn around(&self, navigation: &Markup) -> Markup {
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
                    main #main tabindex="-1" { (self.content) }
                    footer.foot {
                        span { "xray-local " (env!("CARGO_PKG_VERSION")) }
                        span.keys { kbd { "j" } " " kbd { "k" } " move · " kbd { "Enter" } " open · " kbd { "/" } " search" }
                    }
                }
            }
        }
    }

    fn entry(&self, section: Section, address: &str, name: &str, problems: Option<(u64, u64)>) -> Markup {
        let current = (self.section == Some(section)).then_some("page");
        html! {
            a href=(address) aria-current=[current] {
                (name)
                @if let Some((rejected, suspicious)) = problems.filter(|(rejected, suspicious)| rejected + suspicious > 0) {
                    span.count.bad[rejected > 0] {
                        (format::count(rejected + suspicious)) span.vh { " rejected or suspicious documents" }
                    }
                }
            }
        }
    }
}

/// The answer where there is no page.
pub(super) fn not_found() -> Markup {
    let content = html! {
        div.card.empty {
            h1 { "Not here" }
            p { "No such trace or segment. It may have left to make room for newer ones, or xray-local was started anew." }
            a href="/" { "All traces" }
        }
    };
    Page { title: "Not here", section: None, changes: ("/changes", 0), content }.around(&html! {
        nav aria-label="Pages" { a href="/" { "Traces" } }
    })
}
