//! Names of members, which Google reads in [two spellings](https://protobuf.dev/programming-guides/json/).

use std::borrow::Cow;

use crate::json::Node;

/// The members of an object that are not null, by their names in the spelling `topP`.
pub(super) fn members(object: Node<'_>) -> impl Iterator<Item = (Cow<'_, str>, Node<'_>)> {
    object.members().filter(|(_, value)| !value.is_null()).map(|(name, value)| (camel(name), value))
}

/// The member of an object that goes by `name` in the spelling `topP`.
pub fn member<'d>(object: Node<'d>, name: &str) -> Option<Node<'d>> {
    object.get(name).or_else(|| members(object).find(|(other, _)| other == name).map(|(_, value)| value))
}

/// `top_p` as `topP`.
pub(super) fn camel(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains('_') {
        return name;
    }
    let mut words = name.split('_');
    let mut all = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        all.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        all.push_str(letters.as_str());
    }
    Cow::Owned(all)
}
