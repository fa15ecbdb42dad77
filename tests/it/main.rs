//! Integration tests, one program.

mod vendor_examples;
