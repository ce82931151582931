//! Percent-encoding of bytes. (RFC 3986, section 2.1.)

/// Replaces each escape, such as `%20`, by its byte. Keeps an invalid escape unchanged.
#[cfg_attr(not(any(feature = "actix-web", feature = "aws-sdk", feature = "tower")), allow(dead_code))]
pub(crate) fn decoded(text: &[u8]) -> String {
    String::from_utf8_lossy(&with_bytes(text)).into_owned()
}

/// Replaces each escape by its byte. Returns `None` if two hex digits do not follow a `%`.
pub(crate) fn decoded_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let mut after_percents = text.split(|byte| *byte == b'%').skip(1);
    after_percents.all(|after| escaped_byte(after).is_some()).then(|| with_bytes(text))
}

/// Returns a text with the byte in place of each valid escape.
fn with_bytes(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let escape = if *first == b'%' { escaped_byte(after) } else { None };
        bytes.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// Returns the byte that the first two hex digits of a text encode.
// Not `u8::from_str_radix`, which accepts `+1`.
fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let [high, low, ..] = digits else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced() {
        for (encoded, text) in [
            ("plain", "plain"),
            ("no todo%3A %C3%A9", "no todo: \u{e9}"),
            ("100%", "100%"),
            ("100%2", "100%2"),
            ("%+1", "%+1"),
            ("%zz%41", "%zzA"),
            ("%\u{20ac}%41", "%\u{20ac}A"),
            ("%FF", "\u{fffd}"),
        ] {
            assert_eq!(decoded(encoded.as_bytes()), text, "{encoded}");
        }
        assert_eq!(decoded_bytes(b"1%202%Ff"), Some(b"1 2\xff".to_vec()));
        for invalid in ["%", "%2", "%+1", "%zz"] {
            assert_eq!(decoded_bytes(invalid.as_bytes()), None, "{invalid}");
        }
    }
}
