//! Ranges, drawing and statistics of the sensitivity report.

use dcom_config::{Mark, Source};
use dcom_sweep::Base;
use dcom_sweep::sensitivity::{
    Coupling, Outcome, Ranges, Share, Study, Values, rank_correlation, variance_share,
};

use super::{paper, root};

fn shipped() -> Ranges {
    Ranges::read(&root().join("configs/sensitivity/paper.toml")).expect("legal")
}

fn ranges(text: &str) -> Result<Ranges, String> {
    let head = "arch = \"a.toml\"\nworkload = \"w.toml\"\n";
    Ranges::parse(&Source::new("r.toml", head.to_owned() + text)).map_err(|e| e.to_string())
}

/// Nothing that is assumed or fitted can be forgotten: it is varied, or the file says why not.
#[test]
fn every_assumed_or_fitted_key_is_varied_or_excluded_with_a_reason() {
    let (ranges, base) = (shipped(), paper());
    assert_eq!(
        ranges.arch.display().to_string(),
        "configs/arch/dcom-paper.toml"
    );
    let listed = |key: &str| {
        let varied = ranges
            .parameters
            .iter()
            .find(|p| p.key == key)
            .map(|p| &p.reason);
        let excluded = ranges
            .excluded
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, r)| r);
        varied.or(excluded)
    };
    for entry in base.arch.entries().iter().chain(&base.workload.entries()) {
        if matches!(entry.mark, Some(Mark::Assumed | Mark::Fitted)) {
            let reason =
                listed(entry.path).unwrap_or_else(|| panic!("{} is not listed", entry.path));
            assert!(reason.len() > 10, "{}: {reason}", entry.path);
        }
    }
    assert_eq!(ranges.misfit(&base), None);
}

/// The value in the files is one that the range has: the files are one of the machines.
#[test]
fn ranges_contain_the_values_of_the_files() {
    let base = paper();
    let entries: Vec<_> = base
        .arch
        .entries()
        .into_iter()
        .chain(base.workload.entries())
        .collect();
    for parameter in &shipped().parameters {
        let entry = entries
            .iter()
            .find(|e| e.path == parameter.key)
            .expect("a key");
        let value = entry.value.to_string();
        match &parameter.values {
            Values::List(values) => assert!(values.contains(&value), "{}: {value}", parameter.key),
            Values::Span { low, high, .. } => {
                let value: f64 = value.parse().expect("a number");
                assert!(
                    (*low..=*high).contains(&value),
                    "{}: {value}",
                    parameter.key
                );
            }
        }
    }
}

