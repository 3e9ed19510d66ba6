//! How many input tokens a request has, guessed from its text.
//!
//! An estimate, for upstreams that cannot count and for what a call reserves of its limits. No tokenizer is shipped:
//! providers have many, some of them secret. Instead each character costs a part of a token, by its kind and by whether
//! it goes on a run of its group (letters, digits, a script) or starts one. A tokenizer's merges are seldom longer than
//! a word, common letters merge more than rare ones, and the rest is the script's.
//!
//! The costs are a least-squares fit of the relative error on pieces of 400 characters: the Universal Declaration of
//! Human Rights in 17 languages (without the parts in `tests/texts`), code and markup in eight, digits, hexadecimal and
//! base64. What they are fitted to is the geometric mean of OpenAI's `o200k_base` and `cl100k_base`, since other tokenizers
//! are between these two or near one; they agree on English and code, and differ by up to three and a half times in
//! Hindi. `tests/estimate.rs` measures the error and holds it. What is not text (images, documents, sound) has a flat rate
//! or goes by size.

use super::gemini;
use crate::json::{Kind, Node};

/// An image of about 1.15 megapixels, the most that Anthropic looks at; OpenAI's high detail costs less or about this.
const IMAGE: u64 = 1600;
/// A document that is elsewhere, of a few pages.
const DOCUMENT: u64 = 6000;
/// Base64 bytes of a document for each token: scanned pages have more bytes, pages of text fewer.
const DOCUMENT_BYTES: u64 = 40;
/// Base64 bytes of sound for each token: between WAV and MP3.
const AUDIO_BYTES: u64 = 2000;
/// What frames a message.
const MESSAGE: u64 = 4;
/// What frames a tool's definition.
const TOOL: u64 = 8;

/// Guesses the tokens of a text by itself.
pub fn of_text(text: &str) -> u64 {
    let mut tally = Tally::default();
    tally.text(text);
    tally.tokens()
}

/// Guesses the input tokens of a request in any client's format.
pub fn estimate(root: Node<'_>) -> u64 {
    count(root, Tally::default())
}

/// The same from the lengths of texts alone, four bytes to a token: for every call, in a fiftieth of the time.
pub fn rough(root: Node<'_>) -> u64 {
    count(root, Tally { rough: true, ..Tally::default() })
}

fn count(root: Node<'_>, mut tally: Tally) -> u64 {
    for (name, value) in root.members() {
        match &*name {
            "contents" | "messages" => value.items().for_each(|message| {
                tally.add(MESSAGE);
                tally.content(message);
            }),
            "instructions" | "system" | "systemInstruction" | "system_instruction" => {
                tally.add(MESSAGE);
                tally.content(value);
            }
            "functions" | "tools" => value.items().for_each(|tool| {
                tally.add(TOOL);
                tally.text(tool.raw());
            }),
            "input" | "prompt" => tally.input(value),
            "query" => tally.text(value.raw()),
            "documents" => value.items().for_each(|document| tally.text(document.raw())),
            "text" => value.get("format").into_iter().for_each(|format| tally.text(format.raw())),
            // Schemas of the output, which the model is shown.
            "output_config" | "output_format" | "response_format" => {
                tally.text(value.get("json_schema").or(value.get("format")).unwrap_or(value).raw());
            }
            _ => {}
        }
    }
    tally.tokens()
}

/// What a character costs, in thousandths of a token.
#[derive(Clone, Copy)]
struct Cost {
    /// Runs are of one group.
    group: u8,
    /// As the first of a run.
    start: u16,
    /// Within one.
    next: u16,
}

const fn cost(group: u8, start: u16, next: u16) -> Cost {
    Cost { group, start, next }
}

/// The group of bytes that go on a character, which has been paid for.
const TAIL: u8 = 0;

/// Thai, Lao and Tibetan.
static SOUTH_EAST: Cost = cost(17, 656, 635);

