//! Many VMs on one store.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::entry::{Entry, MINUTE};
use super::*;
use crate::time::timestamp;

/// A host's shared data: a value has a version from 1 on, and none is made under another version than that of nothing.
#[derive(Default)]
struct Shared(HashMap<String, (Vec<u8>, u32)>);

/// What comes between a VM's reading and its writing.
type Meanwhile = Rc<RefCell<dyn FnMut()>>;

#[derive(Clone, Default)]
struct Host {
    shared: Rc<RefCell<Shared>>,
    meanwhile: Option<Meanwhile>,
    broken: bool,
}

impl Shared {
    fn get(&self, key: &str) -> (Vec<u8>, u32) {
        self.0.get(key).cloned().unwrap_or((Vec::new(), u32::MAX))
    }

    fn set(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        let current = self.get(key).1;
        if version != current {
            return false;
        }
        self.0.insert(key.to_owned(), (value.to_vec(), current.wrapping_add(1).max(1)));
        true
    }
}

impl Store for Host {
    fn get(&mut self, key: &str) -> Result<(Vec<u8>, u32), Broken> {
        if self.broken { Err(Broken) } else { Ok(self.shared.borrow().get(key)) }
    }

    fn set(&mut self, key: &str, value: &[u8], version: u32) -> Result<bool, Broken> {
        if let Some(meanwhile) = &self.meanwhile {
            meanwhile.borrow_mut()();
        }
        Ok(self.shared.borrow_mut().set(key, value, version))
    }
}

/// A Wednesday.
const NOW: u64 = 1_700_000_000_000;

fn claim(key: &str, limits: Limits) -> Claim {
    Claim { key: key.to_owned(), limits }
}

fn rpm(limit: u64) -> Limits {
    Limits { rpm: Some(limit), ..Limits::default() }
}

fn tpm(limit: u64) -> Limits {
    Limits { tpm: Some(limit), ..Limits::default() }
}

fn budget(limit: u64, per: Period) -> Limits {
    Limits { budget: Some(Budget { limit, per, spent: 0 }), ..Limits::default() }
}

fn tokens(input: u64, output: u64) -> Need {
    Need { input, output, ..Need::default() }
}

fn money(cost: u64) -> Need {
    Need { cost, ..Need::default() }
}

fn used(input: u64, output: u64) -> Used {
    Used { input, output, cost: Some(0) }
}

/// One VM.
struct Vm {
    host: Host,
    limiter: Limiter,
}

impl Vm {
    fn of(host: &Host) -> Self {
        Self { host: host.clone(), limiter: Limiter::default() }
    }

    fn reserve(&mut self, claims: &[Claim], need: &Need, now: u64) -> Result<Reservation, Refusal> {
        match self.limiter.reserve(&mut self.host, claims, need, now) {
            Ok((reservation, _)) => Ok(reservation),
            Err(Refused::By { refusal, .. }) => Err(refusal),
            Err(Refused::Broken) => panic!("the store is not broken"),
        }
    }

    fn settle(&mut self, reservation: Reservation, used: Used) {
        settle(&mut self.host, reservation, |_| used).unwrap();
    }

    fn standing(&mut self, claim: &Claim, now: u64) -> Standing {
        self.limiter.standing(&mut self.host, claim, now).unwrap()
    }

    fn tick(&mut self, now: u64) {
        self.limiter.tick(&mut self.host, now).unwrap();
    }

    /// Lives through a time, as a VM does that ticks.
    fn live(&mut self, from: u64, to: u64) {
        (from..=to).step_by(TICK as usize).for_each(|now| self.tick(now));
    }
}

fn taken(window: Option<Window>) -> u64 {
    window.unwrap().taken
}

