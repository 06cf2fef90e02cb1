//! The Singer wire: messages, line framing, JSON Schema, catalog, state.
