//! Images at an address, for upstreams that take only bytes: which a call names, which of them may be fetched, and how
//! they come into its body.
//!
//! A client chooses these addresses, so nothing is left to them but a path: `https` on its own port, a host that the
//! configuration lists, no IP address, no user, no redirect, and caps on time, size and count. The host of the filter
//! fetches through a cluster that the configuration names, so what is inside a network is as far away as that cluster
//! keeps it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::RemoteImages;
use crate::error::{Error, shorten};
use crate::http::Headers;
use crate::json::{Doc, Edits, Kind, Node};

/// The most addresses in one call: what the strictest of the providers take as images,
/// [Bedrock](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html).
const MOST: usize = 20;

/// The most bytes that all images of a call may have together.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The longest address.
const LONGEST: usize = 2048;

/// An image that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As the client wrote it.
    url: String,
    /// For `:authority`.
    pub host: String,
    /// For `:path`: path and query.
    pub path: String,
}

/// An image that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    url: String,
    media_type: &'static str,
    base64: String,
    /// How many bytes it has.
    pub size: usize,
}

/// Whether a part of a message, in the format of chat completions, of Messages or of Responses, is an image at an address.
pub fn is_remote(part: Node<'_>) -> bool {
    place(part).is_some()
}

/// The images of a call that are at an address, each once.
///
/// # Errors
/// One that may not be fetched, with the reason.
pub fn addresses(root: Node<'_>, config: &RemoteImages) -> Result<Vec<Address>, Error> {
    let mut found: Vec<Address> = Vec::new();
    for (name, index, turn) in turns(root) {
        each(turn, &mut |place| {
            if found.iter().any(|address| place.url == *address.url) {
                return Ok(());
            }
            if found.len() == MOST {
                return Err(Error::invalid(format!("at most {MOST} images of a call may be at an address")));
            }
            found.push(address(&place.url, config)?);
            Ok(())
        })
        .map_err(|error| error.at_index(index).at(name))?;
    }
    Ok(found)
}

/// The body of a call with every one of `images` in the place of its address.
pub fn fill(doc: &Doc<'_>, images: &[Image]) -> Vec<u8> {
    let mut edits = Edits::default();
    for (_, _, turn) in turns(doc.root()) {
        // Nothing in it fails.
        let _ = each(turn, &mut |place| {
            if let Some(image) = images.iter().find(|image| place.url == *image.url) {
                edits.replace(place.node, place.shape.write(image));
            }
            Ok(())
        });
    }
    edits.apply(doc).into_bytes()
}

impl Address {
    /// The headers of the request for it.
    pub fn headers(&self, config: &RemoteImages) -> Vec<(&'static str, String)> {
        vec![
            (":method", "GET".into()),
            (":scheme", "https".into()),
            (":authority", self.host.clone()),
            (":path", self.path.clone()),
            ("accept", MEDIA_TYPES.map(|(name, ..)| name).join(",")),
            ("accept-encoding", "identity".into()),
            // One byte more than is allowed tells that there is more.
            ("range", format!("bytes=0-{}", config.max_bytes)),
            ("user-agent", "dragoman".into()),
        ]
    }

    /// Reads the answer; one without headers is none. `so_far` is the number of bytes that other images of the call have.
    ///
    /// # Errors
    /// Why it is no image that can be passed on.
    pub fn read(&self, headers: &Headers, body: &[u8], so_far: usize, config: &RemoteImages) -> Result<Image, Error> {
        let status = headers.text(":status");
        match status.as_ref() {
            "200" | "206" => {}
            // The host answers so in the place of a server that it does not reach.
            "" | "503" | "504" => return Err(self.fault("its server does not answer")),
            _ if status.starts_with('3') => return Err(self.fault("its server redirects, which is not followed")),
            _ => return Err(self.fault(&format!("its server answered with status {}", shorten(&status)))),
        }
        if body.len() > config.max_bytes {
            return Err(self.fault(&format!("it has more than {} bytes", config.max_bytes)));
        }
        if body.len().saturating_add(so_far) > MOST_BYTES {
            return Err(Error::invalid(format!("the images of a call have more than {MOST_BYTES} bytes together")));
        }
        if headers.get("content-encoding").is_some_and(|encoding| encoding != b"identity") {
            return Err(self.fault("its server sends it compressed"));
        }
        let Some((media_type, ..)) = MEDIA_TYPES.iter().find(|(_, start, at, more)| {
            body.starts_with(start) && body.get(*at..).is_some_and(|rest| rest.starts_with(more))
        }) else {
            return Err(self.fault("it is neither PNG, JPEG, GIF nor WebP"));
        };
        Ok(Image { url: self.url.clone(), media_type, base64: STANDARD.encode(body), size: body.len() })
    }

