//! Writes the TypeScript of the wire types into the folder given; `cargo xtask bindings` calls it.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("which folder?")?;
    luminous_wire::bindings::export_to(folder.as_ref())?;
    Ok(())
}
