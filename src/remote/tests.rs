#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::config::Config;

fn config() -> RemoteImages {
    let document =
        br#"{"client_auth":"open","upstreams":{"o":{"provider":"ollama","base_url":"http://o:1","credentials":"none"}},
        "remote_images":{"hosts":["cdn.example.com","*.images.example.net"],"max_bytes":1024}}"#;
    Config::parse(document, &|_| None).unwrap().remote_images.unwrap()
}

fn read(json: &str) -> Result<Vec<Address>, Error> {
    addresses(Doc::strict(json.as_bytes()).unwrap().root(), &config())
}

fn chat(url: &str) -> String {
    format!(
        r#"{{"messages":[{{"content":"a"}},{{"content":[{{"type":"text"}},{{"type":"image_url","image_url":{{"url":"{url}"}}}}]}}]}}"#
    )
}

fn one(url: &str) -> Result<(String, String), String> {
    let mut found = read(&chat(url)).map_err(|error| error.text())?;
    assert_eq!(found.len(), 1, "{url}");
    let address = found.remove(0);
    Ok((address.host, address.path))
}

fn answer(status: &str, body: &[u8]) -> Result<Image, String> {
    let address = read(&chat("https://cdn.example.com/a?b")).unwrap().remove(0);
    let headers = Headers::from_iter([(":status", status)]);
    address.read(&headers, body, 0, &config()).map_err(|error| error.text())
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

#[test]
fn an_address_gives_host_and_path() {
    for (url, host, path) in [
        ("https://cdn.example.com/a.png", "cdn.example.com", "/a.png"),
        ("HTTPS://CDN.example.com:443/a/../b?x=%20#there", "cdn.example.com", "/a/../b?x=%20"),
        ("https://cdn.example.com?x", "cdn.example.com", "/?x"),
        ("https://cdn.example.com", "cdn.example.com", "/"),
        ("https://a.b.images.example.net/", "a.b.images.example.net", "/"),
    ] {
        assert_eq!(one(url), Ok((host.into(), path.into())), "{url}");
    }
}

#[test]
fn what_leads_elsewhere_is_refused() {
    for (url, why) in [
        ("http://cdn.example.com/a", "only `https://` is fetched"),
        ("ftp://cdn.example.com/a", "only `https://` is fetched"),
        ("file:///etc/passwd", "only `https://` is fetched"),
        ("cdn.example.com/a", "only `https://` is fetched"),
        ("", "only `https://` is fetched"),
        ("https://cdn.example.org/a", "the gateway does not fetch from this host"),
        ("https://images.example.net/a", "the gateway does not fetch from this host"),
        ("https://evilimages.example.net/a", "the gateway does not fetch from this host"),
        ("https://cdn.example.com.evil.test/a", "the gateway does not fetch from this host"),
        ("https://cdn.example.com./a", "the gateway does not fetch from this host"),
        ("https://user@cdn.example.com/a", "a user, a port or an IP address"),
        ("https://cdn.example.com:8443/a", "a user, a port or an IP address"),
        ("https://127.0.0.1/a", "a user, a port or an IP address"),
        ("https://2130706433/a", "a user, a port or an IP address"),
        ("https://0x7f.1/a", "a user, a port or an IP address"),
        ("https://cdn.0x7f/a", "a user, a port or an IP address"),
        ("https://[::1]/a", "a user, a port or an IP address"),
        ("https:///a", "a user, a port or an IP address"),
        (r"https://cdn.example.com\\@evil.test/a", "characters that an address must encode"),
        (r"https://cdn.example.com/a b", "characters that an address must encode"),
        (r"https://cdn.example.com/a\r\nb", "characters that an address must encode"),
        ("https://cdn.example.com/ü", "characters that an address must encode"),
    ] {
        let error = one(url).unwrap_err();
        assert!(error.contains(why), "{url}: {error}");
    }
    let long = format!("https://cdn.example.com/{}", "a".repeat(2048));
    assert!(one(&long).unwrap_err().contains("more than 2048 characters"));
}

#[test]
fn a_fault_names_the_place_and_hides_the_query() {
    let error = read(&chat("https://evil.test/a?signature=secret")).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages[1].content[1]"));
    assert_eq!(error.openai_code(), Some("image_not_fetched"));
    assert!(error.text().contains("`https://evil.test/a`") && !error.text().contains("secret"), "{}", error.text());
}

#[test]
fn images_of_all_formats_are_found_once_each() {
    let responses = r#"{"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://cdn.example.com/1"}]},
        {"type":"function_call_output","output":[{"type":"input_image","image_url":"https://cdn.example.com/2"}]}]}"#;
    assert_eq!(read(responses).unwrap().len(), 2);
    let json = r#"{"messages":[{"content":[
        {"type":"image_url","image_url":"https://cdn.example.com/1"},
        {"type":"image_url","image_url":{"url":"https://cdn.example.com/2"}},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
        {"type":"image","source":{"type":"url","url":"https://cdn.example.com/2"}},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
        {"type":"tool_result","content":[{"type":"image","source":{"type":"url","url":"https://cdn.example.com/3"}}]}
    ]}]}"#;
    let paths: Vec<_> = read(json).unwrap().into_iter().map(|address| address.path).collect();
    assert_eq!(paths, ["/1", "/2", "/3"]);
}

