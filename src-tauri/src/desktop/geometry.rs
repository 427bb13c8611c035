//! Where the window was, and whether it can be seen there again: a screen may be gone meanwhile.

use serde::{Deserialize, Serialize};
use tauri::{PhysicalPosition, PhysicalSize, Runtime, WebviewWindow};

/// How much of the window must lie on a screen for its user to find and drag it, in pixels each way.
const SEEN_PIXELS_MIN: i64 = 120;
/// Sizes outside this are not taken from the file, in pixels.
const SIDE_PIXELS: std::ops::RangeInclusive<u32> = 200..=20_000;

/// Place and size in pixels of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Geometry {
    /// Left edge of the frame.
    pub x: i32,
    /// Upper edge of the frame.
    pub y: i32,
    /// Width without the frame.
    pub width: u32,
    /// Height without the frame.
    pub height: u32,
    /// Whether it filled the screen.
    pub maximized: bool,
}

impl Geometry {
    /// Where a window is now. A maximised one keeps the place it had before, as far as that is known.
    pub fn of<R: Runtime>(window: &WebviewWindow<R>, before: Option<Self>) -> tauri::Result<Self> {
        let maximized = window.is_maximized()?;
        if maximized && let Some(before) = before {
            return Ok(Self { maximized, ..before });
        }
        let (position, size) = (window.outer_position()?, window.inner_size()?);
        Ok(Self { x: position.x, y: position.y, width: size.width, height: size.height, maximized })
    }

    /// Puts a window there, or only gives it the size when that place lies on no screen.
    pub fn give_to<R: Runtime>(self, window: &WebviewWindow<R>) -> tauri::Result<()> {
        if !SIDE_PIXELS.contains(&self.width) || !SIDE_PIXELS.contains(&self.height) {
            return Ok(());
        }
        window.set_size(PhysicalSize::new(self.width, self.height))?;
        let screens = window.available_monitors()?;
        let areas = screens.iter().map(|screen| Area::new(*screen.position(), *screen.size()));
        if self.is_seen_on(areas) {
            window.set_position(PhysicalPosition::new(self.x, self.y))?;
        }
        if self.maximized { window.maximize() } else { Ok(()) }
    }

    fn is_seen_on(self, mut screens: impl Iterator<Item = Area>) -> bool {
        let own = Area::new(PhysicalPosition::new(self.x, self.y), PhysicalSize::new(self.width, self.height));
        screens.any(|screen| {
            let wide = own.right.min(screen.right) - own.left.max(screen.left);
            let high = own.bottom.min(screen.bottom) - own.top.max(screen.top);
            // The title bar is at the top: it must not be above the screen.
            wide >= SEEN_PIXELS_MIN && high >= SEEN_PIXELS_MIN && own.top >= screen.top
        })
    }
}

/// A rectangle by its edges.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Area {
    fn new(position: PhysicalPosition<i32>, size: PhysicalSize<u32>) -> Self {
        let (left, top) = (i64::from(position.x), i64::from(position.y));
        Self { left, top, right: left + i64::from(size.width), bottom: top + i64::from(size.height) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(x: i32, y: i32, width: u32, height: u32) -> Area {
        Area::new(PhysicalPosition::new(x, y), PhysicalSize::new(width, height))
    }

    #[test]
    fn a_window_is_only_put_where_its_user_can_reach_it() {
        let two = [screen(0, 0, 1920, 1080), screen(1920, 0, 1280, 1024)];
        let at = |x, y| Geometry { x, y, width: 1000, height: 700, maximized: false };
        let seen = |geometry: Geometry, screens: &[Area]| geometry.is_seen_on(screens.iter().copied());
        assert!(seen(at(50, 40), &two));
        assert!(seen(at(2000, 40), &two));
        assert!(!seen(at(2000, 40), &two[..1]), "the second screen is gone");
        assert!(!seen(at(-950, 40), &two), "a sliver is not enough");
        assert!(!seen(at(50, -300), &two), "the title bar is above the screen");
        assert!(!seen(at(50, 40), &[]));
        let absurd = Geometry { x: i32::MAX, y: i32::MIN, width: u32::MAX, height: u32::MAX, maximized: true };
        assert!(!seen(absurd, &two));
    }
}
