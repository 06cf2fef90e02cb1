use std::time::Duration;

use load::{DecodeError, DecodeLimits, Reading};

use super::Ending;
use crate::process::ProcessExit::{self, Code, Signal};
use crate::{Attempts, RunError, RunLimits, StopSignal};

fn limits() -> RunLimits {
    RunLimits {
        decode: DecodeLimits::default(),
        timeout: None,
        idle_timeout: Duration::from_secs(7),
        max_staged: 0,
        grace: Duration::from_secs(5),
        attempts: Attempts::default(),
    }
}

/// Something that is heard of a relay.
enum Heard {
    /// How passing on ended.
    Read(Reading),
    Tap(ProcessExit),
    Target(ProcessExit),
    Stop(StopSignal),
}

use Heard::{Read, Stop, Tap, Target};

fn after(heard: Vec<Heard>) -> Ending {
    let (mut ending, limits) = (Ending::default(), limits());
    for one in heard {
        match one {
            Read(how) => ending.read((how, 40), &limits),
            Tap(exit) => ending.tap_exited(exit, &limits),
            Target(exit) => ending.target_exited(exit, &limits),
            Stop(signal) => ending.begin(RunError::Cancelled(signal), &limits),
        }
    }
    ending
}

fn ended() -> Heard {
    Read(Reading::Ended)
}

fn hung_up() -> Heard {
    Read(Reading::HungUp)
}

/// The tap was cut off inside a message.
fn torn() -> Heard {
    Read(Reading::Refused(DecodeError::Truncated { line: 2, records: 40, excerpt: String::new() }))
}

fn refused() -> Heard {
    Read(Reading::Refused(DecodeError::NoSchema { line: 2, stream: "a".into() }))
}

/// What went before, in words, what was heard, and a part of the cause that is told; none for a success.
type Case = (&'static str, Vec<Heard>, Option<&'static str>);

#[track_caller]
fn assert_told(cases: Vec<Case>) {
    for (name, heard, told) in cases {
        let found = after(heard).judge().map_err(|error| error.to_string());
        match (&found, told) {
            (Ok(()), None) => {}
            (Err(found), Some(told)) if found.contains(told) => {}
            _ => panic!("{name}: {found:?}, expected {told:?}"),
        }
    }
}

#[test]
fn the_side_that_failed_first_is_the_cause() {
    assert_told(vec![
        ("both end well", vec![ended(), Tap(Code(0)), Target(Code(0))], None),
        ("the target ends first, with all read", vec![ended(), Target(Code(0)), Tap(Code(0))], None),
        (
            "the target fails at its end",
            vec![ended(), Tap(Code(0)), Target(Code(3))],
            Some("the target exited 3"),
        ),
        ("the tap fails", vec![ended(), Tap(Code(3)), Target(Code(0))], Some("the tap exited 3")),
        (
            "the target fails after the tap",
            vec![ended(), Tap(Code(3)), Target(Code(5))],
            Some("the tap exited 3"),
        ),
        (
            "the tap's failure is heard of after the target's that follows from it",
            vec![ended(), Target(Code(5)), Tap(Code(3))],
            Some("the tap exited 3"),
        ),
        (
            "the target fails midway, and the tap is ended",
            vec![Target(Code(3)), hung_up(), Tap(Signal(15))],
            Some("the target exited 3"),
        ),
        (
            "the tap fails midway, and the target hangs up on it",
            vec![Tap(Signal(9)), hung_up(), Target(Code(1))],
            Some("the tap was killed by signal 9"),
        ),
        (
            "the target closes its input, and then says why",
            vec![hung_up(), Tap(Signal(15)), Target(Code(2))],
            Some("the target exited 2"),
        ),
        (
            "the target closes its input, and is killed for not ending",
            vec![hung_up(), Tap(Signal(15))],
            Some("the target closed its input before"),
        ),
        (
            "the target stops early as if all were well",
            vec![Target(Code(0)), hung_up(), Tap(Code(0))],
            Some("the target exited 0 before it had read all"),
        ),
        (
            "the target is killed",
            vec![hung_up(), Target(Signal(9)), Tap(Signal(15))],
            Some("the target was killed by signal 9"),
        ),
    ]);
}

