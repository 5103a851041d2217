//! The face of Crewbell, mounted into the page that the shell shows.
//!
//! - `app`: the whole of it, from the page's root down
//! - `bridge`: the only place that knows what the page runs in
//!
//! It is built for the web view by `cargo xtask ui`, and for the host only to be checked and tested.

mod app;
mod bridge;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
