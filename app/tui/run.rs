//! The loop: waits for keys, answers, news of the loader, signals and time, has the state updated, and draws it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{self, KeyEventKind};
use crossterm::execute;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::analyst::Wish;
use super::chord::Chord;
use super::clicks::Clicks;
use super::effect::{Event, LoadNews, Outside};
use super::jobs::{Backend, Jobs};
use super::opening::Opening;
use super::state::State;
use super::terminal::Screen;
use super::update::{start, update};
use super::{TuiError, terminal};

/// A question that is answered sooner shows no spinner.
const PATIENCE: Duration = Duration::from_millis(150);
/// How long each picture of the spinner stays.
const SPIN: Duration = Duration::from_millis(80);
/// Frames are at least this far apart: what happens in between is seen together.
const FRAME: Duration = Duration::from_millis(8);

/// Shows the workstation on `backend` until the user leaves. Who looks for what is broken gets `wishes`.
pub fn show(
    backend: &Arc<dyn Backend>,
    opening: &Opening,
    news: Receiver<LoadNews>,
    wishes: Option<Sender<Wish>>,
) -> Result<(), TuiError> {
    terminal::check(std::env::var("TERM").ok().as_deref())?;
    let state = opening.state()?;
    let mouse = state.shared.memory.mouse;
    let signals = listen()?;
    let jobs = Jobs::start(backend)?;
    let screen = Screen::enter(mouse)?;
    let keys = keys()?;
    let mut workstation = Loop {
        state,
        screen,
        jobs,
        signals,
        keys,
        news,
        wishes,
        timer: never(),
        is_timing: false,
        clicks: Clicks::default(),
        is_dirty: true,
        last_frame: None,
    };
    workstation.run()
}

struct Loop {
    state: State,
    screen: Screen,
    jobs: Jobs,
    signals: Receiver<i32>,
    keys: Receiver<event::Event>,
    news: Receiver<LoadNews>,
    wishes: Option<Sender<Wish>>,
    timer: Receiver<Instant>,
    is_timing: bool,
    clicks: Clicks,
    is_dirty: bool,
    last_frame: Option<Instant>,
}

/// What one of the channels brought.
enum Woken {
    Event(Event),
    Signal(i32),
    /// Nothing to update: an old answer, a key that was let go, a channel that closed.
    Nothing,
    FrameDue,
}

/// Whether the loop goes on.
enum Next {
    Go,
    Leave,
}

impl Loop {
    fn run(&mut self) -> Result<(), TuiError> {
        self.state.area = self.screen.area()?;
        self.draw()?;
        let first = start(&mut self.state);
        let mut next = self.perform(first)?;
        while let Next::Go = next {
            let woken = self.wait();
            next = self.handle(woken)?;
            if let Next::Leave = next {
                break;
            }
            if self.is_dirty && self.frame_wait().is_zero() {
                self.draw()?;
            }
        }
        Ok(())
    }

    fn handle(&mut self, woken: Woken) -> Result<Next, TuiError> {
        match woken {
            Woken::Event(event) => {
                panic_for_the_test(&event);
                self.is_dirty = true;
                if let Event::Resize(_) = event {
                    // Even to the size that was drawn last: a terminal that shrank in between has lost what it showed.
                    self.screen.forget()?;
                }
                let outside = update(&mut self.state, event);
                let next = self.perform(outside)?;
                self.set_timer();
                Ok(next)
            }
            Woken::Signal(SIGTSTP) => self.sleep().map(|()| Next::Go),
            Woken::Signal(SIGCONT) => {
                self.screen.resume()?;
                self.is_dirty = true;
                Ok(Next::Go)
            }
            Woken::Signal(number) => Err(TuiError::Stopped(number)),
            Woken::Nothing | Woken::FrameDue => Ok(Next::Go),
        }
    }

    fn wait(&mut self) -> Woken {
        let frame = if self.is_dirty { after(self.frame_wait()) } else { never() };
        select! {
            recv(self.signals) -> signal => signal.map_or(Woken::Nothing, Woken::Signal),
            recv(self.keys) -> event => match event {
                Ok(event) => self.translate(event),
                // Nobody can press a key any more: the terminal is gone.
                Err(_) => Woken::Signal(SIGHUP),
            },
            recv(self.jobs.replies) -> reply => match reply.ok().and_then(|reply| self.jobs.accept(reply)) {
                Some((slot, answer)) => Woken::Event(Event::Answer { slot, answer }),
                None => Woken::Nothing,
            },
            recv(self.news) -> news => news.map_or_else(|_| self.no_more_news(), |news| Woken::Event(Event::Load(news))),
            recv(self.timer) -> _ => self.tick(),
            recv(frame) -> _ => Woken::FrameDue,
        }
    }

