//! One attempt to have a call answered by one upstream: the request in the upstream's format, and the [`Reply`] that
//! reads what comes back.
//!
//! Every attempt starts from the client's own request, so a second one is exactly as if it were the first.

use std::borrow::Cow;
use std::mem;

use crate::auth::sigv4::{self, Scope};
use crate::call::Call;
use crate::client::{self, Ask, gemini, messages, resources, responses};
use crate::config::{Config, Credentials, Params, Secret, UnsupportedParams, Upstream};
use crate::endpoint::{Endpoint, Kept, Passed};
use crate::error::{Error, Kind};
use crate::format::{Format, Operation};
use crate::http::Headers;
use crate::json::{Body, Change, Doc, Edits, Fault, Node, Writer};
use crate::patch;
use crate::piece::Piece;
use crate::provider::{Auth, Effort, Quirks, Surface, Template, Thought, Wrapping, segment};
use crate::replay;
use crate::reply::{Path, Reply};
use crate::seal::Seal;
use crate::wire::{self, Dropped, Target, images};

/// A call, as the client sent it.
#[derive(Clone, Copy, Debug)]
pub struct Inbound<'i> {
    /// What it asks for.
    pub operation: Operation,
    /// In which format.
    pub format: Format,
    /// The client's headers.
    pub headers: &'i Headers,
    /// The client's body.
    pub doc: &'i Doc<'i>,
    /// What the gateway has read of it.
    pub ask: &'i Ask,
    /// The upstream's name of the model.
    pub model: &'i str,
    /// The key or the token that this attempt is made with, where the upstream's credentials are of that kind.
    pub secret: Option<&'i Secret>,
    /// When this attempt is made, in unix seconds.
    pub now: u64,
}

/// The same call, as the upstream gets it.
pub struct Outbound {
    /// How the provider answers it; none if it is not asked for anything.
    pub surface: Option<&'static Surface>,
    /// All headers, `:path` and `:authority` among them.
    pub headers: Headers,
    /// The body.
    pub body: Vec<Piece>,
    /// Parameters that were left out.
    pub dropped: Vec<String>,
    /// Reads the answer.
    pub reply: Reply,
}

/// The surface on which `upstream` answers such a call: one for models of that name before one for all, and then in the
/// client's own format if there is one.
pub fn surface(upstream: &Upstream, operation: Operation, format: Format, model: &str) -> Option<&'static Surface> {
    let fits = |surface: &&Surface| {
        let meant = surface.when.is_none_or(|(option, value)| upstream.option(option) == Some(value));
        // Completions take none but their own requests.
        let spoken = surface.format == format || surface.format != Format::Completions;
        surface.operation == operation && model.contains(surface.models) && meant && spoken
    };
    let named = upstream.provider.surfaces.iter().filter(fits).any(|surface| !surface.models.is_empty());
    let surfaces =
        || upstream.provider.surfaces.iter().filter(fits).filter(|surface| !(named && surface.models.is_empty()));
    surfaces().find(|s| format.is_taken_by(s.format)).or_else(|| surfaces().next())
}

