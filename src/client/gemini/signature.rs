//! What other providers have signed, as a `thoughtSignature`: base64, since Google's libraries read it as bytes.

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};

use crate::call::Content;
use crate::format::Format;
use crate::json::Str;
use crate::replay;

/// What stands before it, and its own beginning in base64: Google's signatures do not begin so.
const MARK: &str = "dragoman:";
const MARKED: &str = "ZHJhZ29tYW46";

/// What it proves.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Thought that only the provider can read, which it is itself.
    Sealed,
    /// Thought that can be read.
    Told,
}

/// The signature that the client gets.
pub(super) fn seal(kind: Kind, proof: &Str<'_>) -> String {
    let kind = match kind {
        Kind::Sealed => 's',
        Kind::Told => 't',
    };
    BASE64_STANDARD.encode(format!("{MARK}{kind}{}", proof.to_text()))
}

/// Whether a signature is none of Google's.
pub(super) fn is_foreign(signature: &str) -> bool {
    signature.starts_with(MARKED)
}

/// The thought that the client gave back with `signature`: Google's own, or what [`seal`] has made of another's.
pub(super) fn open<'a>(text: Str<'a>, signature: Str<'a>) -> Content<'a> {
    let other = is_foreign(&signature.to_text()).then(|| decode(&signature)).flatten();
    match other {
        None => Content::Reasoning { text, signature: Some(signature), format: Some(Format::Gemini) },
        Some((Kind::Sealed, data)) => Content::RedactedReasoning { data: Str::plain(data), format: Format::Messages },
        Some((Kind::Told, proof)) => {
            let (signature, format) = replay::signature(Str::plain(proof), Format::Messages);
            Content::Reasoning { text, signature: Some(signature), format: Some(format) }
        }
    }
}

/// Libraries write base64 again, some in the alphabet for URLs.
fn decode(signature: &Str<'_>) -> Option<(Kind, String)> {
    let text = signature.to_text().trim_end_matches('=').replace('-', "+").replace('_', "/");
    let bytes = BASE64_STANDARD_NO_PAD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(MARK)?;
    let kind = match rest.chars().next()? {
        's' => Kind::Sealed,
        't' => Kind::Told,
        _ => return None,
    };
    Some((kind, rest.get(1..)?.to_owned()))
}
