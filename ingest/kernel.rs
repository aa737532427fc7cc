//! What the readers of kernel tools' output share: lines, rows of events, pairs, sockets, HTTP heads.

pub(crate) mod flow;
pub(crate) mod http;
pub(crate) mod lines;
pub(crate) mod out;
pub(crate) mod pairs;
pub(crate) mod point;
pub(crate) mod row;
pub(crate) mod stamp;
pub(crate) mod trace;
pub(crate) mod value;

#[cfg(test)]
pub(crate) mod tests;