#[test]
fn calls_are_counted_by_the_minute() {
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", rpm(3))];
    for _ in 0..3 {
        let reservation = vm.reserve(&key, &Need::default(), NOW).unwrap();
        // Calls that fail are calls.
        vm.settle(reservation, used(0, 0));
    }
    let refusal = vm.reserve(&key, &Need::default(), NOW + 1000).unwrap_err();
    let expected = Refusal { reason: Reason::Requests, limit: 3, left: 0, need: 1, wait: Some(59_000) };
    assert_eq!(refusal, expected);
    assert!(vm.reserve(&key, &Need::default(), NOW + MINUTE - 1).is_err());
    for _ in 0..3 {
        let _kept = vm.reserve(&key, &Need::default(), NOW + MINUTE).unwrap();
    }
    // The window began with its first call.
    assert_eq!(vm.reserve(&key, &Need::default(), NOW + MINUTE + 1).unwrap_err().wait, Some(MINUTE - 1));
    assert!(vm.reserve(&key, &Need::default(), NOW + 10 * MINUTE + 17).is_ok());
    assert_eq!(vm.standing(&key[0], NOW + 10 * MINUTE + 17).requests.unwrap().resets, Some(MINUTE));
}

#[test]
fn a_clock_that_is_set_back_keeps_no_window_open() {
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", rpm(1))];
    let _kept = vm.reserve(&key, &Need::default(), NOW).unwrap();
    // Another worker's clock may be a little behind.
    assert!(vm.reserve(&key, &Need::default(), NOW - 100).is_err());
    assert!(vm.reserve(&key, &Need::default(), NOW - 2 * MINUTE).is_ok());
}

#[test]
fn a_call_takes_of_all_or_of_none() {
    let mut vm = Vm::of(&Host::default());
    let claims = [claim("k", rpm(10)), claim("t", rpm(1)), claim("m", tpm(100))];
    let _kept = vm.reserve(&claims, &tokens(5, 5), NOW).unwrap();
    for _ in 0..3 {
        assert_eq!(vm.reserve(&claims, &tokens(5, 5), NOW).unwrap_err().limit, 1);
    }
    assert_eq!(taken(vm.standing(&claims[0], NOW).requests), 1);
    assert_eq!(taken(vm.standing(&claims[2], NOW).tokens), 10);
}

#[test]
fn what_another_takes_meanwhile_is_put_back_everywhere() {
    let mut host = Host::default();
    let other = RefCell::new(Vm::of(&host));
    let claims = [claim("k", Limits { parallel: Some(9), ..tpm(100) }), claim("t", rpm(1))];
    let team = claims[1].clone();
    // Between the look at the team and the change of it, somebody else is let in.
    let mut turns = 0;
    host.meanwhile = Some(Rc::new(RefCell::new(move || {
        turns += 1;
        // The first is this VM's lease, the second its key.
        if turns == 3 {
            let _kept = other.borrow_mut().reserve(std::slice::from_ref(&team), &Need::default(), NOW).unwrap();
        }
    })));
    let mut vm = Vm::of(&host);
    assert_eq!(vm.reserve(&claims, &tokens(1, 1), NOW).unwrap_err().reason, Reason::Requests);
    let standing = vm.standing(&claims[0], NOW);
    assert_eq!((taken(standing.tokens), taken(standing.parallel)), (0, 0));
}

#[test]
fn the_longest_wait_is_told() {
    let mut vm = Vm::of(&Host::default());
    let limits = Limits { rpm: Some(1), parallel: Some(1), ..budget(10, Period::Day) };
    let key = [claim("k", limits)];
    let _kept = vm.reserve(&key, &money(10), NOW).unwrap();
    let refusal = vm.reserve(&key, &money(1), NOW).unwrap_err();
    let end = timestamp("2023-11-15T00:00:00Z").unwrap() * 1000;
    assert_eq!((refusal.reason, refusal.wait), (Reason::Budget, Some(end - NOW)));
}

