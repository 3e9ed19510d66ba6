//! The filter in the listener: the roles `gateway` and `standalone`.

use std::cell::RefCell;
use std::mem;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::{self, Buffer, Map};
use super::account::{self, Account};
use super::calls::{self, Around, Shared};
use super::exchange::{self, Exchange, FORWARDED_PROTO};
use super::images::Images;
use super::{environment, limits, stats, warn_if_refused};
use crate::attempt::{self, Inbound, KEY_HEADERS};
use crate::config::{ClientAuth, Config, Role};
use crate::error::{Error, Kind};
use crate::form;
use crate::gateway::{FALLBACK, Facts, Gateway, Local, Next, PRIVATE, Routed, UPSTREAM, answer_headers};
use crate::http::Headers;
use crate::json::Doc;
use crate::record::{Note, Record, StandIn};
use crate::remote;

/// One call at the listener.
pub struct Listener {
    config: Rc<Config>,
    gateway: Gateway,
    facts: Facts,
    /// The request's headers, until they go into the record.
    headers: Headers,
    record: Option<Shared>,
    /// The number under which the other filter finds the record.
    number: Option<u64>,
    /// In the role `standalone`, the attempt.
    exchange: Option<Exchange>,
    /// Whether the answer is one that this filter has made.
    replied: bool,
    /// Whether the request's body has been dealt with.
    sent: bool,
    /// Images of the call that are awaited.
    images: Option<Images>,
    /// The host's own answer, while its body is awaited.
    host_status: Option<u16>,
    /// The status with which the answer reached this filter.
    status: Option<u16>,
    /// Whether all that there is to tell of the call has been told.
    told: bool,
}

impl Listener {
    /// A call that begins now.
    pub fn new(config: Rc<Config>) -> Self {
        let now = abi::now();
        Self {
            gateway: Gateway::new(Rc::clone(&config), now),
            config,
            facts: Facts { now, ..Facts::default() },
            headers: Headers::default(),
            record: None,
            number: None,
            exchange: None,
            replied: false,
            sent: false,
            images: None,
            host_status: None,
            status: None,
            told: false,
        }
    }

    fn refuse(&mut self, error: &Error) -> Action {
        if let Some(StandIn { model, status, body, .. }) = self.stand_in()
            && let Some(record) = self.record.clone()
        {
            log::info!("dragoman: the model `{model}` does not stand in: {}", error.message);
            self.gateway.stay(&record.borrow());
            let mut headers = texts(answer_headers(&record.borrow()));
            headers.extend(self.gateway.standing().iter().cloned());
            return self.answer(&Local { status, headers, body });
        }
        let local = self.gateway.refuse(error);
        self.answer(&local)
    }

    /// The model that was to stand in for another, which is then forgotten.
    fn stand_in(&self) -> Option<StandIn> {
        self.record.as_ref().and_then(|record| record.borrow_mut().stand_in.take())
    }

    fn answer(&mut self, local: &Local) -> Action {
        self.replied = true;
        exchange::reply(local);
        Action::Pause
    }

    /// The whole request is there.
    fn request(&mut self, size: usize) -> Action {
        self.sent = true;
        let body = match exchange::received(self.gateway.form(), self.content_type(), size) {
            Ok(body) => body,
            Err(error) => return self.refuse(&error),
        };
        let doc = match self.gateway.read(&body) {
            Ok(doc) => doc,
            Err(error) => return self.refuse(&error),
        };
        // By what a form is told apart nobody may guess.
        self.facts.random = if self.gateway.form().is_some() { environment::random() } else { random() };
        let call = match &self.record {
            Some(record) => self.gateway.stand_in(&record.borrow(), &doc, &self.facts, &account::Known).map(Ok),
            None => self.gateway.call(&doc, &self.facts, &account::Known),
        };
        let mut routed = match call {
            Ok(Ok(routed)) => routed,
            Ok(Err(local)) => return self.answer(&local),
            Err(error) => return self.refuse(&error),
        };
        if let Err(error) = limits::with(|guard| self.gateway.admit(&mut routed, &doc, guard)) {
            return self.refuse(&error);
        }
        let images = self.config.remote_images.as_ref().filter(|_| !routed.images.is_empty());
        if let Some(config) = images {
            return match Images::ask(routed, config) {
                Ok(images) => {
                    self.images = Some(images);
                    Action::Pause
                }
                Err(error) => self.refuse(&error),
            };
        }
        self.pass_on(&routed, &doc, form::told(doc.root()).map_or(body.len(), |(_, total)| total))
    }

