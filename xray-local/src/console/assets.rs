//! The style sheet, the script and the icon.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// A file that is part of the program.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

pub(super) const STYLE: Asset = Asset::new(
    "style.css",
    "text/css; charset=utf-8",
    // One style sheet for the browser. Rules for narrow screens come last, because they replace others.
    concat!(include_str!("assets/style.css"), include_str!("assets/pages.css"), include_str!("assets/narrow.css")),
);
pub(super) const SCRIPT: Asset = Asset::new(
    "console.js",
    "text/javascript; charset=utf-8",
    // One script for the browser. Later parts use the functions of the first.
    concat!(
        include_str!("assets/console.js"),
        include_str!("assets/completion.js"),
        include_str!("assets/trace.js"),
        include_str!("assets/files.js"),
        include_str!("assets/map.js"),
    ),
);
pub(super) const ICON: Asset = Asset::new("icon.svg", "image/svg+xml", include_str!("assets/icon.svg"));

/// Returns the asset with this name. A name is only compared, never used as a path, so no request can read other files.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    [&STYLE, &SCRIPT, &ICON].into_iter().find(|asset| asset.name == name)
}

impl Asset {
    const fn new(name: &'static str, content_type: &'static str, text: &'static str) -> Self {
        Self { name, content_type, text }
    }

    /// Returns the address of the asset. It contains a hash of the content: a browser may cache the asset forever, and
    /// a new version of the program still gets its new assets loaded.
    pub(super) fn address(&self) -> String {
        format!("/assets/{}?v={:016x}", self.name, fnv1a(self.text.as_bytes()))
    }
}

impl IntoResponse for &Asset {
    fn into_response(self) -> Response {
        let headers =
            [(header::CONTENT_TYPE, self.content_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
        (headers, self.text).into_response()
    }
}

/// Computes the FNV-1a hash. A cryptographic hash is not needed: all contents come with the program, so nobody can
/// choose a content that collides.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    hash
}
