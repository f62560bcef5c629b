//! The least a Tauri window can be: what `cargo xtask bench` measures the app's start against.

/// The page has drawn its second frame.
#[tauri::command]
#[expect(clippy::print_stderr, reason = "the benchmark reads it")]
fn screen_drawn() {
    eprintln!("screen drawn");
}

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![screen_drawn])
        .run(tauri::generate_context!("examples/bare/tauri.conf.json"))
}
