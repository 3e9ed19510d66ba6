//! What a call needs of limits and budgets, who it is taken from, and what callers are told of that.

use std::mem;

use super::{Gateway, Local, Routed, balance, seconds};
use crate::attempt;
use crate::client::estimate::estimate;
use crate::client::gemini;
use crate::config::{Allowed, Balance, Key, MOST_HOPS, Params, Reserve, Resolved, Role};
use crate::cost::{dollars, most};
use crate::error::{Error, Kind, shorten};
use crate::format::{Format, Operation};
use crate::json::{Body, Doc, Node, Writer};
use crate::limit::standing::headers;
use crate::limit::{
    Broken, Claim, Limiter, Limits, Need, Reason, Refusal, Refused, Reservation, Standing, Store, Used, Window, charge,
    settle,
};
use crate::record::Record;
use crate::time::extended;
use crate::usage::Usage;
use crate::wire::anthropic;

/// What the host lends to a call: what its VM knows, and what all VMs share.
pub struct Guard<'g> {
    /// The VM's.
    pub limiter: &'g mut Limiter,
    /// The host's.
    pub store: &'g mut dyn Store,
    /// The time, in unix milliseconds.
    pub now: u64,
}

/// What a call holds while it is under way.
pub(super) struct Allowance {
    reservation: Reservation,
    /// Whose each part of it is.
    subjects: Vec<Subject>,
    /// The model's name, where the lengths of its answers are taken note of.
    noted: Option<String>,
}

/// Who a call is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    /// Calls under way at an upstream, which are counted and not limited.
    Calls,
    Key,
    KeyAndModel(String),
    Model(String),
    Team(String),
    TeamAndModel(String, String),
    Upstream(usize),
}

impl Subject {
    /// Whether it is told to the caller what is left.
    fn is_caller(&self) -> bool {
        !matches!(self, Self::Calls | Self::Upstream(_))
    }

    /// The words for it in messages.
    fn words(&self) -> String {
        match self {
            Self::Key => "this key".to_owned(),
            Self::KeyAndModel(model) => format!("this key at the model `{}`", shorten(model)),
            Self::Model(model) => format!("the model `{}`", shorten(model)),
            Self::Team(team) => format!("the team `{team}`"),
            Self::TeamAndModel(team, model) => format!("the team `{team}` at the model `{}`", shorten(model)),
            Self::Calls | Self::Upstream(_) => "the accounts at providers".to_owned(),
        }
    }
}

/// The output that is reserved where neither the request nor the configuration limits it, and the model's own limit is not
/// known.
const DEFAULT_OUTPUT: u64 = 4096;

/// What is told to wait for what nobody knows the end of, in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

fn claim(kind: &str, name: &str, limits: Limits) -> Claim {
    Claim { key: format!("dragoman.limit.{kind}.{name}"), limits }
}

impl Gateway {
    /// Lets a call in, if all that limits it does, at the first of its upstreams whose account has room.
    pub fn admit(&mut self, routed: &mut Routed, doc: &Doc<'_>, guard: &mut Guard<'_>) -> Result<(), Error> {
        let config = self.config.clone();
        let nothing = Resolved { asked: "", name: "", model: None, star: None };
        let passed = matches!(routed.operation, Operation::Pass | Operation::Resource) && routed.ask.model.is_empty();
        let passed = passed.then_some(nothing);
        let Some(resolved) = passed.or_else(|| config.model(routed.ask.wanted())) else { return Ok(()) };
        let callers = self.callers(&resolved);
        let mut refused: Option<(Subject, Refusal, Vec<Standing>)> = None;
        let counted = self.balanced_by(Balance::LeastRequest).is_some();
        for upstream in self.measured(&resolved, routed, guard) {
            let mut subjects = callers.clone();
            if let Some((place, upstream)) = upstream.and_then(|place| Some((place, config.upstreams.get(place)?))) {
                if !upstream.limits.is_empty() {
                    subjects.push((Subject::Upstream(place), balance::account(upstream)));
                }
                if counted {
                    subjects.push((Subject::Calls, balance::under_way(upstream)));
                }
            }
            // What the call holds since it was for another model.
            subjects.retain(|(subject, _)| !self.allowances.iter().any(|held| held.subjects.contains(subject)));
            if subjects.is_empty() {
                return self.go_to(upstream, routed, doc.root());
            }
            let need = self.need(&resolved, upstream, &subjects, routed, doc.root(), guard.limiter)?;
            let (subjects, claims): (Vec<_>, Vec<_>) = subjects.into_iter().unzip();
            let own = subjects.iter().filter(|subject| subject.is_caller()).count();
            match guard.limiter.reserve(guard.store, &claims, &need, guard.now) {
                Ok((reservation, standings)) => {
                    if self.allowances.is_empty() {
                        self.standing = headers(standings.get(..own).unwrap_or_default());
                    }
                    let noted = claims.iter().any(|claim| claim.limits.tpm.is_some());
                    let noted = (noted && routed.operation == Operation::Generate).then(|| resolved.name.to_owned());
                    self.allowances.iter_mut().for_each(|held| held.noted = None);
                    self.allowances.push(Allowance { reservation, subjects, noted });
                    return self.go_to(upstream, routed, doc.root());
                }
                Err(Refused::Broken) => {
                    return Err(Error::new(Kind::Unavailable, "the host keeps no counts, so nobody can be let in"));
                }
                Err(Refused::By { claim, refusal, mut standings }) => {
                    standings.truncate(own);
                    let subject = subjects.into_iter().nth(claim).unwrap_or(Subject::Key);
                    let sooner = refused.as_ref().is_none_or(|(_, other, _)| refusal.wait < other.wait);
                    let of_caller = subject.is_caller();
                    if of_caller || sooner {
                        refused = Some((subject, refusal, standings));
                    }
                    if of_caller {
                        break;
                    }
                }
            }
        }
        match refused {
            Some((subject, refusal, standings)) => Err(self.turn_away(&subject, &refusal, &standings, guard.now)),
            None => Ok(()),
        }
    }

