//! Loads into PostgreSQL by COPY BINARY.
