//! Which kinds of roots have to do with requests at all.
//!
//! Jobs in the background, polling and timers begin whether or not a request is there. What a request caused begins while one
//! is there, and soon after something in it. Both are compared with the same roots at other times.

use super::process::Process;

/// Chance is measured at so many other times.
const NUM_SHIFTS: usize = 8;
/// So many roots of each kind are looked at.
const MAX_TARGETS: usize = 2_000;
/// Chance must make it less likely than this that so many begin while a request is there.
const MAX_CHANCE: f64 = 1e-5;
/// Delays have to be so many deviations from what chance makes of them.
const MIN_DEVIATIONS: f64 = 6.0;
/// Delays are compared in so many classes an octave of magnitude: classes of a factor of about 1.6.
const CLASSES_PER_UNIT: f64 = 2.0;
const NUM_CLASSES: usize = 96;
/// A class is compared where chance has so many in it, or more; smaller ones are added up.
const MIN_CLASS: f64 = 4.0;

/// Returns for each kind of call whether its torn ones have to do with requests.
pub(super) fn related(process: &Process) -> Vec<bool> {
    let mut is_related: Vec<bool> = (0..process.num_kinds).map(|kind| is_inside(process, kind)).collect();
    let starts: Vec<i64> = process.parents.iter().map(|parent| parent.start_ns).collect();
    let ends = sorted(process.parents.iter().map(|parent| parent.end_ns));
    for (kind, is_related) in is_related.iter_mut().enumerate() {
        let (begins, finishes) = (begins(process, kind), finishes(process, kind));
        *is_related |= follows(process, &begins, &starts) || follows(process, &ends, &finishes);
    }
    spread(process, &mut is_related);
    is_related
}

/// What follows or goes before a related kind is related too.
fn spread(process: &Process, is_related: &mut [bool]) {
    for _ in 0..process.num_kinds {
        let found = (0..process.num_kinds).find(|&kind| {
            let is_open = process.is_loose[kind] && !is_related[kind];
            is_open && (0..process.num_kinds).any(|other| is_related[other] && is_next(process, kind, other))
        });
        let Some(kind) = found else { break };
        is_related[kind] = true;
    }
}

fn is_next(process: &Process, kind: usize, other: usize) -> bool {
    follows(process, &begins(process, kind), &finishes(process, other))
        || follows(process, &begins(process, other), &finishes(process, kind))
}

fn begins(process: &Process, kind: usize) -> Vec<i64> {
    sorted(process.all_calls().filter(|call| call.kind == kind).map(|call| call.start_ns))
}

fn finishes(process: &Process, kind: usize) -> Vec<i64> {
    sorted(process.all_calls().filter(|call| call.kind == kind).map(|call| call.end_ns))
}

fn sorted(times: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut times: Vec<i64> = times.collect();
    times.sort_unstable();
    times
}

/// Other times for the same events: moved by parts of the whole stretch, round its end to its begin.
struct Shift {
    begin: i64,
    length: i64,
}

impl Shift {
    fn of(process: &Process) -> Self {
        let begin = process.parents.first().map_or(0, |parent| parent.start_ns);
        Self { begin, length: (process.length_ns() as i64).max(1) }
    }

    fn apply(&self, time: i64, shift: usize) -> i64 {
        // Unequal parts: nothing periodic meets itself again.
        let part = self.length / 1_000 * [0, 83, 211, 307, 439, 541, 659, 787, 911][shift.min(NUM_SHIFTS)];
        self.begin.saturating_add(time.saturating_sub(self.begin).saturating_add(part).rem_euclid(self.length))
    }
}

/// Tells whether more torn calls of a kind begin while a request is there than by chance.
fn is_inside(process: &Process, kind: usize) -> bool {
    let shift = Shift::of(process);
    let open = Open::of(process);
    let torn = process.calls.iter().filter(|call| call.kind == kind).take(MAX_TARGETS);
    let (mut all, mut inside, mut by_chance) = (0_u32, 0_u32, 0_u32);
    for call in torn {
        all += 1;
        inside += u32::from(open.contains(call.start_ns));
        let at = |shifted: usize| open.contains(shift.apply(call.start_ns, shifted));
        by_chance += (1..=NUM_SHIFTS).filter(|&shifted| at(shifted)).count() as u32;
    }
    let share = (f64::from(by_chance) + 1.0) / (f64::from(all) * NUM_SHIFTS as f64 + 2.0);
    all > 0 && ln_tail(all, inside, share) < MAX_CHANCE.ln()
}

/// Returns a bound (Chernoff) for the logarithm of the chance that `hits` or more of `all` are hit where each is with `share`.
fn ln_tail(all: u32, hits: u32, share: f64) -> f64 {
    let found = f64::from(hits) / f64::from(all);
    if found <= share {
        return 0.0;
    }
    let part = |of: f64, by: f64| if of > 0.0 { of * (of / by).ln() } else { 0.0 };
    -f64::from(all) * (part(found, share) + part(1.0 - found, 1.0 - share))
}

/// Stretches of time in which a request is there, sorted and apart.
struct Open(Vec<(i64, i64)>);

impl Open {
    fn of(process: &Process) -> Self {
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for parent in &process.parents {
            match stretches.last_mut().filter(|last| parent.start_ns <= last.1) {
                Some(last) => last.1 = last.1.max(parent.end_ns),
                None => stretches.push((parent.start_ns, parent.end_ns)),
            }
        }
        Self(stretches)
    }

    fn contains(&self, time: i64) -> bool {
        let next = self.0.partition_point(|&(start, _)| start <= time);
        next.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|&(_, end)| time <= end)
    }
}

/// Tells whether the delays of `targets` from the last of `sources` before are other than by chance.
fn follows(process: &Process, targets: &[i64], sources: &[i64]) -> bool {
    if targets.is_empty() || sources.is_empty() {
        return false;
    }
    let shift = Shift::of(process);
    let mut found = [0.0; NUM_CLASSES];
    let mut chance = [0.0; NUM_CLASSES];
    for &target in targets.iter().take(MAX_TARGETS) {
        found[class(target, sources)] += 1.0;
        for shifted in 1..=NUM_SHIFTS {
            chance[class(shift.apply(target, shifted), sources)] += 1.0 / NUM_SHIFTS as f64;
        }
    }
    deviations(&found, &chance) > MIN_DEVIATIONS
}

fn class(target: i64, sources: &[i64]) -> usize {
    let next = sources.partition_point(|&source| source <= target);
    let Some(last) = next.checked_sub(1).and_then(|at| sources.get(at)) else { return NUM_CLASSES - 1 };
    let delay = target.saturating_sub(*last) as f64;
    (((delay / 1_000.0).asinh() * CLASSES_PER_UNIT) as usize).min(NUM_CLASSES - 1)
}

/// Returns by how many deviations the sum of squares is more than chance makes it.
fn deviations(found: &[f64], chance: &[f64]) -> f64 {
    let (mut squares, mut classes) = (0.0, 0.0);
    let (mut here, mut expected) = (0.0, 0.0);
    for (found, chance) in found.iter().zip(chance) {
        here += found;
        expected += chance;
        if expected >= MIN_CLASS || here >= MIN_CLASS {
            squares += f64::powi(here - expected, 2) / (expected.max(1.0) * (1.0 + 1.0 / NUM_SHIFTS as f64));
            classes += 1.0;
            (here, expected) = (0.0, 0.0);
        }
    }
    (squares - classes) / f64::sqrt(2.0 * f64::max(classes, 1.0))
}
