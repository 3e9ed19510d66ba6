//! [`Resources`]: files, batches and fine-tuning jobs of [OpenAI's API](https://platform.openai.com/docs/api-reference/files), which an
//! upstream keeps and clients reach under `/upstream/NAME/`.
//!
//! All callers share the account, so ids are sealed: nobody reads, uses or ends what another has made. Nobody may list anything either, since
//! a list holds what is everybody's.

use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::Call;
use crate::config::Upstream;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::format::{Format, Operation};
use crate::json::{Change, Edits, Node, Str};
use crate::seal::Seal;
use crate::wire::Reader;

/// What a path names, before the id.
const KINDS: &[&str] = &["/batches", "/files", "/fine_tuning/jobs"];

/// What may stand before that, where the upstream's address does not hold it; the longer ones first.
const BEFORE: &[&str] = &["/openai/v1", "/openai", "/v1", ""];

/// Members that hold ids, in requests and answers.
const IDS: &[&str] = &[
    "error_file_id",
    "fine_tuning_job_id",
    "id",
    "input_file_id",
    "output_file_id",
    "training_file",
    "validation_file",
];

/// Members that hold arrays of ids.
const LISTS: &[&str] = &["result_files"];

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'p> {
    /// The path up to the id.
    before: &'p str,
    /// The id, as the client has it.
    pub id: Option<&'p str>,
    /// The path behind it.
    pub after: &'p str,
}

/// What a path asks for of an upstream that keeps such things.
pub fn of<'p>(upstream: &Upstream, path: &'p str) -> Option<Resource<'p>> {
    let follows =
        upstream.provider.surfaces.iter().any(|surface| matches!(surface.format, Format::Chat | Format::Responses));
    let named = BEFORE.iter().find_map(|before| path.strip_prefix(before).filter(|rest| rest.starts_with('/')))?;
    let rest = KINDS.iter().filter(|_| follows).find_map(|kind| {
        // Behind it comes nothing or another segment.
        named.strip_prefix(kind).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    })?;
    let start = path.len().checked_sub(rest.len())?;
    let before = path.get(..start)?;
    let rest = path.get(start..)?.strip_prefix('/').unwrap_or_default();
    let (id, after) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    Some(Resource { before, id: Some(id).filter(|id| !id.is_empty()), after })
}

impl Resource<'_> {
    /// Whether a request's body holds ids.
    pub fn has_ids(&self, method: &str) -> bool {
        method == "POST" && self.id.is_none() && !self.before.ends_with("/files")
    }

    /// Whether the answer is what is in a file.
    pub fn is_content(&self) -> bool {
        self.after == "/content"
    }

    /// The path at the provider.
    pub fn path(&self, seal: &Seal) -> Result<String, Error> {
        let Some(id) = self.id else { return Ok(self.before.to_owned()) };
        Ok(format!("{}/{}{}", self.before, opened(seal, id)?, self.after))
    }

    /// Refuses what nobody may ask for.
    pub fn check(&self, method: &str, seal: &Seal) -> Result<(), Error> {
        if self.id.is_none() && method != "POST" {
            let message = "nobody may list what the upstream keeps: it is everybody's";
            return Err(Error::new(Kind::Permission, message).code("path_not_allowed"));
        }
        self.path(seal).map(drop)
    }
}

fn opened<'i>(seal: &Seal, id: &'i str) -> Result<&'i str, Error> {
    let shown = crate::error::shorten(id);
    seal.open(id).ok_or_else(|| Error::new(Kind::NotFound, format!("no `{shown}` that this key has made")))
}

/// The provider's ids in a request.
pub fn request(root: Node<'_>, seal: &Seal, edits: &mut Edits) -> Result<(), Error> {
    for (name, id) in ids(root) {
        let Some(text) = id.text() else { continue };
        edits.replace(id, Str::plain(opened(seal, &text).map_err(|e| e.at(&name))?).to_json());
    }
    Ok(())
}

fn ids(object: Node<'_>) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, Node<'_>)> {
    object.members().filter(|(name, value)| IDS.contains(&&**name) && !value.is_null())
}

/// The format.
pub struct Resources;

