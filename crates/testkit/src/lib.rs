//! What tests need and the product does not: a dev-dependency only.

pub mod clock;
pub mod entropy;

pub use clock::FrozenClock;
pub use entropy::SeededEntropy;
