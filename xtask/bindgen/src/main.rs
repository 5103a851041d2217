//! `xtask-bindgen <in.wasm> <folder>`: makes a web page's script out of the face's WebAssembly.
//!
//! A program of its own, because the library behind it is heavy and `cargo xtask` is wanted at once.
//! The library must be of exactly the version of `wasm-bindgen` that the face is built with; both
//! stand on one `wasm-bindgen-shared`, so the lock file can't hold two different ones.

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
