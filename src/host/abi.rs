//! The host's calls, bound by hand.
//!
//! The SDK's own wrappers panic on statuses that they do not expect and on headers that are not UTF-8, and a panic kills
//! every stream of the worker. These return what the host said.
//! [The ABI](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1).

use std::ptr::{null, null_mut};

use crate::http::Headers;
use crate::metrics::Kind;

/// A call that the host did not carry out, and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(u32);

type Outcome<T> = Result<T, Refused>;

/// A body or other bytes that the host holds.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Buffer {
    /// What was received of the request's body.
    RequestBody = 0,
    /// What was received of the answer's body.
    ResponseBody = 1,
    /// The body of an answer to a call of the filter's own.
    CallResponseBody = 4,
    /// The filter's configuration.
    PluginConfiguration = 7,
}

/// A header map that the host holds.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Map {
    /// The request's.
    Request = 0,
    /// Those behind the request's body.
    RequestTrailers = 1,
    /// The answer's.
    Response = 2,
    /// Those behind the answer's body.
    ResponseTrailers = 3,
    /// Those of an answer to a call of the filter's own.
    CallResponse = 6,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_continue_stream(direction: u32) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, most: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32;
    fn proxy_set_header_map_pairs(map: u32, data: *const u8, size: usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, data: *const u8, data_size: usize) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, data: *const u8, data_size: usize, version: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
}

fn outcome(status: u32) -> Outcome<()> {
    if status == 0 { Ok(()) } else { Err(Refused(status)) }
}

