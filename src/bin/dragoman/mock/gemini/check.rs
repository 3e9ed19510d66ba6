//! What a request for content, or for a count of its tokens, must be.
//!
//! Order of turns and functions: <https://ai.google.dev/gemini-api/docs/function-calling>. Signatures:
//! <https://ai.google.dev/gemini-api/docs/thought-signatures>. JSON: <https://ai.google.dev/gemini-api/docs/structured-output>.
//! Media: <https://ai.google.dev/gemini-api/docs/image-understanding>.

use serde_json::{Value, json};

use super::super::answer::{Ask, Choice, Format, Tool, tokens};
use super::super::bytes::{from_base64, image_type};
use super::super::directive::bare_text;
use super::super::shape::{Checked, Refusal};
use super::Door;
use super::model::{Model, Thinking};
use super::reply::Signature;

/// A request that Google would serve.
pub struct Call {
    /// Without directives.
    pub model: String,
    pub door: Door,
    pub ask: Ask,
    /// With directives.
    pub last_text: String,
    pub prompt_tokens: usize,
    pub candidates: usize,
    pub logprobs: Option<usize>,
    pub signs: bool,
    pub thinks: bool,
    pub draws: bool,
    pub searches: bool,
    pub tier: Option<String>,
}

/// Checks a body that has been read as its message.
pub fn call(name: &str, body: &Value, door: Door) -> Checked<Call> {
    let model = Model::new(name).ok_or_else(|| unknown(name, door))?;
    let check = Check { name, model: &model, door };
    let contents = list(body, "contents");
    if contents.is_empty() {
        return Err(match door {
            Door::Cloud => Refusal::new(
                "Unable to submit request because at least one contents field is required. Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini",
            ),
            Door::Studio => Refusal::new("* GenerateContentRequest.contents: contents is not specified\n"),
        });
    }
    let mut call = Call {
        model: name.to_owned(),
        door,
        ask: Ask { parallel: true, ..Ask::default() },
        last_text: String::new(),
        prompt_tokens: tokens(letters(body)),
        candidates: 1,
        logprobs: None,
        signs: model.signs(),
        thinks: model.thinks(),
        draws: model.draws(),
        searches: list(body, "tools").iter().any(|tool| tool.get("googleSearch").is_some()),
        tier: body.get("serviceTier").and_then(Value::as_str).map(str::to_lowercase),
    };
    check.contents(contents)?;
    check.order(contents)?;
    check.signatures(contents)?;
    check.instruction(body.get("systemInstruction"))?;
    read_last(contents, &mut call);
    check.tools(body, &mut call.ask)?;
    if let Some(config) = body.get("generationConfig") {
        check.config(config, &mut call)?;
    }
    Ok(call)
}

/// No such model.
pub fn unknown(name: &str, door: Door) -> Refusal {
    Refusal::new(match door {
        Door::Cloud => format!("Publisher Model `publishers/google/models/{name}` was not found or your project does not have access to it. Please ensure you are using a valid model version. For more information, see: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"),
        Door::Studio => format!("models/{name} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods."),
    })
    .status(404)
}

struct Check<'c> {
    name: &'c str,
    model: &'c Model,
    door: Door,
}

