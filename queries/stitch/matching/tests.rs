use super::{Choice, Problem};

fn problem(callees: &[&[(u32, f64)]]) -> Problem {
    let mut problem = Problem::default();
    for choices in callees {
        problem.push(choices.iter().map(|&(call, ln_weight)| Choice { call, ln_weight }));
    }
    problem
}

/// Sums over all matchings one by one.
fn brute(callees: &[&[(u32, f64)]]) -> Vec<f64> {
    fn walk(
        callees: &[&[(u32, f64)]],
        at: usize,
        taken: &mut Vec<(u32, usize)>,
        weight: f64,
        sums: &mut Vec<f64>,
        total: &mut f64,
    ) {
        let Some(choices) = callees.get(at) else {
            *total += weight;
            taken.iter().filter(|one| one.1 != usize::MAX).for_each(|one| sums[one.1] += weight);
            return;
        };
        walk(callees, at + 1, taken, weight, sums, total);
        let begin: usize = callees[..at].iter().map(|choices| choices.len()).sum();
        for (number, &(call, ln_weight)) in choices.iter().enumerate() {
            if taken.iter().all(|one| one.0 != call) {
                taken.push((call, begin + number));
                walk(callees, at + 1, taken, weight * ln_weight.exp(), sums, total);
                taken.pop();
            }
        }
    }
    let mut sums = vec![0.0; callees.iter().map(|choices| choices.len()).sum()];
    let mut total = 0.0;
    walk(callees, 0, &mut Vec::new(), 1.0, &mut sums, &mut total);
    sums.iter().map(|sum| sum / total).collect()
}

#[test]
fn posteriors_are_those_of_all_matchings() {
    let cases: [&[&[(u32, f64)]]; 4] = [
        &[&[(0, 2.0)]],
        &[&[(0, 2.0), (1, 1.0)], &[(0, 1.5), (1, 2.5)]],
        &[&[(0, 2.0), (1, 1.0)], &[(1, 0.5), (2, 4.0)], &[], &[(0, -1.0), (2, 3.0), (3, 9.0)], &[(3, 8.0)]],
        &[&[(5, 300.0)], &[(5, 299.0), (6, -3.0)], &[(6, 1.0)]],
    ];
    for callees in cases {
        let solution = problem(callees).solve();
        for (found, right) in solution.posteriors.iter().zip(brute(callees)) {
            assert!((found - right).abs() < 1e-6, "{found} {right}");
        }
    }
}

#[test]
fn the_best_matching_takes_no_call_twice() {
    let problem = problem(&[&[(0, 0.6), (1, 0.4)], &[(0, 0.5)], &[]]);
    assert_eq!(problem.best(), [Some(1), Some(0), None]);
}

#[test]
fn many_at_one_instant_stay_bounded() {
    let mut problem = Problem::default();
    for callee in 0..5_000_u32 {
        problem.push((0..8).map(|at| Choice { call: (callee + at * 7) % 5_000, ln_weight: 3.0 }));
    }
    let solution = problem.solve();
    assert!(solution.posteriors.iter().all(|value| value.is_finite() && (0.0..=1.0 + 1e-9).contains(value)));
    assert_eq!(problem.best().len(), 5_000);
}
