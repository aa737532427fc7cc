//! Socket events: which events are one, and what they tell of the connection.

use crate::event::FlowKind;
use crate::kernel::out::Out;
use crate::kernel::row::{put_int, put_text};
use crate::kernel::value::{Value, int, is_duration, number, span_ns};
use crate::otlp::text::{write_double, write_int, write_string};

/// What an event tells of a connection.
#[derive(Debug, Default)]
pub(crate) struct Flow<'a> {
    pub kind: Option<FlowKind>,
    pub pid: Option<i64>,
    pub comm: &'a str,
    src: &'a str,
    src_port: Option<i64>,
    dst: &'a str,
    dst_port: Option<i64>,
    protocol: String,
    sent: Option<i64>,
    received: Option<i64>,
    duration_ns: Option<i64>,
    old_state: &'a str,
    new_state: &'a str,
    details: Vec<u8>,
}

/// Names of events that are about sockets, whatever else they tell.
const SOCKET_NAMES: [&str; 8] =
    ["connect", "accept", "accept4", "retransmit", "tcp_connect", "tcp_accept", "tcp_retransmit", "tcp_retransmit_skb"];

impl<'a> Flow<'a> {
    /// Returns what is known of a connection of a task.
    pub(crate) fn of(pid: Option<i64>, comm: &'a str) -> Self {
        Self { pid, comm, ..Self::default() }
    }

    /// Takes a field; what has no column of its own becomes a detail.
    pub(crate) fn take(&mut self, name: &str, text: &'a str) {
        let key = name.to_ascii_lowercase();
        match key.as_str() {
            "saddr" | "laddr" | "src" | "local" | "laddr6" | "source" | "src_addr" | "src_ip" | "local_addr" => {
                self.source(text);
            }
            "daddr" | "raddr" | "dst" | "remote" | "raddr6" | "dest" | "dst_addr" | "dst_ip" | "remote_addr" => {
                self.destination(text);
            }
            "sport" | "lport" | "src_port" | "local_port" => self.src_port = int(text),
            "dport" | "rport" | "dst_port" | "remote_port" | "port" => self.dst_port = int(text),
            "saddrv6" if is_unset(self.src) => self.src = text,
            "daddrv6" if is_unset(self.dst) => self.dst = text,
            "saddrv6" | "daddrv6" => {}
            "protocol" | "proto" => self.protocol = text.trim_start_matches("IPPROTO_").to_ascii_lowercase(),
            "tx_kb" => self.sent = kilobytes(text),
            "rx_kb" => self.received = kilobytes(text),
            "tx_b" | "tx_bytes" | "sent" | "bytes_sent" | "tx" => self.sent = int(text),
            "rx_b" | "rx_bytes" | "received" | "bytes_received" | "rx" => self.received = int(text),
            "oldstate" | "old_state" | "old" => self.states(text, self.new_state),
            "newstate" | "new_state" | "new" => self.states(self.old_state, text),
            "pid" => self.pid = self.pid.or_else(|| int(text)),
            "comm" => self.comm = text,
            _ => self.other(name, &key, text),
        }
    }

    fn other(&mut self, name: &str, key: &str, text: &'a str) {
        let value = Value::of(text);
        if is_duration(key) && self.new_state.is_empty() {
            self.duration_ns = span_ns(key, value);
        } else {
            self.detail(name, value);
        }
    }

    /// Sets the address and perhaps the port of the one side.
    pub(crate) fn source(&mut self, text: &'a str) {
        let (address, port) = endpoint(text).unwrap_or((text, None));
        (self.src, self.src_port) = (address, port.or(self.src_port));
    }

    /// Sets the address and perhaps the port of the other side.
    pub(crate) fn destination(&mut self, text: &'a str) {
        let (address, port) = endpoint(text).unwrap_or((text, None));
        (self.dst, self.dst_port) = (address, port.or(self.dst_port));
    }

    /// Sets the states before and after a change.
    pub(crate) fn states(&mut self, old: &'a str, new: &'a str) {
        (self.old_state, self.new_state) = (old, new);
    }

    /// Sets how many bytes were sent or received.
    pub(crate) fn data(&mut self, is_sent: bool, num_bytes: i64) {
        *(if is_sent { &mut self.sent } else { &mut self.received }) = Some(num_bytes);
    }

    /// Adds what has no column.
    pub(crate) fn detail(&mut self, name: &str, value: Value<'_>) {
        let mut key = Vec::new();
        write_string(&mut key, name.as_bytes());
        self.details.push(if self.details.is_empty() { b'{' } else { b',' });
        self.details.extend_from_slice(&key);
        self.details.push(b':');
        match value {
            Value::Int(value) => write_int(&mut self.details, value),
            Value::Double(value) => write_double(&mut self.details, value),
            Value::Bool(value) => self.details.extend_from_slice(if value { b"true" } else { b"false" }),
            Value::Text(text) => write_string(&mut self.details, text.as_bytes()),
            Value::Json(json) => self.details.extend_from_slice(json.as_bytes()),
        }
    }

    fn has_address(&self) -> bool {
        !self.src.is_empty() || !self.dst.is_empty()
    }

