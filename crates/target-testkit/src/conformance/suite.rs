//! Running the checks.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use target_api::{Capabilities, Promise};

use super::scene::Scene;
use super::{
    Warehouse, absent, commits, deletes, keys, names, overwrite, ownership, refresh, shapes, sharing,
    stateless, states, values, versions,
};

/// What a target must be able to do for a check to apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// A STATE kept with the records.
    State,
    /// The same, and two targets at once.
    TwoTargets,
    /// Two targets at once.
    Shared,
    /// Merging by key.
    Upsert,
    /// Removing older versions.
    Versions,
    /// Tables of several pipelines.
    Sharing,
}

impl Needs {
    fn met(self, capabilities: &Capabilities, shared: bool) -> bool {
        let state = capabilities.promise == Promise::ExactlyOnce;
        match self {
            Self::Nothing => true,
            Self::State => state,
            Self::TwoTargets => state && shared,
            Self::Shared => shared,
            Self::Upsert => capabilities.upsert,
            Self::Versions => capabilities.versions && state,
            Self::Sharing => capabilities.shared_tables,
        }
    }
}

/// One sentence of the contract.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    run: for<'a> fn(&'a Scene<'a>) -> BoxFuture<'a, ()>,
}

macro_rules! checks {
    ($($needs:ident: $module:ident::$name:ident,)*) => {
        /// All of them.
        pub(crate) const CHECKS: &[Check] = &[
            $(Check {
                name: stringify!($name),
                needs: Needs::$needs,
                run: |scene| Box::pin($module::$name(scene)),
            },)*
        ];
    };
}

checks! {
    State: states::a_first_run_has_no_state,
    State: states::a_state_keeps_its_bytes,
    State: states::a_state_is_kept_without_records,
    State: states::keep_keeps_the_state,
    State: states::clear_gives_the_state_up,
    State: states::commits_are_counted,
    TwoTargets: commits::an_older_run_cannot_commit,
    State: commits::what_was_not_committed_leaves_nothing,
    TwoTargets: commits::records_are_visible_with_their_commit,
    State: commits::several_streams_are_committed_together,
    Upsert: keys::the_last_record_of_a_key_wins_in_a_batch,
    Upsert: keys::the_last_record_of_a_key_wins_in_an_epoch,
    Upsert: keys::the_last_record_of_a_key_wins_over_runs,
    Upsert: keys::keys_are_compared_part_by_part,
    Nothing: keys::records_without_key_are_appended,
    Upsert: keys::append_only_appends,
    Upsert: keys::a_column_that_the_schema_drops_keeps_its_values,
    Nothing: shapes::open_again_changes_nothing,
    Nothing: shapes::a_column_comes_in_mid_epoch,
    State: shapes::a_column_widens_from_run_to_run,
    State: shapes::a_column_widens_in_mid_epoch,
    State: shapes::a_narrower_record_fits_a_wider_column,
    State: shapes::a_plan_changes_nothing,
    Versions: versions::a_version_replaces_the_others,
    Versions: versions::a_version_is_activated_with_the_commit,
    Versions: versions::the_same_version_again_removes_nothing,
    Versions: versions::an_older_version_removes_nothing_newer,
    Versions: versions::a_version_without_records_empties_nothing,
    Versions: versions::a_truncated_stream_is_emptied,
    Versions: versions::a_truncated_stream_is_marked_where_versions_are,
    Upsert: deletes::a_hard_delete_removes_by_key_in_order,
    Upsert: deletes::a_soft_delete_marks_and_touches_nothing_else,
    Upsert: deletes::an_ignored_delete_is_a_record,
    Versions: deletes::a_soft_delete_marks_older_versions,
    Upsert: absent::what_does_not_come_stays,
    Upsert: absent::what_never_came_is_null,
    Upsert: absent::cells_that_do_not_come_stay_as_if_records_came_one_by_one,
    State: ownership::another_pipelines_table_is_refused,
    State: ownership::another_taps_state_is_refused,
    State: ownership::another_taps_state_can_be_replaced,
    State: ownership::a_vanished_table_is_refused,
    State: ownership::a_renamed_pipeline_keeps_its_tables,
    State: ownership::a_name_with_a_state_is_not_given_away,
    Nothing: stateless::what_keeps_no_state_commits_all_the_same,
    Nothing: stateless::what_keeps_no_state_misses_no_table,
    Nothing: stateless::what_keeps_no_state_knows_its_tables,
    Shared: stateless::what_keeps_no_state_is_not_overtaken,
    State: refresh::a_full_refresh_empties_in_the_first_commit_only,
    State: refresh::a_full_refresh_that_dies_changes_nothing,
    State: refresh::a_full_refresh_of_one_stream_leaves_the_others,
    Nothing: overwrite::an_overwritten_table_holds_what_the_run_sent,
    Nothing: overwrite::an_overwritten_table_is_emptied_once,
    Nothing: overwrite::an_overwrite_that_dies_changes_nothing,
    Upsert: overwrite::an_overwrite_gives_the_table_its_own_key_and_types,
    Nothing: overwrite::an_overwritten_table_may_have_vanished,
    Sharing: sharing::pipelines_share_a_table_where_each_says_so,
    Sharing: sharing::a_table_is_shared_by_those_alone_that_say_so,
    Sharing: sharing::nobody_empties_a_shared_table,
    Nothing: names::hostile_columns_stay_apart,
    Nothing: names::hostile_streams_have_their_tables,
    Nothing: values::every_type_keeps_its_edge_values,
    Nothing: values::every_type_is_a_key_or_holds_null,
    Nothing: values::an_empty_text_is_not_null,
    Nothing: values::long_texts_are_whole,
    Nothing: values::texts_are_exact,
}

/// A check that did not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Name of the check.
    pub check: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.found)
    }
}

/// Runs every check that applies, each on a warehouse of its own, and panics with all that did not hold.
pub async fn run<W: Warehouse>(make: impl AsyncFn() -> W) {
    let (ran, failures) = try_run(make).await;
    let list: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} of {ran} checks failed:\n{}", list.len(), list.join("\n"));
}

/// The same, giving the number of checks that ran and those that did not hold.
pub async fn try_run<W: Warehouse>(make: impl AsyncFn() -> W) -> (usize, Vec<Failure>) {
    let (mut ran, mut failures) = (0, Vec::new());
    for check in CHECKS {
        let warehouse = make().await;
        if let Some(outcome) = one(check, &warehouse).await {
            ran += 1;
            failures.extend(outcome.err());
        }
    }
    (ran, failures)
}

/// Runs one check; `None` where it does not apply.
pub(crate) async fn one(check: &Check, warehouse: &dyn Warehouse) -> Option<Result<(), Failure>> {
    let capabilities = warehouse.target().await.capabilities();
    if !check.needs.met(&capabilities, warehouse.shared()) {
        return None;
    }
    let scene = Scene { warehouse, capabilities };
    let outcome = AssertUnwindSafe((check.run)(&scene)).catch_unwind().await;
    Some(outcome.map_err(|panic| Failure { check: check.name, found: panic_text(panic.as_ref()) }))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