    /// The upstream is chosen: what depends on it is, too.
    fn go_to(&mut self, upstream: Option<usize>, routed: &mut Routed, root: Node<'_>) -> Result<(), Error> {
        if upstream == routed.upstream {
            return Ok(());
        }
        routed.upstream = upstream;
        if matches!(routed.operation, Operation::Pass | Operation::Resource) {
            return Ok(());
        }
        routed.headers = self.routing(&routed.ask, upstream);
        if routed.operation == Operation::Generate {
            routed.images = self.images(upstream, root).inspect_err(|_| self.reject("invalid"))?;
        }
        Ok(())
    }

    /// Who limits the call, accounts at providers aside.
    fn callers(&self, resolved: &Resolved<'_>) -> Vec<(Subject, Claim)> {
        let mut subjects = Vec::with_capacity(5);
        if let Some(key) = self.caller() {
            subjects.push((Subject::Key, claim("key", &key.id, key.allowed.limits)));
            if let Some((name, limits)) = key.allowed.at(resolved) {
                subjects.push((Subject::KeyAndModel(name.to_owned()), at_model("key", &key.id, name, *limits)));
            }
            if let Some((team, allowed)) = self.team(key) {
                subjects.push((Subject::Team(team.to_owned()), claim("team", team, allowed.limits)));
                if let Some((name, limits)) = allowed.at(resolved) {
                    let subject = Subject::TeamAndModel(team.to_owned(), name.to_owned());
                    subjects.push((subject, at_model("team", team, name, *limits)));
                }
            }
        }
        if let Some(model) = resolved.model.and_then(|place| self.config.models.get(place)) {
            subjects.push((Subject::Model(model.name.clone()), claim("model", &model.name, model.limits)));
        }
        subjects.retain(|(_, claim)| !claim.limits.is_empty());
        subjects
    }

    fn team(&self, key: &Key) -> Option<(&str, &Allowed)> {
        let (team, allowed) = self.config.teams.get_key_value(key.team.as_ref()?)?;
        Some((team, allowed))
    }

