//! The gateway's part of a call: who calls, for what, and where it goes first; and at the end, what is to be told of it.
//!
//! The order of use: [`Gateway::head`] with the request's headers, then [`Gateway::introduce`]; [`Gateway::read`],
//! [`Gateway::call`] and [`Gateway::admit`] with its body; then, when the host has an answer, [`answer_headers`] and
//! [`Gateway::standing`] or, if the host made the answer itself, [`Gateway::host_error`]; at last [`Gateway::settle`] and
//! [`Gateway::account`].

mod allowance;
mod balance;
#[cfg(test)]
mod tests;

pub use allowance::Guard;

use std::cell::OnceCell;
use std::mem;
use std::rc::Rc;

use self::allowance::Allowance;

use crate::answer::Answer;
use crate::attempt::{self, KEY_HEADERS};
use crate::auth::Keyring;
use crate::client::needs::needs;
use crate::client::{self, Ask, gemini, resources, responses};
use crate::config::{Choice, ClientAuth, Config, Credentials, Key, KeyLabel, Model, Resolved, Role};
use crate::cost;
use crate::endpoint::{self, Endpoint, Kept, Named, Passed};
use crate::error::{Error, Kind, shorten};
use crate::format::{Format, Operation};
use crate::http::Headers;
use crate::json::{Body, Doc, Node, Writer};
use crate::metrics::{self, Ledger};
use crate::provider::Feature;
use crate::record::{Hop, Note, Record, StandIn};
use crate::remote::{self, Address};
use crate::seal::{self, Seal};
use crate::usage::Usage;

/// One call at the gateway.
pub struct Gateway {
    config: Rc<Config>,
    /// When it began, in unix milliseconds.
    began: u64,
    endpoint: Option<Endpoint>,
    /// The model that the path names.
    named: Option<Named>,
    /// Whether the body of what is passed on must be read.
    holds: bool,
    /// The format of errors.
    format: Format,
    /// The caller's place in the configuration's keys.
    key: Option<usize>,
    /// The configured model: its place, if any is configured.
    model: Option<usize>,
    /// Why the filter refused the call, as the metric's label says it.
    rejected: Option<&'static str>,
    /// What kind of error the client got, if it is not an upstream's.
    error: Option<Kind>,
    /// The models for which others stand in.
    hops: Vec<Hop>,
    /// What the call holds: of each model that it was for.
    allowances: Vec<Allowance>,
    /// Headers that tell what is left.
    standing: Vec<(&'static str, String)>,
}

/// An answer that the filter makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The status.
    pub status: u16,
    /// Headers beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// What comes after the request's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The body is needed.
    Body,
    /// There is no body, and none is needed.
    Call,
    /// The answer is [`Gateway::own_key`].
    Key,
    /// This is the answer.
    Reply(Local),
}

