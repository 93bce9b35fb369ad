//! What the studio decides: plain values with native tests.
