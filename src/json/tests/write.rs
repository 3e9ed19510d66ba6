#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn written(fill: impl FnOnce(&mut Writer<'_, '_>)) -> String {
    let mut body = Body::default();
    fill(&mut Writer::new(&mut body));
    String::from_utf8(body.into_bytes()).unwrap()
}

#[test]
fn commas_stand_between_values() {
    let json = written(|w| {
        w.object(|w| {
            w.key("a").array(|w| {
                w.u64(0);
                w.array(|_| {});
                w.object(|_| {});
                w.null();
            });
            w.name("b\"").bool(true);
            w.key("c").text_or_null(None);
            w.key("d").text_or_null(Some("\n"));
            w.key("e").concat(&["x".into(), doc(r#""\u0079""#).root().str().unwrap(), "\"".into()]);
            w.key("f").string(|s| {
                s.text("\"");
                s.str(&"z".into());
            });
        });
    });
    assert_eq!(json, r#"{"a":[0,[],{},null],"b\"":true,"c":null,"d":"\n","e":"x\u0079\"","f":"\"z"}"#);
}

#[test]
fn whole_numbers_have_all_their_digits() {
    for number in [0, 9, 10, 99, 100, 4_294_967_296, u64::MAX / 10, u64::MAX - 1, u64::MAX] {
        assert_eq!(written(|w| w.u64(number)), number.to_string());
    }
}

#[test]
fn json_goes_on_one_line() {
    assert_eq!(written(|w| w.raw_line("{\n  \"a\":\r\n\"b c\" }")), r#"{  "a":"b c" }"#);
}

#[test]
fn long_parts_are_borrowed() {
    let long = "l".repeat(16 * 1024);
    let text = format!("[\"{long}\",\"{long}\\n\",\"short\"]");
    let doc = Doc::strict(text.as_bytes()).unwrap();
    let strings: Vec<Str<'_>> = doc.root().items().filter_map(Node::str).collect();
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.array(|w| strings.iter().for_each(|string| w.share_str(string)));
    w.share_raw(doc.root().raw());
    let plain = Str::plain(format!("{long}\""));
    w.share_str(&plain);
    let expected = format!("{text},{text},{}", plain.to_json());
    assert_eq!(body.len(), expected.len());
    assert!(!body.is_empty());
    assert!(body.parts().all(|part| !part.is_empty()));
    // Of our own are quotes, brackets and what is short or must be escaped.
    let range = text.as_bytes().as_ptr_range();
    let own: usize = body.parts().filter(|part| !range.contains(&part.as_ptr())).map(<[u8]>::len).sum();
    assert!(own < plain.to_json().len() + 100, "{own}");
    assert_eq!(String::from_utf8(body.into_bytes()).unwrap(), expected);
}