/// Calls the host for bytes that it puts into our memory.
fn bytes(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Outcome<Vec<u8>> {
    let (mut data, mut size) = (null_mut::<u8>(), 0);
    outcome(call(&mut data, &mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the host allocated `size` bytes through the SDK's `proxy_on_memory_allocate`, a `Vec` of that capacity,
    // filled them, and has given them up.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// A buffer from `start` on.
pub fn buffer(buffer: Buffer, start: usize, most: usize) -> Outcome<Vec<u8>> {
    // SAFETY: the pointers are valid for the call.
    bytes(|data, size| unsafe { proxy_get_buffer_bytes(buffer as u32, start, most, data, size) })
}

/// Puts `data` in the place of the first `size` bytes (`start` 0), or behind the last (`start` at or behind the end).
pub fn set_buffer(buffer: Buffer, start: usize, size: usize, data: &[u8]) -> Outcome<()> {
    // SAFETY: as above.
    outcome(unsafe { proxy_set_buffer_bytes(buffer as u32, start, size, data.as_ptr(), data.len()) })
}

/// All headers of a map.
pub fn headers(map: Map) -> Outcome<Headers> {
    // SAFETY: as above.
    let packed = bytes(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })?;
    Ok(unpack(&packed).unwrap_or_default())
}

/// Puts `headers` in the place of a whole map.
pub fn set_headers(map: Map, headers: &Headers) -> Outcome<()> {
    let packed = pack(headers.len(), headers.iter());
    // SAFETY: as above.
    outcome(unsafe { proxy_set_header_map_pairs(map as u32, packed.as_ptr(), packed.len()) })
}

/// Sets one header.
pub fn set_header(map: Map, name: &str, value: &[u8]) -> Outcome<()> {
    let (name, value) = (name.as_bytes(), value);
    // SAFETY: as above.
    outcome(unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// A property of the host, by the segments of its path.
pub fn property(path: &[&str]) -> Outcome<Vec<u8>> {
    let path = path.join("\0");
    // SAFETY: as above.
    bytes(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Writes filter state, which the host keeps under `wasm.` and the name.
pub fn set_state(name: &str, value: &[u8]) -> Outcome<()> {
    // SAFETY: as above.
    outcome(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Answers the client in place of any upstream.
pub fn reply(status: u16, details: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Outcome<()> {
    let headers = pack(headers.len(), headers.iter().copied());
    const NO_GRPC: i32 = -1;
    // SAFETY: as above.
    outcome(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            if body.is_empty() { null() } else { body.as_ptr() },
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC,
        )
    })
}

/// What all workers keep under `key`, and its version; empty if nothing is there.
pub fn shared(key: &str) -> Outcome<(Vec<u8>, u32)> {
    const NOT_FOUND: Refused = Refused(1);
    // No value has this version, and under another than 0, which overwrites whatever is there, a value that is not there
    // is made by one only.
    const NONE: u32 = u32::MAX;
    let mut version = 0;
    // SAFETY: as above.
    match bytes(|data, size| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &mut version) }) {
        Ok(value) => Ok((value, version)),
        Err(NOT_FOUND) => Ok((Vec::new(), NONE)),
        Err(refused) => Err(refused),
    }
}

/// Puts a value in the place of the one of that version. Whether it was still there.
pub fn set_shared(key: &str, value: &[u8], version: u32) -> Outcome<bool> {
    const MISMATCH: u32 = 8;
    // SAFETY: as above.
    match unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) } {
        MISMATCH => Ok(false),
        status => outcome(status).map(|()| true),
    }
}

/// Has the host call the configuration's context every so many milliseconds.
pub fn set_tick(milliseconds: u32) -> Outcome<()> {
    // SAFETY: no pointers.
    outcome(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Lets a request go on that was held.
pub fn resume_request() -> Outcome<()> {
    const REQUEST: u32 = 0;
    // SAFETY: no pointers.
    outcome(unsafe { proxy_continue_stream(REQUEST) })
}

/// Calls a function of this very host.
pub fn foreign(name: &str, arguments: &[u8]) -> Outcome<Vec<u8>> {
    let (n, a) = (name, arguments);
    // SAFETY: as above.
    bytes(|data, size| unsafe { proxy_call_foreign_function(n.as_ptr(), n.len(), a.as_ptr(), a.len(), data, size) })
}

/// The time, in unix milliseconds; 0 if the host has none.
pub fn now() -> u64 {
    let mut time = 0;
    // SAFETY: as above.
    let _unset_is_zero = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    time / 1_000_000
}

/// The id of a metric, which is made if there is none.
pub fn define_metric(kind: Kind, name: &str) -> Outcome<u32> {
    let kind = match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Histogram => 2,
    };
    let mut id = 0;
    // SAFETY: as above.
    outcome(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) }).map(|()| id)
}

/// Adds to a counter (more than 0) or a gauge.
pub fn increment(id: u32, by: i64) -> Outcome<()> {
    // SAFETY: no pointers.
    outcome(unsafe { proxy_increment_metric(id, by) })
}

/// Records a value of a histogram.
pub fn record(id: u32, value: u64) -> Outcome<()> {
    // SAFETY: no pointers.
    outcome(unsafe { proxy_record_metric(id, value) })
}

/// Pairs as the ABI has them: the count, the sizes of each name and value, then each name and value ended by a zero.
fn pack<'p>(count: usize, pairs: impl Iterator<Item = (&'p str, &'p [u8])> + Clone) -> Vec<u8> {
    let size = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    let mut packed = Vec::with_capacity(1024);
    packed.extend_from_slice(&size(count));
    for (name, value) in pairs.clone() {
        packed.extend_from_slice(&size(name.len()));
        packed.extend_from_slice(&size(value.len()));
    }
    for (name, value) in pairs {
        packed.extend_from_slice(name.as_bytes());
        packed.push(0);
        packed.extend_from_slice(value);
        packed.push(0);
    }
    packed
}

fn unpack(packed: &[u8]) -> Option<Headers> {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        *bytes = rest;
        Some(u32::from_le_bytes(*head) as usize)
    }
    fn part<'a>(bytes: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
        let (part, rest) = bytes.split_at_checked(size)?;
        *bytes = rest.get(1..)?;
        Some(part)
    }
    let mut sizes = packed;
    let count = number(&mut sizes)?;
    let mut texts = sizes.get(count.checked_mul(8)?..)?;
    let mut headers = Headers::new();
    for _ in 0..count {
        let (name, value) = (number(&mut sizes)?, number(&mut sizes)?);
        let name = String::from_utf8_lossy(part(&mut texts, name)?);
        headers.add(&name, part(&mut texts, value)?);
    }
    Some(headers)
}
