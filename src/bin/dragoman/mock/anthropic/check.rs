//! What a request for a message, or for a count of its tokens, must be.
//!
//! Fields: <https://platform.claude.com/docs/en/api/messages/create>, as in the official Python library 2.12.

use serde_json::Value;

use super::super::Wire;
use super::super::answer::{Ask, Choice, Format};
use super::super::directive::{bare_model, bare_text};
use super::super::shape::{Checked, Place, Refusal};
use super::Version;
use super::cache::{self, Input};
use super::content;
use super::model::Model;
use super::tools;

/// A request that Anthropic would serve.
pub struct Call {
    /// With directives.
    pub model: String,
    /// With directives.
    pub last_text: String,
    /// The name that the answer carries.
    pub answered: String,
    pub ask: Ask,
    pub stream: bool,
    /// Thinking comes with its text, and not only with its signature.
    pub shows_thinking: bool,
    pub input: Input,
}

/// Checks a body.
pub fn call(body: &Value, version: Version, beta: bool, counting: bool) -> Checked<Call> {
    let root = Place::root(Wire::Anthropic, body);
    root.object(&fields(version, beta, counting))?;
    let name = root.need("model")?.text()?;
    if !name.starts_with("claude-") {
        return Err(Refusal::new(format!("model: {name}")).status(404));
    }
    let model = Model::new(bare_model(name));
    let limit = if counting { None } else { Some(limit(&root, &model, bare_model(name))?) };
    thread(&root)?;
    let tools = tools::tools(&root)?;
    content::system(&root)?;
    let talk = content::messages(&root, &model, version)?;
    if talk.uses_tools && root.opt("tools").is_none() {
        return Err(Refusal::new("Requests which include `tool_use` or `tool_result` blocks must define tools."));
    }
    cache::marks(&root)?;
    let (choice, parallel) = tools::choice(&root, &tools, &model)?;
    let mut ask = Ask {
        text: bare_text(&talk.last_text),
        attachments: talk.attachments,
        results: talk.results,
        tools,
        choice,
        parallel,
        limit,
        ..Ask::default()
    };
    stops(&root, &mut ask)?;
    output(&root, &model, &mut ask)?;
    let shows_thinking = thinking(&root, &model, &mut ask, limit)?;
    sampling(&root, &model, ask.thinking)?;
    prefill(&root, &model, talk.prefill, ask.thinking)?;
    if ask.thinking && talk.loop_without_thinking && thinks_by_budget(&root) {
        return Err(Refusal::new(format!(
            "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
            talk.last_assistant
        )));
    }
    small(&root)?;
    Ok(Call {
        model: name.to_owned(),
        last_text: talk.last_text,
        answered: model.answered().to_owned(),
        ask,
        stream: root.some("stream").map(|place| place.flag()).transpose()? == Some(true),
        shows_thinking,
        input: cache::size(body),
    })
}

fn fields(version: Version, beta: bool, counting: bool) -> Vec<&'static str> {
    let mut fields = vec![
        "messages",
        "model",
        "cache_control",
        "output_config",
        "speed",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    ];
    if !counting {
        fields.extend([
            "max_tokens",
            "container",
            "diagnostics",
            "inference_geo",
            "metadata",
            "service_tier",
            "stop_sequences",
            "stream",
        ]);
    }
    if version < Version::V2026_10_21 {
        fields.extend(["temperature", "top_p", "top_k"]);
    }
    if beta {
        fields.extend([
            "billing_policy",
            "compaction",
            "context_management",
            "fallback_credit_token",
            "fallbacks",
            "mcp_servers",
            "output_format",
            "thread",
        ]);
    }
    fields
}

fn limit(root: &Place, model: &Model, name: &str) -> Checked<usize> {
    let limit = root.need("max_tokens")?.integer(0, i64::MAX)?;
    let most = model.max_tokens();
    if limit > most {
        return Err(Refusal::new(format!(
            "max_tokens: {limit} > {most}, which is the maximum allowed number of output tokens for {name}"
        )));
    }
    Ok(usize::try_from(limit).unwrap_or(0))
}

fn stops(root: &Place, ask: &mut Ask) -> Checked<()> {
    let Some(stops) = root.some("stop_sequences") else {
        return Ok(());
    };
    for stop in stops.items()? {
        if stop.text()?.trim().is_empty() {
            return Err(stops.wrong("each stop sequence must contain non-whitespace"));
        }
        ask.stops.push(stop.text()?.to_owned());
    }
    Ok(())
}

fn output(root: &Place, model: &Model, ask: &mut Ask) -> Checked<()> {
    let Some(config) = root.some("output_config") else {
        return Ok(());
    };
    config.object(&["effort", "format"])?;
    if let Some(effort) = config.opt("effort") {
        let effort = effort.one_of(&["low", "medium", "high", "xhigh", "max"])?;
        let known = model.efforts();
        if known.is_empty() {
            return Err(Refusal::new("This model does not support the effort parameter."));
        }
        if !known.contains(&effort) {
            return Err(Refusal::new(format!(
                "This model does not support effort level '{effort}'. Supported levels: {}.",
                known.join(", ")
            )));
        }
    }
    if let Some(format) = config.opt("format") {
        format.tag(&["json_schema"])?;
        format.object(&["type", "schema"])?;
        let schema = format.need("schema")?;
        schema.members()?;
        tools::closed(schema.value).map_err(|message| schema.wrong(message))?;
        if !model.formats() {
            return Err(Refusal::new("This model does not support output formats."));
        }
        ask.format = Some(Format::Schema(schema.value.clone()));
    }
    Ok(())
}