impl Check<'_> {
    fn contents(&self, contents: &[Value]) -> Checked<()> {
        for (index, content) in contents.iter().enumerate() {
            let place = format!("GenerateContentRequest.contents[{index}]");
            let role = content.get("role").and_then(Value::as_str);
            match role {
                Some("model" | "user") => {}
                None if contents.len() == 1 && self.door == Door::Studio => {}
                _ => return Err(Refusal::new("Please use a valid role: user, model.")),
            }
            let parts = list(content, "parts");
            if parts.is_empty() {
                return Err(Refusal::new(format!("* {place}.parts: contents.parts must not be empty.\n")));
            }
            for (at, part) in parts.iter().enumerate() {
                self.part(part, role.unwrap_or("user"), &format!("{place}.parts[{at}]"))?;
            }
        }
        Ok(())
    }

    fn part(&self, part: &Value, role: &str, place: &str) -> Checked<()> {
        const DATA: [&str; 9] = [
            "text",
            "inlineData",
            "fileData",
            "functionCall",
            "functionResponse",
            "executableCode",
            "codeExecutionResult",
            "toolCall",
            "toolResponse",
        ];
        if !DATA.iter().any(|name| part.get(name).is_some()) {
            return Err(Refusal::new(format!(
                "* {place}.data: required oneof field 'data' must have one initialized field\n"
            )));
        }
        // What a stream of its own ended with comes back so.
        let says_nothing =
            part.get("text").and_then(Value::as_str) == Some("") && part.get("thoughtSignature").is_none();
        if says_nothing && role != "model" {
            return Err(Refusal::new("Unable to submit request because it must have a text parameter."));
        }
        let turn = |name: &str, wanted: &str| {
            let wrong = part.get(name).is_some() && role != wanted;
            wrong.then(|| Refusal::new(format!("mock: a `{name}` stands in the turn of the {role}")))
        };
        if let Some(refusal) = turn("functionCall", "model").or_else(|| turn("functionResponse", "user")) {
            return Err(refusal);
        }
        if let Some(response) = part.get("functionResponse") {
            if response.get("response").is_none() || empty(response, "name") {
                return Err(Refusal::new(format!(
                    "* {place}.function_response.name: Name cannot be empty, nor can the response be missing.\n"
                )));
            }
            let parts = list(response, "parts");
            if !parts.is_empty() && !self.model.signs() {
                return Err(Refusal::new("Multimodal function responses are not supported for this model."));
            }
            for part in parts {
                self.media(part.get("inlineData"), place, RESULTS)?;
            }
        }
        self.media(part.get("inlineData"), place, MEDIA)?;
        if let Some(file) = part.get("fileData") {
            let uri = file.get("fileUri").and_then(Value::as_str).unwrap_or_default();
            if !uri.starts_with("https://") && !uri.starts_with("gs://") {
                return Err(Refusal::new(format!("Invalid or unsupported file uri: {uri}")));
            }
            if self.door == Door::Cloud && empty(file, "mimeType") {
                return Err(Refusal::new(
                    "Unable to submit request because it must have a mimeType parameter in fileData. Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini",
                ));
            }
        }
        for name in ["functionCall", "functionResponse"] {
            if !self.model.signs() && part.get(name).is_some_and(|part| part.get("id").is_some()) {
                return Err(Refusal::new(format!("mock: {} knows no ids of calls", self.name)));
            }
        }
        Ok(())
    }

    fn media(&self, blob: Option<&Value>, place: &str, known: &[&str]) -> Checked<()> {
        let Some(blob) = blob else { return Ok(()) };
        let media_type = blob.get("mimeType").and_then(Value::as_str).unwrap_or_default();
        if !known.iter().any(|known| media_type.starts_with(known)) {
            return Err(Refusal::new(format!("Unsupported MIME type: {media_type}")));
        }
        let data = blob.get("data").and_then(Value::as_str).unwrap_or_default();
        if data.is_empty() {
            return Err(Refusal::new(format!(
                "* {place}.inline_data.data: required one_of 'data' must have one initialized field\n"
            )));
        }
        let picture = media_type.starts_with("image/") && !media_type.contains("hei");
        if picture && from_base64(data).is_none_or(|bytes| image_type(&bytes).is_none()) {
            return Err(Refusal::new(
                "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
            ));
        }
        Ok(())
    }

    /// Calls and their results. Pieces of a stream come back as turns of their own, and are one.
    fn order(&self, contents: &[Value]) -> Checked<()> {
        let mut before: Option<Value> = None;
        for pieces in contents.chunk_by(|a, b| a.get("role") == Some(&"model".into()) && a.get("role") == b.get("role"))
        {
            let parts: Vec<&Value> = pieces.iter().flat_map(|piece| list(piece, "parts")).collect();
            let role = pieces.first().and_then(|piece| piece.get("role"));
            let content = &json!({"role": role, "parts": parts});
            let (calls, results) = (count(content, "functionCall"), count(content, "functionResponse"));
            let called = before.as_ref().map_or(0, |content| count(content, "functionCall"));
            if calls > 0 && before.as_ref().is_none_or(|content| content.get("role") == Some(&"model".into())) {
                return Err(Refusal::new(
                    "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
                ));
            }
            if results > 0 && called == 0 {
                return Err(Refusal::new(
                    "Please ensure that function response turn comes immediately after a function call turn.",
                ));
            }
            if called > 0 && results != called {
                return Err(Refusal::new(
                    "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
                ));
            }
            if let Some(before) = before.as_ref().filter(|_| results > 0) {
                self.pairs(before, content)?;
            }
            before = Some(content.clone());
        }
        Ok(())
    }

    /// Results have the names of their calls, in any order where there are ids.
    fn pairs(&self, calls: &Value, results: &Value) -> Checked<()> {
        let named = |content: &Value, member: &str| {
            let parts = list(content, "parts").iter().filter_map(|part| part.get(member));
            let text = |part: &Value, name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut pairs: Vec<_> = parts.map(|part| (text(part, "id"), text(part, "name"))).collect();
            if self.model.signs() {
                pairs.sort();
            }
            pairs
        };
        let (mut calls, mut results) = (named(calls, "functionCall"), named(results, "functionResponse"));
        if results.iter().all(|(id, _)| id.is_empty()) {
            // Google's own library gives none back: then the names tell.
            calls.iter_mut().for_each(|(id, _)| id.clear());
            calls.sort();
            results.sort();
        }
        if calls == results {
            return Ok(());
        }
        Err(Refusal::new(format!("mock: the results {results:?} are not those of the calls {calls:?}")))
    }

    /// The first call of each step of the current turn must be signed; any signature must be true.
    fn signatures(&self, contents: &[Value]) -> Checked<()> {
        let asks =
            |content: &&Value| content.get("role") != Some(&"model".into()) && count(content, "functionResponse") == 0;
        let current = contents.len() - contents.iter().rev().take_while(|content| !asks(content)).count();
        for (index, content) in contents.iter().enumerate() {
            let mut called = false;
            for (position, part) in list(content, "parts").iter().enumerate() {
                let call = part.get("functionCall");
                match part.get("thoughtSignature").and_then(Value::as_str) {
                    Some(BYPASS) => {}
                    Some(text) if !Signature::new(self.door, call).is(text) => {
                        return Err(Refusal::new("Corrupted thought signature."));
                    }
                    None if call.is_some() && !called && index >= current && self.model.signs() => {
                        let name = call.and_then(|call| call.get("name")).and_then(Value::as_str).unwrap_or_default();
                        return Err(Refusal::new(format!(
                            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{name}` , position {}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                            position + 1
                        )));
                    }
                    _ => {}
                }
                called |= call.is_some();
            }
        }
        Ok(())
    }

    fn instruction(&self, instruction: Option<&Value>) -> Checked<()> {
        let Some(instruction) = instruction else { return Ok(()) };
        if !self.model.instructs() {
            return Err(Refusal::new(format!("Developer instruction is not enabled for models/{}", self.name)));
        }
        let parts = list(instruction, "parts");
        if parts.is_empty() || parts.iter().any(|part| empty(part, "text")) {
            return Err(Refusal::new(
                "* GenerateContentRequest.system_instruction.parts: must be text and not empty.\n",
            ));
        }
        Ok(())
    }

    fn tools(&self, body: &Value, ask: &mut Ask) -> Checked<()> {
        for (at, tool) in list(body, "tools").iter().enumerate() {
            if tool.as_object().is_none_or(serde_json::Map::is_empty) {
                return Err(Refusal::new(format!(
                    "* GenerateContentRequest.tools[{at}].tool_type: required one_of 'tool_type' must have one initialized field\n"
                )));
            }
            for (index, function) in list(tool, "functionDeclarations").iter().enumerate() {
                let place = format!("GenerateContentRequest.tools[{at}].function_declarations[{index}]");
                let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
                let start = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
                let rest = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_.:-".contains(&letter));
                if !start || !rest || name.len() > 128 {
                    return Err(Refusal::new(format!(
                        "* {place}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n"
                    )));
                }
                if ask.tools.iter().any(|tool| tool.name == name) {
                    return Err(Refusal::new(format!("Duplicate function declaration found: {name}")));
                }
                ask.tools.push(Tool { name: name.to_owned(), schema: parameters(function, &place)?, custom: false });
            }
        }
        if !ask.tools.is_empty() && !self.model.instructs() {
            return Err(Refusal::new(format!("Function calling is not enabled for models/{}", self.name)));
        }
        self.choice(body.pointer("/toolConfig/functionCallingConfig"), ask)
    }

    fn choice(&self, config: Option<&Value>, ask: &mut Ask) -> Checked<()> {
        let Some(config) = config else { return Ok(()) };
        if ask.tools.is_empty() {
            return Err(Refusal::new("Function calling config is set without function_declarations."));
        }
        let mode = config.get("mode").and_then(Value::as_str).unwrap_or("AUTO");
        let allowed: Vec<_> = list(config, "allowedFunctionNames").iter().filter_map(Value::as_str).collect();
        if !allowed.is_empty() && !matches!(mode, "ANY" | "VALIDATED") {
            return Err(Refusal::new(
                "Allowed function names should only be set when the function calling mode is ANY or VALIDATED.",
            ));
        }
        if let Some(name) = allowed.iter().find(|name| ask.tools.iter().all(|tool| tool.name != **name)) {
            return Err(Refusal::new(format!("Allowed function name `{name}` is not declared.")));
        }
        ask.choice = match (mode, allowed.first()) {
            ("NONE", _) => Choice::None,
            ("ANY", Some(name)) => Choice::Named((*name).to_owned()),
            ("ANY", None) => Choice::Any,
            _ => Choice::Auto,
        };
        Ok(())
    }

    fn config(&self, config: &Value, call: &mut Call) -> Checked<()> {
        let number = |name: &str| config.get(name).and_then(Value::as_f64);
        let range = |name: &str, spelled: &str, low: f64, high: f64| match number(name) {
            Some(value) if value < low || value > high => Err(Refusal::new(format!(
                "* GenerateContentRequest.generation_config.{spelled}: {spelled} must be in the range [{low:?}, {high:?}].\n"
            ))),
            _ => Ok(()),
        };
        range("temperature", "temperature", 0.0, 2.0)?;
        range("topP", "top_p", 0.0, 1.0)?;
        range("topK", "top_k", 1.0, f64::MAX)?;
        range("maxOutputTokens", "max_output_tokens", 1.0, f64::MAX)?;
        range("logprobs", "logprobs", 0.0, 20.0)?;
        let penalty = number("presencePenalty").or(number("frequencyPenalty"));
        if penalty.is_some() && !self.model.penalizes(self.door) {
            return Err(Refusal::new(format!("Penalty is not enabled for models/{}", self.name)));
        }
        if let Some(candidates) = config.get("candidateCount").and_then(Value::as_i64) {
            let most = self.model.candidates();
            if candidates < 1 || candidates > most {
                return Err(Refusal::new(format!(
                    "* GenerateContentRequest.generation_config.candidate_count: candidate_count must be in the range [1, {most}].\n"
                )));
            }
            call.candidates = usize::try_from(candidates).unwrap_or(1);
        }
        let logprobs = config.get("logprobs").and_then(Value::as_u64);
        call.logprobs = match config.get("responseLogprobs") {
            Some(Value::Bool(true)) => Some(logprobs.and_then(|top| usize::try_from(top).ok()).unwrap_or(0)),
            _ if logprobs.is_some() => {
                return Err(Refusal::new("logprobs can only be set if response_logprobs is true."));
            }
            _ => None,
        };
        let stops = list(config, "stopSequences");
        if stops.len() > 5 {
            return Err(Refusal::new(
                "* GenerateContentRequest.generation_config.stop_sequences: the number of stop sequences must not be greater than 5.\n",
            ));
        }
        call.ask.stops = stops.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if call.ask.stops.iter().any(String::is_empty) {
            return Err(Refusal::new(
                "* GenerateContentRequest.generation_config.stop_sequences: must not be empty.\n",
            ));
        }
        call.ask.limit =
            config.get("maxOutputTokens").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
        self.format(config, &mut call.ask)?;
        self.thinking(config.get("thinkingConfig"), &mut call.ask)
    }

    fn format(&self, config: &Value, ask: &mut Ask) -> Checked<()> {
        let media_type = config.get("responseMimeType").and_then(Value::as_str).unwrap_or("text/plain");
        let schema = (config.get("responseSchema"), config.get("responseJsonSchema"));
        match media_type {
            "application/json" if !self.model.instructs() => {
                return Err(Refusal::new(format!("JSON mode is not enabled for models/{}", self.name)));
            }
            "application/json" if !ask.tools.is_empty() && !self.model.signs() => {
                return Err(Refusal::new(
                    "Function calling with a response mime type: 'application/json' is unsupported",
                ));
            }
            "application/json" | "text/plain" | "text/x.enum" => {}
            other => {
                return Err(Refusal::new(format!(
                    "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`, not `{other}`.\n"
                )));
            }
        }
        ask.format = match schema {
            (Some(_), Some(_)) => {
                return Err(Refusal::new("Only one of response_schema and response_json_schema may be set."));
            }
            (None, None) => (media_type == "application/json").then_some(Format::Object),
            _ if media_type == "text/plain" => {
                return Err(Refusal::new(
                    "* GenerateContentRequest.generation_config.response_schema: response_mime_type must be set to application/json.\n",
                ));
            }
            (Some(schema), None) => Some(Format::Schema(lower(schema))),
            (None, Some(schema)) => {
                json_schema(schema, "GenerateContentRequest.generation_config.response_json_schema")?;
                Some(Format::Schema(schema.clone()))
            }
        };
        Ok(())
    }

    fn thinking(&self, config: Option<&Value>, ask: &mut Ask) -> Checked<()> {
        let Some(config) = config else { return Ok(()) };
        let (budget, level) =
            (config.get("thinkingBudget").and_then(Value::as_i64), config.get("thinkingLevel").and_then(Value::as_str));
        if budget.is_some() && level.is_some() {
            return Err(Refusal::new("You can only set only one of thinking budget and thinking level."));
        }
        ask.thinking = config.get("includeThoughts") == Some(&true.into());
        let refuse = |message: String| Err(Refusal::new(message));
        match (self.model.thinking(), budget, level) {
            (Thinking::None, ..) => refuse("Thinking is not supported for this model.".into()),
            (Thinking::Budget(..), _, Some(_)) => refuse("Thinking level is not supported for this model.".into()),
            (Thinking::Budget(_, true), Some(0), _) | (Thinking::Budget(..), Some(-1) | None, _) => Ok(()),
            (Thinking::Budget(_, false), Some(0), _) => {
                refuse("Budget 0 is invalid. This model only works in thinking mode.".into())
            }
            (Thinking::Budget(bounds, _), Some(budget), _) if bounds.contains(&budget) => Ok(()),
            (Thinking::Budget(bounds, _), Some(budget), _) => {
                let (low, high) = (bounds.start(), bounds.end());
                refuse(format!(
                    "The thinking budget {budget} is invalid. Please choose a value between {low} and {high}."
                ))
            }
            (Thinking::Levels(_), Some(_), _) => {
                refuse("Thinking budget is not supported for this model. Please use thinking level.".into())
            }
            (Thinking::Levels(known), _, Some(level)) if !known.contains(&level) => refuse(format!(
                "Thinking level {level} is not supported for this model. Please retry with other thinking level."
            )),
            (Thinking::Levels(_), ..) => Ok(()),
        }
    }
}

/// What the last turn says.
fn read_last(contents: &[Value], call: &mut Call) {
    let text = |part: &Value| part.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let asks =
        |content: &&Value| content.get("role") != Some(&"model".into()) && count(content, "functionResponse") == 0;
    let last = contents.iter().rev().find(asks);
    for part in last.into_iter().flat_map(|content| list(content, "parts")) {
        let media = part.get("inlineData").or(part.get("fileData"));
        if let Some(media_type) = media.map(|media| media.get("mimeType").and_then(Value::as_str).unwrap_or_default()) {
            call.ask.attachments.push(match media_type.split('/').next().unwrap_or_default() {
                "audio" => "audio",
                "image" => "image",
                "video" => "video",
                _ => "document",
            });
        }
        if part.get("text").is_some() {
            call.last_text = text(part);
        }
    }
    call.ask.text = bare_text(&call.last_text);
    let results = contents.last().into_iter().flat_map(|content| list(content, "parts"));
    let said = |part: &Value| {
        let response = part.get("functionResponse")?.get("response")?;
        let said = response.get("output").or(response.get("error")).unwrap_or(response);
        Some(said.as_str().map_or_else(|| said.to_string(), str::to_owned))
    };
    call.ask.results = results.filter_map(said).collect();
}

fn parameters(function: &Value, place: &str) -> Checked<Value> {
    match (function.get("parameters"), function.get("parametersJsonSchema")) {
        (Some(_), Some(_)) => {
            Err(Refusal::new(format!("* {place}: only one of parameters and parameters_json_schema may be set.\n")))
        }
        (Some(schema), None) => match schema.get("type").and_then(Value::as_str) {
            Some("OBJECT")
                if schema.get("properties").and_then(Value::as_object).is_none_or(serde_json::Map::is_empty) =>
            {
                Err(Refusal::new(format!("* {place}.parameters.properties: should be non-empty for OBJECT type\n")))
            }
            Some("OBJECT") => Ok(lower(schema)),
            _ => Err(Refusal::new(format!("* {place}.parameters: schema must be of type OBJECT.\n"))),
        },
        (None, Some(schema)) => {
            json_schema(schema, &format!("{place}.parameters_json_schema"))?;
            if schema.get("type") != Some(&"object".into()) {
                return Err(Refusal::new(format!(
                    "* {place}.parameters_json_schema: schema must be of type object.\n"
                )));
            }
            Ok(schema.clone())
        }
        (None, None) => Ok(serde_json::json!({"type": "object", "properties": {}})),
    }
}

/// A reference stands alone: <https://ai.google.dev/api/generate-content#FIELDS.response_json_schema>.
fn json_schema(schema: &Value, place: &str) -> Checked<()> {
    match schema {
        Value::Object(members) => {
            if members.get("$ref").is_some_and(Value::is_string)
                && let Some(other) = members.keys().find(|name| !name.starts_with('$'))
            {
                return Err(Refusal::new(format!("* {place}: `{other}` must not be set beside `$ref`.\n")));
            }
            if members.contains_key("const") {
                return Err(Refusal::new(format!("* {place}: `const` is not supported.\n")));
            }
            members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
                ("$defs" | "properties", Value::Object(schemas)) => {
                    schemas.iter().try_for_each(|(name, schema)| json_schema(schema, &format!("{place}.{name}")))
                }
                ("default" | "enum" | "examples", _) => Ok(()),
                (name, value) => json_schema(value, &format!("{place}.{name}")),
            })
        }
        Value::Array(items) => items.iter().try_for_each(|item| json_schema(item, place)),
        _ => Ok(()),
    }
}

