//! Wall displays and their tokens.
