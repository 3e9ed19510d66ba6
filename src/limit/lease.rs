//! Which VMs are alive.
//!
//! One value of the store lists them, each with the time until which it counts as alive, which its tick moves on. A VM that
//! traps stops doing so. One that was only late gets a new number: others may have given back for the old one.

use super::{Broken, Store};

/// Where the list stands.
const KEY: &str = "dragoman.vms";

/// The first byte of the list.
const LAYOUT: u8 = 1;

/// For how long a VM is alive without a tick, in milliseconds.
const LEASE: u64 = 5000;

/// How often the list is tried to be changed: another VM that comes in between makes it fail.
const TRIES: usize = 1000;

/// What one VM knows of all.
#[derive(Debug, Default)]
pub(super) struct Leases {
    own: Option<Vm>,
    /// As it was last read.
    list: Vec<Vm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vm {
    number: u64,
    /// In unix milliseconds.
    until: u64,
}

impl Leases {
    /// This VM's number, under a lease that holds at `now`.
    pub(super) fn own(&mut self, store: &mut dyn Store, now: u64) -> Result<u64, Broken> {
        match self.own {
            Some(vm) if vm.until > now => Ok(vm.number),
            _ => self.change(store, now),
        }
    }

    /// Moves the lease on, if there is one.
    pub(super) fn renew(&mut self, store: &mut dyn Store, now: u64) -> Result<(), Broken> {
        if self.own.is_some() {
            self.change(store, now)?;
        }
        Ok(())
    }

    fn change(&mut self, store: &mut dyn Store, now: u64) -> Result<u64, Broken> {
        for _ in 0..TRIES {
            let (bytes, version) = store.get(KEY)?;
            let mut list = decode(&bytes);
            list.retain(|vm| vm.until > now);
            let number = match self.own.filter(|own| list.iter().any(|vm| vm.number == own.number)) {
                Some(own) => own.number,
                // No number comes twice, not even where the list was lost.
                None => list.iter().map(|vm| vm.number).max().unwrap_or(0).max(now).saturating_add(1),
            };
            list.retain(|vm| vm.number != number);
            let own = Vm { number, until: now.saturating_add(LEASE) };
            list.push(own);
            if store.set(KEY, &encode(&list), version)? {
                (self.own, self.list) = (Some(own), list);
                return Ok(number);
            }
        }
        Err(Broken)
    }

    /// Whether a VM is alive, as far as is known.
    pub(super) fn is_alive(&self, number: u64, now: u64) -> bool {
        let own = self.own.is_some_and(|own| own.number == number);
        own || self.list.iter().any(|vm| vm.number == number && vm.until > now)
    }

    /// Reads the list anew.
    pub(super) fn look(&mut self, store: &mut dyn Store) -> Result<(), Broken> {
        self.list = decode(&store.get(KEY)?.0);
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Vec<Vm> {
    let Some((&LAYOUT, rest)) = bytes.split_first() else { return Vec::new() };
    let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let vm = |bytes: &[u8]| Some(Vm { number: number(bytes)?, until: number(bytes.get(8..)?)? });
    rest.chunks_exact(16).filter_map(vm).collect()
}

fn encode(list: &[Vm]) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    list.iter().for_each(|vm| {
        bytes.extend(vm.number.to_le_bytes());
        bytes.extend(vm.until.to_le_bytes());
    });
    bytes
}
