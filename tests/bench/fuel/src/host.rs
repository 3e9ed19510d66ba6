//! A proxy-wasm host without a proxy.

use std::collections::HashMap;

use wasmtime::{Caller, Config, Engine, Instance, Linker, Memory, Module, Result, Store, TypedFunc};

const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const CAS_MISMATCH: i32 = 8;
const PAUSE: i32 = 1;
const ROOT: i32 = 1;
const PLUGIN_CONFIGURATION: i32 = 7;
/// A point in time for all calls: 2026-01-01T00:00:00Z.
const NOW_NS: u64 = 1_767_225_600_000_000_000;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Which half of a call; also the number of its body's buffer.
#[derive(Clone, Copy)]
pub enum Map {
    Request = 0,
    Response = 1,
}

impl Map {
    /// The number of its header map.
    fn headers(self) -> i32 {
        match self {
            Self::Request => 0,
            Self::Response => 2,
        }
    }
}

#[derive(Default)]
struct Host {
    buffers: HashMap<i32, Vec<u8>>,
    headers: HashMap<i32, Pairs>,
    shared: HashMap<Vec<u8>, (Vec<u8>, u32)>,
    metrics: u32,
    local_reply: Option<String>,
}

/// A filter in its host.
pub struct Guest {
    store: Store<Host>,
    instance: Instance,
    fuel: u64,
}

