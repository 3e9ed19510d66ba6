#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[track_caller]
fn fault(bytes: &[u8], offset: usize, what: &str) {
    let fault = Doc::strict(bytes).unwrap_err();
    assert_eq!((fault.offset, &*fault.what), (offset, what), "{}", bytes.escape_ascii());
}

#[test]
fn values_of_every_kind() {
    let root = doc(r#" {"a" : [1, true , null], "b":{}, "c":"\u00e9\n" } "#).root();
    let kinds: Vec<_> = root.members().map(|(name, value)| (name, value.kind())).collect();
    assert_eq!(kinds, [("a".into(), Kind::Array), ("b".into(), Kind::Object), ("c".into(), Kind::String)]);
    let raw: Vec<_> = root.get("a").unwrap().items().map(Node::raw).collect();
    assert_eq!(raw, ["1", "true", "null"]);
    assert_eq!(root.get("c").unwrap().text().unwrap(), "é\n");
    assert_eq!(root.span(), 1..root.raw().len() + 1);
    assert_eq!((root.items().count(), root.get("b").unwrap().members().count()), (0, 0));
}

#[test]
fn null_and_absent_are_alike() {
    let root = doc(r#"{"a":null,"b":0}"#).root();
    assert!(root.get("a").is_none() && root.get("c").is_none() && root.get("b").is_some());
    assert!(root.get("b").unwrap().get("c").is_none());
}

#[test]
fn names_may_be_in_escapes() {
    assert_eq!(doc(r#"{"mod\u0065l":1}"#).root().get("model").unwrap().raw(), "1");
}

#[test]
fn numbers_are_whole_or_rounded() {
    for (raw, whole, rounded) in [
        ("0", Some(0), 0.0),
        ("-0", Some(0), -0.0),
        ("5.0", Some(5), 5.0),
        ("1e3", Some(1000), 1000.0),
        ("18446744073709551615", Some(u64::MAX), 18446744073709551615.0),
        ("18446744073709551616", None, 18446744073709551616.0),
        ("9007199254740993.0", Some(9007199254740992), 9007199254740992.0),
        ("1.5", None, 1.5),
        ("-1", None, -1.0),
        ("1e400", None, f64::INFINITY),
    ] {
        let root = doc(raw).root();
        assert_eq!((root.u64(), root.f64()), (whole, Some(rounded)), "{raw}");
    }
    assert_eq!((doc("\"1\"").root().u64(), doc("true").root().f64()), (None, None));
}

/// Strings are searched many bytes at a time, so what ends them is put in every place of such a step.
#[test]
fn strings_end_where_they_end() {
    for length in 0..100 {
        let plain = "a".repeat(length);
        for (piece, text) in
            [("", ""), ("\\\"", "\""), ("\\\\", "\\"), ("\\ud83e\\udd8a", "🦊"), ("é", "é"), ("\\u0000", "\0")]
        {
            for space in ["", "\n"] {
                let json = format!("[\"{plain}{piece}{plain}\",{space}\"\"]");
                let items: Vec<_> = doc(&json).root().items().filter_map(Node::text).collect();
                assert_eq!(items, [format!("{plain}{text}{plain}").as_str(), ""], "{json}");
            }
        }
        for byte in 0..0x20 {
            let json = [b"[\"".as_slice(), plain.as_bytes(), &[byte], plain.as_bytes(), b"\"]"].concat();
            fault(&json, length + 2, "a control character in a string");
        }
        let cut = format!("[\"{plain}");
        fault(cut.as_bytes(), cut.len(), "the text ends inside a string");
    }
}

#[test]
fn the_encoding_is_utf8() {
    for length in 0..100 {
        for bad in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
            let plain = "é".repeat(length);
            let json = [b"\"".as_slice(), plain.as_bytes(), bad, plain.as_bytes(), b"\""].concat();
            fault(&json, plain.len() + 1, "invalid UTF-8");
        }
    }
}

#[test]
fn faults_tell_the_byte() {
    for (text, offset, what) in [
        ("", 0, "the text ends where a value is expected"),
        (" x", 1, "expected a value"),
        ("tru", 0, "expected a value"),
        ("[1,]", 3, "expected a value"),
        ("[,1]", 1, "expected a value"),
        ("[1 2]", 3, "expected `,` or `]`"),
        ("[1}", 2, "expected `,` or `]`"),
        ("[", 1, "the text ends where a value is expected"),
        ("[1", 2, "the text ends inside a value"),
        ("{1:2}", 1, "expected a member name in quotes"),
        ("{\"a\" 1}", 5, "expected `:`"),
        ("{\"a\":1,}", 7, "expected a member name in quotes"),
        ("{\"a\":1]", 6, "expected `,` or `}`"),
        ("{} {}", 3, "more text after the value"),
        ("01", 1, "more text after the value"),
        ("-", 1, "expected a digit"),
        ("1.", 2, "expected a digit"),
        ("1e+", 3, "expected a digit"),
        ("\"\\x\"", 2, "an unknown escape in a string"),
        ("\"\\u12g4\"", 5, "expected four hexadecimal digits"),
        ("\u{feff}1", 0, "expected a value"),
    ] {
        fault(text.as_bytes(), offset, what);
    }
}

#[test]
fn nesting_has_an_end() {
    let nested =
        |open: &str, inner: &str, close: &str, depth| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        doc(&nested(open, "0", close, 128));
        let deep = Doc::lenient(nested(open, "0", close, 129).as_bytes()).map(|_| ());
        assert_eq!(deep.unwrap_err().what, "values nest too deep (at most 128 levels)");
    }
    // Side by side is not inside each other.
    doc(&format!("[{}0]", "[],[{}],".repeat(1000)));
}

#[test]
fn values_have_an_end() {
    let many = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    doc(&many((1 << 20) - 1));
    assert_eq!(
        Doc::lenient(many(1 << 20).as_bytes()).map(|_| ()).unwrap_err().what,
        "too many values (at most 1048576)"
    );
}

#[test]
fn a_clients_names_are_unique() {
    let names = |count: usize| (0..count).map(|at| format!("\"n{at}\":0,")).collect::<String>();
    for count in [1, 7, 8, 9, 100] {
        let members = names(count);
        doc(&format!("{{{members}\"n\":{{{members}\"n\":0}}}}"));
        for second in ["n0", "\\u006e0"] {
            let fault = Doc::strict(format!("[{{{members}\"{second}\":0}}]").as_bytes()).map(|_| ()).unwrap_err();
            assert_eq!(fault.what, "a second member `n0` in one object", "{count} {second}");
            assert_eq!(fault.offset, members.len() + 2);
        }
    }
}

#[test]
fn of_a_providers_names_the_first_counts() {
    let doc = Doc::lenient(br#"{"a":1,"a":2}"#).unwrap();
    assert_eq!(doc.root().get("a").unwrap().raw(), "1");
}

#[test]
fn memory_serves_again() {
    let mut memory = Memory::default();
    for text in ["[1,2]", "{\"a\":[]}", "\"x\"", &format!("[{}0]", "0,".repeat(10_000))] {
        let doc = Doc::reuse(text.as_bytes(), memory).unwrap();
        assert_eq!(doc.root().raw(), text);
        memory = doc.into_memory();
    }
    assert!(Doc::reuse(b"[", memory).is_err());
}
