//! Builds an AppImage, a single file that runs on any desktop, from the unpacked .deb.

use std::{
    fs::{self, File, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result};

use super::{appdir::AppDir, runtime::runtime};
use crate::run::output;

/// Makes `Crewbell_<version>_amd64.AppImage` in `folder` from `unpacked`, which holds the app's `usr`.
///
/// # Errors
/// Returns an error if this machine can't make one, or lacks a dependency; the message says which.
pub(super) fn appimage(unpacked: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    eprintln!("AppImage: fetching what it starts with");
    let runtime = runtime(&folder.join("runtime"))?;

    eprintln!("AppImage: collecting the app and what it needs");
    let appdir = AppDir::collect(unpacked, &folder.join("Crewbell.AppDir"))?;
    eprintln!(
        "AppImage: {} libraries, {} modules, {} notices of copyright",
        appdir.libraries, appdir.modules, appdir.notices
    );

    eprintln!("AppImage: packing it, which takes a minute");
    let packed = folder.join("runtime/crewbell.squashfs");
    output(
        Command::new("mksquashfs")
            .args([&appdir.root, &packed])
            // The runtime reads gzip and xz; xz slows down every start.
            .args(["-comp", "gzip", "-b", "256K", "-all-root", "-noappend", "-no-xattrs", "-no-progress", "-quiet"]),
    )?;
    let file = folder.join(concat!("Crewbell_", env!("CARGO_PKG_VERSION"), "_amd64.AppImage"));
    join(&runtime, &packed, &file).with_context(|| format!("could not write {}", file.display()))?;
    fs::remove_file(packed)?;
    Ok(())
}

/// Writes the AppImage: the runtime, followed by a file system image.
fn join(runtime: &[u8], packed: &Path, file: &Path) -> Result<()> {
    // A running copy keeps its file, because the new one is renamed over it.
    let new = file.with_extension("new");
    let mut whole = File::create(&new)?;
    whole.write_all(runtime)?;
    std::io::copy(&mut File::open(packed)?, &mut whole)?;
    whole.set_permissions(Permissions::from_mode(0o755))?;
    Ok(fs::rename(new, file)?)
}
