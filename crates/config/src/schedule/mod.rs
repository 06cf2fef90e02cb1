//! When a pipeline is to run.

mod cron_expression;

pub(crate) use cron_expression::check_cron;
