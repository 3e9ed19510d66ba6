#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn edited(text: &str, changes: &[(&str, Change<'_>)]) -> String {
    let doc = doc(text);
    let mut edits = Edits::default();
    edits.members(doc.root(), changes);
    String::from_utf8(edits.apply(doc).into_bytes()).unwrap()
}

#[test]
fn members_go_wherever_they_stand() {
    const TEXT: &str = r#"{ "a" : 1 , "b" : 2 , "c" : 3 }"#;
    for (names, expected) in [
        (&["a"][..], r#"{ "b" : 2 , "c" : 3 }"#),
        (&["b"], r#"{ "a" : 1 , "c" : 3 }"#),
        (&["c"], r#"{ "a" : 1 , "b" : 2 }"#),
        (&["a", "b"], r#"{ "c" : 3 }"#),
        (&["b", "c"], r#"{ "a" : 1 }"#),
        (&["a", "c"], r#"{ "b" : 2 }"#),
        (&["a", "b", "c"], r#"{ }"#),
        (&["d"], TEXT),
    ] {
        let changes: Vec<_> = names.iter().map(|name| (*name, Change::Remove)).collect();
        assert_eq!(edited(TEXT, &changes).replace("{}", "{ }"), expected, "{names:?}");
    }
}

#[test]
fn members_come_in_front() {
    assert_eq!(edited(r#"{"a":1}"#, &[("b", Change::Set("2"))]), r#"{"b":2,"a":1}"#);
    assert_eq!(edited("{ }", &[("b", Change::Set("2")), ("c", Change::Set("3"))]), r#"{"b":2,"c":3 }"#);
    assert_eq!(edited(r#"{"a":1}"#, &[("b", Change::Set("2")), ("a", Change::Remove)]), r#"{"b":2}"#);
}

#[test]
fn names_and_values_change() {
    let changes = [("a", Change::Rename("x")), ("b", Change::Set("[]")), ("c", Change::Remove)];
    assert_eq!(edited(r#"{"c":0,"a": 1.0,"b" :2}"#, &changes), r#"{"x": 1.0,"b" :[]}"#);
    assert_eq!(edited(r#"{"\u0061":1}"#, &[("a", Change::Set("2"))]), r#"{"\u0061":2}"#);
}

#[test]
fn names_are_escaped() {
    assert_eq!(edited("{}", &[("a\"b\\", Change::Set("1"))]), r#"{"a\"b\\":1}"#);
    assert_eq!(edited(r#"{"a":1}"#, &[("a", Change::Rename("\n"))]), r#"{"\n":1}"#);
}

#[test]
fn what_is_no_object_stays() {
    assert_eq!(edited("[1]", &[("a", Change::Set("1")), ("b", Change::Remove)]), "[1]");
}

#[test]
fn a_change_goes_with_what_it_is_in() {
    let doc = doc(r#"{"a":{"b":[1,2]},"c":{"d":3},"e":4}"#);
    let inner = |name: &str, member: &str| doc.root().get(name).and_then(|value| value.get(member)).unwrap();
    let mut edits = Edits::default();
    edits.replace(inner("a", "b"), "5");
    edits.remove_items(inner("a", "b"), |item| item.raw() == "1");
    edits.members(doc.root().get("c").unwrap(), &[("d", Change::Remove), ("f", Change::Set("6"))]);
    edits.members(doc.root(), &[("a", Change::Remove), ("c", Change::Set("7")), ("g", Change::Set("8"))]);
    assert_eq!(String::from_utf8(edits.apply(doc).into_bytes()).unwrap(), r#"{"g":8,"c":7,"e":4}"#);
}

#[test]
fn changes_of_two_objects_keep_to_their_places() {
    let doc = doc(r#"{"a":{"b":1},"c":"x","d":2}"#);
    let mut edits = Edits::default();
    assert!(edits.is_empty());
    edits.members(doc.root(), &[("d", Change::Remove), ("e", Change::Set("0"))]);
    edits.replace(doc.root().get("c").unwrap(), "null");
    edits.members(doc.root().get("a").unwrap(), &[("b", Change::Set("2"))]);
    let (end, prefix) = edits.prefix(doc);
    assert_eq!(String::from_utf8(prefix).unwrap(), r#"{"e":0,"a":{"b":2},"c":null"#);
    assert_eq!(&doc.bytes()[end..], b"}");
}

#[test]
fn items_are_taken_out_with_their_commas() {
    let without = |json: &str, gone: &[&str]| {
        let doc = Doc::lenient(json.as_bytes()).unwrap();
        let mut edits = Edits::default();
        edits.remove_items(doc.root(), |item| gone.contains(&item.raw()));
        String::from_utf8(edits.apply(&doc).into_bytes()).unwrap()
    };
    let json = "[ 1 , 2 , 3 ]";
    assert_eq!(without(json, &[]), json);
    assert_eq!(without(json, &["1"]), "[ 2 , 3 ]");
    assert_eq!(without(json, &["2"]), "[ 1 , 3 ]");
    assert_eq!(without(json, &["3"]), "[ 1 , 2 ]");
    assert_eq!(without(json, &["1", "2"]), "[ 3 ]");
    assert_eq!(without(json, &["2", "3"]), "[ 1 ]");
    assert_eq!(without(json, &["1", "3"]), "[ 2 ]");
    assert_eq!(without(json, &["1", "2", "3"]), "[ ]");
}