/// A schema in Google's own dialect as JSON schema.
fn lower(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        for (name, value) in members {
            match (name.as_str(), &mut *value) {
                ("type", Value::String(kind)) => *kind = kind.to_lowercase(),
                ("items", value) => *value = lower(value),
                ("properties", Value::Object(properties)) => {
                    properties.values_mut().for_each(|value| *value = lower(value))
                }
                ("anyOf", Value::Array(options)) => options.iter_mut().for_each(|value| *value = lower(value)),
                _ => {}
            }
        }
    }
    schema
}

/// The letters in all texts; media are as long as a picture of 258 tokens.
pub fn letters(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(letters).sum(),
        Value::Object(members) if members.contains_key("data") => 1032,
        Value::Object(members) => members.values().map(letters).sum(),
        _ => 1,
    }
}

pub fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn count(content: &Value, name: &str) -> usize {
    list(content, "parts").iter().filter(|part| part.get(name).is_some()).count()
}

fn empty(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_str).unwrap_or_default().is_empty()
}

/// `skip_thought_signature_validator`, which stands for a signature that is lost, in base64's usual alphabet.
const BYPASS: &str = "skip/thought/signature/validator";

const MEDIA: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/heic",
    "image/heif",
    "image/gif",
    "audio/",
    "video/",
    "text/",
    "application/pdf",
    "application/json",
];

const RESULTS: &[&str] = &["image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"];
