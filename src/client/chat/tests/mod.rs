use super::*;
use crate::call::Generate;
use crate::json::Doc;

mod answer;
mod message;
mod request;
mod splice;
mod stream;

/// The document of a client's request, for as long as the tests run.
fn doc(text: &str) -> &'static Doc<'static> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    Box::leak(Box::new(Doc::strict(text.as_bytes()).unwrap()))
}

fn read(text: &str) -> Result<Generate<'static>, Error> {
    super::request::read(doc(text).root())
}

/// A request with members beside model and messages.
fn with(members: &str) -> Result<Generate<'static>, Error> {
    read(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{members}}}"#))
}

fn asked() -> Ask {
    Ask { model: "smart".into(), stream: true, include_usage: false, now: 1_700_000_000, random: 42, ..Ask::default() }
}
