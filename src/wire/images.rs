//! [`Images`]: OpenAI's [images](https://platform.openai.com/docs/api-reference/images), which are passed on; Google's
//! [Imagen](https://ai.google.dev/gemini-api/docs/imagen), at the Gemini API and at Google Cloud; and those of [Amazon
//! Bedrock](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html): Nova Canvas, Titan and Stability AI's; and
//! [Fireworks' FLUX](https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt).

use super::openai::pieces::{Pieces, Types};
use super::openai::{error, reply};
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::{Call, Image};
use crate::client::images::PROMPT;
use crate::error::{Error, Kind};
use crate::event::{BlockKind, Event, FinishReason};
use crate::form;
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;

/// The wire, in the manner of one of these formats.
pub struct Images(pub Format);

impl Wire for Images {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        let Call::Image(call) = call else {
            return Err(Error::new(Kind::NotImplemented, "the upstream only makes images"));
        };
        if call.addresses {
            // What clients that ask for nothing get at OpenAI from newer models anyway.
            dropped.forget("response_format");
        }
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        w.open_object();
        match self.0 {
            Format::FireworksImages => fireworks(call, dropped, &mut w)?,
            Format::Imagen => imagen(call, dropped, &mut w)?,
            _ if target.model.contains("stability.") => stability(call, dropped, &mut w)?,
            _ => amazon(call, dropped, &mut w)?,
        }
        w.close_object();
        let mut encoded = Encoded::new(body, self.reader());
        if self.0 == Format::FireworksImages {
            // Which decides whether there is JSON or a picture in the answer.
            encoded.headers.push(("accept", "application/json".into()));
        }
        Ok(encoded)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Reply::default())
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

fn imagen<'a>(call: &'a Image<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    w.key("instances").array(|w| w.object(|w| w.key(PROMPT).share_str(&call.prompt)));
    w.key("parameters").open_object();
    w.key("sampleCount").u64(call.count.unwrap_or(1));
    if let Some(size) = call.size {
        w.key("aspectRatio").text(ratio(size, &["1:1", "3:4", "4:3", "9:16", "16:9"]));
    }
    if let Some(format) = &call.format {
        w.key("outputOptions").object(|w| w.key("mimeType").concat(&["image/".into(), format.reborrow()]));
    }
    let unknown = [("quality", call.quality.is_some()), ("user", call.user.is_some())];
    unknown.iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(*name))?;
    // Google's own words, such as `negativePrompt`.
    for (name, raw) in &call.native {
        match &**name {
            "addWatermark" | "aspectRatio" | "enhancePrompt" | "imageSize" | "language" | "negativePrompt"
            | "personGeneration" | "safetySetting" | "sampleImageSize" | "seed" => w.name(name).share_raw(raw),
            _ => dropped.note(name.clone().into_owned())?,
        }
    }
    w.close_object();
    Ok(())
}

fn amazon<'a>(call: &'a Image<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    w.key("taskType").text("TEXT_IMAGE");
    w.key("textToImageParams").object(|w| {
        w.key("text").share_str(&call.prompt);
        if let Some((_, raw)) = call.native.iter().find(|(name, _)| name == "negativeText") {
            w.key("negativeText").share_raw(raw);
        }
    });
    w.key("imageGenerationConfig").open_object();
    w.key("numberOfImages").u64(call.count.unwrap_or(1));
    if let Some((width, height)) = call.size {
        w.key("width").u64(width);
        w.key("height").u64(height);
    }
    if let Some(quality) = &call.quality {
        let premium = ["hd", "high", "premium"].iter().any(|word| *quality == **word);
        w.key("quality").text(if premium { "premium" } else { "standard" });
    }
    for (name, raw) in &call.native {
        match &**name {
            "cfgScale" | "seed" => w.name(name).share_raw(raw),
            "negativeText" => {}
            _ => dropped.note(name.clone().into_owned())?,
        }
    }
    w.close_object();
    let unknown = [("output_format", call.format.is_some()), ("user", call.user.is_some())];
    unknown.iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(*name))
}

fn one(call: &Image<'_>) -> Result<(), Error> {
    if call.count.is_some_and(|count| count > 1) {
        let message = "the upstream makes one image per call";
        return Err(Error::invalid(message).code("unsupported_parameter").at("n"));
    }
    Ok(())
}

fn fireworks<'a>(call: &'a Image<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    one(call)?;
    w.key(PROMPT).share_str(&call.prompt);
    if let Some(size) = call.size {
        let ratios = ["1:1", "21:9", "16:9", "3:2", "5:4", "4:5", "2:3", "9:16", "9:21", "4:3", "3:4"];
        w.key("aspect_ratio").text(ratio(size, &ratios));
    }
    for (name, raw) in &call.native {
        match &**name {
            "aspect_ratio" if call.size.is_none() => w.name(name).share_raw(raw),
            "guidance_scale" | "num_inference_steps" | "seed" => w.name(name).share_raw(raw),
            _ => dropped.note(name.clone().into_owned())?,
        }
    }
    // A picture in JSON is a PNG.
    let another = call.format.as_ref().is_some_and(|format| *format != *"png");
    let unknown = [("output_format", another), ("quality", call.quality.is_some()), ("user", call.user.is_some())];
    unknown.iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(*name))
}

