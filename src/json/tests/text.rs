#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn string(inner: &str) -> Str<'static> {
    doc(&format!("\"{inner}\"")).root().str().unwrap()
}

#[test]
fn escapes_are_read() {
    for (inner, text) in [
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r"\u0041\u00e9\u20ac", "Aé€"),
        (r"\ud83e\udd8a\uD83E\uDD8A", "🦊🦊"),
        // Halves of a pair.
        (r"\ud83e", "\u{fffd}"),
        (r"\ud83ex", "\u{fffd}x"),
        (r"\ud83e\n", "\u{fffd}\n"),
        (r"\ud83e\u0041", "\u{fffd}A"),
        (r"\udd8a\ud83e", "\u{fffd}\u{fffd}"),
        (r"\ud83e\ud83e\udd8a", "\u{fffd}🦊"),
    ] {
        assert_eq!(string(inner).decode(), text, "{inner}");
        // Whoever only copies it changes nothing.
        assert_eq!(string(inner).to_json(), format!("\"{inner}\""));
    }
}

#[test]
fn what_must_be_escaped_is() {
    let controls: String = (0..0x20).map(char::from).collect();
    for text in ["", "plain", "\"", "\\", &controls, "a\nb\n", "\u{7f}é🦊"] {
        for length in [0, 1, 63, 64, 65, 200] {
            let text = format!("{0}{text}{0}{text}", "x".repeat(length));
            let json = Str::plain(text.as_str()).to_json();
            assert!(!json.bytes().any(|b| b < 0x20), "{json}");
            assert_eq!(doc(&json).root().text().unwrap(), text);
        }
    }
}

#[test]
fn blank_is_white_space_however_it_is_written() {
    for inner in ["", " ", r"\n", r" \r\n\t\f ", r"\u0020", r"\u00a0\u3000 \u2003\n", "\u{3000}\u{a0}"] {
        assert!(string(inner).is_blank(), "{inner}");
        assert!(Str::plain(string(inner).decode().into_owned()).is_blank(), "{inner}");
    }
    for inner in ["x", r"\nx", r"\u0020\u0041", r"\\n", r"\b", r"\u0000", r"\ud83e\udd8a"] {
        assert!(!string(inner).is_blank(), "{inner}");
    }
    assert!(!Str::plain("\\n").is_blank());
}

#[test]
fn strings_are_compared_by_what_they_say() {
    assert_eq!(string(r"\u0061b"), Str::plain("ab"));
    assert!(string(r"\u0061b") == "ab" && string("ab") != *"ba");
    assert_eq!(string("msg_1").strip_prefix("msg_"), Some(Str::plain("1")));
    assert_eq!(string("m").strip_prefix("msg_"), None);
    let mut escaped = String::new();
    string(r"\u0061").escape_into(&mut escaped);
    Str::plain("\"").escape_into(&mut escaped);
    assert_eq!(Str::escaped(escaped), "a\"");
}
