//! The suite both databases pass.