    /// What the call may come to, as far as somebody limits that.
    fn need(
        &self,
        resolved: &Resolved<'_>,
        upstream: Option<usize>,
        subjects: &[(Subject, Claim)],
        routed: &Routed,
        root: Node<'_>,
        limiter: &Limiter,
    ) -> Result<Need, Error> {
        let limits = || subjects.iter().map(|(_, claim)| claim.limits);
        let (counted, paid) =
            (limits().any(|limits| limits.counts_tokens()), limits().any(|limits| limits.budget.is_some()));
        let free = matches!(
            routed.operation,
            Operation::CountTokens | Operation::Moderate | Operation::Pass | Operation::Resource
        );
        if free || !(counted || paid) {
            return Ok(Need::default());
        }
        let mut need = Need { input: estimate(root), ..Need::default() };
        let mut output = 0;
        for (resolved, place) in self.reached(resolved, upstream) {
            let Some(upstream) = self.config.upstreams.get(place) else { continue };
            let name = self.config.upstream_model(&resolved, place);
            let Some(surface) = attempt::surface(upstream, routed.operation, routed.format, &name) else { continue };
            let own = (surface.format == Format::Messages).then(|| anthropic::max_output(&name));
            let most_output = match routed.operation {
                Operation::Generate => most_output(root, &upstream.params).unwrap_or(own.unwrap_or(DEFAULT_OUTPUT)),
                _ => 0,
            };
            output = most_output.max(output);
            if paid {
                let rates = self.config.rates(resolved.asked, upstream, &name);
                let cost = |output| rates.as_ref().and_then(|rates| most(rates, need.input, output));
                let (Some(cost), Some(input_cost)) = (cost(most_output), cost(0)) else {
                    return Err(no_price(&upstream.name, &name));
                };
                need.cost = need.cost.max(cost);
                need.input_cost = need.input_cost.max(input_cost);
            }
        }
        let typical = self.caller().filter(|_| self.config.reserve == Reserve::Typical);
        let typical = typical.and_then(|key| limiter.typical.output(&key.id, resolved.name));
        need.output = typical.map_or(output, |typical| typical.min(output));
        Ok(need)
    }

