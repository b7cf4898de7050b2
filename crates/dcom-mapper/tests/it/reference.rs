//! `docs/workload-parameters.md` (`UPDATE_EXPECT=1` rewrites it), and the workloads of the project.

use std::path::Path;

use dcom_config::Source;
use dcom_mapper::WorkloadParams;
use expect_test::expect_file;

#[test]
fn the_reference_is_up_to_date() {
    let text = format!(
        "# Parameters of a workload\n\n\
         Keys of the files in `configs/workloads`: what to decompose, and how to map it. Generated from\n\
         `crates/dcom-mapper/src/params.rs`; the test `the_reference_is_up_to_date` of `dcom-mapper` compares it and rewrites it\n\
         with `UPDATE_EXPECT=1`.\n\n{}",
        WorkloadParams::reference_table()
    );
    expect_file![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/workload-parameters.md")]
        .assert_eq(&text);
}

/// Every file is a workload, named after the file, and says where each number comes from.
#[test]
fn the_projects_workloads_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/workloads");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_str()
            .expect("ASCII")
            .to_owned();
        let params = WorkloadParams::parse(Source::read(&path).expect("readable"))
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(params.name, name);
        for info in WorkloadParams::keys()
            .iter()
            .filter(|k| k.path != "workload.name")
        {
            assert!(
                params.document().origin(info.path).mark().is_some(),
                "{name}: {}: no source",
                info.path
            );
        }
        names.push(name);
    }
    assert!(names.len() >= 3);
}
