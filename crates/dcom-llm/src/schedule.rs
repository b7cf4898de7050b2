//! Jobs on machines that share work: who runs when, who waits for whom.
//!
//! A machine runs one job at a time: of those that are ready the one given first, so that an earlier micro-batch goes before a later
//! one. Jobs of D-com may take bandwidth from the GPUs' memory: while one runs, the part of a GPU job that is bound by memory runs as much slower as bandwidth is
//! missing. Time is continuous; between two events all rates are constant.

use std::collections::BTreeMap;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;
use petgraph::{Direction, algo};
use serde::Serialize;
use thiserror::Error;

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Name, for timelines.
    pub name: String,
    /// Index of the machine.
    pub machine: usize,
    /// Time when nothing disturbs it (us).
    pub us: f64,
    /// Part of that time which is bound by the GPUs' memory.
    pub memory_share: f64,
    /// Part of the GPUs' memory bandwidth that it takes away from jobs of other machines.
    pub takes_share: f64,
}

/// Jobs, and what must be done before each.
pub type Jobs = DiGraph<Job, ()>;

/// A job that ran.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Span {
    /// Name of the job.
    pub name: String,
    /// Index of the machine.
    pub machine: usize,
    /// Start (us).
    pub start_us: f64,
    /// End (us).
    pub end_us: f64,
}

/// What a machine did.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct MachineUse {
    /// Its name.
    pub name: String,
    /// Time that it worked (us).
    pub busy_us: f64,
    /// Time that it had nothing ready, by the machine that the next job waited for (us); the last entry is the time after its last job.
    pub waited_us: Vec<f64>,
    /// Time after its last job (us).
    pub done_us: f64,
    /// Time that shared memory bandwidth added to its jobs (us).
    pub slowed_us: f64,
}

/// A whole run.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Schedule {
    /// Time from the first start to the last end (us).
    pub us: f64,
    /// Machines in the order of their indices.
    pub machines: Vec<MachineUse>,
    /// Jobs in the order of their ends.
    pub spans: Vec<Span>,
}

/// Why jobs cannot be run.
#[derive(Debug, Error, PartialEq)]
pub enum ScheduleError {
    /// A job waits for itself.
    #[error("job `{0}` waits for itself")]
    Cycle(String),
    /// A job with a time or a share that is none.
    #[error("job `{0}` takes {1} us")]
    Time(String, f64),
    /// A job for a machine that is not there.
    #[error("job `{0}` is for machine {1}, there are {2}")]
    Machine(String, usize, usize),
}

struct Running {
    job: NodeIndex,
    /// Undisturbed time that is left (us).
    left_us: f64,
    start_us: f64,
}

/// Runs all jobs.
///
/// # Errors
/// Jobs that wait for each other in a circle, or have no finite time.
pub fn run(jobs: &Jobs, machines: &[String]) -> Result<Schedule, ScheduleError> {
    check(jobs, machines)?;
    let mut state = State {
        jobs,
        now: 0.0,
        running: machines.iter().map(|_| None).collect(),
        ready: BTreeMap::new(),
        waiting_for: jobs
            .node_indices()
            .map(|job| jobs.edges_directed(job, Direction::Incoming).count())
            .collect(),
        idle_since: vec![0.0; machines.len()],
        uses: machines
            .iter()
            .map(|name| MachineUse {
                name: name.clone(),
                busy_us: 0.0,
                waited_us: vec![0.0; machines.len()],
                done_us: 0.0,
                slowed_us: 0.0,
            })
            .collect(),
        spans: Vec::with_capacity(jobs.node_count()),
    };
    let first = jobs
        .node_indices()
        .filter(|job| state.waiting_for[job.index()] == 0);
    state.ready = first.map(|job| (job, None)).collect();
    state.start();
    while state.running.iter().any(Option::is_some) {
        state.step();
    }
    for (machine, idle) in state.uses.iter_mut().zip(&state.idle_since) {
        machine.done_us = state.now - idle;
    }
    Ok(Schedule {
        us: state.now,
        machines: state.uses,
        spans: state.spans,
    })
}

fn check(jobs: &Jobs, machines: &[String]) -> Result<(), ScheduleError> {
    for job in jobs.node_weights() {
        if job.machine >= machines.len() {
            return Err(ScheduleError::Machine(
                job.name.clone(),
                job.machine,
                machines.len(),
            ));
        }
        if !(job.us.is_finite() && job.us >= 0.0) {
            return Err(ScheduleError::Time(job.name.clone(), job.us));
        }
    }
    match algo::toposort(jobs, None) {
        Ok(_) => Ok(()),
        Err(cycle) => Err(ScheduleError::Cycle(jobs[cycle.node_id()].name.clone())),
    }
}

