//! The one place that makes text from files inert for a terminal.
