//! Writing a request.

use super::content::Blocks;
use super::families;
use super::params::Params;
use super::reply::Reply;
use super::{extra, messages, output, thinking, tools};
use crate::call::Generate;
use crate::error::Error;
use crate::json::{Body, Writer};
use crate::wire::names::Names;
use crate::wire::{Dropped, Encoded, Target};

/// Tool names as Bedrock takes them: up to 64 letters, digits, `_` and `-`.
pub(super) fn names() -> Names {
    Names::new(64)
}

/// Writes a call. `generate`: not only to be counted.
pub(super) fn encode<'a>(
    call: &'a Generate<'a>,
    generate: bool,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let family = families::of(target.model, &call.model);
    let extra = extra::read(call, family.claude().is_some(), family.searches(), dropped)?;
    let plan = messages::plan(call, &family, dropped)?;
    let settled = thinking::settle(call, &family, target, plan.thoughtless(), dropped)?;
    let tools = tools::take(call, &plan, &family, settled.budgeted(), extra.search, dropped)?;
    let output = output::choose(call, &family, tools.any(), settled.budgeted());
    let mut names = names();
    let mut body = Body::default();
    let w = &mut Writer::new(&mut body);
    let marks = tools.marks(&family).saturating_add(plan.marks(&family));
    let blocks = &mut Blocks::new(marks, &mut names, &family, dropped);
    w.open_object();
    if !generate {
        w.key("input").open_object();
        w.key("converse").open_object();
    }
    tools.write(output, &family, blocks, dropped, w);
    plan.write_system(output.instruction().as_deref(), blocks, w);
    plan.write_messages(blocks, w);
    let params = Params {
        call,
        family: &family,
        settled: &settled,
        extra: &extra,
        chosen: tools.choose(),
        tools: tools.are_offered(),
    };
    if generate {
        let top_k = params.write_config(target, dropped, w)?;
        params.write_fields(top_k, dropped, w)?;
        output.write(settled.effort.as_deref(), w);
        params.write_rest(dropped, w)?;
    } else {
        params.write_fields(None, dropped, w)?;
        w.close_object();
        w.close_object();
    }
    w.close_object();
    let reply = Reply::new(names, family.claude().is_none(), matches!(output, output::Output::Tool(_)));
    Ok(Encoded::new(body, Box::new(reply)))
}
