//! Result files: rows in order whatever the threads, whole after any interruption.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use dcom_sweep::{METRICS, Options, SweepError, run};
use tempfile::tempdir;

use crate::support::{finish, options, read, space};

const AXES: &str = "where = \"mapping.prefetch != 2\"\nconstraint = \"time_us < 3.4\"\n\
    [[axis]]\nkey = \"workload.rows\"\nlinear = { from = 8, to = 40, step = 8 }\n\
    [[axis]]\nkey = \"mapping.clusters_per_partition\"\nvalues = [1, 2, 8]\n\
    [[axis]]\nkey = \"mapping.prefetch\"\nlinear = { from = 0, to = 9, step = 1 }\n";

/// 5 x 3 x 9 rows: `where` leaves one of ten out. Partitions of 8 clusters do not fit 2 x 2: 45 rows are infeasible.
#[test]
fn rows_and_bytes_do_not_depend_on_threads() {
    let bytes = |threads| {
        let folder = tempdir().expect("a folder");
        let options = Options {
            threads: NonZeroUsize::new(threads),
            ..options(folder.path())
        };
        let finished = finish(space(AXES), &options);
        assert_eq!(
            (
                finished.counts.rows(),
                finished.counts.infeasible,
                finished.counts.left_out
            ),
            (135, 45, 15)
        );
        assert!(
            finished.counts.ok > 0 && finished.counts.violates > 0 && finished.counts.failed == 0
        );
        read(&finished.csv)
    };
    let one = bytes(1);
    assert_eq!(one, bytes(2));
    assert_eq!(one, bytes(7));
    let mut reader = csv::Reader::from_reader(one.as_bytes());
    let columns = reader.headers().expect("a header").clone();
    assert_eq!(&columns[0], "point");
    // Number, axes, status to bottleneck, metrics, three hashes and the version.
    assert_eq!(columns.len(), 1 + 3 + 4 + METRICS.len() + 4);
    for record in reader.records() {
        let record = record.expect("a row");
        let time = columns
            .iter()
            .position(|c| c == "time_us")
            .expect("a metric");
        match &record[4] {
            "ok" => assert!(
                record[time].parse::<f64>().expect("a number") < 3.4 && record[5].is_empty()
            ),
            "violates" => assert!(
                record[time].parse::<f64>().expect("a number") >= 3.4
                    && &record[5] == "time_us < 3.4"
            ),
            "infeasible" => assert!(
                record[time].is_empty() && record[5].starts_with("mapping."),
                "{record:?}"
            ),
            other => panic!("{other}"),
        }
    }
}

/// A result cut at any byte goes on to the same bytes.
#[test]
fn a_part_cut_anywhere_goes_on_to_the_same_bytes() {
    let folder = tempdir().expect("a folder");
    let finished = finish(space(AXES), &options(folder.path()));
    let whole = std::fs::read(&finished.csv).expect("readable");
    let part = folder
        .path()
        .join(format!("t.{}.csv.part", space(AXES).fingerprint()));
    for cut in (0..whole.len())
        .step_by(whole.len() / 40)
        .chain([whole.len() - 1, whole.len()])
    {
        std::fs::remove_file(&finished.csv).expect("there");
        let mut bytes = whole[..cut].to_vec();
        // What a file system may leave behind a crash.
        bytes.extend([0; 100]);
        std::fs::write(&part, &bytes).expect("writable");
        let again = finish(space(AXES), &options(folder.path()));
        assert!(
            std::fs::read(&again.csv).expect("readable") == whole,
            "cut at {cut}"
        );
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(
            again.counts.resumed,
            lines.saturating_sub(1),
            "cut at {cut}"
        );
    }
}

#[test]
fn a_finished_result_is_not_computed_again_and_an_unfinished_other_one_not_mixed_in() {
    let folder = tempdir().expect("a folder");
    finish(space(AXES), &options(folder.path()));
    let again = finish(space(AXES), &options(folder.path()));
    assert_eq!((again.counts.computed(), again.counts.resumed), (0, 135));

    let part = folder.path().join("t.0123456789abcdef.csv.part");
    std::fs::write(&part, "point\n").expect("writable");
    let stop = AtomicBool::new(false);
    let error =
        run(space(AXES), &options(folder.path()), &stop, |_| ()).expect_err("another sweep");
    assert!(matches!(error, SweepError::Other { .. }), "{error}");
    assert!(part.exists());
    let restart = Options {
        restart: true,
        ..options(folder.path())
    };
    assert_eq!(finish(space(AXES), &restart).counts.computed(), 135);
    assert!(!part.exists());
}

#[test]
fn a_stopped_sweep_keeps_its_rows() {
    let folder = tempdir().expect("a folder");
    let stop = AtomicBool::new(false);
    let one = Options {
        threads: NonZeroUsize::new(1),
        ..options(folder.path())
    };
    let stopped = run(space(AXES), &one, &stop, |_| {
        stop.store(true, std::sync::atomic::Ordering::Relaxed)
    });
    let Err(SweepError::Stopped(counts, 150)) = stopped else {
        panic!("{stopped:?}")
    };
    let finished = finish(space(AXES), &one);
    assert!(counts.rows() > 0 && counts.rows() < 135);
    assert_eq!(finished.counts.resumed, counts.rows());
}

#[test]
fn parquet_has_the_rows_and_the_manifest() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    let folder = tempdir().expect("a folder");
    let finished = finish(
        space(AXES),
        &Options {
            parquet: true,
            ..options(folder.path())
        },
    );
    let file = std::fs::File::open(finished.parquet.expect("asked for")).expect("written");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let metadata = reader.metadata().file_metadata();
    assert_eq!(metadata.num_rows(), 135);
    let manifest = metadata
        .key_value_metadata()
        .expect("there")
        .iter()
        .find(|pair| pair.key == dcom_sweep::MANIFEST_KEY);
    assert!(
        manifest
            .and_then(|pair| pair.value.as_ref())
            .expect("there")
            .contains("fingerprint")
    );
    let text = read(&finished.csv);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let time = csv
        .headers()
        .expect("a header")
        .iter()
        .position(|c| c == "time_us")
        .expect("a metric");
    for (row, record) in reader.get_row_iter(None).expect("rows").zip(csv.records()) {
        let (row, record) = (row.expect("a row"), record.expect("a row"));
        assert_eq!(row.get_long(0).expect("a number").to_string(), record[0]);
        match record[time].parse::<f64>() {
            Ok(value) => assert_eq!(
                row.get_double(time).expect("a number").to_bits(),
                value.to_bits()
            ),
            Err(_) => assert!(row.get_double(time).is_err()),
        }
    }
}