#[test]
fn tokens_are_settled() {
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", Limits { input_tpm: Some(60), ..tpm(100) })];
    let first = vm.reserve(&key, &tokens(10, 50), NOW).unwrap();
    let refusal = vm.reserve(&key, &tokens(10, 50), NOW).unwrap_err();
    assert_eq!((refusal.reason, refusal.left, refusal.need), (Reason::Tokens, 40, 60));
    vm.settle(first, used(12, 20));
    let standing = vm.standing(&key[0], NOW);
    assert_eq!((taken(standing.tokens), taken(standing.input_tokens)), (32, 12));
    assert_eq!(vm.reserve(&key, &tokens(49, 0), NOW).unwrap_err().reason, Reason::InputTokens);
    let _kept = vm.reserve(&key, &tokens(48, 20), NOW).unwrap();
}

#[test]
fn overuse_is_debt() {
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", tpm(100))];
    let first = vm.reserve(&key, &tokens(10, 40), NOW).unwrap();
    vm.settle(first, used(10, 240));
    // 250 of 100: the third window has 50 left.
    let refusal = vm.reserve(&key, &tokens(60, 0), NOW + 1).unwrap_err();
    assert_eq!(refusal.wait, Some(3 * MINUTE - 1));
    assert!(vm.reserve(&key, &tokens(1, 0), NOW + 2 * MINUTE - 1).is_err());
    let _kept = vm.reserve(&key, &tokens(50, 0), NOW + 2 * MINUTE).unwrap();
    assert!(vm.reserve(&key, &tokens(1, 0), NOW + 2 * MINUTE).is_err());
    assert!(vm.reserve(&key, &tokens(100, 0), NOW + 3 * MINUTE).is_ok());
}

#[test]
fn a_call_that_ends_in_a_later_window_is_settled_there() {
    let later = NOW + MINUTE;
    for (need, overuse, expected) in [
        // Nothing to give back: its window is over.
        (tokens(10, 40), used(10, 0), 1),
        // What it used above its reservation is taken now.
        (tokens(10, 40), used(10, 90), 51),
    ] {
        let mut vm = Vm::of(&Host::default());
        let key = [claim("k", tpm(100))];
        let long = vm.reserve(&key, &need, NOW).unwrap();
        vm.live(NOW, later);
        let _kept = vm.reserve(&key, &tokens(1, 0), later).unwrap();
        vm.settle(long, overuse);
        assert_eq!(taken(vm.standing(&key[0], later).tokens), expected);
    }
    // What was given to the window before in debt is given back.
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", tpm(100))];
    let long = vm.reserve(&key, &tokens(10, 40), NOW).unwrap();
    let short = vm.reserve(&key, &tokens(10, 40), NOW).unwrap();
    vm.settle(short, used(10, 70));
    vm.live(NOW, later);
    let _kept = vm.reserve(&key, &tokens(1, 0), later).unwrap();
    assert_eq!(taken(vm.standing(&key[0], later).tokens), 31);
    vm.settle(long, used(10, 20));
    assert_eq!(taken(vm.standing(&key[0], later).tokens), 11);
}

#[test]
fn places_are_given_back() {
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", Limits { parallel: Some(2), ..Limits::default() })];
    let first = vm.reserve(&key, &Need::default(), NOW).unwrap();
    let second = vm.reserve(&key, &Need::default(), NOW).unwrap();
    assert_eq!(vm.reserve(&key, &Need::default(), NOW).unwrap_err().reason, Reason::Parallel);
    vm.settle(first, used(0, 0));
    let third = vm.reserve(&key, &Need::default(), NOW).unwrap();
    vm.settle(second, used(0, 0));
    vm.settle(third, used(0, 0));
    assert_eq!(taken(vm.standing(&key[0], NOW).parallel), 0);
}

