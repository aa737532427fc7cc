//! Lists the themes of `themes/` for the binary, so that a new theme is one file and no code.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let folder = Path::new(&root).join("themes");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            names.push(path);
        }
    }
    names.sort();
    let lines = names.iter().filter_map(|path| {
        let name = path.file_stem()?.to_str()?;
        Some(format!("    ({name:?}, include_str!({:?})),\n", path.to_str()?))
    });
    let list = lines.collect::<String>();
    fs::write(Path::new(&out).join("themes.rs"), format!("&[\n{list}]\n"))?;
    println!("cargo::rerun-if-changed={}", folder.display());
    Ok(())
}
