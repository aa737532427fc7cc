//! The README's first command, in the real binary; with `RIFTLINE_PICTURES=FOLDER` also its picture (`docs/picture.svg`).

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use riftline::theme::catalog::{DEFAULT, Themes};
use riftline::tui::picture;

use crate::support::terminal::Terminal;

const SIZE: (u16, u16) = (120, 36);

#[test]
fn the_sample_shop_opens_on_one_trace_of_five_services() {
    let home = tempfile::tempdir().expect("folder");
    let samples = "sample-traces/shop-healthy";
    let mut terminal = Terminal::start_with(home.path(), &[samples], SIZE.0, SIZE.1, |command| {
        command.cwd(env!("CARGO_MANIFEST_DIR"));
    });
    terminal.wait_for("all that is read", |screen| screen.contains("72 traces") && screen.contains("1 032 spans"));
    terminal.type_keys("\r");
    let services = ["gateway", "orders", "stock", "payments", "pricing"];
    terminal.wait_for("five services", |screen| services.iter().all(|name| screen.contains(name)));
    terminal.wait_for("the details", |screen| screen.contains("attributes") && screen.contains("http.request.method"));
    if let Some(folder) = std::env::var_os("RIFTLINE_PICTURES") {
        let theme = Themes::default().load(DEFAULT).expect("the default theme");
        let svg = picture::svg(&terminal.with_screen(buffer), &theme);
        std::fs::write(Path::new(&folder).join("picture.svg"), svg).expect("picture");
    }
    terminal.type_keys("q");
    assert!(terminal.wait_for_end().0.success());
}

/// Returns what a terminal shows as cells that can be painted.
fn buffer(screen: &vt100::Screen) -> Buffer {
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = Buffer::empty(area);
    for position in area.positions() {
        let Some(cell) = screen.cell(position.y, position.x) else { continue };
        let modifiers = [
            (cell.bold(), Modifier::BOLD),
            (cell.dim(), Modifier::DIM),
            (cell.italic(), Modifier::ITALIC),
            (cell.underline(), Modifier::UNDERLINED),
            (cell.inverse(), Modifier::REVERSED),
        ];
        let modifier =
            modifiers.iter().filter(|(is_set, _)| *is_set).fold(Modifier::empty(), |all, (_, one)| all | *one);
        let style = Style::new().fg(color(cell.fgcolor())).bg(color(cell.bgcolor())).add_modifier(modifier);
        let symbol = if cell.has_contents() { cell.contents() } else { " " };
        buffer[position].set_symbol(symbol).set_style(style);
    }
    buffer
}

fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}