/// The cost of a character by its first byte: ASCII, then alphabets in the order of Unicode.
const fn of_byte(byte: u8) -> Cost {
    match byte {
        b' ' => cost(1, 332, 20),
        ..=0x1f | 0x7f => cost(2, 709, 121),
        b'e' | b'a' | b'i' | b'o' | b't' | b'n' => cost(3, 81, 80),
        b's' | b'r' | b'h' | b'l' | b'd' | b'u' | b'c' => cost(3, 364, 183),
        b'm' | b'p' | b'f' | b'g' | b'y' | b'b' | b'v' | b'w' => cost(3, 100, 226),
        b'k' | b'x' | b'z' | b'j' | b'q' => cost(3, 1380, 1157),
        b'A'..=b'Z' => cost(4, 412, 324),
        b'0'..=b'9' => cost(5, 2031, 194),
        b'!' | b'\'' | b'(' | b')' | b',' | b'.' | b':' | b';' | b'?' | b'[' | b']' | b'{' | b'}' => cost(6, 647, 414),
        b'"'..=b'~' => cost(6, 619, 100),
        0x80..=0xbf => cost(TAIL, 0, 0),
        // Latin with accents, which goes on words.
        0xc3 => cost(3, 547, 1549),
        0xc4..=0xcd => cost(3, 1172, 1451),
        0xce | 0xcf => cost(7, 462, 625),
        0xd0..=0xd5 => cost(8, 841, 250),
        0xd6 | 0xd7 => cost(9, 709, 668),
        0xd8..=0xdf => cost(10, 857, 382),
        // India; or, by the second byte, `SOUTH_EAST`.
        0xe0 => cost(11, 1126, 405),
        // Vietnamese.
        0xe1 => cost(3, 293, 300),
        // Quotes, dashes, arrows.
        0xc0..=0xc2 | 0xe2 | 0xee | 0xef => cost(12, 1060, 300),
        // Kana, and Chinese signs.
        0xe3 => cost(13, 808, 1118),
        0xe4..=0xe9 => cost(14, 1154, 958),
        // Korean.
        0xea..=0xed => cost(15, 553, 1055),
        // Pictures.
        0xf0.. => cost(16, 2000, 2000),
    }
}

#[expect(clippy::indexing_slicing, reason = "the compiler runs it")]
static COSTS: [Cost; 256] = {
    let mut costs = [cost(TAIL, 0, 0); 256];
    let mut byte = 0;
    while byte < 256 {
        costs[byte] = of_byte(byte as u8);
        byte += 1;
    }
    costs
};

/// A sum of tokens.
#[derive(Debug, Default)]
struct Tally {
    /// In thousandths.
    sum: u64,
    /// Whether texts are only measured.
    rough: bool,
}

impl Tally {
    fn tokens(&self) -> u64 {
        self.sum.div_ceil(1000)
    }

    fn add(&mut self, tokens: u64) {
        self.sum = self.sum.saturating_add(tokens.saturating_mul(1000));
    }

    fn text(&mut self, text: &str) {
        if self.rough {
            self.sum = self.sum.saturating_add((text.len() as u64).saturating_mul(250));
            return;
        }
        let mut group = TAIL;
        let mut sum = 0_u64;
        for (at, byte) in text.bytes().enumerate() {
            let cost = match byte {
                0xe0 if text.as_bytes().get(at.saturating_add(1)).is_some_and(|second| *second >= 0xb8) => &SOUTH_EAST,
                _ => COSTS.get(usize::from(byte)).unwrap_or(&SOUTH_EAST),
            };
            let goes_on = cost.group == group || cost.group == TAIL;
            sum = sum.wrapping_add(u64::from(if goes_on { cost.next } else { cost.start }));
            group = if cost.group == TAIL { group } else { cost.group };
        }
        self.sum = self.sum.saturating_add(sum);
    }

