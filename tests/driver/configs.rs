//! What must hold of any configuration, however wrong; and one that reaches everywhere.

use dragoman::config::{Config, Fault};
use dragoman::provider::{Address, PROVIDERS};
use serde_json::{Map, json};

/// An upstream at every provider, named like it, and some whose settings touch everything; once for each policy of
/// parameters that are not supported.
pub fn everywhere() -> [Config; 2] {
    let mut upstreams = Map::new();
    for provider in PROVIDERS {
        let mut upstream = json!({ "provider": provider.id, "credentials": "none" });
        if provider.address == Address::Configured {
            upstream["base_url"] = "http://provider.internal:8000/v1".into();
        }
        for setting in provider.options.iter().filter(|setting| setting.default.is_none()) {
            upstream["options"][setting.name] = "an-option".into();
        }
        upstreams.insert(provider.id.into(), upstream);
    }
    let set = json!({ "max_tokens": 10, "a\"b\\c": { "d": null } });
    for (name, provider, params) in [
        ("params_default", "openai", json!({ "default": set })),
        ("params_force", "openai", json!({ "force": set })),
        ("params_drop", "openai", json!({ "drop": ["stream_options", "user", "seed", "stop", "tools", "a\"b"] })),
        ("params_mistral", "mistral", json!({ "default": { "max_completion_tokens": 5 }, "force": { "seed": 1 } })),
        ("params_anthropic", "anthropic", json!({ "default": set, "drop": ["system", "metadata", "thinking"] })),
    ] {
        upstreams.insert(name.into(), json!({ "provider": provider, "credentials": "none", "params": params }));
    }
    ["drop", "reject"].map(|policy| {
        let document = json!({ "upstreams": upstreams, "unsupported_params": policy });
        Config::parse_upstreams(document.to_string().as_bytes(), &|_| None).unwrap()
    })
}

/// What every variable of the environment holds.
const SECRET: &str = "env-secret-7f3a";

fn env(_: &str) -> Option<String> {
    Some(SECRET.to_owned())
}

/// Looks everything up that can be, and returns whether there is a configuration.
fn read(document: &[u8], name: &str) -> Result<(), Vec<Fault>> {
    let config = Config::parse(document, &env)?;
    assert!(!format!("{config:?}").contains(SECRET), "a secret is shown");
    config.warnings.iter().for_each(|warning| message(warning));
    for upstream in &config.upstreams {
        let visible = |b: u8| matches!(b, 0x21..=0x7e);
        assert!(upstream.authority.bytes().all(visible) && !upstream.authority.is_empty());
        assert!(upstream.prefix.bytes().all(visible) && !upstream.prefix.ends_with('/'));
    }
    for key in config.keys.iter().map(Some).chain([None]) {
        for name in config.visible_models(key) {
            let resolved = config.model(name).unwrap();
            assert!(key.is_none_or(|key| config.allows(key, &resolved)), "{name}: seen and not allowed");
        }
    }
    for name in config.names.keys().map(String::as_str).chain([name]) {
        let Some(resolved) = config.model(name) else {
            assert!(!config.names.contains_key(name), "{name}: listed and not found");
            continue;
        };
        let model = resolved.model.and_then(|place| config.models.get(place));
        assert_eq!(model.is_none(), config.models.is_empty());
        assert!(model.is_none_or(|model| !model.upstreams.is_empty()));
        for choice in model.into_iter().flat_map(|model| &model.upstreams) {
            assert!(config.upstreams.get(choice.upstream).is_some());
            assert!(!config.upstream_model(&resolved, choice.upstream).is_empty());
        }
    }
    Ok(())
}

/// A line for a log.
fn message(text: &str) {
    assert!(text.len() <= 4096 && !text.chars().any(char::is_control), "{text}");
    assert!(!text.contains(SECRET), "a secret is shown: {text}");
}

/// Reads a document for every purpose, and what it says of `name`.
pub fn check(document: &[u8], name: &str) {
    match (Config::check(document, &env), read(document, name)) {
        (Ok(_), read) => assert_eq!(read, Ok(())),
        (Err(checked), read) => {
            // To serve, less is asked for.
            assert!(read.as_ref().map_or_else(|faults| faults.len() <= checked.len(), |()| true));
            assert!(!checked.is_empty() && checked.len() <= 101);
            checked.iter().chain(read.err().iter().flatten()).for_each(|fault| message(&fault.to_string()));
        }
    }
    // Without a host it can only be refused for the same.
    if let Err(faults) = Config::parse_upstreams(document, &env) {
        faults.iter().for_each(|fault| message(&fault.to_string()));
    }
}