/// What the host knows beside the request.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// When, in unix milliseconds.
    pub now: u64,
    /// The caller's id in metadata or filter state, if the configuration has it there.
    pub identity: Option<Vec<u8>>,
    /// The upstream that the route as it came stands for.
    pub route_upstream: Option<String>,
    /// Whether the request has no body.
    pub ended: bool,
    /// A number that nobody can use for anything but to choose.
    pub random: u64,
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub struct Routed {
    /// What its answer depends on.
    pub ask: Ask,
    /// What it asks for.
    pub operation: Operation,
    /// In which format.
    pub format: Format,
    /// How many input tokens it has, estimated.
    pub input: u64,
    /// The model that is to answer, by its place among the configured ones.
    pub model: Option<usize>,
    /// The models for which others stand in.
    pub hops: Vec<Hop>,
    /// The upstream to start with, unless the host's routes choose it.
    pub upstream: Option<usize>,
    /// Others to start with if that one's account has no room, the best first.
    others: Vec<usize>,
    /// How many of all these do not rest.
    awake: usize,
    /// Images to fetch and put into the body first.
    pub images: Vec<Address>,
    /// Headers by which the host routes, and is told of timeouts and retries.
    pub headers: Vec<(&'static str, String)>,
}

/// No model has room for fewer tokens than this.
const SMALLEST_WINDOW: u64 = 2000;

/// Private headers: whatever a client sends under this prefix is removed.
pub const PRIVATE: &str = "x-dragoman-";
/// What an answer cost, in USD.
const COST: &str = "x-dragoman-cost-usd";
/// In an answer, why another model than the one that was asked for has given it. In a request that the host sends around
/// again, the name under which its call is found.
pub const FALLBACK: &str = "x-dragoman-fallback";
/// The header that the host's routes match.
pub const UPSTREAM: &str = "x-dragoman-upstream";

impl Gateway {
    /// A call that begins at `now`, in unix milliseconds.
    pub fn new(config: Rc<Config>, now: u64) -> Self {
        let format = Format::Chat;
        Self {
            config,
            began: now,
            endpoint: None,
            named: None,
            holds: false,
            format,
            key: None,
            model: None,
            rejected: None,
            error: None,
            hops: Vec::new(),
            allowances: Vec::new(),
            standing: Vec::new(),
        }
    }

    /// The call's configuration.
    pub fn config(&self) -> &Rc<Config> {
        &self.config
    }

    /// Reads the request's headers.
    pub fn head(&mut self, headers: &Headers, facts: &Facts) -> Result<Next, Error> {
        let path = headers.text(":path");
        self.format = endpoint::format_hint(&path, headers);
        let passes = path.starts_with("/upstream/") && headers.text("upgrade").eq_ignore_ascii_case("websocket");
        if (headers.has("upgrade") && !passes) || headers.text(":method") == "CONNECT" {
            self.reject("invalid");
            return Err(Error::new(Kind::NotImplemented, "upgrades are not supported"));
        }
        let own_route = self.config.models.is_empty() && facts.route_upstream.is_some();
        let endpoint =
            Endpoint::of(&headers.text(":method"), &path, own_route).inspect_err(|_| self.reject("invalid"))?;
        self.endpoint = Some(endpoint.clone());
        self.named = endpoint::named(&path);
        if endpoint == Endpoint::Health {
            return Ok(Next::Reply(Local::ok(b"{\"status\":\"ok\"}".to_vec())));
        }
        self.authenticate(headers, facts).inspect_err(|_| self.reject("auth"))?;
        match endpoint {
            Endpoint::Model(id) => self.one_model(&id).map(Next::Reply).inspect_err(|_| self.reject("model")),
            Endpoint::Key => Ok(Next::Key),
            Endpoint::Models => Ok(Next::Reply(self.models())),
            Endpoint::Response(_) => Ok(if facts.ended { Next::Call } else { Next::Body }),
            Endpoint::Upstream(passed) => {
                self.holds = self.may_pass(&passed, headers).inspect_err(|_| self.reject("model"))?;
                Ok(if self.holds && !facts.ended { Next::Body } else { Next::Call })
            }
            Endpoint::Call(..) | Endpoint::Health => {
                check_body(headers, facts.ended, self.form()).inspect_err(|_| self.reject("invalid"))?;
                Ok(Next::Body)
            }
        }
    }

    fn reject(&mut self, reason: &'static str) {
        self.rejected = Some(reason);
    }

    fn authenticate(&mut self, headers: &Headers, facts: &Facts) -> Result<(), Error> {
        let unknown = |what: &str| Error::new(Kind::Authentication, what);
        let by_id = |id: &[u8]| std::str::from_utf8(id).ok().and_then(|id| self.config.key_ids.get(id)).copied();
        let place = match &self.config.client_auth {
            ClientAuth::Open => return Ok(()),
            ClientAuth::Keys => {
                let secret = secret(headers).ok_or_else(|| {
                    unknown("no key: send it as `authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`")
                })?;
                let place = self.config.by_secret(secret).and_then(|key| self.config.key_ids.get(&key.id));
                place.copied().ok_or_else(|| unknown("unknown key"))?
            }
            ClientAuth::FilterState(_) | ClientAuth::Metadata { .. } => {
                let id = facts.identity.as_deref().ok_or_else(|| unknown("the host has not identified the caller"))?;
                by_id(id).ok_or_else(|| unknown("unknown caller"))?
            }
            ClientAuth::Header(name) => {
                let id = headers.get(name).ok_or_else(|| unknown("the host has not identified the caller"))?;
                by_id(id).ok_or_else(|| unknown("unknown caller"))?
            }
        };
        self.key = Some(place);
        let Some(key) = self.caller() else { return Err(unknown("unknown key")) };
        if key.disabled {
            return Err(unknown("this key is disabled"));
        }
        if key.expires.is_some_and(|expires| seconds(facts.now) >= expires) {
            return Err(unknown("this key has expired"));
        }
        Ok(())
    }

    /// Tells filter state who calls: filters behind this one may limit by it.
    pub fn introduce(&self, ledger: &mut dyn Ledger) {
        let Some(key) = self.caller() else { return };
        ledger.state("dragoman_key", &key.id);
        if let Some(team) = &key.team {
            ledger.state("dragoman_team", team);
        }
        if !key.tags.is_empty() {
            ledger.state("dragoman_tags", &key.tags.join(","));
        }
    }

    fn caller(&self) -> Option<&Key> {
        self.key.and_then(|place| self.config.keys.get(place))
    }

    /// Whether the body may be a form, and if so, whether all of it must be read: see [`crate::form`].
    pub fn form(&self) -> Option<bool> {
        self.endpoint.as_ref().and_then(Endpoint::form)
    }

    /// Reads the request's body.
    pub fn read<'b>(&mut self, body: &'b [u8]) -> Result<Doc<'b>, Error> {
        if matches!(self.endpoint, Some(Endpoint::Response(_) | Endpoint::Upstream(_))) && !self.holds {
            // Whatever it is, nobody reads it.
            return Doc::lenient(b"{}").map_err(|fault| Error::new(Kind::Internal, fault.to_string()));
        }
        let doc = Doc::strict(body).map_err(|fault| Error::invalid(format!("the body is not JSON: {fault}")));
        doc.inspect_err(|_| self.reject("invalid"))
    }

    /// Chooses where a call goes.
    pub fn call(
        &mut self,
        doc: &Doc<'_>,
        facts: &Facts,
        keyring: &dyn Keyring,
    ) -> Result<Result<Routed, Local>, Error> {
        if let Some(Endpoint::Response(kept)) = self.endpoint.clone() {
            return self.kept(&kept, facts).map(Ok);
        }
        if let Some(Endpoint::Upstream(passed)) = self.endpoint.clone() {
            return Ok(Ok(self.passed(&passed, facts)));
        }
        let Some(Endpoint::Call(operation, format)) = self.endpoint else {
            return Err(Error::new(Kind::Internal, "a body without a call"));
        };
        let ask = client::ask(format, self.named.take(), doc.root(), seconds(facts.now));
        let mut ask = Ask { random: facts.random, ..ask.inspect_err(|_| self.reject("invalid"))? };
        if format == Format::Responses {
            ask.caller = self.caller().map(|key| key.id.clone()).unwrap_or_default();
        }
        self.resolve(&ask.model).map(drop).inspect_err(|_| self.reject("model"))?;
        let start = self.start(&mut ask, (operation, format), doc.root(), facts, keyring)?;
        if operation == Operation::CountTokens && !self.counts(&ask.model, start.upstream, format) {
            return Ok(Err(estimate(doc.root(), format, &ask)));
        }
        self.routed(ask, (operation, format), start, doc.root()).map(Ok)
    }

    /// Chooses where a call goes that has gone to a model and was not answered there because of what it is.
    pub fn stand_in(
        &mut self,
        record: &Record,
        doc: &Doc<'_>,
        facts: &Facts,
        keyring: &dyn Keyring,
    ) -> Result<Routed, Error> {
        let Some(StandIn { model, reason, .. }) = &record.stand_in else {
            return Err(Error::new(Kind::Internal, "no model stands in"));
        };
        self.hops.extend(self.model.map(|from| Hop { from, reason: *reason }));
        let mut ask = Ask { instead: Some(model.clone()), ..record.ask.clone() };
        let what = (record.operation, record.format);
        let start = self.start(&mut ask, what, doc.root(), facts, keyring)?;
        self.routed(ask, what, start, doc.root())
    }

    /// The model that was to stand in cannot: the call stays one of the model before, as the record has it.
    pub fn stay(&mut self, record: &Record) {
        (self.model, self.hops) = (record.model, record.hops.clone());
    }

    /// With which upstream a call starts: of the model that it asks for, or of one that stands in, where its conversation
    /// fits no upstream of the other.
    fn start(
        &mut self,
        ask: &mut Ask,
        what: (Operation, Format),
        root: Node<'_>,
        facts: &Facts,
        keyring: &dyn Keyring,
    ) -> Result<Start, Error> {
        let config = Rc::clone(&self.config);
        let mut start = self.start_at(ask, what, root, facts, keyring)?;
        while !start.fits && what.0 == Operation::Generate {
            let reason = Kind::ContextWindow;
            let tried = Hop::models(&self.hops, self.model);
            let (Some(from), Some(name)) = (self.model, config.stand_in(&tried, reason)) else { break };
            self.hops.push(Hop { from, reason });
            let before = ask.instead.replace(name.to_owned());
            match self.start_at(ask, what, root, facts, keyring) {
                Ok(other) => start = other,
                // The provider may know better than the estimate.
                Err(_) => {
                    self.hops.pop();
                    (self.model, ask.instead) = (Some(from), before);
                    break;
                }
            }
        }
        Ok(start)
    }

    /// With which of the upstreams of the model that is to answer a call starts.
    fn start_at(
        &mut self,
        ask: &Ask,
        what: (Operation, Format),
        root: Node<'_>,
        facts: &Facts,
        keyring: &dyn Keyring,
    ) -> Result<Start, Error> {
        let config = Rc::clone(&self.config);
        let resolved = config.model(ask.wanted()).ok_or_else(|| no_model(ask.wanted()))?;
        self.model = resolved.model;
        self.choose(&resolved, what, root, facts, keyring)
    }

    fn routed(
        &mut self,
        ask: Ask,
        (operation, format): (Operation, Format),
        start: Start,
        root: Node<'_>,
    ) -> Result<Routed, Error> {
        let Start { upstream, others, awake, .. } = start;
        let images = match operation {
            Operation::Generate => self.images(upstream, root).inspect_err(|_| self.reject("invalid"))?,
            _ => Vec::new(),
        };
        let headers = self.routing(&ask, upstream);
        let input = client::estimate::rough(root);
        let (model, hops) = (self.model, self.hops.clone());
        Ok(Routed { ask, operation, format, input, model, hops, upstream, others, awake, images, headers })
    }

    /// The images that must be fetched for the upstreams that this call may reach.
    fn images(&self, chosen: Option<usize>, root: Node<'_>) -> Result<Vec<Address>, Error> {
        let Some(config) = &self.config.remote_images else { return Ok(Vec::new()) };
        let lacks = |place: usize| {
            self.config
                .upstreams
                .get(place)
                .is_some_and(|upstream| upstream.provider.lacks.contains(&Feature::ImageUrls))
        };
        if chosen.is_some_and(lacks) {
            return remote::addresses(root, config);
        }
        // The host may try the others later, where nothing can be fetched any more.
        let model = self.model.and_then(|place| self.config.models.get(place));
        let later = self.config.role == Role::Gateway
            && model.is_some_and(|model| model.upstreams.iter().any(|choice| lacks(choice.upstream)));
        Ok(if later { remote::addresses(root, config).unwrap_or_default() } else { Vec::new() })
    }

    fn resolve<'a>(&'a self, asked: &'a str) -> Result<Resolved<'a>, Error> {
        let resolved = self.config.model(asked).ok_or_else(|| no_model(asked))?;
        if self.caller().is_some_and(|key| !self.config.allows(key, &resolved)) {
            let message = format!("this key may not use the model `{}`", shorten(asked));
            return Err(Error::new(Kind::Permission, message).code("model_not_allowed").at("model"));
        }
        Ok(resolved)
    }

    /// Where a call goes that is about a response: to the upstream that made it for this caller.
    fn kept(&mut self, kept: &Kept, facts: &Facts) -> Result<Routed, Error> {
        let caller = self.caller().map(|key| key.id.clone()).unwrap_or_default();
        let place = seal::upstream(&self.config, &kept.id);
        let found = place.and_then(|place| self.config.upstreams.get(place)).filter(|upstream| {
            Seal::new(&self.config, upstream, &caller).is_some_and(|seal| seal.open(&kept.id).is_some())
        });
        if found.is_none() {
            self.reject("invalid");
            return Err(Error::new(Kind::NotFound, format!("no response `{}`", shorten(&kept.id))));
        }
        // The host's routes match a model and the upstream to start with.
        let has = |model: &Model| model.upstreams.iter().any(|choice| Some(choice.upstream) == place);
        self.model = self.config.models.iter().position(has);
        if self.config.role == Role::Gateway && self.model.is_none() && !self.config.models.is_empty() {
            let message = "the upstream that made this response is none of any model";
            return Err(Error::new(Kind::Unavailable, message));
        }
        let ask = Ask { stream: kept.streams, now: seconds(facts.now), caller, ..Ask::default() };
        let headers = self.routing(&ask, place);
        Ok(Routed {
            ask,
            operation: Operation::Resource,
            format: Format::Responses,
            input: 0,
            model: self.model,
            hops: Vec::new(),
            upstream: place,
            others: Vec::new(),
            awake: 1,
            headers,
            images: Vec::new(),
        })
    }

    /// Whether the caller may ask an upstream for something in its own words; if so, whether the body holds ids.
    fn may_pass(&self, passed: &Passed, headers: &Headers) -> Result<bool, Error> {
        let none = || Error::new(Kind::NotFound, format!("no upstream `{}` that passes on", shorten(&passed.name)));
        let upstream = self.config.upstreams.iter().find(|upstream| upstream.name == passed.name);
        let upstream = upstream.filter(|upstream| !upstream.pass.is_empty()).ok_or_else(none)?;
        let named = |name: &String| name == "*" || *name == passed.name;
        if self.caller().is_some_and(|key| !key.upstreams.iter().any(named)) {
            let message = format!("this key may not use the upstream `{}`", passed.name);
            return Err(Error::new(Kind::Permission, message).code("upstream_not_allowed"));
        }
        let method = headers.text(":method");
        if !upstream.pass.iter().any(|pass| pass.allows(&method, &passed.path)) {
            let message = format!(
                "the upstream `{}` does not pass on {} {}",
                passed.name,
                shorten(&method),
                shorten(&passed.path)
            );
            return Err(Error::new(Kind::Permission, message).code("path_not_allowed"));
        }
        if matches!(upstream.credentials, Credentials::Unset(_)) {
            return Err(attempt::no_credentials(upstream));
        }
        let Some(resource) = resources::of(upstream, &passed.path) else { return Ok(false) };
        let caller = self.caller().map(|key| key.id.as_str()).unwrap_or_default();
        let seal = Seal::new(&self.config, upstream, caller);
        let seal = seal.ok_or_else(|| Error::new(Kind::Unavailable, "ids cannot be sealed: set DRAGOMAN_ID_SECRET"))?;
        resource.check(&method, &seal)?;
        Ok(resource.has_ids(&method))
    }

    /// Where a request goes that is passed on.
    fn passed(&mut self, passed: &Passed, facts: &Facts) -> Routed {
        let upstream = self.config.upstreams.iter().position(|upstream| upstream.name == passed.name);
        let caller = self.caller().map(|key| key.id.clone()).unwrap_or_default();
        let ask = Ask { now: seconds(facts.now), caller, ..Ask::default() };
        let mut headers = vec![("x-dragoman-endpoint", "upstream".to_owned()), (UPSTREAM, passed.name.clone())];
        // It may be anything: sent once, and open for as long as either end likes.
        for name in ["x-envoy-max-retries", "x-envoy-upstream-rq-timeout-ms"] {
            headers.push((name, "0".to_owned()));
        }
        Routed {
            ask,
            operation: if self.holds { Operation::Resource } else { Operation::Pass },
            format: self.format,
            input: 0,
            model: None,
            hops: Vec::new(),
            upstream,
            others: Vec::new(),
            awake: 1,
            headers,
            images: Vec::new(),
        }
    }

    /// The upstream to start with, and those that may take its place: each can do this and has credentials, and those that
    /// rest come last. Where some are known to lack what the call needs it is others, unless all do.
    fn choose(
        &self,
        resolved: &Resolved<'_>,
        (operation, format): (Operation, Format),
        root: Node<'_>,
        facts: &Facts,
        keyring: &dyn Keyring,
    ) -> Result<Start, Error> {
        let Some(model) = resolved.model.and_then(|place| self.config.models.get(place)) else {
            let named = facts.route_upstream.as_deref();
            let place = match (named, self.config.upstreams.as_slice()) {
                (Some(name), list) => list.iter().position(|upstream| upstream.name == name),
                (None, [_]) => Some(0),
                (None, _) if self.config.role == Role::Gateway => return Ok(Start { fits: true, ..Start::default() }),
                (None, _) => None,
            };
            let place = place
                .ok_or_else(|| Error::new(Kind::Unavailable, "no upstream: the route names none that is configured"))?;
            return self.obstacle(resolved, place, operation, format, keyring).map_or(Ok(Start::at(place)), Err);
        };
        let mut able = Vec::with_capacity(model.upstreams.len());
        let mut obstacles = Vec::new();
        for choice in &model.upstreams {
            match self.obstacle(resolved, choice.upstream, operation, format, keyring) {
                Some(error) => obstacles.push(error.message),
                None => able.push(choice),
            }
        }
        if able.is_empty() {
            let (name, why) = (shorten(&model.name), obstacles.join("; "));
            let message = format!("no upstream of the model `{name}` can take the call: {why}");
            return Err(Error::new(Kind::Unavailable, message));
        }
        if format == Format::Responses
            && let Some(id) = root.get("previous_response_id").and_then(Node::text)
        {
            let maker = seal::upstream(&self.config, &id);
            able.retain(|choice| Some(choice.upstream) == maker);
            if able.is_empty() {
                return Err(responses::unknown());
            }
        }
        let native = |choice: &Choice| {
            let (at, name) = (choice.upstream, self.config.upstream_model(resolved, choice.upstream));
            let surface = self.config.upstreams.get(at).and_then(|it| attempt::surface(it, operation, format, &name));
            surface.is_some_and(|surface| format.is_taken_by(surface.format))
        };
        let able = self.full(able, format, native, root);
        let (able, fits) = self.roomy(resolved, model, able, root);
        let rests = |choice: &Choice| {
            let name = self.config.upstream_model(resolved, choice.upstream);
            self.config.upstreams.get(choice.upstream).is_some_and(|upstream| keyring.rests(upstream, &name))
        };
        if let &[only] = able.as_slice() {
            return Ok(Start { fits, ..Start::at(only.upstream) });
        }
        let (resting, up): (Vec<&Choice>, Vec<&Choice>) = able.into_iter().partition(|choice| rests(choice));
        let awake = up.len();
        let order = |choices| self.order(resolved, model, choices, root, facts.random);
        let mut order = order(up).into_iter().chain(order(resting));
        Ok(Start { upstream: order.next(), others: order.collect(), awake, fits })
    }

    /// Those of several upstreams that lack nothing of what a call needs; all of them if each lacks something. `native` says
    /// which speak the client's format.
    fn full<'c>(
        &self,
        able: Vec<&'c Choice>,
        format: Format,
        native: impl Fn(&Choice) -> bool,
        root: Node<'_>,
    ) -> Vec<&'c Choice> {
        let lacks = |choice: &Choice| self.config.upstreams.get(choice.upstream).map_or(&[][..], |u| u.provider.lacks);
        // One upstream alone takes what it can, and says what it cannot.
        let differ = format == Format::Responses || able.iter().any(|choice| !lacks(choice).is_empty());
        if able.len() < 2 || !differ {
            return able;
        }
        let mut needs = needs(root);
        if self.config.remote_images.as_ref().is_some_and(|config| remote::addresses(root, config).is_ok()) {
            needs.retain(|need| *need != Feature::ImageUrls);
        }
        let full = |choice: &&Choice| {
            !needs.iter().any(|need| match need {
                Feature::Responses => !native(choice),
                need => lacks(choice).contains(need),
            })
        };
        let some: Vec<_> = able.iter().copied().filter(full).collect();
        if some.is_empty() { able } else { some }
    }

    /// Those of several upstreams whose model has room for the conversation, as far as that is known, and that there are any;
    /// or all of them.
    fn roomy<'c>(
        &self,
        resolved: &Resolved<'_>,
        model: &Model,
        able: Vec<&'c Choice>,
        root: Node<'_>,
    ) -> (Vec<&'c Choice>, bool) {
        if able.len() < 2 && model.fallbacks.context_window.is_empty() && self.hops.is_empty() {
            return (able, true);
        }
        let rough = client::estimate::rough(root);
        if rough < SMALLEST_WINDOW {
            return (able, true);
        }
        let tokens = OnceCell::new();
        let fits = |choice: &&Choice| {
            let name = self.config.upstream_model(resolved, choice.upstream);
            let upstream = self.config.upstreams.get(choice.upstream);
            upstream.and_then(|upstream| cost::window(upstream.provider, &name)).is_none_or(|window| {
                rough.saturating_mul(2) <= window || *tokens.get_or_init(|| client::estimate::estimate(root)) <= window
            })
        };
        let some: Vec<_> = able.iter().copied().filter(fits).collect();
        if some.is_empty() { (able, false) } else { (some, true) }
    }

    /// Why the upstream at a place cannot take a call, if so.
    fn obstacle(
        &self,
        resolved: &Resolved<'_>,
        place: usize,
        operation: Operation,
        format: Format,
        keyring: &dyn Keyring,
    ) -> Option<Error> {
        let upstream = self.config.upstreams.get(place)?;
        let name = self.config.upstream_model(resolved, place);
        let counted = operation == Operation::CountTokens;
        if !counted && attempt::surface(upstream, operation, format, &name).is_none() {
            return Some(attempt::unsupported(upstream, operation));
        }
        let paid = match &upstream.credentials {
            Credentials::Unset(_) => false,
            Credentials::Token(source) => keyring.token(source).is_some(),
            _ => true,
        };
        (!paid).then(|| attempt::no_credentials(upstream))
    }

    /// Whether tokens are counted upstream, in the client's own format.
    fn counts(&self, asked: &str, upstream: Option<usize>, format: Format) -> bool {
        let place = upstream.unwrap_or(usize::MAX);
        self.config.upstreams.get(place).is_some_and(|upstream| {
            let name = self.config.name_at(asked, place);
            attempt::surface(upstream, Operation::CountTokens, format, &name).is_some()
        })
    }

    fn routing(&self, ask: &Ask, upstream: Option<usize>) -> Vec<(&'static str, String)> {
        let mut headers = Vec::with_capacity(6);
        let model = self.model.and_then(|place| self.config.models.get(place));
        headers.push(("x-dragoman-model", model.map_or_else(|| ask.wanted().to_owned(), |model| model.name.clone())));
        if let Some(endpoint) = &self.endpoint {
            headers.push(("x-dragoman-endpoint", endpoint.name().to_owned()));
        }
        if let Some(upstream) = upstream.and_then(|place| self.config.upstreams.get(place)) {
            headers.push((UPSTREAM, upstream.name.clone()));
        }
        let Some(model) = model else { return headers };
        let mut host = |name, value: Option<String>| headers.extend(value.map(|value| (name, value)));
        host("x-envoy-upstream-rq-timeout-ms", model.timeouts.total.map(|ms| ms.to_string()));
        // A try of a call that is not streamed shows its first byte when it is done.
        let try_limit = if ask.stream { model.timeouts.first_token } else { model.timeouts.total };
        host("x-envoy-upstream-rq-per-try-timeout-ms", try_limit.map(|ms| ms.to_string()));
        host("x-envoy-max-retries", model.retries.map(|count| count.to_string()));
        headers
    }

    /// An error as the client reads it.
    pub fn refuse(&mut self, error: &Error) -> Local {
        self.error = Some(error.kind);
        let headers = mem::take(&mut self.standing);
        Local { status: error.status(), headers, body: client::of(self.format).error(error) }
    }

    /// Headers that tell the client what is left of its limits.
    pub fn standing(&self) -> &[(&'static str, String)] {
        &self.standing
    }

    /// The host's own answer in the client's format. `details` is the host's word for what happened.
    pub fn host_error(&mut self, status: u16, details: &str) -> Local {
        let kind = match status {
            413 => {
                self.reject("size");
                Kind::TooLarge
            }
            408 | 504 => Kind::Timeout,
            503 => Kind::Unavailable,
            status => Kind::of_status(status),
        };
        let what = match kind {
            Kind::TooLarge => "the body is larger than the gateway takes",
            Kind::RateLimit => "a limit of the host's is reached",
            Kind::Timeout => "the upstream did not answer in time",
            Kind::Unavailable => "no upstream could be reached",
            _ => "the gateway could not pass the call on",
        };
        let details: String =
            details.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).take(64).collect();
        let message = if details.is_empty() { what.to_owned() } else { format!("{what} ({details})") };
        self.refuse(&Error::new(kind, message).with_status(status))
    }

    fn models(&self) -> Local {
        let models = self.config.visible_models(self.caller());
        let created = seconds(self.began);
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        if self.format == Format::Gemini {
            w.object(|w| {
                w.key("models").array(|w| models.iter().for_each(|name| self.write_model(w, name, created)));
            });
            return Local::ok(body.into_bytes());
        }
        w.object(|w| {
            if self.format != Format::Messages {
                w.key("object").text("list");
            }
            w.key("data").array(|w| models.iter().for_each(|name| self.write_model(w, name, created)));
            if self.format == Format::Messages {
                w.key("has_more").bool(false);
                for (key, id) in [("first_id", models.first()), ("last_id", models.last())] {
                    w.key(key);
                    match id {
                        Some(id) => w.text(id),
                        None => w.null(),
                    }
                }
            }
        });
        Local::ok(body.into_bytes())
    }

    fn one_model(&self, id: &str) -> Result<Local, Error> {
        self.resolve(id)?;
        let mut body = Body::default();
        self.write_model(&mut Writer::new(&mut body), id, seconds(self.began));
        Ok(Local::ok(body.into_bytes()))
    }

    fn write_model(&self, w: &mut Writer<'_, '_>, name: &str, created: u64) {
        if self.format == Format::Gemini {
            return w.object(|w| {
                w.key("name").text(&format!("{}{name}", gemini::MODEL));
                w.key("displayName").text(name);
                w.key("supportedGenerationMethods").array(|w| {
                    ["generateContent", "countTokens"].into_iter().for_each(|method| w.text(method));
                });
            });
        }
        w.object(|w| {
            w.key("id").text(name);
            match self.format {
                Format::Messages => {
                    w.key("type").text("model");
                    w.key("display_name").text(name);
                    w.key("created_at").text("1970-01-01T00:00:00Z");
                    w.key("lifecycle").text("active");
                }
                _ => {
                    w.key("object").text("model");
                    w.key("created").u64(created);
                    w.key("owned_by").text("dragoman");
                }
            }
        });
    }

    /// Tells metrics and filter state of the call, when it is over. `status` is what the client saw.
    pub fn account(&self, record: Option<&Record>, status: Option<u16>, now: u64, ledger: &mut dyn Ledger) {
        let key = self.caller();
        let key_label = match (self.config.metrics.key_label, key) {
            (KeyLabel::Id, Some(key)) => key.id.as_str(),
            (KeyLabel::Team, Some(key)) => key.team.as_deref().unwrap_or_default(),
            (KeyLabel::Off, _) | (_, None) => "",
        };
        let last = record.and_then(|record| record.attempts.last());
        let model = self.model_label(last);
        let operation = self.endpoint.as_ref().map_or("unknown", Endpoint::name);
        let (upstream, provider) = last.map_or(("", ""), |note| (note.upstream.as_str(), note.provider.id));
        let abandoned = status.is_none();
        let status = status.unwrap_or(0).to_string();
        // What asks whether the filter is ready asks all day, and is no call.
        if self.endpoint != Some(Endpoint::Health) {
            ledger.sample(&metrics::REQUESTS, &[operation, model, upstream, provider, key_label, &status], 1);
        }
        let error = self.error.or(record.and_then(|record| record.refused));
        let invalid = (error == Some(Kind::InvalidRequest)).then_some("invalid");
        if let Some(reason) = self.rejected.or(invalid) {
            ledger.sample(&metrics::REJECTED, &[reason, key_label], 1);
        }
        if let Some(kind) = error.or(last.and_then(|note| note.meter.error)) {
            ledger.state("dragoman_error", kind.name());
        }
        let Some(record) = record else { return };
        let labels = [operation, model, provider];
        for hop in &self.hops {
            let from = self.config.models.get(hop.from).map_or("", |model| &model.name);
            ledger.sample(&metrics::FALLBACKS, &[from, hop.reason.name()], 1);
        }
        ledger.sample(&metrics::DURATION, &labels, now.saturating_sub(self.began));
        for (place, note) in record.attempts.iter().enumerate() {
            ledger.sample(&metrics::ATTEMPTS, &[&note.upstream, note.provider.id, note.result()], 1);
            let used = record.used(place, abandoned);
            let labels = [model, &note.upstream, note.provider.id, key_label];
            let [model, upstream, provider, key] = labels;
            let types = [
                ("input", used.input),
                ("output", used.output),
                ("cache_read", used.cache_read),
                ("cache_write", used.cache_write),
                ("reasoning", used.reasoning),
            ];
            for (kind, count) in types.into_iter().filter(|(_, count)| *count > 0) {
                ledger.sample(&metrics::TOKENS, &[kind, model, upstream, provider, key], count);
            }
            if let Some(cost) = record.cost_of(place, abandoned).filter(|cost| *cost > 0) {
                ledger.sample(&metrics::COST, &labels, cost);
            }
        }
        let Some(last) = last else { return };
        let usage = record.total(abandoned);
        self.account_answer(record, last, &labels, usage.output, ledger);

        ledger.state("dragoman_model", model);
        ledger.state("dragoman_upstream", upstream);
        ledger.state("dragoman_provider", last.provider.otel);
        ledger.state("dragoman_upstream_model", &last.model);
        if last.meter.usage.is_some() || usage.input > 0 {
            ledger.state("dragoman_input_tokens", &usage.input.to_string());
        }
        if last.meter.usage.is_some() || usage.output > 0 {
            ledger.state("dragoman_output_tokens", &usage.output.to_string());
            ledger.state("dragoman_total_tokens", &usage.total().to_string());
        }
        let cost = record.cost(abandoned);
        if let Some(cost) = cost {
            ledger.state("dragoman_cost_nanousd", &cost.to_string());
            ledger
                .state("dragoman_cost_microusd", &cost.saturating_add(500).checked_div(1000).unwrap_or(0).to_string());
        }
        if let Some(finish) = last.meter.finish {
            ledger.state("dragoman_finish_reason", finish);
        }
        ledger.state("dragoman_usage", &self.usage_json(record, model, &usage, cost));
    }

    /// What stands for the model in metrics and logs: its configured name; for one of many that a pattern matches, the name
    /// that its prices have. Never what a client makes up.
    fn model_label<'a>(&'a self, last: Option<&'a Note>) -> &'a str {
        let model = self.model.and_then(|place| self.config.models.get(place));
        match model {
            Some(model) if model.pattern.is_none() => &model.name,
            model => {
                let priced = last.and_then(|note| note.rates.as_ref()).map(|rates| &*rates.name);
                priced.or(model.map(|model| &*model.name)).unwrap_or("*")
            }
        }
    }

    /// Tells metrics of what the answer showed. `labels` are those of the distributions.
    fn account_answer(&self, record: &Record, last: &Note, labels: &[&str; 3], output: u64, ledger: &mut dyn Ledger) {
        let [_, _, provider] = *labels;
        let meter = &last.meter;
        // Not if somebody answered in the upstream's place.
        let answered = self.error.or(record.refused).or(meter.error).is_some();
        let aborted = u64::from(!meter.ended && !answered);
        let counts = [
            (&metrics::ABORTED, aborted),
            (&metrics::DROPPED_PARAMS, last.dropped.len() as u64),
            (&metrics::UNKNOWN_EVENTS, meter.unknown),
        ];
        for (metric, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            ledger.sample(metric, &[provider], count);
        }
        if let Some(first) = meter.first_token.filter(|_| record.ask.stream) {
            ledger.sample(&metrics::FIRST_TOKEN, labels, first.saturating_sub(self.began));
            let after = output.saturating_sub(1);
            if let Some(each) = meter.latest.saturating_sub(first).saturating_mul(1000).checked_div(after) {
                ledger.sample(&metrics::PER_TOKEN, labels, each);
            }
        }
    }

    /// All that is known of the call, as one JSON object.
    fn usage_json(&self, record: &Record, model: &str, usage: &Usage, cost: Option<u64>) -> String {
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        w.object(|w| {
            let key = self.caller();
            for (name, value) in [("key", key.map(|key| &key.id)), ("team", key.and_then(|key| key.team.as_ref()))] {
                if let Some(value) = value {
                    w.key(name).text(value);
                }
            }
            w.key("model").text(model);
            w.key("attempts").u64(record.attempts.len() as u64);
            if let Some(hop) = self.hops.last() {
                w.key("fallback").text(hop.reason.name());
            }
            let Some(last) = record.attempts.last() else { return };
            w.key("upstream").text(&last.upstream);
            w.key("provider").text(last.provider.id);
            w.key("upstream_model").text(&last.model);
            if last.meter.usage.is_some() || usage.input > 0 {
                let counts = [
                    ("input_tokens", usage.input),
                    ("output_tokens", usage.output),
                    ("cache_read_tokens", usage.cache_read),
                    ("cache_write_tokens", usage.cache_write),
                    ("cache_write_1h_tokens", usage.cache_write_1h),
                    ("reasoning_tokens", usage.reasoning),
                ];
                counts.into_iter().for_each(|(name, count)| w.key(name).u64(count));
                let seldom = [
                    ("input_audio_tokens", usage.input_audio),
                    ("output_audio_tokens", usage.output_audio),
                    ("input_image_tokens", usage.input_image),
                    ("output_image_tokens", usage.output_image),
                    ("images", usage.images),
                    ("characters", usage.characters),
                    ("milliseconds", usage.milliseconds),
                ];
                seldom.into_iter().filter(|(_, count)| *count > 0).for_each(|(name, count)| w.key(name).u64(count));
            }
            w.key("service_tier").text(last.meter.class.name());
            w.key("cost_nanousd");
            match cost {
                Some(cost) => w.u64(cost),
                None => w.null(),
            }
            w.key("complete").bool(last.meter.ended);
        });
        String::from_utf8(body.into_bytes()).unwrap_or_default()
    }
}

