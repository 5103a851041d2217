//! `xtask-bindgen <in.wasm> <folder>`: generates the JavaScript bindings of the UI's WebAssembly.
//!
//! It is a separate program, because its library is slow to build and `cargo xtask` should start at once. The library
//! must have exactly the version of `wasm-bindgen` that the UI is built with; both depend on the same
//! `wasm-bindgen-shared`, so the lock file can't hold two different versions.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [input, folder] = args.as_slice() else {
        bail!("usage: xtask-bindgen <in.wasm> <folder>");
    };
    Bindgen::new()
        .input_path(input)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("no script could be made out of {}", input.display()))
}