fn stability<'a>(call: &'a Image<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    one(call)?;
    w.key(PROMPT).share_str(&call.prompt);
    if let Some(size) = call.size {
        let ratios = ["1:1", "16:9", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"];
        w.key("aspect_ratio").text(ratio(size, &ratios));
    }
    if let Some(format) = &call.format {
        w.key("output_format").str(format);
    }
    for (name, raw) in &call.native {
        match &**name {
            "aspect_ratio" if call.size.is_none() => w.name(name).share_raw(raw),
            "image" | "mode" | "negative_prompt" | "seed" | "strength" => w.name(name).share_raw(raw),
            _ => dropped.note(name.clone().into_owned())?,
        }
    }
    let unknown = [("quality", call.quality.is_some()), ("user", call.user.is_some())];
    unknown.iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(*name))
}

/// The ratio that is nearest to a size.
pub(super) fn ratio(size: (u64, u64), known: &[&'static str]) -> &'static str {
    // Whole numbers of thousandths, as each is below 2^14.
    let of = |width: u64, height: u64| width.saturating_mul(1000).checked_div(height).unwrap_or(u64::MAX);
    let wanted = of(size.0, size.1);
    let distance = |ratio: &&&'static str| {
        let sides = ratio.split_once(':').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        sides.map_or(u64::MAX, |(width, height)| of(width, height).abs_diff(wanted))
    };
    known.iter().min_by_key(distance).copied().unwrap_or("1:1")
}

/// Why there is no image, where the provider does not say.
const NONE: &str = "the provider shows none of the images";

const TYPES: Types = Types { pieces: &[".partial_image"], last: ".completed" };

/// The reader.
#[derive(Default)]
struct Reply {
    pieces: Pieces,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let none = |name: &str| Error::new(Kind::BadAnswer, format!("the answer has no {name}"));
        let list = ["data", "images", "predictions", "base64"].iter().find_map(|name| root.get(name));
        if root.kind() == json::Kind::Object && root.members().next().is_none() {
            // So Google answers where it does not want to show any.
            return out(Event::Error(Error::new(Kind::ContentPolicy, NONE)));
        }
        if root.get("finishReason").and_then(Node::text).is_some_and(|reason| reason == "CONTENT_FILTERED") {
            return out(Event::Error(Error::new(Kind::ContentPolicy, NONE)));
        }
        let Some(list) = list.filter(|list| list.kind() == json::Kind::Array) else {
            return out(Event::Error(error::in_answer(root.get("error"), root).unwrap_or_else(|| none("images"))));
        };
        out(Event::Start {
            id: Str::default(),
            model: Str::default(),
            created: root.get("created").and_then(Node::u64),
        });
        let mut block = 0;
        for item in list.items() {
            let data =
                item.str().or_else(|| ["b64_json", "bytesBase64Encoded"].iter().find_map(|name| item.get(name)?.str()));
            // What stands at an address is passed on, and counted.
            if data.is_none() && item.get("url").is_none() {
                continue;
            }
            let media_type = item.get("mimeType").and_then(Node::str).unwrap_or_else(|| "image/png".into());
            let data = data.unwrap_or_default();
            // Fireworks may say what it is in front.
            let data = data.strip_prefix("data:image/png;base64,").unwrap_or_else(|| data.reborrow());
            out(Event::BlockStart { choice: 0, block, kind: BlockKind::Image { media_type, data } });
            out(Event::BlockStop { choice: 0, block });
            block = block.saturating_add(1);
        }
        if block == 0 {
            // Google leaves out what it does not want to show, Amazon says why.
            let why = root.get("error").and_then(Node::text).unwrap_or_else(|| NONE.into());
            return out(Event::Error(Error::new(Kind::ContentPolicy, why)));
        }
        out(Event::Finish { choice: 0, reason: FinishReason::Stop, stop_sequence: None });
        out(Event::Usage { usage: used(root, block), service_tier: None });
        out(Event::End);
    }

    fn event(&mut self, _name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        self.pieces.event(&TYPES, root, || Some(used(root, 1)), out);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        self.pieces.end(out);
    }
}

/// Tokens where they are told, and the images.
fn used(root: Node<'_>, images: u32) -> Usage {
    let tokens = root.get("usage").and_then(reply::usage);
    let usage = tokens.map(|usage| Usage { output_image: usage.output, ..usage });
    Usage { images: images.into(), ..usage.unwrap_or_default() }
}

/// A form with another model in it.
pub fn renamed(root: Node<'_>, model: &str) -> Option<(Vec<crate::piece::Piece>, String)> {
    use crate::piece::Piece;
    let (boundary, _) = form::told(root)?;
    let mut pieces = Vec::new();
    let mut own = Vec::new();
    form::field(&boundary, "model", model, &mut own);
    for (name, value) in root.members().filter(|(name, _)| !name.is_empty() && name != "model") {
        let all = if value.kind() == json::Kind::Array { value.items().collect() } else { vec![value] };
        for value in all {
            if let Some(text) = value.text() {
                form::field(&boundary, &name, &text, &mut own);
                continue;
            }
            let place = |end| value.get(end).and_then(Node::u64).and_then(|at| usize::try_from(at).ok());
            let text = |name| value.get(name).and_then(Node::text).unwrap_or_default();
            let range = place("start")?..place("end")?;
            form::head(&boundary, &name, Some((&text("filename"), &text("type"))), &mut own);
            pieces.push(Piece::New(std::mem::take(&mut own)));
            pieces.push(Piece::Kept(range));
            own.extend_from_slice(b"\r\n");
        }
    }
    own.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    pieces.push(Piece::New(own));
    Some((pieces, form::media_type(&boundary)))
}