impl Client for Resources {
    fn ask(&self, _root: Node<'_>, now: u64) -> Result<Ask, Error> {
        Ok(Ask { now, ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, _root: Node<'a>) -> Result<Call<'a>, Error> {
        Err(Error::new(Kind::NotImplemented, "what is kept is not translated"))
    }

    fn answer(&self, _answer: &Answer, _ask: &Ask) -> Vec<u8> {
        self.error(&Error::new(Kind::NotImplemented, "what is kept is not translated"))
    }

    /// Ids are sealed: those of the thing itself, and of things in a list.
    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        let Some(seal) = &ask.seal else { return };
        let close = |id: Node<'_>, edits: &mut Edits| {
            if let Some(text) = id.text() {
                edits.replace(id, Str::plain(seal.close(&text)).to_json());
            }
        };
        for object in std::iter::once(root).chain(root.get("data").into_iter().flat_map(Node::items)) {
            ids(object).for_each(|(_, id)| close(id, edits));
            for name in LISTS {
                object.get(name).into_iter().flat_map(Node::items).for_each(|id| close(id, edits));
            }
        }
        // Where a list begins and ends, for those who would ask for more of it.
        let places = ["first_id", "last_id"].into_iter().filter(|name| root.get(name).is_some());
        let gone: Vec<_> = places.map(|name| (name, Change::Remove)).collect();
        if !gone.is_empty() {
            edits.members(root, &gone);
        }
    }
}

/// Reads an answer: there is nothing to count.
pub struct Reply;

impl Reader for Reply {
    fn answer(&mut self, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, _out: &mut dyn FnMut(Event<'_>)) {}

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::End);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::config::Config;
    use crate::json::Doc;

    fn config() -> Config {
        let upstream = |provider| format!(r#"{{"provider":"{provider}","credentials":{{"api_key":{{"value":"k"}}}}}}"#);
        let (one, two) = (upstream("openai"), upstream("anthropic"));
        let json = format!(r#"{{"client_auth":"keys","upstreams":{{"one":{one},"two":{two}}}}}"#);
        Config::parse(json.as_bytes(), &|_| None).unwrap()
    }

    #[test]
    fn paths_name_what_is_kept() {
        let config = config();
        let [openai, claude] = config.upstreams.as_slice() else { panic!() };
        for (path, expected) in [
            ("/files", Some((None, ""))),
            ("/files/file-1", Some((Some("file-1"), ""))),
            ("/v1/files/file-1/content", Some((Some("file-1"), "/content"))),
            ("/batches/b/cancel", Some((Some("b"), "/cancel"))),
            ("/fine_tuning/jobs/ft/events", Some((Some("ft"), "/events"))),
            ("/fine_tuning", None),
            ("/openai/v1/files/file-1", Some((Some("file-1"), ""))),
            ("/filesystem", None),
            ("/vector_stores/vs/files/file-1", None),
            ("/x/v1/files/file-1", None),
            ("/models", None),
        ] {
            let found = of(openai, path).map(|found| (found.id, found.after));
            assert_eq!(found, expected, "{path}");
            assert_eq!(of(claude, path), None, "{path}");
        }
    }

    #[test]
    fn ids_are_their_makers() {
        let config = config();
        let seal = |caller| Seal::new(&config, &config.upstreams[0], caller).unwrap();
        let (mine, other) = (seal("me"), seal("you"));
        let made = r#"{"id":"batch_1","input_file_id":"file-1","output_file_id":null,"endpoint":"/v1/x","result_files":["file-2"],"first_id":"a"}"#;
        let doc = Doc::lenient(made.as_bytes()).unwrap();
        let mut edits = Edits::default();
        let ask = Ask { seal: Some(mine.clone()), ..Ask::default() };
        Resources.splice_answer(doc.root(), &ask, &mut edits);
        let sealed = String::from_utf8(edits.apply(&doc).into_bytes()).unwrap();
        let expected = format!(
            r#"{{"id":"{}","input_file_id":"{}","output_file_id":null,"endpoint":"/v1/x","result_files":["{}"]}}"#,
            mine.close("batch_1"),
            mine.close("file-1"),
            mine.close("file-2")
        );
        assert_eq!(sealed, expected);

        let asked = format!(r#"{{"input_file_id":"{}","endpoint":"/v1/x"}}"#, mine.close("file-1"));
        let doc = Doc::strict(asked.as_bytes()).unwrap();
        let mut edits = Edits::default();
        request(doc.root(), &mine, &mut edits).unwrap();
        let sent = edits.apply(&doc).into_bytes();
        assert_eq!(sent, br#"{"input_file_id":"file-1","endpoint":"/v1/x"}"#);
        let error = request(doc.root(), &other, &mut Edits::default()).unwrap_err();
        assert_eq!((error.kind, error.param.as_deref()), (Kind::NotFound, Some("input_file_id")));
    }

    #[test]
    fn nobody_lists() {
        let config = config();
        let seal = Seal::new(&config, &config.upstreams[0], "me").unwrap();
        let resource = |path| of(&config.upstreams[0], path).unwrap();
        assert_eq!(resource("/files").check("GET", &seal).unwrap_err().kind, Kind::Permission);
        assert_eq!(resource("/files/file-1").check("GET", &seal).unwrap_err().kind, Kind::NotFound);
        assert!(resource("/files").check("POST", &seal).is_ok());
        let id = format!("/files/{}/content", seal.close("file-1"));
        assert_eq!(resource(&id).path(&seal).unwrap(), "/files/file-1/content");
    }
}
