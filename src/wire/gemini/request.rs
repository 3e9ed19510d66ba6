//! Writing a request.

use super::params::{self, Params};
use super::reply::Reply;
use super::thinking::Settled;
use super::{extra, messages, models, thinking, tools};
use crate::call::Generate;
use crate::error::Error;
use crate::format::Format;
use crate::json::{Body, Writer};
use crate::wire::names::Names;
use crate::wire::{Dropped, Encoded, Target};

/// Tool names as Gemini takes them: up to 64 letters, digits, `_` and `-`. It takes `.` and `:` as well.
pub(super) fn names() -> Names {
    Names::new(64)
}

/// Writes a call. `generate`: not only to be counted.
pub(super) fn encode<'a>(
    call: &'a Generate<'a>,
    generate: bool,
    format: Format,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let model = models::of(target.model);
    let plan = messages::plan(call, &model, format, dropped)?;
    let extra = extra::read(call, format, dropped)?;
    let tools = tools::take(call, extra.search, dropped)?;
    let settled = match &call.reasoning {
        Some(_) if extra.thinks() => {
            // Google's own words say more.
            dropped.note("reasoning_effort")?;
            Settled::default()
        }
        _ => thinking::settle(call, &model, dropped)?,
    };
    let held = model.signs || !tools.any();
    let mut names = names();
    let mut body = Body::default();
    let mut headers = Vec::new();
    let w = &mut Writer::new(&mut body);
    // To count, the Gemini API wants all of the request inside of another.
    let inside = !generate && format == Format::Gemini;
    w.open_object();
    if inside {
        w.key("generateContentRequest").open_object();
        w.key("model").text(&format!("models/{}", target.model));
    }
    plan.write_contents(&model, &mut names, w);
    plan.write_system(params::instruction(&call.output, held).as_deref(), w);
    tools.write(call, generate, &mut names, dropped, w)?;
    if generate {
        let mut config = Body::default();
        let params = Params { model: &model, format, held, settled: &settled, extra: &extra };
        params.write(call, target, dropped, &mut Writer::new(&mut config))?;
        let config = String::from_utf8(config.into_bytes()).unwrap_or_default();
        if config != "{}" {
            w.key("generationConfig").raw(&config);
        }
        headers.extend(params::rest(call, format, &extra, dropped, w)?);
    }
    if inside {
        w.close_object();
    }
    w.close_object();
    let reply = Reply::new(format, names).citing(tools.cites()).signing(settled.shown || extra.thinks());
    Ok(Encoded { headers, ..Encoded::new(body, Box::new(reply)) })
}