/// Writes a call for `upstream`.
pub fn request(config: &Config, upstream: &Upstream, call: Inbound<'_>) -> Result<Outbound, Error> {
    match call.operation {
        Operation::Resource if call.format == Format::Responses => return kept(config, upstream, call),
        Operation::Pass | Operation::Resource => return passed(config, upstream, call),
        _ => {}
    }
    let surface = surface(upstream, call.operation, call.format, call.model)
        .ok_or_else(|| unsupported(upstream, call.operation))?;
    let client = client::of(call.format);
    let wire = wire::of(surface.format);
    let mut dropped = Dropped { reject: config.unsupported_params == UnsupportedParams::Reject, ..Dropped::default() };
    let same = call.format.is_taken_by(surface.format);
    let mut headers = headers(upstream, call.headers, same, surface)?;

    let doc = call.doc;
    // Quirks and limits are told of chat completions.
    let natively = surface.format == Format::Responses;
    let quirks = match surface.format {
        Format::Completions | Format::Responses => &Quirks::NONE,
        _ => &upstream.provider.quirks,
    };
    let mut params =
        if natively { Cow::Owned(responses_params(&upstream.params)) } else { Cow::Borrowed(&upstream.params) };
    let mut ask = call.ask.clone();
    // Embeddings that differ, and rankings, are small enough to be written anew.
    let vectors = upstream.provider.vectors.filter(|_| call.operation == Operation::Embed);
    // So are forms, of which only the answers are passed on, and what is read aloud, which is counted.
    let written = matches!(
        call.operation,
        Operation::EditImages | Operation::Rank | Operation::Speak | Operation::Transcribe | Operation::Translate
    );
    let spliced = same && vectors.is_none() && !written;
    let mut values = Vec::new();
    let signed = quirks.signed_thought && surface.format == Format::Messages;
    let (body, reader) = if call.operation == Operation::EditImages {
        let (body, media_type) = images::renamed(doc.root(), call.model)
            .ok_or_else(|| Error::invalid("the upstream takes a form, `multipart/form-data`"))?;
        headers.set("content-type", media_type);
        (body, wire.reader())
    } else if spliced {
        let again = |fault: Fault| Error::new(Kind::Internal, fault.to_string());
        let stripped = replay::strip(call.format, doc);
        if stripped.is_some() {
            dropped.forget("reasoning");
        }
        let stripped = stripped.as_deref().map(Doc::lenient).transpose().map_err(again)?;
        let doc = stripped.as_ref().unwrap_or(doc);
        let cleaned = if natively {
            ask = client.remember(doc.root(), &ask);
            ask.seal = Seal::new(config, upstream, &ask.caller);
            responses::check(doc.root(), ask.seal.as_ref())?;
            responses::foreign::without(doc, &mut dropped)
        } else if signed {
            messages::foreign::without(doc, &mut dropped)
        } else if call.format == Format::Gemini {
            gemini::without(doc, &mut dropped)
        } else {
            None
        };
        let cleaned = cleaned.as_deref().map(Doc::lenient).transpose().map_err(again)?;
        let doc = cleaned.as_ref().unwrap_or(doc);
        let mut edits = Edits::default();
        // A count takes none of the parameters that these are about.
        if call.operation == Operation::Generate {
            if call.format == Format::Gemini
                && let Some((limit, forced)) = take_limit(&mut params)
            {
                gemini::set_limit(doc.root(), &limit, forced, &mut edits);
            }
            patch::apply(doc.root(), call.model, &params, quirks, &mut dropped, &mut edits)?;
        }
        let stream = ask.stream && patch::may_ask_for_usage(&params, quirks);
        client.splice_request(doc.root(), &Ask { stream, ..ask.clone() }, call.model, &mut edits);
        let changed = stripped.is_some() || cleaned.is_some();
        let whole = changed.then(|| vec![Piece::New(mem::take(&mut edits).apply(doc).into_bytes())]);
        (whole.unwrap_or_else(|| in_place(edits, doc)), wire.reader())
    } else {
        let mut asked = client.read(call.operation, doc.root())?;
        ask = client.remember(doc.root(), &ask);
        if let Call::Generate(asked) = &mut asked {
            // Some formats say it in the path alone.
            asked.stream = ask.stream;
        }
        asked.unread().iter().try_for_each(|name| dropped.note(name.clone()))?;
        let target = Target {
            model: call.model,
            max_tokens: configured_limit(upstream),
            takes_effort: quirks.effort != Effort::Known,
            takes_thought: quirks.thought.is_taken(),
            random: call.ask.random,
            vectors,
        };
        if matches!(surface.format, Format::Gemini | Format::Vertex) {
            // The limit is no top-level field there: the wire writes it.
            if let (Some((limit, true)), Call::Generate(asked)) = (take_limit(&mut params), &mut asked) {
                asked.max_output_tokens = limit.parse().ok().or(asked.max_output_tokens);
            }
        }
        let encoded = wire.encode(&asked, &target, &mut dropped)?;
        for (name, value) in encoded.headers {
            headers.set(name, value);
        }
        values = encoded.values;
        let body = if let Some(form) = encoded.form {
            form
        } else if call.operation == Operation::Generate && patch::is_needed(&params, quirks) {
            let bytes = encoded.body.into_bytes();
            // A call that is as deep or has as many values as can be read may be a little more in another format.
            let doc = Doc::lenient(&bytes).map_err(|fault| Error::invalid(fault.what))?;
            let mut edits = Edits::default();
            patch::apply(doc.root(), call.model, &params, quirks, &mut dropped, &mut edits)?;
            vec![Piece::New(edits.apply(&doc).into_bytes())]
        } else {
            pieces(encoded.body, doc.bytes())
        };
        (body, encoded.reader)
    };

    let body = enclose(body, surface, upstream, doc.bytes(), &mut headers, &mut dropped)?;
    headers.set("content-length", Piece::total(&body).to_string());
    headers.set(":path", path(upstream, surface, call, &values)?);
    let own_credentials = matches!(upstream.credentials, Credentials::Client | Credentials::None);
    credentials(upstream, call, &body, &mut headers)?;
    let (wrapping, thought) = (surface.envelope.wrapping, quirks.thought);
    // The answer to a form in the client's own format is passed on as well.
    let spliced = spliced || same && written && call.format != Format::Rerank;
    let reply = Reply::new(ask, Path { client, wire, spliced, wrapping, thought, own_credentials }, reader);
    let dropped = dropped.names.into_iter().map(|name| name.into_owned()).collect();
    Ok(Outbound { surface: Some(surface), headers, body, dropped, reply })
}