    /// The upstreams that a call may reach which starts with `upstream`, each with its model: the host may take any of the
    /// model's after the first, and then those of models that stand in for it.
    fn reached<'a>(&'a self, resolved: &Resolved<'a>, upstream: Option<usize>) -> Vec<(Resolved<'a>, usize)> {
        let Some(place) = resolved.model.filter(|_| self.config.role == Role::Gateway) else {
            return upstream.map(|place| (*resolved, place)).into_iter().collect();
        };
        let (mut models, mut all) = (vec![*resolved], vec![place]);
        let mut next = 0;
        while let Some(model) = models.get(next).and_then(|it| self.config.models.get(it.model?)) {
            next = next.saturating_add(1);
            let names = model.fallbacks.context_window.iter().chain(&model.fallbacks.content_policy);
            for found in names.filter_map(|name| self.config.model(name)) {
                if all.len() <= MOST_HOPS && found.model.is_some_and(|place| !all.contains(&place)) {
                    all.extend(found.model);
                    models.push(found);
                }
            }
        }
        let upstreams = |model: Resolved<'a>| {
            let choices = model.model.and_then(|place| self.config.models.get(place)).map(|m| m.upstreams.iter());
            choices.into_iter().flatten().map(move |choice| (model, choice.upstream))
        };
        models.into_iter().flat_map(upstreams).collect()
    }

    /// What a caller that is not let in is told.
    fn turn_away(&mut self, subject: &Subject, refusal: &Refusal, standings: &[Standing], now: u64) -> Error {
        self.reject(refusal.reason.name());
        self.standing = headers(standings);
        let spent = refusal.reason == Reason::Budget;
        if spent || refusal.is_too_large() {
            self.standing.push(("x-should-retry", "false".to_owned()));
        }
        let wait = refusal.wait.unwrap_or(DAY).div_ceil(1000).max(1);
        self.standing.push(("retry-after", wait.to_string()));
        let (who, limit) = (subject.words(), refusal.limit);
        let what = match refusal.reason {
            Reason::Budget => return self.spent(subject, refusal, now),
            Reason::InputTokens => format!("{limit} input tokens per minute"),
            Reason::Parallel => format!("{limit} calls at once"),
            Reason::Requests => format!("{limit} requests per minute"),
            Reason::Tokens => format!("{limit} tokens per minute"),
        };
        let message = match refusal.reason {
            Reason::InputTokens | Reason::Tokens if refusal.is_too_large() => {
                format!("the call needs {} tokens, and the limit of {who} is {what}", refusal.need)
            }
            Reason::InputTokens | Reason::Tokens => {
                let (left, need) = (refusal.left, refusal.need);
                format!(
                    "the limit of {who} is {what}: {left} are left and the call needs {need}; try again in {wait} s"
                )
            }
            _ => format!("the limit of {who} is {what}; try again in {wait} s"),
        };
        Error::new(Kind::RateLimit, message)
    }

    fn spent(&self, subject: &Subject, refusal: &Refusal, now: u64) -> Error {
        let who = subject.words();
        let budget = match subject {
            Subject::Team(team) => self.config.teams.get(team).and_then(|allowed| allowed.limits.budget),
            _ => self.caller().and_then(|key| key.allowed.limits.budget),
        };
        let period = budget.map_or("", |budget| budget.per.name());
        let per = if period == "total" { "in total".to_owned() } else { format!("per {period}") };
        let limit = dollars(refusal.limit);
        let state = if refusal.left == 0 {
            "is spent".to_owned()
        } else {
            format!("has {} USD left, and the call may cost {}", dollars(refusal.left), dollars(refusal.need))
        };
        let resets = match refusal.wait {
            Some(wait) => format!("it resets at {}", extended(seconds(now.saturating_add(wait).saturating_add(999)))),
            None => "it does not reset".to_owned(),
        };
        let message = format!("the budget of {who} ({limit} USD {per}) {state}; {resets}");
        Error::new(Kind::RateLimit, message).code("budget_exceeded")
    }

    /// Gives back what a call that is over has not used. `status` is what the client saw.
    pub fn settle(
        &mut self,
        record: Option<&Record>,
        status: Option<u16>,
        guard: &mut Guard<'_>,
    ) -> Result<(), Broken> {
        let abandoned = status.is_none();
        let mut outcome = Ok(());
        let mut reserved = Vec::new();
        for Allowance { reservation, subjects, noted } in mem::take(&mut self.allowances) {
            let all = used(record, abandoned, |_| true);
            reserved.extend(subjects.iter().filter_map(|subject| match subject {
                Subject::Upstream(place) => Some(*place),
                _ => None,
            }));
            let of = |claim: usize| match subjects.get(claim) {
                Some(Subject::Upstream(place)) => {
                    let name = self.config.upstreams.get(*place).map_or("", |upstream| &upstream.name);
                    used(record, abandoned, |upstream| upstream == name)
                }
                _ => all,
            };
            outcome = settle(guard.store, reservation, of).and(outcome);
            let last = record.and_then(|record| record.attempts.last());
            let ended = last.is_some_and(|note| note.meter.ended && note.meter.error.is_none());
            if let (Some(model), Some(key), true) = (noted, self.caller(), ended) {
                guard.limiter.typical.note(&key.id, &model, all.output);
            }
        }
        let Some(record) = record else { return outcome };
        if !abandoned {
            self.note_latency(record, guard);
        }
        // Attempts for which no account was asked.
        for (place, upstream) in self.config.upstreams.iter().enumerate().filter(|(_, u)| !u.limits.is_empty()) {
            let attempts = record.attempts.iter().filter(|note| note.upstream == upstream.name).count();
            let mut more = used(Some(record), abandoned, |name| name == upstream.name);
            let mut requests = u64::try_from(attempts).unwrap_or(u64::MAX);
            if reserved.contains(&place) {
                (requests, more) = (requests.saturating_sub(1), Used::default());
            }
            if requests > 0 {
                outcome = outcome.and(charge(guard.store, &balance::account(upstream), requests, &more, guard.now));
            }
        }
        outcome
    }

    /// What the caller's own key may do, and what is left of it.
    pub fn own_key(&mut self, guard: &mut Guard<'_>) -> Result<Local, Error> {
        let Some(key) = self.caller() else {
            return Err(Error::new(Kind::NotFound, "callers are not asked for a key here"));
        };
        let mut standing = |claim: Claim| {
            let standing = guard.limiter.standing(guard.store, &claim, guard.now);
            standing.map_err(|_| Error::new(Kind::Unavailable, "the host keeps no counts"))
        };
        let mut whole = |kind: &str, id: &str, allowed: &Allowed| -> Result<Standings, Error> {
            let own = standing(claim(kind, id, allowed.limits))?;
            let mut models = Vec::with_capacity(allowed.models.len());
            for (name, limits) in &allowed.models {
                models.push((name.clone(), standing(at_model(kind, id, name, *limits))?));
            }
            Ok(Standings { own, models })
        };
        let own = whole("key", &key.id, &key.allowed)?;
        let team = match self.team(key) {
            Some((team, allowed)) => Some((allowed, whole("team", team, allowed)?)),
            None => None,
        };
        let mut body = Body::default();
        let now = guard.now;
        Writer::new(&mut body).object(|w| {
            w.key("object").text("key");
            w.key("id").text(&key.id);
            w.key("team");
            match &key.team {
                Some(team) => w.text(team),
                None => w.null(),
            }
            w.key("models").array(|w| match &key.models {
                Some(models) => models.iter().for_each(|name| w.text(name)),
                None => w.text("*"),
            });
            w.key("tags").array(|w| key.tags.iter().for_each(|tag| w.text(tag)));
            w.key("expires");
            match key.expires {
                Some(expires) => w.text(&extended(expires)),
                None => w.null(),
            }
            w.key("limits").object(|w| own.write(w));
            w.key("budget");
            write_budget(w, &key.allowed.limits, &own.own, now);
            if let Some((allowed, standings)) = &team {
                w.key("team_limits").object(|w| standings.write(w));
                w.key("team_budget");
                write_budget(w, &allowed.limits, &standings.own, now);
            }
        });
        Ok(Local::ok(body.into_bytes()))
    }
}