    fn fault(&self, why: &str) -> Error {
        fault(&self.url, why)
    }
}

/// Media types that providers take, with how their files start: these bytes, and at a place those.
const MEDIA_TYPES: [(&str, &[u8], usize, &[u8]); 4] = [
    ("image/png", b"\x89PNG\r\n\x1a\n", 0, b""),
    ("image/jpeg", b"\xff\xd8\xff", 0, b""),
    ("image/gif", b"GIF8", 0, b""),
    ("image/webp", b"RIFF", 8, b"WEBP"),
];

/// Where an address stands.
struct Place<'a> {
    /// What is replaced by the image.
    node: Node<'a>,
    url: std::borrow::Cow<'a, str>,
    shape: Shape,
}

/// How bytes are written.
#[derive(Clone, Copy)]
enum Shape {
    /// A `data:` URL.
    Data,
    /// Anthropic's `source`.
    Source,
}

impl Shape {
    fn write(self, image: &Image) -> String {
        let Image { media_type, base64, .. } = image;
        match self {
            Self::Data => format!(r#""data:{media_type};base64,{base64}""#),
            Self::Source => format!(r#"{{"type":"base64","media_type":"{media_type}","data":"{base64}"}}"#),
        }
    }
}

fn place(part: Node<'_>) -> Option<Place<'_>> {
    let kind = part.get("type")?.text()?;
    let (node, url, shape) = match &*kind {
        "image_url" | "input_image" => {
            let url = part.get("image_url").filter(|url| url.kind() == Kind::String);
            let url = url.or_else(|| part.get("image_url")?.get("url"))?;
            (url, url, Shape::Data)
        }
        "image" => {
            let source = part.get("source")?;
            source.get("type")?.text().filter(|kind| kind == "url")?;
            (source, source.get("url")?, Shape::Source)
        }
        _ => return None,
    };
    let url = url.text()?;
    let here = url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    (!here).then_some(Place { node, url, shape })
}

/// What a conversation is made of: the member in which it stands, the place in it, and what stands there.
fn turns(root: Node<'_>) -> impl Iterator<Item = (&'static str, usize, Node<'_>)> {
    ["messages", "input"].into_iter().flat_map(move |name| {
        let list = root.get(name).into_iter().flat_map(Node::items);
        list.enumerate().map(move |(index, turn)| (name, index, turn))
    })
}

/// Shows every address in a message or a tool's result.
fn each<'a>(of: Node<'a>, see: &mut dyn FnMut(Place<'a>) -> Result<(), Error>) -> Result<(), Error> {
    let (name, parts) = match (of.get("content"), of.get("output")) {
        (None, Some(output)) => ("output", Some(output)),
        (content, _) => ("content", content),
    };
    for (index, part) in parts.into_iter().flat_map(Node::items).enumerate() {
        let seen = match place(part) {
            Some(place) => see(place),
            None if part.get("type").and_then(Node::text).is_some_and(|kind| kind == "tool_result") => each(part, see),
            None => Ok(()),
        };
        seen.map_err(|error| error.at_index(index).at(name))?;
    }
    Ok(())
}

/// Checks an address.
fn address(url: &str, config: &RemoteImages) -> Result<Address, Error> {
    let fault = |why: &str| Err(fault(url, why));
    if url.len() > LONGEST {
        return fault(&format!("it has more than {LONGEST} characters"));
    }
    if !url.bytes().all(|b| matches!(b, 0x21..=0x7e) && b != b'\\') {
        return fault("it holds characters that an address must encode");
    }
    let Some(rest) = url.get(..8).filter(|s| s.eq_ignore_ascii_case("https://")).and_then(|_| url.get(8..)) else {
        return fault("only `https://` is fetched");
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
    if host.contains(['@', ':', '[']) || is_number(&host) {
        return fault("it must name a host, without a user, a port or an IP address");
    }
    if !config.allows(&host) {
        return fault("the gateway does not fetch from this host");
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(Address { url: url.to_owned(), host, path: format!("{slash}{path}") })
}

/// Whether resolvers may read a name as an IP address: in any of the ways of the
/// [URL standard](https://url.spec.whatwg.org/#ends-in-a-number-checker).
fn is_number(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    last.is_empty() || last.starts_with("0x") || last.bytes().all(|b| b.is_ascii_digit())
}

/// A fault that shows the address without its query, which may hold a signature.
fn fault(url: &str, why: &str) -> Error {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    Error::invalid(format!("the image at `{}` cannot be fetched: {why}", shorten(shown))).code("image_not_fetched")
}

#[cfg(test)]
mod tests;
