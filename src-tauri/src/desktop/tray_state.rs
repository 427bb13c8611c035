//! What the tray shows: a state in words, and an icon that says the same without colour alone.

/// How Creel stands, for somebody who does not see the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrayState {
    /// It catches.
    Catching,
    /// It catches, and something went wrong since its user last looked.
    Trouble {
        /// Deliveries whose every attempt failed
        failed: u64,
        /// Deliveries with an invalid signature
        invalid: u64,
    },
    /// It catches, and relays nothing: every endpoint is switched off.
    Paused,
    /// The engine does not run.
    NotCatching,
}

impl TrayState {
    /// One line.
    pub fn line(&self) -> String {
        match self {
            Self::Catching => "Catching".to_owned(),
            Self::Trouble { failed, invalid: 0 } => format!("{failed} failed since you looked"),
            Self::Trouble { failed: 0, invalid } => format!("{invalid} with an invalid signature since you looked"),
            Self::Trouble { failed, invalid } => {
                format!("{failed} failed, {invalid} with an invalid signature since you looked")
            }
            Self::Paused => "Paused: every endpoint is switched off".to_owned(),
            Self::NotCatching => "Not catching: open Creel to see why".to_owned(),
        }
    }

    fn badge(&self) -> Option<Badge> {
        match self {
            Self::Catching => None,
            Self::Trouble { .. } => Some(Badge { color: [0xd9, 0x77, 0x06, 0xff], sign: exclamation_mark }),
            Self::Paused => Some(Badge { color: [0x64, 0x74, 0x8b, 0xff], sign: two_bars }),
            Self::NotCatching => Some(Badge { color: [0xdc, 0x26, 0x26, 0xff], sign: cross }),
        }
    }
}

/// A disc in the lower right corner with a white sign on it.
struct Badge {
    color: [u8; 4],
    /// Whether a point of the disc belongs to the sign; from -1 to 1 each way
    sign: fn(f32, f32) -> bool,
}

fn exclamation_mark(x: f32, y: f32) -> bool {
    x.abs() < 0.18 && ((-0.65..0.2).contains(&y) || (0.4..0.7).contains(&y))
}

fn two_bars(x: f32, y: f32) -> bool {
    (0.15..0.45).contains(&x.abs()) && y.abs() < 0.55
}

fn cross(x: f32, y: f32) -> bool {
    ((x - y).abs() < 0.25 || (x + y).abs() < 0.25) && x.abs() < 0.6 && y.abs() < 0.6
}

/// The icon with the state's badge: pixels of four bytes, row by row, as `base`.
pub fn with_badge(base: &[u8], width: u32, state: &TrayState) -> Vec<u8> {
    let mut pixels = base.to_vec();
    let Some(badge) = state.badge() else { return pixels };
    let width = width.max(1) as usize;
    let height = pixels.len() / 4 / width;
    // The disc takes a good half of the icon: at 16 pixels less could not be read.
    let radius = width as f32 * 0.29;
    let (center_x, center_y) = (width as f32 - radius, height as f32 - radius);
    for (place, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let x = ((place % width) as f32 + 0.5 - center_x) / radius;
        let y = ((place / width) as f32 + 0.5 - center_y) / radius;
        if x.hypot(y) <= 1.0 {
            pixel.copy_from_slice(if (badge.sign)(x, y) { &[0xff; 4] } else { &badge.color });
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_a_line_and_an_icon_of_its_own() {
        let states = [
            TrayState::Catching,
            TrayState::Trouble { failed: 3, invalid: 1 },
            TrayState::Paused,
            TrayState::NotCatching,
        ];
        let base = vec![7; 32 * 32 * 4];
        let icons: std::collections::BTreeSet<Vec<u8>> =
            states.iter().map(|state| with_badge(&base, 32, state)).collect();
        let lines: std::collections::BTreeSet<String> = states.iter().map(TrayState::line).collect();
        assert_eq!((icons.len(), lines.len()), (4, 4));
        assert!(icons.iter().all(|icon| icon.len() == base.len()));
        // Without colour: the white signs differ, too.
        let white = |state: &TrayState| {
            let icon = with_badge(&base, 32, state);
            icon.chunks_exact(4).map(|pixel| pixel == [0xff; 4]).collect::<Vec<bool>>()
        };
        assert_ne!(white(&states[1]), white(&states[2]));
        assert_ne!(white(&states[2]), white(&states[3]));
    }

    #[test]
    fn an_icon_of_any_size_is_painted_within_its_bounds() {
        for pixels in [0, 1, 2, 5] {
            assert_eq!(with_badge(&vec![0; pixels * 4], 1, &TrayState::Paused).len(), pixels * 4);
        }
        assert!(with_badge(&[], 0, &TrayState::Paused).is_empty());
    }
}
