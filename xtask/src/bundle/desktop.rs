//! The libraries that every desktop provides and that an AppImage must not contain.
//!
//! The list follows the `excludelist` of the AppImage project (pkg2appimage), as far as it concerns this app. Three
//! differences:
//! - `libasound.so.2` is included, because it comes with modules and settings for the sound server, which must match
//!   its version.
//! - `libgpg-error.so.0` is included with `libgcrypt.so.20`, which needs it: Debian 13 may have neither.
//! - `libwayland-server.so.0` is left out, as `libwayland-client.so.0` is: Mesa needs both as new as itself.

/// glibc, which the dynamic loader loads before the AppImage can choose.
const C_LIBRARY: &[&str] = &[
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libmvec.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// The compiler's run-time libraries: the graphics driver is in C++, and may be newer than this machine's.
const COMPILER: &[&str] = &["libgcc_s.so.1", "libstdc++.so.6"];

/// The graphics driver, and the libraries that it shares with its clients.
const GRAPHICS: &[&str] = &[
    "libEGL.so.1",
    "libGL.so.1",
    "libGLX.so.0",
    "libGLdispatch.so.0",
    "libOpenGL.so.0",
    "libX11-xcb.so.1",
    "libX11.so.6",
    "libdrm.so.2",
    "libgbm.so.1",
    "libglapi.so.0",
    "libwayland-client.so.0",
    "libwayland-server.so.0",
    "libxcb-dri2.so.0",
    "libxcb-dri3.so.0",
    "libxcb.so.1",
];

/// Libraries of the session and of devices.
const SESSION: &[&str] =
    &["libICE.so.6", "libSM.so.6", "libjack.so.0", "libpipewire-0.3.so.0", "libusb-1.0.so.0", "libuuid.so.1"];

/// Font libraries: the system's settings and caches must be read by the version that wrote them.
const FONTS: &[&str] = &["libfontconfig.so.1", "libfreetype.so.6", "libfribidi.so.0", "libharfbuzz.so.0"];

/// Dependencies of the system's own libraries above.
const BASE: &[&str] = &["libcom_err.so.2", "libexpat.so.1", "libgmp.so.10", "libz.so.1"];

/// Whether every desktop has the library with this soname, in a version that matches its system.
pub(super) fn has(name: &str) -> bool {
    [C_LIBRARY, COMPILER, GRAPHICS, SESSION, FONTS, BASE].iter().any(|group| group.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn a_desktop_has_its_drivers_and_its_c_library_but_no_web_view() {
        for name in ["libc.so.6", "libEGL.so.1", "libxcb.so.1", "libfontconfig.so.1"] {
            assert!(has(name), "{name}");
        }
        // An equal prefix doesn't make it the same library.
        for name in ["libwebkit2gtk-4.1.so.0", "libgtk-3.so.0", "libasound.so.2", "libcairo.so.2", "libxcb-shm.so.0"] {
            assert!(!has(name), "{name}");
        }
    }
}
