//! Where sockets lie, and who is at the other end.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::process::getuid;

/// Returns the path of the socket for the store file at `store`. The folder may not exist yet.
pub(super) fn path_for(store: &Path) -> io::Result<PathBuf> {
    let metadata = fs::metadata(store)?;
    Ok(folder().join(format!("{:x}-{:x}.sock", metadata.dev(), metadata.ino())))
}

fn folder() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| Path::new(folder).is_absolute()) {
        Some(folder) => Path::new(&folder).join("riftline"),
        None => std::env::temp_dir().join(format!("riftline-{}", getuid().as_raw())),
    }
}

/// Binds a socket at `path` that its user alone can reach. One that was left behind is replaced.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    let folder = path.parent().ok_or(ErrorKind::NotFound)?;
    make_private(folder)?;
    // Bound beside and moved, so that nobody meets a socket that is not ready, or the permissions it was born with.
    let beside = path.with_extension(std::process::id().to_string());
    let _ = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    fs::set_permissions(&beside, Permissions::from_mode(0o600))?;
    fs::rename(&beside, path)?;
    Ok(listener)
}

fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    check_private(folder)
}

/// Fails where `folder` belongs to somebody else, or others may enter it: a socket in it could be anybody's.
fn check_private(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let is_private = metadata.permissions().mode() & 0o777 == 0o700;
    let is_ours = metadata.is_dir() && metadata.uid() == getuid().as_raw() && is_private;
    if is_ours {
        return Ok(());
    }
    let message = format!("{} is not a folder that you alone may enter (mode 0700)", folder.display());
    Err(Error::new(ErrorKind::PermissionDenied, message))
}

/// Connects to the socket at `path`.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    check_private(path.parent().ok_or(ErrorKind::NotFound)?)?;
    let stream = UnixStream::connect(path)?;
    check_peer(&stream)?;
    Ok(stream)
}

/// Fails where the process at the other end runs as another user.
pub(super) fn check_peer(stream: &UnixStream) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    if peer.uid == getuid() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::PermissionDenied, format!("user {} is not you", peer.uid.as_raw())))
}
