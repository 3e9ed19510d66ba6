//! Calls under way, in the memory that both filters of a worker share.
//!
//! With equal `vm_id`, VM configuration and code the filter in the listener and the one in the cluster run in one VM. The
//! first gives each call an id, in filter state, and the second finds the call under it. A header would not do: every attempt
//! of a call edits the same headers, and a mirrored request carries them too.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::abi;
use crate::gateway::Gateway;
use crate::record::Record;

/// One call, held by both filters.
pub type Shared = Rc<RefCell<Record>>;

/// The name in filter state under which the id stands.
pub const STATE: &str = "dragoman_call";

thread_local! {
    static CALLS: RefCell<HashMap<u64, Shared>> = RefCell::default();
    /// The call that is on its way around.
    static AROUND: RefCell<Option<(String, Around)>> = const { RefCell::new(None) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// When the VM began: the ids of one that a reload has replaced mean nothing here.
    static EPOCH: u64 = abi::now();
}

/// The next number of this VM.
pub fn turn() -> u64 {
    let turn = COUNT.get();
    COUNT.set(turn.wrapping_add(1));
    turn
}

/// Makes a call known; the id goes into filter state.
pub fn open(record: &Shared) -> (u64, String) {
    let number = turn();
    CALLS.with_borrow_mut(|calls| calls.insert(number, Rc::clone(record)));
    (number, format!("{:x}-{number:x}", EPOCH.with(|epoch| *epoch)))
}

/// The call of an id.
pub fn find(id: &[u8]) -> Option<Shared> {
    let (epoch, number) = std::str::from_utf8(id).ok()?.split_once('-')?;
    if u64::from_str_radix(epoch, 16).ok()? != EPOCH.with(|epoch| *epoch) {
        return None;
    }
    let number = u64::from_str_radix(number, 16).ok()?;
    CALLS.with_borrow(|calls| calls.get(&number).cloned())
}

/// A call that the host sends around to another model.
pub struct Around {
    /// What knows its caller, and holds what it has reserved.
    pub gateway: Gateway,
    /// What is known of it.
    pub record: Shared,
}

/// Lays a call down for the stream that goes on with it, which the host begins at once; what nobody has taken up, if anything.
pub fn lay_down(token: String, around: Around) -> Option<Around> {
    AROUND.with_borrow_mut(|slot| slot.replace((token, around))).map(|(_, around)| around)
}

/// Takes up the call of that name.
pub fn take_up(token: &[u8]) -> Option<Around> {
    AROUND.with_borrow_mut(|slot| slot.take_if(|(name, _)| name.as_bytes() == token)).map(|(_, around)| around)
}

/// Forgets a call.
pub fn close(number: u64) {
    CALLS.with_borrow_mut(|calls| calls.remove(&number));
}
