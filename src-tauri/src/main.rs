//! The desktop's program; all of it is in the library, which phones start by themselves.

// No console window beside the app's own on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    crewbell_app::run();
}
