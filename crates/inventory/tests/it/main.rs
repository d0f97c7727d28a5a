//! The inventory as its users meet it: facts in, history and pictures out.

#[cfg(test)]
mod control_map;
#[cfg(test)]
mod house;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod registers;
#[cfg(test)]
mod world;