    fn tick(&mut self) -> Woken {
        self.is_timing = false;
        Woken::Event(Event::Tick)
    }

    fn no_more_news(&mut self) -> Woken {
        self.news = never();
        Woken::Nothing
    }

    fn translate(&mut self, event: event::Event) -> Woken {
        match event {
            event::Event::Key(key) if key.kind != KeyEventKind::Release => Woken::Event(Event::Key(key.into())),
            event::Event::Paste(text) => Woken::Event(Event::Paste(text)),
            event::Event::Resize(width, height) => {
                Woken::Event(Event::Resize(ratatui::layout::Rect::new(0, 0, width, height)))
            }
            event::Event::Mouse(mouse) => {
                let seen = self.clicks.gesture(mouse, Instant::now());
                seen.map_or(Woken::Nothing, |mouse| Woken::Event(Event::Mouse(mouse)))
            }
            _ => Woken::Nothing,
        }
    }

    fn perform(&mut self, outside: Vec<Outside>) -> Result<Next, TuiError> {
        for task in outside {
            match task {
                Outside::Ask { slot, request } => self.jobs.ask(slot, request),
                Outside::Cancel(slot) => self.jobs.cancel(slot),
                // One that has gone has said why; one with many wishes looks anyway.
                Outside::Analyse(wish) => _ = self.wishes.as_ref().map(|wishes| wishes.try_send(wish)),
                Outside::Copy(text) => execute!(std::io::stdout(), CopyToClipboard::to_clipboard_from(text))?,
                Outside::Mouse(on) => self.screen.set_mouse(on)?,
                Outside::Redraw => self.screen.forget()?,
                Outside::Suspend => self.sleep()?,
                Outside::Quit => return Ok(Next::Leave),
            }
        }
        self.set_timer();
        Ok(Next::Go)
    }

    /// Stops the process as the shell expects; comes back when it is continued.
    fn sleep(&mut self) -> Result<(), TuiError> {
        self.screen.suspend();
        emulate_default_handler(SIGTSTP)?;
        self.screen.resume()?;
        self.is_dirty = true;
        Ok(())
    }

    fn set_timer(&mut self) {
        let is_waiting = !self.state.shared.pending.is_empty();
        if is_waiting && self.is_timing {
            return;
        }
        self.is_timing = is_waiting;
        self.timer = match self.state.shared.spinner {
            _ if !is_waiting => never(),
            None => after(PATIENCE),
            Some(_) => after(SPIN),
        };
    }

    fn frame_wait(&self) -> Duration {
        self.last_frame.map_or(Duration::ZERO, |last| FRAME.saturating_sub(last.elapsed()))
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        self.screen.draw(&self.state)?;
        self.is_dirty = false;
        self.last_frame = Some(Instant::now());
        Ok(())
    }
}

/// Panics on F12 where `RIFTLINE_TEST_PANIC` is set: the test that the terminal survives a panic needs one.
fn panic_for_the_test(event: &Event) {
    let is_asked = matches!(event, Event::Key(chord) if *chord == Chord::plain(event::KeyCode::F(12)));
    assert!(!is_asked || std::env::var_os("RIFTLINE_TEST_PANIC").is_none(), "RIFTLINE_TEST_PANIC is set");
}

/// Returns signals as they come.
fn listen() -> Result<Receiver<i32>, TuiError> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGCONT])?;
    let (send, receive) = bounded(16);
    let listen = move || signals.forever().try_for_each(|signal| send.send(signal));
    thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    Ok(receive)
}

/// Returns what is typed, clicked and resized.
fn keys() -> Result<Receiver<event::Event>, TuiError> {
    let (send, receive) = bounded(256);
    thread::Builder::new().name("keys".to_owned()).spawn(move || read_keys(&send))?;
    Ok(receive)
}

fn read_keys(send: &Sender<event::Event>) {
    while let Ok(event) = event::read() {
        if send.send(event).is_err() {
            return;
        }
    }
}
