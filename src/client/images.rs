//! [`Images`]: OpenAI's [images](https://platform.openai.com/docs/api-reference/images), made and changed, as clients speak it.
//!
//! Pictures that are changed come in a form, which goes on as it is but for the model's name.

use super::chat;
use super::fields::{count, object, optional, required, string};
use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::{Call, Image};
use crate::error::Error;
use crate::event::BlockKind;
use crate::format::Operation;
use crate::json::{Body, Edits, Node, Str, Writer};

/// The model of calls that name none, as at OpenAI.
const MODEL: &str = "gpt-image-1";

/// The field of what the images show.
pub const PROMPT: &str = "prompt";

/// The format.
pub struct Images;

impl Client for Images {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        let model = optional(object(root)?, "model", string)?.map(|model| model.to_text().into_owned());
        self.ask_for(model.filter(|model| !model.is_empty()).unwrap_or_else(|| MODEL.to_owned()), root, now)
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        required(object(root)?, PROMPT)?;
        // In a form it is a text.
        let stream =
            root.get("stream").is_some_and(|on| on.bool() == Some(true) || on.str().is_some_and(|on| on == "true"));
        Ok(Ask { model, stream, now, ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        let mut call = Image::default();
        for (name, value) in root.members().filter(|(_, value)| !value.is_null()) {
            let read = match &*name {
                "model" => Ok(()),
                "n" => count(value).map(|n| call.count = Some(n)),
                "output_format" => string(value).map(|format| call.format = Some(format)),
                "prompt" => string(value).map(|prompt| call.prompt = prompt),
                "quality" => string(value).map(|quality| call.quality = Some(quality)),
                "response_format" => string(value).map(|format| call.addresses = format == "url"),
                "size" => string(value).and_then(|text| size(&text)).map(|size| call.size = size),
                "stream" if value.bool() == Some(false) => Ok(()),
                "user" => string(value).map(|user| call.user = Some(user)),
                _ => {
                    call.native.push((name.clone(), value.raw()));
                    Ok(())
                }
            };
            read.map_err(|e| e.at(&name))?;
        }
        Ok(Call::Image(call))
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        let mut body = Body::default();
        let blocks = || answer.choices.iter().flat_map(|choice| &choice.blocks);
        Writer::new(&mut body).object(|w| {
            w.key("created").u64(answer.created.unwrap_or(ask.now));
            w.key("data").array(|w| {
                for block in blocks() {
                    if let BlockKind::Image { data, .. } = &block.kind {
                        w.object(|w| w.key("b64_json").str(data));
                    }
                }
            });
            let first = blocks().find_map(|block| match &block.kind {
                BlockKind::Image { media_type, .. } => media_type.to_text().strip_prefix("image/").map(str::to_owned),
                _ => None,
            });
            if let Some(format) = first.filter(|format| matches!(format.as_str(), "jpeg" | "png" | "webp")) {
                w.key("output_format").text(&format);
            }
            if let Some(usage) = answer.usage.filter(|usage| usage.total() > 0) {
                w.key("usage").object(|w| {
                    w.key("input_tokens").u64(usage.input);
                    w.key("input_tokens_details").object(|w| {
                        w.key("image_tokens").u64(usage.input_image);
                        w.key("text_tokens").u64(usage.input.saturating_sub(usage.input_image));
                    });
                    w.key("output_tokens").u64(usage.output);
                    w.key("total_tokens").u64(usage.total());
                });
            }
        });
        body.into_bytes()
    }

    fn splice_request(&self, root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
        chat::Chat.splice_request(root, &Ask { stream: false, ..ask.clone() }, model, edits);
    }

    fn splice_answer(&self, _root: Node<'_>, _ask: &Ask, _edits: &mut Edits) {}
}

/// Width and height; nothing if the provider shall choose.
fn size(text: &Str<'_>) -> Result<Option<(u64, u64)>, Error> {
    let text = text.to_text();
    if text == "auto" {
        return Ok(None);
    }
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let good = sides.filter(|sides: &(u64, u64)| (1..=16384).contains(&sides.0) && (1..=16384).contains(&sides.1));
    good.map(Some).ok_or_else(|| Error::invalid("expected `auto` or a size such as `1024x1024`"))
}
