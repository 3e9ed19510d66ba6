//! `router_settings` and what `litellm_settings` says of the same: which deployment answers, and who stands in for it.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::decimal::Decimal;
use super::deployment::Deployment;
use super::draft::{Choice, Draft, Model};
use super::models::Group;
use super::report::Report;
use super::source::Source;

/// The sections in which routing is set; the first counts.
const SECTIONS: [&str; 2] = ["router_settings", "litellm_settings"];

/// The greatest share that the filter takes.
const GREATEST: u128 = 1000;

/// The most further attempts that the filter takes.
pub const MOST_RETRIES: u64 = 10;

/// LiteLLM's strategies and ours.
const STRATEGIES: &[(&str, &str, &str)] = &[
    ("simple-shuffle", "weighted", ""),
    ("least-busy", "least_request", ""),
    ("latency-based-routing", "latency", ""),
    ("usage-based-routing", "usage", ""),
    ("usage-based-routing-v2", "usage", ""),
    ("cost-based-routing", "cost", ""),
    ("lar1", "latency", "the nearest there is"),
];

/// Who stands in for models that fail.
#[derive(Default)]
struct Fallbacks {
    /// For each model.
    named: Vec<Rule>,
    /// For all others.
    default: Rule,
}

/// Who stands in for a model.
#[derive(Clone, Default)]
struct Rule {
    /// Its place in the document.
    from: String,
    /// The name that it is for.
    name: String,
    /// Who stands in.
    others: Vec<String>,
}

impl Fallbacks {
    /// What holds for a model.
    fn of(&self, model: &Model) -> &Rule {
        self.named.iter().find(|rule| model.is_called(&rule.name)).unwrap_or(&self.default)
    }
}

/// Reads how models are routed, and writes the models.
pub fn read(source: &Source<'_>, groups: Vec<Group>, draft: &mut Draft, report: &mut Report) {
    let setting = |name: &str| SECTIONS.iter().find_map(|section| Some((*section, source.setting(section, name)?)));
    let strategy = setting("routing_strategy").and_then(|(_, value)| source.resolve(value));
    let strategy = STRATEGIES.iter().find(|(theirs, _, _)| Some(*theirs) == strategy.as_deref());
    let balance = strategy.map_or("weighted", |(_, ours, _)| ours);
    for group in &groups {
        let model = model(group, balance, draft, report);
        draft.models.push(model);
    }
    if let Some((section, _)) = setting("routing_strategy") {
        let from = format!("{section}.routing_strategy");
        let note = strategy.map_or("unknown there; by weight", |(_, _, note)| note);
        let balanced: Vec<&Model> = draft.models.iter().filter(|model| model.balance.is_some()).collect();
        if balanced.is_empty() {
            report.needless(&*from, "no model has a choice");
        }
        for model in balanced {
            let to = format!("models[{}].balance", model.name);
            match note {
                "" => report.exact(&*from, to),
                _ => report.approximate(&*from, to, note),
            }
        }
    }
    aliases(source, draft, report);
    let stand_ins = fallbacks(source, "fallbacks", draft, report);
    stand_in(&groups, &stand_ins, draft, report);
    for (theirs, ours) in
        [("context_window_fallbacks", "context_window"), ("content_policy_fallbacks", "content_policy")]
    {
        reasons(&fallbacks(source, theirs, draft, report), ours, draft);
    }
    defaults(source, draft, report);
}