/// With which upstream a call may start.
#[derive(Default)]
struct Start {
    /// The first choice, unless the host's routes choose.
    upstream: Option<usize>,
    /// The others, the best first.
    others: Vec<usize>,
    /// How many of all these, from the start, do not rest.
    awake: usize,
    /// Whether the conversation fits any of them, as far as that is known.
    fits: bool,
}

impl Start {
    /// There is no choice.
    fn at(place: usize) -> Self {
        Self { upstream: Some(place), awake: 1, fits: true, others: Vec::new() }
    }
}

/// Headers that tell the client who answered.
pub fn answer_headers(record: &Record) -> Vec<(&'static str, Vec<u8>)> {
    let Some(last) = record.attempts.last() else { return Vec::new() };
    let mut headers =
        vec![(UPSTREAM, last.upstream.clone().into_bytes()), ("x-dragoman-provider", last.provider.id.into())];
    if !last.model.is_empty() {
        headers.push(("x-dragoman-upstream-model", last.model.clone().into_bytes()));
    }
    headers.push(("x-dragoman-attempts", record.attempts.len().to_string().into_bytes()));
    if let Some(hop) = record.hops.last() {
        headers.push((FALLBACK, hop.reason.name().into()));
    }
    if !last.dropped.is_empty() {
        headers.push(("x-dragoman-dropped-params", last.dropped.join(",").into_bytes()));
    }
    headers.extend(cost_header(record));
    headers.extend(last.request_id.clone().map(|id| ("x-dragoman-upstream-request-id", id)));
    headers
}

