//! The strongroom from outside, as `keys`, `store` and `audit` use it.

#[cfg(test)]
mod export;
#[cfg(test)]
mod hall;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod records;
#[cfg(test)]
mod root;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod shred;
#[cfg(test)]
mod tamper;
