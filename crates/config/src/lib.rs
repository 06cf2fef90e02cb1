//! The YAML files, interpolation, secrets, JSON Schema for editors.
