//! Forms: bodies of [multipart/form-data](https://www.rfc-editor.org/rfc/rfc7578), which hold recordings and pictures.
//!
//! A form is read from both ends: the fields before a file and those after it, never the file itself. What a client hides in between
//! stays a part of the file, since a form is written anew under a boundary that nobody can know. What comes of it is a JSON object of
//! its fields, so that everything that reads a request can read it. A file is an object there that tells where it is; a field that comes
//! more than once is an array. The empty name, which no field has, tells of the form: `{"boundary", "total"}`.

use memchr::memmem;

use crate::error::{Error, Kind};
use crate::json::{Body, Node, Writer};

/// How much of either end is read: all fields together must fit.
pub const WINDOW: usize = 64 << 10;

/// The most parts of a form.
const MOST: usize = 64;

/// The ends of a body.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'b> {
    /// The first bytes.
    pub head: &'b [u8],
    /// The last, which may be the same.
    pub tail: &'b [u8],
    /// How many there are in all.
    pub total: usize,
}

/// A part: its headers, and where its content is.
struct Part {
    name: String,
    file: Option<File>,
    start: usize,
    end: usize,
}

struct File {
    name: String,
    media_type: String,
}

/// The boundary that a content type names, if it is that of a form.
pub fn boundary(content_type: &str) -> Result<Option<String>, Error> {
    let (kind, rest) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let found = rest.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    });
    // https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    let good = found.filter(|text| (1..=70).contains(&text.len()) && text.bytes().all(letter));
    good.map(Some).ok_or_else(|| Error::invalid("the form's content type names no boundary of 1 to 70 characters"))
}

/// The body of a request for which forms are meant, as JSON; nothing if it is JSON already. `ends` reads it.
pub fn json<'b>(content_type: &str, ends: impl FnOnce() -> Ends<'b>) -> Result<Option<Vec<u8>>, Error> {
    boundary(content_type)?.map(|boundary| read(&boundary, ends())).transpose()
}

/// The type of a form.
pub fn media_type(boundary: &str) -> String {
    let plain = boundary.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if plain {
        format!("multipart/form-data; boundary={boundary}")
    } else {
        format!("multipart/form-data; boundary=\"{boundary}\"")
    }
}

/// Reads a form into JSON.
pub fn read(boundary: &str, ends: Ends<'_>) -> Result<Vec<u8>, Error> {
    let mut parts = Vec::new();
    let from = front(boundary, ends, &mut parts)?;
    if let Some(from) = from {
        back(boundary, ends, from, &mut parts)?;
    }
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("").object(|w| {
        w.key("boundary").text(boundary);
        w.key("total").u64(ends.total as u64);
    });
    let mut written: Vec<&str> = Vec::new();
    for part in &parts {
        if written.contains(&part.name.as_str()) {
            continue;
        }
        written.push(&part.name);
        let alike: Vec<&Part> = parts.iter().filter(|other| other.name == part.name).collect();
        match *alike {
            [one] if !part.name.ends_with("[]") => value(one, ends, w.name(&part.name))?,
            _ => {
                let w = w.name(&part.name);
                w.open_array();
                alike.iter().try_for_each(|part| value(part, ends, w))?;
                w.close_array();
            }
        }
    }
    w.close_object();
    Ok(body.into_bytes())
}

fn value(part: &Part, ends: Ends<'_>, w: &mut Writer<'_, '_>) -> Result<(), Error> {
    if let Some(file) = &part.file {
        w.object(|w| {
            w.key("filename").text(&file.name);
            w.key("type").text(&file.media_type);
            w.key("start").u64(part.start as u64);
            w.key("end").u64(part.end as u64);
        });
        return Ok(());
    }
    let text = slice(ends, part.start, part.end).and_then(|bytes| std::str::from_utf8(bytes).ok());
    w.text(text.ok_or_else(|| Error::invalid("a field of the form is no UTF-8").at(&part.name))?);
    Ok(())
}