/// A model with its own deployments.
fn model(group: &Group, balance: &'static str, draft: &mut Draft, report: &mut Report) -> Model {
    let mut deployments: Vec<&Deployment> = group.deployments.iter().collect();
    let ordered = deployments.iter().any(|deployment| deployment.order.is_some());
    deployments.sort_by_key(|deployment| deployment.order.unwrap_or(u64::MAX));
    let shared: Vec<(&Deployment, u64)> = deployments.iter().copied().zip(weights(&deployments, report)).collect();
    // Shares are of LiteLLM's choice by weight alone.
    let all = ordered || balance != "weighted";
    let (some, none): (Vec<_>, Vec<_>) = shared.into_iter().partition(|(_, weight)| all || *weight > 0);
    let mut model = Model { name: group.name.clone(), ..Model::default() };
    for (deployment, weight) in &some {
        add(&mut model.choices, deployment, &deployment.model, (*weight).max(1), draft, report);
    }
    if model.choices.len() > 1 && !ordered {
        model.balance = Some(balance);
    }
    for (deployment, _) in none {
        // Without a share it answers only where all others rest: after one it does so here, among many it cannot.
        if model.balance.is_none() {
            add(&mut model.choices, deployment, &deployment.model, 1, draft, report);
        } else {
            let note = "its share is nothing, so it is left out".to_owned();
            report.withdraw(&HashMap::from([(deployment.account.place.clone(), note)]));
            let from = format!("{}.litellm_params.model", deployment.place);
            report.approximate(from, format!("models[{}].upstreams", group.name), "without a share it is left out");
        }
    }
    let mut seen = Vec::new();
    for order in deployments.iter().filter_map(|deployment| deployment.order) {
        if seen.contains(&order) {
            let place = deployments.first().map_or("", |deployment| deployment.place.as_str());
            report.approximate(
                format!("{place}.litellm_params.order"),
                format!("models[{}].upstreams", group.name),
                "those with one order are tried in turn, not by weight",
            );
            break;
        }
        seen.push(order);
    }
    let most = |number: fn(&Deployment) -> Option<Decimal>| {
        let set: Vec<Decimal> = deployments.iter().filter_map(|deployment| number(deployment)).collect();
        set.into_iter().max_by_key(|seconds| seconds.shifted(3).and_then(Decimal::ceiling))
    };
    set_timeout(&mut model.timeouts, "first_token", most(|deployment| deployment.stream_timeout));
    set_timeout(&mut model.timeouts, "total", most(|deployment| deployment.timeout));
    model.retries = deployments.iter().filter_map(|deployment| deployment.retries).max().map(|n| n.min(MOST_RETRIES));
    price(&mut model, &deployments, draft, report);
    model
}

/// Adds a deployment to a model. One that is there already gets the shares of both.
fn add(
    choices: &mut Vec<Choice>,
    deployment: &Deployment,
    name: &str,
    weight: u64,
    draft: &mut Draft,
    report: &mut Report,
) {
    let place = choices
        .iter()
        .position(|choice| choice.model == name && draft.is_account(&choice.upstream, &deployment.account));
    if let Some(choice) = place.and_then(|place| choices.get_mut(place)) {
        choice.weight = choice.weight.saturating_add(weight);
        report.redirect(&deployment.account.place, &format!("upstreams.{}", choice.upstream), "");
        return;
    }
    let upstream = draft.upstream(&deployment.account, choices, report);
    choices.push(Choice { upstream, weight, model: name.to_owned() });
}

/// The shares of deployments: by weight, or else by calls or tokens per minute, or else the same.
fn weights(deployments: &[&Deployment], report: &mut Report) -> Vec<u64> {
    let measures: [fn(&Deployment) -> Option<Decimal>; 3] = [|d| d.weight, |d| d.rpm, |d| d.tpm];
    let nothing = || Decimal::parse("0").into_iter();
    for measure in measures {
        let set: Vec<Decimal> =
            deployments.iter().flat_map(|d| measure(d).into_iter().chain(nothing()).take(1)).collect();
        if set.iter().all(|share| share.is_zero()) {
            continue;
        }
        let Some(ratio) = Decimal::ratio(&set) else { continue };
        let greatest = ratio.iter().copied().max().unwrap_or(1);
        if greatest > GREATEST {
            for deployment in deployments.iter().filter(|deployment| deployment.weight.is_some()) {
                let from = format!("{}.litellm_params.weight", deployment.place);
                let to = format!("models[{}].upstreams", deployment.group);
                report.approximate(from, to, format!("shares are whole numbers up to {GREATEST}"));
            }
        }
        let scale = |share: u128| {
            if greatest <= GREATEST || share == 0 {
                return share;
            }
            share.saturating_mul(GREATEST).checked_div(greatest).unwrap_or(1).max(1)
        };
        return ratio.into_iter().map(|share| u64::try_from(scale(share)).unwrap_or(1)).collect();
    }
    deployments.iter().map(|_| 1).collect()
}

/// The model's price, if its deployments have one; else prices by their own names.
fn price(model: &mut Model, deployments: &[&Deployment], draft: &mut Draft, report: &mut Report) {
    let mut prices: Vec<&Map<String, Value>> = deployments.iter().map(|deployment| &deployment.price).collect();
    prices.dedup();
    if let [price] = prices.as_slice() {
        model.price = (*price).clone();
        return;
    }
    for deployment in deployments.iter().filter(|deployment| !deployment.price.is_empty()) {
        let name = deployment.account.priced(&deployment.model);
        let to = format!("prices.{name}");
        let known = draft.prices.insert(name, deployment.price.clone().into());
        let place = format!("models[{}].price", model.name);
        if known.is_some_and(|known| known != Value::from(deployment.price.clone())) {
            report.redirect(&place, &to, "deployments of one name have one price: the last");
        } else {
            report.redirect(&place, &to, "");
        }
    }
}

