//! Configurations.

use std::collections::BTreeMap;

use dragoman::config::structure;
use dragoman::json::Doc;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use super::driver::configs::check;
use super::driver::mutate::{self, Tree};
use super::{Text, cases, mutations, torn};

/// Documents that are right.
const DOCUMENTS: [&str; 2] =
    [include_str!("../../src/config/tests/example.json"), include_str!("../golden/config.json")];

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn nearly_right(
        document in (select(&DOCUMENTS[..]), mutations(4))
            .prop_flat_map(|(document, mutations)| torn(mutate::mutated(document.as_bytes(), &mutations))),
        name in "[a-z*/]{0,6}",
    ) {
        check(&document.0, &name);
    }

    /// A part of the document in the place of another.
    #[test]
    fn any_value_anywhere(place in 0..200_usize, choice in 0..200_usize, value in ".{0,40}") {
        let mut tree = Tree::read(DOCUMENTS[0].as_bytes()).unwrap();
        tree.replace(place, Tree::Leaf(serde_json::Value::from(value.as_str()).to_string()));
        tree.mutate(mutate::Mutation { place: choice, kind: 0, choice: place });
        let mut document = String::new();
        tree.write(&mut document);
        check(document.as_bytes(), &value);
    }

    #[test]
    fn any_bytes(document in vec(any::<u8>(), 0..100)) {
        check(&document, "x");
    }
}

/// A Struct, and the JSON that it stands for.
fn structs() -> impl Strategy<Value = Struct> {
    let number =
        prop_oneof![any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()), (-9i32..9).prop_map(f64::from)];
    let leaf = prop_oneof![
        Just(Kind::NullValue(0)),
        number.prop_map(Kind::NumberValue),
        ".{0,9}".prop_map(Kind::StringValue),
        any::<bool>().prop_map(Kind::BoolValue),
    ];
    let value = leaf.prop_map(|kind| Value { kind: Some(kind) }).prop_recursive(4, 32, 5, |inner| {
        let list = vec(inner.clone(), 0..5).prop_map(|values| Kind::ListValue(ListValue { values }));
        let object = fields(inner).prop_map(|fields| Kind::StructValue(Struct { fields }));
        prop_oneof![list, object].prop_map(|kind| Value { kind: Some(kind) })
    });
    fields(value).prop_map(|fields| Struct { fields })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = BTreeMap<String, Value>> {
    proptest::collection::btree_map(".{0,5}", value, 0..5)
}

fn stands_for(value: &Value, json: &serde_json::Value) {
    match (value.kind.as_ref().unwrap(), json) {
        (Kind::NullValue(_), json) => assert!(json.is_null()),
        (Kind::NumberValue(number), json) => assert_eq!(json.to_string().parse(), Ok(*number)),
        (Kind::StringValue(text), json) => assert_eq!(json, text),
        (Kind::BoolValue(flag), json) => assert_eq!(json, flag),
        (Kind::ListValue(list), json) => {
            let json = json.as_array().unwrap();
            assert_eq!(json.len(), list.values.len());
            list.values.iter().zip(json).for_each(|(value, json)| stands_for(value, json));
        }
        (Kind::StructValue(object), json) => struct_stands_for(object, json),
    }
}

fn struct_stands_for(object: &Struct, json: &serde_json::Value) {
    assert_eq!(json.as_object().unwrap().len(), object.fields.len());
    object.fields.iter().for_each(|(name, value)| stands_for(value, &json[name]));
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn a_struct_is_its_json(object in structs()) {
        let json = structure::to_json(&object.encode_to_vec()).unwrap();
        struct_stands_for(&object, &serde_json::from_slice(&json).unwrap());
    }

    /// Bytes that are nearly a Struct are one, or none, and never a text that is no JSON.
    #[test]
    fn no_struct_is_no_json(bytes in structs().prop_flat_map(|object| torn(object.encode_to_vec()))) {
        let Text(bytes) = bytes;
        if let Some(json) = structure::to_json(&bytes) {
            prop_assert!(Doc::lenient(&json).is_ok());
        }
    }
}
