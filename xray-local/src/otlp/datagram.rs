//! Spans in datagrams. In Lambda, ADOT sends them to the daemon's address. A datagram consists of the header line of a
//! segment document, `T1S` or `T1U`, and a protobuf request in Base64. (`otlp_udp_exporter.py` of ADOT for Python.)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The body of a datagram with spans.
pub(crate) struct Datagram<'a> {
    base64: &'a str,
}

impl<'a> Datagram<'a> {
    /// Recognizes spans in the body of a datagram by the first letters. Returns `None` for any other body, such as a
    /// segment document, which starts with `{`.
    ///
    /// The third letter is `S` for spans of a sampled trace, and `U` for spans of an unsampled trace. Both are
    /// accepted. ADOT marks unsampled spans with the attribute `aws.trace.flag.sampled`.
    pub(crate) fn of(body: &'a str) -> Option<Self> {
        let base64 = ["T1S", "T1U"].into_iter().find_map(|prefix| body.strip_prefix(prefix))?;
        Some(Self { base64 })
    }

    /// Decodes the Base64, and returns the protobuf request.
    ///
    /// # Errors
    ///
    /// If the text is not Base64.
    pub(crate) fn request(&self) -> Result<Vec<u8>, String> {
        STANDARD.decode(self.base64.trim_end()).map_err(|error| format!("the spans are not Base64: {error}"))
    }
}

/// Returns whether the body of a datagram holds metrics.
pub(crate) fn is_metrics(body: &str) -> bool {
    body.starts_with("M1")
}
