//! Forms, as providers read them: <https://www.rfc-editor.org/rfc/rfc7578>.

use super::http::Request;
use super::shape::{Checked, Refusal};

/// A part of a form.
pub struct Part {
    pub name: String,
    /// The name of its file, if it is one.
    pub file: Option<String>,
    pub media_type: String,
    pub content: Vec<u8>,
}

/// All parts of a request's form.
pub fn parts(request: &Request) -> Checked<Vec<Part>> {
    let kind = request.header("content-type").unwrap_or_default();
    let broken = || Refusal::new("mock: the form is malformed");
    let boundary = kind
        .strip_prefix("multipart/form-data; boundary=")
        .ok_or_else(|| Refusal::new(format!("Unsupported content type: '{kind}'.")).code("unsupported_content_type"))?;
    let boundary = boundary.trim_matches('"');
    let body = &request.body;
    let delimiter = format!("\r\n--{boundary}");
    // As if a line stood before the first part as well.
    let mut all = b"\r\n".to_vec();
    all.extend_from_slice(body);
    let places: Vec<usize> = memchr::memmem::find_iter(&all, &delimiter).collect();
    let last = places.last().ok_or_else(broken)?;
    if all.get(last + delimiter.len()..) != Some(b"--\r\n") {
        return Err(broken());
    }
    let part = |window: &[usize]| {
        let bytes = all.get(window.first()? + delimiter.len() + 2..*window.last()?)?;
        let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let parameter = |name: &str| Some(head.split_once(&format!("; {name}=\""))?.1.split('"').next()?.to_owned());
        let media_type = head.to_ascii_lowercase().split_once("content-type: ").map(|(_, kind)| kind.trim().to_owned());
        let (name, file) = (parameter("name")?, parameter("filename"));
        Some(Part { name, file, media_type: media_type.unwrap_or_default(), content: bytes.get(end + 4..)?.to_vec() })
    };
    places.windows(2).map(part).collect::<Option<_>>().ok_or_else(broken)
}
