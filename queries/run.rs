//! Runs SQL that a user wrote: one SELECT, read-only, capped, stoppable.
