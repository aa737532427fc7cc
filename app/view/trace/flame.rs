//! The trace as a flame graph: spans with the same path of services and names are one frame, as wide as the time they spent
//! themselves and below.

mod render;

use std::collections::HashMap;

use super::data::TraceData;
use crate::tui::command::Command;

/// All spans that share a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frame {
    pub parent: Option<u32>,
    /// Texts of the spans of the trace.
    pub service: u32,
    pub name: u32,
    pub depth: u32,
    pub num_spans: u64,
    pub num_errors: u64,
    pub self_ns: i64,
    /// Own time of the frame and of all frames below it.
    pub total_ns: i64,
}

/// The flame graph, with the frame that is selected and the one that fills the width.
#[derive(Debug, Clone, Default)]
pub struct Flame {
    /// Parents before their children; the first stands for the trace.
    frames: Vec<Frame>,
    /// By frame, the widest child first.
    children: Vec<Vec<u32>>,
    selected: u32,
    zoomed: u32,
}

impl Flame {
    /// Merges the spans of `data`.
    #[must_use]
    pub fn new(data: &TraceData) -> Self {
        let mut frames = merge(data);
        for index in (1..frames.len()).rev() {
            let Frame { parent, total_ns, .. } = frames[index];
            let parent = parent.unwrap_or_default() as usize;
            frames[parent].total_ns = frames[parent].total_ns.saturating_add(total_ns);
        }
        let mut children = vec![Vec::new(); frames.len()];
        for (index, frame) in frames.iter().enumerate().skip(1) {
            children[frame.parent.unwrap_or_default() as usize].push(index as u32);
        }
        for siblings in &mut children {
            siblings.sort_by_key(|&child| (std::cmp::Reverse(frames[child as usize].total_ns), child));
        }
        let selected = children.first().and_then(|tops| tops.first()).copied().unwrap_or_default();
        Self { frames, children, selected, zoomed: 0 }
    }

    /// Returns all frames; the first stands for the trace.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Returns the frame under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<&Frame> {
        self.frames.get(self.selected as usize)
    }

    /// Moves to the caller, the widest callee, or the neighbour. Returns whether `command` was about moving.
    pub fn go(&mut self, command: Command) -> bool {
        let to = match command {
            Command::Up => self.frames.get(self.selected as usize).and_then(|frame| frame.parent),
            Command::Down => self.children.get(self.selected as usize).and_then(|below| below.first()).copied(),
            Command::Left => self.neighbour(-1),
            Command::Right => self.neighbour(1),
            Command::First => self.children.get(self.zoomed as usize).and_then(|tops| tops.first()).copied(),
            Command::Last | Command::PageUp | Command::PageDown => None,
            _ => return false,
        };
        self.selected = to.filter(|&to| to != 0).unwrap_or(self.selected);
        if !self.is_below_zoomed() {
            self.zoomed = 0;
        }
        true
    }

    /// Gives the whole width to the selected frame.
    pub const fn zoom(&mut self) {
        self.zoomed = self.selected;
    }

    /// Tells whether one frame has the whole width.
    #[must_use]
    pub const fn is_zoomed(&self) -> bool {
        self.zoomed != 0
    }

    /// Gives the width back to the whole trace.
    pub const fn unzoom(&mut self) {
        self.zoomed = 0;
    }

    fn neighbour(&self, by: isize) -> Option<u32> {
        let parent = self.frames.get(self.selected as usize)?.parent?;
        let siblings = self.children.get(parent as usize)?;
        let index = siblings.iter().position(|&sibling| sibling == self.selected)?;
        siblings.get(index.checked_add_signed(by)?).copied()
    }

    fn is_below_zoomed(&self) -> bool {
        let parent = |&frame: &u32| self.frames.get(frame as usize).and_then(|frame| frame.parent);
        std::iter::successors(Some(self.selected), parent).any(|frame| frame == self.zoomed)
    }
}

/// Returns one frame for each path, with their own times.
fn merge(data: &TraceData) -> Vec<Frame> {
    let mut frames = vec![Frame::default()];
    let mut known: HashMap<(u32, u32, u32), u32> = HashMap::new();
    let mut frame_of = vec![0_u32; data.forest.len() as usize];
    for rank in 0..data.forest.len() {
        let span = data.forest.span(rank);
        let parent = data.forest.parent(rank).map_or(0, |parent| frame_of[parent as usize]);
        let (service, name) = (data.spans.service[span], data.spans.name[span]);
        let index = *known.entry((parent, service, name)).or_insert_with(|| {
            let depth = if parent == 0 { 0 } else { frames[parent as usize].depth + 1 };
            frames.push(Frame { parent: Some(parent), service, name, depth, ..Frame::default() });
            frames.len() as u32 - 1
        });
        frame_of[rank as usize] = index;
        let frame = &mut frames[index as usize];
        let self_ns = data.self_ns(rank);
        frame.num_spans += 1;
        frame.num_errors += u64::from(data.spans.status[span] == 2);
        frame.self_ns = frame.self_ns.saturating_add(self_ns);
        frame.total_ns = frame.total_ns.saturating_add(self_ns);
    }
    frames
}
