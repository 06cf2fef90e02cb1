//! JSON Schema to TableSchema; raw records to Arrow batches.
