//! Decode (bytes to LoadStep) and load (LoadStep to Target).