#[test]
fn a_cut_a_refusal_a_silence_or_a_person_is_the_cause_unless_a_failure_came_first() {
    assert_told(vec![
        (
            "the tap was cut off, and says why",
            vec![torn(), Tap(Code(1)), Target(Code(0))],
            Some("the tap exited 1"),
        ),
        ("the tap was cut off without a word", vec![torn(), Tap(Code(0)), Target(Code(5))], Some("line 2")),
        (
            "a line is refused",
            vec![refused(), Tap(Signal(15)), Target(Code(1))],
            Some("came before any SCHEMA"),
        ),
        (
            "the tap falls silent",
            vec![Read(Reading::Silent), Tap(Signal(15)), Target(Code(0))],
            Some("for 7s"),
        ),
        (
            "a person stops it",
            vec![Stop(StopSignal::Terminate), Read(Reading::Stopped), Tap(Signal(15)), Target(Signal(9))],
            Some("stopped by SIGTERM"),
        ),
        (
            "a person stops what has failed",
            vec![Target(Code(3)), Stop(StopSignal::Interrupt), hung_up(), Tap(Signal(15))],
            Some("the target exited 3"),
        ),
        ("the tap's guard dies", vec![ended(), Tap(ProcessExit::GuardLost), Target(Code(0))], Some("tap")),
    ]);
}

#[test]
fn a_target_may_take_its_time_unless_something_has_failed() {
    for (heard, is_limited) in [
        (vec![ended()], false),
        (vec![ended(), Tap(Code(0))], false),
        (vec![ended(), Tap(Code(3))], true),
        (vec![Tap(Code(3))], false),
        (vec![Tap(Code(3)), ended()], true),
        (vec![torn(), Tap(Code(0))], true),
        (vec![refused()], true),
        (vec![hung_up()], true),
        (vec![Target(Code(0))], true),
        (vec![Stop(StopSignal::Terminate)], true),
    ] {
        let ending = after(heard);
        assert_eq!(ending.kill_at.is_some(), is_limited, "{:?} {:?}", ending.tap, ending.reading);
    }
}

#[test]
fn the_tap_is_ended_when_nobody_takes_what_it_says() {
    for (heard, stops) in [
        (vec![ended(), Target(Code(0))], false),
        (vec![ended(), Tap(Code(3))], false),
        // It has closed its output already, and its exit is about to say why.
        (vec![torn()], false),
        (vec![refused()], true),
        (vec![hung_up()], true),
        (vec![Target(Code(0))], true),
        (vec![Stop(StopSignal::Terminate)], true),
    ] {
        let ending = after(heard);
        assert_eq!(ending.stops, stops, "{:?} {:?}", ending.tap, ending.reading);
    }
    assert!(after(vec![ended()]).exit_by.is_some(), "a tap whose output has ended must exit");
}

#[test]
fn it_is_over_when_all_five_have_ended() {
    let mut ending = after(vec![ended(), Tap(Code(0)), Target(Code(0))]);
    (ending.states_ended, ending.events_ended) = (true, true);
    assert!(ending.is_over());
    for miss in [
        |ending: &mut Ending| ending.reading = None,
        |ending: &mut Ending| ending.tap = None,
        |ending: &mut Ending| ending.target = None,
        |ending: &mut Ending| ending.states_ended = false,
        |ending: &mut Ending| ending.events_ended = false,
    ] {
        let mut ending = after(vec![ended(), Tap(Code(0)), Target(Code(0))]);
        (ending.states_ended, ending.events_ended) = (true, true);
        miss(&mut ending);
        assert!(!ending.is_over());
    }
}
