//! PostgreSQL: the suite of every store, and what only a database of many replicas must do.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what the tests share is test code too")]

mod displays;
mod failover;
mod faults;
mod hints;
mod killed;
mod replicas;
mod schema;

luminous_store::contract_suite!(suite, luminous_store::contract::postgres_server::bench);
