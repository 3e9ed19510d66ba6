//! Streams of events, and the JSON in them.

use dragoman::frame::Frame;
use dragoman::frame::sse::Decoder;
use dragoman::json::{Body, Change, Doc, Edits, Kind, Node, Str, Writer};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::driver::mutate;
use super::{TREE, Text, cases, mutations, torn};

/// An event: all its bytes, its name and its data.
type Event = (Vec<u8>, String, Vec<u8>);

fn events<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut found = Vec::new();
    let mut each = |frame: Frame<'_>| found.push((frame.raw.to_vec(), frame.event.to_owned(), frame.data.to_vec()));
    let mut decoder = Decoder::default();
    chunks.into_iter().for_each(|chunk| decoder.push(chunk, &mut each).unwrap());
    decoder.end(&mut each);
    found
}

/// The events of a stream by the letter of the standard, a line at a time. What no empty line ends is an event too.
fn by_the_letter(stream: &str) -> Vec<(String, String)> {
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    let (mut name, mut data, mut any) = (String::new(), Vec::new(), false);
    for line in stream.strip_suffix('\n').unwrap_or(&stream).split('\n').chain([""]) {
        if line.is_empty() {
            if any {
                found.push((std::mem::take(&mut name), std::mem::take(&mut data).join("\n")));
            }
            any = false;
            continue;
        }
        any = true;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value.to_owned(),
            "data" => data.push(value.to_owned()),
            _ => {}
        }
    }
    found
}

fn lines() -> impl Strategy<Value = String> {
    let line = select(vec![
        "data", "data:", "data: a", "data:  b", "data: é", "datas: a", " data: a", "event", "event: x", "event:y",
        "id: 1", ": hi", ":", "", "x",
    ]);
    vec((line, select(vec!["\n", "\r", "\r\n"])), 0..16)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end]).collect())
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn events_are_those_of_the_standard(stream in lines(), cuts in vec(any::<Index>(), 0..4)) {
        let found = events([stream.as_bytes()]);
        let shown = |(raw, name, data): &Event| (!raw.trim_ascii().is_empty()).then(|| (name.clone(), String::from_utf8(data.clone()).unwrap()));
        let named: Vec<_> = found.iter().filter_map(shown).collect();
        prop_assert_eq!(named, by_the_letter(&stream));

        let mut at: Vec<usize> = cuts.iter().map(|index| index.index(stream.len() + 1)).chain([0, stream.len()]).collect();
        at.sort_unstable();
        prop_assert_eq!(&found, &events(at.windows(2).map(|pair| &stream.as_bytes()[pair[0]..pair[1]])));
        prop_assert_eq!(&found, &events(stream.as_bytes().chunks(1)));
        let raw: Vec<u8> = found.iter().flat_map(|(raw, ..)| raw).copied().collect();
        prop_assert!(raw.starts_with(stream.as_bytes()));
    }
}

/// Documents of the golden cases, a little wrong.
fn document() -> impl Strategy<Value = Text> {
    let documents: Vec<&[u8]> = TREE.cases.iter().map(|case| case.request()).collect();
    (select(documents), mutations(6)).prop_flat_map(|(document, mutations)| torn(mutate::mutated(document, &mutations)))
}

fn each<'d>(node: Node<'d>, found: &mut dyn FnMut(Node<'d>)) {
    found(node);
    node.items().chain(node.members().map(|(_, value)| value)).for_each(|inner| each(inner, found));
}

