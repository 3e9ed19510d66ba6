#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::call::{Generate, Reasoning, Thinking};
use crate::format::Format;
use crate::json::{Body, Writer};
use crate::wire::Dropped;
use crate::wire::gemini::{models, thinking};

/// The setting, and what was left out.
fn settle(model: &str, format: Format, amount: Thinking<'static>) -> (String, Vec<String>) {
    let reasoning = Some(Reasoning { amount, display: None });
    let call = Generate { reasoning, format: Some(format), ..Generate::default() };
    let mut dropped = Dropped::default();
    let settled = thinking::settle(&call, &models::of(model), &mut dropped).unwrap();
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| settled.write(w));
    let body = String::from_utf8(body.into_bytes()).unwrap().replace(r#","includeThoughts":true"#, "");
    let body = body.trim_start_matches(r#"{"thinkingConfig":{"#).trim_end_matches('}').to_owned();
    (body, dropped.names.iter().map(|name| name.to_string()).collect())
}

#[track_caller]
fn effort(model: &str, word: &'static str, expected: &str, dropped: &[&str]) {
    let (body, left) = settle(model, Format::Chat, Thinking::Effort(word.into()));
    assert_eq!(
        (body.as_str(), left.as_slice()),
        (expected, dropped.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>().as_slice())
    );
}

#[track_caller]
fn budget(model: &str, tokens: u64, expected: &str, dropped: bool) {
    let (body, left) = settle(model, Format::Messages, Thinking::Budget(tokens));
    assert_eq!((body.as_str(), !left.is_empty()), (expected, dropped));
}

#[test]
fn efforts() {
    const FLASH: &str = "gemini-2.5-flash";
    for (word, tokens) in [("minimal", 1024), ("low", 1024), ("medium", 8192), ("high", 24_576), ("max", 24_576)] {
        effort(FLASH, word, &format!(r#""thinkingBudget":{tokens}"#), &[]);
    }
    effort(FLASH, "none", r#""thinkingBudget":0"#, &[]);
    effort(FLASH, "huge", "{", &["reasoning_effort"]);
    effort("gemini-2.5-pro", "xhigh", r#""thinkingBudget":32768"#, &[]);
    effort("gemini-3-pro-preview", "medium", r#""thinkingLevel":"high""#, &[]);
    effort("gemini-3.5-flash", "minimal", r#""thinkingLevel":"minimal""#, &[]);
    effort("gemini-3.5-flash", "xhigh", r#""thinkingLevel":"high""#, &[]);
    effort("gemini-4-hydrogen", "max", r#""thinkingLevel":"xhigh""#, &[]);
    effort("gemini-4-argon", "none", r#""thinkingLevel":"low""#, &["reasoning_effort"]);
    effort("gemini-2.5-flash-image", "none", "{", &[]);
    effort("gemini-2.5-flash-image", "low", "{", &["reasoning_effort"]);
}

#[test]
fn budgets() {
    budget("gemini-2.5-pro", 1024, r#""thinkingBudget":1024"#, false);
    budget("gemini-2.5-pro", 100, r#""thinkingBudget":128"#, true);
    budget("gemini-2.5-flash-lite", 100, r#""thinkingBudget":512"#, true);
    budget("gemini-3.8-flash", 1024, r#""thinkingLevel":"low""#, false);
    budget("gemini-3.8-flash", 8192, r#""thinkingLevel":"medium""#, false);
    budget("gemini-3.8-flash", 31_999, r#""thinkingLevel":"high""#, false);
    budget("gemini-2.0-flash", 1024, "{", true);
}

#[test]
fn words_of_anthropics() {
    let settled = |model, amount| settle(model, Format::Messages, amount);
    assert_eq!(settled("gemini-2.5-pro", Thinking::Off), (r#""thinkingBudget":128"#.into(), vec!["thinking".into()]));
    assert_eq!(settled("gemini-2.5-flash", Thinking::Adaptive { effort: None }).0, r#""thinkingBudget":-1"#);
    let adaptive = Thinking::Adaptive { effort: Some("max".into()) };
    assert_eq!(settled("gemini-4-argon", adaptive).0, r#""thinkingLevel":"high""#);
    // Adaptive without an effort says nothing but that thought may be seen.
    assert_eq!(settled("gemini-3.8-flash", Thinking::Adaptive { effort: None }).0, r#""includeThoughts":true"#);
}
