//! Lookup of the shared libraries that programs need.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::desktop;
use crate::run::output;

/// The paths of libraries, by their sonames.
pub(super) type Places = BTreeMap<String, PathBuf>;

/// Finds all libraries that `file` needs, directly or indirectly.
///
/// # Errors
/// Returns an error if one of them is not installed.
pub(super) fn places(file: &Path) -> Result<Places> {
    read(&output(Command::new("ldd").arg(file))?).with_context(|| format!("{} can't run here", file.display()))
}

/// The libraries that `files` need beside those that every desktop has.
///
/// Dependencies of a desktop's own libraries alone are left out, too.
///
/// # Errors
/// Returns an error if a needed library is not installed.
pub(super) fn to_bring(files: &[PathBuf]) -> Result<Places> {
    let mut known = Places::new();
    for file in files {
        known.append(&mut places(file)?);
    }
    let mut brought = Places::new();
    let mut to_see = files.to_vec();
    while let Some(file) = to_see.pop() {
        for name in output(Command::new("patchelf").arg("--print-needed").arg(&file))?.lines() {
            if desktop::has(name) || brought.contains_key(name) {
                continue;
            }
            let place = known.get(name).with_context(|| format!("{} needs {name}, from nowhere", file.display()))?;
            to_see.push(place.clone());
            brought.insert(name.to_owned(), place.clone());
        }
    }
    Ok(brought)
}

/// Sets the run path of `file` in the AppDir so that it searches `folder` there before the system's folders.
///
/// The path is written into the file itself (as `DT_RPATH`, which also applies to its libraries' dependencies), because
/// `LD_LIBRARY_PATH` would be inherited by every program that the app starts.
///
/// # Errors
/// Returns an error if `patchelf` fails.
pub(super) fn look_in(file: &Path, folder: &Path) -> Result<()> {
    let path = format!("$ORIGIN/{}", way(file, folder).display());
    output(Command::new("patchelf").args(["--force-rpath", "--set-rpath", &path]).arg(file)).map(drop)
}

/// Whether `file` was built with a run path of its own.
///
/// # Errors
/// Returns an error if `patchelf` fails.
pub(super) fn looks_elsewhere(file: &Path) -> Result<bool> {
    Ok(!output(Command::new("patchelf").arg("--print-rpath").arg(file))?.trim().is_empty())
}

/// The relative path from the folder of `file` to `folder`; both are absolute, and without links or dots.
fn way(file: &Path, folder: &Path) -> PathBuf {
    let from = file.parent().unwrap_or(file);
    let shared = from.components().zip(folder.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    up.chain(folder.components().skip(shared).map(|part| Path::new(part.as_os_str()))).collect()
}

/// Parses the output of `ldd`: lines such as `libgtk-3.so.0 => /lib/x86_64-linux-gnu/libgtk-3.so.0 (0x00007f0a)`.
fn read(said: &str) -> Result<Places> {
    let mut places = Places::new();
    for (name, place) in said.lines().filter_map(|line| line.trim().split_once(" => ")) {
        if place == "not found" {
            bail!("{name} is not installed");
        }
        // The number is the load address; a path may contain spaces.
        let place = place.rsplit_once(" (").map_or(place, |(place, _)| place);
        places.insert(name.to_owned(), place.into());
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_where_the_loader_says() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibgtk-3.so.0 => /usr/my libs/libgtk-3.so.0 (0x00007f0a)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f0b)\n";
        let places = read(said).unwrap();
        assert_eq!(places.len(), 1);
        assert_eq!(places["libgtk-3.so.0"], Path::new("/usr/my libs/libgtk-3.so.0"));
    }

    #[test]
    fn a_library_that_is_not_installed_is_named() {
        let error = read("\tlibopus.so.0 => not found\n").unwrap_err();
        assert!(error.to_string().contains("libopus.so.0"), "{error}");
    }

    #[test]
    fn the_way_to_the_libraries_goes_up_and_down() {
        let libraries = Path::new("/app/usr/lib/x86_64-linux-gnu");
        assert_eq!(way(Path::new("/app/usr/bin/crewbell"), libraries), Path::new("../lib/x86_64-linux-gnu"));
        let helper = Path::new("/app/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/WebKitWebProcess");
        assert_eq!(way(helper, libraries), Path::new(".."));
        assert_eq!(way(&libraries.join("libpulse.so.0"), libraries), Path::new(""));
    }
}
