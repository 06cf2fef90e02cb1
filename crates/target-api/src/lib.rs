//! What a target implements.
