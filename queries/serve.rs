//! The private socket: the process that holds a store answers for others.