/// The header that tells what an answer cost, once all of it has been read. Of a stream that is too late.
pub fn cost_header(record: &Record) -> Option<(&'static str, Vec<u8>)> {
    if record.ask.stream || !record.attempts.last()?.meter.ended {
        return None;
    }
    let cost = record.cost(false)?;
    Some((COST, cost::dollars(cost).into_bytes()))
}

impl Local {
    fn ok(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }
}

/// The virtual key, in the first header that holds one.
fn secret(headers: &Headers) -> Option<&[u8]> {
    KEY_HEADERS.iter().find_map(|&name| {
        let value = headers.get(name)?;
        if name != "authorization" {
            return Some(value);
        }
        let (scheme, key) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(key.trim_ascii())
    })
}

fn check_body(headers: &Headers, ended: bool, form: Option<bool>) -> Result<(), Error> {
    if ended {
        return Err(Error::invalid("the body is empty; expected a JSON object"));
    }
    let media_type = headers.media_type();
    if form.is_some() && media_type == "multipart/form-data" {
        return Ok(());
    }
    if form == Some(false) {
        let message = format!("the body must be `multipart/form-data`, not `{}`", shorten(&media_type));
        return Err(Error::new(Kind::UnsupportedMedia, message));
    }
    if !media_type.is_empty() && media_type != "application/json" && !media_type.ends_with("+json") {
        let message = format!("the body must be `application/json`, not `{}`", shorten(&media_type));
        return Err(Error::new(Kind::UnsupportedMedia, message));
    }
    if headers.get("content-encoding").is_some_and(|value| value != b"identity") {
        return Err(Error::new(Kind::UnsupportedMedia, "the body must not be compressed"));
    }
    Ok(())
}

fn no_model(asked: &str) -> Error {
    let message = format!("no model `{}`; `GET /v1/models` lists those that you may use", shorten(asked));
    Error::new(Kind::NotFound, message).code("model_not_found").at("model")
}

/// A count of tokens where nobody can count: marked as what it is.
fn estimate(root: Node<'_>, format: Format, ask: &Ask) -> Local {
    let usage = Usage { input: client::estimate::estimate(root), ..Usage::default() };
    let counted = Answer { usage: Some(usage), ..Answer::default() };
    let mut local = Local::ok(client::of(format).answer(&counted, ask));
    local.headers.push(("x-dragoman-estimated", "true".into()));
    local
}

fn seconds(milliseconds: u64) -> u64 {
    milliseconds / 1000
}
