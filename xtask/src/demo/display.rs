//! Detects whether a window can be opened: a display is set and accepts connections.

use std::{
    env,
    ffi::OsStr,
    net::TcpStream,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

/// The TCP port of X display 0 (X11, "Connection setup").
const X_PORT: u16 = 6000;

/// Checks for a display.
///
/// # Errors
/// Returns the reason if there is none, in a few words.
pub(crate) fn find() -> Result<(), String> {
    // A local session on a Mac has a display; an SSH session can't use it.
    if cfg!(target_os = "macos") {
        return if env::var_os("SSH_CONNECTION").is_none() {
            Ok(())
        } else {
            Err("this is a remote session".to_owned())
        };
    }
    let runtime = env::var_os("XDG_RUNTIME_DIR");
    let wayland = set("WAYLAND_DISPLAY").and_then(|name| wayland_socket(&name, runtime.as_deref()));
    if wayland.is_some_and(|socket| UnixStream::connect(socket).is_ok()) {
        return Ok(());
    }
    let Some(name) = set("DISPLAY") else {
        return Err("neither DISPLAY nor WAYLAND_DISPLAY names a display".to_owned());
    };
    match x_display(&name) {
        Some((Host::Here, number)) if answers_here(number) => Ok(()),
        Some((Host::At(host), number)) if TcpStream::connect((host, X_PORT.saturating_add(number))).is_ok() => Ok(()),
        Some(_) => Err(format!("nobody answers at the display {name}")),
        None => Err(format!("DISPLAY={name} names no display")),
    }
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn answers_here(number: u16) -> bool {
    let path = format!("/tmp/.X11-unix/X{number}");
    if UnixStream::connect(&path).is_ok() {
        return true;
    }
    // In a container without the socket's folder, Linux's abstract socket may still be reachable.
    #[cfg(target_os = "linux")]
    {
        use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
        SocketAddr::from_abstract_name(path).is_ok_and(|address| UnixStream::connect_addr(&address).is_ok())
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// The host of an X server.
#[derive(Debug, PartialEq, Eq)]
enum Host<'a> {
    Here,
    At(&'a str),
}

/// Parses `[HOST]:NUMBER[.SCREEN]` (X(7), "Display names").
fn x_display(name: &str) -> Option<(Host<'_>, u16)> {
    let (host, number) = name.rsplit_once(':')?;
    let number = number.split('.').next()?.parse().ok()?;
    let host = if host.is_empty() || host == "unix" { Host::Here } else { Host::At(host) };
    Some((host, number))
}

/// The socket of a Wayland display: a path, or a name in `XDG_RUNTIME_DIR`.
fn wayland_socket(name: &str, runtime: Option<&OsStr>) -> Option<PathBuf> {
    let name = Path::new(name);
    if name.is_absolute() { Some(name.to_owned()) } else { Some(Path::new(runtime?).join(name)) }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, path::Path};

    use super::{Host, wayland_socket, x_display};

    #[test]
    fn displays_are_read_as_x_writes_them() {
        assert_eq!(x_display(":0"), Some((Host::Here, 0)));
        assert_eq!(x_display(":7.0"), Some((Host::Here, 7)));
        assert_eq!(x_display("unix:1"), Some((Host::Here, 1)));
        assert_eq!(x_display("localhost:10.0"), Some((Host::At("localhost"), 10)));
        for wrong in ["", "0", ":", ":x", "bridge"] {
            assert_eq!(x_display(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_wayland_display_is_a_path_or_a_name_in_the_sessions_folder() {
        let socket = |name, runtime: Option<&str>| wayland_socket(name, runtime.map(OsStr::new));
        assert_eq!(socket("/run/way", None).as_deref(), Some(Path::new("/run/way")));
        assert_eq!(socket("wayland-0", Some("/run/user/1")).as_deref(), Some(Path::new("/run/user/1/wayland-0")));
        assert_eq!(socket("wayland-0", None), None);
    }
}
