use super::Density;

/// Adds up the density between two delays.
fn mass(density: &Density, from: f64, to: f64) -> f64 {
    let step = (to - from) / 200_000.0;
    (0..200_000).map(|at| density.ln(from + (f64::from(at) + 0.5) * step).exp() * step).sum()
}

#[test]
fn it_is_high_where_the_examples_are_and_adds_up_to_one() {
    let values: Vec<f64> = (0..500).map(|at| 200_000.0 + f64::from(at % 50) * 1_000.0).collect();
    let density = Density::fit(&values, &vec![1.0; 500]);
    assert!(density.ln(225_000.0) > density.ln(100_000.0) + 3.0);
    assert!(density.ln(225_000.0) > density.ln(-225_000.0) + 5.0);
    let mass = mass(&density, -5e6, 5e6);
    assert!((mass - 1.0).abs() < 0.02, "{mass}");
}

#[test]
fn it_is_finite_everywhere() {
    let extremes = [0.0, 1.0, -1.0, 1e18, -1e18, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let fits = [
        Density::default(),
        Density::fit(&[5.0], &[1.0]),
        Density::fit(&[7e5; 100], &[0.3; 100]),
        Density::fit(&extremes, &[1.0; 10]),
        Density::fit(&[1.0, 2.0], &[f64::NAN, -1.0]),
    ];
    for density in &fits {
        assert!(extremes.iter().all(|&value| density.ln(value).is_finite()));
        assert!(extremes.iter().all(|&value| density.ln_without(value, 1.0).is_finite()));
    }
}

#[test]
fn an_example_can_be_left_out() {
    let (values, weights) = ([1e5, 1.1e5, 1.2e5, 9e6], [1.0; 4]);
    let density = Density::fit(&values, &weights);
    assert!(density.ln_without(9e6, 1.0) < density.ln(9e6) - 1.0, "alone it does not speak for itself");
    assert!((density.ln_without(1.1e5, 1.0) - density.ln(1.1e5)).abs() < 1.0);
}

#[test]
fn weight_counts() {
    let density = Density::fit(&[1e5, 1e6], &[9.0, 1.0]);
    let more = density.ln(1e5) + 1e5_f64.ln() - density.ln(1e6) - 1e6_f64.ln();
    assert!(more > 1.5, "{more}");
}
