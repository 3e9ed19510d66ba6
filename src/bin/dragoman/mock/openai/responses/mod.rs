//! OpenAI's Responses.
//!
//! Format: <https://platform.openai.com/docs/api-reference/responses>. What is stored can be gone on from, and asked for
//! under its id, until the mock ends.

mod check;
mod item;
mod reply;

use serde_json::{Value, json};

use super::super::Wire;
use super::super::bytes::hash;
use super::super::directive::Directive;
use super::super::http::{Body, Reply, Request};
use super::super::log::Log;
use super::super::shape::{Checked, Refusal};
use super::{failed, json_body, pretty};

/// Serves `/v1/responses` and what is below it.
pub fn serve(request: &Request, log: &Log) -> Checked<Reply> {
    let (method, path) = (request.method.as_str(), request.path());
    let rest = path.trim_start_matches("/v1/responses").trim_start_matches('/');
    let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
    if method == "POST" && rest.is_empty() {
        return create(request, log);
    }
    let kept = log
        .kept(id)
        .ok_or_else(|| Refusal::new(format!("Response with id '{id}' not found.")).status(404).param("id"))?;
    match (method, action) {
        ("GET", "") => Ok(Reply::json(200, pretty(&kept.response))),
        ("GET", "input_items") => {
            let ends = |at: Option<&Value>| at.and_then(|item| item.get("id").cloned()).unwrap_or_default();
            let list = json!({
                "object": "list", "data": kept.input, "has_more": false,
                "first_id": ends(kept.input.first()), "last_id": ends(kept.input.last()),
            });
            Ok(Reply::json(200, pretty(&list)))
        }
        ("DELETE", "") => {
            log.forget(id);
            Ok(Reply::json(200, pretty(&json!({"id": id, "object": "response", "deleted": true}))))
        }
        ("POST", "cancel") if kept.response.get("background") == Some(&Value::Bool(true)) => {
            let mut response = kept.response;
            if let Some(members) = response.as_object_mut() {
                members.insert("status".into(), "cancelled".into());
            }
            Ok(Reply::json(200, pretty(&response)))
        }
        ("POST", "cancel") => Err(Refusal::new("Cannot cancel a synchronous response.")),
        _ => Err(Refusal::new(format!("Invalid URL ({method} {path})")).status(404)),
    }
}

fn create(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let call = check::call(&body, log)?;
    let directive = Directive::read(Wire::OpenAi, &call.model, &call.last_text, log)
        .map_err(|message| Refusal::new(format!("mock: {message}")).code("unknown_directive"))?;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    if let Some(status) = directive.status {
        return Ok(directive.spoil(failed(status, directive.retry_after)));
    }
    let mut reply = reply::reply(&call, &directive, hash(&request.body), log);
    if let (Body::Events(events), Some(after)) = (&mut reply.body, directive.error_after) {
        events.truncate(after);
        let error = json!({"type": "error", "code": "server_error", "message": super::SERVER_ERROR, "param": null, "sequence_number": after});
        events.push(format!("event: error\ndata: {error}\n\n").into_bytes());
    }
    Ok(directive.spoil(reply))
}
