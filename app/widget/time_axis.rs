//! A stretch of time laid over cells: zooming, panning, ticks.

/// A stretch of time, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindow {
    from_ns: i64,
    to_ns: i64,
}

/// Where ticks stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticks {
    pub step_ns: i64,
    /// (cell, nanoseconds since the origin of the axis).
    pub at: Vec<(u16, i64)>,
}

const MICROSECOND: i64 = 1_000;
const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Labels need this many cells, with the gap behind them.
const CELLS_PER_TICK: i64 = 9;

impl Default for TimeWindow {
    fn default() -> Self {
        Self::new(0, MICROSECOND)
    }
}

impl TimeWindow {
    /// Returns the window between two times in nanoseconds since 1970; at least one microsecond long.
    #[must_use]
    pub fn new(from_ns: i64, to_ns: i64) -> Self {
        let from_ns = from_ns.min(i64::MAX - MICROSECOND);
        Self { from_ns, to_ns: to_ns.max(from_ns + MICROSECOND) }
    }

    #[must_use]
    pub const fn from_ns(self) -> i64 {
        self.from_ns
    }

    #[must_use]
    pub const fn to_ns(self) -> i64 {
        self.to_ns
    }

    #[must_use]
    pub const fn len_ns(self) -> i64 {
        self.to_ns.saturating_sub(self.from_ns)
    }

    /// Returns where a time lies when the window is `width` cells wide; outside of 0..=width where it is outside.
    #[must_use]
    pub fn cell(self, time_ns: i64, width: u16) -> f64 {
        let offset = i128::from(time_ns) - i128::from(self.from_ns);
        offset as f64 / self.len_ns() as f64 * f64::from(width)
    }

    /// Returns the time in the middle of a cell.
    #[must_use]
    pub fn time_ns(self, cell: u16, width: u16) -> i64 {
        let share = (f64::from(cell) + 0.5) / f64::from(width.max(1));
        self.from_ns.saturating_add((share * self.len_ns() as f64) as i64)
    }

    /// Returns the window of `share` of this one's length that has `middle_ns` in its middle, moved to lie within `whole`.
    #[must_use]
    pub fn scaled(self, share: f64, middle_ns: i64, whole: Self) -> Self {
        let len = ((self.len_ns() as f64 * share) as i64).clamp(MICROSECOND, whole.len_ns());
        Self::new(middle_ns.saturating_sub(len / 2), middle_ns.saturating_sub(len / 2).saturating_add(len))
            .within(whole)
    }

    /// Returns the window moved by `share` of its length, but not out of `whole`.
    #[must_use]
    pub fn panned(self, share: f64, whole: Self) -> Self {
        let by = (self.len_ns() as f64 * share) as i64;
        Self::new(self.from_ns.saturating_add(by), self.to_ns.saturating_add(by)).within(whole)
    }

    /// Returns the window moved, and cut where it must be, to lie within `whole`.
    #[must_use]
    pub fn within(self, whole: Self) -> Self {
        let len = self.len_ns().min(whole.len_ns());
        let from_ns = self.from_ns.clamp(whole.from_ns, whole.to_ns.saturating_sub(len));
        Self::new(from_ns, from_ns.saturating_add(len))
    }

    /// Returns ticks at round distances from `origin_ns`, as many as their labels leave room for.
    #[must_use]
    pub fn ticks(self, origin_ns: i64, width: u16) -> Ticks {
        let least_ns = i128::from(self.len_ns()) * i128::from(CELLS_PER_TICK) / i128::from(width.max(1));
        let step_ns = steps().find(|&step| i128::from(step) >= least_ns).unwrap_or(i64::MAX);
        let before = self.from_ns.saturating_sub(origin_ns).div_euclid(step_ns).saturating_mul(step_ns);
        let offsets = (0..=i64::from(width)).map(|tick| before.saturating_add(tick.saturating_mul(step_ns)));
        let cells = offsets.map(|offset| (self.cell(origin_ns.saturating_add(offset), width), offset));
        let seen = cells.skip_while(|&(cell, _)| cell < -0.001).take_while(|&(cell, _)| cell < f64::from(width));
        Ticks { step_ns, at: seen.map(|(cell, offset)| (cell.max(0.0) as u16, offset)).collect() }
    }
}

/// Returns the distances between ticks that read well, shortest first.
fn steps() -> impl Iterator<Item = i64> {
    let below_a_minute = (0..11).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)));
    let minutes = [1, 2, 5, 10, 30].map(|minutes| minutes * MINUTE);
    let hours = [1, 3, 6, 12].map(|hours| hours * HOUR);
    let days = (0..5).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power) * DAY));
    below_a_minute.filter(|&step| step < MINUTE).chain(minutes).chain(hours).chain(days.filter(|&step| step > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: i64 = 1_000_000;

    #[test]
    fn ticks_are_round_and_leave_room_for_their_labels() {
        let window = TimeWindow::new(1_000 * MILLISECOND, 3_310 * MILLISECOND);
        let ticks = window.ticks(1_000 * MILLISECOND, 60);
        assert_eq!(ticks.step_ns, 500 * MILLISECOND);
        assert_eq!(ticks.at.iter().map(|&(cell, _)| cell).collect::<Vec<_>>(), [0, 12, 25, 38, 51]);
    }

    #[test]
    fn ticks_stay_where_they_are_when_the_window_moves() {
        let whole = TimeWindow::new(0, 1_000 * MILLISECOND);
        let window = whole.scaled(0.25, 500 * MILLISECOND, whole);
        assert_eq!((window.from_ns(), window.to_ns()), (375 * MILLISECOND, 625 * MILLISECOND));
        let ticks = window.ticks(0, 60);
        assert_eq!(ticks.at.first(), Some(&(6, 400 * MILLISECOND)));
    }

    #[test]
    fn windows_never_leave_the_whole() {
        let whole = TimeWindow::new(0, 1_000 * MILLISECOND);
        let narrow = whole.scaled(0.1, 0, whole);
        assert_eq!((narrow.from_ns(), narrow.to_ns()), (0, 100 * MILLISECOND));
        assert_eq!(narrow.panned(-0.5, whole), narrow);
        assert_eq!(narrow.scaled(100.0, 0, whole), whole);
    }

    proptest! {
        #[test]
        fn any_times_give_a_window_and_ticks_inside(from in any::<i64>(), to in any::<i64>(), width in 0_u16..400) {
            let window = TimeWindow::new(from, to);
            prop_assert!(window.len_ns() > 0);
            prop_assert!(window.ticks(from, width).at.iter().all(|&(cell, _)| cell < width));
            let _ = window.scaled(0.5, to, window).panned(0.3, window);
        }
    }
}
