//! Kill the run anywhere, again and again, then let one run to its end: every record is there, once.

use std::collections::BTreeMap;

use rustix::process::Signal;
use tests::project::{LogLine, Project, Running};
use tests::script::Script;
use tests::warehouse::Warehouse;

use crate::support::{Gate, assert_exact, assert_nothing_left, scripted, warehouses};

/// Commits that a killed run may make at most.
const COMMITS: u64 = 12;
/// Commits of the last run at least.
const LAST_COMMITS: u64 = 60;
const STATE_EVERY: u64 = 20;

/// How often a run is killed: `TAPSTER_KILLS`, or enough to see each phase.
fn kills() -> u64 {
    std::env::var("TAPSTER_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

#[test]
fn killed_runs_lose_nothing_and_double_nothing_in_duckdb() {
    killed_runs("duckdb", 0);
}

#[test]
fn killed_runs_lose_nothing_and_double_nothing_in_postgres() {
    killed_runs("postgres", 1);
}

/// A run that sleeps while others are killed, and wakes to find its own fence again, as in a warehouse that was
/// partly restored: the sequence alone tells it that what it holds is there already.
#[test]
fn a_run_that_sleeps_while_others_are_killed_doubles_nothing() {
    let (asleep, others, warehouse) = (Project::new(), Project::new(), Warehouse::postgres());
    let (gate, script) = (Gate::new(&asleep), Script::plain(11, STATE_EVERY * 2 * LAST_COMMITS));
    asleep.pipeline("orders", &scripted(&script.clone().act(STATE_EVERY * 3 + 1, gate.act()), &warehouse));
    others.pipeline("orders", &scripted(&script, &warehouse));
    let mut sleeper = asleep.start("orders", None);
    sleeper.wait_for(|line| line.is_checkpoint_at(STATE_EVERY * 3));
    sleeper.signal(Signal::STOP);
    let fence = warehouse.value("SELECT fence FROM _tapster_state").expect("a number");
    for phase in ["write", "merge"] {
        kill_at(&others, "orders", phase, COMMITS);
    }
    assert!(sequence(&warehouse) >= 3 + 2 * COMMITS);
    assert!(warehouse.rows(&format!("UPDATE _tapster_state SET fence = {fence}")).is_empty());
    gate.open();
    sleeper.signal(Signal::CONT);
    let (ended, log) = sleeper.finish();
    assert_eq!(ended, Some(75), "{log}");
    let _ = others.run(["run", "orders"]).expect_code(0);
    assert_exact(&warehouse, &script, script.records);
    assert_nothing_left(&asleep, &warehouse);
}

/// What became of the killed runs.
#[derive(Debug, Default)]
struct Tally {
    /// By the phase in which they died.
    phases: BTreeMap<String, u64>,
    /// How many had committed something.
    advanced: u64,
    /// Commits of all of them, by their own word.
    commits: u64,
}

fn killed_runs(name: &str, which: usize) {
    let (project, kills) = (Project::new(), kills());
    let [mut all, mut second] = warehouses(&project).map(Some);
    let (_, warehouse) = if which == 0 { all.take() } else { second.take() }.expect("one of two");
    let script = Script::plain(11, STATE_EVERY * (kills * COMMITS + LAST_COMMITS));
    project.pipeline(name, &scripted(&script, &warehouse));
    let mut tally = Tally::default();
    let mut random = Random(0x5eed);
    for kill in 0..kills {
        let commits = random.below(COMMITS);
        let log = match kill % 4 {
            0 => kill_at(&project, name, "write", commits),
            1 => kill_at(&project, name, "merge", commits),
            2 => kill_held(&project, name, &format!("{name}::before_commit"), commits),
            _ => kill_held(&project, name, &format!("{name}::after_commit"), commits),
        };
        tally.count(&log);
        assert_eq!(tests::processes::gone_within(project.path(), std::time::Duration::from_secs(2)), []);
    }
    eprintln!("{name}: {kills} kills: {tally:?}");
    for phase in ["write", "merge", "commit_sent"] {
        let least = if kills >= 200 { 10 } else { 1 };
        let landed = tally.phases.get(phase).copied().unwrap_or(0);
        assert!(landed >= least, "only {landed} kills landed in {phase}: {tally:?}");
    }
    assert!(2 * tally.advanced >= kills, "too few killed runs had committed something: {tally:?}");
    let done = sequence(&warehouse);
    assert!(done >= tally.commits, "{done} commits in the state row, {tally:?}");
    let _ = project.run(["run", name]).expect_code(0);
    assert!(sequence(&warehouse) - done >= 50, "a whole run has at least 50 commits");
    assert_exact(&warehouse, &script, script.records);
    assert_nothing_left(&project, &warehouse);
    let _ = project.run(["run", name]).expect_code(0);
    assert_exact(&warehouse, &script, script.records);
}

fn sequence(warehouse: &Warehouse) -> u64 {
    let found = warehouse.value("SELECT sequence FROM _tapster_state").expect("a number");
    found.parse().expect("a number")
}

/// Kills a run as soon as it says that it has come to this phase, after so many commits.
fn kill_at(project: &Project, name: &str, phase: &str, commits: u64) -> Vec<LogLine> {
    let run = project.start(name, None);
    kill_when(run, phase, commits)
}

/// Kills a run that a failpoint holds on the edge of its commit of this number.
fn kill_held(project: &Project, name: &str, failpoint: &str, commits: u64) -> Vec<LogLine> {
    let points =
        if commits == 0 { format!("{failpoint}=pause") } else { format!("{failpoint}={commits}*off->pause") };
    let run = project.start(name, Some(&points));
    kill_when(run, "commit_sent", commits)
}

fn kill_when(mut run: Running, phase: &str, commits: u64) -> Vec<LogLine> {
    let (mut log, mut committed) = (Vec::new(), 0);
    while let Some(line) = run.next_line() {
        let (now, at) = (line.phase().map(str::to_owned), line.phase() == Some(phase));
        log.push(line);
        committed += u64::from(now.as_deref() == Some("committed"));
        if at && committed >= commits {
            log.extend(run.kill());
            return log;
        }
    }
    let text: String = log.iter().map(|line| line.text.as_str()).collect();
    panic!("the run ended before {phase} after {commits} commits:\n{text}");
}

impl Tally {
    fn count(&mut self, log: &[LogLine]) {
        let phases: Vec<&str> = log.iter().filter_map(LogLine::phase).collect();
        let last = phases.last().copied().unwrap_or("before");
        *self.phases.entry(last.to_owned()).or_default() += 1;
        let commits = phases.iter().filter(|phase| **phase == "committed").count() as u64;
        self.commits += commits;
        self.advanced += u64::from(commits > 0);
    }
}

/// Numbers that follow from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
