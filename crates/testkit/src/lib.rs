//! luminous-testkit
