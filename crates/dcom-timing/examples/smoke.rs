use std::time::Instant;
fn main() {
    let arch = dcom_arch::Arch::read(std::path::Path::new("/work/main/configs/arch/dcom-paper.toml")).unwrap();
    let text = dcom_config::Source::read(std::path::Path::new("/work/main/configs/workloads/paper-fig12.toml")).unwrap();
    let mut w = dcom_mapper::WorkloadParams::parse(text).unwrap();
    for kv in std::env::args().skip(1) { let (k, v) = kv.split_once('=').unwrap(); w.set(k, v).unwrap(); }
    for f in [1u32, 2, 4, 8, 16, 32, 64] {
        w.set("mapping.expansion_factor", &f.to_string()).unwrap();
        let t0 = Instant::now();
        let m = dcom_mapper::map(&arch, &w).unwrap();
        let n = m.program.instrs.len();
        let t1 = Instant::now();
        let v = m.program.verify(&arch).unwrap();
        let t2 = Instant::now();
        let run = dcom_timing::simulate(&v, dcom_timing::Options::default()).unwrap();
        let t3 = Instant::now();
        let s = run.summary(&v);
        let b = dcom_timing::lower_bound(&v);
        println!("f={f} instrs={n} us/prompt={:.2} bound={:.2} ({}) {} map {:?} verify {:?} time {:?} phases {:?} bottleneck {} {:?}", s.time_us / f64::from(w.prompts), b.cycles as f64/1000.0/f64::from(w.prompts), b.limiter, s.method, t1-t0, t2-t1, t3-t2, s.phases, s.bottleneck, &s.critical_path[..4]);
    }
}