#[test]
fn budgets_end_with_the_calendar() {
    let at = |text: &str| timestamp(text).unwrap() * 1000;
    for (per, now, end) in [
        (Period::Hour, "2026-11-25T10:19:35Z", "2026-11-25T11:00:00Z"),
        (Period::Day, "2026-11-25T10:19:35Z", "2026-11-26T00:00:00Z"),
        (Period::Week, "2026-11-25T10:19:35Z", "2026-11-30T00:00:00Z"),
        (Period::Week, "2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z"),
        (Period::Month, "2026-11-25T10:19:35Z", "2026-12-01T00:00:00Z"),
        (Period::Month, "2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z"),
    ] {
        let mut vm = Vm::of(&Host::default());
        let key = [claim("k", budget(100, per))];
        let (now, end) = (at(now), at(end));
        let first = vm.reserve(&key, &money(100), now).unwrap();
        vm.settle(first, Used { cost: Some(130), ..Used::default() });
        let wait = vm.reserve(&key, &money(70), now).unwrap_err().wait.unwrap();
        assert_eq!(now + wait, end, "{per:?}");
        assert!(vm.reserve(&key, &money(1), end - 1).is_err());
        assert_eq!(vm.reserve(&key, &money(71), end).unwrap_err().left, 70);
        let _kept = vm.reserve(&key, &money(70), end).unwrap();
        // Who has nothing left gets nothing, not even what is free.
        assert!(vm.reserve(&key, &money(0), end).is_err());
    }
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", budget(100, Period::Total))];
    let all = vm.reserve(&key, &money(100), NOW).unwrap();
    vm.settle(all, Used { cost: Some(100), ..Used::default() });
    assert_eq!(vm.reserve(&key, &money(1), NOW + 1000 * MINUTE).unwrap_err().wait, None);
}

#[test]
fn a_price_that_is_not_known_keeps_what_was_reserved() {
    let mut vm = Vm::of(&Host::default());
    let key = [claim("k", budget(100, Period::Day))];
    let reservation = vm.reserve(&key, &money(60), NOW).unwrap();
    vm.settle(reservation, Used { cost: None, ..used(1, 1) });
    assert_eq!(taken(vm.standing(&key[0], NOW).budget), 60);
}

#[test]
fn a_start_value_counts_once() {
    let mut vm = Vm::of(&Host::default());
    let with =
        |limit, spent| [claim("k", Limits { budget: Some(Budget { limit, per: Period::Day, spent }), ..rpm(9) })];
    let day = 24 * 60 * MINUTE;
    let spend = |vm: &mut Vm, claims: &[Claim], cost, now| {
        let reservation = vm.reserve(claims, &money(cost), now).unwrap();
        vm.settle(reservation, Used { cost: Some(cost), ..Used::default() });
        taken(vm.standing(&claims[0], now).budget)
    };
    assert_eq!(spend(&mut vm, &with(100, 30), 10, NOW), 40);
    // The same configuration again, one with another limit, one without a start value, one with a lower one.
    assert_eq!(spend(&mut vm, &with(100, 30), 1, NOW), 41);
    assert_eq!(spend(&mut vm, &with(200, 30), 1, NOW), 42);
    assert_eq!(spend(&mut vm, &with(200, 0), 1, NOW), 43);
    assert_eq!(spend(&mut vm, &with(200, 20), 1, NOW), 44);
    // One that knows of more.
    assert_eq!(spend(&mut vm, &with(200, 60), 1, NOW), 61);
    // The next day begins with nothing, whatever the configuration still says.
    assert_eq!(spend(&mut vm, &with(200, 60), 1, NOW + day), 1);
    // Another period is another count.
    let week = [claim("k", Limits { budget: Some(Budget { limit: 100, per: Period::Week, spent: 7 }), ..rpm(9) })];
    assert_eq!(spend(&mut vm, &week, 1, NOW + day), 8);
    assert_eq!(taken(vm.standing(&week[0], NOW + day).requests), 2);
}

#[test]
fn a_budget_that_changes_its_period_takes_what_is_under_way() {
    let mut vm = Vm::of(&Host::default());
    let reservation = vm.reserve(&[claim("k", budget(100, Period::Day))], &money(60), NOW).unwrap();
    let week = [claim("k", budget(100, Period::Week))];
    let _kept = vm.reserve(&week, &money(1), NOW).unwrap();
    vm.settle(reservation, Used { cost: Some(50), ..Used::default() });
    assert_eq!(taken(vm.standing(&week[0], NOW).budget), 51);
}

