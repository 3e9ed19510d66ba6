//! Writing a request.

use super::content::Blocks;
use super::{messages, models, params, thinking, tools};
use crate::call::{Call, Generate};
use crate::error::{Error, Kind};
use crate::json::{Body, Writer};
use crate::wire::anthropic::reply::Reply;
use crate::wire::names::Names;
use crate::wire::{Dropped, Encoded, Target};

/// Lets messages name files that were uploaded. Later versions of the API need no header, and take it.
const FILES: (&str, &str) = ("anthropic-beta", "files-api-2025-04-14");

/// Tool names as Anthropic takes them: `^[a-zA-Z0-9_-]{1,64}$`.
pub(super) fn names() -> Names {
    Names::new(64)
}

/// Writes a call.
pub(super) fn encode<'a>(call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
    let (call, generate) = match call {
        Call::CountTokens(call) => (call, false),
        Call::Generate(call) => (call, true),
        _ => return Err(Error::new(Kind::NotImplemented, "the upstream only generates")),
    };
    let mut names = names();
    let mut body = Body::default();
    let files = write(call, generate, target, &mut names, dropped, &mut Writer::new(&mut body))?;
    let headers = if files { vec![(FILES.0, FILES.1.to_owned())] } else { Vec::new() };
    Ok(Encoded { headers, ..Encoded::new(body, Box::new(Reply::new(names))) })
}

/// Writes the body; returns whether it names uploaded files. `generate`: not only to be counted.
fn write<'a>(
    call: &'a Generate<'a>,
    generate: bool,
    target: &Target<'_>,
    names: &mut Names,
    dropped: &mut Dropped,
    w: &mut Writer<'_, 'a>,
) -> Result<bool, Error> {
    let model = models::of(target.model);
    let plan = messages::plan(call, model, dropped)?;
    let tools = tools::take(call, &plan.turns, dropped)?;
    let settled = thinking::settle(call, model, target, plan.thoughtless(), dropped)?;
    let blocks = &mut Blocks::new(tools.marks().saturating_add(plan.marks()), names, dropped);
    w.open_object();
    w.key("model").text(target.model);
    if generate {
        w.key("max_tokens").u64(settled.max_tokens);
    }
    tools.write(model, blocks, dropped, w);
    tools.choose(call, model, &settled, blocks, dropped, w)?;
    plan.write_system(params::instruction(&call.output, model).as_deref(), blocks, w);
    plan.write_messages(blocks, w);
    settled.write(w);
    params::output(call, model, &settled, w);
    if generate {
        params::sampling(call, model, &settled, dropped, w)?;
        params::rest(call, dropped, w)?;
    }
    w.close_object();
    Ok(plan.files)
}
