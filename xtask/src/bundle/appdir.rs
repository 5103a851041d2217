//! The AppDir, the content of an AppImage: the app and its dependencies beyond those that every desktop has.
//!
//! System files keep their paths: `/usr/share/alsa` becomes `usr/share/alsa`. All libraries go into the folder that the
//! system keeps most of them in.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{copyright, libraries, relocate};
use crate::run::output;

/// A complete AppDir, with counts of its content.
pub(super) struct AppDir {
    pub(super) root: PathBuf,
    pub(super) libraries: usize,
    pub(super) modules: usize,
    pub(super) notices: usize,
}

const WEB_VIEW: &str = "libwebkit2gtk-4.1.so.0";
/// The tray's library, loaded by these names at run time.
const TRAY: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];
const LOADERS: &str = "gdk-pixbuf-2.0/2.10.0/loaders";
const INPUT_METHODS: &str = "gtk-3.0/3.0.0/immodules";
const SCHEMAS: &str = "/usr/share/glib-2.0/schemas";
const ALSA: &str = "/usr/share/alsa";

impl AppDir {
    /// Collects the AppDir into `root`, which is emptied before. `unpacked` is the content of the app's .deb.
    ///
    /// # Errors
    /// Returns an error if a dependency is not installed, or a tool fails.
    pub(super) fn collect(unpacked: &Path, root: &Path) -> Result<Self> {
        let _ = fs::remove_dir_all(root);
        output(Command::new("cp").arg("--recursive").args([unpacked, root]))?;
        let app = root.join("usr/bin/crewbell");
        output(Command::new("strip").arg(&app))?;

        let places = libraries::places(&app)?;
        let web_view = places.get(WEB_VIEW).with_context(|| format!("the app does not need {WEB_VIEW}"))?;
        let web_view = web_view.canonicalize()?;
        let system = web_view.parent().context("a library is in a folder")?;
        let place = inside(root, system);

        let helpers = helpers(system)?;
        let modules = [files(&helpers)?, vec![tray(system)?], modules(system)?].concat();
        let from = [vec![app.clone()], modules.clone()].concat();
        let brought = libraries::to_bring(&from)?;

        let mut sources = modules.clone();
        for module in &modules {
            copy(module, &inside(root, module))?;
        }
        for (name, file) in &brought {
            copy(file, &place.join(name))?;
            sources.push(file.canonicalize()?);
        }
        let of_modules = modules.iter().map(|module| inside(root, module));
        let of_libraries = brought.keys().map(|name| place.join(name));
        for file in of_modules.chain(of_libraries).chain([app]) {
            // Libraries and modules end with .so and perhaps a version, programs have no extension.
            let is_program = file.extension().is_none();
            if is_program || libraries::looks_elsewhere(&file)? {
                libraries::look_in(&file, &place)?;
            }
        }

        point_to_helpers(&place.join(WEB_VIEW), &helpers)?;
        list_modules(root, system)?;
        bring_schemas(root)?;
        bring_alsa(root)?;
        face_the_desktop(root)?;
        start(root, system)?;
        let notices = copyright::bring(&sources, &root.join("usr/share/doc"))?;
        Ok(Self { root: root.to_owned(), libraries: brought.len(), modules: modules.len(), notices })
    }
}

/// The path of a system file in the AppDir.
fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map(drop).with_context(|| format!("could not copy {}", from.display()))
}

/// The folders of the web view's helper programs, as compiled into it.
fn helpers(system: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![system.join("webkit2gtk-4.1"), PathBuf::from("/usr/libexec/webkit2gtk-4.1")];
    folders.retain(|folder| folder.is_dir());
    if !folders.iter().any(|folder| folder.join("WebKitWebProcess").is_file()) {
        bail!("WebKitGTK's WebKitWebProcess is not where it is on Debian and Fedora");
    }
    Ok(folders)
}