    /// Appends the socket event, if the event `name` is one.
    pub(crate) fn commit(mut self, out: &mut Out, name: &str, time_ns: i64) {
        let Some(kind) = self.kind.or_else(|| self.kind_of(name)) else { return };
        for (key, state) in [("old_state", self.old_state), ("new_state", self.new_state)] {
            if !state.is_empty() {
                self.detail(key, Value::Text(state_name(state)));
            }
        }
        if !self.details.is_empty() {
            self.details.push(b'}');
        }
        self.push(out, kind, time_ns);
    }

    fn kind_of(&self, name: &str) -> Option<FlowKind> {
        if !self.has_address() && !SOCKET_NAMES.contains(&name) {
            return None;
        }
        if !self.new_state.is_empty() {
            return Some(state_kind(state_name(self.old_state), state_name(self.new_state)));
        }
        let kinds = [
            ("retrans", FlowKind::Retransmit),
            ("reset", FlowKind::Reset),
            ("rst", FlowKind::Reset),
            ("drop", FlowKind::Drop),
            ("bad_csum", FlowKind::Drop),
            ("conn", FlowKind::Connect),
            ("accept", FlowKind::Accept),
            ("close", FlowKind::Close),
            ("destroy", FlowKind::Close),
            ("tcplife", FlowKind::Close),
            ("state", FlowKind::State),
        ];
        let known = kinds.iter().find(|(part, _)| name.contains(part)).map(|(_, kind)| *kind);
        let is_data = self.sent.is_some() || self.received.is_some() || name == "tcp_probe";
        known.or_else(|| is_data.then_some(FlowKind::Data))
    }

    fn push(&self, out: &mut Out, kind: FlowKind, time_ns: i64) {
        let flows = &mut out.batch.flows;
        let row = flows.len();
        flows.time_ns.push(time_ns);
        flows.kind.push(kind);
        let numbers = [
            (&mut flows.pid, self.pid),
            (&mut flows.src_port, self.src_port),
            (&mut flows.dst_port, self.dst_port),
            (&mut flows.bytes_sent, self.sent),
            (&mut flows.bytes_received, self.received),
            (&mut flows.duration_ns, self.duration_ns),
        ];
        for (column, value) in numbers {
            if let Some(value) = value {
                put_int(column, row, value);
            }
        }
        let is_tcp = self.protocol.is_empty() && (self.has_address() || !self.new_state.is_empty());
        let protocol = if is_tcp { "tcp" } else { &self.protocol };
        let details = std::str::from_utf8(&self.details).unwrap_or_default();
        let texts = [
            (&mut flows.comm, self.comm),
            (&mut flows.src, self.src),
            (&mut flows.dst, self.dst),
            (&mut flows.protocol, protocol),
            (&mut flows.details, details),
        ];
        for (column, text) in texts {
            if !text.is_empty() {
                put_text(column, row, text, usize::MAX);
            }
        }
    }
}

fn is_unset(address: &str) -> bool {
    address.is_empty() || address == "0.0.0.0"
}

fn kilobytes(text: &str) -> Option<i64> {
    number(text).map(|number| (number * 1024.0).round() as i64)
}

/// Splits an address from its port: `127.0.0.1:80`, `[::1]:80`, `::1:80`.
pub(crate) fn endpoint(text: &str) -> Option<(&str, Option<i64>)> {
    let (address, port) = text.rsplit_once(':')?;
    let port = int(port).filter(|port| (0..=65_535).contains(port))?;
    let address = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
    is_address(address).then_some((address, Some(port)))
}

/// Tells whether this is an IPv4 or IPv6 address, as tools print them.
pub(crate) fn is_address(text: &str) -> bool {
    let is_v4 = text.bytes().filter(|byte| *byte == b'.').count() == 3
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_v6 = text.bytes().filter(|byte| *byte == b':').count() >= 2
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    is_v4 || is_v6 || text == "*"
}

/// Returns the name of a TCP state that is recorded as a number or with a prefix.
pub(crate) fn state_name(state: &str) -> &str {
    match state {
        "1" => "ESTABLISHED",
        "2" => "SYN_SENT",
        "3" => "SYN_RECV",
        "4" => "FIN_WAIT1",
        "5" => "FIN_WAIT2",
        "6" => "TIME_WAIT",
        "7" => "CLOSE",
        "8" => "CLOSE_WAIT",
        "9" => "LAST_ACK",
        "10" => "LISTEN",
        "11" => "CLOSING",
        "12" => "NEW_SYN_RECV",
        _ => state.strip_prefix("TCP_").unwrap_or(state),
    }
}

fn state_kind(old: &str, new: &str) -> FlowKind {
    match (old, new) {
        ("SYN_SENT", "ESTABLISHED") => FlowKind::Connect,
        ("SYN_RECV" | "NEW_SYN_RECV", "ESTABLISHED") => FlowKind::Accept,
        (_, "CLOSE") => FlowKind::Close,
        _ => FlowKind::State,
    }
}

/// Tells whether events of that name may be socket events.
#[inline]
pub(crate) fn may_be(name: &str) -> bool {
    const PARTS: [&str; 9] = ["tcp", "udp", "sock", "inet", "conn", "accept", "retrans", "rst", "drop"];
    !name.starts_with("sched_") && PARTS.iter().any(|part| name.contains(part))
}