/// The way past an upstream that cannot take a call. Only an answer makes a host try the next one, so this asks for one
/// with a request that says nothing and pays with nothing; whatever comes back counts as `error`.
pub fn skip(upstream: &Upstream, call: Inbound<'_>, error: Error) -> Outbound {
    let mut headers: Headers = call.headers.iter().filter(|(name, _)| HOST.contains(name)).collect();
    for (name, value) in [
        (":method", "GET"),
        (":path", "/"),
        (":authority", upstream.authority.as_str()),
        (":scheme", if upstream.tls { "https" } else { "http" }),
        ("content-length", "0"),
    ] {
        headers.set(name, value);
    }
    let reply = Reply::refusal(call.ask.clone(), client::of(call.format), error);
    Outbound { surface: None, headers, body: vec![Piece::New(Vec::new())], dropped: Vec::new(), reply }
}

/// Asks for what the upstream keeps: the client's own request, at the provider's path and under its id.
fn kept(config: &Config, upstream: &Upstream, call: Inbound<'_>) -> Result<Outbound, Error> {
    let unknown = || Error::new(Kind::NotFound, "no response of this id");
    let (asked, method) = (call.headers.text(":path"), call.headers.text(":method"));
    let Endpoint::Response(Kept { id, action, .. }) = Endpoint::of(&method, &asked, true)? else {
        return Err(unknown());
    };
    let surface = surface(upstream, Operation::Generate, call.format, call.model);
    let surface = surface.filter(|surface| surface.format == call.format).ok_or_else(unknown)?;
    let seal = Seal::new(config, upstream, &call.ask.caller).ok_or_else(unknown)?;
    let own = seal.open(&id).ok_or_else(unknown)?;
    let mut headers = headers(upstream, call.headers, true, surface)?;
    if method == "POST" {
        headers.set("content-length", "0");
    }
    let query = asked.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let mut target = path(upstream, surface, call, &[])?;
    target.push('/');
    segment(own, &mut target);
    headers.set(":path", format!("{target}{action}{query}"));
    let own_credentials = matches!(upstream.credentials, Credentials::Client | Credentials::None);
    credentials(upstream, call, &[], &mut headers)?;
    let path = Path {
        client: client::of(call.format),
        wire: wire::of(surface.format),
        spliced: true,
        wrapping: Wrapping::Bare,
        thought: Thought::Hidden,
        own_credentials,
    };
    let ask = Ask { seal: Some(seal), ..call.ask.clone() };
    let reply = Reply::new(ask, path, Box::new(wire::responses::Kept));
    Ok(Outbound { surface: Some(surface), headers, body: Vec::new(), dropped: Vec::new(), reply })
}