    /// The type of the request's body.
    fn content_type(&self) -> String {
        let kept = self.record.as_ref().map(|record| record.borrow().headers.text("content-type").into_owned());
        kept.unwrap_or_else(|| self.headers.text("content-type").into_owned())
    }

    /// The call goes where it was routed. The host holds a body of `received` bytes.
    fn pass_on(&mut self, routed: &Routed, doc: &Doc<'_>, received: usize) -> Action {
        let sent = match self.config.role {
            Role::Standalone => self.send(routed, doc, received),
            Role::Gateway | Role::Upstream => self.hand_over(routed),
        };
        match sent {
            Ok(()) => Action::Continue,
            Err(error) => self.refuse(&error),
        }
    }

    /// An image of the call has come, or will not.
    fn image(&mut self, number: u32, answered: bool) -> Result<(), Error> {
        let config = Rc::clone(&self.config);
        let (Some(images), Some(config)) = (&mut self.images, &config.remote_images) else { return Ok(()) };
        if !images.answer(number, answered, config).inspect_err(|_| self.images = None)? {
            return Ok(());
        }
        let Some(Images { routed, got, .. }) = self.images.take() else { return Ok(()) };
        let body = abi::buffer(Buffer::RequestBody, 0, usize::MAX).unwrap_or_default();
        let body = remote::fill(&self.gateway.read(&body)?, &got);
        let doc = self.gateway.read(&body)?;
        warn_if_refused("set the body", abi::set_buffer(Buffer::RequestBody, 0, usize::MAX, &body));
        if self.pass_on(&routed, &doc, body.len()) == Action::Continue {
            warn_if_refused("resume the request", abi::resume_request());
        }
        Ok(())
    }

    fn record(&mut self, routed: &Routed) -> Shared {
        let mut headers = std::mem::take(&mut self.headers);
        let virtual_key = self.config.client_auth == ClientAuth::Keys;
        headers.retain(|name, _| !(private(name) || virtual_key && KEY_HEADERS.contains(&name)));
        for (name, value) in &routed.headers {
            headers.set(name, value.as_str());
        }
        let Routed { operation, format, input, model, .. } = *routed;
        let (ask, hops) = (routed.ask.clone(), routed.hops.clone());
        // One that came around has been tried already.
        let before = self.record.take().map(|record| mem::take(&mut record.borrow_mut().attempts));
        let attempts = before.unwrap_or_default();
        let record = Record { attempts, model, hops, ..Record::new(operation, format, ask, input, headers) };
        let record = Rc::new(RefCell::new(record));
        self.record = Some(Rc::clone(&record));
        record
    }

    /// Leaves the translation to the filter in the cluster.
    fn hand_over(&mut self, routed: &Routed) -> Result<(), Error> {
        let record = self.record(routed);
        let (number, id) = calls::open(&record);
        self.number = Some(number);
        warn_if_refused("write filter state", abi::set_state(calls::STATE, id.as_bytes()));
        let mut record = record.borrow_mut();
        // The body may change its length on the way, and only this filter's answer to the client is awaited.
        record.headers.set("accept-encoding", "identity");
        warn_if_refused("set headers", abi::set_headers(Map::Request, &record.headers));
        Ok(())
    }

