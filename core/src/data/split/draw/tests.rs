use super::*;

/// A made-up dataset: strata of uneven sizes, groups of uneven sizes, some across strata.
struct Case {
    strata: Vec<String>,
    groups: Vec<u64>,
    options: SplitOptions,
}

fn case(seed: u64, across: bool) -> Case {
    let mut rng = Rng::new(seed, 9);
    let n = 20 + rng.below(400);
    let n_strata = 1 + rng.below(8);
    let mean_group = 1 + rng.below(6);
    let n_groups = n / mean_group + 1;
    let groups: Vec<u64> = (0..n).map(|_| rng.below(n_groups) as u64).collect();
    let strata = (0..n).map(|i| {
        let of = if across {
            rng.below(n)
        } else {
            groups[i] as usize
        };
        // The square makes some strata rare.
        format!("s{}", of * of % n_strata)
    });
    let strata = strata.collect();
    let share = |rng: &mut Rng| Portion::Share(0.02 + 0.4 * rng.uniform());
    let options = SplitOptions {
        val: share(&mut rng),
        test: share(&mut rng),
        seed,
        ..SplitOptions::default()
    };
    Case {
        strata,
        groups,
        options,
    }
}

impl Case {
    fn draw(&self) -> Option<Split> {
        let mut facts = Facts::new(self.groups.len());
        facts.keep_together(self.groups.iter().map(|group| Some(*group)));
        let values = self.strata.iter().map(|name| Some(name.clone()));
        facts.stratify_by("s", values, &Vec::new).unwrap();
        draw(facts, &self.options).ok()
    }

    fn wanted(&self) -> [usize; 2] {
        let n = self.groups.len();
        [self.options.val, self.options.test].map(|portion| size("", portion, n, true).unwrap())
    }
}

fn cases(across: bool) -> impl Iterator<Item = (Case, Split)> {
    let cases = (0..300).map(move |seed| case(seed, across));
    cases.filter_map(|case| case.draw().map(|split| (case, split)))
}

#[test]
fn every_record_is_on_one_side_and_no_group_is_divided() {
    let mut n = 0;
    for (case, split) in cases(false).chain(cases(true)) {
        n += 1;
        let mut side_of_group = HashMap::new();
        let mut seen = vec![0; case.groups.len()];
        let sides = [&split.train, &split.val, &split.test];
        for (side, members) in sides.into_iter().enumerate() {
            assert!(members.is_sorted());
            for &i in members {
                seen[i] += 1;
                assert_eq!(*side_of_group.entry(case.groups[i]).or_insert(side), side);
            }
        }
        assert!(seen.iter().all(|times| *times == 1));
        assert_eq!(side_of_group.len(), split.n_groups);
    }
    assert!(n > 500, "most cases can be drawn, {n} were");
}

#[test]
fn no_side_is_larger_than_asked_and_the_counts_of_strata_are_true() {
    for (case, split) in cases(false).chain(cases(true)) {
        let [n_val, n_test] = case.wanted();
        assert!(split.val.len() <= n_val && split.test.len() <= n_test);
        for (name, counts) in &split.strata {
            let sides = [&split.train, &split.val, &split.test];
            let found = sides.map(|side| {
                let of_stratum = side.iter().filter(|&&i| case.strata[i] == *name);
                of_stratum.count() as u64
            });
            assert_eq!(found, *counts);
        }
    }
}

#[test]
fn a_stratum_exceeds_its_share_by_less_than_its_largest_group() {
    for (case, split) in cases(false) {
        let [n_val, n_test] = case.wanted();
        let n = case.groups.len() as f64;
        let mut sizes: HashMap<(&str, u64), u64> = HashMap::new();
        for (stratum, group) in case.strata.iter().zip(&case.groups) {
            *sizes.entry((stratum, *group)).or_insert(0) += 1;
        }
        for (name, counts) in &split.strata {
            let of_stratum = counts.iter().sum::<u64>() as f64;
            let largest = sizes.iter().filter(|((stratum, _), _)| stratum == name);
            let largest = largest.map(|(_, n)| *n).max().unwrap() as f64;
            for (side, wanted) in [(1, n_val), (2, n_test)] {
                let above = counts[side] as f64 - wanted as f64 * of_stratum / n;
                assert!(
                    above < largest + 1.0,
                    "{name}: {above} above, groups up to {largest}"
                );
            }
        }
    }
}

