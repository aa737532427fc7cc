//! The room that acts: the workstation in the terminal and the commands for scripts.

pub mod humane;
