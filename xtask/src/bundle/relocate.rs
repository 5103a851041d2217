//! Relocation: makes paths that are compiled into the system's libraries point into the AppDir.
//!
//! An AppDir is mounted at another path at every start, so the paths become relative: the app's working directory is
//! the AppDir's `usr`.

/// Replaces the path of `folder`, which is under `/usr`, by a relative path of the same length.
///
/// Returns the number of replacements. The length stays, so that offsets in the compiled file stay valid.
pub(super) fn in_binary(bytes: &mut [u8], folder: &str) -> usize {
    let Some(relative) = relative(folder) else {
        return 0;
    };
    let mut found = 0;
    let mut from = 0;
    while let Some(at) = position(&bytes[from..], folder.as_bytes()) {
        let start = from + at;
        from = start + folder.len();
        bytes[start..from].copy_from_slice(relative.as_bytes());
        found += 1;
    }
    found
}

/// Filters a module list of GTK or gdk-pixbuf by `are_here`, and makes its paths relative.
///
/// The list has paragraphs: the module's path in quotes, then its capabilities.
pub(super) fn in_list(list: &str, are_here: impl Fn(&str) -> bool) -> String {
    let lines = list.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    let paragraphs = lines.split(|line| line.trim().is_empty()).filter_map(|paragraph| {
        let (path, abilities) = paragraph.split_first()?;
        let path = path.trim().trim_matches('"');
        let here = path.strip_prefix("/usr/").filter(|_| are_here(path))?;
        Some(format!("\"{here}\"\n{}\n", abilities.join("\n")))
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// ALSA's settings with `conf.d` taken relative to themselves, because the system's `conf.d` names modules that the
/// AppDir lacks.
pub(super) fn in_alsa_settings(settings: &str) -> String {
    let own = r#"{ @func concat strings [ { @func datadir } "/alsa.conf.d" ] }"#;
    settings.replace(r#""/etc/alsa/conf.d""#, own)
}

/// Converts `/usr/lib/x` to `././/lib/x`.
fn relative(folder: &str) -> Option<String> {
    let inside = folder.strip_prefix("/usr/").filter(|inside| !inside.is_empty())?;
    Some(format!("././/{inside}"))
}

/// The first position of `wanted`. It scans for the first byte, which is fast because few bytes match.
fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == first) {
        let start = from + at;
        if bytes[start..].starts_with(wanted) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELPERS: &str = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1";

    #[test]
    fn a_path_in_a_binary_becomes_relative_and_nothing_moves() {
        let before = [b"\x7fELF\0", HELPERS.as_bytes(), b"\0/usr/share\0", HELPERS.as_bytes(), b"/injected-bundle/\0"];
        let before = before.concat();
        let mut after = before.clone();
        assert_eq!(in_binary(&mut after, HELPERS), 2);
        assert_eq!(after.len(), before.len());
        let differ = before.iter().zip(&after).filter(|(old, new)| old != new).count();
        assert_eq!(differ, 2 * "/usr".len(), "every byte but the path's beginning stays");
        let text = String::from_utf8_lossy(&after);
        assert!(text.contains("\0././/lib/x86_64-linux-gnu/webkit2gtk-4.1/injected-bundle/\0"), "{text}");
        assert!(!text.contains(HELPERS), "{text}");
        assert!(text.contains("\0/usr/share\0"), "{text}");
    }

    #[test]
    fn a_path_outside_usr_is_left_alone() {
        let mut bytes = b"/opt/webkit\0".to_vec();
        assert_eq!(in_binary(&mut bytes, "/opt/webkit"), 0);
        assert_eq!(bytes, b"/opt/webkit\0");
    }

    #[test]
    fn a_list_keeps_the_modules_that_came_along() {
        let list = "# Automatically generated file\n#\n\"/usr/lib/gtk/im-thai.so\" \n\"thai\" \"Thai-Lao\" \"th\" \n\n\
                    \"/usr/lib/gtk/im-xim.so\" \n\"xim\" \"X\" \"ko:ja\" \n\n";
        let kept = in_list(list, |path| path.ends_with("im-xim.so"));
        assert_eq!(kept, "\"lib/gtk/im-xim.so\"\n\"xim\" \"X\" \"ko:ja\" \n");
    }

    #[test]
    fn alsa_reads_the_settings_that_came_along() {
        let kept = in_alsa_settings("files [\n\"/etc/alsa/conf.d\"\n\"~/.asoundrc\"\n]");
        assert!(kept.contains("datadir") && !kept.contains("/etc/alsa") && kept.contains("~/.asoundrc"), "{kept}");
    }
}
