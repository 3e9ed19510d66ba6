//! What is known of one subject: its counts, in which windows, and what VMs have reserved.

use super::standing::{Standing, Window};
use super::{Limits, Need, Reason, Refusal, Used};

/// The first byte of an entry: another layout is another number, and what it holds is not read.
const LAYOUT: u8 = 1;

/// The most leases that are read: a host has fewer workers.
const MOST_LEASES: usize = 4096;

/// A window of a minute, in milliseconds.
pub(super) const MINUTE: u64 = 60_000;

/// What is known of one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// When the minute began, in unix milliseconds.
    minute: u64,
    /// Calls of the minute.
    requests: u64,
    /// Tokens of the minute.
    tokens: Count,
    /// Input tokens of the minute.
    input: Count,
    /// The [code](super::Period::code) of the budget's period; 0 where there was no budget yet.
    per: u8,
    /// The budget's window.
    window: u64,
    /// Nanodollars of the window.
    money: Count,
    /// The start value that was counted last.
    start: u64,
    /// What VMs have reserved.
    leases: Vec<Lease>,
}

/// What was reserved and settled in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    taken: u64,
    /// The part of it that is the debt of the windows before.
    debt: u64,
}

/// What one VM has reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lease {
    /// The VM.
    vm: u64,
    /// Its calls.
    parallel: u64,
    /// Output tokens that its calls of this minute have reserved.
    output: u64,
    /// Nanodollars that its calls of the budget's window have reserved for output.
    money: u64,
}

/// The windows in which something was reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    minute: u64,
    per: u8,
    window: u64,
}

/// How a window is to that of a reservation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Same,
    Next,
    Later,
}

impl Count {
    /// Goes so many windows on, each of which pays off as much as it allows.
    fn roll(&mut self, limit: Option<u64>, windows: u64) {
        let paid = limit.map_or(u64::MAX, |limit| limit.saturating_mul(windows));
        let debt = self.taken.saturating_sub(paid);
        *self = Self { taken: debt, debt };
    }

    fn left(&self, limit: u64) -> u64 {
        limit.saturating_sub(self.taken)
    }

    /// How many windows from now so much will fit: 0 is now.
    fn wait(&self, limit: u64, amount: u64) -> u64 {
        // What is more than a whole window never does; it is told to wait until nothing else is in its way.
        let above = self.taken.saturating_add(amount.min(limit)).saturating_sub(limit);
        above.div_ceil(limit.max(1))
    }

    fn add(&mut self, amount: u64) {
        self.taken = self.taken.saturating_add(amount);
    }

    fn remove(&mut self, amount: u64) {
        self.taken = self.taken.saturating_sub(amount);
        self.debt = self.debt.min(self.taken);
    }

    /// Takes what was used in the place of what was reserved.
    fn settle(&mut self, reserved: u64, used: u64, age: Age) {
        self.add(used.saturating_sub(reserved));
        let back = reserved.saturating_sub(used);
        match age {
            Age::Same => self.remove(back),
            // What that window has left as debt was too much.
            Age::Next => {
                let back = back.min(self.debt);
                self.debt = self.debt.saturating_sub(back);
                self.taken = self.taken.saturating_sub(back);
            }
            Age::Later => {}
        }
    }
}

