//! Copyright notices and licences of the libraries in the AppImage.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

/// Copies the `copyright` file of every Debian package that owns one of `files` into `folder`, the AppDir's
/// `usr/share/doc`. Returns the number of packages.
///
/// On systems with another package manager it copies none: see the documentation.
///
/// # Errors
/// Returns an error if a `copyright` file can't be copied.
pub(super) fn bring(files: &[PathBuf], folder: &Path) -> Result<usize> {
    // Packages from before `/lib` became a link to `/usr/lib` list their files under `/lib`.
    let older = files.iter().filter_map(|file| Some(Path::new("/").join(file.strip_prefix("/usr").ok()?)));
    let mut command = Command::new("dpkg-query");
    // It fails if no package owns one of the files, but still lists the others.
    let Ok(said) = command.arg("--search").args(files).args(older).output() else {
        return Ok(0);
    };
    let packages = packages(&String::from_utf8_lossy(&said.stdout));
    let mut brought = 0;
    for package in packages {
        let copyright = Path::new("/usr/share/doc").join(&package).join("copyright");
        if copyright.is_file() {
            fs::create_dir_all(folder.join(&package))?;
            fs::copy(copyright, folder.join(&package).join("copyright"))?;
            brought += 1;
        }
    }
    Ok(brought)
}

/// The packages in lines such as `libgtk-3-0:amd64: /usr/lib/x86_64-linux-gnu/libgtk-3.so.0`.
fn packages(said: &str) -> BTreeSet<String> {
    let lines = said.lines().filter(|line| !line.starts_with("diversion "));
    let owners = lines.filter_map(|line| Some(line.split_once(": ")?.0)).flat_map(|owners| owners.split(", "));
    owners.map(|owner| owner.split(':').next().unwrap_or(owner).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::packages;

    #[test]
    fn the_packages_of_files_are_named_once_and_without_their_machine() {
        let said = "libgtk-3-0:amd64: /usr/lib/a\nlibgtk-3-0:amd64: /usr/lib/b\ndiversion by dash from: /bin/sh\n\
                    libasound2-data, libasound2:amd64: /usr/share/alsa\n";
        assert_eq!(packages(said).into_iter().collect::<Vec<_>>(), ["libasound2", "libasound2-data", "libgtk-3-0"]);
    }
}
