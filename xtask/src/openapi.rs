//! `openapi`: writes the committed OpenAPI document of the REST endpoints, as the server prints it.

use std::{fs, process::Command};

use anyhow::{Context, Result};

use crate::{demo::build_server, run};

const PATH: &str = "docs/openapi.json";

pub(crate) fn openapi() -> Result<()> {
    let document = run::output(Command::new(build_server()?).arg("openapi"))?;
    fs::create_dir_all("docs")?;
    fs::write(PATH, document).with_context(|| format!("could not write {PATH}"))?;
    println!("wrote {PATH}");
    Ok(())
}
