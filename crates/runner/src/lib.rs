//! One run: spawn, guard, supervise, checkpoint, report.
