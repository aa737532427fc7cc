//! Parts of URLs, as spans have them.

/// Splits `http://host:port/path` into host and port; the port is the scheme's own where none is written.
#[must_use]
pub fn host_and_port(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, port)),
        _ => Some((authority, if scheme == "https" { "443" } else { "80" })),
    }
}