#[test]
fn a_dead_vm_loses_its_places_and_is_charged_for_input() {
    let host = Host::default();
    let (mut dead, mut vm) = (Vm::of(&host), Vm::of(&host));
    let limits = Limits { parallel: Some(3), budget: budget(100, Period::Day).budget, ..tpm(100) };
    let key = [claim("k", limits)];
    let need = Need { input: 10, output: 20, input_cost: 5, cost: 25 };
    let lost = [(); 2].map(|()| dead.reserve(&key, &need, NOW).unwrap());
    let live = vm.reserve(&key, &need, NOW).unwrap();
    let before = vm.standing(&key[0], NOW + 1);
    assert_eq!((taken(before.parallel), taken(before.tokens), taken(before.budget)), (3, 90, 75));
    // A VM that ticks is alive, however long its calls take.
    for second in 1..=4 {
        dead.tick(NOW + second * 1000);
        vm.tick(NOW + second * 1000);
    }
    for second in 5..=8 {
        vm.tick(NOW + second * 1000);
        assert!(vm.reserve(&key, &need, NOW + second * 1000).is_err());
    }
    let later = NOW + 9000;
    let after = vm.standing(&key[0], later);
    assert_eq!((taken(after.parallel), taken(after.tokens), taken(after.budget)), (1, 50, 35));
    // Had it only been late, it would be as if it had reserved nothing but its input.
    let second = vm.reserve(&key, &need, later).unwrap();
    for reservation in lost {
        dead.settle(reservation, Used { input: 10, output: 5, cost: Some(10) });
    }
    vm.settle(live, Used { input: 10, output: 20, cost: Some(25) });
    vm.settle(second, Used { input: 0, output: 0, cost: Some(0) });
    let end = vm.standing(&key[0], later);
    assert_eq!((taken(end.parallel), taken(end.tokens), taken(end.budget)), (0, 60, 45));
}

#[test]
fn a_vm_that_was_late_is_another() {
    let host = Host::default();
    let (mut late, mut vm) = (Vm::of(&host), Vm::of(&host));
    let key = [claim("k", Limits { parallel: Some(2), ..Limits::default() })];
    let old = late.reserve(&key, &Need::default(), NOW).unwrap();
    let later = NOW + 6000;
    let other = vm.reserve(&key, &Need::default(), later).unwrap();
    let new = late.reserve(&key, &Need::default(), later).unwrap();
    // The old call's end frees no place of a call that goes on.
    late.settle(old, used(0, 0));
    assert_eq!(taken(vm.standing(&key[0], later).parallel), 2);
    late.settle(new, used(0, 0));
    vm.settle(other, used(0, 0));
    assert_eq!(taken(vm.standing(&key[0], later).parallel), 0);
}

#[test]
fn a_vm_that_has_just_come_is_not_dead() {
    let host = Host::default();
    let (mut old, mut new) = (Vm::of(&host), Vm::of(&host));
    let key = [claim("k", Limits { parallel: Some(1), ..Limits::default() })];
    let first = old.reserve(&key, &Need::default(), NOW).unwrap();
    old.settle(first, used(0, 0));
    let _kept = new.reserve(&key, &Need::default(), NOW + 1).unwrap();
    assert!(old.reserve(&key, &Need::default(), NOW + 2).is_err());
}

#[test]
fn nobody_is_let_in_by_a_store_that_does_not_answer() {
    let mut host = Host { broken: true, ..Host::default() };
    let refused = Limiter::default().reserve(&mut host, &[claim("k", rpm(1))], &Need::default(), NOW);
    assert_eq!(refused.map(drop), Err(Refused::Broken));
}

