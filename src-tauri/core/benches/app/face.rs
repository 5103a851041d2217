//! The size of the face's program, as it is shipped.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::report::{Figure, Report};

/// Where `cargo xtask ui --release` leaves it.
const FACE: &str = "../../target/web/script/web/crewbell-ui_bg.wasm";

pub(crate) fn measure(report: &mut Report) {
    let wasm = Path::new(env!("CARGO_MANIFEST_DIR")).join(FACE);
    let Ok(about) = wasm.metadata() else {
        return report.left_out("the face's size", "it has not been built: `cargo xtask ui --release`");
    };
    let kilobytes = |bytes: u64| Figure::Kilobytes { kb: bytes as f64 / 1e3 };
    report.add("the face's WebAssembly", kilobytes(about.len()));
    for (name, program, args) in [("gzip", "gzip", ["-9", "-c"]), ("brotli", "brotli", ["-q11", "-c"])] {
        let packed = Command::new(program).args(args).arg(&wasm).stderr(Stdio::null()).output();
        match packed {
            Ok(packed) if packed.status.success() => {
                report.add(format!("  packed by {name}"), kilobytes(packed.stdout.len() as u64)).aim(500.0);
            }
            Ok(_) | Err(_) => report.left_out(&format!("the face packed by {name}"), "there is no such program"),
        }
    }
}