proptest! {
    #![proptest_config(cases(4_000))]

    /// What is taken for JSON is JSON, all that is JSON is taken, and every value is what another reader finds.
    #[test]
    fn documents_are_those_of_the_standard(document in prop_oneof![document(), vec(any::<u8>(), 0..40).prop_map(Text)]) {
        let Text(bytes) = document;
        let ours = Doc::lenient(&bytes);
        let theirs = std::str::from_utf8(&bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        prop_assert_eq!(ours.is_ok(), theirs);
        let Ok(doc) = ours else { return Ok(()) };
        each(doc.root(), &mut |node| {
            assert_eq!(node.raw(), std::str::from_utf8(&bytes[node.span()]).unwrap());
            // The other reader knows no lone surrogates.
            let Ok(value) = serde_json::from_str::<Value>(node.raw()) else { return };
            match (node.kind(), &value) {
                (Kind::Array, Value::Array(list)) => assert_eq!(node.items().count(), list.len()),
                (Kind::Bool, Value::Bool(value)) => assert_eq!(node.bool(), Some(*value)),
                (Kind::Null, Value::Null) => assert!(node.is_null()),
                (Kind::Number, Value::Number(number)) => {
                    assert!(node.f64().is_some());
                    number.as_u64().into_iter().for_each(|number| assert_eq!(node.u64(), Some(number)));
                }
                (Kind::Object, Value::Object(members)) => {
                    assert!(members.keys().all(|name| node.members().any(|(known, _)| known == *name)));
                }
                (Kind::String, Value::String(text)) => {
                    let string = node.str().unwrap();
                    assert_eq!(&*string.to_text(), text);
                    assert_eq!(string.is_blank(), text.trim().is_empty());
                    let mut body = Body::default();
                    let mut w = Writer::new(&mut body);
                    w.array(|w| {
                        w.str(&string);
                        w.text(text);
                        w.concat(&[string.reborrow(), Str::plain(text.as_str())]);
                    });
                    let written: Vec<String> = serde_json::from_slice(&body.into_bytes()).unwrap();
                    assert_eq!(written, [text.clone(), text.clone(), text.repeat(2)]);
                }
                (kind, value) => panic!("{kind:?}: {value}"),
            }
        });
    }

    /// Members that change do, others stay as they are.
    #[test]
    fn edits_change_what_they_name(
        members in proptest::collection::btree_map("[a-d\"\\\\é]{0,2}", select(vec!["1", "[ ]", "{\"a\" : 0}", "\"x\""]), 0..7),
        space in select(vec!["", " ", "\n\t"]),
        changes in proptest::collection::btree_map("[a-d\"\\\\é]{0,2}", 0..3_u8, 0..5),
    ) {
        let written: Vec<_> =
            members.iter().map(|(name, value)| format!("{space}{}{space}:{space}{value}{space}", Value::from(name.as_str()))).collect();
        let text = format!("{space}{{{space}{}}}{space}", written.join(","));
        let doc = Doc::strict(text.as_bytes()).unwrap();
        let to: Vec<String> = changes.keys().map(|name| format!("renamed {name}")).collect();
        let changes: Vec<(&str, Change<'_>)> = changes.iter().zip(&to).map(|((name, kind), to)| (name.as_str(), match kind {
            0 => Change::Remove,
            1 => Change::Rename(to),
            _ => Change::Set("[null]"),
        })).collect();
        let mut edits = Edits::default();
        edits.members(doc.root(), &changes);
        let edited = edits.apply(&doc).into_bytes();

        let mut expected: Vec<(String, String)> = Vec::new();
        for (name, value) in &members {
            match changes.iter().find(|(n, _)| n == name) {
                Some((_, Change::Remove)) => {}
                Some((_, Change::Rename(to))) => expected.push((to.to_string(), value.to_string())),
                Some((_, Change::Set(json))) => expected.push((name.clone(), json.to_string())),
                None => expected.push((name.clone(), value.to_string())),
            }
        }
        let new = changes.iter().filter(|(name, change)| matches!(change, Change::Set(_)) && !members.contains_key(*name));
        let new: Vec<_> = new.map(|(name, _)| (name.to_string(), "[null]".to_string())).collect();
        let edited = Doc::strict(&edited).unwrap();
        let found: Vec<_> = edited.root().members().map(|(name, value)| (name.into_owned(), value.raw().to_owned())).collect();
        prop_assert_eq!(found, [new, expected].concat());
    }
}