    fn string(&mut self, node: Node<'_>) {
        if self.rough {
            return self.text(node.raw().trim_matches('"'));
        }
        if let Some(string) = node.str() {
            self.text(&string.to_text());
        }
    }

    /// What is embedded: text, or tokens by their numbers, several of either; or the items of a conversation.
    fn input(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::Array => node.items().for_each(|item| self.input(item)),
            Kind::Number => self.add(1),
            Kind::Object => {
                self.add(MESSAGE);
                self.content(node);
            }
            _ => self.content(node),
        }
    }

    /// Anything that holds text at some depth: messages, blocks, parts.
    fn content(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::Array => node.items().for_each(|item| self.content(item)),
            Kind::Object => self.block(node),
            Kind::String => self.string(node),
            Kind::Bool | Kind::Null | Kind::Number => {}
        }
    }

    fn block(&mut self, block: Node<'_>) {
        let kind = block.get("type").and_then(Node::text).unwrap_or_default();
        match &*kind {
            "document" | "file" | "input_file" => self.document(block),
            "image" | "image_url" | "input_image" => self.add(IMAGE),
            "input_audio" => self.bytes(block.get("input_audio").and_then(|audio| audio.get("data")), AUDIO_BYTES),
            _ => block.members().for_each(|(name, value)| match &*name {
                // Words for machines, and what is sealed.
                "cache_control" | "call_id" | "citations" | "data" | "encrypted_content" | "encrypted_index" | "id"
                | "role" | "signature" | "thoughtSignature" | "thought_signature" | "tool_call_id" | "tool_use_id"
                | "type" => {}
                "fileData" | "file_data" | "inlineData" | "inline_data" => self.google(value),
                "args" | "input" | "response" => self.text(value.raw()),
                _ => self.content(value),
            }),
        }
    }

    /// What Google's requests hold beside text, by its type.
    fn google(&mut self, data: Node<'_>) {
        let kind = gemini::member(data, "mimeType").and_then(Node::text).unwrap_or_default();
        match (kind.split('/').next(), data.get("data")) {
            (Some("image"), _) => self.add(IMAGE),
            (Some("audio" | "video"), data) => self.bytes(data, AUDIO_BYTES),
            (_, None) => self.add(DOCUMENT),
            (_, data) => self.bytes(data, DOCUMENT_BYTES),
        }
    }

    fn document(&mut self, block: Node<'_>) {
        for name in ["title", "context"] {
            block.get(name).into_iter().for_each(|text| self.string(text));
        }
        let source = block.get("source").or(block.get("file")).unwrap_or(block);
        match source.get("type").and_then(Node::text).as_deref() {
            Some("content") => source.get("content").into_iter().for_each(|content| self.content(content)),
            Some("text") => source.get("data").into_iter().for_each(|text| self.string(text)),
            _ => match source.get("data").or(source.get("file_data")) {
                Some(data) => self.bytes(Some(data), DOCUMENT_BYTES),
                None => self.add(DOCUMENT),
            },
        }
    }

    fn bytes(&mut self, data: Option<Node<'_>>, each: u64) {
        let length = data.map_or(0, |data| data.span().len() as u64);
        self.add(length.div_ceil(each));
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json::Doc;

    fn tokens(request: &str) -> u64 {
        estimate(Doc::strict(request.as_bytes()).unwrap().root())
    }

    /// The tokens of a message with this content.
    fn message(content: &str) -> u64 {
        tokens(&format!(r#"{{"messages":[{{"role":"user","content":{content}}}]}}"#)).saturating_sub(MESSAGE)
    }

    #[test]
    fn text_goes_by_script() {
        assert_eq!(tokens("{}"), 0);
        assert_eq!(message(r#""""#), 0);
        let english = r#""The quick brown fox jumps over the lazy dog, and then it sleeps.""#;
        assert_eq!(message(english), 19);
        assert_eq!(message(r#""2718281828""#), 4);
        assert_eq!(message(r#""быстрая лиса""#), 5);
        assert_eq!(message(r#""敏捷的狐狸""#), 5);
        assert_eq!(message(r#""🦊""#), 2);
    }

    #[test]
    fn white_space_in_runs_costs_little() {
        assert_eq!(message(r#""a\n        b""#), 2);
    }

    #[test]
    fn escapes_make_no_difference() {
        assert_eq!(message(r#""\u0431\u044b""#), message(r#""бы""#));
    }

    #[test]
    fn both_formats_cost_the_same() {
        let words = "Find the files that mention foxes.";
        let text = message(&format!(r#""{words}""#));
        assert_eq!(message(&format!(r#"[{{"type":"text","text":"{words}","cache_control":{{"type":"x"}}}}]"#)), text);
        let messages = tokens(&format!(r#"{{"system":[{{"type":"text","text":"{words}"}}],"messages":[]}}"#));
        let chat = tokens(&format!(r#"{{"messages":[{{"role":"system","content":"{words}"}}]}}"#));
        assert_eq!(messages, chat);
        assert_eq!(chat, text + MESSAGE);

        let messages = message(r#"[{"type":"tool_use","id":"toolu_1","name":"find","input":{"a":1}}]"#);
        let call = r#"{"id":"call_1","type":"function","function":{"name":"find","arguments":"{\"a\":1}"}}"#;
        let chat = tokens(&format!(r#"{{"messages":[{{"role":"assistant","tool_calls":[{call}]}}]}}"#)) - MESSAGE;
        assert_eq!(messages, chat);
    }

    #[test]
    fn bytes_are_no_text() {
        let data = "A".repeat(100_000);
        let image = format!(r#"{{"type":"image","source":{{"type":"base64","data":"{data}"}}}}"#);
        assert_eq!(message(&format!("[{image}]")), IMAGE);
        assert_eq!(
            message(&format!(r#"[{{"type":"tool_result","tool_use_id":"t","content":[{image},{image}]}}]"#)),
            2 * IMAGE
        );
        assert_eq!(
            message(&format!(r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]"#)),
            IMAGE
        );
        assert_eq!(message(&format!(r#"[{{"type":"document","source":{{"type":"base64","data":"{data}"}}}}]"#)), 2501);
        assert_eq!(message(&format!(r#"[{{"type":"file","file":{{"file_data":"{data}"}}}}]"#)), 2501);
        assert_eq!(
            message(&format!(r#"[{{"type":"input_audio","input_audio":{{"data":"{data}","format":"wav"}}}}]"#)),
            51
        );
        assert_eq!(message(&format!(r#"[{{"type":"redacted_thinking","data":"{data}"}}]"#)), 0);
        assert_eq!(message(&format!(r#"[{{"type":"thinking","thinking":"so","signature":"{data}"}}]"#)), 1);
    }

    #[test]
    fn documents_of_text_are_text() {
        let words = message(r#""some words of a document""#);
        let document = |source: &str| message(&format!(r#"[{{"type":"document","source":{source}}}]"#));
        assert_eq!(document(r#"{"type":"text","media_type":"text/plain","data":"some words of a document"}"#), words);
        assert_eq!(document(r#"{"type":"content","content":"some words of a document"}"#), words);
        assert_eq!(document(r#"{"type":"url","url":"https://example.com/a.pdf"}"#), DOCUMENT);
    }

    #[test]
    fn tools_and_schemas_count() {
        assert_eq!(tokens(r#"{"tools":[{"name":"f"}]}"#), TOOL + 4);
        let schema = r#"{"type":"object"}"#;
        let messages = format!(r#"{{"output_config":{{"format":{schema}}}}}"#);
        let chat = format!(r#"{{"response_format":{{"type":"json_schema","json_schema":{schema}}}}}"#);
        assert_eq!(tokens(&messages), tokens(&chat));
    }
}
