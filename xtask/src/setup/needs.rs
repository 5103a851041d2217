//! The list of dependencies, their purposes, and how to detect them.

use std::{fs, path::Path, process::Command};

use Purpose::{App, AppImage, Bundle, Demo, Face, Test};

use crate::{
    postgres,
    run::{find, succeeds},
    web,
};

/// The purpose that the machine is set up for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Run the server with the demo site; needs no display.
    Demo,
    /// Build the UI, which is WebAssembly.
    Face,
    /// Build and run the app, which shows the UI in a window.
    App,
    /// Run all tests and benchmarks.
    Test,
    /// Make the app's installable packages.
    Bundle,
    /// Make an AppImage, too.
    AppImage,
}

/// A dependency, and its package in each package manager.
///
/// A name that ends with `*` stands for the package with the highest number in its place.
pub(crate) struct Need {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    pub(crate) apt: &'static [&'static str],
    pub(crate) dnf: &'static [&'static str],
    pub(crate) brew: &'static [&'static str],
    is_there: fn() -> bool,
    purposes: &'static [Purpose],
}

const NEEDS: &[Need] = &[
    Need {
        name: "a C compiler",
        why: "Rust links with it, and the TLS library has some C",
        apt: &["gcc", "libc6-dev"],
        dnf: &["gcc"],
        brew: &["gcc"],
        is_there: || find("cc").is_some(),
        purposes: &[Demo, Face, App, Test, Bundle],
    },
    Need {
        name: "PostgreSQL",
        why: "the server keeps everything in a private cluster that it starts by itself",
        apt: &["postgresql"],
        dnf: &["postgresql-server", "postgresql", "postgresql-contrib"],
        brew: &["postgresql@17"],
        is_there: || postgres::find_programs().is_some(),
        purposes: &[Demo, Test],
    },
    Need {
        name: "Mosquitto and its clients",
        why: "the tests press buttons with an MQTT client that is not ours, and run against a broker that is not ours",
        apt: &["mosquitto", "mosquitto-clients"],
        dnf: &["mosquitto"],
        brew: &["mosquitto"],
        is_there: || all_found(&["mosquitto", "mosquitto_pub", "mosquitto_sub"]),
        purposes: &[Test],
    },
    Need {
        name: "nginx",
        why: "the tests read event streams and sockets through a proxy as it comes",
        apt: &["nginx"],
        dnf: &["nginx"],
        brew: &["nginx"],
        is_there: || find("nginx").is_some(),
        purposes: &[Test],
    },
    Need {
        name: "a compiler for WebAssembly",
        why: "the app's face is WebAssembly, and rustup's server could not be reached for its compiler",
        apt: &["rustc-web", "cargo-web", "rust-web-src", "lld-*"],
        dnf: &["rust-std-static-wasm32-unknown-unknown", "lld"],
        brew: &["rustup"],
        is_there: web::have_compiler,
        purposes: &[Face, App, Test, Bundle],
    },
    Need {
        name: "WebKitGTK, the tray and their headers",
        why: "the app's window is a web view of the system's",
        apt: &["libwebkit2gtk-4.1-dev", "libgtk-3-dev", "librsvg2-dev", "libayatana-appindicator3-dev", "pkg-config"],
        dnf: &[
            "webkit2gtk4.1-devel",
            "gtk3-devel",
            "librsvg2-devel",
            "libappindicator-gtk3-devel",
            "pkgconf-pkg-config",
        ],
        brew: &[],
        is_there: || {
            ON_MACOS
                || has_library("webkit2gtk-4.1") && has_library("gtk+-3.0") && has_library("librsvg-2.0") && has_tray()
        },
        purposes: &[App, Test, Bundle],
    },
    Need {
        name: "ALSA's headers",
        why: "the app sounds its alarms itself",
        apt: &["libasound2-dev", "pkg-config"],
        dnf: &["alsa-lib-devel", "pkgconf-pkg-config"],
        brew: &[],
        is_there: || ON_MACOS || has_library("alsa"),
        purposes: &[App, Test, Bundle],
    },
    Need {
        name: "CMake",
        why: "the codec of voice calls is C, and built with it",
        apt: &["cmake", "make"],
        dnf: &["cmake", "make"],
        brew: &["cmake"],
        is_there: || all_found(&["cmake", "make"]),
        purposes: &[App, Test, Bundle],
    },
    Need {
        name: "a virtual display",
        why: "the tests open the app's window where nobody sees it",
        apt: &["xvfb", "openbox", "dbus", "libgl1-mesa-dri", "libegl1", "libgles2", "fonts-dejavu-core"],
        dnf: &[
            "xorg-x11-server-Xvfb",
            "openbox",
            "dbus-daemon",
            "mesa-dri-drivers",
            "mesa-libEGL",
            "dejavu-sans-fonts",
        ],
        brew: &[],
        is_there: || {
            ON_MACOS
                || all_found(&["Xvfb", "openbox", "dbus-run-session"])
                    && in_libraries("libEGL.so.1")
                    && (in_libraries("dri/swrast_dri.so") || in_libraries("dri/libdril_dri.so"))
                    && Path::new("/usr/share/fonts").is_dir()
        },
        purposes: &[Test],
    },
    Need {
        name: "WebKitWebDriver",
        why: "the tests press what is in the app's window with it",
        apt: &["webkit2gtk-driver"],
        dnf: &["webkitgtk6.0"],
        brew: &[],
        is_there: || ON_MACOS || find("WebKitWebDriver").is_some(),
        purposes: &[Test],
    },
    Need {
        name: "PulseAudio and sox",
        why: "the tests hear what the app sounds, without a sound card",
        apt: &["pulseaudio", "pulseaudio-utils", "libasound2-plugins", "sox"],
        dnf: &["pulseaudio", "pulseaudio-utils", "alsa-plugins-pulseaudio", "sox"],
        brew: &[],
        is_there: || {
            ON_MACOS
                || all_found(&["pulseaudio", "pactl", "parec", "paplay", "sox"])
                    && in_libraries("alsa-lib/libasound_module_pcm_pulse.so")
        },
        purposes: &[Test],
    },
    Need {
        name: "Chromium",
        why: "the tests call it: a caller that is not ours",
        apt: &["chromium"],
        dnf: &["chromium"],
        brew: &[],
        is_there: || {
            ON_MACOS || ["chromium", "chromium-browser", "google-chrome"].iter().any(|name| find(name).is_some())
        },
        purposes: &[Test],
    },
    Need {
        name: "aiortc",
        why: "the tests call it too: a third kind of caller",
        apt: &["python3-aiortc", "python3-numpy"],
        dnf: &[],
        brew: &[],
        is_there: || {
            let has_package = find("apt-get").is_some();
            !has_package || succeeds(Command::new("/usr/bin/python3").args(["-c", "import aiortc, numpy"]))
        },
        purposes: &[Test],
    },
    Need {
        name: "npm",
        why: "Tauri's packager and Binaryen's wasm-opt come ready-made from there",
        apt: &["npm"],
        dnf: &["npm"],
        brew: &["node"],
        is_there: || find("npm").is_some(),
        purposes: &[Bundle],
    },
    Need {
        name: "what AppImages are packed with",
        why: "an AppImage brings its libraries and their modules along, the sound server's among them",
        apt: &[
            "squashfs-tools",
            "patchelf",
            "binutils",
            "libglib2.0-bin",
            "libasound2-plugins",
            "librsvg2-common",
            "dconf-gsettings-backend",
        ],
        dnf: &["squashfs-tools", "patchelf", "binutils", "glib2-devel", "alsa-plugins-pulseaudio", "librsvg2", "dconf"],
        brew: &[],
        is_there: || {
            ON_MACOS
                || all_found(&["mksquashfs", "patchelf", "strip", "glib-compile-schemas"])
                    && in_libraries("alsa-lib/libasound_module_pcm_pulse.so")
                    && in_libraries("gio/modules/libdconfsettings.so")
                    && ["libpixbufloader-svg.so", "libpixbufloader_svg.so"]
                        .iter()
                        .any(|loader| in_libraries(&format!("gdk-pixbuf-2.0/2.10.0/loaders/{loader}")))
        },
        purposes: &[AppImage],
    },
];

/// On macOS web view and sound belong to the system, and tests can't drive the window.
const ON_MACOS: bool = cfg!(target_os = "macos");

/// The dependencies of `purpose` that are not installed.
pub(crate) fn missing(purpose: Purpose) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| need.purposes.contains(&purpose)).filter(|need| !(need.is_there)()).collect()
}

impl Purpose {
    /// Whether it needs a compiler for WebAssembly.
    pub(crate) fn builds_the_face(self) -> bool {
        !matches!(self, Demo | AppImage)
    }
}

fn all_found(programs: &[&str]) -> bool {
    programs.iter().all(|name| find(name).is_some())
}

fn has_library(name: &str) -> bool {
    succeeds(Command::new("pkg-config").args(["--exists", name]))
}

fn has_tray() -> bool {
    has_library("ayatana-appindicator3-0.1") || has_library("appindicator3-0.1")
}

/// Whether `file` is in the system's library folders, such as `/usr/lib/x86_64-linux-gnu`.
fn in_libraries(file: &str) -> bool {
    let by_machine = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    by_machine.chain(["/usr/lib64".into(), "/usr/lib".into()]).any(|folder| folder.join(file).exists())
}
