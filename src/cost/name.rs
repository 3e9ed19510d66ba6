//! Under which names the price of a provider's model may stand: its own name first, then the same without what says where or
//! when, never a mere beginning of it.

/// Providers whose models stand with another that has the same price list.
const SHARED: &[(&str, &str)] = &[
    ("azure", "azure_ai"),
    ("azure_ai", "azure"),
    ("codestral", "mistral"),
    ("fireworks_audio", "fireworks_ai"),
    ("vertex_express", "vertex"),
    ("vertex_ranking", "vertex"),
];

/// Providers that pass the prices of a model's maker on, where only the maker serves it.
const PASSING_ON: &[&str] = &["openrouter", "vercel_ai_gateway"];

/// Such makers, in names such as `x-ai/grok-4`, and as providers.
const MAKERS: &[(&str, &str)] =
    &[("anthropic", "anthropic"), ("google", "gemini"), ("openai", "openai"), ("x-ai", "xai"), ("xai", "xai")];

/// Where Bedrock's inference profiles run.
const PROFILES: &[&str] = &["apac", "au", "ca", "eu", "global", "jp", "me", "sa", "us", "us-gov"];

/// What `find` gives for the first name that it knows. It gets ids of providers and names of models.
pub(super) fn first<T>(provider: &str, model: &str, find: &mut dyn FnMut(&str, &str) -> Option<T>) -> Option<T> {
    let own = |provider: &str, find: &mut dyn FnMut(&str, &str) -> Option<T>| {
        let try_one = &mut |name: &str| find(provider, name);
        let bare = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        versions(provider, model, try_one).or_else(|| {
            let last = resource(bare);
            let maker = maker_of(bare);
            let named = maker.and_then(|maker| versions(provider, &format!("{maker}/{last}"), try_one));
            let located = (last != model).then_some(()).and_then(|()| versions(provider, last, try_one));
            let located = named.or(located);
            located.or_else(|| elsewhere(last).and_then(|name| versions(provider, name, try_one))).or_else(|| {
                let whole = match provider {
                    "fireworks_ai" => format!("accounts/fireworks/models/{last}"),
                    _ => format!("{last}-latest"),
                };
                try_one(&whole)
            })
        })
    };
    let shared = SHARED.iter().filter(|(id, _)| *id == provider).map(|(_, with)| *with);
    let found = std::iter::once(provider).chain(shared).find_map(|provider| own(provider, find));
    found.or_else(|| {
        let (maker, name) = model.split_once('/').filter(|_| PASSING_ON.contains(&provider))?;
        let (_, maker) = MAKERS.iter().find(|(prefix, _)| *prefix == maker)?;
        // Anthropic's own names have no dots.
        let name = if *maker == "anthropic" { name.replace('.', "-") } else { name.to_owned() };
        versions(maker, &name, &mut |name| find(maker, name))
    })
}

/// The last part of a resource's name: of an ARN, or of `projects/…/publishers/…/models/…`.
fn resource(name: &str) -> &str {
    let path = name.starts_with("arn:") || name.starts_with("models/") || name.contains("publishers/");
    name.rsplit('/').next().filter(|_| path).unwrap_or(name)
}

/// `meta` of `publishers/meta/models/…`.
fn maker_of(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("publishers/")?;
    rest.split_once("/models/").map(|(maker, _)| maker)
}

/// The name without a place in front of it: an inference profile's (`eu.`), or a region (`eu-west-1/`).
fn elsewhere(name: &str) -> Option<&str> {
    let profile = name.split_once('.').filter(|(place, _)| PROFILES.contains(place));
    let region = || {
        name.split_once('/').filter(|(place, _)| {
            let digit = place.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
            digit
                && (2..=3).contains(&place.matches('-').count())
                && place.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
    };
    profile.or_else(region).map(|(_, name)| name)
}

/// Tries the name, then the same without its version, as long as it has one.
fn versions<T>(provider: &str, name: &str, find: &mut dyn FnMut(&str) -> Option<T>) -> Option<T> {
    // A model of one's own, tuned from one that has a price: `ft:BASE:ORGANISATION:NAME:ID`.
    let tuned = name.strip_prefix("ft:").and_then(|rest| rest.find(':')?.checked_add("ft:".len()));
    let mut name = tuned.and_then(|end| name.get(..end)).unwrap_or(name);
    loop {
        if let Some(found) = find(name) {
            return Some(found);
        }
        name = unversioned(provider, name)?;
    }
}

/// The name without the date or version at its end.
fn unversioned<'n>(provider: &str, name: &'n str) -> Option<&'n str> {
    if let Some((name, _)) = name.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
        return Some(name);
    }
    if let Some(name) = name.strip_suffix("-latest") {
        return Some(name);
    }
    let bedrock = provider.starts_with("bedrock");
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    // `:0`, and `:0:200k` for a part of the context.
    if let Some((name, _)) =
        name.split_once(':').filter(|(_, v)| bedrock && v.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Some(name);
    }
    let (rest, last) = name.rsplit_once('-')?;
    let google = matches!(provider, "gemini" | "vertex" | "vertex_express");
    let version = bedrock && last.strip_prefix('v').is_some_and(|n| digits(n, 1));
    if digits(last, 8) || google && digits(last, 3) || version {
        return Some(rest);
    }
    // `2024-08-06`
    let (rest, month) = rest.rsplit_once('-').filter(|(_, month)| digits(last, 2) && digits(month, 2))?;
    let (rest, year) = rest.rsplit_once('-')?;
    (digits(year, 4) && matches!(month.as_bytes(), [b'0' | b'1', _])).then_some(rest)
}