    fn send(&mut self, routed: &Routed, doc: &Doc<'_>, received: usize) -> Result<(), Error> {
        let config = Rc::clone(&self.config);
        let upstream = routed.upstream.and_then(|place| Some((place, config.upstreams.get(place)?)));
        let (place, upstream) = upstream.ok_or_else(|| Error::new(Kind::Unavailable, "no upstream"))?;
        let model = config.name_at(routed.ask.wanted(), place);
        let record = self.record(routed);
        let account = Account::open(&config, place, &model, &record.borrow());
        let mut outbound = {
            let record = record.borrow();
            let inbound = Inbound {
                operation: routed.operation,
                format: routed.format,
                headers: &record.headers,
                doc,
                ask: &routed.ask,
                model: &model,
                secret: account.secret.as_ref(),
                now: abi::now() / 1000,
            };
            attempt::request(&config, upstream, inbound)?
        };
        // The host's routes match the first and read the others before the request leaves. Without the last the host finds
        // no route at all.
        for (name, value) in &routed.headers {
            if *name == UPSTREAM || name.starts_with("x-envoy-") {
                outbound.headers.set(name, value.as_str());
            }
        }
        if let Some(scheme) = record.borrow().headers.get(FORWARDED_PROTO) {
            outbound.headers.set(FORWARDED_PROTO, scheme);
        }
        let dropped = std::mem::take(&mut outbound.dropped);
        let note = Note::new(&config, upstream, routed.ask.wanted(), model, account.key, dropped, abi::now());
        self.exchange = Some(exchange::send(outbound, note, account, &record, received, None));
        Ok(())
    }

    /// Puts the client's headers back, so that no access log shows a provider's key.
    fn restore(&self) {
        if let Some(record) = &self.record
            && !record.borrow().attempts.is_empty()
        {
            warn_if_refused("restore headers", abi::set_headers(Map::Request, &record.borrow().headers));
        }
    }

    /// Takes the client's key out of the headers of a call that went nowhere: no access log shows it then either.
    fn hide_key(&mut self) {
        let record = self.record.as_ref().map(|record| record.borrow());
        if self.config.client_auth != ClientAuth::Keys || record.as_ref().is_some_and(|r| !r.attempts.is_empty()) {
            return;
        }
        KEY_HEADERS.iter().for_each(|name| self.headers.remove(name));
        let headers = record.as_ref().map_or(&self.headers, |record| &record.headers);
        warn_if_refused("hide the key", abi::set_headers(Map::Request, headers));
    }

    /// Whether the host made the answer itself.
    fn is_hosts(&self, headers: &Headers) -> bool {
        exchange::status(headers) >= 400 && {
            let details = abi::property(&["response", "code_details"]).unwrap_or_default();
            !details.is_empty() && details != b"via_upstream" && details != exchange::DETAILS.as_bytes()
        }
    }

    /// Answers with what an upstream's answer without a body has become.
    fn send_unsent(&mut self, retry_after: Option<Vec<u8>>) {
        let Some(record) = &self.record else { return };
        let unsent = record.borrow_mut().attempts.last_mut().and_then(|note| note.unsent.take());
        let status = self.exchange.as_ref().map_or(self.status, |exchange| Some(exchange.status()));
        let (Some(body), Some(status)) = (unsent, status) else { return };
        let mut headers = answer_headers(&record.borrow());
        headers.extend(retry_after.map(|seconds| ("retry-after", seconds)));
        let standing = self.gateway.standing().iter();
        headers.extend(standing.map(|(name, value)| (*name, value.clone().into_bytes())));
        self.replied = true;
        exchange::reply(&Local { status, headers: texts(headers), body });
    }

    /// Tells what there is to tell of the call, once it has ended: before the host ends the span of its trace.
    fn end(&mut self, ended: bool) {
        if !ended || self.told {
            return;
        }
        self.told = true;
        let status = match &self.exchange {
            Some(exchange) if exchange.is_done() => Some(exchange.status()),
            // Of an answer that broke while it was held the host has told the client, past this filter.
            Some(_) => code().or(self.status),
            None => self.status,
        };
        stats::inflight(&self.config, -1);
        let record = self.record.as_ref().map(|record| record.borrow());
        conclude(&mut self.gateway, record.as_deref(), status);
    }

