//! Metrics of generated answers, with confidence intervals and paired tests.
