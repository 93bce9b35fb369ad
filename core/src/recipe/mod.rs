//! Domain figures to datasets, computed and checked.
