//! The proxy-wasm callbacks: what the host says goes into the core as data, what the core says goes out as host calls.
//! Nothing is decided here.
//!
//! [`listener`] holds the roles `gateway` and `standalone`, [`cluster`] the role `upstream`; what they do alike with an
//! upstream's request and answer is in [`exchange`], and what it is paid with in [`account`] and [`tokens`].

#[expect(unsafe_code, reason = "calls of the host")]
mod abi;
mod account;
mod calls;
mod cluster;
#[expect(unsafe_code, reason = "calls of the host")]
mod environment;
mod exchange;
mod images;
mod limits;
mod listener;
mod shared;
mod stats;
mod tokens;

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

use self::tokens::Tokens;
use crate::config::{Config, Role, structure};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { config: None, tokens: Tokens::default() }));
}}

/// One configuration of the filter.
struct Root {
    config: Option<Rc<Config>>,
    tokens: Tokens,
}

impl Context for Root {
    fn on_http_call_response(&mut self, number: u32, headers: usize, _body: usize, _trailers: usize) {
        self.tokens.answer(number, headers);
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let Ok(document) = abi::buffer(abi::Buffer::PluginConfiguration, 0, usize::MAX) else {
            log::error!("dragoman: the filter has no configuration");
            return false;
        };
        let document = structure::to_json(&document).unwrap_or(document);
        let environment = environment::read();
        match Config::parse(&document, &|name| environment.get(name).cloned()) {
            Ok(config) => {
                config.warnings.iter().for_each(|warning| log::warn!("dragoman: {warning}"));
                self.tokens = Tokens::of(&config);
                let periods = [self.tokens.tick_period(), limits::tick(&config)];
                if let Some(period) = periods.into_iter().flatten().min() {
                    warn_if_refused("tick", abi::set_tick(period));
                }
                self.config = Some(Rc::new(config));
                true
            }
            Err(faults) => {
                faults.iter().for_each(|fault| log::error!("dragoman: {fault}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.tokens.tick();
        limits::renew();
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match &self.config {
            Some(config) if config.role == Role::Upstream => Box::new(cluster::Cluster::new(Rc::clone(config))),
            Some(config) => Box::new(listener::Listener::new(Rc::clone(config))),
            None => Box::new(Unconfigured),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// A stream of a filter whose configuration was refused: the host should not make one.
struct Unconfigured;

impl Context for Unconfigured {}

impl HttpContext for Unconfigured {
    fn on_http_request_headers(&mut self, _count: usize, _end: bool) -> Action {
        warn_if_refused("reply", abi::reply(503, "dragoman_unconfigured", &[], b""));
        Action::Pause
    }
}

/// Tells the log of a host call that failed: none should, and there is nothing else to do about it.
fn warn_if_refused(what: &str, outcome: Result<(), abi::Refused>) {
    if let Err(refused) = outcome {
        log::warn!("dragoman: the host refused to {what}: {refused:?}");
    }
}
