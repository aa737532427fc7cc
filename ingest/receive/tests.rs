//! Receivers on loopback, spoken to by a real gRPC client and by hand-written HTTP.
