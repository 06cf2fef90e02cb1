//! The suite against the memory target: whole, it passes; with a defect, the check for it fails.

use target_api::{TableName, Target, async_trait};

use super::{CHECKS, one, run};
use crate::conformance::{Record, Warehouse};
use crate::memory::{Defect, MemoryTarget, MemoryWarehouse};

#[async_trait]
impl Warehouse for MemoryWarehouse {
    async fn target(&self) -> Box<dyn Target> {
        Box::new(MemoryTarget::new(self))
    }

    async fn records(&self, table: &TableName) -> Option<Vec<Record>> {
        self.table(table).map(|table| table.records)
    }

    async fn keeps_state(&self) -> bool {
        self.keeps_a_state()
    }

    async fn drop_table(&self, table: &TableName) {
        Self::drop_table(self, table);
    }
}

#[tokio::test]
async fn the_memory_target_conforms() {
    run(async || MemoryWarehouse::default()).await;
}

/// Every check, with a defect that it must find.
const FOUND_BY: &[(&str, Defect)] = &[
    ("a_first_run_has_no_state", Defect::StartsWithState),
    ("a_state_keeps_its_bytes", Defect::RewritesState),
    ("a_state_is_kept_without_records", Defect::SkipsStateAlone),
    ("keep_keeps_the_state", Defect::KeepClears),
    ("clear_gives_the_state_up", Defect::ClearKeeps),
    ("commits_are_counted", Defect::DoesNotCount),
    ("an_older_run_cannot_commit", Defect::IgnoresFence),
    ("what_was_not_committed_leaves_nothing", Defect::VisibleBeforeCommit),
    ("records_are_visible_with_their_commit", Defect::VisibleBeforeCommit),
    ("several_streams_are_committed_together", Defect::CommitsLastStreamOnly),
    ("the_last_record_of_a_key_wins_in_a_batch", Defect::FirstOfKeyWins),
    ("the_last_record_of_a_key_wins_in_an_epoch", Defect::MergesWithinBatch),
    ("the_last_record_of_a_key_wins_over_runs", Defect::MergesWithinBatch),
    ("keys_are_compared_part_by_part", Defect::JoinsKeys),
    ("records_without_key_are_appended", Defect::MergesKeyless),
    ("append_only_appends", Defect::IgnoresAppendOnly),
    ("a_column_that_the_schema_drops_keeps_its_values", Defect::ForgetsDroppedColumns),
    ("open_again_changes_nothing", Defect::OpenEmpties),
    ("a_column_comes_in_mid_epoch", Defect::LosesNewColumns),
    ("a_column_widens_from_run_to_run", Defect::NarrowsSilently),
    ("a_column_widens_in_mid_epoch", Defect::LosesOlderShape),
    ("a_narrower_record_fits_a_wider_column", Defect::LosesNarrower),
    ("a_plan_changes_nothing", Defect::PlanChanges),
    ("a_version_replaces_the_others", Defect::ActivatesBackwards),
    ("a_version_is_activated_with_the_commit", Defect::ActivatesEarly),
    ("the_same_version_again_removes_nothing", Defect::ActivatesBackwards),
    ("an_older_version_removes_nothing_newer", Defect::ActivatesAgainstNewer),
    ("a_version_without_records_empties_nothing", Defect::NoVersionGuard),
    ("a_truncated_stream_is_emptied", Defect::DoubtsTruncated),
    ("a_truncated_stream_is_marked_where_versions_are", Defect::DoubtsTruncated),
    ("a_hard_delete_removes_by_key_in_order", Defect::LoadsDeletes),
    ("a_soft_delete_marks_and_touches_nothing_else", Defect::LoadsDeletes),
    ("an_ignored_delete_is_a_record", Defect::FirstOfKeyWins),
    ("a_soft_delete_marks_older_versions", Defect::LoadsDeletes),
    ("what_does_not_come_stays", Defect::NullsAbsent),
    ("what_never_came_is_null", Defect::CellsOutliveDeletes),
    ("cells_that_do_not_come_stay_as_if_records_came_one_by_one", Defect::NullsAbsent),
    ("cells_that_do_not_come_stay_as_if_records_came_one_by_one", Defect::CellsOutliveDeletes),
    ("another_pipelines_table_is_refused", Defect::TakesAnyTable),
    ("what_keeps_no_state_commits_all_the_same", Defect::KeepsEveryState),
    ("what_keeps_no_state_misses_no_table", Defect::KeepsEveryState),
    ("what_keeps_no_state_knows_its_tables", Defect::TakesAnyTable),
    ("what_keeps_no_state_is_not_overtaken", Defect::KeepsEveryState),
    ("another_taps_state_is_refused", Defect::TakesAnyState),
    ("another_taps_state_can_be_replaced", Defect::TakesAnyState),
    ("a_vanished_table_is_refused", Defect::RecreatesVanished),
    ("a_renamed_pipeline_keeps_its_tables", Defect::RenamesHalf),
    ("a_name_with_a_state_is_not_given_away", Defect::RenamesOver),
    ("a_full_refresh_empties_in_the_first_commit_only", Defect::RefreshesEveryCommit),
    ("a_full_refresh_that_dies_changes_nothing", Defect::RefreshesEarly),
    ("a_full_refresh_of_one_stream_leaves_the_others", Defect::RefreshesAll),
    ("an_overwritten_table_holds_what_the_run_sent", Defect::AppendsToOverwritten),
    ("an_overwritten_table_is_emptied_once", Defect::OverwritesEveryCommit),
    ("an_overwrite_that_dies_changes_nothing", Defect::VisibleBeforeCommit),
    ("an_overwrite_gives_the_table_its_own_key_and_types", Defect::AppendsToOverwritten),
    ("an_overwritten_table_may_have_vanished", Defect::RefusesVanishedOverwritten),
    ("pipelines_share_a_table_where_each_says_so", Defect::RefusesToShare),
    ("a_table_is_shared_by_those_alone_that_say_so", Defect::TakesAnyTable),
    ("nobody_empties_a_shared_table", Defect::EmptiesShared),
    ("hostile_columns_stay_apart", Defect::MixesCase),
    ("hostile_columns_stay_apart", Defect::CutsNames),
    ("hostile_streams_have_their_tables", Defect::CutsNames),
    ("every_type_keeps_its_edge_values", Defect::NumbersAsDoubles),
    ("every_type_is_a_key_or_holds_null", Defect::MergesWithinBatch),
    ("an_empty_text_is_not_null", Defect::EmptyIsNull),
    ("long_texts_are_whole", Defect::CutsText),
    ("texts_are_exact", Defect::TrimsText),
];

#[tokio::test]
async fn each_check_finds_its_defect() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for check in CHECKS {
        let defects: Vec<Defect> =
            FOUND_BY.iter().filter(|(name, _)| *name == check.name).map(|(_, d)| *d).collect();
        assert!(!defects.is_empty(), "{} has no defect that shows that it can fail", check.name);
        for defect in defects {
            let outcome = one(check, &MemoryWarehouse::with_defect(defect)).await;
            if !matches!(outcome, Some(Err(_))) {
                missed.push(format!("{} passes with {defect:?}", check.name));
            }
        }
    }
    drop(std::panic::take_hook());
    assert!(missed.is_empty(), "{missed:#?}");
}