    /// Whether the host has sent the call around to another model; it is laid down then for the stream that comes of that.
    fn goes_around(&mut self) -> bool {
        // One that has come around and not been sent again has no number: if its client leaves now, it is over.
        let sent = self.number.is_some() && self.status.is_none();
        let Some(record) = self.record.clone().filter(|_| sent) else { return false };
        let Some(token) = record.borrow().stand_in.as_ref().map(|stand_in| stand_in.token.clone()) else {
            return false;
        };
        stats::inflight(&self.config, -1);
        if let Some(number) = self.number.take() {
            calls::close(number);
        }
        let empty = Gateway::new(Rc::clone(&self.config), 0);
        let gateway = mem::replace(&mut self.gateway, empty);
        if let Some(mut lost) = calls::lay_down(token, Around { gateway, record }) {
            conclude(&mut lost.gateway, Some(&lost.record.borrow()), None);
        }
        true
    }

    fn host_error(&mut self, status: u16) -> Local {
        if let Some(record) = &self.record {
            record.borrow_mut().host_answered(status);
        }
        let details = abi::property(&["response", "code_details"]).unwrap_or_default();
        let details = String::from_utf8_lossy(&details);
        // Some details go on in prose after the word.
        self.gateway.host_error(status, details.split('{').next().unwrap_or_default())
    }
}

/// Settles and tells of a call that is over.
fn conclude(gateway: &mut Gateway, record: Option<&Record>, status: Option<u16>) {
    if limits::with(|guard| gateway.settle(record, status, guard)).is_err() {
        log::warn!("dragoman: a call's limits could not be settled");
    }
    gateway.account(record, status, abi::now(), &mut stats::Books(gateway.config()));
}