/// All files in `folders`, without the `MiniBrowser` that some systems put there.
fn files(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut folders = folders.to_vec();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("MiniBrowser") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn tray(system: &Path) -> Result<PathBuf> {
    let file = TRAY.iter().map(|name| system.join(name)).find(|file| file.is_file());
    file.with_context(|| format!("{} is not installed", TRAY.join(" or ")))
}

/// The modules that libraries load at run time: SVG images, input methods, the desktop's settings, the sound server.
fn modules(system: &Path) -> Result<Vec<PathBuf>> {
    let wanted: [(&str, &[&str]); 4] = [
        (LOADERS, &["svg"]),
        (INPUT_METHODS, &["im-xim", "im-wayland"]),
        ("gio/modules", &["dconfsettings"]),
        ("alsa-lib", &["pcm_pulse", "ctl_pulse", "conf_pulse"]),
    ];
    let mut modules = Vec::new();
    for (folder, names) in wanted {
        let there = files(&[system.join(folder)]).unwrap_or_default();
        for name in names {
            let is_it = |file: &&PathBuf| file.to_string_lossy().ends_with(&format!("{name}.so"));
            let module = there.iter().find(is_it);
            modules.push(module.with_context(|| format!("no {name} in {folder}: please install it"))?.clone());
        }
    }
    Ok(modules)
}

/// Makes the web view find its helper programs relative to the AppDir's `usr`, its working directory.
fn point_to_helpers(web_view: &Path, helpers: &[PathBuf]) -> Result<()> {
    let mut bytes = fs::read(web_view)?;
    for folder in helpers {
        let name = folder.to_string_lossy();
        if relocate::in_binary(&mut bytes, &name) == 0 {
            bail!("this system's WebKitGTK does not name {name}, so it can't be told where its programs are");
        }
    }
    Ok(fs::write(web_view, bytes)?)
}

/// Writes the module lists that GTK and gdk-pixbuf read instead of scanning all modules.
fn list_modules(root: &Path, system: &Path) -> Result<()> {
    for (list, folder) in [("loaders.cache", LOADERS), ("immodules.cache", INPUT_METHODS)] {
        let list = system.join(folder).with_file_name(list);
        let text = fs::read_to_string(&list).with_context(|| format!("could not read {}", list.display()))?;
        let own = relocate::in_list(&text, |path| inside(root, Path::new(path)).is_file());
        if own.is_empty() {
            bail!("{} lists none of the modules", list.display());
        }
        fs::write(inside(root, &list), own)?;
    }
    Ok(())
}

/// Copies the settings schemas that GTK and the web view need; GTK aborts a program that reads a missing schema.
fn bring_schemas(root: &Path) -> Result<()> {
    let ours = ["org.gtk.Settings", "org.gnome.desktop", "org.gnome.system"];
    let folder = inside(root, Path::new(SCHEMAS));
    for file in files(&[SCHEMAS.into()])? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ours.iter().any(|ours| name.starts_with(ours)) {
            copy(&file, &folder.join(name))?;
        }
    }
    output(Command::new("glib-compile-schemas").arg(folder)).map(drop)
}

fn bring_alsa(root: &Path) -> Result<()> {
    for part in ["alsa.conf", "cards", "pcm", "ctl"].map(|part| Path::new(ALSA).join(part)) {
        let files = if part.is_dir() { files(&[part])? } else { vec![part] };
        for file in files {
            copy(&file, &inside(root, &file))?;
        }
    }
    let folder = inside(root, Path::new(ALSA));
    let settings = relocate::in_alsa_settings(&fs::read_to_string(folder.join("alsa.conf"))?);
    if !settings.contains("alsa.conf.d") {
        bail!("this system's alsa.conf reads no folder of further settings, so ours would not be read");
    }
    fs::write(folder.join("alsa.conf"), settings)?;
    fs::create_dir_all(folder.join("alsa.conf.d"))?;
    fs::write(folder.join("alsa.conf.d/pulse.conf"), include_str!("pulse.conf"))?;
    Ok(fs::write(folder.join("pulse-default.conf"), include_str!("pulse-default.conf"))?)
}

/// Copies the AppDir's desktop entry and icon from the .deb.
fn face_the_desktop(root: &Path) -> Result<()> {
    let share = root.join("usr/share");
    let entry = files(&[share.join("applications")])?.pop().context("the .deb has no desktop entry")?;
    copy(&entry, &root.join(entry.file_name().unwrap_or_default()))?;
    let pictures = files(&[share.join("icons/hicolor")])?;
    let size = |file: &PathBuf| fs::metadata(file).map_or(0, |file| file.len());
    let picture = pictures.iter().max_by_key(|file| size(file)).context("the .deb has no icon")?;
    copy(picture, &root.join("crewbell.png"))?;
    copy(picture, &root.join(".DirIcon"))
}

fn start(root: &Path, system: &Path) -> Result<()> {
    let libraries = system.strip_prefix("/usr").context("the libraries are not under /usr")?;
    let script = include_str!("AppRun").replace("@LIBRARIES@", &libraries.to_string_lossy());
    let file = root.join("AppRun");
    fs::write(&file, script)?;
    Ok(fs::set_permissions(file, Permissions::from_mode(0o755))?)
}
