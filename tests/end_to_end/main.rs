//! End-to-end tests of the tapster binary.

mod airbyte;
mod any_tap;
mod authors;
mod bad_inputs;
mod batch_files;
mod continuous;
mod differences;
mod faults;
mod flights;
mod golden;
mod interop;
mod kills;
mod meltano;
mod memory;
mod other_targets;
mod packages;
mod partial_runs;
mod processes;
mod relay;
mod rest_api;
mod states;
mod stream_settings;
mod support;
mod tap_postgres;
mod target_suite;
mod targets_alone;