impl Entry {
    /// Reads an entry; one that is none is a new one.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        read(bytes).unwrap_or_default()
    }

    /// Writes the entry.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend([LAYOUT, self.per]);
        let Self { minute, requests, tokens, input, per: _, window, money, start, leases } = self;
        let numbers = [
            minute,
            requests,
            &tokens.taken,
            &tokens.debt,
            &input.taken,
            &input.debt,
            window,
            &money.taken,
            &money.debt,
            start,
        ];
        numbers.into_iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        for Lease { vm, parallel, output, money } in leases {
            [vm, parallel, output, money].into_iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
        bytes
    }

    /// Goes on to the windows of `now`, in unix milliseconds.
    pub(super) fn go_on(&mut self, limits: &Limits, now: u64) {
        let passed = now.saturating_sub(self.minute) / MINUTE;
        // A clock that was set back must not keep a window open.
        if passed > 0 || self.minute > now.saturating_add(MINUTE) {
            self.tokens.roll(limits.tpm, passed.max(1));
            self.input.roll(limits.input_tpm, passed.max(1));
            self.requests = 0;
            self.leases.iter_mut().for_each(|lease| lease.output = 0);
            let in_debt = self.tokens.debt > 0 || self.input.debt > 0;
            self.minute =
                if in_debt && passed > 0 { self.minute.saturating_add(passed.saturating_mul(MINUTE)) } else { now };
        }
        let Some(budget) = &limits.budget else { return };
        let window = budget.per.window(now / 1000);
        let passed = window.saturating_sub(self.window);
        let known = self.per == budget.per.code() && self.window <= window.saturating_add(1);
        if !known {
            self.money = Count { taken: budget.spent, debt: 0 };
            (self.per, self.window, self.start) = (budget.per.code(), window, budget.spent);
            self.leases.iter_mut().for_each(|lease| lease.money = 0);
        } else if passed > 0 {
            self.money.roll(Some(budget.limit), passed);
            self.window = window;
            self.leases.iter_mut().for_each(|lease| lease.money = 0);
        }
        if self.start != budget.spent {
            let reserved = self.leases.iter().fold(0_u64, |sum, lease| sum.saturating_add(lease.money));
            let settled = self.money.taken.saturating_sub(reserved).max(budget.spent);
            self.money.taken = settled.saturating_add(reserved);
            self.start = budget.spent;
        }
    }

    /// The VMs that have reserved something.
    pub(super) fn vms(&self) -> impl Iterator<Item = u64> {
        self.leases.iter().map(|lease| lease.vm)
    }

    /// Gives back what VMs have reserved that are not alive: their places, and what they held for output. What they held for
    /// input is charged.
    pub(super) fn bury(&mut self, alive: impl Fn(u64) -> bool) {
        let (tokens, money) = (&mut self.tokens, &mut self.money);
        self.leases.retain(|lease| {
            let keep = alive(lease.vm);
            if !keep {
                tokens.remove(lease.output);
                money.remove(lease.money);
            }
            keep
        });
    }

    fn parallel(&self) -> u64 {
        self.leases.iter().fold(0, |sum, lease| sum.saturating_add(lease.parallel))
    }

    /// When the minute ends, from `now`.
    fn rest(&self, now: u64) -> u64 {
        self.minute.saturating_add(MINUTE).saturating_sub(now)
    }

    /// When the budget's window ends, from `now`, and when the one that comes `windows` later.
    fn budget_rest(&self, limits: &Limits, windows: u64, now: u64) -> Option<u64> {
        let next = self.window.saturating_add(windows);
        let begins = limits.budget.as_ref()?.per.begins(next)?;
        Some(begins.saturating_mul(1000).saturating_sub(now))
    }

    /// Why a call cannot be let in, if so: of several reasons the one that lasts longest.
    pub(super) fn refusal(&self, limits: &Limits, need: &Need, now: u64) -> Option<Refusal> {
        let minute = |reason, count: Count, limit: Option<u64>, need: u64| {
            let limit = limit.filter(|limit| need > count.left(*limit))?;
            let windows = count.wait(limit, need).max(1);
            let wait = self.rest(now).saturating_add(windows.saturating_sub(1).saturating_mul(MINUTE));
            Some(Refusal { reason, limit, left: count.left(limit), need, wait: Some(wait) })
        };
        let requests = Count { taken: self.requests, debt: 0 };
        let parallel = limits.parallel.filter(|limit| self.parallel() >= *limit).map(|limit| Refusal {
            reason: Reason::Parallel,
            limit,
            left: 0,
            need: 1,
            // Nobody knows when a call ends.
            wait: Some(1000),
        });
        let budget = limits.budget.as_ref().filter(|budget| {
            // What costs nothing is let in, but not by who has overspent.
            let left = self.money.left(budget.limit);
            need.cost > left || left == 0
        });
        let budget = budget.map(|budget| {
            let windows = self.money.wait(budget.limit, need.cost.max(1)).max(1);
            Refusal {
                reason: Reason::Budget,
                limit: budget.limit,
                left: self.money.left(budget.limit),
                need: need.cost,
                wait: self.budget_rest(limits, windows, now),
            }
        });
        let all = [
            minute(Reason::Requests, requests, limits.rpm, 1),
            minute(Reason::Tokens, self.tokens, limits.tpm, need.tokens()),
            minute(Reason::InputTokens, self.input, limits.input_tpm, need.input),
            parallel,
            budget,
        ];
        all.into_iter().flatten().max_by_key(|refusal| refusal.wait.unwrap_or(u64::MAX))
    }

    /// Reserves for a call of a VM.
    pub(super) fn reserve(&mut self, need: &Need, vm: u64) -> Place {
        self.requests = self.requests.saturating_add(1);
        self.tokens.add(need.tokens());
        self.input.add(need.input);
        self.money.add(need.cost);
        if !self.vms().any(|known| known == vm) {
            self.leases.push(Lease { vm, ..Lease::default() });
        }
        if let Some(lease) = self.leases.iter_mut().find(|lease| lease.vm == vm) {
            lease.parallel = lease.parallel.saturating_add(1);
            lease.output = lease.output.saturating_add(need.output);
            lease.money = lease.money.saturating_add(need.cost.saturating_sub(need.input_cost));
        }
        Place { minute: self.minute, per: self.per, window: self.window }
    }

    /// Gives back what is not used, and takes what is used beyond what was reserved.
    pub(super) fn settle(&mut self, need: &Need, vm: u64, place: Place, used: &Used) {
        let (minute, window) = (self.minute_age(place), self.window_age(place));
        let leased = self.release(need, vm, minute, window);
        // What others have given back for a VM that they took for dead is no longer reserved.
        let held = if leased { *need } else { need.of_input() };
        self.tokens.settle(held.tokens(), used.input.saturating_add(used.output), minute);
        self.input.settle(held.input, used.input, minute);
        match used.cost {
            // A budget of another period has begun with nothing reserved.
            Some(cost) if self.per != place.per => self.money.settle(0, cost, window),
            Some(cost) => self.money.settle(held.cost, cost, window),
            None if leased => {}
            None => self.money.settle(held.cost, need.cost, window),
        }
    }

    /// Takes a reservation back, as if it had not been made.
    pub(super) fn undo(&mut self, need: &Need, vm: u64, place: Place) {
        if self.minute == place.minute {
            self.requests = self.requests.saturating_sub(1);
        }
        self.settle(need, vm, place, &Used { cost: Some(0), ..Used::default() });
    }

    /// Takes what was used without a reservation.
    pub(super) fn charge(&mut self, requests: u64, used: &Used) {
        self.requests = self.requests.saturating_add(requests);
        self.tokens.add(used.input.saturating_add(used.output));
        self.input.add(used.input);
    }

    /// Ends a call's part of its VM's lease. Whether there was one.
    fn release(&mut self, need: &Need, vm: u64, minute: Age, window: Age) -> bool {
        let Some(lease) = self.leases.iter_mut().find(|lease| lease.vm == vm) else { return false };
        lease.parallel = lease.parallel.saturating_sub(1);
        if minute == Age::Same {
            lease.output = lease.output.saturating_sub(need.output);
        }
        if window == Age::Same {
            lease.money = lease.money.saturating_sub(need.cost.saturating_sub(need.input_cost));
        }
        self.leases.retain(|lease| lease.parallel > 0);
        true
    }

    fn minute_age(&self, place: Place) -> Age {
        match self.minute.checked_sub(place.minute) {
            Some(0) => Age::Same,
            Some(MINUTE) => Age::Next,
            _ => Age::Later,
        }
    }

    fn window_age(&self, place: Place) -> Age {
        match self.window.checked_sub(place.window) {
            Some(0) if self.per == place.per => Age::Same,
            Some(1) if self.per == place.per => Age::Next,
            _ => Age::Later,
        }
    }

    /// What is left.
    pub(super) fn standing(&self, limits: &Limits, now: u64) -> Standing {
        let rest = self.rest(now);
        let window = |limit: Option<u64>, taken: u64, resets: Option<u64>| {
            limit.map(|limit| Window { limit, left: limit.saturating_sub(taken), taken, resets })
        };
        Standing {
            requests: window(limits.rpm, self.requests, Some(rest)),
            tokens: window(limits.tpm, self.tokens.taken, Some(rest)),
            input_tokens: window(limits.input_tpm, self.input.taken, Some(rest)),
            parallel: window(limits.parallel, self.parallel(), None),
            budget: limits
                .budget
                .as_ref()
                .and_then(|budget| window(Some(budget.limit), self.money.taken, self.budget_rest(limits, 1, now))),
        }
    }
}

fn read(bytes: &[u8]) -> Option<Entry> {
    let (&[layout, per], mut rest) = bytes.split_first_chunk::<2>()?;
    if layout != LAYOUT {
        return None;
    }
    let mut number = || {
        let (number, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        Some(u64::from_le_bytes(*number))
    };
    let (minute, requests) = (number()?, number()?);
    let mut count = || Some(Count { taken: number()?, debt: number()? });
    let (tokens, input) = (count()?, count()?);
    let window = number()?;
    let money = Count { taken: number()?, debt: number()? };
    let start = number()?;
    let mut leases = Vec::new();
    while let Some(vm) = number() {
        leases.push(Lease { vm, parallel: number()?, output: number()?, money: number()? });
    }
    (rest.is_empty() && leases.len() <= MOST_LEASES).then_some(Entry {
        minute,
        requests,
        tokens,
        input,
        per,
        window,
        money,
        start,
        leases,
    })
}