/// Other names of models.
fn aliases(source: &Source<'_>, draft: &mut Draft, report: &mut Report) {
    for (section, name) in [("router_settings", "model_group_alias"), ("litellm_settings", "model_alias_map")] {
        let Some(Value::Object(members)) = source.setting(section, name) else { continue };
        for (alias, target) in members {
            let from = format!("{section}.{name}.{alias}");
            let hidden = target.get("hidden").and_then(Value::as_bool) == Some(true);
            let target = target.get("model").unwrap_or(target).as_str().unwrap_or_default();
            match draft.alias(alias, target) {
                Ok(to) if hidden => report.approximate(from, to, "it is listed by `/v1/models`"),
                Ok(to) => report.exact(from, to),
                Err(reason) => report.unsupported(from, reason),
            }
        }
    }
}

/// Reads fallbacks of one kind.
fn fallbacks(source: &Source<'_>, kind: &str, draft: &Draft, report: &mut Report) -> Fallbacks {
    let mut fallbacks = Fallbacks::default();
    for section in SECTIONS {
        let list = source.setting(section, kind).and_then(Value::as_array).into_iter().flatten();
        for (at, members) in list.enumerate().filter_map(|(at, rule)| Some((at, rule.as_object()?))) {
            for (name, others) in members {
                let from = format!("{section}.{kind}[{at}].{name}");
                let Some(others) = targets(others, &from, draft, report) else { continue };
                let rule = Rule { from: from.clone(), name: name.clone(), others };
                let model = draft.models.iter().find(|model| model.is_called(name));
                if name == "*" && fallbacks.default.from.is_empty() {
                    report.exact(from, "models");
                    fallbacks.default = rule;
                } else if fallbacks.named.iter().any(|known| known.name == *name) || name == "*" {
                    report.needless(from, "an earlier rule counts");
                } else if let Some(model) = model {
                    let reason = kind.strip_suffix("_fallbacks").map(|reason| format!("fallbacks.{reason}"));
                    let to = reason.unwrap_or_else(|| "upstreams".to_owned());
                    report.exact(from, format!("models[{}].{to}", model.name));
                    fallbacks.named.push(rule);
                } else {
                    report.unsupported(from, format!("no model is called `{name}`"));
                }
            }
        }
        if kind == "fallbacks"
            && let Some(others) = source.setting(section, "default_fallbacks")
        {
            let from = format!("{section}.default_fallbacks");
            let Some(others) = targets(others, &from, draft, report) else { continue };
            if fallbacks.default.from.is_empty() {
                report.exact(&*from, "models");
                fallbacks.default = Rule { from, name: String::new(), others };
            } else {
                report.needless(from, "an earlier rule counts");
            }
        }
    }
    fallbacks
}

/// The names of models that stand in.
fn targets(value: &Value, from: &str, draft: &Draft, report: &mut Report) -> Option<Vec<String>> {
    let Some(targets) = value.as_array() else {
        report.unsupported(from, "expected a list of models");
        return None;
    };
    let mut names = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let name = match target {
            Value::Object(members) => {
                for name in members.keys().filter(|name| *name != "model") {
                    report.unsupported(format!("{from}[{at}].{name}"), "the call goes on as it came");
                }
                members.get("model").and_then(Value::as_str)
            }
            _ => target.as_str(),
        };
        match name {
            Some(name) if draft.find(name).is_some() => names.push(name.to_owned()),
            Some(name) => report.unsupported(format!("{from}[{at}]"), format!("no model is called `{name}`")),
            None => report.unsupported(format!("{from}[{at}]"), "expected a model's name"),
        }
    }
    Some(names)
}

