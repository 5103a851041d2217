//! The desktop's program; all of it is in the library, which phones start by themselves.

// No console window beside the app's own on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

/// Gives memory back after a peak (a site loaded, a list written as JSON), which the C library's allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    crewbell_app::run();
}