struct State<'a> {
    jobs: &'a Jobs,
    now: f64,
    running: Vec<Option<Running>>,
    /// Jobs that may start, and the machine that the last of what they waited for ran on.
    ready: BTreeMap<NodeIndex, Option<usize>>,
    waiting_for: Vec<usize>,
    idle_since: Vec<f64>,
    uses: Vec<MachineUse>,
    spans: Vec<Span>,
}

impl State<'_> {
    /// Starts what can start now.
    fn start(&mut self) {
        let (jobs, running) = (self.jobs, &mut self.running);
        let (now, uses, idle_since) = (self.now, &mut self.uses, &self.idle_since);
        self.ready.retain(|job, cause| {
            let machine = jobs[*job].machine;
            if running[machine].is_some() {
                return true;
            }
            if let Some(cause) = cause {
                uses[machine].waited_us[*cause] += now - idle_since[machine];
            }
            running[machine] = Some(Running {
                job: *job,
                left_us: jobs[*job].us,
                start_us: now,
            });
            false
        });
    }

    /// How many microseconds a job of this machine takes for one undisturbed one.
    fn slowness(&self, machine: usize, job: NodeIndex) -> f64 {
        let others = self
            .running
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != machine);
        let taken: f64 = others
            .filter_map(|(_, running)| Some(self.jobs[running.as_ref()?.job].takes_share))
            .sum();
        let share = self.jobs[job].memory_share;
        // A GPU keeps a tenth of its bandwidth whatever others take: assumed, so that work goes on.
        1.0 - share + share / (1.0 - taken.min(0.9))
    }

    /// Goes on to the next end of a job.
    fn step(&mut self) {
        let slowness: Vec<Option<f64>> = (0..self.running.len())
            .map(|machine| {
                let running = self.running[machine].as_ref()?;
                Some(self.slowness(machine, running.job))
            })
            .collect();
        let ends = self.running.iter().zip(&slowness);
        let next = ends
            .filter_map(|(running, slowness)| Some(running.as_ref()?.left_us * (*slowness)?))
            .fold(f64::INFINITY, f64::min);
        self.now += next;
        let mut ended = Vec::new();
        for (machine, slowness) in slowness.iter().enumerate() {
            let (Some(slowness), Some(running)) = (slowness, &mut self.running[machine]) else {
                continue;
            };
            self.uses[machine].busy_us += next;
            self.uses[machine].slowed_us += next * (1.0 - 1.0 / slowness);
            if running.left_us * slowness <= next {
                ended.push(machine);
            } else {
                running.left_us -= next / slowness;
            }
        }
        for machine in ended {
            self.end(machine);
        }
        self.start();
    }

    fn end(&mut self, machine: usize) {
        let Some(running) = self.running[machine].take() else {
            return;
        };
        self.idle_since[machine] = self.now;
        self.spans.push(Span {
            name: self.jobs[running.job].name.clone(),
            machine,
            start_us: running.start_us,
            end_us: self.now,
        });
        let mut next: Vec<NodeIndex> = self
            .jobs
            .edges(running.job)
            .map(|edge| edge.target())
            .collect();
        next.sort_unstable();
        for job in next {
            self.waiting_for[job.index()] -= 1;
            if self.waiting_for[job.index()] == 0 {
                self.ready.insert(job, Some(machine));
            }
        }
    }
}

/// Writes a schedule in the Chrome trace format, which Perfetto opens: one track per machine, in microseconds.
#[must_use]
pub fn timeline(schedule: &Schedule) -> String {
    use serde_json::json;
    let mut events = Vec::new();
    for (index, machine) in schedule.machines.iter().enumerate() {
        events.push(json!({"ph": "M", "pid": 1, "tid": index, "name": "thread_name", "args": {"name": machine.name}}));
    }
    for span in &schedule.spans {
        events.push(json!({
            "ph": "X", "pid": 1, "tid": span.machine, "name": span.name, "ts": span.start_us, "dur": span.end_us - span.start_us,
        }));
    }
    format!(
        "{}\n",
        json!({"displayTimeUnit": "ms", "traceEvents": events})
    )
}
