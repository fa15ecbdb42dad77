//! Bytes → text that a YAML parser may see.

use super::diagnostic::{Code, Diagnostic};

/// The largest workflow file, in bytes. Ten thousand instance ids fit five times.
pub(super) const LARGEST: usize = 1024 * 1024;

/// The text without its byte-order mark, or the complaint with the text as far as it can be shown.
pub(super) fn text(bytes: &[u8]) -> Result<&str, (String, Box<Diagnostic>)> {
    if bytes.len() > LARGEST {
        let complaint = Diagnostic::new(Code::TooLarge, "the file is larger than 1 MiB")
            .help("a workflow is a few dozen lines; is this the right file?");
        return Err((String::new(), Box::new(complaint)));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let complaint = Diagnostic::new(Code::Encoding, "the file is UTF-16")
            .help("save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`");
        return Err((String::new(), Box::new(complaint)));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let shown = String::from_utf8_lossy(bytes).into_owned();
        let complaint = Diagnostic::new(Code::Encoding, format!("byte 0x{:02X} is not UTF-8", bytes[at]))
            .at(&(at..at + '\u{FFFD}'.len_utf8()))
            .help("save the file as UTF-8");
        (shown, Box::new(complaint))
    })?;
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        None => Ok(text),
        Some((at, c)) => {
            let complaint = Diagnostic::new(
                Code::Encoding,
                format!("the character U+{:04X} is not allowed", u32::from(c)),
            )
            .at(&(at..at + c.len_utf8()))
            .help("remove it, or write it as an escape between double quotes");
            Err((text.to_owned(), Box::new(complaint)))
        }
    }
}

/// YAML 1.2, production `c-printable`, without the line breaks of YAML 1.1: its readers count lines differently.
fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => false,
        c => !c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_text_with_or_without_a_mark() {
        assert_eq!(text(b"a: \xC3\xA9\r\n"), Ok("a: \u{e9}\r\n"));
        assert_eq!(text(b"\xEF\xBB\xBFa: 1"), Ok("a: 1"));
        assert_eq!(text(b""), Ok(""));
    }

    #[test]
    fn refuses_a_byte_more_than_the_largest() {
        assert!(text(&vec![b'#'; LARGEST]).is_ok());
        let (_, complaint) = text(&vec![b'#'; LARGEST + 1]).unwrap_err();
        assert_eq!(complaint.code, Code::TooLarge);
    }

    #[test]
    fn points_at_the_bad_character() {
        for (bytes, at) in [(&b"ab\xFFc"[..], 2), (b"a\0", 1), (b"\x1B[2J", 0), ("é\u{85}".as_bytes(), 2)] {
            let (_, complaint) = text(bytes).unwrap_err();
            assert_eq!((complaint.code, complaint.span.unwrap().start), (Code::Encoding, at));
        }
    }
}
