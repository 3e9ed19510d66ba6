//! Images that are fetched before a call goes on.

use std::time::Duration;

use super::abi::{self, Buffer, Map};
use crate::config::RemoteImages;
use crate::error::{Error, Kind};
use crate::gateway::Routed;
use crate::http::Headers;
use crate::remote::{Address, Image};

/// A call that waits for its images.
pub struct Images {
    /// Where it goes afterwards.
    pub routed: Routed,
    /// The images that came.
    pub got: Vec<Image>,
    /// Those that are awaited, by the host's number of the request.
    asked: Vec<(u32, Address)>,
}

impl Images {
    /// Asks for all images of a call.
    ///
    /// # Errors
    /// The host has no such cluster, or no server behind it.
    pub fn ask(mut routed: Routed, config: &RemoteImages) -> Result<Self, Error> {
        let mut asked = Vec::new();
        for address in std::mem::take(&mut routed.images) {
            let headers = address.headers(config);
            let headers = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let timeout = Duration::from_millis(config.timeout);
            // The SDK's own: it finds the stream to answer to by the number, and would not know of one that it has not seen.
            let number = proxy_wasm::hostcalls::dispatch_http_call(&config.cluster, headers, None, Vec::new(), timeout)
                .map_err(|_| {
                    let message =
                        format!("images cannot be fetched: the cluster `{}` reaches no server", config.cluster);
                    Error::new(Kind::Unavailable, message)
                })?;
            asked.push((number, address));
        }
        Ok(Self { routed, got: Vec::new(), asked })
    }

    /// Takes the answer to a request that the host has numbered so. Whether all images are there now.
    ///
    /// # Errors
    /// The answer is no image that can be passed on.
    pub fn answer(&mut self, number: u32, answered: bool, config: &RemoteImages) -> Result<bool, Error> {
        let Some(place) = self.asked.iter().position(|(asked, _)| *asked == number) else { return Ok(false) };
        let (_, address) = self.asked.swap_remove(place);
        let headers = if answered { abi::headers(Map::CallResponse).unwrap_or_default() } else { Headers::default() };
        let body = abi::buffer(Buffer::CallResponseBody, 0, config.max_bytes.saturating_add(1)).unwrap_or_default();
        let so_far = self.got.iter().map(|image| image.size).fold(0, usize::saturating_add);
        self.got.push(address.read(&headers, &body, so_far, config)?);
        Ok(self.asked.is_empty())
    }
}