/// Bytes of the body that have been read.
fn slice<'b>(ends: Ends<'b>, start: usize, end: usize) -> Option<&'b [u8]> {
    ends.head.get(start..end).or_else(|| {
        let skipped = ends.total.checked_sub(ends.tail.len())?;
        ends.tail.get(start.checked_sub(skipped)?..end.checked_sub(skipped)?)
    })
}

/// Reads parts from the front; where one goes on past what has been read, it is left open and its content's start returned.
fn front(boundary: &str, ends: Ends<'_>, parts: &mut Vec<Part>) -> Result<Option<usize>, Error> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(&delimiter);
    let first = delimiter.trim_start();
    let mut at = match ends.head.starts_with(first.as_bytes()) {
        true => first.len(),
        // What stands before the first part counts for nothing.
        false => finder.find(ends.head).map(|at| at.saturating_add(delimiter.len())).ok_or_else(broken)?,
    };
    loop {
        let rest = ends.head.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(None);
        }
        let (mut part, length) = headers(rest)?;
        part.start = at.saturating_add(length);
        let content = ends.head.get(part.start..).unwrap_or_default();
        let Some(found) = finder.find(content) else {
            let whole = ends.head.len() == ends.total;
            if whole || part.file.is_none() {
                return Err(if whole { broken() } else { too_long(&part.name) });
            }
            let start = part.start;
            add(part, parts)?;
            return Ok(Some(start));
        };
        part.end = part.start.saturating_add(found);
        at = part.end.saturating_add(delimiter.len());
        add(part, parts)?;
    }
}

/// Reads the parts behind the file that starts at `from`, the last one first, and finds where it ends.
fn back(boundary: &str, ends: Ends<'_>, from: usize, parts: &mut Vec<Part>) -> Result<(), Error> {
    let delimiter = format!("\r\n--{boundary}");
    let skipped = ends.total.saturating_sub(ends.tail.len());
    let base = from.saturating_sub(skipped);
    let tail = ends.tail.get(base..).unwrap_or_default();
    let mut places: Vec<usize> = memmem::find_iter(tail, &delimiter).collect();
    let first = *places.first().ok_or_else(broken)?;
    let absolute = |at: usize| skipped.saturating_add(base).saturating_add(at);
    if let Some(file) = parts.last_mut() {
        file.end = absolute(first);
    }
    let last = places.pop().ok_or_else(broken)?;
    if !tail.get(last.saturating_add(delimiter.len())..).is_some_and(|rest| rest.starts_with(b"--")) {
        return Err(broken());
    }
    for (index, place) in places.iter().enumerate() {
        let start = place.saturating_add(delimiter.len());
        let (mut part, length) = headers(tail.get(start..).unwrap_or_default())?;
        part.start = absolute(start.saturating_add(length));
        part.end = absolute(places.get(index.saturating_add(1)).copied().unwrap_or(last));
        add(part, parts)?;
    }
    Ok(())
}

fn add(part: Part, parts: &mut Vec<Part>) -> Result<(), Error> {
    if parts.len() >= MOST {
        return Err(Error::invalid(format!("the form has more than {MOST} parts")));
    }
    parts.push(part);
    Ok(())
}

/// Reads the headers of a part, and how long they are.
fn headers(bytes: &[u8]) -> Result<(Part, usize), Error> {
    let length = memmem::find(bytes, b"\r\n\r\n").ok_or_else(broken)?;
    let text = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or_else(broken)?;
    let (mut name, mut file_name, mut media_type) = (None, None, None);
    for line in text.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else { continue };
        if header.eq_ignore_ascii_case("content-disposition") {
            name = parameter(value, "name");
            file_name = parameter(value, "filename");
        } else if header.eq_ignore_ascii_case("content-type") {
            media_type = Some(value.trim().to_owned());
        }
    }
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| Error::invalid("a part of the form has no name"))?;
    let plain = |text: String| text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"').then_some(text);
    let media_type = media_type.and_then(plain).unwrap_or_else(|| "application/octet-stream".to_owned());
    let file = file_name.map(|name| File { name, media_type });
    Ok((Part { name, file, start: 0, end: 0 }, length.saturating_add(4)))
}