/// The most output that a request may come to at an upstream that does so with parameters, if either says.
pub(super) fn most_output(root: Node<'_>, params: &Params) -> Option<u64> {
    const LIMITS: [&str; 3] = ["max_completion_tokens", "max_output_tokens", "max_tokens"];
    let set = |list: &[(String, String)]| {
        let (_, json) = list.iter().find(|(name, _)| LIMITS.contains(&name.as_str()))?;
        json.parse::<u64>().ok()
    };
    let asked = || LIMITS.iter().find_map(|name| root.get(name)?.u64());
    let each = set(&params.force).or_else(asked).or_else(|| gemini::limit(root)).or_else(|| set(&params.default))?;
    let answers = root.get("n").and_then(Node::u64).unwrap_or(1).max(1);
    Some(each.saturating_mul(answers))
}

/// Of a key or a team at a model.
fn at_model(kind: &str, id: &str, model: &str, limits: Limits) -> Claim {
    // No id holds the sign between.
    claim(kind, &format!("{id}|{model}"), limits)
}

/// What a key or a team has left, and what of some models.
struct Standings {
    own: Standing,
    models: Vec<(String, Standing)>,
}

impl Standings {
    fn write(&self, w: &mut Writer<'_, '_>) {
        write_limits(w, &self.own);
        if !self.models.is_empty() {
            w.key("models").object(|w| {
                self.models.iter().for_each(|(name, standing)| w.name(name).object(|w| write_limits(w, standing)));
            });
        }
    }
}

fn no_price(upstream: &str, model: &str) -> Error {
    let (upstream, model) = (shorten(upstream), shorten(model));
    let message = format!("no price is known of `{model}` at `{upstream}`, so no budget can pay for it");
    Error::new(Kind::Permission, message).code("price_unknown")
}

/// What a call used at the upstreams whose name `fits`.
fn used(record: Option<&Record>, abandoned: bool, fits: impl Fn(&str) -> bool) -> Used {
    let mut sum = Used { cost: Some(0), ..Used::default() };
    let Some(record) = record else { return sum };
    for (place, note) in record.attempts.iter().enumerate().filter(|(_, note)| fits(&note.upstream)) {
        let mut usage = record.used(place, abandoned);
        let good = note.status.is_some_and(|status| (200..=299).contains(&status));
        let silent = note.meter.usage.is_none() && note.meter.ended && note.meter.error.is_none();
        if good && silent && record.operation != Operation::CountTokens {
            // Nobody has told: it was not for nothing all the same.
            usage = Usage { input: record.input, output: note.meter.written.div_ceil(4), ..Usage::default() };
        }
        let cost = if usage == Usage::default() { Some(0) } else { note.price(&usage) };
        sum.input = sum.input.saturating_add(usage.input);
        sum.output = sum.output.saturating_add(usage.output);
        sum.cost = sum.cost.zip(cost).map(|(sum, cost)| sum.saturating_add(cost));
    }
    sum
}

fn write_limits(w: &mut Writer<'_, '_>, standing: &Standing) {
    let windows = [
        ("rpm", standing.requests),
        ("tpm", standing.tokens),
        ("input_tpm", standing.input_tokens),
        ("parallel", standing.parallel),
    ];
    for (name, window) in windows {
        let Some(Window { limit, left, resets, .. }) = window else { continue };
        w.key(name).object(|w| {
            w.key("limit").u64(limit);
            w.key("remaining").u64(left);
            if let Some(resets) = resets {
                w.key("reset_seconds").u64(resets.div_ceil(1000));
            }
        });
    }
}

fn write_budget(w: &mut Writer<'_, '_>, limits: &Limits, standing: &Standing, now: u64) {
    let (Some(budget), Some(window)) = (&limits.budget, &standing.budget) else { return w.null() };
    w.object(|w| {
        w.key("usd").raw(&dollars(window.limit));
        w.key("per").text(budget.per.name());
        w.key("spent_usd").raw(&dollars(window.taken));
        w.key("remaining_usd").raw(&dollars(window.left));
        w.key("resets_at");
        match window.resets {
            Some(resets) => w.text(&extended(seconds(now.saturating_add(resets).saturating_add(999)))),
            None => w.null(),
        }
    });
}