impl Guest {
    /// A VM with one plugin that has taken its configuration.
    pub fn start(wasm: &[u8], configuration: Vec<u8>) -> Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        define(&mut linker)?;
        let mut store = Store::new(&engine, Host::default());
        store.set_fuel(u64::MAX)?;
        // What a call does not need answers that all is well.
        linker.define_unknown_imports_as_default_values(&mut store, &module)?;
        let size = configuration.len() as i32;
        store.data_mut().buffers.insert(PLUGIN_CONFIGURATION, configuration);
        let instance = linker.instantiate(&mut store, &module)?;
        let mut guest = Self { store, instance, fuel: u64::MAX };
        for start in ["_initialize", "_start"] {
            if let Ok(start) = guest.instance.get_typed_func::<(), ()>(&mut guest.store, start) {
                start.call(&mut guest.store, ())?;
            }
        }
        guest.create(ROOT, 0)?;
        for (callback, size) in [("proxy_on_vm_start", 0), ("proxy_on_configure", size)] {
            if let Some(callback) = guest.callback::<(i32, i32)>(callback)
                && callback.call(&mut guest.store, (ROOT, size))? == 0
            {
                wasmtime::bail!("the filter refuses its configuration");
            }
        }
        Ok(guest)
    }

    /// The instructions since this was last asked.
    pub fn take_fuel(&mut self) -> Result<u64> {
        let before = std::mem::replace(&mut self.fuel, self.store.get_fuel()?);
        Ok(before - self.fuel)
    }

    /// A new call, with a body to come.
    pub fn open(&mut self, id: i32, headers: &[(&str, &str)]) -> Result<()> {
        self.take_fuel()?;
        self.create(id, ROOT)?;
        self.head(id, Map::Request, "proxy_on_request_headers", headers)
    }

    /// The head of the answer, with a body to come.
    pub fn answer(&mut self, id: i32, headers: &[(&str, &str)]) -> Result<()> {
        self.head(id, Map::Response, "proxy_on_response_headers", headers)
    }

    /// A body as it arrives; what the filter lets pass leaves the buffer.
    pub fn body<'a>(&mut self, id: i32, half: Map, parts: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            self.part(id, half, part, parts.peek().is_none())?;
        }
        Ok(())
    }

    /// A part of a body, perhaps the last.
    pub fn part(&mut self, id: i32, half: Map, part: &[u8], last: bool) -> Result<()> {
        let name = match half {
            Map::Request => "proxy_on_request_body",
            Map::Response => "proxy_on_response_body",
        };
        let Some(callback) = self.callback::<(i32, i32, i32)>(name) else { return Ok(()) };
        let buffer = self.store.data_mut().buffers.entry(half as i32).or_default();
        buffer.extend_from_slice(part);
        let size = buffer.len() as i32;
        if callback.call(&mut self.store, (id, size, i32::from(last)))? != PAUSE {
            self.store.data_mut().buffers.remove(&(half as i32));
        }
        self.refused()
    }

    /// The bytes of memory that the VM has.
    pub fn memory(&mut self) -> Result<usize> {
        let memory = self.instance.get_memory(&mut self.store, "memory");
        let memory = memory.ok_or_else(|| wasmtime::format_err!("the module exports no memory"))?;
        Ok(memory.data_size(&self.store))
    }

    /// The end of a call.
    pub fn close(&mut self, id: i32) -> Result<()> {
        if let Some(done) = self.callback::<i32>("proxy_on_done") {
            done.call(&mut self.store, id)?;
        }
        for name in ["proxy_on_log", "proxy_on_delete"] {
            if let Ok(callback) = self.instance.get_typed_func::<i32, ()>(&mut self.store, name) {
                callback.call(&mut self.store, id)?;
            }
        }
        Ok(())
    }

    /// A header as the filter left it.
    pub fn header(&mut self, half: Map, name: &str) -> Option<String> {
        let headers = self.store.data().headers.get(&half.headers())?;
        let (_, value) = headers.iter().find(|(key, _)| key == name.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    fn head(&mut self, id: i32, half: Map, name: &str, headers: &[(&str, &str)]) -> Result<()> {
        let pairs: Pairs =
            headers.iter().map(|(key, value)| (key.as_bytes().into(), value.as_bytes().into())).collect();
        let count = pairs.len() as i32;
        self.store.data_mut().headers.insert(half.headers(), pairs);
        if let Some(callback) = self.callback::<(i32, i32, i32)>(name) {
            callback.call(&mut self.store, (id, count, 0))?;
        }
        self.refused()
    }

    fn create(&mut self, id: i32, parent: i32) -> Result<()> {
        self.instance
            .get_typed_func::<(i32, i32), ()>(&mut self.store, "proxy_on_context_create")?
            .call(&mut self.store, (id, parent))
    }

    fn callback<P: wasmtime::WasmParams>(&mut self, name: &str) -> Option<TypedFunc<P, i32>> {
        self.instance.get_typed_func(&mut self.store, name).ok()
    }

    fn refused(&mut self) -> Result<()> {
        match self.store.data_mut().local_reply.take() {
            Some(reply) => wasmtime::bail!("the filter answers itself: {reply}"),
            None => Ok(()),
        }
    }
}

type Call<'a> = Caller<'a, Host>;

fn memory(caller: &mut Call) -> Result<Memory> {
    let memory = caller.get_export("memory").and_then(wasmtime::Extern::into_memory);
    memory.ok_or_else(|| wasmtime::format_err!("the module exports no memory"))
}

fn read(caller: &mut Call, at: i32, size: i32) -> Result<Vec<u8>> {
    let mut bytes = vec![0; size as usize];
    memory(caller)?.read(&mut *caller, at as usize, &mut bytes)?;
    Ok(bytes)
}

fn write(caller: &mut Call, at: i32, bytes: &[u8]) -> Result<()> {
    Ok(memory(caller)?.write(&mut *caller, at as usize, bytes)?)
}

/// Hands bytes to the guest: in memory that it allocates, at an address that it then owns.
fn give(caller: &mut Call, bytes: &[u8], out_at: i32, out_size: i32) -> Result<i32> {
    let mut at = 0;
    if !bytes.is_empty() {
        let allocate = ["proxy_on_memory_allocate", "malloc"].into_iter().find_map(|name| caller.get_export(name));
        let allocate = allocate.and_then(wasmtime::Extern::into_func);
        let allocate = allocate.ok_or_else(|| wasmtime::format_err!("the module exports no allocator"))?;
        at = allocate.typed::<i32, i32>(&*caller)?.call(&mut *caller, bytes.len() as i32)?;
        write(caller, at, bytes)?;
    }
    write(caller, out_at, &at.to_le_bytes())?;
    write(caller, out_size, &(bytes.len() as i32).to_le_bytes())?;
    Ok(OK)
}

/// A map on the wire: the count, all sizes, then all strings with a zero after each.
fn encode(pairs: &Pairs) -> Vec<u8> {
    let strings = || pairs.iter().flat_map(|(key, value)| [key, value]);
    let mut bytes = (pairs.len() as u32).to_le_bytes().to_vec();
    strings().for_each(|text| bytes.extend((text.len() as u32).to_le_bytes()));
    strings().for_each(|text| {
        bytes.extend_from_slice(text);
        bytes.push(0);
    });
    bytes
}

fn decode(bytes: &[u8]) -> Pairs {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let count = number(0);
    let mut at = 4 + 8 * count;
    let mut text = |size: usize| {
        let text = bytes[at..at + size].to_vec();
        at += size + 1;
        text
    };
    (0..count).map(|index| (text(number(4 + 8 * index)), text(number(8 + 8 * index)))).collect()
}

fn define(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("env", "proxy_log", |mut caller: Call, level: i32, at: i32, size: i32| -> Result<i32> {
        if level >= 3 {
            eprintln!("filter: {}", String::from_utf8_lossy(&read(&mut caller, at, size)?));
        }
        Ok(OK)
    })?;
    linker.func_wrap("env", "proxy_get_log_level", |mut caller: Call, out: i32| -> Result<i32> {
        write(&mut caller, out, &2_i32.to_le_bytes())?;
        Ok(OK)
    })?;
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", |mut caller: Call, out: i32| -> Result<i32> {
        write(&mut caller, out, &NOW_NS.to_le_bytes())?;
        Ok(OK)
    })?;
    linker.func_wrap(
        "env",
        "proxy_get_buffer_bytes",
        |mut caller: Call, buffer: i32, start: i32, max: i32, out: i32, out_size: i32| -> Result<i32> {
            let Some(bytes) = caller.data().buffers.get(&buffer) else { return Ok(NOT_FOUND) };
            let start = (start as usize).min(bytes.len());
            let end = start.saturating_add(max as u32 as usize).min(bytes.len());
            let part = bytes[start..end].to_vec();
            give(&mut caller, &part, out, out_size)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_buffer_bytes",
        |mut caller: Call, buffer: i32, start: i32, size: i32, at: i32, length: i32| -> Result<i32> {
            let new = read(&mut caller, at, length)?;
            let bytes = caller.data_mut().buffers.entry(buffer).or_default();
            let start = (start as usize).min(bytes.len());
            let end = start.saturating_add(size as u32 as usize).min(bytes.len());
            bytes.splice(start..end, new);
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_buffer_status",
        |mut caller: Call, buffer: i32, out_size: i32, out_flags: i32| -> Result<i32> {
            let Some(size) = caller.data().buffers.get(&buffer).map(Vec::len) else { return Ok(NOT_FOUND) };
            write(&mut caller, out_size, &(size as u32).to_le_bytes())?;
            write(&mut caller, out_flags, &0_u32.to_le_bytes())?;
            Ok(OK)
        },
    )?;
    define_headers(linker)?;
    define_state(linker)?;
    linker.func_wrap(
        "env",
        "proxy_send_local_response",
        |mut caller: Call, status: i32, _: i32, _: i32, at: i32, size: i32, _: i32, _: i32, _: i32| -> Result<i32> {
            let body = read(&mut caller, at, size)?;
            caller.data_mut().local_reply = Some(format!("{status} {}", String::from_utf8_lossy(&body)));
            Ok(OK)
        },
    )?;
    // An empty environment.
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "environ_sizes_get",
        |mut caller: Call, out_count: i32, out_size: i32| -> Result<i32> {
            write(&mut caller, out_count, &[0; 4])?;
            write(&mut caller, out_size, &[0; 4])?;
            Ok(OK)
        },
    )?;
    Ok(())
}