/// A parameter of a header, quoted as browsers and libraries do.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    loop {
        let at = rest.find(name)?;
        let before = rest.get(..at)?.trim_end();
        let after = rest.get(at.checked_add(name.len())?..)?;
        if before.ends_with(';')
            && let Some(quoted) = after.strip_prefix("=\"")
        {
            return Some(quoted.split('"').next()?.replace("%22", "\"").replace("%0D", "").replace("%0A", ""));
        }
        if before.ends_with(';')
            && let Some(bare) = after.strip_prefix('=')
        {
            return Some(bare.split(';').next()?.trim().to_owned());
        }
        rest = after;
    }
}

fn broken() -> Error {
    Error::invalid("the form is malformed, or not complete")
}

fn too_long(name: &str) -> Error {
    Error::new(Kind::TooLarge, format!("the fields of the form are longer than {} KiB", WINDOW >> 10)).at(name)
}

/// The head of a part of a form that is written.
pub fn head(boundary: &str, name: &str, file: Option<(&str, &str)>, out: &mut Vec<u8>) {
    let quoted = |text: &str| text.replace(['\r', '\n'], " ").replace('"', "%22");
    out.extend_from_slice(
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", quoted(name)).as_bytes(),
    );
    if let Some((name, media_type)) = file {
        let head = format!("; filename=\"{}\"\r\ncontent-type: {media_type}", quoted(name));
        out.extend_from_slice(head.as_bytes());
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// A field of a form that is written.
pub fn field(boundary: &str, name: &str, text: &str, out: &mut Vec<u8>) {
    head(boundary, name, None, out);
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// What a form's JSON tells of the form: its boundary, and how long it is.
pub fn told(root: Node<'_>) -> Option<(String, usize)> {
    let form = root.get("")?;
    let total = usize::try_from(form.get("total")?.u64()?).ok()?;
    Some((form.get("boundary")?.text()?.into_owned(), total))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\nFILE\r\n--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\ncontent-disposition: form-data; name=\"t[]\"\r\n\r\nword\r\n--b--\r\n";

    fn long(size: usize) -> String {
        FORM.replace("FILE", &"\r\n--".repeat(size / 4))
    }

    fn json(form: &str, window: usize) -> Result<String, Error> {
        let bytes = form.as_bytes();
        let head = &bytes[..window.min(bytes.len())];
        let tail = &bytes[bytes.len().saturating_sub(window)..];
        read("b", Ends { head, tail, total: bytes.len() }).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn a_form_is_json() {
        let start = FORM.find("FILE").unwrap();
        let expected = format!(
            r#"{{"":{{"boundary":"b","total":{}}},"file":{{"filename":"a b.mp3","type":"audio/mpeg","start":{start},"end":{}}},"model":"whisper-1","t[]":["word"]}}"#,
            FORM.len(),
            start + 4
        );
        assert_eq!(json(FORM, 9999).unwrap(), expected);
    }

    #[test]
    fn the_ends_are_enough() {
        let form = long(4000);
        let whole = json(&form, 99999).unwrap();
        for window in [1500, 2000, 3999] {
            assert_eq!(json(&form, window).unwrap(), whole, "{window}");
        }
    }

    #[test]
    fn a_broken_form_is_refused() {
        for end in 0..FORM.len() - 4 {
            assert!(json(FORM.get(..end).unwrap(), 9999).is_err(), "{end}");
        }
        assert!(json(&FORM.replace("name=\"model\"", "name=\"\""), 9999).is_err());
        assert!(json(&FORM.repeat(40).replace("--b--\r\n", ""), 99999).is_err());
    }

    #[test]
    fn boundaries_are_checked() {
        assert_eq!(boundary("application/json"), Ok(None));
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Ok(Some("abc".into())));
        assert_eq!(boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\""), Ok(Some("a b".into())));
        assert!(boundary("multipart/form-data").is_err());
        assert!(boundary("multipart/form-data; boundary=a\u{7f}").is_err());
    }
}
