//! The desktop executable; the library contains the app, and phones start it directly.

// No console window beside the app's own on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

/// Allocator that returns memory to the system after a peak (loading a site, serialising a list), unlike the C
/// library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    crewbell_app::run();
}