fn define_headers(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_header_map_pairs",
        |mut caller: Call, map: i32, out: i32, out_size: i32| -> Result<i32> {
            let bytes = encode(caller.data().headers.get(&map).unwrap_or(&Pairs::new()));
            give(&mut caller, &bytes, out, out_size)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_header_map_pairs",
        |mut caller: Call, map: i32, at: i32, size: i32| -> Result<i32> {
            let pairs = decode(&read(&mut caller, at, size)?);
            caller.data_mut().headers.insert(map, pairs);
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_header_map_value",
        |mut caller: Call, map: i32, key: i32, key_size: i32, out: i32, out_size: i32| -> Result<i32> {
            let key = read(&mut caller, key, key_size)?;
            let pairs = caller.data().headers.get(&map);
            let found = pairs.and_then(|pairs| pairs.iter().find(|(name, _)| *name == key));
            match found.map(|(_, value)| value.clone()) {
                Some(value) => give(&mut caller, &value, out, out_size),
                None => Ok(NOT_FOUND),
            }
        },
    )?;
    let edit = |replaces: bool| {
        move |mut caller: Call, map: i32, key: i32, key_size: i32, value: i32, value_size: i32| -> Result<i32> {
            let key = read(&mut caller, key, key_size)?;
            let value = read(&mut caller, value, value_size)?;
            let pairs = caller.data_mut().headers.entry(map).or_default();
            if replaces {
                pairs.retain(|(name, _)| *name != key);
            }
            pairs.push((key, value));
            Ok(OK)
        }
    };
    linker.func_wrap("env", "proxy_add_header_map_value", edit(false))?;
    linker.func_wrap("env", "proxy_replace_header_map_value", edit(true))?;
    linker.func_wrap(
        "env",
        "proxy_remove_header_map_value",
        |mut caller: Call, map: i32, key: i32, key_size: i32| -> Result<i32> {
            let key = read(&mut caller, key, key_size)?;
            caller.data_mut().headers.entry(map).or_default().retain(|(name, _)| *name != key);
            Ok(OK)
        },
    )?;
    Ok(())
}

fn define_state(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_property", |_: i32, _: i32, _: i32, _: i32| NOT_FOUND)?;
    linker
        .func_wrap("env", "proxy_call_foreign_function", |_: i32, _: i32, _: i32, _: i32, _: i32, _: i32| NOT_FOUND)?;
    linker.func_wrap(
        "env",
        "proxy_get_shared_data",
        |mut caller: Call, key: i32, key_size: i32, out: i32, out_size: i32, out_cas: i32| -> Result<i32> {
            let key = read(&mut caller, key, key_size)?;
            let Some((value, cas)) = caller.data().shared.get(&key).cloned() else { return Ok(NOT_FOUND) };
            write(&mut caller, out_cas, &cas.to_le_bytes())?;
            give(&mut caller, &value, out, out_size)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_shared_data",
        |mut caller: Call, key: i32, key_size: i32, value: i32, value_size: i32, cas: i32| -> Result<i32> {
            let key = read(&mut caller, key, key_size)?;
            let value = read(&mut caller, value, value_size)?;
            let shared = &mut caller.data_mut().shared;
            let held = shared.get(&key).map(|(_, cas)| *cas);
            // No cas overwrites, and any cas creates.
            if cas != 0 && held.is_some_and(|held| held != cas as u32) {
                return Ok(CAS_MISMATCH);
            }
            shared.insert(key, (value, held.unwrap_or(0) + 1));
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_define_metric",
        |mut caller: Call, _: i32, _: i32, _: i32, out: i32| -> Result<i32> {
            caller.data_mut().metrics += 1;
            let id = caller.data().metrics;
            write(&mut caller, out, &id.to_le_bytes())?;
            Ok(OK)
        },
    )?;
    Ok(())
}
