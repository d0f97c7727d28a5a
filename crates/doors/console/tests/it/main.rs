//! The console over real rooms: what people see and do, and what nobody may.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod doing;
#[cfg(test)]
mod entering;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod teams;
