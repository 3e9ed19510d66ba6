//! Reading, changing and writing, each for itself.

mod doc;
mod edit;
mod text;
mod write;

use super::*;

/// The document, for as long as the tests run.
fn doc(text: &str) -> &'static Doc<'static> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    Box::leak(Box::new(Doc::strict(text.as_bytes()).unwrap()))
}
