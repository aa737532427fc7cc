use super::*;
use crate::theme::colour;

fn themes() -> Themes {
    Themes::default()
}

#[test]
fn every_bundled_theme_loads_without_a_warning_and_names_every_role_somewhere() {
    for (name, source) in BUNDLED {
        assert_eq!(themes().check_source(source), [], "{name}");
        let theme = themes().load(name).unwrap();
        assert!(theme.num_services() >= 6, "{name}: {} service colours", theme.num_services());
        assert!(!theme.doc.is_empty(), "{name} has no doc");
        for role in [Role::Text, Role::Error, Role::Selection, Role::Border, Role::Key] {
            assert_ne!(theme.style(role), Style::default(), "{name}: {}", role.name());
        }
    }
}

#[test]
fn text_stands_out_from_the_ground_in_every_theme() {
    for (name, _) in BUNDLED {
        let theme = themes().load(name).unwrap();
        let ground = theme.style(Role::Background).bg.and_then(colour::rgb);
        for (role, least) in [(Role::Text, 7.0), (Role::Dim, 3.0), (Role::Error, 3.5), (Role::Accent, 3.5)] {
            let Some((text, ground)) = theme.style(role).fg.and_then(colour::rgb).zip(ground) else { continue };
            let contrast = contrast(text, ground);
            assert!(contrast >= least, "{name}: {} has contrast {contrast:.1}, wants {least}", role.name());
        }
    }
}

/// Contrast ratio, <https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>.
fn contrast(left: [u8; 3], right: [u8; 3]) -> f64 {
    let (left, right) = (luminance(left), luminance(right));
    (left.max(right) + 0.05) / (left.min(right) + 0.05)
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[test]
fn themes_of_the_user_come_first_and_inherit() {
    let folder = tempfile::tempdir().unwrap();
    let own = "inherits = \"riftline-dark\"\n[roles]\naccent = \"#010203\"\n";
    fs::write(folder.path().join("mine.toml"), own).unwrap();
    let themes = Themes { folder: Some(folder.path().to_owned()), depth: Depth::True };
    let theme = themes.load("mine").unwrap();
    let base = themes.load(DEFAULT).unwrap();
    assert_eq!(theme.style(Role::Accent).fg, colour::parse("#010203"));
    assert_eq!(theme.style(Role::Error), base.style(Role::Error));
    assert!(themes.names().contains(&"mine".to_owned()));
}

#[test]
fn what_cannot_be_loaded_says_why() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ring.toml"), "inherits = \"ring\"\n").unwrap();
    fs::write(folder.path().join("bad.toml"), "[roles]\nerror = \"crimson\"\n").unwrap();
    let themes = Themes { folder: Some(folder.path().to_owned()), depth: Depth::True };
    let message = |name: &str| themes.load(name).unwrap_err().to_string();
    assert_eq!(message("ring"), "theme ring inherits from itself");
    assert!(message("riftline-drak").contains("did you mean `riftline-dark`"));
    assert!(message("bad").starts_with("theme bad, line 2: not a colour"));
    assert_eq!(themes.check().len(), 2, "{:?}", themes.check());
}