/// Sets whether the answer thinks; returns whether it shows what.
fn thinking(root: &Place, model: &Model, ask: &mut Ask, limit: Option<usize>) -> Checked<bool> {
    let Some(thinking) = root.some("thinking") else {
        return Ok(false);
    };
    let kind = thinking.tag(&["enabled", "disabled", "between_tools", "adaptive"])?;
    let place = thinking.tagged(kind);
    let shown = |place: &Place| -> Checked<bool> {
        let display = place.opt("display").map(|place| place.one_of(&["summarized", "omitted"])).transpose()?;
        Ok(display.map_or(!model.hides_thinking(), |display| display == "summarized"))
    };
    let unsupported = Refusal::new(format!(
        "\"thinking.type.{kind}\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior."
    ));
    match kind {
        "enabled" => {
            place.object(&["type", "budget_tokens", "display"])?;
            let budget = place.need("budget_tokens")?.integer(1024, i64::MAX)?;
            if !model.budgets() {
                return Err(unsupported);
            }
            if limit.is_some_and(|limit| i64::try_from(limit).unwrap_or(i64::MAX) <= budget) {
                return Err(Refusal::new(
                    "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
                ));
            }
        }
        "adaptive" => {
            place.object(&["type", "display"])?;
            if !model.adapts() {
                return Err(Refusal::new("adaptive thinking is not supported on this model"));
            }
        }
        "between_tools" => {
            place.object(&["type"])?;
            return if model.thinks_between_tools() { Ok(false) } else { Err(unsupported) };
        }
        _ => {
            place.object(&["type"])?;
            if model.thinks_between_tools() {
                return Err(Refusal::new(
                    "To turn thinking off on this model, send \"thinking\": {\"type\": \"between_tools\"} instead of {\"type\": \"disabled\"}.",
                ));
            }
            return if model.always_thinks() { Err(unsupported) } else { Ok(false) };
        }
    }
    if matches!(ask.choice, Choice::Any | Choice::Named(_)) {
        return Err(Refusal::new("Thinking may not be enabled when tool_choice forces tool use."));
    }
    ask.thinking = true;
    shown(&place)
}

fn thinks_by_budget(root: &Place) -> bool {
    root.some("thinking").is_some_and(|thinking| thinking.value.get("type") == Some(&"enabled".into()))
}

fn sampling(root: &Place, model: &Model, thinking: bool) -> Checked<()> {
    let number = |name| root.opt(name).map(|place| place.number(0, 1)).transpose();
    let (temperature, top_p) = (number("temperature")?, number("top_p")?);
    let top_k = root.opt("top_k").map(|place| place.integer(0, i64::MAX)).transpose()?;
    let refuse = |message: &str| Err(Refusal::new(message));
    if !model.samples() {
        let changed = [
            ("temperature", temperature.is_some_and(|value| value < 1.0)),
            ("top_p", top_p.is_some_and(|value| value < 1.0)),
            ("top_k", top_k.is_some()),
        ];
        if let Some((name, _)) = changed.iter().find(|(_, changed)| *changed) {
            return refuse(&format!("`{name}` is deprecated for this model."));
        }
    }
    if temperature.is_some() && top_p.is_some() && model.samples_one_way() {
        return refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
    }
    if thinking {
        if temperature.is_some_and(|value| value < 1.0) {
            return refuse(
                "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
            );
        }
        if top_p.is_some_and(|value| value < 0.95) {
            return refuse(
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
            );
        }
        if top_k.is_some() {
            return refuse(
                "`top_k` must be unset when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
            );
        }
    }
    Ok(())
}

fn prefill(root: &Place, model: &Model, prefill: Option<String>, thinking: bool) -> Checked<()> {
    let Some(text) = prefill else {
        return Ok(());
    };
    if !model.prefills() || thinking || root.value.pointer("/output_config/format").is_some() {
        return Err(Refusal::new(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    if text.ends_with(char::is_whitespace) {
        return Err(Refusal::new("messages: final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}

/// Threads may be forgotten at any time, and here they always are:
/// <https://platform.claude.com/docs/en/build-with-claude/message-threads>.
fn thread(root: &Place) -> Checked<()> {
    let Some(thread) = root.opt("thread") else { return Ok(()) };
    if thread.tag(&["create", "continue"])? == "create" {
        return thread.object(&["type"]).map(drop);
    }
    thread.object(&["type", "previous_message_id"])?;
    thread.need("previous_message_id")?.text()?;
    for name in ["system", "tools"] {
        if root.opt(name).is_some() {
            return Err(root.unknown(name));
        }
    }
    Err(Refusal::new("No thread was found for `previous_message_id`.").status(404).code("thread_not_found"))
}

/// Fields that have no influence on the answer.
fn small(root: &Place) -> Checked<()> {
    if let Some(metadata) = root.some("metadata") {
        metadata.object(&["user_id"])?;
        if let Some(user) = metadata.opt("user_id")
            && user.text()?.chars().count() > 256
        {
            return Err(user.wrong("String should have at most 256 characters"));
        }
    }
    if let Some(tier) = root.some("service_tier") {
        tier.one_of(&["auto", "standard_only"])?;
    }
    if let Some(speed) = root.opt("speed") {
        speed.one_of(&["standard", "fast"])?;
    }
    if let Some(geo) = root.opt("inference_geo") {
        geo.text()?;
    }
    if let Some(container) = root.opt("container").filter(|container| !container.value.is_string()) {
        container.object(&["id", "skills"])?;
    }
    if let Some(diagnostics) = root.opt("diagnostics") {
        diagnostics.object(&["previous_message_id"])?;
    }
    Ok(())
}
