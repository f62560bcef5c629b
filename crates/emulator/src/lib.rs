//! luminous-emulator
