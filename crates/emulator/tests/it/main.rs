//! The emulator over real HTTP.

#[cfg(test)]
mod authorities;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod client;
#[cfg(test)]
mod connector;
#[cfg(test)]
mod control;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod logout;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod profile;
#[cfg(test)]
#[cfg(unix)]
mod program;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod reset;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod token;