#[test]
fn there_are_at_most_twenty() {
    let parts = |count: usize| {
        let part = |i| format!(r#"{{"type":"image_url","image_url":"https://cdn.example.com/{i}"}}"#);
        format!(r#"{{"messages":[{{"content":[{}]}}]}}"#, (0..count).map(part).collect::<Vec<_>>().join(","))
    };
    assert_eq!(read(&parts(20)).unwrap().len(), 20);
    assert!(read(&parts(21)).unwrap_err().text().contains("at most 20 images"));
}

#[test]
fn images_take_the_place_of_their_addresses() {
    let json = r#"{"messages": [{"content":[{"type":"image_url","image_url":{"url":"https://cdn.example.com/a?b","detail":"low"}},
        {"type":"image","source":{"type":"url","url":"https://cdn.example.com/a?b"}},
        {"type":"image","source":{"type":"url","url":"https://cdn.example.com/other"}}]}],"seed":1.0}"#;
    let doc = Doc::strict(json.as_bytes()).unwrap();
    let filled = fill(&doc, &[answer("200", PNG).unwrap()]);
    let base64 = STANDARD.encode(PNG);
    let expected = json
        .replace(
            r#"{"url":"https://cdn.example.com/a?b","detail""#,
            &format!(r#"{{"url":"data:image/png;base64,{base64}","detail""#),
        )
        .replace(
            r#"{"type":"url","url":"https://cdn.example.com/a?b"}"#,
            &format!(r#"{{"type":"base64","media_type":"image/png","data":"{base64}"}}"#),
        );
    assert_eq!(String::from_utf8(filled).unwrap(), expected);
}

#[test]
fn only_images_are_passed_on() {
    for (body, media_type) in [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    ] {
        assert_eq!(answer("206", body).map(|image| image.media_type), Ok(media_type));
    }
    for body in [b"".as_slice(), b"<svg/>", b"RIFF", b"RIFF\x10\0\0\0WAVE", b"%PDF-1.7"] {
        assert!(answer("200", body).unwrap_err().ends_with("it is neither PNG, JPEG, GIF nor WebP"));
    }
}

#[test]
fn other_answers_say_why_they_are_none() {
    for (status, why) in [
        ("", "its server does not answer"),
        ("302", "its server redirects, which is not followed"),
        ("404", "its server answered with status 404"),
        ("503", "its server does not answer"),
        ("500", "its server answered with status 500"),
    ] {
        assert!(answer(status, PNG).unwrap_err().ends_with(why), "{status}");
    }
    let mut large = PNG.to_vec();
    large.resize(1024, 0);
    assert!(answer("200", &large).is_ok());
    large.push(0);
    assert!(answer("206", &large).unwrap_err().ends_with("it has more than 1024 bytes"));
    let address = read(&chat("https://cdn.example.com/a")).unwrap().remove(0);
    let mut headers = Headers::from_iter([(":status", "200")]);
    assert!(address.read(&headers, PNG, MOST_BYTES, &config()).unwrap_err().text().contains("bytes together"));
    headers.set("content-encoding", "gzip");
    assert!(address.read(&headers, PNG, 0, &config()).unwrap_err().text().ends_with("sends it compressed"));
}
