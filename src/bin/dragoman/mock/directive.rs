//! Misbehaviour on request: `[mock status=529]` in the last text of the user, or `+status=529` after the model's name.
//!
//! Headers do not pass a gateway, prompts do. The list of directives is in the command's long help.

use super::Wire;
use super::bytes::hash;
use super::http::{Body, Reply};
use super::log::Log;
use super::shape::{Checked, Refusal};

/// What to do wrong, all of it by default nothing.
#[derive(Clone, Default)]
pub struct Directive {
    pub status: Option<u16>,
    pub html: bool,
    pub retry_after: Option<u64>,
    pub error_after: Option<usize>,
    pub cut_after: Option<usize>,
    pub end_after: Option<usize>,
    pub stall_after: Option<usize>,
    pub slow_start: u64,
    pub delay: u64,
    pub tokens: Option<usize>,
    pub split: Option<usize>,
    pub crlf: bool,
    pub redacted: bool,
    pub malformed: bool,
    pub empty: bool,
    pub redirect: bool,
    pub drop: bool,
    too_long: bool,
    flagged: bool,
    pub expires_in: Option<u64>,
    times: Option<u64>,
}

impl Directive {
    /// Reads the directives for this provider; an unknown one is an error, so that a test's typing error is noticed.
    pub fn read(wire: Wire, model: &str, text: &str, log: &Log) -> Result<Directive, String> {
        let mut directive = Directive::default();
        let suffix = model.split('+').skip(1).collect::<Vec<_>>();
        directive.apply(wire, suffix.into_iter())?;
        for bracket in brackets(text) {
            directive.apply(wire, bracket.split_ascii_whitespace())?;
        }
        if let Some(times) = directive.times {
            let key = hash(format!("{} {text}", wire as u8).as_bytes());
            if log.seen(key) > times {
                return Ok(Directive::default());
            }
        }
        Ok(directive)
    }

    fn apply<'a>(&mut self, wire: Wire, words: impl Iterator<Item = &'a str> + Clone) -> Result<(), String> {
        for word in words.clone() {
            match word {
                "upstream=anthropic" if wire != Wire::Anthropic => return Ok(()),
                "upstream=cohere" if wire != Wire::Cohere => return Ok(()),
                "upstream=ollama" if wire != Wire::Ollama => return Ok(()),
                "upstream=gemini" if wire != Wire::Gemini => return Ok(()),
                "upstream=openai" if wire != Wire::OpenAi => return Ok(()),
                "upstream=vertex" if wire != Wire::Vertex => return Ok(()),
                _ => {}
            }
        }
        for word in words {
            self.set(word).ok_or(format!("unknown directive `{word}`"))?;
        }
        Ok(())
    }

    fn set(&mut self, word: &str) -> Option<()> {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let size = || value.parse::<usize>().ok();
        let number = || value.parse::<u64>().ok();
        match key {
            "status" => self.status = Some(value.parse().ok().filter(|status| (400..600).contains(status))?),
            "retry-after" => self.retry_after = Some(number()?),
            "error-after" => self.error_after = Some(size()?),
            "cut-after" => self.cut_after = Some(size()?),
            "end-after" => self.end_after = Some(size()?),
            "stall-after" => self.stall_after = Some(size()?),
            "slow-start" => self.slow_start = number()?,
            "delay" => self.delay = number()?,
            "tokens" => self.tokens = Some(size().filter(|tokens| *tokens <= 1_000_000)?),
            "split" => self.split = Some(size().filter(|split| *split > 0)?),
            "expires-in" => self.expires_in = Some(number()?),
            "times" => self.times = Some(number()?),
            "upstream" => {
                return matches!(value, "anthropic" | "cohere" | "gemini" | "ollama" | "openai" | "vertex")
                    .then_some(());
            }
            _ if !value.is_empty() => return None,
            "html" => self.html = true,
            "crlf" => self.crlf = true,
            "redacted" => self.redacted = true,
            "malformed" => self.malformed = true,
            "empty" => self.empty = true,
            "redirect" => self.redirect = true,
            "drop" => self.drop = true,
            "too-long" => self.too_long = true,
            "flagged" => self.flagged = true,
            _ => return None,
        }
        Some(())
    }

    /// The provider's words, of these, for why it will not answer.
    pub fn unwanted(&self, too_long: Refusal, flagged: Refusal) -> Checked<()> {
        match (self.too_long, self.flagged) {
            (true, _) => Err(too_long),
            (_, true) => Err(flagged),
            (false, false) => Ok(()),
        }
    }

    /// The reply that stands in for the answer, for what no provider's format shapes.
    pub fn instead(&self) -> Option<Reply> {
        if self.redirect {
            let mut reply = Reply::json(307, String::new());
            reply.headers.push(("location".into(), "/v1/moved".into()));
            return Some(reply);
        }
        if self.empty {
            return Some(Reply::json(200, String::new()));
        }
        let status = self.status.filter(|_| self.html)?;
        let page = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body><center><h1>{status}</h1></center><hr><center>cloudflare</center></body>\r\n</html>\r\n"
        );
        let mut reply = Reply::json(status, page);
        reply.headers = vec![("content-type".into(), "text/html; charset=UTF-8".into())];
        Some(reply)
    }

    /// Breaks a good answer as far as no provider's format is needed to do so.
    pub fn spoil(&self, mut reply: Reply) -> Reply {
        reply.manner = self.clone();
        match &mut reply.body {
            Body::Whole(body) if self.malformed => body.truncate(body.len() * 2 / 3),
            Body::Events(events) => {
                if self.malformed
                    && let Some(event) = events.get_mut(3)
                {
                    event.truncate(event.len() * 2 / 3);
                    event.extend_from_slice(b"\n\n");
                }
                if self.crlf {
                    for event in events {
                        *event = event.iter().fold(Vec::new(), |mut out, byte| {
                            out.extend_from_slice(if *byte == b'\n' { b"\r\n" } else { std::slice::from_ref(byte) });
                            out
                        });
                    }
                }
            }
            Body::Whole(_) => {}
        }
        reply
    }
}

/// The model's name without directives.
pub fn bare_model(model: &str) -> &str {
    model.split('+').next().unwrap_or_default()
}

/// The text without directives.
pub fn bare_text(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        rest = after.split_once(']').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.trim().to_owned()
}

fn brackets(text: &str) -> impl Iterator<Item = &str> {
    text.split(OPEN).skip(1).filter_map(|part| part.split(']').next())
}

const OPEN: &str = "[mock ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_provider_and_only_so_often() {
        let log = Log::default();
        let text = "Hi [mock upstream=openai status=503 times=1] there [mock delay=5]";
        let read = |wire| Directive::read(wire, "m", text, &log).unwrap();
        let first = read(Wire::OpenAi);
        assert_eq!((first.status, first.delay), (Some(503), 5));
        assert_eq!(read(Wire::OpenAi).status, None);
        assert_eq!((read(Wire::Anthropic).status, read(Wire::Anthropic).delay), (None, 5));
        assert_eq!(bare_text(text), "Hi  there");
        assert_eq!(Directive::read(Wire::OpenAi, "gpt-4o+status=500+html", "", &log).unwrap().status, Some(500));
        assert!(Directive::read(Wire::OpenAi, "m", "[mock statsu=500]", &log).is_err());
    }
}
