//! `--panel`: a window for the demo's buttons. It shows a page of the server as a browser would, without a core,
//! permissions or stored data. Also placement of windows: the panel at the right of the screen, the app at its left.

use tauri::webview::NewWindowResponse;
use tauri::{App, Context, Monitor, Runtime, Url, WebviewUrl, WebviewWindowBuilder};

/// The panel window's label, which no capability names.
const WINDOW: &str = "panel";

/// Height of a window's title bar and frame, in logical pixels.
const FRAME: f64 = 40.0;

/// The panel's width, in logical pixels: two columns of buttons, or one on a small screen.
const WIDTH: std::ops::RangeInclusive<f64> = 320.0..=460.0;

/// Shows the page until the window is closed.
pub(crate) fn run(mut context: Context, url: Url) -> tauri::Result<()> {
    let config = context.config_mut();
    // A separate identifier, so that the desktop doesn't take the panel for the app.
    config.identifier.push_str(".panel");
    config.app.with_global_tauri = false;
    let set_up = move |app: &mut App| {
        let origin = url.origin();
        let window = WebviewWindowBuilder::new(app, WINDOW, WebviewUrl::External(url))
            .title("Crewbell · the buttons on board")
            .incognito(true)
            .on_navigation(move |to| to.origin() == origin)
            .on_new_window(|_, _| NewWindowResponse::Deny)
            .inner_size(*WIDTH.end(), 780.0);
        place(window, app, Some(Side::Right)).build()?;
        Ok(())
    };
    tauri::Builder::default().setup(set_up).build(context)?.run(|_, _| {});
    Ok(())
}

/// A side of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The side of the app, beside the panel.
    Left,
    /// The side of the panel.
    Right,
}

/// Places a window at a side of the screen, if one is given; a desktop that places windows by itself (Wayland) applies
/// only the size.
pub(crate) fn place<'a, R: Runtime>(
    window: WebviewWindowBuilder<'a, R, App<R>>,
    app: &App<R>,
    side: Option<Side>,
) -> WebviewWindowBuilder<'a, R, App<R>> {
    let Some(side) = side else { return window };
    let monitors = app.available_monitors().unwrap_or_default();
    let Some(monitor) = app.primary_monitor().ok().flatten().or_else(|| monitors.into_iter().next()) else {
        return window;
    };
    let [x, y, width, height] = at(side, area(&monitor));
    window.position(x, y).inner_size(width, height)
}

/// Returns the usable area of a screen, in logical pixels: left, top, width, height.
fn area(monitor: &Monitor) -> [f64; 4] {
    let scale = monitor.scale_factor();
    let area = monitor.work_area();
    let [x, y] = [area.position.x, area.position.y].map(|at| f64::from(at) / scale);
    let [width, height] = [area.size.width, area.size.height].map(|size| f64::from(size) / scale);
    [x, y, width, height]
}

/// Returns the position and size of a side's window within an area, without its frame.
fn at(side: Side, [x, y, width, height]: [f64; 4]) -> [f64; 4] {
    let panel = (width * 0.32).clamp(*WIDTH.start(), *WIDTH.end());
    let height = (height - FRAME).max(FRAME);
    match side {
        Side::Left => [x, y, (width - panel).max(*WIDTH.start()), height],
        Side::Right => [x + width - panel, y, panel, height],
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, at};

    #[test]
    fn app_and_panel_stand_side_by_side_and_fill_the_screen() {
        for area in [[0.0, 0.0, 1280.0, 800.0], [100.0, 30.0, 1920.0, 1050.0], [0.0, 0.0, 3840.0, 2160.0]] {
            let ([left, _, app, _], [start, top, panel, height]) = (at(Side::Left, area), at(Side::Right, area));
            let near = |a: f64, b: f64| (a - b).abs() < 0.01;
            assert!(near(left, area[0]) && near(left + app, start) && near(start + panel, area[0] + area[2]));
            assert!(near(top, area[1]) && height < area[3]);
            assert!(app > panel && (320.0..=460.0).contains(&panel));
        }
    }
}
