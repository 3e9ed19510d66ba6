//! The filter in a cluster: the role `upstream`, made anew for each attempt.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::{self, Map};
use super::account::Account;
use super::calls::{self, Shared};
use super::exchange::{self, Exchange};
use super::warn_if_refused;
use crate::attempt::{self, Inbound};
use crate::client;
use crate::config::{Config, Upstream};
use crate::endpoint::{self, Endpoint};
use crate::error::{Error, Kind};
use crate::form;
use crate::format::{Format, Operation};
use crate::http::Headers;
use crate::json::Doc;
use crate::record::{Note, Record};

/// One attempt at the cluster.
pub struct Cluster {
    config: Rc<Config>,
    /// The request's headers as this attempt found them.
    headers: Headers,
    record: Option<Shared>,
    exchange: Option<Exchange>,
    /// Whether the request's body has been dealt with.
    sent: bool,
    /// Whether the map of the request's headers holds the provider's.
    lent: bool,
}

impl Cluster {
    /// An attempt that begins now.
    pub fn new(config: Rc<Config>) -> Self {
        Self { config, headers: Headers::default(), record: None, exchange: None, sent: false, lent: false }
    }

    /// The whole request is there.
    fn request(&mut self, size: usize) -> Action {
        self.sent = true;
        match self.send(size) {
            Ok(()) => Action::Continue,
            Err(error) => {
                if let Some(record) = &self.record {
                    exchange::refuse(record, &error);
                }
                Action::Pause
            }
        }
    }

    fn send(&mut self, size: usize) -> Result<(), Error> {
        let known = known();
        // What a gateway has announced it has also checked.
        let form = match &known {
            Some(record) => Endpoint::Call(record.borrow().operation, record.borrow().format).form(),
            None => Endpoint::of(&self.headers.text(":method"), &self.headers.text(":path"), true)?.form(),
        };
        let body = &*exchange::received(form, self.headers.text("content-type").into_owned(), size)?;
        let kept = known.as_ref().is_some_and(|record| {
            let record = record.borrow();
            let own = record.operation == Operation::Resource && record.format == Format::Responses;
            own || record.operation == Operation::Pass
        });
        let doc = match &known {
            Some(_) if kept => Doc::lenient(b"{}"),
            Some(_) => Doc::lenient(body),
            None => Doc::strict(body),
        };
        let doc = doc.map_err(|fault| Error::invalid(format!("the body is not JSON: {fault}")))?;
        let record = match known {
            Some(record) => record,
            None => alone(&self.headers, &doc)?,
        };
        self.record = Some(Rc::clone(&record));
        let config = Rc::clone(&self.config);
        let (place, upstream) = chosen(&config)?;
        let model = config.name_at(record.borrow().ask.wanted(), place);
        let account = Account::open(&config, place, &model, &record.borrow());
        let outbound = {
            let record = record.borrow();
            let inbound = Inbound {
                operation: record.operation,
                format: record.format,
                headers: &record.headers,
                doc: &doc,
                ask: &record.ask,
                model: &model,
                secret: account.secret.as_ref(),
                now: abi::now() / 1000,
            };
            match attempt::request(&config, upstream, inbound) {
                // Another upstream may be able to: what is refused here, the host would not try again.
                Err(error) if error.kind == Kind::Unavailable => attempt::skip(upstream, inbound, error),
                outbound => outbound?,
            }
        };
        let received = form::told(doc.root()).map_or(body.len(), |(_, total)| total);
        let asked = record.borrow().ask.wanted().to_owned();
        let note = Note::new(&config, upstream, &asked, model, account.key, outbound.dropped.clone(), abi::now());
        self.exchange = Some(exchange::send(outbound, note, account, &record, received, Some(config)));
        self.lent = true;
        Ok(())
    }

    /// Puts the client's headers back. The map is the client's own: logs read it, and they must show no provider's key.
    fn restore(&mut self) {
        if let Some(record) = self.record.as_ref().filter(|_| self.lent) {
            warn_if_refused("restore headers", abi::set_headers(Map::Request, &record.borrow().headers));
        }
        self.lent = false;
    }
}

/// What a gateway of this VM has announced.
fn known() -> Option<Shared> {
    calls::find(&abi::property(&["filter_state", &format!("wasm.{}", calls::STATE)]).unwrap_or_default())
}

/// The upstream of the endpoint that the host has picked for this attempt, else of its cluster.
fn chosen(config: &Config) -> Result<(usize, &Upstream), Error> {
    let endpoint = ["xds", "upstream_host_metadata", "filter_metadata", "dragoman", "upstream"];
    let cluster = ["xds", "cluster_metadata", "filter_metadata", "dragoman", "upstream"];
    let name = abi::property(&endpoint).or_else(|_| abi::property(&cluster)).unwrap_or_default();
    let found = config.upstreams.iter().enumerate().find(|(_, upstream)| upstream.name.as_bytes() == name);
    found.ok_or_else(|| {
        Error::new(Kind::Unavailable, "the endpoint's metadata `dragoman.upstream` names no configured upstream")
    })
}

/// A call that no gateway of this VM has announced: translated, not accounted.
fn alone(headers: &Headers, doc: &Doc<'_>) -> Result<Shared, Error> {
    let path = headers.text(":path");
    let endpoint = Endpoint::of(&headers.text(":method"), &path, true)?;
    let Endpoint::Call(operation, format) = endpoint else {
        return Err(Error::new(Kind::NotFound, "this path needs no upstream"));
    };
    let ask = client::ask(format, endpoint::named(&path), doc.root(), abi::now() / 1000)?;
    let record = Record::new(operation, format, ask, 0, headers.clone());
    Ok(Rc::new(RefCell::new(record)))
}

impl Context for Cluster {
    fn on_done(&mut self) -> bool {
        // An attempt that broke before it was answered: its log comes after this, and then the next attempt.
        self.restore();
        true
    }
}

impl HttpContext for Cluster {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        self.headers = abi::headers(Map::Request).unwrap_or_default();
        // What is passed on is not held.
        if end || known().is_some_and(|record| record.borrow().operation == Operation::Pass) {
            return self.request(0);
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if self.sent {
            return Action::Continue;
        }
        if end { self.request(size) } else { Action::Pause }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        if self.sent { Action::Continue } else { self.request(usize::MAX) }
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        self.restore();
        let Some(exchange) = &mut self.exchange else { return Action::Continue };
        exchange.head(abi::headers(Map::Response).unwrap_or_default(), end, &|_| ())
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        match &mut self.exchange {
            Some(exchange) => exchange.body(size, end),
            None => Action::Continue,
        }
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        if let Some(exchange) = &mut self.exchange {
            exchange.finish(usize::MAX);
        }
        Action::Continue
    }
}