#[test]
fn wrong_ranges_name_line_and_remedy() {
    let cases = [
        (
            "[[parameter]]\nkey = \"bank.port_element\"\nvalues = [1, 2]\nreason = \"x\"\n",
            "r.toml:4: `bank.port_element`: no key of machine or workload; did you mean `bank.port_elements`?",
        ),
        (
            "[[parameter]]\nkey = \"bank.port_elements\"\nlow = 4\nhigh = 4\nscale = \"log\"\nreason = \"x\"\n",
            "r.toml:3: bank.port_elements: low = 4, high = 4: expected low below high, and low above 0 on a log scale",
        ),
        (
            "[[parameter]]\nkey = \"mapping.reduction\"\nlow = 1\nhigh = 2\nscale = \"linear\"\nreason = \"x\"\n",
            "r.toml:3: mapping.reduction is no number: list its `values`",
        ),
        (
            "[[parameter]]\nkey = \"array.rows\"\nvalues = [1]\nreason = \"x\"\n",
            "r.toml:3: array.rows: a parameter has `low`, `high` and `scale`, or at least two `values`",
        ),
        (
            "[[parameter]]\nkey = \"array.rows\"\nvalues = [1, 2]\nreason = \"x\"\n[[excluded]]\nkey = \"array.rows\"\nreason = \"x\"\n",
            "r.toml:8: `array.rows` is listed twice",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(ranges(text).expect_err("wrong"), expected);
    }
    let misfit = ranges("[[parameter]]\nkey = \"array.rows\"\nvalues = [1, 0]\nreason = \"x\"\n")
        .expect("parses");
    let reason = misfit.misfit(&paper()).expect("0 rows");
    assert!(reason.contains("must be in 1..=1024"), "{reason}");
}

/// Integers from 1 to 4, linear: a quarter of the quantiles each. From 1 to 3 on a log scale: 1 has the quantiles up to
/// ln 2 / ln 4 = 1/2. A float from 1 to 100 on a log scale is 10 in the middle.
#[test]
fn quantiles_become_values() {
    let span = |low, high, log, integer| Values::Span {
        low,
        high,
        log,
        integer,
    };
    let linear = span(1.0, 4.0, false, true);
    let values: Vec<String> = [0.0, 0.24, 0.26, 0.51, 0.76, 1.0]
        .iter()
        .map(|q| linear.at(*q))
        .collect();
    assert_eq!(values, ["1", "1", "2", "3", "4", "4"]);
    let log = span(1.0, 3.0, true, true);
    assert_eq!(
        (log.at(0.49), log.at(0.51)),
        ("1".to_owned(), "2".to_owned())
    );
    let middle: f64 = span(1.0, 100.0, true, false)
        .at(0.5)
        .parse()
        .expect("a number");
    assert!((middle - 10.0).abs() < 1e-12);
    let list = Values::List(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    assert_eq!(
        (list.at(0.33), list.at(0.34), list.at(1.0)),
        ("a".into(), "b".into(), "c".into())
    );
}

/// Wilson's interval for 8 of 10 is 0.4902 to 0.9433 (the textbook example), for 0 of 10 it starts at 0 and ends at
/// z^2 / (n + z^2) = 3.8415 / 13.8415 = 0.2775.
#[test]
fn shares_have_wilsons_interval() {
    let (low, high) = Share { hits: 8, all: 10 }.interval().expect("counted");
    assert!(
        (low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4,
        "{low} {high}"
    );
    let (low, high) = Share { hits: 0, all: 10 }.interval().expect("counted");
    assert!(low == 0.0 && (high - 0.2775).abs() < 1e-4, "{low} {high}");
    assert_eq!(Share::of([]).interval(), None);
}

/// Two groups with means 1 and 3 about a mean of 2: between 4 * 1 = 4, total 4 * 1 + within 4 * 0.25 = 5, noise 1 / 2 per degree of
/// freedom: (4 - 0.5) / 5 = 0.7. A group that does not matter has between 0: -0.5 * ... = -(1 * 5/2) / 5 = -0.5.
#[test]
fn variance_shares_by_hand() {
    let y = [0.5, 1.5, 2.5, 3.5];
    let share = variance_share(&[0, 0, 1, 1], &y).expect("varies");
    assert!((share - 0.7).abs() < 1e-12, "{share}");
    let idle = variance_share(&[0, 1, 1, 0], &y).expect("varies");
    assert!((idle + 0.5).abs() < 1e-12, "{idle}");
    assert_eq!(variance_share(&[0, 1], &[2.0, 2.0]), None);
}

/// Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5) = 0.9487.
#[test]
fn rank_correlation_by_hand() {
    let c = rank_correlation(&[1.0, 5.0, 5.0, 9.0], &[10.0, 20.0, 30.0, 40.0]).expect("varies");
    assert!((c - 0.948_683).abs() < 1e-6, "{c}");
    assert_eq!(rank_correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
}

/// 16 is fastest, 8 within 2 % of it: 8 is best, two factors are tied, and the speed-up is 620 / 101.
#[test]
fn the_best_factor_is_the_smallest_near_the_best() {
    let outcome = Outcome::new(vec![
        (1, 620.0),
        (4, 150.0),
        (8, 101.0),
        (16, 100.0),
        (32, 103.0),
    ]);
    assert_eq!(
        (outcome.best, outcome.fastest, outcome.near.as_slice()),
        (8, 16, &[8, 16][..])
    );
    assert!((outcome.speedup - 620.0 / 101.0).abs() < 1e-12);
    assert!(outcome.has_factor() && outcome.has_speedup());
    // 6.2 * 0.9 = 5.58 is the edge.
    assert!(!Outcome::new(vec![(1, 5.57), (8, 1.0)]).has_speedup());
}

fn study(samples: u32, threads: usize) -> Study {
    let text = "[[parameter]]\nkey = \"mapping.clusters_per_partition\"\nvalues = [16, 32, 512]\nreason = \"x\"\n\
                [[parameter]]\nkey = \"bank.port_elements\"\nvalues = [32, 64]\nreason = \"x\"\n\
                [[parameter]]\nkey = \"svd.round_trip_cycles\"\nlow = 5000\nhigh = 30000\nscale = \"linear\"\nreason = \"x\"\n";
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads");
    let base: Base = paper();
    pool.install(|| {
        Study::run(ranges(text).expect("legal"), base, samples, 7, || ()).expect("runs")
    })
}

fn rows(study: &Study) -> String {
    let mut bytes = Vec::new();
    study.write_samples(&mut bytes).expect("writes");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Fig. 12's own point is among them, g = 16 moves the optimum to 16 (as the machine file says of C4), 512 clusters per partition do
/// not exist and are counted with their reason.
#[test]
fn one_at_a_time_agrees_with_fig_12() {
    let study = study(1, 1);
    let nominal = study.nominal.with(Coupling::Engaged).expect("feasible");
    assert_eq!(nominal.best, 8);
    assert!((nominal.speedup - 5.68).abs() < 0.005);
    let fixed = study.nominal.with(Coupling::Fixed).expect("feasible");
    assert_eq!(fixed.best, 1);
    let clusters = &study.alone[0];
    assert_eq!(
        (clusters.value.as_str(), clusters.factors(Coupling::Engaged)),
        ("32", vec![8, 16])
    );
    let refusal = clusters.levels[2]
        .1
        .engaged
        .as_ref()
        .expect_err("does not exist");
    assert_eq!(refusal.key, "mapping.clusters_per_partition");
    // With the engaged clusters fixed there are C / f per partition, whatever the parameter says.
    assert!(clusters.levels[2].1.fixed.is_ok());
}

#[test]
fn rows_depend_on_the_seed_alone() {
    let one = rows(&study(12, 1));
    assert_eq!(one, rows(&study(12, 2)));
    assert_eq!(one.lines().count(), 1 + 2 * 12);
    // A longer study has the same machines first.
    let longer = rows(&study(13, 2));
    assert!(
        one.lines()
            .skip(1)
            .take(12)
            .eq(longer.lines().skip(1).take(12))
    );
}

/// What the page counts is what the rows say.
#[test]
fn the_page_counts_its_rows() {
    let study = study(30, 2);
    let text = rows(&study);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().expect("a header").clone();
    let column = |name: &str| headers.iter().position(|h| h == name).expect("a column");
    let (population, status, best) = (
        column("population"),
        column("engaged_status"),
        column("engaged_best_factor"),
    );
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("records");
    let all = records.iter().filter(|r| &r[population] == "all");
    let built: Vec<_> = all.filter(|r| &r[status] == "ok").collect();
    assert!(built.len() < 30, "g = 512 is drawn sometimes");
    let eight = built.iter().filter(|r| &r[best] == "8").count();
    let share = study.populations[1].share(Coupling::Engaged, Outcome::has_factor);
    assert_eq!((share.hits, share.all), (eight, built.len()));
    let page = study.markdown().expect("renders");
    assert!(page.contains(&format!("**{}**", share.words())), "{page}");
    // Only the partition's size can decide about the factor here.
    let deciders = study.populations[1].deciders(Coupling::Engaged);
    assert_eq!(deciders[0].key, "mapping.clusters_per_partition");
}
