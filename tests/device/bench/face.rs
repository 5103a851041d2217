//! The size of the UI's WebAssembly as shipped.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::report::{Figure, Report};

/// The output of `cargo xtask ui --release`.
const FACE: &str = "../../target/web/script/web/crewbell-ui_bg.wasm";

pub(crate) fn measure(report: &mut Report) {
    let wasm = Path::new(env!("CARGO_MANIFEST_DIR")).join(FACE);
    let Ok(whole) = std::fs::read(&wasm) else {
        return report.left_out("the face's size", "it has not been built: `cargo xtask ui --release`");
    };
    report.add("the face's WebAssembly", Figure::bytes(whole.len()));
    // As in the app: Tauri compresses embedded files with Brotli, at quality 9.
    for (name, args) in [("brotli", ["--quality=9", "--stdout"]), ("gzip", ["-9", "--stdout"])] {
        let packed = Command::new(name).args(args).arg(&wasm).stderr(Stdio::null()).output();
        match packed {
            Ok(packed) if packed.status.success() => {
                report.add(format!("  packed by {name}"), Figure::bytes(packed.stdout.len())).aim(500.0);
            }
            Ok(_) | Err(_) => report.left_out(&format!("the face packed by {name}"), "there is no such program"),
        }
    }
}