#[test]
fn without_groups_shares_are_exact_to_one_record() {
    for seed in 0..100 {
        let mut case = case(seed, true);
        case.groups = (0..case.groups.len() as u64).collect();
        let split = case.draw().unwrap();
        let [n_val, n_test] = case.wanted();
        assert_eq!([split.val.len(), split.test.len()], [n_val, n_test]);
        let n = case.groups.len() as f64;
        for (name, counts) in &split.strata {
            let of_stratum = counts.iter().sum::<u64>() as f64;
            let exact = n_val as f64 * of_stratum / n;
            assert!((counts[1] as f64 - exact).abs() < 1.0, "{name}");
        }
    }
}

#[test]
fn a_seed_repeats_and_another_differs() {
    let (a, mut b) = (case(3, false), case(3, false));
    assert_eq!(a.draw(), b.draw());
    b.options.seed = 4;
    assert_ne!(a.draw(), b.draw());
}

#[test]
fn many_strata_that_are_all_too_small_still_fill_a_side() {
    let n = 1000;
    let mut facts = Facts::new(n);
    facts.keep_together((0..n).map(|i| Some(i / 10)));
    let strata = (0..n).map(|i| Some(format!("{}", i / 10)));
    facts.stratify_by("s", strata, &Vec::new).unwrap();
    let options = SplitOptions {
        val: Portion::Count(100),
        ..SplitOptions::default()
    };
    assert_eq!(draw(facts, &options).unwrap().val.len(), 100);
}

#[test]
fn a_stratum_of_large_groups_does_not_push_the_others_over() {
    let mut facts = Facts::new(200);
    // Two groups of 50, and a hundred records that stand alone.
    facts.keep_together((0..200).map(|i| (i < 100).then_some(i / 50)));
    let strata = (0..200).map(|i| Some(if i < 100 { "large" } else { "small" }.to_owned()));
    facts.stratify_by("s", strata, &Vec::new).unwrap();
    let options = SplitOptions {
        val: Portion::Count(20),
        ..SplitOptions::default()
    };
    let split = draw(facts, &options).unwrap();
    let strata = [("large".into(), [100, 0, 0]), ("small".into(), [90, 10, 0])];
    assert_eq!(split.strata, strata);
}

#[cfg(feature = "studio")]
#[test]
fn what_is_on_a_side_stays_and_what_belongs_to_it_joins() {
    // Ten groups of ten lie on their sides; each gets two more, and a hundred are new altogether.
    let mut facts = Facts::new(220);
    facts.keep_together((0..220).map(|i| (i < 120).then_some(i % 10)));
    let side = |i: usize| [0, 0, 0, 0, 0, 0, 0, 1, 1, 2][i % 10];
    facts.stay((0..220).map(|i| (i < 100).then(|| side(i))).collect());
    let options = SplitOptions {
        val: Portion::Share(0.1),
        test: Portion::Count(12),
        seed: 3,
        ..SplitOptions::default()
    };
    let split = draw(facts, &options).unwrap();
    for (number, members) in [&split.train, &split.val, &split.test]
        .into_iter()
        .enumerate()
    {
        let grouped = members.iter().filter(|i| **i < 120);
        assert!(grouped.clone().all(|i| side(*i) == number));
        assert!(members.is_sorted());
    }
    // 20 and 10 were there; of 120 new ones 12 are asked for each, and 4 and 2 joined.
    assert_eq!(split.asked, [32, 22]);
    assert_eq!((split.val.len(), split.test.len()), (32, 22));
    assert_eq!(split.train.len(), 220 - 32 - 22);

    let mut full = Facts::new(2);
    full.stay(vec![Some(0), Some(1)]);
    let refused = draw(full, &options).unwrap_err().to_string();
    assert!(refused.contains("on a side already"), "{refused}");
}