fn texts(headers: Vec<(&'static str, Vec<u8>)>) -> Vec<(&'static str, String)> {
    headers.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect()
}

/// Headers that a client sends to be taken for the host or for us.
fn private(name: &str) -> bool {
    const HOST: &[&str] = &["attempt-count", "expected-", "hedge-", "max-retries", "retriable-", "retry-", "upstream-"];
    let host = |rest: &str| HOST.iter().any(|start| rest.starts_with(start));
    name.starts_with(PRIVATE) || name.strip_prefix("x-envoy-").is_some_and(host)
}

/// Takes all trailers out: no format has any, and they could carry what headers may not.
fn drop_trailers(map: Map) {
    warn_if_refused("drop trailers", abi::set_headers(map, &Headers::default()));
}

/// The status that the client got, as the host has it.
fn code() -> Option<u16> {
    let code = abi::property(&["response", "code"]).ok()?;
    let code = u64::from_le_bytes(code.try_into().ok()?);
    u16::try_from(code).ok().filter(|code| *code > 0)
}

/// A number to choose by and to tell calls apart; no secret.
fn random() -> u64 {
    thread_local! {
        static SEED: u64 = environment::random();
    }
    // SplitMix64: one draw of the host's, then the count of calls.
    let mut z = SEED.with(|seed| *seed).wrapping_add(calls::turn().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Context for Listener {
    fn on_http_call_response(&mut self, number: u32, headers: usize, _body: usize, _trailers: usize) {
        if let Err(error) = self.image(number, headers > 0) {
            self.refuse(&error);
        }
    }
}

impl HttpContext for Listener {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        stats::inflight(&self.config, 1);
        self.headers = abi::headers(Map::Request).unwrap_or_default();
        self.facts.ended = end;
        if let Some(Around { gateway, record }) = self.headers.get(FALLBACK).and_then(calls::take_up) {
            self.config = Rc::clone(gateway.config());
            (self.gateway, self.record) = (gateway, Some(record));
            self.gateway.introduce(&mut stats::Books(&self.config));
            return if end { self.request(0) } else { Action::Pause };
        }
        self.facts.identity = match &self.config.client_auth {
            ClientAuth::FilterState(name) => abi::property(&["filter_state", name]).ok(),
            ClientAuth::Metadata { namespace, key } => {
                let path = ["metadata", "filter_metadata", namespace].into_iter().chain(key.split('/'));
                abi::property(&path.collect::<Vec<_>>()).ok()
            }
            ClientAuth::Header(_) | ClientAuth::Keys | ClientAuth::Open => None,
        };
        if self.config.models.is_empty() {
            let path = ["xds", "route_metadata", "filter_metadata", "dragoman", "upstream"];
            self.facts.route_upstream = abi::property(&path).ok().and_then(|name| String::from_utf8(name).ok());
        }
        let next = self.gateway.head(&self.headers, &self.facts);
        self.gateway.introduce(&mut stats::Books(&self.config));
        match next {
            Ok(Next::Body) => Action::Pause,
            Ok(Next::Call) => self.request(0),
            Ok(Next::Key) => match limits::with(|guard| self.gateway.own_key(guard)) {
                Ok(local) => self.answer(&local),
                Err(error) => self.refuse(&error),
            },
            Ok(Next::Reply(local)) => self.answer(&local),
            Err(error) => self.refuse(&error),
        }
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if self.replied || self.sent {
            return Action::Continue;
        }
        if end { self.request(size) } else { Action::Pause }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        drop_trailers(Map::RequestTrailers);
        if self.replied || self.sent {
            return Action::Continue;
        }
        self.request(usize::MAX)
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        let mut headers = abi::headers(Map::Response).unwrap_or_default();
        self.status = Some(exchange::status(&headers));
        if self.replied {
            self.end(end);
            return Action::Continue;
        }
        if let Some(StandIn { status, .. }) = self.stand_in() {
            // The host would not be sent around: its routes do not follow redirects, or the body is too large to be kept.
            headers.set(":status", status.to_string());
            headers.remove("location");
            self.status = Some(status);
        }
        let hosts = self.is_hosts(&headers);
        // Where there is an answer of an upstream the other filter has done this.
        if hosts || self.config.role == Role::Standalone {
            self.restore();
        }
        if hosts {
            if end {
                self.replied = true;
                let mut local = self.host_error(exchange::status(&headers));
                let retry_after = headers.get("retry-after").map(|value| String::from_utf8_lossy(value).into_owned());
                local.headers.extend(retry_after.map(|seconds| ("retry-after", seconds)));
                exchange::reply(&local);
            }
            self.host_status = self.status;
            return Action::Pause;
        }
        let retry_after = headers.get("retry-after").filter(|_| end).map(<[u8]>::to_vec);
        let (record, gateway) = (self.record.clone(), &self.gateway);
        let tell = move |headers: &mut Headers| {
            let told = record.as_ref().map(|record| answer_headers(&record.borrow())).unwrap_or_default();
            told.into_iter().for_each(|(name, value)| headers.set(name, value));
            gateway.standing().iter().for_each(|(name, value)| headers.set(name, value));
        };
        let action = match &mut self.exchange {
            Some(exchange) => exchange.head(headers, end, &tell),
            None => {
                tell(&mut headers);
                warn_if_refused("set headers", abi::set_headers(Map::Response, &headers));
                Action::Continue
            }
        };
        if end {
            self.send_unsent(retry_after);
            self.end(!self.replied);
        }
        action
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if self.replied {
            self.end(end);
            return Action::Continue;
        }
        if let Some(status) = self.host_status {
            if !end {
                return Action::Pause;
            }
            let local = self.host_error(status);
            warn_if_refused("set headers", abi::set_header(Map::Response, "content-type", b"application/json"));
            let length = local.body.len().to_string();
            warn_if_refused("set headers", abi::set_header(Map::Response, "content-length", length.as_bytes()));
            warn_if_refused("set the body", abi::set_buffer(Buffer::ResponseBody, 0, size, &local.body));
            self.end(true);
            return Action::Continue;
        }
        let action = match &mut self.exchange {
            Some(exchange) => exchange.body(size, end),
            None => Action::Continue,
        };
        self.end(end);
        action
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        drop_trailers(Map::ResponseTrailers);
        if let Some(exchange) = &mut self.exchange {
            exchange.finish(usize::MAX);
        }
        self.end(true);
        Action::Continue
    }

    fn on_log(&mut self) {
        if self.goes_around() {
            return;
        }
        // A call that ends without an answer: the access log comes after this.
        if self.status.is_none() {
            self.restore();
        }
        self.hide_key();
        self.end(true);
        if let Some(number) = self.number.take() {
            calls::close(number);
        }
    }
}