/// Appends the deployments of those who stand in to the models' own.
fn stand_in(groups: &[Group], fallbacks: &Fallbacks, draft: &mut Draft, report: &mut Report) {
    for at in 0..draft.models.len() {
        let Some(model) = draft.models.get_mut(at) else { continue };
        let rule = fallbacks.of(model);
        let (name, mut choices) = (model.name.clone(), std::mem::take(&mut model.choices));
        let before = choices.len();
        for target in rule.others.iter().filter(|target| **target != name) {
            let Some((other, star)) = draft.find(target) else { continue };
            let group = groups.iter().find(|group| group.name == other.name);
            for deployment in group.into_iter().flat_map(|group| &group.deployments) {
                let there = deployment.model.replacen('*', star.as_deref().unwrap_or("*"), 1);
                add(&mut choices, deployment, &there, 1, draft, report);
            }
        }
        let Some(model) = draft.models.get_mut(at) else { continue };
        model.choices = choices;
        if model.choices.len() == before {
            continue;
        }
        if model.balance.take().is_some() {
            let note = format!("the upstreams of `{name}` are tried in order, not by share, as others stand in");
            report.replace(&format!("models[{name}].balance"), &note);
            report.approximate(&*rule.from, format!("models[{name}].upstreams"), note);
            let own = model.choices.get_mut(..before).into_iter();
            own.for_each(|own| own.sort_by_key(|choice| std::cmp::Reverse(choice.weight)));
        }
        // The price is of the model's own deployments.
        let price = std::mem::take(&mut model.price);
        for own in model.choices.iter().take(before).filter(|_| !price.is_empty()) {
            let group = groups.iter().find(|group| group.name == name);
            let mut deployments = group.into_iter().flat_map(|group| &group.deployments);
            let deployment = deployments.find(|deployment| deployment.model == own.model);
            let priced = deployment.map_or_else(|| own.model.clone(), |of| of.account.priced(&of.model));
            report.redirect(&format!("models[{name}].price"), &format!("prices.{priced}"), "");
            draft.prices.insert(priced, price.clone().into());
        }
        // Each gets its turn.
        let others = u64::try_from(model.choices.len().saturating_sub(1)).unwrap_or(MOST_RETRIES);
        model.retries = Some(model.retries.unwrap_or(2).max(others).min(MOST_RETRIES));
    }
}

/// Sets the models that take calls which one cannot.
fn reasons(fallbacks: &Fallbacks, reason: &str, draft: &mut Draft) {
    for model in &mut draft.models {
        let others = fallbacks.of(model).others.iter().filter(|name| **name != model.name);
        let others: Vec<&String> = others.collect();
        if !others.is_empty() {
            model.fallbacks.insert(reason.to_owned(), json!(others));
        }
    }
}

/// What holds for every model that says nothing itself.
fn defaults(source: &Source<'_>, draft: &mut Draft, report: &mut Report) {
    let number = |report: &mut Report, section: &str, name: &str, to: &str, note: &str| {
        let value = source.setting(section, name)?;
        let from = format!("{section}.{name}");
        match source.resolve(value).and_then(|text| Decimal::parse(&text)) {
            Some(number) => {
                match note {
                    "" => report.exact(from, to),
                    _ => report.approximate(from, to, note),
                }
                Some(number)
            }
            None => {
                report.unsupported(from, "expected a number");
                None
            }
        }
    };
    const ALL: &str = "for all attempts of a call together";
    const FIRST: &str = "until the first event, not between events";
    const NEXT: &str = "each further attempt is at the next upstream";
    let total = number(report, "router_settings", "timeout", "models[].timeouts.total", ALL);
    let total = total.or(number(report, "litellm_settings", "request_timeout", "models[].timeouts.total", ALL));
    let first = number(report, "router_settings", "stream_timeout", "models[].timeouts.first_token", FIRST);
    let retries = number(report, "router_settings", "num_retries", "models[].retries", NEXT);
    let retries = retries.or(number(report, "litellm_settings", "num_retries", "models[].retries", NEXT));
    let retries = retries.and_then(Decimal::ceiling);
    if retries.is_some_and(|retries| retries > MOST_RETRIES) {
        report.replace("models[].retries", &format!("at most {MOST_RETRIES}"));
    }
    for model in &mut draft.models {
        if !model.timeouts.contains_key("first_token") {
            set_timeout(&mut model.timeouts, "first_token", first);
        }
        if !model.timeouts.contains_key("total") {
            set_timeout(&mut model.timeouts, "total", total);
        }
        let wanted = retries.map(|retries| retries.min(MOST_RETRIES));
        model.retries = match (model.retries, wanted) {
            (Some(own), Some(wanted)) if model.choices.len() > 1 => Some(own.max(wanted)),
            (own, wanted) => own.or(wanted),
        };
    }
}

/// Writes seconds as a duration.
fn set_timeout(timeouts: &mut Map<String, Value>, name: &str, seconds: Option<Decimal>) {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let Some(millis) = seconds.and_then(|seconds| seconds.shifted(3)).and_then(Decimal::ceiling) else { return };
    let text = match millis.min(DAY) {
        0 => return,
        millis if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        millis if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    };
    timeouts.insert(name.to_owned(), text.into());
}