#[test]
fn any_bytes_are_an_entry() {
    let mut entry = Entry::default();
    entry.go_on(&budget(100, Period::Day), NOW);
    let _place = entry.reserve(&Need { input: 1, output: 2, input_cost: 3, cost: 4 }, 7);
    let bytes = entry.encode();
    assert_eq!(Entry::decode(&bytes), entry);
    for cut in 0..bytes.len() {
        // An entry may have no leases.
        let expected = if cut == bytes.len() - 32 { 0 } else { 1 };
        assert_eq!(usize::from(Entry::decode(&bytes[..cut]) == Entry::default()), expected, "{cut}");
    }
    let mut other = bytes.clone();
    other[0] += 1;
    assert_eq!(Entry::decode(&other), Entry::default());
    // Whatever an entry says, it can be gone on with.
    for byte in [0, 1, 0x7f, 0xff] {
        let mut hostile = vec![1, 2];
        hostile.resize(bytes.len(), byte);
        let mut host = Host::default();
        host.shared.borrow_mut().set("k", &hostile, u32::MAX);
        let limits = Limits { input_tpm: Some(1), rpm: Some(1), parallel: Some(1), ..budget(1, Period::Week) };
        let claims = [claim("k", limits)];
        let mut limiter = Limiter::default();
        let _any = limiter.reserve(
            &mut host,
            &claims,
            &Need { input: u64::MAX, output: 1, input_cost: 2, cost: u64::MAX },
            NOW,
        );
        if let Ok((reservation, _)) = limiter.reserve(&mut host, &claims, &Need::default(), NOW + 70_000) {
            settle(&mut host, reservation, |_| used(u64::MAX, u64::MAX)).unwrap();
        }
        limiter.standing(&mut host, &claims[0], u64::MAX).unwrap();
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn workers_at_once_never_pass_a_limit() {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};

    type Values = HashMap<String, (Vec<u8>, u32)>;

    #[derive(Clone, Default)]
    struct Threads(Arc<Mutex<Values>>);

    impl Store for Threads {
        fn get(&mut self, key: &str) -> Result<(Vec<u8>, u32), Broken> {
            Ok(self.0.lock().unwrap().get(key).cloned().unwrap_or((Vec::new(), u32::MAX)))
        }

        fn set(&mut self, key: &str, value: &[u8], version: u32) -> Result<bool, Broken> {
            let mut map = self.0.lock().unwrap();
            let current = map.get(key).map_or(u32::MAX, |(_, version)| *version);
            if current == version {
                map.insert(key.to_owned(), (value.to_vec(), current.wrapping_add(1).max(1)));
            }
            Ok(current == version)
        }
    }

    let store = Threads::default();
    let limits = Limits { parallel: Some(4), budget: budget(9000, Period::Day).budget, tpm: Some(3000), ..rpm(500) };
    let claims = [claim("k", limits), claim("t", rpm(450))];
    let (passed, at_once) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let (mut store, claims, passed, at_once) = (store.clone(), &claims, &passed, &at_once);
            scope.spawn(move || {
                let mut limiter = Limiter::default();
                for _ in 0..2000 {
                    let need = Need { input: 2, output: 8, input_cost: 3, cost: 30 };
                    let Ok((reservation, _)) = limiter.reserve(&mut store, claims, &need, NOW) else { continue };
                    assert!(at_once.fetch_add(1, Ordering::SeqCst) < 4);
                    passed.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    settle(&mut store, reservation, |_| Used { input: 2, output: 8, cost: Some(30) }).unwrap();
                }
            });
        }
    });
    // Money and tokens for exactly so many.
    assert_eq!(passed.load(Ordering::SeqCst), 300);
    let mut store = store;
    let standing = Limiter::default().standing(&mut store, &claims[0], NOW).unwrap();
    assert_eq!((taken(standing.tokens), taken(standing.budget), taken(standing.parallel)), (3000, 9000, 0));
    assert_eq!(taken(standing.requests), 300);
}
