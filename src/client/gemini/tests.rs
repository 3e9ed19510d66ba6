//! What golden cases do not show.