/// Headers that go along with what is passed on, beside those that always do.
const PASSED: &[&str] = &[
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "openai-beta",
    "range",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

/// Passes a request on: the provider's address and credentials, and the rest as it came. Its body is not here.
fn passed(config: &Config, upstream: &Upstream, call: Inbound<'_>) -> Result<Outbound, Error> {
    let (asked, method) = (call.headers.text(":path"), call.headers.text(":method"));
    let Endpoint::Upstream(Passed { name, path }) = Endpoint::of(&method, &asked, true)? else {
        return Err(Error::new(Kind::NotFound, "nothing that can be passed on"));
    };
    if name != upstream.name {
        return Err(Error::new(Kind::Unavailable, "the request is for another upstream"));
    }
    let rules = &upstream.headers;
    let passes = |name: &str| {
        let known = FORWARDED.contains(&name) || HOST.contains(&name) || PASSED.contains(&name);
        known || rules.forward.iter().any(|n| n == name)
    };
    let mut headers: Headers = call.headers.iter().filter(|(name, _)| passes(name)).collect();
    // What the provider keeps is its maker's alone.
    let resource = resources::of(upstream, &path);
    let seal = resource.as_ref().and_then(|_| Seal::new(config, upstream, &call.ask.caller));
    let (target, body) = match (&resource, &seal) {
        (None, _) => (path.clone(), Vec::new()),
        (Some(_), None) => return Err(Error::new(Kind::Unavailable, "ids cannot be sealed")),
        (Some(resource), Some(seal)) => {
            let mut body = Vec::new();
            if call.operation == Operation::Resource {
                let mut edits = Edits::default();
                resources::request(call.doc.root(), seal, &mut edits)?;
                body = in_place(edits, call.doc);
            }
            (resource.path(seal)?, body)
        }
    };
    if !body.is_empty() {
        headers.set("content-length", Piece::total(&body).to_string());
    }
    let query = asked.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    headers.set(":path", format!("{}{target}{query}", upstream.prefix));
    headers.set(":authority", upstream.authority.as_str());
    headers.set(":scheme", if upstream.tls { "https" } else { "http" });
    for (name, value) in upstream.provider.headers {
        if !headers.has(name) {
            headers.set(name, *value);
        }
    }
    rules.remove.iter().for_each(|name| headers.remove(name));
    rules.set.iter().for_each(|(name, value)| headers.set(name, value.as_str()));
    credentials(upstream, call, &[], &mut headers)?;
    let sealed = resource.is_some_and(|resource| !resource.is_content());
    let path = Path {
        client: if sealed { &resources::Resources } else { client::of(call.format) },
        wire: wire::of(Format::Chat),
        spliced: true,
        wrapping: Wrapping::Bare,
        thought: Thought::Hidden,
        own_credentials: matches!(upstream.credentials, Credentials::Client | Credentials::None),
    };
    let reader: Box<dyn wire::Reader> = if sealed { Box::new(resources::Reply) } else { Box::new(wire::Passing) };
    let reply = Reply::new(Ask { seal, ..call.ask.clone() }, path, reader);
    Ok(Outbound { surface: None, headers, body, dropped: Vec::new(), reply })
}

/// The path of the request, where the model may stand in it.
fn path(
    upstream: &Upstream,
    surface: &Surface,
    call: Inbound<'_>,
    values: &[(&'static str, String)],
) -> Result<String, Error> {
    let template = surface.stream_path.filter(|_| call.ask.stream).unwrap_or(surface.path);
    let named = |name: &str| template.names().any(|n| n == name);
    let odd = |segment: &str| matches!(segment, "" | "." | "..");
    if (named("model") && odd(call.model)) || (named("+model") && call.model.split('/').any(odd)) {
        return Err(Error::invalid("no provider has a model of this name").at("model"));
    }
    if let Some((name, _)) = values.iter().find(|(_, value)| odd(value)) {
        return Err(Error::invalid("expected a name").at(name));
    }
    let own = |name: &str| values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    let value =
        |name: &str| if name.ends_with("model") { Some(call.model) } else { own(name).or(upstream.option(name)) };
    Ok(format!("{}{}", upstream.prefix, template.fill(value, segment)))
}

/// Puts the surface's envelope around a body.
fn enclose(
    body: Vec<Piece>,
    surface: &Surface,
    upstream: &Upstream,
    received: &[u8],
    headers: &mut Headers,
    dropped: &mut Dropped,
) -> Result<Vec<Piece>, Error> {
    let envelope = &surface.envelope;
    let listed = envelope.header.and_then(|(header, field)| {
        let values = headers.text(header).into_owned();
        headers.remove(header);
        let values: Vec<&str> = values.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
        (!values.is_empty()).then(|| {
            let mut list = Body::default();
            Writer::new(&mut list).array(|w| values.iter().for_each(|value| w.text(value)));
            (field, String::from_utf8(list.into_bytes()).unwrap_or_default())
        })
    });
    let said = |json: &Template| json.names().all(|name| upstream.option(name).is_some_and(|value| !value.is_empty()));
    let set = envelope.set.iter().filter(|(_, json)| said(json)).map(|(name, json)| {
        // Options hold nothing that JSON would escape.
        (*name, json.fill(|name| upstream.option(name), |value, out| out.push_str(value)))
    });
    let set: Vec<(&str, String)> = set.chain(listed).collect();
    let removed = envelope.remove.iter().map(|name| (*name, Change::Remove));
    let renamed = envelope.rename.iter().map(|(ours, theirs)| (*ours, Change::Rename(theirs)));
    let changes: Vec<(&str, Change<'_>)> =
        removed.chain(renamed).chain(set.iter().map(|(name, json)| (*name, Change::Set(json)))).collect();
    if changes.is_empty() && envelope.drop.is_empty() && envelope.split.is_none() && envelope.words.is_empty() {
        return Ok(body);
    }
    let bytes = Piece::join(&body, received);
    let doc = Doc::lenient(&bytes).map_err(|fault| Error::new(Kind::Internal, fault.to_string()))?;
    let mut changes = changes;
    for name in envelope.drop.iter().filter(|name| doc.root().get(name).is_some()) {
        dropped.note(*name)?;
        changes.push((name, Change::Remove));
    }
    let words = envelope.words.iter().map(|(name, ours, theirs)| (name, ours, format!("\"{theirs}\"")));
    let words: Vec<_> = words
        .filter(|(name, ours, _)| doc.root().get(name).and_then(Node::str).is_some_and(|s| s == ***ours))
        .collect();
    changes.extend(words.iter().map(|(name, _, theirs)| (**name, Change::Set(theirs.as_str()))));
    let sizes = envelope.split.and_then(|(name, first, second)| {
        let text = doc.root().get(name)?.text()?;
        let digits = |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let (width, height) = text.split_once('x').filter(|(width, height)| digits(width) && digits(height))?;
        Some((name, (first, width.to_owned()), (second, height.to_owned())))
    });
    if let Some((name, (first, width), (second, height))) = &sizes {
        changes.extend([(*name, Change::Remove), (*first, Change::Set(width)), (*second, Change::Set(height))]);
    }
    let mut edits = Edits::default();
    edits.members(doc.root(), &changes);
    Ok(vec![Piece::New(edits.apply(&doc).into_bytes())])
}

/// Why an upstream is not asked for something.
pub fn unsupported(upstream: &Upstream, operation: Operation) -> Error {
    Error::new(Kind::Unavailable, format!("the upstream `{}` cannot do this ({operation:?})", upstream.name))
}

/// Configured parameters as Responses have them, who call the limit on output by a third name.
fn responses_params(params: &Params) -> Params {
    let name = |name: &String| match name.as_str() {
        "max_completion_tokens" | "max_tokens" => "max_output_tokens".to_owned(),
        _ => name.clone(),
    };
    let renamed = |list: &[(String, String)]| list.iter().map(|(n, json)| (name(n), json.clone())).collect();
    Params {
        default: renamed(&params.default),
        force: renamed(&params.force),
        drop: params.drop.iter().map(name).collect(),
    }
}

/// `params.default.max_tokens`: for wires that must say a limit.
fn configured_limit(upstream: &Upstream) -> Option<u64> {
    let (_, json) = upstream.params.default.iter().find(|(name, _)| name == LIMIT)?;
    json.parse().ok()
}

/// The name of the limit on output in the configuration.
const LIMIT: &str = "max_tokens";

/// Takes the limit on output out of the configured parameters: the raw number, and whether it is forced.
fn take_limit(params: &mut Cow<'_, Params>) -> Option<(String, bool)> {
    let of = |list: &[(String, String)]| list.iter().find(|(name, _)| name == LIMIT).map(|(_, json)| json.clone());
    let limit = of(&params.force).map(|json| (json, true)).or_else(|| Some((of(&params.default)?, false)))?;
    let Params { default, force, .. } = params.to_mut();
    default.retain(|(name, _)| name != LIMIT);
    force.retain(|(name, _)| name != LIMIT);
    Some(limit)
}

/// The changed document, with what follows the last change left where it is.
fn in_place(edits: Edits, doc: &Doc<'_>) -> Vec<Piece> {
    let all = doc.bytes().len();
    if edits.is_empty() {
        return vec![Piece::Kept(0..all)];
    }
    let (end, prefix) = edits.prefix(doc);
    vec![Piece::New(prefix), Piece::Kept(end..all)]
}

/// The parts of `body`, those that were borrowed from `received` as ranges of it.
fn pieces(body: Body<'_>, received: &[u8]) -> Vec<Piece> {
    let base = received.as_ptr().addr();
    let part = |part: &[u8]| {
        let start = part.as_ptr().addr().checked_sub(base);
        let range = start.and_then(|start| Some(start..start.checked_add(part.len())?));
        match range {
            Some(range) if range.end <= received.len() => Piece::Kept(range),
            _ => Piece::New(part.to_vec()),
        }
    };
    body.parts().map(part).collect()
}

/// Headers of the client that any provider may see.
pub const FORWARDED: &[&str] =
    &["accept-language", "b3", "baggage", "traceparent", "tracestate", "user-agent", "x-request-id"];

/// Headers that only the host reads, on the same map: it would miss them.
const HOST: &[&str] = &[":method", ":scheme", "x-envoy-expected-rq-timeout-ms", "x-envoy-attempt-count"];

fn headers(upstream: &Upstream, client: &Headers, same: bool, surface: &Surface) -> Result<Headers, Error> {
    let rules = &upstream.headers;
    let passes = |name: &str| {
        let known = FORWARDED.contains(&name) || HOST.contains(&name) || rules.forward.iter().any(|n| n == name);
        known || (same && belongs(surface.format, name))
    };
    let mut headers: Headers = client.iter().filter(|(name, _)| passes(name)).collect();
    headers.set(":authority", upstream.authority.as_str());
    headers.set(":scheme", if upstream.tls { "https" } else { "http" });
    headers.set("content-type", "application/json");
    headers.set("accept-encoding", "identity");
    headers.set("accept", "application/json, text/event-stream");
    for (name, value) in upstream.provider.headers.iter().chain(surface.envelope.headers) {
        if !headers.has(name) {
            headers.set(name, *value);
        }
    }
    rules.remove.iter().for_each(|name| headers.remove(name));
    rules.set.iter().for_each(|(name, value)| headers.set(name, value.as_str()));
    Ok(headers)
}

/// Whether a header is a part of the format.
fn belongs(format: Format, name: &str) -> bool {
    match format {
        Format::Chat | Format::Embeddings | Format::Responses => {
            name.starts_with("openai-") && name != "openai-organization" && name != "openai-project"
        }
        Format::Messages => matches!(name, "anthropic-beta" | "anthropic-version"),
        _ => false,
    }
}

/// The headers in which clients send keys.
pub const KEY_HEADERS: &[&str] = &["authorization", "x-api-key", "api-key", "x-goog-api-key"];

fn credentials(upstream: &Upstream, call: Inbound<'_>, body: &[Piece], headers: &mut Headers) -> Result<(), Error> {
    match &upstream.credentials {
        Credentials::Aws(keys) => {
            let (region, service) =
                (upstream.option("region").unwrap_or_default(), upstream.provider.signs.unwrap_or_default());
            let parts = body.iter().map(|piece| piece.bytes(call.doc.bytes()));
            sigv4::sign(headers, parts, keys, Scope { region, service, now: call.now });
        }
        Credentials::ApiKey(_) | Credentials::Token(_) => {
            let secret = call.secret.ok_or_else(|| no_credentials(upstream))?.reveal();
            match (&upstream.credentials, upstream.provider.auth) {
                (Credentials::ApiKey(_), Auth::Header(name)) => headers.set(name, secret),
                (Credentials::ApiKey(_), Auth::Token) => headers.set("authorization", format!("Token {secret}")),
                (Credentials::ApiKey(_), Auth::Headers(name, other)) => {
                    [name, other].into_iter().for_each(|name| headers.set(name, secret));
                }
                _ => headers.set("authorization", format!("Bearer {secret}")),
            }
        }
        Credentials::Client => {
            let own = call.headers.iter().filter(|(name, _)| KEY_HEADERS.contains(name));
            own.for_each(|(name, value)| headers.set(name, value));
        }
        Credentials::Host | Credentials::None => {}
        Credentials::Unset(_) => return Err(no_credentials(upstream)),
    }
    Ok(())
}

/// Why nothing can be sent to an upstream that has nothing to pay with.
pub fn no_credentials(upstream: &Upstream) -> Error {
    let what = match upstream.credentials {
        Credentials::Token(_) => "has no token yet, or no more: it could not be fetched",
        _ => "has no credentials",
    };
    Error::new(Kind::Unavailable, format!("the upstream `{}` {what}", upstream.name))
}

/// Headers of an upstream's answer that clients do not get: those about the account, the connection or this filter.
pub fn hidden(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "alt-svc",
        "anthropic-organization-id",
        "content-length",
        "openai-organization",
        "openai-project",
        "set-cookie",
        "strict-transport-security",
    ];
    const PREFIXES: &[&str] = &["anthropic-ratelimit-", "x-dragoman-", "x-ratelimit-"];
    NAMES.contains(&name) || REQUEST_IDS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Headers in which providers send their own id of a request, the surest first.
pub const REQUEST_IDS: &[&str] = &["request-id", "x-request-id", "apim-request-id", "x-amzn-requestid"];
