//! Reserving and settling, for one VM.

use super::entry::{Entry, Place};
use super::lease::Leases;
use super::standing::Standing;
use super::typical::Typical;
use super::{Broken, Limits, Need, Refusal, Store, Used};

/// How often [`Limiter::tick`] is to be called, in milliseconds.
pub const TICK: u32 = 1000;

/// How often a change is tried. Each try that fails is one of another worker's that did not.
const TRIES: usize = 10_000;

/// What one VM knows beside the store.
#[derive(Debug, Default)]
pub struct Limiter {
    leases: Leases,
    /// How long answers are.
    pub typical: Typical,
}

/// A subject that a call is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where its entry stands.
    pub key: String,
    /// What it may use.
    pub limits: Limits,
}

/// What a call holds until it is settled.
#[derive(Debug)]
#[must_use = "what is not settled is lost when the VM ends"]
pub struct Reservation {
    vm: u64,
    need: Need,
    held: Vec<(String, Place)>,
}

/// Why a call is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The store does not answer.
    Broken,
    /// A subject.
    By {
        /// Its place in the list of claims.
        claim: usize,
        /// Why.
        refusal: Refusal,
        /// What each has left.
        standings: Vec<Standing>,
    },
}

impl From<Broken> for Refused {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl Limiter {
    /// Keeps this VM's reservations alive.
    pub fn tick(&mut self, store: &mut dyn Store, now: u64) -> Result<(), Broken> {
        self.leases.renew(store, now)
    }

    /// Reserves what a call needs of all `claims`, or of none; what each has left then. `now` is in unix milliseconds.
    pub fn reserve(
        &mut self,
        store: &mut dyn Store,
        claims: &[Claim],
        need: &Need,
        now: u64,
    ) -> Result<(Reservation, Vec<Standing>), Refused> {
        let vm = self.leases.own(store, now)?;
        // All are looked at before one is changed: so a call that one refuses takes nothing from others, be it for a moment.
        let mut entries = Vec::with_capacity(claims.len());
        for claim in claims {
            entries.push(self.read(store, claim, now)?);
        }
        let mut standings: Vec<_> =
            entries.iter().zip(claims).map(|((entry, _), claim)| entry.standing(&claim.limits, now)).collect();
        let refusals = entries.iter().zip(claims).enumerate().filter_map(|(place, ((entry, _), claim))| {
            entry.refusal(&claim.limits, need, now).map(|refusal| (place, refusal))
        });
        if let Some((claim, refusal)) = refusals.max_by_key(|(_, refusal)| refusal.wait.unwrap_or(u64::MAX)) {
            return Err(Refused::By { claim, refusal, standings });
        }
        let mut reservation = Reservation { vm, need: *need, held: Vec::with_capacity(claims.len()) };
        for (place, (claim, entry)) in claims.iter().zip(entries).enumerate() {
            match self.take(store, claim, entry, need, vm, now) {
                Ok(Ok((held, standing))) => {
                    reservation.held.push((claim.key.clone(), held));
                    if let Some(known) = standings.get_mut(place) {
                        *known = standing;
                    }
                }
                Ok(Err(refusal)) => {
                    undo(store, reservation)?;
                    return Err(Refused::By { claim: place, refusal, standings });
                }
                Err(Broken) => {
                    undo(store, reservation)?;
                    return Err(Refused::Broken);
                }
            }
        }
        Ok((reservation, standings))
    }

    /// Reserves of one subject, whose entry has been read and lets the call in unless another came first.
    fn take(
        &mut self,
        store: &mut dyn Store,
        claim: &Claim,
        (mut entry, mut version): (Entry, u32),
        need: &Need,
        vm: u64,
        now: u64,
    ) -> Result<Result<(Place, Standing), Refusal>, Broken> {
        for _ in 0..TRIES {
            if let Some(refusal) = entry.refusal(&claim.limits, need, now) {
                return Ok(Err(refusal));
            }
            let place = entry.reserve(need, vm);
            if store.set(&claim.key, &entry.encode(), version)? {
                return Ok(Ok((place, entry.standing(&claim.limits, now))));
            }
            (entry, version) = self.read(store, claim, now)?;
        }
        Err(Broken)
    }

    /// A subject's entry as it is at `now`, without what dead VMs hold.
    fn read(&mut self, store: &mut dyn Store, claim: &Claim, now: u64) -> Result<(Entry, u32), Broken> {
        let (bytes, version) = store.get(&claim.key)?;
        let mut entry = Entry::decode(&bytes);
        entry.go_on(&claim.limits, now);
        let unknown = |leases: &Leases| entry.vms().any(|vm| !leases.is_alive(vm, now));
        // One that is not known may have come a moment ago.
        if unknown(&self.leases) {
            self.leases.look(store)?;
            entry.bury(|vm| self.leases.is_alive(vm, now));
        }
        Ok((entry, version))
    }

    /// What a subject has left.
    pub fn standing(&mut self, store: &mut dyn Store, claim: &Claim, now: u64) -> Result<Standing, Broken> {
        let (entry, _) = self.read(store, claim, now)?;
        Ok(entry.standing(&claim.limits, now))
    }
}

/// Takes what a call has used in the place of what it has reserved. `used` says it for each of the claims, by its place.
pub fn settle(store: &mut dyn Store, reservation: Reservation, used: impl Fn(usize) -> Used) -> Result<(), Broken> {
    let Reservation { vm, need, held } = reservation;
    // One that cannot be reached leaves the others no worse.
    let settled = held
        .iter()
        .enumerate()
        .map(|(claim, (key, place))| change(store, key, |entry| entry.settle(&need, vm, *place, &used(claim))));
    settled.fold(Ok(()), Result::and)
}

/// Takes what was used of a subject without a reservation.
pub fn charge(store: &mut dyn Store, claim: &Claim, requests: u64, used: &Used, now: u64) -> Result<(), Broken> {
    change(store, &claim.key, |entry| {
        entry.go_on(&claim.limits, now);
        entry.charge(requests, used);
    })
}

/// Takes a reservation back.
fn undo(store: &mut dyn Store, reservation: Reservation) -> Result<(), Broken> {
    let Reservation { vm, need, held } = reservation;
    let undone = held.iter().map(|(key, place)| change(store, key, |entry| entry.undo(&need, vm, *place)));
    undone.fold(Ok(()), Result::and)
}

fn change(store: &mut dyn Store, key: &str, mut change: impl FnMut(&mut Entry)) -> Result<(), Broken> {
    for _ in 0..TRIES {
        let (bytes, version) = store.get(key)?;
        let mut entry = Entry::decode(&bytes);
        change(&mut entry);
        if store.set(key, &entry.encode(), version)? {
            return Ok(());
        }
    }
    Err(Broken)
}
